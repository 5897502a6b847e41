"""The reader's paper in a real browser: pixels read back, measuring by hand and by keys, true size, an earlier ECG."""

import base64
import io
import re
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from benchmarks.bare_page import LSB_MV, Told, analysis, heart, open_ecg
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from tests.browser.people import PHONE, People, width_beyond
from tests.service.viewer_house import ecg_file

pytestmark = pytest.mark.browser

# Two ECGs are read and compared meanwhile, on cores that may do other things.
LATE_MS = 60_000

# The tiles of the paper put together, as a picture in base64.
_PIXELS = """
async () => {
  const tiles = [...document.querySelectorAll('[data-testid="paper"] canvas:not([hidden])')];
  const right = Math.max(...tiles.map((c) => Number(c.dataset.x) + c.width));
  const bottom = Math.max(...tiles.map((c) => Number(c.dataset.y) + c.height));
  const canvas = new OffscreenCanvas(right, bottom);
  const whole = canvas.getContext('2d');
  whole.fillStyle = '#fff';
  whole.fillRect(0, 0, right, bottom);
  for (const c of tiles) whole.drawImage(c, Number(c.dataset.x), Number(c.dataset.y));
  const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}
"""


def pixels(page: Page) -> NDArray[np.int64]:
    """What stands on the paper, shape ``(height, width, 3)``."""
    picture = Image.open(io.BytesIO(base64.b64decode(page.evaluate(_PIXELS))))
    return np.asarray(picture.convert("RGB"), dtype=np.int64)


def shown_px_per_mm(page: Page) -> float:
    """How wide a millimetre is, by the strong lines of the grid: they are 5 mm apart."""
    image = pixels(page)
    row = image[3]  # above all traces
    strong = np.flatnonzero(row.sum(axis=1) < row.sum(axis=1).max() - 120)
    return float((strong[-1] - strong[0]) / round((strong[-1] - strong[0]) / np.median(np.diff(strong))) / 5)


def pulse(on_s: float, off_s: float) -> Told:
    """Twelve leads with one pulse of 1 mV."""
    samples = np.zeros((12, 5000))
    samples[:, round(on_s * 500) : round(off_s * 500)] = 1.0
    beat = {"p_on_s": None, "p_off_s": None, "qrs_on_s": 3.3, "qrs_off_s": 3.4, "t_peak_s": None}
    evidence = {"lead": "II", "quantity": "stj_mv", "value": 0.5, "threshold": 0.2, "rule": "STE-1"}
    finding = {
        "id": "STE-1",
        "tier": "ACT",
        "zh": "考虑急性前壁心肌梗死",
        "en": "Consider acute anterior infarction",
        "territories": [],
        "evidence": [evidence | {"relation": ">=", "trace": None}],
        "downgraded_by": [],
        "restored_by": [],
    }
    said = analysis(
        findings=[finding], fiducials={"r_s": [3.35], "beats": [beat | {"t_off_s": None}]}, tier="ACT"
    )
    return Told(samples_mv=samples, leads=STANDARD_12, analysis=said)


