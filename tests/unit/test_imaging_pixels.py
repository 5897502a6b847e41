"""What the pixels of an image mean, and how they are shown."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.codestream import announced
from greenchannel.ingest.imaging.pixel_source import PixelSource
from greenchannel.ingest.imaging.pixels import frames, render, shown_values, values_hu
from greenchannel.ingest.imaging.windows import Window, windowed
from tests.image_files import encoded, image, ramp


def refusal(data: bytes, **given: object) -> IngestError:
    with pytest.raises(IngestError) as refused:
        shown_values(data, **given)  # type: ignore[arg-type]
    return refused.value


def test_values_are_rescaled_to_hounsfield_units() -> None:
    """Stored 0, 1, 2 with slope 2 and intercept −1024 are −1024, −1022, −1020 HU."""
    data = image(ramp(), RescaleSlope=2, RescaleIntercept=-1024)

    assert values_hu(data)[0, :3].tolist() == [-1024.0, -1022.0, -1020.0]


def test_a_window_is_that_of_the_standard() -> None:
    """PS3.3 C.11.2.1.2: at the centre less a half it is half grey, and black and white half a width from there."""
    values = np.array([-0.5 - 49.5, 0.0, 39.5, 39.5 + 49.5, 1000.0])

    grey = windowed(values, Window(center=40.0, width=100.0))

    assert grey.tolist() == [0, 26, 128, 255, 255]


def test_a_window_of_width_one_is_a_threshold() -> None:
    """Nothing is divided by 0."""
    assert windowed(np.array([9.5, 9.6]), Window(center=10.0, width=1.0)).tolist() == [0, 255]


def test_the_window_that_is_asked_for_comes_before_that_of_the_image() -> None:
    """And without one the image's own holds."""
    data = image(ramp(), WindowCenter=128, WindowWidth=256)

    assert shown_values(data)[0, 1] == 1
    assert shown_values(data, window=(1.0, 2.0))[0, 2] == 255


def test_an_image_without_a_window_is_shown_from_its_darkest_to_its_brightest_value() -> None:
    """What only fills the frame does not count."""
    stored = ramp()
    stored[0, 0] = 60000

    grey = shown_values(image(stored, PixelPaddingValue=60000))

    assert (grey[0, 1], grey[15, 15]) == (0, 255)


def test_monochrome1_is_inverted() -> None:
    """Its lowest value is white; inverted on demand it is black again."""
    data = image(ramp(), PhotometricInterpretation="MONOCHROME1")

    assert shown_values(data)[0, 0] == 255
    assert shown_values(data, invert=True)[0, 0] == 0


def test_bits_above_the_stored_ones_are_not_shown() -> None:
    """An overlay in the upper bits is no value; a negative number of 12 bits keeps its sign."""
    stored = np.array([[0xF005, 0x0FFF]], np.uint16)

    assert PixelSource(image(stored, BitsStored=12, HighBit=11)).frame(0).tolist() == [[5, 4095]]
    signed = image(stored, BitsStored=12, HighBit=11, PixelRepresentation=1)
    assert PixelSource(signed).frame(0).tolist() == [[5, -1]]


def test_a_table_of_the_image_is_used_where_it_has_no_window() -> None:
    """A VOI LUT that turns 0, 1, 2, 3 round shows the darkest value white."""
    table = Dataset()
    table.LUTDescriptor = [4, 0, 8]
    table.LUTData = np.array([255, 170, 85, 0], "<u2").tobytes()
    table["LUTDescriptor"].VR = "US"
    table["LUTData"].VR = "OW"

    data = image(np.array([[0, 1, 2, 3]], np.uint8), VOILUTSequence=[table])

    assert shown_values(data).tolist() == [[255, 170, 85, 0]]


def test_each_frame_has_its_own_window_and_rescaling() -> None:
    """Functional groups of an enhanced image hold per frame (PS3.3 C.7.6.16)."""

    def group(center: float, intercept: float) -> Dataset:
        window, values, found = Dataset(), Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = center, 2.0
        values.RescaleIntercept, values.RescaleSlope = intercept, 1.0
        found.FrameVOILUTSequence, found.PixelValueTransformationSequence = [window], [values]
        return found

    stored = np.stack([ramp(), ramp()])
    data = image(stored, PerFrameFunctionalGroupsSequence=[group(1.0, 0.0), group(101.0, 100.0)])

    assert values_hu(data, 1)[0, 0] == 100.0
    assert np.array_equal(shown_values(data, 0), shown_values(data, 1))


