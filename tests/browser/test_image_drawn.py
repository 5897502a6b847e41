"""The page draws what the service draws: two decoders that know nothing of one another, and one picture."""

import base64
import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from pydicom.uid import generate_uid

from tests.browser.image_files import TEST_FILES, stow
from tests.browser.people import SOON_MS, People

pytestmark = [pytest.mark.browser, pytest.mark.data]

GRID = 48  # both pictures are compared at this size: what is scaled differently is not what is asked
MOST = 4.0  # of 255, on average; wrong colours, windows or signs were seen to give 30 and more
BY_PAGE = (
    "CT_small.dcm",
    "JPEG2000.dcm",
    "JPEGLSNearLossless_16.dcm",
    "MR_small_RLE.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
    "image_dfl.dcm",
)
BY_SERVICE = ("SC_ybr_full_422_uncompressed.dcm", "SC_rgb_rle_16bit.dcm", "liver_1frame.dcm")
CANVAS = "document.querySelector('[data-testid=pane-canvas] canvas').toDataURL('image/png').split(',')[1]"
RENDERED = """async (path) => {
  const bytes = new Uint8Array(await (await fetch(path, { headers: { Accept: "image/png" } })).arrayBuffer());
  return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""));
}"""


def sent_anew(people: People, path: Path) -> pydicom.Dataset:
    """The file as a study of its own, of a patient of its own."""
    image = pydicom.dcmread(path)
    image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    image.PatientID = f"P{image.SOPInstanceUID[-12:]}"
    held = io.BytesIO()
    image.save_as(held)
    stow(people, [held.getvalue()])
    return image


def shown(page: Page, image: pydicom.Dataset) -> int:
    """Open the study and wait for its frame; gives which."""
    page.goto(f"/study/{image.StudyInstanceUID}")
    expect(page.locator("[data-testid=pane][data-drawn]:not([data-drawn=''])")).to_be_visible(timeout=SOON_MS)
    return int(page.get_by_test_id("pane").get_attribute("data-drawn") or 0)


def grid(picture: Image.Image) -> np.ndarray:
    """The picture as mean colours of a grid."""
    return np.asarray(picture.convert("RGB").resize((GRID, GRID), Image.Resampling.BOX), dtype=np.float64)


def apart(page: Page, image: pydicom.Dataset, frame: int) -> float:
    """How far the two pictures are from one another, of 255."""
    path = (
        f"/dicom-web/studies/{image.StudyInstanceUID}/series/{image.SeriesInstanceUID}"
        f"/instances/{image.SOPInstanceUID}/frames/{frame + 1}/rendered"
    )
    canvas, service = (
        Image.open(io.BytesIO(base64.b64decode(text)))
        for text in (page.evaluate(CANVAS), page.evaluate(RENDERED, path))
    )
    rows_mm, columns_mm = (float(each) for each in image.get("PixelSpacing") or (1, 1))
    width, height = service.width * columns_mm, service.height * rows_mm
    zoom = min(canvas.width / width, canvas.height / height)
    left, top = (canvas.width - width * zoom) / 2, (canvas.height - height * zoom) / 2
    inside = canvas.crop((round(left), round(top), round(canvas.width - left), round(canvas.height - top)))
    return float(np.abs(grid(inside) - grid(service)).mean())


def test_the_page_draws_what_the_service_draws(people: People, data_dir: Path) -> None:
    """A head CT, a chest X-ray, and one image of each kind of packing and colour."""
    images = data_dir / "dicom-images"
    files = [TEST_FILES / name for name in BY_PAGE]
    files += [images / "head-ct-ge" / "14.dcm", images / "chest-cr" / "gdcm-CR-MONO1-10-chest.dcm"]
    page = people.enter("chen")
    found = {}
    for path in files:
        image = sent_anew(people, path)
        found[path.name] = apart(page, image, shown(page, image))
    assert {name: round(one, 1) for name, one in found.items() if one > MOST} == {}
    assert people.errors == []


def test_what_the_browser_draws_wrongly_is_the_service_s_picture(people: People) -> None:
    """Colours that are packed in pairs, of 16 bits, and pixels of one bit: no canvas, and that is said."""
    page = people.enter("chen")
    for name in BY_SERVICE:
        image = sent_anew(people, TEST_FILES / name)
        shown(page, image)
        expect(page.get_by_test_id("service-picture")).to_be_visible()
        expect(page.locator(".pane-said")).to_contain_text("由服务器绘制")
        expect(page.get_by_test_id("pane-canvas")).to_have_count(0)
