"""Candidates for blood in a head CT: what is named, what is not, and what is not looked at."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.head_blood import trials
from greenchannel.service.imaging.detector_series import series_of
from greenchannel.triage.detectors.plugin import Series, Status, run
from greenchannel.triage.detectors.registry import DETECTORS
from greenchannel.triage.detectors.volume import (
    Facts,
    NotAnalysed,
    Slice,
    coarser,
    require_adult_plain,
    stacked,
    upright,
)

HEAD = DETECTORS["head_blood"]
LEVELS_MM = np.arange(-60.0, 61.0, 5.0)
ADULT = Facts(modality="CT", body_part="HEAD", age_years=60.0)


def head(
    *,
    clot: tuple[float, float, float, float] | None = None,
    hu: float = 65.0,
    bone: float = 900.0,
    roof_mm: float = 200.0,
    at_mm: NDArray[np.float64] = LEVELS_MM,
) -> Series:
    """An ellipsoid of bone with brain inside; `clot` is a ball: left, back and up of the middle, radius, in mm."""
    rng = np.random.default_rng(7)
    y, x = (np.mgrid[:180, :180] - 89.5) * 1.0
    slices = []
    for z in at_mm:
        outside = (x / 75) ** 2 + (y / 88) ** 2 + (z / 80) ** 2
        inside = (x / 68) ** 2 + (y / 81) ** 2 + (z / 73) ** 2
        values = np.where(outside < 1, bone, -1000.0)
        values = np.where((inside < 1) & ((z < roof_mm) | (x < 20)), 34.0, values)
        if clot is not None:
            left, back, up, radius = clot
            values = np.where((x - left) ** 2 + (y - back) ** 2 + (z - up) ** 2 < radius**2, hu, values)
        values = values + rng.normal(0, 3, values.shape)
        slices.append(
            Slice(
                values_hu=values.astype(np.float32),
                position_mm=(-89.5, -89.5, float(z)),
                along_row=(1.0, 0.0, 0.0),
                along_column=(0.0, 1.0, 0.0),
                pixel_mm=(1.0, 1.0),
                thickness_mm=5.0,
            )
        )
    return Series(facts=ADULT, slices=tuple(slices))


def test_a_head_without_dense_places_raises_nothing_and_says_that_this_is_no_answer() -> None:
    """False is not "negative": the words say that nothing is ruled out."""
    said = run(HEAD, head(), Status.ENABLED)

    assert (said.raised, said.raises_order, said.evidence) == (False, False, ())
    assert "不代表未见异常" in said.said.zh


def test_a_clot_is_named_with_its_side_and_volume() -> None:
    """A ball of 14 mm radius holds 11.5 mL; it lies to the patient's left."""
    said = run(HEAD, head(clot=(30, 10, 0, 14)), Status.ENABLED)

    assert said.raises_order
    assert said.evidence[0].value == pytest.approx(11.5, rel=0.2)
    assert (said.evidence[0].place or "").startswith("left")
    assert (said.evidence[0].place_zh or "").startswith("左侧，最低层上方")


def test_blood_of_the_midline_is_named_where_it_is_larger_than_anatomy() -> None:
    """It is its own mirror image, and no falx holds 11 mL."""
    assert run(HEAD, head(clot=(0, 10, 0, 14)), Status.ENABLED).raised


def test_a_calcified_place_is_not_named() -> None:
    """Choroid plexus and pineal body are denser than blood."""
    assert run(HEAD, head(clot=(30, 10, 0, 8), hu=180.0), Status.ENABLED).raised is False


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"age_years": 12.0}, "child"),
        ({"contrast": "iohexol"}, "contrast"),
        ({"texts": ("头颅增强",)}, "contrast"),
        ({"texts": ("头颅平扫", "HEAD C+")}, "contrast"),
        ({"age_years": None, "texts": ("小儿头颅",)}, "child"),
        ({"body_part": "CHEST"}, "no_plugin"),
        ({"modality": "MR"}, "no_plugin"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "no_plugin"),
    ],
)
def test_what_a_detector_is_not_meant_for_is_not_analysed(facts: dict[str, Any], reason: str) -> None:
    """Children, contrast and other studies keep their place in the queue."""
    series = msgspec.structs.replace(
        head(clot=(30, 10, 0, 14)), facts=msgspec.structs.replace(ADULT, **facts)
    )
    said = run(HEAD, series, Status.ENABLED)

    assert (said.raised, said.reason, said.raises_order) == (None, reason, False)
    assert said.said.en.startswith("not analysed")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("头颅平扫+增强", "contrast"),
        ("头颈CTA", "contrast"),
        ("CT+C", "contrast"),
        ("HEAD Ｃ＋", "contrast"),
        ("Brain w/o and with contrast", "contrast"),
        ("HEAD_POST_CONTRAST", "contrast"),
        ("Head PED", "child"),
        ("幼儿头颅", "child"),
        ("头颅平扫(未增强)", None),
        ("HEAD NON-CONTRAST", None),
        ("Head without IV contrast, unenhanced", None),
        ("Noncontrast head+C1", None),
        ("Pedicle, Cranium, CT arm", None),
    ],
)
def test_descriptions_say_what_no_other_field_does(text: str, code: str | None) -> None:
    """A word behind a negation does not count, nor a part of another word."""
    facts = Facts(modality="CT", texts=("head", text))
    if code is None:
        require_adult_plain(facts)
        return
    with pytest.raises(NotAnalysed) as refused:
        require_adult_plain(facts)
    assert refused.value.code == code


