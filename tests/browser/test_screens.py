"""What pages look like, held against kept pictures: the ECG's page and the entry, both themes, desk and phone.

Words are made invisible first, so that what is compared is what we draw and where it lies, not the type of a machine.
`GREENCHANNEL_SCREENS=write` keeps new pictures; look at each before it is committed.
"""

import io
import os

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.bare_page import ADDRESS, Told, analysis, heart, open_ecg, serve
from greenchannel.signal.leads import STANDARD_12
from tests.browser.people import DESKTOP, PHONE
from tests.require import ROOT

KEPT = ROOT / "tests" / "browser" / "screens"
BLOCK_PX = 8
MOST_LEVELS = 24  # of 255, by which the mean of a block may differ: edges are smoothed a little differently
MOST_BLOCKS = 0.01
NO_WORDS = """
*, *::before, *::after, ::placeholder { color: transparent !important; text-shadow: none !important;
  caret-color: transparent !important; transition: none !important; animation: none !important; }
"""
VIEWS = (
    "rhythm-desk-light",
    "rhythm-desk-dark",
    "rhythm-phone-light",
    "median-desk-light",
    "login-desk-light",
    "login-phone-dark",
)

Picture = NDArray[np.int16]


def apart(kept: Picture, seen: Picture) -> float:
    """The share of blocks that differ; 1 where the sizes do."""
    if kept.shape != seen.shape:
        return 1.0
    high, wide = (n // BLOCK_PX * BLOCK_PX for n in kept.shape[:2])
    blocks = [
        one[:high, :wide].reshape(high // BLOCK_PX, BLOCK_PX, wide // BLOCK_PX, BLOCK_PX, 3).mean(axis=(1, 3))
        for one in (kept, seen)
    ]
    return float((np.abs(blocks[0] - blocks[1]).max(axis=2) > MOST_LEVELS).mean())


def picture(data: bytes) -> Picture:
    """Pixels, shape ``(height, width, 3)``."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int16)


def show(page: Page, what: str) -> None:
    """One view, drawn whole."""
    samples, r_s = heart(12, 10.0, 500.0)
    told = Told(samples_mv=samples, leads=STANDARD_12, analysis=analysis(fiducials={"r_s": r_s, "beats": []}))
    if what == "login":
        serve(page, told)
        page.route("**/api/v1/me", lambda one: one.fulfill(status=401, json={"code": "signed_out"}))
        page.goto(f"{ADDRESS}/login?lang=zh")
        page.locator("form").first.wait_for()
    else:
        open_ecg(page, told, layout=what)
    page.add_style_tag(content=NO_WORDS)
    page.wait_for_timeout(400)  # tiles are drawn one after the other


@pytest.mark.browser
@pytest.mark.parametrize("name", VIEWS)
def test_a_page_looks_as_it_did(browser: Browser, name: str) -> None:
    """Within a block in a hundred of the kept picture."""
    what, size, theme = name.split("-")
    dark = "dark" if theme == "dark" else "light"
    viewport = DESKTOP if size == "desk" else PHONE
    page = browser.new_page(viewport=viewport, color_scheme=dark)  # type: ignore[arg-type]
    try:
        show(page, what)
        data = page.screenshot()
    finally:
        page.close()
    path = KEPT / f"{name}.png"
    if os.environ.get("GREENCHANNEL_SCREENS") == "write":
        Image.open(io.BytesIO(data)).convert("RGB").quantize(64).save(path, optimize=True)
    share = apart(picture(path.read_bytes()), picture(data))
    if share > MOST_BLOCKS:
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / path.name).write_bytes(data)
    assert share <= MOST_BLOCKS, f"{name}: {share:.1%} of the blocks differ; what was seen is in build/"


def test_what_has_moved_is_noticed() -> None:
    """A button that is gone, a line that moved by a few pixels, another size; not the smoothing of an edge."""
    kept = np.full((240, 320, 3), 255, dtype=np.int16)
    kept[40:80, 60:200] = (180, 30, 30)
    gone = np.full_like(kept, 255)
    moved = np.roll(kept, 12, axis=0)
    smoothed = kept.copy()
    smoothed[40, 60:200] = (200, 120, 120)

    assert apart(kept, kept) == 0
    assert apart(kept, smoothed) == 0
    assert apart(kept, gone) > MOST_BLOCKS
    assert apart(kept, moved) > MOST_BLOCKS
    assert apart(kept, kept[:-8]) == 1
