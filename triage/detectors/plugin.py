"""What a detector is: a card that says what it is for, and a function over one series.

A detector may raise a study in the queue and nothing else: it never lowers one and never says that something is not
there. ``raised`` is True (read it sooner), False (it looked and asks for nothing, which is no statement about the
patient) or None (not analysed, for the stated reason). A detector that only hints is never True; what it measured is
evidence.
"""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from greenchannel.triage.detectors.tables import table
from greenchannel.triage.detectors.volume import REASONS, Facts, NotAnalysed, Slice, Words

logger = logging.getLogger(__name__)


class Quantity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is measured, in words, and its unit."""

    zh: str
    en: str
    unit: str


QUANTITIES: Final = table("quantities", dict[str, Quantity])
BANNER: Final = Words(zh="未经验证，仅用于排序", en="Not validated, for ordering only")


class Status(StrEnum):
    """What a site does with a detector."""

    UNVALIDATED = "unvalidated"  # it is there; studies are not given to it
    SILENT = "silent"  # it looks at studies; what it says is kept for administrators and changes nothing
    ENABLED = "enabled"  # it raises studies in the queue, under the banner


class Plane(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One projection image, as stored."""

    values: NDArray[np.float32]  # ``(rows, columns)``
    pixel_mm: tuple[float, float] | None  # None: unknown
    inverted: bool  # low values are bright


class Series(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The images of one series."""

    facts: Facts
    slices: tuple[Slice, ...] = ()  # those that have a place in the patient
    planes: tuple[Plane, ...] = ()  # those that have none


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people are shown of a detector before they let it order their studies."""

    name: str  # letters, digits and _
    version: str
    kind: Literal["built_in", "onnx"]
    use: Literal["order", "hint"]  # "hint": what it measures is said beside the study, which keeps its place
    title: Words
    intended_use: Words
    data: Words  # what it was made and tried on
    limits: Words  # what it misses, what it must not be used for
    author: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value that a detector rests on."""

    quantity: str  # unit in the name: volume_ml
    value: float
    threshold: float
    place: str | None = None  # side and height, for whoever looks
    place_zh: str | None = None
    relation: str = ">="


class DetectorResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one detector has to say about one series."""

    plugin: str
    version: str
    status: Status
    raised: bool | None  # None: not analysed
    reason: str | None  # a code of `reasons.toml` where `raised` is None
    evidence: tuple[Evidence, ...] = ()

    @property
    def raises_order(self) -> bool:
        """May it move the study up? Only what is enabled at its site, and only up."""
        return self.raised is True and self.status is Status.ENABLED

    @property
    def said(self) -> Words:
        """In words that never say that nothing is there."""
        if self.raised is None:
            why = REASONS[self.reason or "failed"]
            return Words(zh=f"未分析：{why.zh}", en=f"not analysed: {why.en}")
        if self.raised:
            return Words(zh=f"建议优先阅片（{BANNER.zh}）", en=f"read this first ({BANNER.en.lower()})")
        if self.evidence:
            return Words(
                zh=f"仅作提示，不改变排序（{BANNER.zh}）", en=f"a hint, order unchanged ({BANNER.en.lower()})"
            )
        return Words(
            zh="未改变排序，不代表未见异常", en="order unchanged; this does not mean that nothing is there"
        )


class Detector(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A plug-in."""

    card: Card
    meant_for: Callable[[Facts], bool]  # by the header alone, before any pixel is read
    look: Callable[[Series], tuple[Evidence, ...]]  # raises NotAnalysed; empty: names nothing


def run(detector: Detector, series: Series, status: Status) -> DetectorResult:
    """Let a detector look at a series; whatever goes wrong in it is "not analysed"."""
    try:
        if not detector.meant_for(series.facts):
            raise NotAnalysed("no_plugin")
        evidence = detector.look(series)
    except NotAnalysed as error:
        return result(detector.card, status, reason=error.code)
    except Exception:
        logger.exception("detector %s %s failed", detector.card.name, detector.card.version)
        return result(detector.card, status, reason="failed")
    raised = bool(evidence) and detector.card.use == "order"
    return result(detector.card, status, raised=raised, evidence=evidence)


def result(card: Card, status: Status, **said: Any) -> DetectorResult:
    """A result with the name and version of its detector."""
    said = {"raised": None, "reason": None, **said}
    return DetectorResult(plugin=card.name, version=card.version, status=status, **said)