def test_a_pulse_of_one_millivolt_and_j_stand_on_the_pixels_where_their_samples_are(page: Page) -> None:
    """Read back from the screen at four zooms: height, both edges and the blue line of J within one pixel."""
    on_s, off_s, j_s, left_mm = 0.4, 0.8, 3.4, 9.0
    page.emulate_media(color_scheme="light")
    open_ecg(page, pulse(on_s, off_s), layout="strip")
    row_mm, base_mm = 17.5, 2 + 0.56 * 17.5  # of the first row; II is the second
    for presses in (0, 2, 3, 3):
        for _ in range(presses):
            page.get_by_role("button", name="放大").click()
        page.wait_for_timeout(300)
        mm = float(page.get_by_test_id("paper").get_attribute("data-px-per-mm") or 0)
        image = pixels(page)
        dark = image.sum(axis=2) < 480

        def x(at_s: float, mm: float = mm) -> float:
            return (left_mm + at_s * 25) * mm

        middle = round(x((on_s + off_s) / 2))
        top = np.flatnonzero(dark[: round(row_mm * mm), middle]).mean() + 0.5
        zero = np.flatnonzero(dark[: round(row_mm * mm), round(x(on_s) - 2 * mm)]).mean() + 0.5
        assert abs(zero - base_mm * mm) <= 1
        assert abs((zero - top) - 10 * mm) <= 1
        half = round((zero + top) / 2)
        edges = np.flatnonzero(dark[half, round(x(0)) : round(x(1.0))]) + round(x(0)) + 0.5
        sample_px = 25 * mm / 500
        rise, fall = edges[edges < middle].mean(), edges[edges > middle].mean()
        assert abs(rise - (x(on_s) - sample_px / 2)) <= 1
        assert abs(fall - (x(off_s) - sample_px / 2)) <= 1
        if x(j_s + 0.2) < image.shape[1]:
            blue = (image[:, :, 2] - image[:, :, 0]) > 60
            zero_px = (base_mm + row_mm) * mm
            between = blue[round(zero_px - 4 * mm) : round(zero_px - 3 * mm)]  # from the baseline to 0.5 mV
            line = np.flatnonzero(between.mean(axis=0) > 0.8) + 0.5
            assert abs(line[np.abs(line - x(j_s)).argmin()] - x(j_s)) <= 1


def test_calipers_measure_by_hand_and_by_keys_and_stay_until_escape(page: Page) -> None:
    """Two are kept; the one put down by a key is moved by a sample; marched out it repeats; Escape ends all."""
    told = Told(samples_mv=heart(12, 10.0, 500.0)[0], leads=STANDARD_12, analysis=analysis())
    open_ecg(page, told, layout="rhythm")
    page.keyboard.press("c")
    layer = page.get_by_test_id("calipers-layer").bounding_box()
    assert layer is not None
    mm = float(page.get_by_test_id("paper").get_attribute("data-px-per-mm") or 0)
    x, y = layer["x"] + 40 * mm, layer["y"] + 12 * mm
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20 * mm, y - 5 * mm, steps=4)
    page.mouse.up()
    said = page.get_by_test_id("caliper-list").locator("li")
    expect(said.first).to_contain_text(re.compile(r"I 800 ms · \+0\.50 mV · 75 次/分"))
    page.keyboard.press("Enter")
    expect(said).to_have_count(2)
    expect(said.nth(1)).to_contain_text("200 ms")
    page.keyboard.press("ArrowLeft")
    expect(said.nth(1)).to_contain_text("198 ms")
    page.keyboard.press("Shift+ArrowLeft")
    expect(said.nth(1)).to_contain_text("158 ms")
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowLeft")
    expect(said.nth(1)).to_contain_text("198 ms")
    page.keyboard.press("m")
    assert page.get_by_test_id("march").count() > 5
    page.get_by_role("button", name="放大").click()
    expect(said.first).to_contain_text("800 ms")
    page.get_by_test_id("paper-frame").focus()
    page.keyboard.press("Escape")
    expect(said).to_have_count(0)


def test_after_a_card_was_held_to_the_screen_the_paper_is_in_true_size(page: Page) -> None:
    """Not calibrated, it says so; calibrated, a millimetre is what the card said, also after a reload."""
    told = Told(samples_mv=heart(12, 10.0, 500.0)[0], leads=STANDARD_12, analysis=analysis())
    open_ecg(page, told, layout="rhythm")
    says = page.get_by_test_id("paper-says")
    expect(says).to_contain_text("屏幕未校准")
    says.click()
    page.get_by_test_id("calibrate").click()
    page.get_by_test_id("calibrate-slider").fill("428")
    assert page.get_by_test_id("calibrate-card").bounding_box()["width"] == pytest.approx(428, abs=0.5)  # type: ignore[index]
    page.get_by_test_id("calibrate-keep").click()
    page.get_by_test_id("zoom-true").click()
    expect(says).to_contain_text("实际大小")
    assert shown_px_per_mm(page) == pytest.approx(428 / 85.6, abs=0.02)
    page.reload()
    page.locator('[data-testid="paper"] canvas:not([hidden])').first.wait_for()
    page.get_by_test_id("zoom-true").click()
    expect(page.get_by_test_id("paper-says")).to_contain_text("实际大小")
    assert shown_px_per_mm(page) == pytest.approx(428 / 85.6, abs=0.02)


