"""What an ECG takes on disk against 16 bits a sample, and how quickly it gets there and back.

The samples are those of real recordings, at the step they were recorded with and at 2.5 µV. Rivals get the same
integers: zlib and zstd as the bytes stand in a file, and FLAC (by soundfile, where it is installed), eight leads a
stream. *Files* is what is kept in the end: the whole original, with its header, as `packing.pack` makes it, which
undoes each packing once and compares.
"""

import argparse
import io
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from benchmarks.harness import Json, data_folder, save, show
from greenchannel.ingest.bundle import bundle
from greenchannel.ingest.lead_codec import decode, encode
from greenchannel.ingest.packing import pack, unpack
from greenchannel.ingest.reader import files_of, read_path

MOST: Final = 30
LEADS_A_STREAM: Final = 8  # of FLAC
Steps = NDArray[np.int16]


class Taken(NamedTuple):
    """One recording as integers."""

    steps: Steps  # (leads, samples)
    leads: tuple[str, ...]
    rate_hz: int


SETS: Final[dict[str, tuple[str, float]]] = {
    "LUDB, 1 µV": ("ludb/data/*.hea", 1000),
    "PTB, 0.5 µV, 1000 Hz": ("ptb-10s/*.hea", 2000),
    "PTB-XL, 1 µV": ("cinc-12lead/records/HR*.hea", 1000),
    "MIT-BIH, 5 µV, 2 leads": ("wfdb-annotated/100.hea", 200),
    "LUDB at 2.5 µV": ("ludb/data/*.hea", 400),
    "PTB at 2.5 µV": ("ptb-10s/*.hea", 400),
    "PTB-XL at 2.5 µV": ("cinc-12lead/records/HR*.hea", 400),
}


def taken(path: Path, steps_per_mv: float) -> Taken:
    """A recording in steps of its own or of another size; where no sample is stands 0."""
    recording = read_path(path).recording
    steps = np.nan_to_num(np.rint(recording.samples_mv.astype(np.float64) * steps_per_mv))
    return Taken(np.clip(steps, -32767, 32767).astype(np.int16), recording.leads, int(recording.rate_hz))


def _flac() -> tuple[Callable[[Taken], list[bytes]], Callable[[list[bytes]], object]] | None:
    try:
        import soundfile
    except ImportError:
        return None

    def write(one: Taken) -> list[bytes]:
        streams = []
        for first in range(0, len(one.leads), LEADS_A_STREAM):
            out = io.BytesIO()
            rows = np.ascontiguousarray(one.steps[first : first + LEADS_A_STREAM].T)
            soundfile.write(out, rows, one.rate_hz, format="FLAC", subtype="PCM_16")
            streams.append(out.getvalue())
        return streams

    return write, lambda streams: [soundfile.read(io.BytesIO(each), dtype="int16") for each in streams]


def _plain(one: Taken) -> bytes:
    return np.ascontiguousarray(one.steps.T).tobytes()


Code = bytes | list[bytes]
Coder = tuple[Callable[[Taken], Code], Callable[[Any], object]]


def coders() -> dict[str, Coder]:
    """By name: how a recording is coded, and how it comes back."""
    found: dict[str, Coder] = {
        "ours": (lambda one: encode(one.steps, one.leads), decode),
        "zstd 3": (lambda one: zstandard.compress(_plain(one), 3), zstandard.decompress),
        "zlib 6": (lambda one: zlib.compress(_plain(one), 6), zlib.decompress),
    }
    flac = _flac()
    if flac is not None:
        found["FLAC"] = flac
    return found


def _size(code: Code) -> int:
    return sum(map(len, code)) if isinstance(code, list) else len(code)


def measured(recordings: Sequence[Taken], rounds: int) -> Json:
    """For each coder the share of 16 bits, and megabytes of 16-bit samples a second, by the quickest rounds."""
    total = sum(2 * one.steps.size for one in recordings)
    results: Json = {"recordings": len(recordings), "megabytes": round(total / 1e6, 2), "rounds": rounds}
    known = coders()
    times = {
        name: np.full((2, 2, len(recordings)), np.inf) for name in known
    }  # wall and processor; there and back
    sizes = dict.fromkeys(known, 0)
    for number in range(rounds):
        for at, one in enumerate(recordings):
            for name, (there, back) in known.items():
                began = time.perf_counter(), time.process_time()
                code = there(one)
                half = time.perf_counter(), time.process_time()
                back(code)
                ended = time.perf_counter(), time.process_time()
                for clock in (0, 1):
                    spent = half[clock] - began[clock], ended[clock] - half[clock]
                    times[name][clock, :, at] = np.minimum(times[name][clock, :, at], spent)
                sizes[name] += _size(code) if number == 0 else 0
    for name in known:
        speed = total / 1e6 / times[name].sum(axis=2)
        results[name] = {
            "ratio": round(sizes[name] / total, 3),
            "pack_mb_s": round(float(speed[0, 0])),
            "unpack_mb_s": round(float(speed[0, 1])),
            "pack_mb_cpu_s": round(float(speed[1, 0])),
            "unpack_mb_cpu_s": round(float(speed[1, 1])),
        }
    return results


def files(folder: Path) -> Json:
    """Whole originals as they are kept, by kind."""
    kinds = {
        "WFDB bundles, format 16 and .mat": [
            bundle(files_of(path))
            for pattern in ("ludb/data/*.hea", "ptb-10s/*.hea", "cinc-12lead/records/HR*.hea")
            for path in sorted(folder.glob(pattern))[:MOST]
        ],
        **{
            name: [
                path.read_bytes()
                for path in sorted((folder / "ecg-formats" / name).iterdir())
                if path.is_file()
            ]
            for name in ("dicom", "scp", "hl7-aecg", "muse-xml", "philips-xml", "schiller-xml", "edf")
        },
    }
    results: Json = {}
    for name, originals in kinds.items():
        packed = [pack(data) for data in originals]
        assert [unpack(one) for one in packed] == originals
        results[name] = {
            "files": len(originals),
            "ratio": round(sum(map(len, packed)) / sum(map(len, originals)), 3),
        }
    return results


def run(rounds: int = 5) -> None:
    """Measure all sets, print two tables and keep the numbers."""
    folder = data_folder()
    if folder is None:
        print("archive: no folder of recordings, nothing is measured")
        return
    sets: Json = {}
    for name, (pattern, steps_per_mv) in SETS.items():
        recordings = [taken(path, steps_per_mv) for path in sorted(folder.glob(pattern))[:MOST]]
        for one in recordings:
            back, _ = decode(encode(one.steps, one.leads))
            assert np.array_equal(back, one.steps)
        sets[name] = measured(recordings, rounds)
    kept = files(folder)
    save("archive", {"sets": sets, "files": kept})
    names = list(coders())
    show(
        "Bytes against 16 bits a sample",
        [
            {"set": name, "recordings": one["recordings"], **{coder: one[coder]["ratio"] for coder in names}}
            for name, one in sets.items()
        ],
    )
    show(
        "Megabytes of 16-bit samples a second, there / back (of a processor's second)",
        [
            {
                "set": name,
                **{
                    coder: "{pack_mb_s} / {unpack_mb_s} ({pack_mb_cpu_s} / {unpack_mb_cpu_s})".format(
                        **one[coder]
                    )
                    for coder in names
                },
            }
            for name, one in sets.items()
        ],
    )
    show("Whole originals", [{"kind": name, **one} for name, one in kept.items()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each recording is coded by each")
    run(parser.parse_args().rounds)


if __name__ == "__main__":
    main()
