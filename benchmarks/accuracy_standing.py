"""Running streams: how often a quiet second is called new, and how soon what is new is seen (`signal.standing`)."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.accuracy_data import Case, cases, twelve, version
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_stats import share
from benchmarks.harness import Json
from greenchannel.signal import rolling
from greenchannel.signal.recording import Recording
from greenchannel.signal.standing import WINDOW_S, Standing, slow
from greenchannel.signal.standing_look import look
from greenchannel.signal.synthesis import simulate

SETS: Final = ("ludb", "ptb-10s", "ptb-diagnostic", "cinc-12lead")
SEED: Final = 20261129  # of this report alone
EACH: Final = 40
NEWS_S: Final = 14  # something new begins here in simulated strips
LAST_S: Final = 20
SOON_S: Final = 3
NEWS: Final[dict[str, Json]] = {
    "ST of 0.1 mV, anterior": {"territory": "anterior", "stj_mv": 0.1},
    "ST of 0.2 mV, anterior": {"territory": "anterior", "stj_mv": 0.2},
    "ST of 0.2 mV, inferior": {"territory": "inferior", "stj_mv": 0.2},
    "ST of −0.15 mV, anterior": {"territory": "anterior", "stj_mv": -0.15},
    "ventricular tachycardia": {"rhythm": "ventricular_tachycardia"},
    "ventricular fibrillation": {"rhythm": "ventricular_fibrillation"},
    "asystole": {"rhythm": "asystole"},
    "V2 off": {"lead_off": ("V2",)},
}
_HALVES: Final = {True: "first", False: "second"}
Said = tuple[int, tuple[str, ...]]  # second, what was new


def looks(recording: Recording) -> Iterator[Said]:
    """What each second says that can be held against the reading before it; a new one after news or ten seconds."""
    rate_hz, x = recording.rate_hz, recording.samples_mv
    state = rolling.start(recording.leads, rate_hz)
    standing: Standing | None = None
    age_s = 0
    for second in range(1, rolling.whole_seconds(x.shape[1], rate_hz) + 1):
        stop = rolling.edge(second, rate_hz)
        state = rolling.push(state, x[:, rolling.edge(second - 1, rate_hz) : stop])
        if second < rolling.FIRST_S:
            continue
        changed: tuple[str, ...] = ()
        if standing is not None:
            window = slow(x[None, :, stop - round(WINDOW_S * rate_hz) : stop], rate_hz)
            ((standing, changed),) = look([standing], window)
            yield second, changed
            age_s += 1
        if standing is None or changed or age_s >= rolling.WINDOW_S:
            measured, state = rolling.read(state)
            standing, age_s = None if measured is None else rolling.standing(state, measured), 0


def topic(folder: Path, step: int = 1) -> Topic:
    """Both tables."""
    made = Topic(name="standing", title="Running streams between two readings", intro=_INTRO)
    found = list(twelve(cases(folder, SETS, step)))
    for development in (False, True):
        _quiet(made, folder, [case for case in found if case.development is development], development)
    rows = [_seen(name, traits, max(EACH // step, 2)) for name, traits in NEWS.items()]
    made.tables.append(Table(title="Simulated: how soon it is seen", rows=rows))
    return made


def _quiet(made: Topic, folder: Path, some: list[Case], development: bool) -> None:
    reasons: Counter[str] = Counter()
    new, of = [], []
    for case in some:
        said = [changed for _, changed in looks(case.recording)]
        new.append(sum(bool(changed) for changed in said))
        of.append(len(said))
        reasons.update(reason for changed in said for reason in changed)
    value, ci95 = share(new, of)
    people = len({case.patient for case in some})
    made.rows.append(
        Row(
            what="seconds of resting recordings that are called new",
            n=f"{len(some)} records of {people} people, {sum(of)} seconds",
            values=(Value(value=value, ci95=ci95, unit="%", at_most=True),),
            data=version(folder, *SETS),
            chosen="none: the limits were set before and kept",
            reported=f"the {_HALVES[development]} half of the people",
        )
    )
    made.tables.append(
        Table(
            title=f"Why, in the {_HALVES[development]} half",
            rows=[{"reason": name, "seconds": count} for name, count in reasons.most_common()],
        )
    )


def _seen(name: str, traits: Json, each: int) -> Json:
    """Strips of the same person, well and ill, put together at `NEWS_S`."""
    delays: list[int | None] = []
    for number in range(each):
        rng = np.random.default_rng([SEED, number])
        given: Json = {
            "seed": int(rng.integers(2**31)), "duration_s": float(LAST_S), "variation": 1.0, "emg_mv": 0.015,
            "wander_mv": 0.2, "mains_mv": 0.02, "heart_rate_bpm": float(rng.uniform(55, 105)),
        }  # fmt: skip
        well, ill = simulate(**given).recording, simulate(**given | traits).recording
        cut = round(NEWS_S * well.rate_hz)
        both = np.concatenate([well.samples_mv[:, :cut], ill.samples_mv[:, cut:]], axis=1)
        strip = Recording(samples_mv=both, leads=well.leads, rate_hz=well.rate_hz)
        delays.append(next((s - NEWS_S for s, changed in looks(strip) if changed and s > NEWS_S), None))
    seen = sorted(delay for delay in delays if delay is not None)
    return {
        "what begins": name,
        "strips": each,
        "seen after, s (median)": seen[len(seen) // 2] if seen else None,
        f"within {SOON_S} s": sum(delay <= SOON_S for delay in seen),
        f"within {LAST_S - NEWS_S} s": len(seen),
    }


_INTRO: Final = """
A second of a running stream that brings nothing new confirms the reading before it; one that is called new is read at
once, and every other stream ten seconds after its last reading. So a quiet second that is called new costs work and
nothing else, and something new that is not seen is read later. Seconds that cannot be held against a reading (no
beats, a rhythm too fast to tell beats from T waves) are read and not counted here.
"""