def test_swapped_electrodes_are_undone_on_the_screen_and_the_paper_says_so(page: Page) -> None:
    """Lead I stands upside down once the arms are exchanged; the footer names them; what was recorded comes back."""
    samples = np.zeros((12, 5000))
    samples[0, 300:400] = 1.0
    corrected = {"swap": ["RA", "LA"], "measurements": {"leads": {}}}
    told = Told(samples_mv=samples, leads=STANDARD_12, analysis=analysis(corrected=corrected))
    open_ecg(page, told, layout="strip")
    mm = float(page.get_by_test_id("paper").get_attribute("data-px-per-mm") or 0)
    column, zero = round((9 + 0.7 * 25) * mm), (2 + 0.56 * 17.5) * mm

    def level() -> float:
        page.wait_for_timeout(300)
        dark = pixels(page).sum(axis=2) < 480
        rows = np.flatnonzero(dark[: round(30 * mm), column]) + 0.5
        return float((zero - rows[np.abs(np.abs(rows - zero) - 10 * mm).argmin()]) / mm)

    assert level() == pytest.approx(10, abs=0.5)
    expect(page.get_by_test_id("exchange-says")).to_contain_text("RA 与 LA")
    page.get_by_test_id("trace-exchanged").click()
    assert level() == pytest.approx(-10, abs=0.5)
    expect(page.get_by_test_id("paper-says")).to_contain_text("非原始记录")
    page.get_by_role("button", name="原始", exact=True).click()
    assert level() == pytest.approx(10, abs=0.5)


def test_an_earlier_ecg_lies_beneath_and_what_changed_is_listed(people: People) -> None:
    """Of the same patient: one press, and ST of the leads that rose stands in the list; another press takes it off."""
    for st_mv, seed in ((0.0, 3), (0.4, 4)):
        with httpx.Client(base_url=people.county.base, timeout=60.0, trust_env=False) as http:
            sent = http.post(
                "/api/v1/ecgs",
                content=ecg_file(st_mv=st_mv, seed=seed),
                params={"patient_ref": "p-77", "age": "61", "sex": "male", "arrival_mode": "2"},
                headers={"Authorization": f"Bearer {people.county.tokens['ecg-yinzhao']}"},
            )
            assert sent.status_code == 201, sent.text
    doctor = people.enter("chen")
    doctor.goto(f"/ecg/{sent.json()['ecg_id']}")
    expect(doctor.get_by_test_id("earlier")).to_be_visible(timeout=LATE_MS)
    doctor.get_by_test_id("earlier").click()
    expect(doctor.get_by_test_id("serial")).to_contain_text("ST", timeout=LATE_MS)
    expect(doctor.locator(".earlier")).to_contain_text("按 R 波对齐", timeout=LATE_MS)
    doctor.get_by_test_id("layout-median").click()
    expect(doctor.locator(".earlier")).to_contain_text("按 R 波对齐")
    doctor.get_by_test_id("earlier").click()
    expect(doctor.get_by_test_id("serial")).to_have_count(0)
    assert people.errors == []


