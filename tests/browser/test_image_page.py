"""The image page: a picture at once, then the pixels; slices, windows, sides; what cannot be shown is said."""

import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Page, expect
from pydicom.uid import generate_uid

from tests.browser.dicom_fake import DicomFake
from tests.browser.people import SOON_MS, People, width_beyond
from tests.browser.test_every_page import AXE, in_both_themes_and_languages
from tests.imaging_files import ct

pytestmark = [pytest.mark.browser, pytest.mark.data]

HERE = pydicom.data.__file__
COLOUR = Path(HERE).parent / "test_files" / "examples_rgb_color.dcm"
PACKED = ("JPEG2000.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm", "SC_rgb_jpeg_dcmtk.dcm")
# How much of a canvas is not black, from its own pixels.
LIT = """async (canvas) => {
  const held = document.createElement("canvas");
  [held.width, held.height] = [canvas.width, canvas.height];
  const context = held.getContext("2d");
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, held.width, held.height);
  let lit = 0;
  for (let at = 0; at < data.length; at += 4) if (data[at] + data[at + 1] + data[at + 2] > 60) lit += 1;
  return (4 * lit) / data.length;
}"""


@pytest.fixture
def head(data_dir: Path) -> list[Path]:
    """The head CT of 28 slices."""
    return sorted((data_dir / "dicom-images" / "head-ct-ge").glob("*.dcm"))


def open_study(
    people: People, fake: DicomFake, *, at: int = 0, phone: bool = False, lang: str = "zh"
) -> Page:
    """A cardiologist opens the study of one of the images."""
    page = people.enter("chen", phone=phone, lang=lang)
    fake.answer_for(page)
    page.goto(f"/study/{fake.images[at].StudyInstanceUID}")
    return page


def drawn(page: Page, index: int, testid: str = "pane") -> None:
    """Wait until the frame itself, not its preview, is on the canvas."""
    expect(page.get_by_test_id(testid)).to_have_attribute("data-drawn", str(index), timeout=SOON_MS)
    expect(page.get_by_test_id(testid)).to_have_attribute("data-index", str(index))


def test_a_head_ct_opens_in_its_middle_and_scrolls_by_key_wheel_and_slider(
    people: People, head: list[Path]
) -> None:
    """A preview is asked for before the frame; each slice is drawn under its number, with the patient's sides."""
    fake = DicomFake(head)
    page = open_study(people, fake)
    drawn(page, 13)
    first = next(one for one in fake.asked if "/frames/" in one or "/rendered" in one)
    assert "/rendered" in first
    expect(page.get_by_test_id("slice-mark")).to_contain_text("14 / 28")
    expect(page.get_by_test_id("window-mark")).to_have_text("窗位 35 窗宽 100")
    marks = page.locator("figcaption.marks b").all_inner_texts()
    assert marks == ["R", "L", "AH", "PF"]
    page.keyboard.press("ArrowDown")
    drawn(page, 14)
    page.get_by_test_id("pane-canvas").hover()
    page.mouse.wheel(0, 100)
    drawn(page, 15)
    page.get_by_test_id("pane-slider").fill("1")
    drawn(page, 0)
    expect(page.get_by_test_id("preview")).to_have_count(0)
    assert people.errors == []


def test_the_first_picture_needs_no_script_and_is_fetched_once(people: People, head: list[Path]) -> None:
    """It stands in the page itself; the script moves it to its place. Another page, or nobody, does not have it."""
    page = people.enter("chen")
    fake = DicomFake(head[13:15])
    fake.answer_for(page)
    scripts = re.compile(r"/static/assets/.*\.js$")
    page.route(scripts, lambda route: route.abort())
    study = fake.images[0].StudyInstanceUID
    page.goto(f"/study/{study}")
    picture = page.get_by_test_id("preview")
    expect(picture).to_be_visible(timeout=SOON_MS)
    assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 0
    expect(page.locator("#first-picture")).to_contain_text("不用于诊断")
    assert page.locator("#app").inner_html() == ""
    page.unroute(scripts)
    fake.asked.clear()
    page.goto(f"/study/{study}")
    drawn(page, 0)
    assert page.locator("#first-picture").count() == 0
    assert [one for one in fake.asked if "thumbnail?viewport=512" in one] == [fake.asked[0]]
    page.goto(f"/study/{study}")
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("preview")).to_have_count(0)


def lit(page: Page, *, other_than: float | None = None) -> float:
    """The share of the canvas that is not black, once it is `other_than` before: words change a frame before pixels."""
    deadline = time.monotonic() + SOON_MS / 1000
    while True:
        share: float = page.locator("[data-testid=pane-canvas] canvas").evaluate(LIT)
        if share != other_than or time.monotonic() > deadline:
            return share
        page.wait_for_timeout(50)


