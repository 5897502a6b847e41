"""Encoded images with spoilt bytes: shown or refused with a reason, never a fault."""

from pathlib import Path

import pydicom.data
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.pixels import render

FOLDER = Path(pydicom.data.__file__).parent / "test_files"
NAMES = (
    "JPEG2000.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_rle_2frame.dcm", "rtdose_rle.dcm",
)  # fmt: skip
SPOILT = st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(0, 255)), min_size=1, max_size=12)


@given(name=st.sampled_from(NAMES), spoilt=SPOILT, in_the_pixels=st.booleans(), kept=st.floats(0.5, 1.0))
def test_spoilt_images_are_shown_or_refused(
    name: str, spoilt: list[tuple[float, int]], in_the_pixels: bool, kept: float
) -> None:
    """Whatever the bytes are, in the elements or in the encoded pixels, and wherever the file ends."""
    data = bytearray((FOLDER / name).read_bytes())
    begin = max(132, data.rfind(b"\xe0\x7f\x10\x00")) if in_the_pixels else 132
    for place, value in spoilt:
        data[begin + int(place * (len(data) - begin - 1))] = value
    try:
        assert render(bytes(data[: int(kept * len(data))]), size=(64, 64))
    except IngestError as error:
        assert error.expected
