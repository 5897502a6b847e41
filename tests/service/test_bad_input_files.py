"""Uploads that are none, lie, or never end: refused with what was expected, and nothing has changed."""

import io
import zipfile
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenchannel.county import devices
from greenchannel.ingest.bundle import make_zip
from tests.county_actors import STEMI
from tests.service.bad_place import ECG, GIGABYTE, NOISE, Place, head_alone, refused, sign_in

pytestmark = pytest.mark.usefixtures("undisturbed")


def _bomb() -> bytes:
    """A small archive that unpacks to more than may be."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.dat", "w") as member:
        for _ in range(200):
            member.write(bytes(2**20))
    return data.getvalue()


WFDB_OF_A_GIGABYTE: Final = make_zip(
    [
        ("a.hea", b"a 12 500 536870912\n" + b"a.dat 16 400(0)/mV 16 0 0 0 0 I\n" * 12),
        ("a.dat", b"\x00" * 400),
    ]
)
_SAMPLES: Final = ECG.index(b"\x3a\x00\x10\x00UL\x04\x00") + 8  # where the number of samples stands
DICOM_OF_A_GIGABYTE: Final = ECG[:_SAMPLES] + b"\x00\x00\x00\x40" + ECG[_SAMPLES + 4 :]
BOMB: Final = _bomb()
FILES: Final = {
    "empty": b"",
    "one byte": b"\x00",
    "noise": NOISE,
    "half": ECG[: len(ECG) // 2],
    "all but the end": ECG[:-2],
    "the head alone": ECG[:132],
    "text": b"not an ECG",
    "html": b"<!doctype html><script>alert(1)</script>",
    "a zip of nothing": make_zip([]),
    "a broken zip": make_zip([("a.hea", b"a 1 500 10\n")])[:-20],
    "a zip of a zip": make_zip([("a.zip", make_zip([("a.hea", b"x")]))]),
    "a way out of the folder": make_zip([("../../a.hea", b"a 1 500 10\n")]),
    "a gigabyte in a WFDB header": WFDB_OF_A_GIGABYTE,
    "a gigabyte in a DICOM header": DICOM_OF_A_GIGABYTE,
    "a bomb": BOMB,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none_is_refused(place: Place, name: str) -> None:
    """As the body and in a form: 4xx with what was expected."""
    seq, data = place.seq(), FILES[name]
    for kind in ("application/dicom", "application/json", "text/html", "nonsense"):
        answer = place.http.post(
            "/api/v1/ecgs", content=data, headers={**place.device(), "Content-Type": kind}
        )
        document = refused(answer, 400, 413, 415, 422)
        assert document.get("expected"), document
    answer = place.http.post("/api/v1/ecgs", files={"file": ("ecg.dcm", data)}, headers=place.device())
    assert refused(answer, 400, 413, 415, 422).get("expected")
    assert place.seq() == seq


def test_a_gigabyte_of_upload_is_refused_when_it_is_announced(place: Place) -> None:
    """413 before a byte of it; the same for one that grows without having been announced."""
    seq = place.seq()
    for kind in ("application/dicom", "multipart/form-data; boundary=x"):
        head = head_alone(
            place, "/api/v1/ecgs", place.device(), f"Content-Length: {GIGABYTE}", f"Content-Type: {kind}"
        )
        assert head.startswith(b"HTTP/1.1 413") and b'"code":"too_large"' in head

    def growing() -> Iterator[bytes]:
        for _ in range(33 * 16):
            yield bytes(64 * 1024)

    refused(place.http.post("/api/v1/ecgs", content=growing(), headers=place.device()), 413, code="too_large")
    assert place.seq() == seq


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"case_id": "no case of ours"}, 422, "bad_field"),
        ({"site": "jishi"}, 403, "site_forbidden"),
        ({"site": "nowhere"}, 403, "site_forbidden"),
        ({"device": "ecg-jishi"}, 403, "device_forbidden"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(
    place: Place, fields: dict[str, str], status: int, code: str
) -> None:
    """In the query and in a form, with an ECG that is right."""
    seq = place.seq()
    url, headers = "/api/v1/ecgs", place.device()
    refused(place.http.post(url, content=ECG, params=fields, headers=headers), status, code=code)
    answer = place.http.post(url, files={"file": ("a.dcm", ECG)}, data=fields, headers=headers)
    refused(answer, status, code=code)
    assert place.seq() == seq


def test_an_ecg_for_another_sites_case_or_patient_is_refused(place: Place) -> None:
    """Another site's case does not exist; the same bytes for another patient are for a person to decide."""
    seq, fresh = (
        place.seq(),
        devices.as_dicom(devices.simulated(STEMI, seed=78), age_years=50.0, sex="female"),
    )
    for fields in (
        {"case_id": "c_none"},
        {"case_id": place.other_case},
        {"case_id": place.case, "patient_ref": "somebody-else"},
    ):
        answer = place.http.post("/api/v1/ecgs", content=fresh, params=fields, headers=place.device())
        refused(answer, 404, 409)
    assert place.seq() == seq


