"""The programs ours is compared with: installed into environments of their own, run in processes of their own.

``python -m benchmarks.rivals`` makes the environments (``.venv/rivals``; ``.venv/rivals-newer`` for a rival that wants
a newer Python than ours), tries again what could not be installed before, and says what can be measured. A benchmark
makes them where they are absent. Without them neurokit2 is measured in the development environment, which has it.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.harness import ROOT, Json

REQUIREMENTS: Final = Path(__file__).with_name("requirements-rivals.txt")
WORKER: Final = Path(__file__).with_name("rival_worker.py")
OURS: Final = "greenchannel"
NEWER_PYTHON: Final = "GREENCHANNEL_RIVALS_PYTHON"  # names a Python for those that ours is too old for
_INSTALL_LIMIT_S: Final = 900
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rival:
    """A package of the requirements file."""

    package: str
    also: tuple[str, ...] = ()
    """What it needs and does not declare."""
    least_python: tuple[int, int] = (3, 11)


RIVALS: Final = (
    Rival(package="neurokit2"),
    Rival(package="ecg-interpreter"),
    Rival(package="ecgdeli"),
    Rival(package="biosppy", also=("peakutils",)),
    Rival(package="prominence-delineator", also=("vg-beat-detectors",)),
    Rival(package="sleepecg"),
    Rival(package="wavedet", least_python=(3, 12)),
)
PIPELINES: Final[Mapping[str, str]] = {
    "neurokit2 ecg_process ×12": "neurokit2",
    "neurokit2 lean": "neurokit2",
    "ecgdeli": "ecgdeli",
    "biosppy ×12": "biosppy",
    "wavedet": "wavedet",
    "prominence-delineator": "prominence-delineator",
    "ecg-interpreter ×12": "ecg-interpreter",
    "sleepecg, R alone, ×12": "sleepecg",
    "interpret": OURS,
    "measure": OURS,
    "interpret and to_json": OURS,
    "batch": OURS,
}
"""The pipelines of `rival_worker` in the order of the tables, and the package each belongs to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """What can be measured, by which Python, and what cannot, and why."""

    python: Mapping[str, Path]
    """Package → the Python that has it."""
    missing: Mapping[str, str]

    @property
    def pipelines(self) -> list[str]:
        """Those that can run here, ours among them."""
        return [name for name, package in PIPELINES.items() if package in self.python]


def ensure(*, again: bool = False) -> Installed:
    """Make the environments where they are absent or the requirements have changed; never raises for one that fails.

    Parameters
    ----------
    again : try once more what could not be installed
    """
    python: dict[str, Path] = {OURS: Path(sys.executable)}
    missing: dict[str, str] = {}
    fitting = [rival for rival in RIVALS if sys.version_info[:2] >= rival.least_python]
    newer = [rival for rival in RIVALS if rival not in fitting]
    _environment(_folder("rivals"), Path(sys.executable), fitting, python, missing, again=again)
    if newer:
        least = max(rival.least_python for rival in newer)
        folder = _folder("rivals-newer")
        found = folder / "bin" / "python" if (folder / "rivals.json").is_file() else _newer_python(least)
        if found is None:
            why = f"wants Python {least[0]}.{least[1]}; name one in {NEWER_PYTHON}"
            missing |= dict.fromkeys((rival.package for rival in newer), why)
        else:
            _environment(folder, found, newer, python, missing, again=again)
    if "neurokit2" not in python and find_spec("neurokit2") is not None:
        python["neurokit2"] = Path(sys.executable)
    return Installed(python=python, missing=missing)


def _folder(name: str) -> Path:
    """Inside the development environment: ignored by git, gone with `make clean`."""
    inside = ROOT / ".venv"
    return (inside if inside.is_dir() else ROOT / "build") / name


def _newer_python(least: tuple[int, int]) -> Path | None:
    named = os.environ.get(NEWER_PYTHON)
    names = [named] if named else [f"python3.{minor}" for minor in range(least[1], least[1] + 3)]
    for name in names:
        path = shutil.which(name)
        code = f"import sys; sys.exit(sys.version_info < {least})"
        if path and subprocess.run([path, "-c", code], capture_output=True, check=False).returncode == 0:
            return Path(path)
    return None


