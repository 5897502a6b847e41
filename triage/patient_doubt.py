"""Does a recording belong to another patient than the one it was sent for? A question to a person, never an answer."""

import math
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

import msgspec

from greenchannel.signal.heart_shape import distances
from greenchannel.triage.rule_rows import Mark


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number of the table."""

    value: float
    source: str
    mark: Mark
    zh: str
    en: str


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a person is asked."""

    fits: Limit
    differs: Limit
    times: Limit
    days: Limit
    others: Limit
    own: Limit


LIMITS: Final = msgspec.toml.decode(
    (files("greenchannel") / "triage/patient_doubt.toml").read_text(encoding="utf-8"), type=Limits
)


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A recording fits another patient's and none of its own patient's."""

    other: int  # index of the other patient's recording
    own: int  # index of the nearest of its own patient's
    other_distance: float
    own_distance: float


def doubt(
    shape: bytes, own: Sequence[bytes], others: Sequence[bytes], limits: Limits = LIMITS
) -> Doubt | None:
    """Whether a person should ask whose recording this is.

    Parameters
    ----------
    shape : of the recording, by `signal.heart_shape.shape_of`
    own : of earlier recordings of the patient it was sent for; with none nothing can be said
    others : of recordings of other patients
    limits : the table
    """
    mine = _nearest(shape, own)
    if mine is None or mine[1] < limits.differs.value:
        return None
    theirs = _nearest(shape, others)
    if theirs is None or theirs[1] > limits.fits.value or mine[1] < limits.times.value * theirs[1]:
        return None
    return Doubt(other=theirs[0], own=mine[0], other_distance=theirs[1], own_distance=mine[1])


def _nearest(shape: bytes, others: Sequence[bytes]) -> tuple[int, float] | None:
    known = [(away, k) for k, away in enumerate(distances(shape, others).tolist()) if not math.isnan(away)]
    if not known:
        return None
    away, k = min(known)
    return k, away