def test_a_form_that_is_broken_is_refused(place: Place) -> None:
    """No boundary, a wrong one, no file, too many fields, a part that never ends."""
    seq = place.seq()
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    end = b"--x--\r\n"
    boundary = "multipart/form-data; boundary=x"
    forms = [
        ("multipart/form-data", part % (b"file", b"abc") + end),
        ("multipart/form-data; boundary=y", part % (b"file", b"abc") + end),
        (boundary, b""),
        (boundary, NOISE),
        (boundary, part % (b"age", b"61") + end),
        (boundary, b"".join(part % (b"f%d" % i, b"1") for i in range(200)) + end),
        (boundary, part % (b"age", b"6" * 200_000) + end),
        (boundary, b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n" + end),
        (boundary, b"--x\r\n" + b"A: b\r\n" * 5000),
    ]
    for kind, content in forms:
        headers = {**place.device(), "Content-Type": kind}
        document = refused(
            place.http.post("/api/v1/ecgs", content=content, headers=headers), 400, 413, 415, 422
        )
        assert document.get("expected"), (content[:60], document)
    assert place.seq() == seq


def test_no_ecg_without_the_right_credential(place: Place) -> None:
    """None, a wrong one, a disabled device, a foreign page, a role that does not send."""
    seq = place.seq()
    strangers: list[tuple[dict[str, str], int]] = [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Bearer {place.off}"}, 401),
        ({**place.wang, "Origin": "http://evil.example"}, 403),
        ({"Cookie": place.wang["Cookie"]}, 403),
        (sign_in(place.service, place.http, "quality"), 403),
    ]
    for headers, status in strangers:
        refused(place.http.post("/api/v1/ecgs", content=ECG, headers=headers), status)
    assert place.seq() == seq


@given(
    cut=st.integers(0, len(ECG) - 1),
    changes=st.dictionaries(st.integers(0, 3000), st.integers(0, 255), max_size=8),
)
@settings(max_examples=30)
def test_a_damaged_file_is_refused_or_read(place: Place, cut: int, changes: dict[int, int]) -> None:
    """A cut file is refused; one whose bytes changed is never a fault, whatever it is taken for."""
    seq = place.seq()
    refused(place.http.post("/api/v1/ecgs", content=ECG[:cut], headers=place.device()), 400, 413, 415, 422)
    assert place.seq() == seq
    damaged = bytearray(ECG)
    for at, value in changes.items():
        damaged[at] = value
    answer = place.http.post(
        "/api/v1/ecgs", content=bytes(damaged), headers=place.device(), params={"patient_ref": "there"}
    )
    assert answer.status_code < 500, answer.text
    if answer.is_error:
        refused(answer, answer.status_code)
