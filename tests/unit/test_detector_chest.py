"""Chests: free air beside a lung, and the width of the heart."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.service.imaging.detector_series import series_of
from greenchannel.triage.detectors.cardiothoracic import ratio
from greenchannel.triage.detectors.plugin import Plane, Series, Status, run
from greenchannel.triage.detectors.registry import DETECTORS
from greenchannel.triage.detectors.volume import Facts, NotAnalysed, Slice

AIR = DETECTORS["chest_pneumothorax"]
HEART = DETECTORS["cardiothoracic_ratio"]
CHEST_CT = Facts(modality="CT", body_part="CHEST", age_years=40.0, patient_position="HFS")
PA = Facts(modality="DX", body_part="CHEST", age_years=40.0, view="PA")


def chest(*, pocket: str | None = None, thick_mm: float = 22.0) -> Series:
    """Two lungs of ellipses, trachea and stomach with gas; `pocket`: "front" or "back" of the left lung."""
    rng = np.random.default_rng(3)
    y, x = (np.mgrid[:140, :180] - np.array([69.5, 89.5])[:, None, None]) * 2.0
    slices = []
    for z in np.arange(0.0, 200.0, 5.0):
        values = np.full(x.shape, -1000.0)
        values[(x / 165) ** 2 + (y / 115) ** 2 < 1] = 40.0
        for side in (-1, 1):
            lung = ((x - side * 75) / 58) ** 2 + (y / 88) ** 2 < 1 if z > 30 else np.zeros(x.shape, bool)
            values[lung] = -840.0
            if pocket is not None and side == 1:
                values[lung & ((y < -88 + thick_mm) if pocket == "front" else (y > 88 - thick_mm))] = -1000.0
        values[(x / 9) ** 2 + ((y + 10) / 9) ** 2 < 1] = -1000.0  # trachea
        if z <= 30:
            values[((x - 60) / 30) ** 2 + ((y + 30) / 25) ** 2 < 1] = -1000.0  # stomach
        slices.append(
            Slice(
                values_hu=(values + rng.normal(0, 12, x.shape)).astype(np.float32),
                position_mm=(-179.0, -139.0, float(z)),
                along_row=(1.0, 0.0, 0.0),
                along_column=(0.0, 1.0, 0.0),
                pixel_mm=(2.0, 2.0),
                thickness_mm=5.0,
            )
        )
    return Series(facts=CHEST_CT, slices=tuple(slices))


def radiograph(heart_of_chest: float, *, columns: int = 512) -> NDArray[np.float32]:
    """Bright tissue, two dark lungs, a heart so wide to both sides of the middle."""
    y, x = np.mgrid[:columns, :columns] / columns
    half = 0.38
    picture = np.where(np.abs(x - 0.5) < 0.48, 0.7, 0.0)
    field = ((x - 0.5) / half) ** 2 + ((y - 0.5) / 0.4) ** 2 < 1
    domes = y > 0.8 - 0.25 * np.cos((np.abs(x - 0.5) - 0.2) * 4) + 0.22
    heart = ((x - 0.5) / (heart_of_chest * half)) ** 2 + ((y - 0.62) / 0.2) ** 2 < 1
    picture[field & ~domes & ~heart & (np.abs(x - 0.5) > 0.06)] = 0.2
    return np.asarray(picture * 4000, np.float32)


def test_a_chest_without_free_air_raises_nothing_for_trachea_and_stomach() -> None:
    """Their air lies in tissue, not on a lung."""
    said = run(AIR, chest(), Status.ENABLED)

    assert (said.raised, said.reason) == (False, None)


def test_air_in_front_of_a_lung_is_named_with_its_side() -> None:
    """It rises in who lies on the back."""
    said = run(AIR, chest(pocket="front"), Status.ENABLED)

    assert said.raises_order
    assert (said.evidence[0].place or "").startswith("left")


def test_air_behind_a_lung_is_not_named() -> None:
    """It would not stay there in who lies on the back."""
    assert run(AIR, chest(pocket="back"), Status.ENABLED).raised is False


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"patient_position": "HFP"}, "other_view"),
        ({"age_years": 9.0}, "child"),
        ({"contrast": "iohexol"}, "contrast"),
        ({"body_part": "ABDOMEN"}, "no_plugin"),
    ],
)
def test_other_chests_are_not_analysed(facts: dict[str, Any], reason: str) -> None:
    """Prone patients, children, contrast, other parts."""
    series = msgspec.structs.replace(chest(pocket="front"), facts=msgspec.structs.replace(CHEST_CT, **facts))

    assert run(AIR, series, Status.ENABLED).reason == reason


def test_a_belly_is_no_chest() -> None:
    """There is no lung in it."""
    low = chest()
    series = msgspec.structs.replace(
        low,
        slices=tuple(
            msgspec.structs.replace(one, values_hu=np.maximum(one.values_hu, 0)) for one in low.slices
        ),
    )

    assert run(AIR, series, Status.ENABLED).reason == "no_chest"


@pytest.mark.parametrize("wide", [0.40, 0.46, 0.55, 0.62])
@pytest.mark.parametrize("inverted", [False, True])
def test_the_ratio_is_that_of_the_drawn_heart(wide: float, inverted: bool) -> None:
    """Whether low values are dark or bright."""
    picture = radiograph(wide)

    assert ratio(-picture if inverted else picture, inverted=inverted) == pytest.approx(wide, abs=0.03)


def test_a_wide_heart_is_a_hint_and_moves_no_study() -> None:
    """IMG-4: said, and not more."""
    series = Series(facts=PA, planes=(Plane(values=radiograph(0.6), pixel_mm=None, inverted=False),))
    said = run(HEART, series, Status.ENABLED)

    assert (said.raised, said.raises_order) == (False, False)
    assert said.evidence[0].value > 0.5
    assert "不改变排序" in said.said.zh


@pytest.mark.parametrize("facts", [{"view": "AP"}, {"view": None}, {"texts": ("CHEST PORTABLE",)}])
def test_a_ratio_is_told_of_erect_pa_views_alone(facts: dict[str, Any]) -> None:
    """Of any other, and of an unknown one, nothing is said."""
    plane = Plane(values=radiograph(0.6), pixel_mm=None, inverted=False)
    series = Series(facts=msgspec.structs.replace(PA, **facts), planes=(plane,))

    assert run(HEART, series, Status.ENABLED).reason == "other_view"


def test_a_picture_without_lungs_has_no_ratio() -> None:
    """A hand, say."""
    with pytest.raises(NotAnalysed, match="no_chest"):
        ratio(np.full((400, 400), 7.0, np.float32), inverted=False)


@pytest.mark.data
def test_the_real_radiograph_is_measured(data_dir: Path) -> None:
    """By eye on the picture: heart from column 177 to 309, chest from 25 to 385 of 440, which is 0.37."""
    (path,) = (data_dir / "dicom-images" / "chest-cr").iterdir()
    series = series_of([path.read_bytes()])

    assert ratio(series.planes[0].values, inverted=series.planes[0].inverted) == pytest.approx(0.37, abs=0.04)
