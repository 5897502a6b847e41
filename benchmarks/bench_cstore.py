"""C-STORE of 512 × 512 CT slices on loopback: this service against Orthanc, in turn, in the same minutes.

One sender for both, DCMTK's `storescu`, in a process of its own: 16 KB in a PDU as it does by itself. Both acknowledge
what is on disk: Orthanc with ``SyncStorageArea``, its default. Ours is also read, sealed and put into its case.
Needs `orthanc` and `dcmtk` of Debian.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from pydicom import dcmread
from pydicom.uid import UID

from benchmarks.harness import Json, save, show
from tests.imaging_files import ct

TITLE: Final = "BENCH"
READY_WITHIN_S: Final = 60.0
_SERVE: Final = (  # `greenchannel serve` asks for an administrator first
    "from greenchannel.assembly import run, run_until_stopped; from greenchannel.settings import load; "
    "run(run_until_stopped(load()))"
)


def slices(folder: Path, count: int, study: int, source: Path | None) -> list[Path]:
    """A study of `count` slices in files: of the sample, or else invented with the noise of one."""
    folder.mkdir(parents=True)
    real = [] if source is None else sorted(source.glob("*.dcm"))
    paths = []
    for number in range(1, count + 1):
        path = folder / f"{number:04}.dcm"
        if real:
            one = dcmread(real[number % len(real)])
            one.StudyInstanceUID = f"{one.StudyInstanceUID[:50]}.{study}"
            one.SeriesInstanceUID = f"{one.SeriesInstanceUID[:50]}.{study}"
            one.SOPInstanceUID = UID(f"{one.StudyInstanceUID}.{number}")
            one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
            one.InstanceNumber = number
            out = io.BytesIO()
            one.save_as(out)
            path.write_bytes(out.getvalue())
        else:
            path.write_bytes(ct(number, study=study, size=512, patient_id=f"P{study}"))
        paths.append(path)
    return paths


@contextlib.contextmanager
def ours(folder: Path) -> Iterator[tuple[int, int]]:
    """The service as `greenchannel serve` runs it; gives its DICOM port and its process."""
    port, web = _free_port(), _free_port()
    given = {
        "DATA_DIR": str(folder / "ours"),
        "PORT": str(web),
        "DICOM_PORT": str(port),
        "DICOM_CALLERS": f"{TITLE}=bench",
    }
    environment = os.environ | {f"GREENCHANNEL_{name}": value for name, value in given.items()}
    with _process([sys.executable, "-c", _SERVE], environment, folder / "ours.log", port) as pid:
        yield port, pid


@contextlib.contextmanager
def orthanc(folder: Path) -> Iterator[tuple[int, int]]:
    """Orthanc as it is installed, without its web server; gives its DICOM port and its process."""
    port = _free_port()
    settings = {
        "StorageDirectory": str(folder / "orthanc"),
        "IndexDirectory": str(folder / "orthanc"),
        "DicomAet": "GREENCHANNEL",
        "DicomPort": port,
        "HttpServerEnabled": False,
        "DicomAlwaysAllowStore": True,
        "DicomCheckCalledAet": False,
        "Plugins": [],
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(settings))
    with _process(["Orthanc", str(file)], dict(os.environ), folder / "orthanc.log", port) as pid:
        yield port, pid


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str], log: Path, port: int) -> Iterator[int]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
                break
            time.sleep(0.05)
        else:
            raise TimeoutError(f"{command[0]} does not listen; its log ends with:\n{log.read_text()[-2000:]}")
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=READY_WITHIN_S)


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far: what a busy machine does not change."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send(port: int, paths: list[Path], *more: str) -> float:
    """Objects a second, from the start of `storescu` to its end."""
    command = ["storescu", "-aet", TITLE, "-aec", "GREENCHANNEL", *more, "127.0.0.1", str(port)]
    since = time.perf_counter()
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True, check=False)
    took_s = time.perf_counter() - since
    if done.returncode:
        raise RuntimeError(f"storescu failed: {done.stderr[-500:]}")
    return len(paths) / took_s


def run(count: int = 60, rounds: int = 3, source: Path | None = None) -> Json:
    """Both in turn, a new study each time."""
    missing = [name for name in ("Orthanc", "storescu") if shutil.which(name) is None]
    if missing:
        print(f"not measured: {' and '.join(missing)} not installed (Debian: orthanc dcmtk)")
        return {}
    rates: dict[str, list[float]] = {"ours": [], "orthanc": []}
    cpu_s = dict.fromkeys(rates, 0.0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ours(folder) as us, orthanc(folder) as them:
            for number in range(rounds + 1):
                for which, (port, pid) in (("ours", us), ("orthanc", them)):
                    study = 10 * number + (which == "ours") + 1
                    paths = slices(folder / f"{which}{number}", count, study, source)
                    before_s = _cpu_s(pid)
                    rate = send(port, paths)
                    if number:  # the first of each warms up
                        rates[which].append(rate)
                        cpu_s[which] += _cpu_s(pid) - before_s
                    shutil.rmtree(folder / f"{which}{number}")
    result: Json = {
        "objects": count,
        "rounds": rounds,
        **{f"{which}_per_s": [round(rate, 1) for rate in found] for which, found in rates.items()},
        **{f"{which}_cpu_ms": round(1000 * s / count / rounds, 1) for which, s in cpu_s.items()},
        "ratio": round(statistics.median(np.divide(rates["ours"], rates["orthanc"])), 2),
    }
    show("C-STORE of 512 × 512 CT", [result])
    save("cstore", result)
    return result


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="objects of a study")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", type=Path, help="folder of a real CT to make the studies of")
    arguments = parser.parse_args()
    run(arguments.count, arguments.rounds, arguments.source)
