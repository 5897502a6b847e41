"""What only some images need is not in a service that has seen none of them, and is there when one comes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom.data import get_testdata_file

from greenchannel.county import devices
from tests.county_actors import STEMI
from tests.imaging_files import related
from tests.require import ROOT
from tests.served import Served, served

MOST_AT_START_MB = 250.0
EXTENDED = "JPGExtended.dcm"  # JPEG of 12 bits: by GDCM alone

DECODE = f"""
import sys, threading
from greenchannel.late import is_gdcm_loaded
import pydicom, greenchannel.assembly
from pydicom.data import get_testdata_file
from pydicom.pixels.decoders import gdcm as plugin
from greenchannel.ingest.imaging.pixel_source import PixelSource
assert plugin.HAVE_GDCM and plugin.GDCM_VERSION >= (3, 0), plugin.GDCM_VERSION
assert not is_gdcm_loaded()
assert not {{"scipy.stats", "scipy.optimize", "pynetdicom"}} & sys.modules.keys()
data = open(get_testdata_file("{EXTENDED}"), "rb").read()
made = []
threads = [threading.Thread(target=lambda: made.append(PixelSource(data).decoded_here(0).tobytes())) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert is_gdcm_loaded()
import gdcm
assert len(made) == 4 and len(set(made)) == 1 and len(set(made[0])) > 100
assert gdcm.Version.GetVersion() == ".".join(map(str, plugin.GDCM_VERSION))
"""


def test_a_decoder_is_loaded_by_the_thread_that_needs_it() -> None:
    """Four threads at once that decode by GDCM as the first of their process all get the same values."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))}
    done = subprocess.run(
        [sys.executable, "-c", DECODE], check=False, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "data") as found:
        yield found


def _has_gdcm(service: Served) -> bool:
    return "gdcm" in Path(f"/proc/{service.pid}/maps").read_text()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc here")
def test_a_service_without_an_image_has_not_loaded_what_decodes_it(service: Served) -> None:
    """Neither at its start nor after an ECG, nor once it shows such an image: a process of its own decodes it."""
    token = {"Authorization": f"Bearer {service.tokens['ecg-yinzhao']}"}
    with httpx.Client(base_url=service.base, timeout=60.0, trust_env=False) as http:
        ecg = devices.as_dicom(devices.simulated(STEMI, seed=77), age_years=61.0, sex="male")
        assert http.post("/api/v1/ecgs", content=ecg, headers=token).status_code == 201
        assert not _has_gdcm(service)
        assert service.rss_mb() < MOST_AT_START_MB
        path = get_testdata_file(EXTENDED)
        assert isinstance(path, str)
        body, kind = related([Path(path).read_bytes()])
        sent = http.post("/dicom-web/studies", content=body, headers=token | {"Content-Type": kind})
        assert sent.status_code == 200, sent.text
        (found,) = http.get("/dicom-web/studies", headers=token).json()
        study = found["0020000D"]["Value"][0]
        shown = http.get(f"/dicom-web/studies/{study}/rendered", headers=token)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
        assert not _has_gdcm(service)
