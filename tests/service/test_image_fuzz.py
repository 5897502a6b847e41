"""Images that are none: mutated, cut, announced too large, packed to burst. The service stays up and small."""

import io
import random
import socket
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pydicom.data
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.imaging_files import ROOT_UID, ct, related, written
from tests.served import Served, served
from tests.tus_client import PATH, metadata

MOST_MB = 500.0
MOST_OBJECT_MB = 128  # as it is unless set otherwise
SEEDS = (
    "MR_small.dcm", "CT_small.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm", "SC_rgb_jpeg_dcmtk.dcm", "US1_UNCR.dcm",
    "examples_palette.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm", "rtplan.dcm", "color3d_jpeg_baseline.dcm",
    "eCT_Supplemental.dcm",
)  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A process of its own, so that its memory can be asked for."""
    with served(tmp_path_factory.mktemp("images") / "county") as one:
        yield one


@pytest.fixture(scope="module")
def http(service: Served) -> Iterator[httpx.Client]:
    """The line of a device."""
    headers = {"Authorization": f"Bearer {service.tokens['ecg-yinzhao']}"}
    with httpx.Client(base_url=service.base, headers=headers, timeout=120.0, trust_env=False) as line:
        yield line


@pytest.fixture(autouse=True)
def unharmed(service: Served, http: httpx.Client) -> Iterator[None]:
    """After each test: it is ready, no larger than it may be, and no fault was logged; a good image is stored."""
    yield
    assert http.get("/readyz").status_code == 200
    assert service.faults() == []
    assert service.rss_mb() <= MOST_MB
    body, kind = related([ct(1, study=random.randint(10**6, 10**9))])
    assert http.post("/dicom-web/studies", content=body, headers={"Content-Type": kind}).status_code == 200


def seeds() -> list[bytes]:
    """Small files of many kinds, that come with pydicom and that are made here."""
    folder = Path(pydicom.data.__file__).parent / "test_files"
    found = [path.read_bytes() for name in SEEDS if (path := folder / name).is_file()]
    return [data for data in found if len(data) < 400_000] + [ct(1), ct(2, size=64)]


def mutated(data: bytes, dice: random.Random) -> bytes:
    """One to five changes: bytes, lengths, cuts, repeats."""
    out = bytearray(data)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(min(len(out), dice.choice((600, 4000, len(out)))))
        match dice.randrange(6):
            case 0:
                out[at] = dice.randrange(256)
            case 1:
                out[at : at + 4] = dice.choice(
                    (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xfe\xff\0\xe0")
                )
            case 2:
                del out[at : at + dice.randint(1, 64)]
            case 3:
                out[at:at] = out[at : at + dice.randint(1, 400)]
            case 4:
                del out[dice.randint(200, max(len(out), 201)) :]
            case _:
                out[at : at + 2] = dice.choice((b"SQ", b"UN", b"OB", b"PN", b"DS", b"ZZ"))
        if len(out) < 200:
            break
    return bytes(out)


@pytest.mark.parametrize("count", [150, pytest.param(2000, marks=pytest.mark.soak)])
def test_mutated_images_are_stored_or_refused_with_a_reason(http: httpx.Client, count: int) -> None:
    """Each is answered for; none is a fault, and what is stored is given back as it came."""
    dice, base = random.Random(count), seeds()
    said: Counter[str] = Counter()
    for first in range(0, count, 10):
        parts = [mutated(dice.choice(base), dice) for _ in range(min(10, count - first))]
        body, kind = related(parts, boundary="0f2c1d9b7a")
        answer = http.post("/dicom-web/studies", content=body, headers={"Content-Type": kind})
        assert answer.status_code < 500, answer.text
        if "00081199" not in answer.json() and "00081198" not in answer.json():
            said[answer.json()["code"]] += len(parts)
            continue
        failed = answer.json().get("00081198", {}).get("Value", [])
        stored = answer.json().get("00081199", {}).get("Value", [])
        assert len(failed) + len(stored) == len(parts)
        said["stored"] += len(stored)
        said.update(one["00000902"]["Value"][0].partition(":")[0] for one in failed)
    print(dict(said))
    assert said.total() == count and said["stored"] and said["malformed"] + said["truncated"]


def test_what_unpacks_to_gigabytes_is_stopped(http: httpx.Client) -> None:
    """A deflated data set, an archive of zeros, an archive within an archive."""
    one = dcmread(io.BytesIO(ct(1)))
    small = written(one, DeflatedExplicitVRLittleEndian)
    head = small[: small.index(DeflatedExplicitVRLittleEndian.encode()) + 200]
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    zeros = b"".join(packer.compress(bytes(2**20)) for _ in range(1024)) + packer.flush()
    body, kind = related([head + zeros])
    assert http.post("/dicom-web/studies", content=body, headers={"Content-Type": kind}).status_code < 500

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("1.dcm", "w") as member:
        member.write(ct(1)[:900])
        for _ in range(512):
            member.write(bytes(2**20))
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("inner.zip", out.getvalue())
    for data in (out.getvalue(), outer.getvalue()):
        said = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data))}
        said |= {
            "Upload-Metadata": metadata(content="images"),
            "Content-Type": "application/offset+octet-stream",
        }
        created = http.post(PATH, content=data, headers=said)
        assert created.status_code in (400, 413, 415, 422), created.text


def test_ten_gigabytes_announced_are_refused_unread(service: Served, http: httpx.Client) -> None:
    """By the length of the body, by the length of an element, by a part that never ends, by a resumable upload."""
    head = (
        f"POST /dicom-web/studies HTTP/1.1\r\nHost: x\r\nAuthorization: {http.headers['Authorization']}\r\n"
        f"Content-Type: multipart/related; boundary=b0\r\nContent-Length: {10 * 2**30}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), 30) as line:
        line.sendall(head.encode())
        assert b" 413 " in line.recv(200)

    long = ct(1).replace(b"OW\0\0", b"OW\0\0\xff\xff\xff\x7f", 1)
    body, kind = related([long])
    assert http.post("/dicom-web/studies", content=body, headers={"Content-Type": kind}).status_code == 422

    sent_mb = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent_mb
        yield b"--b0\r\n\r\n"
        for _ in range(1000):
            sent_mb += 1
            yield bytes(2**20)

    try:
        answer = http.post(
            "/dicom-web/studies",
            content=endless(),
            headers={"Content-Type": "multipart/related; boundary=b0"},
        )
        assert answer.status_code == 413
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        # It may hang up while we are still sending, but not before the bound of one object was passed.
        assert sent_mb >= MOST_OBJECT_MB

    said = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(10 * 2**30),
        "Upload-Metadata": metadata(content="images"),
    }
    assert http.post(PATH, headers=said).status_code == 413


def test_a_large_object_is_taken_within_the_memory(service: Served, http: httpx.Client) -> None:
    """100 MB in one object: whole, and given room for no more than a few copies."""
    one = dcmread(io.BytesIO(ct(1, study=77)))
    one.Rows = one.Columns = 1024
    one.NumberOfFrames = 50
    one.PixelData = random.Random(1).randbytes(2**20) * 100
    body, kind = related([written(one)])
    answer = http.post("/dicom-web/studies", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    assert answer.json()["00081199"]["Value"][0]["00081155"]["Value"] == [f"{ROOT_UID}.77.1.1"]
    peak = Path(f"/proc/{service.pid}/status").read_text().split("VmHWM:")[1].split()[0]
    print(f"peak {int(peak) / 1024:.0f} MB")
    assert int(peak) / 1024 <= MOST_MB