def test_a_stated_age_stands_above_words() -> None:
    """A protocol for children is used for small adults."""
    require_adult_plain(Facts(modality="CT", texts=("Head PED",), age_years=40.0))


def test_a_skull_without_a_brain_is_not_analysed() -> None:
    """A phantom, or air."""
    empty = head()
    slices = tuple(
        msgspec.structs.replace(one, values_hu=np.where(one.values_hu < 100, -1000, one.values_hu))
        for one in empty.slices
    )

    assert run(HEAD, msgspec.structs.replace(empty, slices=slices), Status.ENABLED).reason == "no_head"


def test_a_silent_detector_raises_no_order() -> None:
    """What it says is kept, and changes nothing."""
    said = run(HEAD, head(clot=(30, 10, 0, 14)), Status.SILENT)

    assert said.raised
    assert not said.raises_order


def test_a_missing_slice_is_a_gap() -> None:
    """What lay there was not seen."""
    slices = list(head().slices)
    with pytest.raises(NotAnalysed, match="gap"):
        stacked(slices[:9] + slices[10:])


def test_two_slices_in_one_place_are_no_volume() -> None:
    """A time series, or two reconstructions."""
    slices = list(head().slices)
    with pytest.raises(NotAnalysed, match="same_place"):
        stacked([*slices, slices[3]])


def test_bone_reaches_as_far_as_slices_are_thick() -> None:
    """Slices of 10 mm at steps of 2 mm: bone that fills a fifth of a slice, under a roof on the left, is no blood."""
    thin = head(bone=250.0, roof_mm=31.0, at_mm=np.arange(-60.0, 61.0, 2.0)).slices
    mixed = []
    for k in range(2, len(thin) - 2):
        mean = np.mean([one.values_hu for one in thin[k - 2 : k + 3]], axis=0, dtype=np.float32)
        mixed.append(msgspec.structs.replace(thin[k], values_hu=mean, thickness_mm=10.0))
    said_thin = [msgspec.structs.replace(one, thickness_mm=2.0) for one in mixed]

    assert run(HEAD, Series(facts=ADULT, slices=tuple(said_thin)), Status.ENABLED).raised
    assert run(HEAD, Series(facts=ADULT, slices=tuple(mixed)), Status.ENABLED).raised is False


def test_the_order_in_which_slices_come_does_not_matter() -> None:
    """They are sorted by their place."""
    slices = list(head(clot=(30, 10, 20, 14)).slices)

    assert np.array_equal(stacked(slices).hu, stacked(slices[::-1]).hu)


def test_a_tilted_gantry_is_put_right() -> None:
    """A rod along the normal comes out straight, though the table moved across it."""
    tilt = np.radians(18.0)
    slices = []
    for k in range(12):
        values = np.full((60, 60), 30.0, np.float32)
        values[round(20 + k * 5 * np.tan(tilt)), 30] = 500
        slices.append(
            Slice(
                values_hu=values,
                position_mm=(0.0, 0.0, k * 5 / np.cos(tilt)),
                along_row=(1.0, 0.0, 0.0),
                along_column=(0.0, float(np.cos(tilt)), -float(np.sin(tilt))),
                pixel_mm=(1.0, 1.0),
                thickness_mm=5.0,
            )
        )
    volume = stacked(slices)
    rows = [int(np.argmax(plane.max(axis=1))) for plane in upright(volume).hu]

    assert volume.tilt_deg == pytest.approx(18.0)
    assert max(rows) - min(rows) <= 1


@pytest.mark.data
def test_the_real_head_is_read_and_raises_nothing(data_dir: Path) -> None:
    """A tilted gantry, two thicknesses, no age: it is looked at; nothing dense is in it."""
    files = sorted((data_dir / "dicom-images" / "head-ct-ge").iterdir())
    said = run(HEAD, series_of(path.read_bytes() for path in files), Status.SILENT)

    assert (said.raised, said.reason) == (False, None)


@pytest.mark.data
def test_clots_put_into_the_real_head_are_found(data_dir: Path) -> None:
    """Three of those that `python -m benchmarks.head_blood` tries by the hundred; none is named elsewhere."""
    files = sorted((data_dir / "dicom-images" / "head-ct-ge").iterdir())
    volume = upright(coarser(stacked(series_of(path.read_bytes() for path in files).slices), 1.0))
    tried = list(trials(volume, "chosen", 3, range(10, 25), (5.0, 10.0, 30.0)))

    assert [one.found for one in tried] == [True, True, True]
    assert [one.elsewhere for one in tried] == [0, 0, 0]


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("head-ct-philips-phantom-5mm", "no_head"),
        ("ct-dicom2nifti-fragments/notavolume-001", "no_plugin"),
        ("ct-dicom2nifti-fragments/gantrytilting-001", "no_plugin"),
    ],
)
def test_phantoms_and_fragments_are_not_analysed(data_dir: Path, folder: str, reason: str) -> None:
    """Each with its reason."""
    files = sorted((data_dir / "dicom-images" / folder).iterdir())

    assert run(HEAD, series_of(path.read_bytes() for path in files), Status.SILENT).reason == reason
