"""A process that runs the pipelines of one package on recordings it is told of, and times the calls alone.

Run by the Python of the environment that holds the pipeline's package, as a script: it imports nothing of ours
except where ours is the pipeline. One JSON object a line:

    → ``{"pipeline": "ecgdeli", "path": ".../ecg.npy", "rate_hz": 500, "runs": 3}``
    ← ``{"ms": [...], "cpu_ms": [...], "began": s, "ended": s, "peak_kb": n, "threads": n}`` or ``{"error": "..."}``

The file holds mV as float32, ``(leads, samples)``, or ``(ecgs, leads, samples)`` for a pipeline of batches. Reading it,
turning it into what the package wants, and the import are outside the time. All is measured again each run: nothing
is kept from one call to the next. What a package prints goes to standard error.
"""

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

Array = Any  # numpy is imported after the package, as a program of its own would
Work = Callable[[], object]
Prepare = Callable[[Array, int], Work]

LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
LEAD_II: Final = 1


def neurokit2_process() -> Prepare:
    """The whole pipeline on each lead: clean, R, delineate, quality, phase."""
    nk = import_module("neurokit2")
    return lambda x, rate: lambda: [nk.ecg_process(lead, sampling_rate=rate) for lead in x]


def neurokit2_lean() -> Prepare:
    """Only what a 12-lead measurement needs of it: clean each lead, R in lead II, delineate each lead."""
    nk = import_module("neurokit2")

    def work(x: Array, rate: int) -> object:
        clean = [nk.ecg_clean(lead, sampling_rate=rate) for lead in x]
        _, found = nk.ecg_peaks(clean[LEAD_II], sampling_rate=rate)
        r = found["ECG_R_Peaks"]
        return [nk.ecg_delineate(lead, r, sampling_rate=rate, method="dwt") for lead in clean]

    return lambda x, rate: lambda: work(x, rate)


def ecg_interpreter() -> Prepare:
    """Measure and interpret each lead; the package knows no recording of several."""
    package = import_module("ecg_interpreter")

    def prepare(x: Array, rate: int) -> Work:
        processor, interpreter = package.ECGSignalProcessor(sampling_rate=rate), package.ECGInterpreter()
        return lambda: [
            interpreter.interpret(processor.process_array(lead), patient_sex="male") for lead in x
        ]

    return prepare


def ecgdeli() -> Prepare:
    """Filter and annotate all leads."""
    package = import_module("ecgdeli")
    return lambda x, rate: lambda: package.annotate(package.filter_ecg(x.T, fs=rate), fs=rate)


def biosppy() -> Prepare:
    """The whole pipeline on each lead, nothing drawn."""
    ecg = import_module("biosppy.signals.ecg").ecg
    return lambda x, rate: lambda: [ecg(lead, sampling_rate=float(rate), show=False) for lead in x]


def prominence_delineator() -> Prepare:
    """Clean each lead, R in lead II, delineate each lead."""
    package = import_module("prominence_delineator")

    def prepare(x: Array, rate: int) -> Work:
        delineator = package.ProminenceDelineator(rate)

        def work() -> object:
            clean = [delineator.clean_ecg(lead) for lead in x]
            r = delineator.find_rpeaks(clean[LEAD_II])
            return delineator.find_waves_multilead(clean, [r] * len(clean))

        return work

    return prepare


def sleepecg() -> Prepare:
    """R peaks of each lead, and no more than that: written in C."""
    package = import_module("sleepecg")
    return lambda x, rate: lambda: [package.detect_heartbeats(lead, rate) for lead in x]


def wavedet() -> Prepare:
    """Delineate each lead and join them."""
    package = import_module("wavedet")
    return lambda x, rate: lambda: package.delineate(x.T, rate)


def _ours() -> tuple[Any, Any, Any]:
    interpretation = import_module("greenchannel.triage.interpretation")
    recording = import_module("greenchannel.signal.recording").Recording
    finding = import_module("greenchannel.triage.finding")
    # As in a service; GREENCHANNEL_KERNELS=off measures numpy alone.
    print("kernels:", import_module("greenchannel.signal.kernels").turn_on(compiling=True), file=sys.stderr)
    return interpretation, recording, finding.Patient(age_years=61.0, sex="male", chest_pain=True)


def ours_interpret() -> Prepare:
    """Everything: filters, beats, borders, every lead's measurements, every rule."""
    interpretation, recording, patient = _ours()

    def prepare(x: Array, rate: int) -> Work:
        one = recording(samples_mv=x, leads=LEADS, rate_hz=float(rate))
        return lambda: interpretation.interpret(one, patient)

    return prepare


