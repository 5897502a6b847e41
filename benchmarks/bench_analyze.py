"""`greenchannel analyze FILE --json`, cold, the whole process, against the mere import of neurokit2.

Every run is a new process; the disk's cache is warm, compiled modules are there. neurokit2 is imported by the Python of
the rivals' environment where there is one. `--imports` adds where the start goes, by `python -X importtime`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pydicom.data import get_testdata_file

from benchmarks import rivals
from benchmarks.harness import Json, data_folder, interleaved, quantiles, save, show
from benchmarks.records import ONE_OF_EACH
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.synthesis import synthesize

MUST, AIM = 0.7, 0.35
_SILENT: Final = ((os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0o644),)
RIVAL: Final = "import neurokit2"
_WITHOUT_CLI: Final = """
import sys, hashlib, pathlib, msgspec
from greenchannel.ingest.reader import read_path
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret, to_json
parsed = read_path(pathlib.Path(sys.argv[1]))
patient = Patient(age_years=parsed.age_years, sex=parsed.sex)
sha256 = hashlib.sha256(pathlib.Path(sys.argv[1]).read_bytes()).hexdigest()
answer = to_json(interpret(parsed.recording, patient), source=sys.argv[1], sha256=sha256)
sys.stdout.buffer.write(msgspec.json.encode(answer))
"""


def command(path: Path) -> list[str]:
    """How a file is analysed: by the command where it is installed, otherwise by the same calls."""
    if find_spec("greenchannel.cli.main") is not None:
        return [str(Path(sys.executable).with_name("greenchannel")), "analyze", str(path), "--json"]
    return [sys.executable, "-c", _WITHOUT_CLI, str(path)]


def files(folder: Path) -> dict[str, Path]:
    """A real DICOM ECG, a simulated infarction as a zipped WFDB record, and a real record of each source.

    The DICOM file and the PTB record are sampled at 1000 Hz and are resampled on the way.
    """
    wfdb = folder / "synthetic.zip"
    recording = synthesize(scenario="extensive_anterior_high_lateral_stemi", noise_mv=0.006, wander_mv=0.05)
    wfdb.write_bytes(write_wfdb_zip(recording, lsb_mv=0.0025, age_years=61.0, sex="male", acquired=None))
    found = {"DICOM": Path(str(get_testdata_file("waveform_ecg.dcm", download=False))), "WFDB": wfdb}
    data = data_folder()
    for name, record in ONE_OF_EACH.items():
        if data is not None and (path := (data / record).with_suffix(".hea")).is_file():
            found[name] = path
    return found


class Command:
    """A program that is run anew each time, with the processor's time of each run and the most memory of any.

    The system counts the peak of the process that starts another as the other's: what needs less shows ours.
    """

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.peak_kb = 0
        self.cpu_ms: list[float] = []

    def __call__(self) -> None:
        """Run it to its end; `CalledProcessError` where it fails."""
        process = os.posix_spawn(self.words[0], self.words, os.environ, file_actions=_SILENT)
        _, status, used = os.wait4(process, 0)
        self.peak_kb = max(self.peak_kb, used.ru_maxrss)
        self.cpu_ms.append((used.ru_utime + used.ru_stime) * 1000)
        if code := os.waitstatus_to_exitcode(status):
            raise subprocess.CalledProcessError(code, self.words)


def import_times(words: list[str], most: int = 25) -> list[Json]:
    """The modules whose import takes longest, with all they import, in ms."""
    program = [sys.executable, "-X", "importtime", *words[1:]] if words[0] == sys.executable else None
    if program is None:
        code = f"import sys; sys.argv = {words!r}; from greenchannel.cli.main import main; main()"
        program = [sys.executable, "-X", "importtime", "-c", code]
    told = subprocess.run(
        program, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ).stderr
    rows = []
    for line in told.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        total, _, name = rest.partition("|")
        if own.strip().isdigit():
            rows.append(
                {
                    "module": name.strip(),
                    "own_ms": int(own) / 1000,
                    "with_imports_ms": int(total) / 1000,
                }
            )
    return sorted(rows, key=lambda row: -float(str(row["with_imports_ms"])))[:most]


def run(rounds: int = 5, *, imports: bool = False) -> Json:
    """Measure, print, save."""
    with tempfile.TemporaryDirectory() as folder:
        told = files(Path(folder))
        work = {f"analyze {kind}": Command(command(path)) for kind, path in told.items()}
        work[RIVAL] = Command([str(rivals.ensure().python.get("neurokit2", sys.executable)), "-c", RIVAL])
        work["python -c pass"] = Command([sys.executable, "-c", "pass"])
        interleaved(work, 1)  # the disk's cache is warm for all
        times = interleaved(work, rounds)
        slowest = import_times(command(told["DICOM"])) if imports else []
    rival = quantiles(times[RIVAL], 1)
    rows = []
    for name, values in times.items():
        q = quantiles(values, 1)
        rows.append(
            {
                "process": name,
                "min ms": q["min"],
                "median ms": q["p50"],
                "max ms": q["max"],
                "ratio of medians": round(q["p50"] / rival["p50"], 3),
                "ratio of minima": round(q["min"] / rival["min"], 3),
                "ratio of least CPU": round(min(work[name].cpu_ms) / min(work[RIVAL].cpu_ms), 3),
                "peak MB": round(work[name].peak_kb / 1024),
            }
        )
    through = "greenchannel analyze" if find_spec("greenchannel.cli.main") else "the same calls by python -c"
    show(f"Cold analysis of one file ({through}; must ≤ {MUST}, aim ≤ {AIM} of the rival)", rows)
    if slowest:
        show("Imports of the DICOM analysis", slowest)
    results: Json = {"through": through, "must": MUST, "aim": AIM, "rows": rows, "samples_ms": times}
    if slowest:
        results["imports"] = slowest
    save("analyze", results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--imports", action="store_true")
    given = parser.parse_args()
    run(given.rounds, imports=given.imports)


if __name__ == "__main__":
    main()
