"""The detectors that come with the product."""

from typing import Final

from greenchannel.triage.detectors import head_blood
from greenchannel.triage.detectors.plugin import Card, Detector, Evidence, Series
from greenchannel.triage.detectors.tables import table
from greenchannel.triage.detectors.volume import Facts, require_adult_plain, stacked

CARDS: Final = table("cards", dict[str, Card])
_HEAD: Final = ("HEAD", "BRAIN", "SKULL")


def _says(facts: Facts, words: tuple[str, ...]) -> bool:
    """Whether body part or a description names one of these parts."""
    said = " ".join([facts.body_part or "", *facts.texts]).upper()
    return any(word in said for word in words)


def _is_head_ct(facts: Facts) -> bool:
    return (
        facts.modality == "CT"
        and "LOCALIZER" not in facts.image_type
        and _says(facts, (*_HEAD, "头", "颅", "脑"))
    )


def _head_blood(series: Series) -> tuple[Evidence, ...]:
    require_adult_plain(series.facts)
    least = head_blood.LIMITS.least_ml.value
    return tuple(
        Evidence(
            quantity="volume_ml",
            value=one.volume_ml,
            threshold=least,
            place=f"{one.side}, {one.at_mm:.0f} mm above the lowest slice, {one.mean_hu:.0f} HU",
        )
        for one in head_blood.clusters(stacked(series.slices))
    )


DETECTORS: Final = {
    one.card.name: one
    for one in (Detector(card=CARDS["head_blood"], meant_for=_is_head_ct, look=_head_blood),)
}
"""By name."""