def ours_measure() -> Prepare:
    """The measurements without the rules."""
    measure = import_module("greenchannel.signal.measure").measure
    _, recording, _ = _ours()

    def prepare(x: Array, rate: int) -> Work:
        one = recording(samples_mv=x, leads=LEADS, rate_hz=float(rate))
        return lambda: measure(one)

    return prepare


def ours_json() -> Prepare:
    """Everything, and the object that `greenchannel analyze --json` prints."""
    interpretation, recording, patient = _ours()

    def prepare(x: Array, rate: int) -> Work:
        one = recording(samples_mv=x, leads=LEADS, rate_hz=float(rate))
        return lambda: interpretation.to_json(
            interpretation.interpret(one, patient), source=None, sha256=None
        )

    return prepare


def ours_batch() -> Prepare:
    """Everything for many ECGs, by the batch form where there is one, otherwise one by one."""
    interpretation, recording, patient = _ours()
    measuring, reading = (
        import_module("greenchannel.signal.measure"),
        import_module("greenchannel.triage.reading"),
    )

    def prepare(x: Array, rate: int) -> Work:
        all_of_them = [recording(samples_mv=one, leads=LEADS, rate_hz=float(rate)) for one in x]
        patients = [patient] * len(all_of_them)
        form = batch_form()
        if form == "interpret_batch":
            return lambda: interpretation.interpret_batch(all_of_them, patients)
        if form == "measure_batch":
            return lambda: [reading.read(m, patient) for m in measuring.measure_batch(all_of_them)]
        return lambda: [interpretation.interpret(one, patient) for one in all_of_them]

    return prepare


def batch_form() -> str:
    """The fastest way there is of reading many ECGs: its name."""
    if hasattr(import_module("greenchannel.triage.interpretation"), "interpret_batch"):
        return "interpret_batch"
    if hasattr(import_module("greenchannel.signal.measure"), "measure_batch"):
        return "measure_batch"
    return "one by one"


PIPELINES: Final[Mapping[str, Callable[[], Prepare]]] = {
    "neurokit2 ecg_process ×12": neurokit2_process,
    "neurokit2 lean": neurokit2_lean,
    "ecg-interpreter ×12": ecg_interpreter,
    "ecgdeli": ecgdeli,
    "biosppy ×12": biosppy,
    "prominence-delineator": prominence_delineator,
    "sleepecg, R alone, ×12": sleepecg,
    "wavedet": wavedet,
    "interpret": ours_interpret,
    "measure": ours_measure,
    "interpret and to_json": ours_json,
    "batch": ours_batch,
}


def _status(*keys: str) -> list[int]:
    """Numbers from /proc/self/status; 0 where the system does not tell."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            told = dict(line.split(":", 1) for line in file if ":" in line)
    except OSError:
        return [0] * len(keys)
    return [int(told[key].split()[0]) if key in told else 0 for key in keys]


def _timed(prepare: Prepare, x: Array, rate_hz: int, runs: int) -> dict[str, object]:
    work = prepare(x, rate_hz)
    ms, cpu_ms, began = [], [], time.perf_counter()
    for _ in range(runs):
        cpu, start = time.process_time(), time.perf_counter()
        work()
        end = time.perf_counter()
        cpu_ms.append((time.process_time() - cpu) * 1000)
        ms.append((end - start) * 1000)
    peak_kb, threads = _status("VmHWM", "Threads")
    return {
        "ms": ms,
        "cpu_ms": cpu_ms,
        "began": began,
        "ended": time.perf_counter(),
        "peak_kb": peak_kb,
        "threads": threads,
    }


def main() -> None:
    package, *names = sys.argv[1:]
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")

    def answer(**told: object) -> None:
        print(json.dumps(told), file=replies, flush=True)

    start = time.perf_counter()
    try:
        prepare = {name: PIPELINES[name]() for name in names}
    except Exception as error:  # noqa: BLE001 - a rival may raise what it likes
        answer(error=f"{type(error).__name__}: {error}")
        return
    import_ms = (time.perf_counter() - start) * 1000
    import numpy as np

    kind = (
        np.float32 if package == "greenchannel" else np.float64
    )  # each gets the samples as it works on them
    (peak_kb,) = _status("VmHWM")
    answer(import_ms=import_ms, peak_kb=peak_kb, version=version(package), python=sys.version.split()[0])
    for line in sys.stdin:
        told = json.loads(line)
        x = np.ascontiguousarray(np.load(told["path"]), dtype=kind)
        try:
            answer(**_timed(prepare[told["pipeline"]], x, told["rate_hz"], told["runs"]))
        except Exception as error:  # noqa: BLE001 - a rival may raise what it likes
            answer(error=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