def test_a_preset_sets_the_window_and_a_tilted_block_is_not_cut_anew(
    people: People, head: list[Path]
) -> None:
    """The table's numbers stand in the corner; planes are refused with the reason beside the button."""
    page = open_study(people, DicomFake(head))
    drawn(page, 13)
    as_given = lit(page)
    page.get_by_test_id("preset").select_option("bone")
    expect(page.get_by_test_id("window-mark")).to_have_text("窗位 600 窗宽 2800")
    all_tissue = lit(page, other_than=as_given)
    page.get_by_test_id("pane-canvas").click()
    page.keyboard.press("1")
    expect(page.get_by_test_id("window-mark")).to_have_text("窗位 40 窗宽 80")
    # Skin and fat are black in it, and were grey in the window for bones.
    assert 0 < lit(page, other_than=all_tissue) < all_tissue
    expect(page.get_by_test_id("planes-switch")).to_be_disabled()
    expect(page.get_by_test_id("planes-refused")).to_contain_text("不能重建")


def test_a_chest_x_ray_and_a_colour_image_are_drawn(people: People, data_dir: Path) -> None:
    """MONOCHROME1 is white on bones; a colour image has no HU presets; unknown sides are said to be unknown."""
    chest = data_dir / "dicom-images" / "chest-cr" / "gdcm-CR-MONO1-10-chest.dcm"
    fake = DicomFake([chest, COLOUR])
    page = open_study(people, fake)
    drawn(page, 0)
    assert page.locator("[data-testid=pane-canvas] canvas").evaluate(LIT) > 0.3
    expect(page.locator(".mark-n")).to_have_text("方位未知")
    page.goto(f"/study/{fake.images[1].StudyInstanceUID}")
    drawn(page, 0)
    expect(page.get_by_test_id("preset")).to_have_count(0)
    assert people.errors == []


def test_compressed_images_are_decoded_in_the_browser(people: People) -> None:
    """JPEG 2000, JPEG-LS, RLE and JPEG: the pages' policy lets the decoders' worker compile, and nothing else."""
    fake = DicomFake([Path(HERE).parent / "test_files" / name for name in PACKED])
    for each in fake.images:
        each.StudyInstanceUID, each.SeriesInstanceUID = generate_uid(), generate_uid()
    page = open_study(people, fake)
    for each in fake.images:
        page.goto(f"/study/{each.StudyInstanceUID}")
        drawn(page, 0)
    assert people.errors == []


def test_what_the_browser_cannot_decode_stays_a_preview_that_says_so(people: People) -> None:
    """Of a frame that is spoilt on its way the preview is shown, marked as no basis for a diagnosis."""
    spoilt = pydicom.dcmread(Path(HERE).parent / "test_files" / "JPEG2000.dcm")
    fake = DicomFake([spoilt])
    page = people.enter("chen")
    fake.answer_for(page)
    page.route(re.compile(r"/frames/1$"), lambda route: route.fulfill(status=500, body=b""))
    page.goto(f"/study/{spoilt.StudyInstanceUID}")
    expect(page.locator(".pane-said")).to_contain_text("不用于诊断", timeout=SOON_MS)
    expect(page.get_by_test_id("preview")).to_be_visible()


def test_what_the_service_refuses_is_not_shown_and_says_its_reason(people: People) -> None:
    """Neither pixels nor a preview: the words are the service's, not those of a programming language."""
    refused = pydicom.dcmread(Path(HERE).parent / "test_files" / "JPEG2000.dcm")
    fake = DicomFake([refused])
    page = people.enter("chen")
    fake.answer_for(page)
    problem = {"title": "Unsupported", "code": "unsupported", "detail": "no decoder for this transfer syntax"}
    page.route(
        re.compile(r"/(frames/1|rendered.*)$"),
        lambda route: route.fulfill(
            status=406, content_type="application/problem+json", body=json.dumps(problem)
        ),
    )
    page.goto(f"/study/{refused.StudyInstanceUID}")
    expect(page.locator(".pane-said")).to_contain_text("no decoder for this transfer syntax", timeout=SOON_MS)
    expect(page.locator(".pane-said")).not_to_contain_text("object")


def block() -> Iterator[pydicom.Dataset]:
    """A straight CT of 24 slices, made from the one small CT of pydicom's own."""
    series, study = generate_uid(), generate_uid()
    for index in range(24):
        one = pydicom.dcmread(Path(HERE).parent / "test_files" / "CT_small.dcm")
        one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID = study, series, generate_uid()
        one.InstanceNumber = index + 1
        one.ImagePositionPatient = [-40, -40, 2.0 * index]
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.PixelData = (one.pixel_array + np.int16(10 * index)).astype(np.int16).tobytes()
        yield one


