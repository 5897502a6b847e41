"""From STOW-RS to the first image on the page: one 512 × 512 slice is sent, and its study opened in a real Chromium.

The clock runs from the first byte of the sending to the moment at which the picture stands on the page, by this
process. The sender is on loopback; the reader's line is loopback, or made thin by the browser's own emulation. A first
visit has nothing cached; a second one has the page's scripts, as a reader at work has.
"""

import argparse
import io
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

import httpx
import pydicom
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from pydicom.uid import generate_uid

from benchmarks.bench_first_load import ARGUMENTS
from benchmarks.harness import Json, data_folder, save, show
from greenchannel.county import cast
from tests.served import Served, served

THIN_BIT_S: Final = 2_000_000
THIN_RTT_MS: Final = 50
READER: Final = "chen"
SENDER: Final = "ecg-yinzhao"
LIMITS: Final = {"local": (1.0, 0.5), "2 Mbit/s": (3.0, 1.5)}  # must, aim
SEEN: Final = """() => {
  const picture = document.querySelector('[data-testid="preview"]');
  return picture !== null && picture.complete && picture.naturalWidth > 0;
}"""


def slice_of(path: Path) -> tuple[bytes, str]:
    """The slice as one of a new study, and that study."""
    one = pydicom.dcmread(path)
    one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID = (generate_uid() for _ in range(3))
    one.PatientID = "bench"
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    written = io.BytesIO()
    one.save_as(written, enforce_file_format=True)
    return written.getvalue(), one.StudyInstanceUID


def run(rounds: int = 5) -> Json:
    """Measure, print and save."""
    data = data_folder()
    if data is None:
        print("no folder of samples: nothing measured")
        return {}
    path = sorted((data / "dicom-images" / "head-ct-ge").glob("*.dcm"))[14]
    times: dict[tuple[str, str], list[Json]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder) / "county") as county,
        sync_playwright() as playwright,
        httpx.Client(base_url=county.base, timeout=60.0, trust_env=False) as http,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*ARGUMENTS])
        try:
            for _ in range(rounds):
                for line in LIMITS:
                    context = _signed_in(browser, county)
                    for visit in ("first visit", "second visit"):
                        found = _one(http, county, context, path, line)
                        times.setdefault((line, visit), []).append(found)
                    context.close()
        finally:
            browser.close()
    rows = [
        {
            "line": line, "visit": visit,
            **{
                name: f"{median(one[name] for one in found):.2f} ({max(one[name] for one in found):.2f})"
                for name in ("stored s", "seen s")
            },
            "must s": LIMITS[line][0], "aim s": LIMITS[line][1],
        }
        for (line, visit), found in times.items()
    ]  # fmt: skip
    show("STOW-RS to the first image on the page: median (worst)", rows)
    results: Json = {"rounds": rounds, "rows": rows, "thin_rtt_ms": THIN_RTT_MS}
    results["times"] = [
        {"line": line, "visit": visit, "all": found} for (line, visit), found in times.items()
    ]
    save("first_image", results)
    return results


def _signed_in(browser: Browser, county: Served) -> BrowserContext:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="zh-CN", base_url=county.base
    )
    password = next(one.password for one in cast.USERS if one.user == READER)
    answer = context.request.post(
        "/api/v1/session", data={"user": READER, "password": password}, headers={"Origin": county.base}
    )
    assert answer.ok, answer.text()
    return context


def _one(http: httpx.Client, county: Served, context: BrowserContext, path: Path, line: str) -> Json:
    body, study = slice_of(path)
    page = context.new_page()
    if line != "local":
        thin = page.context.new_cdp_session(page)
        thin.send("Network.enable")
        conditions = {"offline": False, "latency": THIN_RTT_MS}
        speed = {"downloadThroughput": THIN_BIT_S / 8, "uploadThroughput": THIN_BIT_S / 8}
        thin.send("Network.emulateNetworkConditions", conditions | speed)
    headers = {
        "Authorization": f"Bearer {county.tokens[SENDER]}",
        "Content-Type": 'multipart/related; type="application/dicom"; boundary=b',
    }
    whole = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + body + b"\r\n--b--\r\n"
    since = time.perf_counter()
    answer = http.post("/dicom-web/studies", content=whole, headers=headers)
    stored_s = time.perf_counter() - since
    assert answer.status_code == 200, answer.text
    page.goto(f"/study/{study}", wait_until="commit")
    page.wait_for_function(SEEN, timeout=30_000)
    seen_s = time.perf_counter() - since
    page.close()
    return {"stored s": round(stored_s, 3), "seen s": round(seen_s, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    run(parser.parse_args().rounds)


if __name__ == "__main__":
    main()
