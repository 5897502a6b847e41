"""The detectors that come with the product."""

from pathlib import Path
from typing import Final

from greenchannel.triage.detectors import cardiothoracic, head_blood, pneumothorax
from greenchannel.triage.detectors.onnx_model import ModelError, models_in
from greenchannel.triage.detectors.plugin import Card, Detector, Evidence, Series
from greenchannel.triage.detectors.tables import table
from greenchannel.triage.detectors.volume import Facts, NotAnalysed, require_adult_plain, stacked

CARDS: Final = table("cards", dict[str, Card])
_HEAD: Final = ("HEAD", "BRAIN", "SKULL", "头", "颅", "脑")
_CHEST: Final = ("CHEST", "THORAX", "LUNG", "胸", "肺")
_LYING: Final = ("SUPINE", "RECUMBENT", "BED", "PORTABLE", "仰卧", "卧位", "床旁")
_SIDES: Final = {"left": "左侧", "right": "右侧"}
_RADIOGRAPHS: Final = ("CR", "DX")


def says(facts: Facts, words: tuple[str, ...]) -> bool:
    """Whether body part, position or a description has one of these words."""
    said = " ".join([facts.body_part or "", facts.patient_position or "", *facts.texts]).upper()
    return any(word in said for word in words)


def _is_head_ct(facts: Facts) -> bool:
    return facts.modality == "CT" and "LOCALIZER" not in facts.image_type and says(facts, _HEAD)


def _head_blood(series: Series) -> tuple[Evidence, ...]:
    require_adult_plain(series.facts)
    least = head_blood.LIMITS.least_ml.value
    return tuple(
        Evidence(
            quantity="volume_ml",
            value=one.volume_ml,
            threshold=least,
            place=f"{one.side}, {one.at_mm:.0f} mm above the lowest slice, {one.mean_hu:.0f} HU",
            place_zh=f"{_SIDES[one.side]}，最低层上方{one.at_mm:.0f} mm，{one.mean_hu:.0f} HU",
        )
        for one in head_blood.clusters(stacked(series.slices, head_blood.LIMITS.work_pixel_mm.value))
    )


def _is_chest_ct(facts: Facts) -> bool:
    return facts.modality == "CT" and "LOCALIZER" not in facts.image_type and says(facts, _CHEST)


def _pneumothorax(series: Series) -> tuple[Evidence, ...]:
    require_adult_plain(series.facts)
    if series.facts.patient_position not in (None, "HFS", "FFS"):
        raise NotAnalysed("other_view", series.facts.patient_position)
    least = pneumothorax.LIMITS.least_ml.value
    return tuple(
        Evidence(
            quantity="volume_ml",
            value=one.volume_ml,
            threshold=least,
            place=f"{one.side}, {one.at_mm:.0f} mm above the lowest slice",
            place_zh=f"{_SIDES[one.side]}，最低层上方{one.at_mm:.0f} mm",
        )
        for one in pneumothorax.pockets(stacked(series.slices, pneumothorax.LIMITS.work_pixel_mm.value))
    )


def _is_chest_radiograph(facts: Facts) -> bool:
    return facts.modality in _RADIOGRAPHS and says(facts, _CHEST)


def _cardiothoracic(series: Series) -> tuple[Evidence, ...]:
    require_adult_plain(series.facts)
    if series.facts.view != "PA" or says(series.facts, _LYING):
        raise NotAnalysed("other_view", series.facts.view)
    if len(series.planes) != 1:
        raise NotAnalysed("no_chest", f"{len(series.planes)} images")
    (plane,) = series.planes
    above = cardiothoracic.LIMITS.ratio_above.value
    found = cardiothoracic.ratio(plane.values, inverted=plane.inverted)
    if found <= above:
        return ()
    return (Evidence(quantity="cardiothoracic_ratio", value=found, threshold=above, relation=">"),)


DETECTORS: Final = {
    one.card.name: one
    for one in (
        Detector(card=CARDS["head_blood"], meant_for=_is_head_ct, look=_head_blood),
        Detector(card=CARDS["chest_pneumothorax"], meant_for=_is_chest_ct, look=_pneumothorax),
        Detector(card=CARDS["cardiothoracic_ratio"], meant_for=_is_chest_radiograph, look=_cardiothoracic),
    )
}
"""By name."""


def detectors_with(models: Path | None) -> dict[str, Detector]:
    """The product's detectors and the hospital's own models, by name.

    Raises
    ------
    ModelError
        Where a model's folder is not as it should be, or takes the name of a detector of the product.
    """
    own = models_in(models)
    if taken := sorted(set(own) & set(DETECTORS)):
        raise ModelError(f"expected names that the product does not have, got {taken}")
    return DETECTORS | own