def test_frames_come_one_by_one_in_their_order() -> None:
    """Of a multi-frame image."""
    stored = np.stack([ramp() + 300 * number for number in range(3)]).astype(np.uint16)

    assert [int(frame[0, 0]) for frame in frames(image(stored))] == [0, 300, 600]


def test_a_frame_that_is_not_there_is_refused() -> None:
    """It is said which there are."""
    assert refusal(image(ramp()), frame=1).code == "bad_field"


def test_a_picture_fits_into_the_size_asked_for_with_square_pixels() -> None:
    """Pixels twice as wide as high make it wider; it is never enlarged."""
    data = image(ramp(rows=100, columns=100), PixelSpacing=[1.0, 2.0])

    assert Image.open(io.BytesIO(render(data, size=(64, 64)))).size == (64, 32)
    square = image(ramp(rows=100, columns=100))
    assert Image.open(io.BytesIO(render(square, size=(900, 900), kind="png"))).size == (100, 100)


def test_a_codestream_that_announces_more_than_the_object_is_not_decoded() -> None:
    """A decoder would allocate what the codestream says."""
    written = io.BytesIO()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(written, "JPEG")

    error = refusal(encoded([written.getvalue()], np.zeros((16, 16), np.uint8), JPEGBaseline8Bit))

    assert (error.code, error.expected, error.got) == ("malformed", "16 × 16 × 1", "64 × 64 × 1")


def test_sizes_are_read_from_codestreams() -> None:
    """Of JPEG and JPEG 2000; of anything else nothing is said."""
    jpeg, j2k = io.BytesIO(), io.BytesIO()
    picture = Image.fromarray(np.zeros((30, 40, 3), np.uint8))
    picture.save(jpeg, "JPEG")
    picture.save(j2k, "JPEG2000", no_jp2=True)

    for data in (jpeg.getvalue(), j2k.getvalue()):
        said = announced(data)
        assert said is not None
        assert (said.rows, said.columns, said.components, said.precision_bits) == (30, 40, 3, 8)
    assert announced(b"\xff\xd8" + b"\0" * 40) is None
    assert announced(jpeg.getvalue()[:12]) is None


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"PixelData": None}, "unsupported"),
        ({"Rows": 65000, "Columns": 65000}, "too_large"),
        ({"Rows": 17}, "truncated"),
        ({"Rows": None}, "malformed"),
        ({"SamplesPerPixel": 2}, "unsupported"),
        ({"BitsStored": 17}, "malformed"),
        ({"RescaleSlope": "0", "RescaleIntercept": None}, None),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(elements: dict[str, Any], code: str | None) -> None:
    """A picture is never made up; half a rescaling is none."""
    data = image(ramp(), **elements)

    if code is None:
        assert shown_values(data).shape == (16, 16)
    else:
        assert refusal(data).code == code


@pytest.mark.parametrize("window", [(0.0, 0.0), (0.0, -4.0), (float("nan"), 10.0), (0.0, float("inf"))])
def test_a_window_that_cannot_be_is_refused(window: tuple[float, float]) -> None:
    """Nothing is drawn with it."""
    assert refusal(image(ramp()), window=window).code == "bad_field"


def test_a_cut_jpeg_2000_is_refused_or_shown_but_never_a_fault() -> None:
    """Cut anywhere."""
    written = io.BytesIO()
    Image.fromarray(ramp("uint8")).save(written, "JPEG2000", no_jp2=True)
    whole = written.getvalue()

    for kept in range(4, len(whole), 7):
        try:
            shown_values(encoded([whole[:kept]], ramp("uint8"), JPEG2000Lossless))
        except IngestError as error:
            assert error.code in ("malformed", "truncated")


def test_a_class_that_cannot_be_read_is_no_fault() -> None:
    """An element of an impossible kind, in an object without pixels."""
    data = bytearray(image(ramp(), PixelData=None))
    at = data.index(b"\x08\x00\x16\x00UI") + 4
    data[at : at + 2] = b"\x55\xa3"

    assert refusal(bytes(data)).code in ("malformed", "unsupported")