def test_a_running_stream_moves_on_with_the_newest_at_the_edge_and_can_be_held(page: Page) -> None:
    """A gap in what came stays paper; held, the picture stands still."""
    told = Told(samples_mv=np.zeros((2, 10)), leads=("II", "V2"), rows=[live_row()])
    told.waves = [wave(first) for first in (0, 250, 500, 1250)]  # 750 to 1249 were lost
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_ecg(page, told)
    page.wait_for_timeout(500)
    mm = float(page.get_by_test_id("paper").get_attribute("data-px-per-mm") or 0)
    dark = pixels(page).sum(axis=2) < 480

    def inked(at_s: float) -> bool:
        column = dark[: round(17 * mm), round((9 + at_s * 25) * mm)]
        return bool(column.any())

    assert [inked(at) for at in (0.5, 1.4, 1.6, 2.4, 2.6)] == [True, True, False, False, True]
    page.get_by_test_id("live-hold").click()
    expect(page.locator(".live")).to_contain_text("已停住")
    assert errors == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_layout_fits_a_phone_and_scrolls_within_its_frame(browser: Browser, lang: str) -> None:
    """No page is wider than 360 pixels; every layout draws; all that is pressed is 44 pixels high."""
    page = browser.new_page(viewport=PHONE, locale="zh-CN")  # type: ignore[arg-type]
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    told = Told(samples_mv=heart(18, 10.0, 500.0)[0], leads=STANDARD_18, analysis=analysis())
    open_ecg(page, told, query=f"?lang={lang}")
    page.get_by_test_id("paper-says").click()
    for layout in ("rhythm", "two", "column", "eighteen", "strip", "median"):
        page.get_by_test_id(f"layout-{layout}").click()
        page.wait_for_timeout(200)
        assert width_beyond(page) <= 0, layout
        assert (pixels(page).sum(axis=2) < 480).sum() > 500, layout
    page.get_by_test_id("speed-50").click()
    page.get_by_test_id("gain-20").click()
    page.get_by_test_id("cabrera").click()
    assert width_beyond(page) <= 0
    small = page.evaluate(
        "[...document.querySelectorAll('.paper button, .paper summary')].filter((b) => b.offsetHeight < 44).length"
    )
    assert small == 0
    assert errors == []


def wave(first: int) -> dict[str, Any]:
    """Half a second of a stream whose level is 0.1 mV."""
    samples = np.full((2, 250), round(0.1 / LSB_MV), dtype="<i2")
    return {
        "type": "wave",
        "ecg_id": "e_1",
        "case_id": "c_1",
        "rate_hz": 500.0,
        "leads": ["II", "V2"],
        "first_sample": first,
        "lsb_mv": LSB_MV,
        "samples": base64.b64encode(samples.tobytes()).decode("ascii"),
    }


def live_row() -> dict[str, Any]:
    """A case whose only ECG is a running stream."""
    at = "2026-03-02T08:05:00.000Z"
    nothing = dict.fromkeys(
        (
            "note",
            "tier",
            "order_zh",
            "order_en",
            "headline_zh",
            "headline_en",
            "record_again",
            "alert",
            "feedback",
        )
    )
    ecg = {"ecg_id": "e_1", "state": "received", "tier": None, "received_at": at, "acceptable": None}
    more = {"bad_leads": [], "leads": ["II", "V2"], "rate_hz": 500.0, "duration_s": None, "live": True}
    none = dict.fromkeys(
        ("signed_tier", "advice_seen_at", "rules_version", "not_analysed", "same_as", "format")
    )
    channel = dict.fromkeys(
        ("channel_id", "opened_at", "opened_by", "stood_down_at", "stood_down_by", "reason", "proposed")
    )
    return nothing | {
        "case_id": "c_1",
        "seq": 1,
        "state": "open",
        "opened_at": at,
        "last_event_at": at,
        "site": {"id": "s", "name_zh": "卫生院", "name_en": "Clinic", "distance_km": None, "phone": None},
        "patient": {"age_years": None, "sex": None, "chest_pain": None},
        "arrival_mode": None,
        "order": [0],
        "findings": [],
        "worst_leads": [],
        "ecg_id": "e_1",
        "ecgs": [ecg | more | none],
        "green_channel": channel | {"state": "closed"},
        "tasks": [],
        "eta": {"scene": None, "hub": None},
        "diagnosed_at": None,
        "identity_conflicts": [],
        "patient_doubts": [],
        "identity_checked": None,
        "reading": None,
        "newest_advice": None,
    }
