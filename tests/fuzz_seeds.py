"""One small, valid file of every kind that the service takes, for what spoils them."""

import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pydicom
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from greenchannel.ingest.bundle import make_zip
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.ingest.writers import WRITERS
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from tests import pictures, scp_files, xml_files
from tests.ecg_vectors import STEPS, attachment, edf, ishne, mfer, onset, oru, three_bytes

MOST_BYTES: Final = (
    60_000  # of a device's file: what is larger makes ten thousand of them slow, and tells nothing new
)


_FORMATS: Final = {8: 8, 80: 8, 212: 12, 310: 11, 24: 24}  # bits that a sample takes, at most


def _recording(leads: tuple[str, ...], samples: int = 60) -> Recording:
    steps = np.random.default_rng(5).integers(-900, 900, (len(leads), samples))
    return Recording(samples_mv=(steps / 400).astype(np.float32), leads=leads, rate_hz=500.0)


def _in_syntax(data: bytes, syntax: UID) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    big = syntax == ExplicitVRBigEndian
    pydicom.dcmwrite(
        out, dataset, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=not big, force_encoding=big
    )
    return out.getvalue()


def _record(number: int, bits: int) -> bytes:
    lines = ["r 2 500 40 10:00:00 01/05/2026", f"r.dat {number} 200(0)/mV 12 0 0 0 0 I"]
    header = "\n".join([*lines, f"r.dat {number} 200 12 0 0 0 0 II", ""])
    return make_zip([("r.hea", header.encode() + b"#Age: 61\n"), ("r.dat", bytes(range(80 * bits // 8)))])


def _segments() -> bytes:
    part = b"%s 1 500 20\n%s.dat 16 200 16 0 0 0 0 II\n"
    members = [("r.hea", b"r/3 1 500 50\na 20\n~ 10\nb 20\n")]
    for name in (b"a", b"b"):
        members += [(f"{name.decode()}.hea", part % (name, name)), (f"{name.decode()}.dat", bytes(range(40)))]
    return make_zip(members)


def _deflated_zip(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"folder/{name}", data)
    return out.getvalue()


@cache
def seeds() -> dict[str, bytes]:
    """By kind; every one is read, or taken as a picture."""
    twelve, eighteen = _recording(STANDARD_12), _recording(STANDARD_18)
    ecg = ParsedEcg(recording=twelve, format="wfdb", age_years=61.0, sex="male", identifiers={"name": "n"})
    few = STEPS[:, :20]
    notes = onset("+0.25\x14\x14", 40) + onset("+3.75\x14\x14\0+3.9\x14x\x14", 40)
    signals = [("EDF Annotations", 20, notes), ("ECG II", 10, few[0].astype("<i2").tobytes())]
    found = {f"written {name}": writer.write(ecg, 0.0025) for name, writer in WRITERS.items()}
    dicom = found["written dicom"]
    found |= {
        "dicom implicit": _in_syntax(dicom, ImplicitVRLittleEndian),
        "dicom big endian": _in_syntax(dicom, ExplicitVRBigEndian),
        "dicom deflated": _in_syntax(dicom, DeflatedExplicitVRLittleEndian),
        "dicom bare": dicom[dicom.index(b"\x08\x00\x05\x00CS") :],
        "strip": write_wfdb_zip(eighteen, lsb_mv=0.0025, age_years=61.0, sex="male", acquired=None),
        **{
            f"wfdb {number}": _record(number, bits)
            for number, bits in ((8, 8), (80, 8), (212, 12), (310, 11), (24, 24))
        },
        "wfdb segments": _segments(),
        "scp coded": scp_files.record(
            {
                1: scp_files.patient(),
                2: scp_files.DEFAULT_TABLE,
                3: scp_files.leads([(1, 20, 2)]),
                6: scp_files.samples([scp_files.coded(range(20), 2)], difference=2),
            }
        ),
        "scp reference beat": scp_files.with_reference(1)[0],
        "muse": xml_files.muse_file(),
        "philips": xml_files.philips_file(),
        "schiller": xml_files.schiller_file(),
        "cardiosoft": xml_files.cardiosoft_file(),
        "aecg": xml_files.aecg_file(),
        "edf": edf(signals, records=2, record_s="0.02", kind="EDF+D", patient="P-7 M 02-MAY-1960 W_L"),
        "bdf": edf([("II", 20, three_bytes(few[0]))], records=1, bits=24, kind="24BIT"),
        "ishne": ishne(few, crc=0, remark=b"remark"),
        "mfer": mfer(few, block=10),
        "csv timed": b"time (ms);II (mV);V1 (mV)\n0;1,5;2\n2;;3\n8;1;1\n",
        "hl7 file": oru(attachment(mfer(few[:, :10], block=10))),
        "hl7 waveform": oru(
            "OBX|1|CD|x&CHN||1&II^X^2.5&uV^1&0^500^-9&9~2&V1^X^2.5&uV^1&10^500", "OBX|2|MA|x&WAV||1^2~3^4"
        ),
        "jpeg": pictures.jpeg(),
        "png": pictures.png(),
        "heic": pictures.heic(),
        "pdf": pictures.pdf(),
    }
    found["zip of dicom"] = _deflated_zip("a.dcm", dicom)
    found["zip of xml"] = _deflated_zip("a.xml", found["muse"])
    return found


def real_seeds(folder: Path) -> dict[str, bytes]:
    """Files of devices that are not too large, by their names."""
    found = {
        path.name: path.read_bytes()
        for path in sorted((folder / "ecg-formats").rglob("*"))
        if path.is_file() and path.stat().st_size <= MOST_BYTES
    }
    return found | {"healforce_62.SCP": (folder / "ecg-formats" / "scp" / "healforce_62.SCP").read_bytes()}