def _environment(
    folder: Path,
    base: Path,
    rivals: Iterable[Rival],
    python: dict[str, Path],
    missing: dict[str, str],
    *,
    again: bool,
) -> None:
    """Install `rivals` into `folder`, unless its stamp says that this was done; enter them in `python` or `missing`."""
    stamp, own = folder / "rivals.json", folder / "bin" / "python"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    told = json.loads(stamp.read_text(encoding="utf-8")) if stamp.is_file() else {}
    failed: dict[str, str] = told.get("missing", {})
    if told.get("requirements") != wanted or (again and failed):
        print(f"installing what ours is compared with into {folder.name}; once, a few minutes", flush=True)
        failed = _install(folder, base, list(rivals))
        if folder.is_dir():
            stamp.write_text(json.dumps({"requirements": wanted, "missing": failed}) + "\n", encoding="utf-8")
    for rival in rivals:
        if rival.package in failed:
            missing[rival.package] = failed[rival.package]
        else:
            python[rival.package] = own


def _install(folder: Path, base: Path, rivals: list[Rival]) -> dict[str, str]:
    """Each rival by itself, within the versions of the requirements file. Returns who failed, and pip's last word."""
    try:
        if base == Path(sys.executable):
            venv.create(folder, with_pip=True)
        else:
            subprocess.run([str(base), "-m", "venv", str(folder)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return {rival.package: f"no environment: {error}" for rival in rivals}
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    failed: dict[str, str] = {}
    for rival in rivals:
        words = [*pip, "--constraint", str(REQUIREMENTS), rival.package, *rival.also]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, check=False, timeout=_INSTALL_LIMIT_S
            )
        except subprocess.TimeoutExpired:
            failed[rival.package] = f"not installed within {_INSTALL_LIMIT_S} s"
            continue
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            failed[rival.package] = lines[-1] if lines else "pip failed"
    return failed


class Worker:
    """A process with the pipelines of one package, ready after `wait`. What it prints goes nowhere."""

    def __init__(
        self, package: str, pipelines: Sequence[str], python: Path, *, blas_threads: int | None = None
    ) -> None:
        self.package = package
        self.pipelines = tuple(pipelines)
        # Threads as each package sets them itself: what the shell of whoever measures says of them is left out.
        environment = {key: value for key, value in os.environ.items() if key not in _THREADS}
        if blas_threads is not None:
            environment |= dict.fromkeys(_THREADS, str(blas_threads))
        self._process = subprocess.Popen(
            [str(python), "-P", str(WORKER), package, *pipelines],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=environment | {"MPLBACKEND": "Agg"},
        )
        self.about: Json = {}

    def wait(self) -> str | None:
        """Until its package is imported; what went wrong, or None."""
        self.about = self.answer()
        return self.about.get("error")

    def ask(self, pipeline: str, path: Path, rate_hz: int, runs: int) -> None:
        """Begin to run it; `answer` waits for the end."""
        assert self._process.stdin is not None
        told = {"pipeline": pipeline, "path": str(path), "rate_hz": rate_hz, "runs": runs}
        with contextlib.suppress(BrokenPipeError):  # `answer` will say that it has ended
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()

    def answer(self) -> Json:
        """The reply of `rival_worker`, or ``{"error": ...}``; also where the process has died."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        told: Json = json.loads(line) if line else {"error": "the process has ended"}
        return told

    def run(self, pipeline: str, path: Path, rate_hz: int, runs: int) -> Json:
        """`ask` and `answer`."""
        self.ask(pipeline, path, rate_hz, runs)
        return self.answer()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def start(
    pipelines: Iterable[str], installed: Installed, *, blas_threads: int | None = None
) -> tuple[dict[str, Worker], dict[str, str]]:
    """Package → its worker, ready; and package → why there is none.

    Parameters
    ----------
    blas_threads : of ours; None: as the product sets them, which is what a user gets. Rivals keep their own
    """
    by_package: dict[str, list[str]] = {}
    for name in pipelines:
        by_package.setdefault(PIPELINES[name], []).append(name)
    begun = [
        Worker(
            package, names, installed.python[package], blas_threads=blas_threads if package == OURS else None
        )
        for package, names in by_package.items()
    ]
    ready: dict[str, Worker] = {}
    failed: dict[str, str] = {}
    for worker in begun:
        why = worker.wait()
        if why is None:
            ready[worker.package] = worker
        else:
            failed[worker.package] = why
            worker.close()
    return ready, failed


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    installed = ensure(again=True)
    ready, failed = start(installed.pipelines, installed)
    for package, worker in ready.items():
        print(
            f"{package} {worker.about['version']}, Python {worker.about['python']}: {', '.join(worker.pipelines)}"
        )
        worker.close()
    for package, why in [*installed.missing.items(), *failed.items()]:
        print(f"{package}: not measured: {why}")


if __name__ == "__main__":
    main()
