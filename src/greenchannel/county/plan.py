"""What a county of simulated clinics does, as values: a seed in, planned events out. Nothing here asks the time.

Each clinic, ECG and reaction is drawn from dice of its own, so a longer plan begins with the shorter one of its seed.
Seconds count from the beginning of the plan. Shares and ranges are ours [E]: wide enough that everything occurs.
"""

import math
import random
from dataclasses import dataclass
from typing import Any, Final

from greenchannel.ingest.writers import WRITERS
from greenchannel.signal.synthesis import SHAPES, TERRITORIES

STREAM: Final = "stream"
WAYS: Final = (*WRITERS, STREAM)
"""What a clinic's machine leaves: a file of a format, or a live stream."""

RATES_HZ: Final = (500.0, 1000.0, 250.0)
STEPS_MV: Final = (0.0025, 0.005, 0.00488, 0.001)
CABLES: Final = ("RA/LA", "RA/LL", "LA/LL", "RA/RL", "V1/V2", "V2/V3", "V3/V4", "V1/V6")
RHYTHMS: Final = (
    "atrial_fibrillation",
    "atrial_flutter",
    "paced",
    "av_block_2_1",
    "av_block_3",
    "ectopics",
    "bigeminy",
    "ventricular_tachycardia",
    "sinus_pause",
)
CONDUCTIONS: Final = ("rbbb", "lbbb", "lafb", "wpw")
MIMICS: Final = ("early_repolarisation", "pericarditis")
INFARCTIONS: Final = tuple(name for name in TERRITORIES if name not in (*MIMICS, "diffuse_subendocardial"))


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceClock:
    """How a machine's clock goes."""

    kind: str
    """``good``, ``off``, or ``dead`` where the battery is empty and it began anew in 2000."""
    offset_s: float
    """Machine minus truth at the beginning of the plan; of a dead one nothing that corrects it."""
    drift_ppm: float

    def error_s(self, at_s: float) -> float:
        """Machine minus truth at an instant of the plan."""
        return self.offset_s + self.drift_ppm * 1e-6 * at_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Clinic:
    """One clinic with one machine."""

    number: int
    site: str
    device: str
    way: str
    """One of `WAYS`."""
    leads: int
    rate_hz: float
    lsb_mv: float
    clock: DeviceClock