def test_a_straight_even_block_is_cut_along_three_planes(people: People) -> None:
    """Each plane has a picture of its own, and the letters of the sides at its edges."""
    page = open_study(people, DicomFake(list(block())))
    drawn(page, 11)
    page.get_by_test_id("planes-switch").click()
    for plane in ("axial", "coronal", "sagittal"):
        canvas = page.get_by_test_id(f"plane-{plane}").locator("canvas")
        expect(canvas).to_be_visible(timeout=SOON_MS)
        page.wait_for_function(
            f"async () => (await ({LIT})(document.querySelector('[data-testid=plane-{plane}] canvas'))) > 0.01"
        )
    assert people.errors == []


def test_overlays_of_a_file_are_said(people: People) -> None:
    """No part of the page draws them, and nobody shall take the image for all that the file shows."""
    page = open_study(people, DicomFake([Path(HERE).parent / "test_files" / "examples_overlay.dcm"]))
    drawn(page, 0)
    expect(page.get_by_test_id("overlays")).to_have_text("文件含叠加标注 1 层,此处未显示")


def film_of(bits: int) -> pydicom.Dataset:
    """Twelve frames of noise; 32 bits no browser here draws, and the service gives pictures of them."""
    film = pydicom.dcmread(io.BytesIO(ct(1, size=32)))
    film.NumberOfFrames = 12
    film.BitsAllocated, film.BitsStored, film.HighBit = bits, 12, 11
    noise = np.random.default_rng(3).integers(0, 4096, (12, 32, 32))
    film.PixelData = noise.astype(f"<u{bits // 8}").tobytes()
    film.FrameTime, film.RecommendedDisplayFrameRate = 20, 10
    return film


@pytest.mark.parametrize("bits", [16, 32])
def test_a_film_runs_no_faster_than_it_says_and_is_fetched_once(people: People, bits: int) -> None:
    """By the browser's own decoders or in pictures of the service: ten frames a second, and the button says so."""
    film = film_of(bits)
    fake = DicomFake([film])
    page = open_study(people, fake)
    pane = page.get_by_test_id("pane")
    expect(pane).to_have_attribute("data-drawn", re.compile(r"\d+"), timeout=SOON_MS)
    expect(page.get_by_test_id("cine")).to_contain_text("10 帧/秒")
    page.evaluate("""() => {
      const pane = document.querySelector('[data-testid="pane"]');
      window.turns = [];
      new MutationObserver(() => window.turns.push(performance.now()))
        .observe(pane, { attributes: true, attributeFilter: ["data-index"] });
    }""")
    page.get_by_test_id("cine").click()
    page.wait_for_function("() => window.turns.length > 25", timeout=60_000)
    page.get_by_test_id("cine").click()
    turns = page.evaluate("window.turns")
    assert (turns[25] - turns[5]) / 20 > 95
    asked = [one for one in fake.asked if re.search(r"/frames/\d+(/rendered\?accept.*)?$", one)]
    assert len(asked) <= int(film.NumberOfFrames) + 1 and len(set(asked)) == int(film.NumberOfFrames)


def test_an_earlier_study_stands_beside_under_the_same_tools(people: People, head: list[Path]) -> None:
    """Both panes take the window; the address brings the comparison back."""
    earlier = pydicom.dcmread(head[12])
    earlier.StudyInstanceUID, earlier.SeriesInstanceUID = generate_uid(), generate_uid()
    fake = DicomFake([*head, earlier])
    page = open_study(people, fake)
    drawn(page, 13)
    page.get_by_test_id("compare").click()
    drawn(page, 0, "pane-beside")
    page.get_by_test_id("preset").select_option("brain")
    expect(page.get_by_test_id("window-mark")).to_have_text(["窗位 40 窗宽 80"] * 2)
    assert f"beside={earlier.StudyInstanceUID}" in page.url


@pytest.mark.parametrize("phone", [False, True])
def test_the_image_page_has_no_serious_fault(people: People, head: list[Path], *, phone: bool) -> None:
    """axe-core with the rules of WCAG 2.2 AA in both languages and themes."""
    page = open_study(people, DicomFake(head), phone=phone)
    drawn(page, 13)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert in_both_themes_and_languages(page, "study", phone=phone) == []


def test_on_a_phone_the_image_fits_and_nothing_is_cut_anew(people: People, head: list[Path]) -> None:
    """Nothing is wider than the screen, buttons are in the thumb's reach below the image, planes are not offered."""
    page = open_study(people, DicomFake(head), phone=True, lang="en")
    drawn(page, 13)
    assert width_beyond(page) <= 0
    expect(page.get_by_test_id("planes-switch")).to_have_count(0)
    canvas = page.get_by_test_id("pane-canvas").bounding_box()
    bar = page.locator(".image-bar").bounding_box()
    assert canvas is not None and bar is not None and bar["y"] >= canvas["y"] + canvas["height"]
