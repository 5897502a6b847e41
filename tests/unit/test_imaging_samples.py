"""Every image of the samples and of pydicom's own test files: shown as a second decoder shows it, or refused.

The second decoder is DCMTK. It has none for JPEG 2000 and cannot read one broken JPEG; there the second is another
decoder behind pydicom.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging import decode_apart
from greenchannel.ingest.imaging.pixel_source import PixelSource
from greenchannel.ingest.imaging.pixels import own_window, shown_values
from greenchannel.ingest.imaging.windows import usual_window

FOLDER = Path(pydicom.data.__file__).parent / "test_files"
DCMTK = ("dcm2pnm", "dcmj2pnm", "dcml2pnm")  # native and RLE, JPEG, JPEG-LS
ROUNDING = 1  # DCMTK cuts off where we round

REFUSED = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "malformed",  # four bytes of the codestream are overwritten
    "MR_truncated.dcm": "truncated",
    "badVR.dcm": "malformed",  # a number of frames that is none
    "meta_missing_tsyntax.dcm": "malformed",
    "nested_priv_SQ.dcm": "malformed",
}
OTHER_DECODER = {
    "693_J2KI.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm",
    "MR_small_jp2klossless.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_jpeg.dcm",
    "examples_jpeg2k.dcm",
}
TWIN = {  # DCMTK 3.6.7 reads 32 bits of big endian as two numbers of 16: these show what their twins do
    "rtdose_expb.dcm": "rtdose.dcm",
    "rtdose_expb_1frame.dcm": "rtdose_1frame.dcm",
}


def pictures() -> list[Path]:
    """Files of pydicom in which a picture is announced, or which might be one."""
    return sorted(path for path in FOLDER.rglob("*") if path.is_file())


def by_dcmtk(path: Path, source: PixelSource, frame: int, into: Path) -> NDArray[np.uint8] | None:
    """The picture as DCMTK shows it, with the same window; None where it has no decoder."""
    window = own_window(source, frame)
    options = ["+Wi", "1"] if window else ["+Wm"]
    usual = usual_window(source.modality)
    if window is None and usual is not None:
        options = ["+Ww", f"{usual.center}", f"{usual.width}"]
    if source.is_colour:
        options = []
    for program in DCMTK:
        done = subprocess.run(
            [program, "-O", "+on", "+F", f"{frame + 1}", *options, path, into],
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            return np.asarray(Image.open(into))
    return None


@pytest.fixture(scope="module")
def dcmtk() -> None:
    if any(shutil.which(program) is None for program in DCMTK):
        pytest.skip("needs DCMTK: no dcm2pnm, dcmj2pnm, dcml2pnm on the PATH")


@pytest.mark.usefixtures("dcmtk")
@pytest.mark.parametrize("path", pictures(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_each_file_of_pydicom_is_shown_as_a_second_decoder_shows_it_or_refused(
    path: Path, tmp_path: Path
) -> None:
    """The first frame and the last."""
    try:
        source = PixelSource(path.read_bytes())
        frames = sorted({0, source.frame_count - 1})
        ours = [shown_values(source, frame) for frame in frames]
    except IngestError as error:
        assert error.code == REFUSED.get(path.name, "unsupported")
        assert error.expected and error.got
        return

    assert path.name not in REFUSED
    if path.name in TWIN:
        twin = (path.parent / TWIN[path.name]).read_bytes()
        theirs = [shown_values(twin, frame) for frame in frames]
    elif path.name in OTHER_DECODER:
        theirs = [by_another(source, frame) for frame in frames]
    else:
        found = [by_dcmtk(path, source, frame, tmp_path / "theirs.png") for frame in frames]
        assert None not in [None if one is None else 0 for one in found], "DCMTK cannot show it"
        theirs = [one for one in found if one is not None]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        assert np.abs(mine.astype(int) - other.astype(int)).max() <= ROUNDING


def by_another(source: PixelSource, frame: int) -> NDArray[np.uint8]:
    """The picture with another decoder behind pydicom than ours: GDCM."""
    decoder = get_decoder(UID(source.transfer_syntax))
    array, _ = decoder.as_array(source.dataset, index=frame, decoding_plugin="gdcm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "frame", lambda _frame: array)
        return shown_values(source, frame)


@pytest.mark.data
@pytest.mark.usefixtures("dcmtk")
def test_each_image_of_the_sample_set_is_shown_as_dcmtk_shows_it(data_dir: Path, tmp_path: Path) -> None:
    """Head CT of two makers, fragments of CT, a chest X-ray."""
    paths = sorted(path for path in (data_dir / "dicom-images").rglob("*") if path.is_file())
    worst = {}
    for path in paths:
        source = PixelSource(path.read_bytes())
        ours, theirs = shown_values(source), by_dcmtk(path, source, 0, tmp_path / "theirs.png")
        assert theirs is not None
        assert ours.shape == theirs.shape
        worst[path.name] = int(np.abs(ours.astype(int) - theirs.astype(int)).max())

    assert len(paths) == 73
    assert max(worst.values()) <= ROUNDING


def test_a_decoder_that_dies_costs_one_picture() -> None:
    """GDCM may end its process over a broken frame; the next picture is shown by a new one."""
    data = (FOLDER / "SC_rgb_jpeg_gdcm.dcm").read_bytes()
    before = shown_values(data)
    pool = decode_apart._pool
    assert pool is not None
    for process in tuple(pool._processes.values()):
        process.kill()
        process.join()

    with pytest.raises(IngestError) as refused:
        shown_values(data)

    assert refused.value.code == "malformed"
    assert np.array_equal(shown_values(data), before)