@dataclass(frozen=True, kw_only=True, slots=True)
class Heart:
    """A patient, and what disturbs the recording; the arguments of `greenchannel.signal.synthesis.simulate`."""

    seed: int
    age_years: float
    sex: str
    heart_rate_bpm: float
    rhythm: str = "sinus"
    conduction: str = "narrow"
    territory: str | None = None
    stj_mv: float = 0.0
    st_shape: str = "plateau"
    cables: str | None = None
    """Two electrodes that were exchanged."""
    dead_leads: tuple[str, ...] = ()
    white_mv: float = 0.0
    emg_mv: float = 0.0
    wander_mv: float = 0.0
    mains_mv: float = 0.0
    electrode_motion_mv: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedEcg:
    """One ECG that will be recorded."""

    number: int
    clinic: int
    at_s: float
    """When its first sample is recorded."""
    patient_ref: str
    chest_pain: bool | None
    heart: Heart


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaction:
    """What a doctor at the hub makes of an alert."""

    kind: str
    """``prompt``, ``late`` or ``never``."""
    after_s: float | None
    """From the alert to the answer; None: never."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanOptions:
    """How large, how long, how bad."""

    clinics: int = 3
    ecgs: int = 20
    span_s: float = 3600.0
    duration_s: float = 10.0
    ways: tuple[str, ...] = WAYS
    wrong_cables: float = 0.06
    noisy: float = 0.15
    infarction: float = 0.25

    def __post_init__(self) -> None:
        if self.clinics < 1 or self.ecgs < 0:
            raise ValueError(f"expected 1 clinic and 0 ECGs or more, got {self.clinics} and {self.ecgs}")
        if not (0 < self.span_s < math.inf and 0 < self.duration_s < math.inf):
            raise ValueError(
                f"expected a span and a duration above 0 s, got {self.span_s!r} and {self.duration_s!r}"
            )
        unknown = [way for way in self.ways if way not in WAYS]
        if unknown or not self.ways:
            raise ValueError(f"expected ways of {' '.join(WAYS)}, got {' '.join(unknown) or 'none'}")
        for name in ("wrong_cables", "noisy", "infarction"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"expected {name} as a share from 0 to 1, got {getattr(self, name)!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """All of it; ECGs in the order of their times."""

    seed: int
    options: PlanOptions
    clinics: tuple[Clinic, ...]
    ecgs: tuple[PlannedEcg, ...]


def make_plan(seed: int, options: PlanOptions) -> Plan:
    """The plan of a seed: equal arguments, equal plan."""
    clinics = tuple(_clinic(seed, number, options) for number in range(options.clinics))
    ecgs = sorted(
        (_ecg(seed, number, options) for number in range(options.ecgs)),
        key=lambda ecg: (ecg.at_s, ecg.number),
    )
    return Plan(seed=seed, options=options, clinics=clinics, ecgs=tuple(ecgs))


def _clinic(seed: int, number: int, options: PlanOptions) -> Clinic:
    dice = random.Random(f"{seed}/clinic/{number}")
    name = f"v{number + 1:02d}"
    way = options.ways[number % len(options.ways)]
    return Clinic(
        number=number,
        site=name,
        device=f"ecg-{name}",
        way=way,
        leads=18 if dice.random() < 0.4 else 12,
        rate_hz=RATES_HZ[0] if way == STREAM else dice.choice(RATES_HZ),
        lsb_mv=dice.choice(STEPS_MV),
        clock=_clock(dice),
    )


def _clock(dice: random.Random) -> DeviceClock:
    kind = dice.choices(("good", "off", "dead"), (6, 3, 1))[0]
    offset_s = {"good": dice.gauss(0.0, 1.0), "off": dice.gauss(0.0, 400.0), "dead": 0.0}[kind]
    return DeviceClock(kind=kind, offset_s=round(offset_s, 3), drift_ppm=round(dice.gauss(0.0, 30.0), 2))


def _ecg(seed: int, number: int, options: PlanOptions) -> PlannedEcg:
    dice = random.Random(f"{seed}/ecg/{number}")
    at_s = round(dice.uniform(0.0, options.span_s), 3)
    clinic = number % options.clinics
    return PlannedEcg(
        number=number,
        clinic=clinic,
        at_s=at_s,
        patient_ref=f"sim-{seed}-{number}",
        chest_pain=dice.choice((True, True, False, None)),
        heart=_heart(dice, _clinic(seed, clinic, options), options),
    )


def _heart(dice: random.Random, clinic: Clinic, options: PlanOptions) -> Heart:
    """A heart of one of five kinds, and a recording that is clean or noisy, with cables right or wrong."""
    rest = 1 - options.infarction
    kind = dice.choices(
        ("infarction", "depression", "mimic", "rhythm", "conduction", "quiet"),
        (options.infarction, 0.08 * rest, 0.08 * rest, 0.17 * rest, 0.12 * rest, 0.55 * rest),
    )[0]
    what = _what_is_wrong(dice, kind)
    noisy = dice.random() < options.noisy
    wrong = dice.random() < options.wrong_cables
    dead = dice.random() < options.noisy / 3
    return Heart(
        seed=dice.randrange(1 << 31),
        age_years=float(dice.randint(18, 92)),
        sex=dice.choice(("male", "female")),
        heart_rate_bpm=round(dice.gauss(78.0, 12.0), 1),
        cables=dice.choice(CABLES) if wrong else None,
        dead_leads=(dice.choice(("V1", "V3", "V4", "V6")),) if dead else (),
        white_mv=round(dice.uniform(0.002, 0.010), 4),
        wander_mv=round(dice.uniform(0.0, 0.8 if noisy else 0.15), 3),
        mains_mv=round(dice.uniform(0.0, 0.1 if noisy else 0.02), 4),
        emg_mv=round(dice.uniform(0.02, 0.12), 3) if noisy else 0.0,
        electrode_motion_mv=round(dice.uniform(0.0, 0.5), 3) if noisy else 0.0,
        **what,
    )


def _what_is_wrong(dice: random.Random, kind: str) -> dict[str, Any]:
    """The fields of `Heart` that make it one of a kind."""
    match kind:
        case "infarction":
            return {
                "territory": dice.choice(INFARCTIONS),
                "stj_mv": round(dice.uniform(0.1, 0.5), 3),
                "st_shape": dice.choice(tuple(SHAPES)),
            }
        case "depression":
            return {"territory": "diffuse_subendocardial", "stj_mv": round(dice.uniform(0.08, 0.25), 3)}
        case "mimic":
            return {"territory": dice.choice(MIMICS), "stj_mv": round(dice.uniform(0.08, 0.2), 3)}
        case "rhythm":
            return {"rhythm": dice.choice(RHYTHMS)}
        case "conduction":
            return {"conduction": dice.choice(CONDUCTIONS)}
        case _:
            return {}


# ---------------------------------------------------------------- people


def reaction(seed: int, number: int) -> Reaction:
    """What becomes of the alert with this number, counted from 0 in the order in which the doctors saw them."""
    dice = random.Random(f"{seed}/reaction/{number}")
    kind = dice.choices(("prompt", "late", "never"), (6, 3, 1))[0]
    after_s = {"prompt": dice.uniform(10.0, 90.0), "late": dice.uniform(300.0, 1800.0), "never": None}[kind]
    return Reaction(kind=kind, after_s=after_s)
