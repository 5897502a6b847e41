"""What one DICOM object says of itself."""

import hashlib
import io
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging import instance
from greenchannel.ingest.imaging.instance import read_instance
from greenchannel.ingest.imaging.sameness import same_object
from tests.imaging_files import ct, written


def test_an_object_says_who_what_and_where_it_lies() -> None:
    """Identifiers, picture, patient and time, each as the file has it."""
    one = read_instance(ct(3, PatientBirthDate="19600101", RequestedProcedurePriority="STAT"))

    assert (one.modality, one.body_part, one.rows, one.cols, one.frames) == ("CT", "HEAD", 16, 16, 1)
    assert (one.patient_id, one.patient_name, one.sex) == ("P1", "Wang^Xiao Ming", "male")
    assert (one.birth_date, one.age_years) == (date(1960, 1, 1), 66.0)
    assert (one.position, one.spacing, one.instance_number) == ((0.0, 0.0, 15.0), (0.5, 0.5), 3)
    assert (one.study_description, one.priority) == ("头颅平扫", "STAT")
    assert one.decodable


def test_a_time_without_a_zone_is_no_instant() -> None:
    """The day and the wall clock stay; an instant there is only where the file names the zone."""
    without = read_instance(ct())
    within = read_instance(ct(TimezoneOffsetFromUTC="+0800"))

    assert (without.study_date, without.study_time, without.study_at) == (
        date(2026, 3, 2),
        time(7, 55),
        None,
    )
    assert within.study_at == datetime(2026, 3, 2, 7, 55, tzinfo=timezone(timedelta(hours=8)))
    assert within.study_at.astimezone(UTC).hour == 23


def test_what_is_not_said_is_unknown() -> None:
    """No zero, no empty text, no "no"."""
    one = read_instance(
        ct(PatientID=None, PatientName=None, PatientSex=None, StudyDate=None, PixelSpacing=None)
    )

    assert (one.patient_id, one.patient_name, one.sex, one.study_date, one.spacing) == (None,) * 5
    assert (one.burned_in, one.contrast, one.age_years, one.priority) == ("unknown", "unknown", None, None)


def test_the_head_of_the_file_makes_no_other_object() -> None:
    """By C-STORE and by STOW-RS the same object comes behind different heads."""
    data = ct()
    other = data[:128].replace(b"\0", b"x") + data[128:]

    assert other != data
    assert read_instance(other).content_sha256 == read_instance(data).content_sha256
    assert read_instance(ct(seed=1)).content_sha256 != read_instance(data).content_sha256


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_body"),
        (b"no image at all", "unknown_format"),
        (ct()[:400], "malformed"),
        (
            ct().replace(b"1.2.826.0.1.3680043.10.54321.1.1.1", b"../../etc/0.1.3680043.10.54321/1/1"),
            "malformed",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_reason(data: bytes, code: str) -> None:
    """No DICOM, cut off, or without an identifier by which it could be found again."""
    with pytest.raises(IngestError) as raised:
        read_instance(data)

    assert raised.value.code == code


def test_an_object_written_in_another_way_is_the_same() -> None:
    """Implicit, explicit and deflated say the same; other pixels or another name do not."""
    one = dcmread(io.BytesIO(ct()))
    ways = [written(one, uid) for uid in (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)]

    assert all(same_object(ct(), way) for way in ways)
    assert not any(same_object(other, ways[0]) for other in (ct(seed=1), ct(name="Li"), b"", ct()[:900]))


def test_no_cut_passes_for_a_whole_picture() -> None:
    """Wherever it is cut off: in an element, between two, in the pixels. Else it would take the place of the whole."""
    data = ct(size=4)
    for length in range(len(data)):
        with pytest.raises(IngestError):
            read_instance(data[:length])


def test_a_picture_with_fewer_pixels_than_it_has_is_kept_and_marked() -> None:
    """It is shown to nobody as whole; its bytes stay."""
    one = dcmread(io.BytesIO(ct()))
    one.Rows = 17

    assert (read_instance(written(one)).decodable, read_instance(written(one)).undecodable) == (
        False,
        "short_pixels",
    )


def test_one_is_hashed_while_another_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be 100 MB is not hashed under the lock that all reading goes through."""
    made = hashlib.sha256

    def free(data: bytes = b"") -> Any:
        assert not instance._quiet.locked()
        return made(data)

    monkeypatch.setattr(hashlib, "sha256", free)
    assert read_instance(ct(1)).content_sha256
