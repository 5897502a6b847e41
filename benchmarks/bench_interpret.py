"""One 12-lead ECG of ten seconds: all our measurements and rules, against neurokit2's `ecg_process` lead by lead."""

import argparse
import warnings
from collections.abc import Callable

import numpy as np

from benchmarks.harness import Json, data_folder, interleaved, quantiles, save, show
from greenchannel.ingest.reader import read_path
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthetic import synthesize
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret, to_json

MUST, AIM = 150, 1000
REAL = "ptb-10s/patient223_s0445_re.hea"
PATIENT = Patient(age_years=61.0, sex="male", chest_pain=True)


def recordings() -> dict[str, Recording]:
    """A simulated infarction; a PTB record (1000 Hz, halved to 500 Hz for both) where the data are."""
    found = {
        "synthetic": synthesize(
            scenario="extensive_anterior_high_lateral_stemi", noise_mv=0.006, wander_mv=0.05, mains_mv=0.01
        )
    }
    folder = data_folder()
    if folder is not None and (folder / REAL).is_file():
        whole = read_path(folder / REAL).recording
        found["PTB"] = Recording(samples_mv=whole.samples_mv[:, :10000:2], leads=whole.leads, rate_hz=500.0)
    return found


def neurokit(recording: Recording) -> Callable[[], object]:
    """The rival's whole pipeline on each of the leads."""
    import neurokit2

    rows = [np.asarray(row, dtype=np.float64) for row in recording.samples_mv]

    def work() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [neurokit2.ecg_process(row, sampling_rate=round(recording.rate_hz)) for row in rows]

    return work


def run(rounds: int = 5, ours_per_round: int = 5) -> Json:
    """Measure, print, save."""
    rows, samples = [], {}
    for name, recording in recordings().items():
        work: dict[str, Callable[[], object]] = {"neurokit2 ecg_process ×12": neurokit(recording)}
        for number in range(ours_per_round):
            work[f"interpret {number}"] = lambda r=recording: interpret(r, PATIENT)  # type: ignore[misc]
            work[f"measure {number}"] = lambda r=recording: measure(r)  # type: ignore[misc]
            work[f"interpret and to_json {number}"] = lambda r=recording: to_json(  # type: ignore[misc]
                interpret(r, PATIENT), source=None, sha256=None
            )
        interleaved(work, 1)  # warm
        times: dict[str, list[float]] = {}
        for label, values in interleaved(work, rounds).items():
            times.setdefault(label.rstrip(" 0123456789") if "×" not in label else label, []).extend(values)
        rival = quantiles(times["neurokit2 ecg_process ×12"])
        for label, values in times.items():
            q = quantiles(values)
            rows.append(
                {
                    "ECG": name,
                    "pipeline": label,
                    "min ms": q["min"],
                    "median ms": q["p50"],
                    "max ms": q["max"],
                    "times faster (medians)": round(rival["p50"] / q["p50"], 1),
                    "times faster (minima)": round(rival["min"] / q["min"], 1),
                }
            )
        samples[name] = {label: [round(v, 3) for v in values] for label, values in times.items()}
    show(f"One 12-lead ECG, 10 s at 500 Hz, in process (must ≥ {MUST}×, aim ≥ {AIM}×)", rows)
    results: Json = {"must": MUST, "aim": AIM, "rows": rows, "samples_ms": samples}
    save("interpret", results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    run(parser.parse_args().rounds)


if __name__ == "__main__":
    main()
