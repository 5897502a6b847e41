"""Resumable upload, the pure core: headers, limits, joining, expiring."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from greenchannel.ingest import tus
from greenchannel.ingest.bounds import MAX_BYTES_OF
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.tus_body import kept, take
from greenchannel.ingest.tus_headers import (
    Checksum,
    Concat,
    check_body_type,
    check_version,
    parse_checksum,
    parse_concat,
    parse_metadata,
    parse_number,
)

NOW: Final = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
LIMITS: Final = tus.Limits(most_bytes=1000)


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def upload(length: int = 10, offset: int = 0, **change: Any) -> tus.Upload:
    made = tus.create(
        upload_id="u_1",
        owner="device:d",
        length=length,
        metadata="",
        concat=change.pop("concat", Concat()),
        most_bytes=1000,
        under_way=0,
        limits=LIMITS,
        now=NOW,
    )
    return replace(tus.advance(made, offset, NOW, LIMITS), **change)


def refusal(error: pytest.ExceptionInfo[IngestError]) -> tuple[str, str | None, str | None]:
    return error.value.code, error.value.expected, error.value.got


# ---------------------------------------------------------------- headers


def test_metadata_is_names_and_base64() -> None:
    """Chinese comes through, a name alone is empty, nothing is nothing."""
    assert parse_metadata(f"name {b64('张三')},chest_pain {b64('yes')}, note") == {
        "name": "张三",
        "chest_pain": "yes",
        "note": "",
    }
    assert parse_metadata(None) == parse_metadata("  ") == {}


@pytest.mark.parametrize(
    "header",
    [
        "name ***",
        "name YQ=",
        "name " + b64(b"\xff\xfe"),
        f"name {b64('a')},name {b64('b')}",
        ",",
        "名 YQ==",
        "name 张",
        "a" * 20_000,
        ",".join(f"k{number}" for number in range(65)),
    ],
)
def test_metadata_that_is_none_is_refused_without_its_value(header: str) -> None:
    """The value may be a patient's name, and errors may be logged."""
    with pytest.raises(IngestError) as error:
        parse_metadata(header)
    assert error.value.code == "bad_tus_header" and error.value.expected
    assert "***" not in str(error.value)


def test_checksums_are_of_three_algorithms_and_of_their_length() -> None:
    """sha1, sha256 and md5; any other algorithm, and a digest that is none, are refused."""
    for name in ("sha1", "sha256", "md5"):
        digest = hashlib.new(name, b"x").digest()
        assert parse_checksum(f"{name} {b64(digest)}") == Checksum(algorithm=name, digest=digest)
    assert parse_checksum(None) is None
    for header, code in (
        (f"crc32 {b64(b'1234')}", "checksum_algorithm"),
        ("", "checksum_algorithm"),
        (f"sha1 {b64(b'short')}", "bad_tus_header"),
        ("sha1 ***", "bad_tus_header"),
    ):
        with pytest.raises(IngestError) as error:
            parse_checksum(header)
        assert error.value.code == code


def test_parts_are_named_by_their_addresses() -> None:
    """Absolute or relative; the id is the last of the path."""
    assert parse_concat("partial") == Concat(partial=True)
    final = parse_concat("final;/api/v1/uploads/u_a https://here.example/api/v1/uploads/u_b")
    assert final == Concat(final=("u_a", "u_b")) and final.header == "final;u_a u_b"
    assert parse_concat(None) == Concat() and Concat().header == ""
    for header in (
        "",
        "final",
        "final;",
        "partial;x",
        "final;/uploads/..",
        "final;http://[",
        "final;" + "/u " * 300,
    ):
        with pytest.raises(IngestError) as error:
            parse_concat(header)
        assert error.value.code == "bad_tus_header"


def test_numbers_versions_and_types_are_what_they_must_be() -> None:
    """What does not fit says what was expected and what came."""
    assert parse_number("Upload-Offset", "0") == 0
    for value in (None, "", "-1", "1.5", "٣", "9" * 30):
        with pytest.raises(IngestError, match="whole number of bytes"):
            parse_number("Upload-Offset", value)
    check_version("1.0.0")
    check_body_type("application/offset+octet-stream; x=y")
    with pytest.raises(IngestError) as error:
        check_version("0.2.2")
    assert refusal(error) == ("tus_version", "Tus-Resumable: 1.0.0", "'0.2.2'")
    with pytest.raises(IngestError) as error:
        check_body_type(None)
    assert error.value.code == "body_type"


# ---------------------------------------------------------------- limits


def test_each_kind_has_a_limit_of_its_own() -> None:
    """By what the sender says it is; and never above the service's."""
    limits = tus.Limits(most_bytes=2**40)
    assert limits.of({}) == MAX_BYTES_OF["ecg"]
    assert limits.of({"filetype": "image/jpeg"}) == MAX_BYTES_OF["photograph"]
    assert limits.of({"filetype": "application/pdf"}) == MAX_BYTES_OF["pdf"]
    assert LIMITS.of({"filetype": "image/jpeg"}) == 1000


@pytest.mark.parametrize(
    ("length", "under_way", "code"),
    [(0, 0, "empty_body"), (1001, 0, "too_large"), (10, tus.MOST_OPEN, "too_many_uploads")],
)
def test_an_upload_that_may_not_be_is_refused_at_its_creation(length: int, under_way: int, code: str) -> None:
    """Before a byte of it."""
    with pytest.raises(IngestError) as error:
        tus.create(
            upload_id="u",
            owner="o",
            length=length,
            metadata="",
            concat=Concat(),
            most_bytes=1000,
            under_way=under_way,
            limits=LIMITS,
            now=NOW,
        )
    assert error.value.code == code and error.value.expected and error.value.got


# ---------------------------------------------------------------- bodies


def test_a_body_goes_on_where_the_upload_ends() -> None:
    """Elsewhere it is refused with the right offset."""
    with pytest.raises(IngestError) as error:
        tus.begin(upload(10, 4), offset=3, announced=1, checksum=None, now=NOW)
    assert refusal(error) == ("offset_mismatch", "Upload-Offset: 4", "3")


def test_a_cut_body_is_kept_but_for_one_with_a_checksum() -> None:
    """A checksum of the whole body says nothing about its beginning."""
    plain = take(tus.begin(upload(10), offset=0, announced=None, checksum=None, now=NOW), b"abc")
    assert kept(plain, whole=False) == 3
    checksum = Checksum(algorithm="sha1", digest=hashlib.sha1(b"abc").digest())
    checked = take(tus.begin(upload(10), offset=0, announced=None, checksum=checksum, now=NOW), b"abc")
    assert (kept(checked, whole=False), kept(checked, whole=True)) == (0, 3)
    with pytest.raises(IngestError) as error:
        kept(take(checked, b"d"), whole=True)
    assert error.value.code == "checksum_mismatch"


def test_a_body_of_nothing_at_the_end_changes_nothing() -> None:
    """So the last body may be asked about again."""
    whole = upload(10, 10)
    patch = tus.begin(whole, offset=10, announced=0, checksum=None, now=NOW)
    assert tus.advance(whole, kept(patch, whole=True), NOW, LIMITS) == whole
    with pytest.raises(IngestError, match="beyond"):
        take(patch, b"x")


# ---------------------------------------------------------------- joining, ending


def test_parts_are_joined_once_all_are_whole() -> None:
    """Not before, and never what is no part; a part is not taken in by itself, and a final one takes no bytes."""
    part = upload(6, 6, concat=Concat(partial=True))
    assert tus.joined_length([part, part], NOW) == 12 and not part.awaits_intake
    for wrong in (upload(6, 5, concat=Concat(partial=True)), upload(6, 6)):
        with pytest.raises(IngestError) as error:
            tus.joined_length([part, wrong], NOW)
        assert error.value.code == "parts_unfinished"
    final = upload(6, concat=Concat(final=("u_a", "u_b")))
    assert tus.headers(final, "http://h/")["Upload-Concat"] == "final;http://h/u_a http://h/u_b"
    with pytest.raises(IngestError) as error:
        tus.begin(final, offset=0, announced=1, checksum=None, now=NOW)
    assert error.value.code == "upload_final"


def test_an_upload_expires_a_day_after_its_last_byte() -> None:
    """From then on it is gone, whether it was swept or not; HEAD says when, as HTTP writes instants."""
    one = upload(10)
    later = tus.advance(one, 3, NOW + timedelta(hours=20), LIMITS)
    assert tus.headers(one, "")["Upload-Expires"] == "Tue, 03 Mar 2026 08:05:00 GMT"
    assert tus.expired(one, NOW + timedelta(hours=24)) and not tus.expired(later, NOW + timedelta(hours=24))
    with pytest.raises(IngestError) as error:
        tus.begin(later, offset=3, announced=1, checksum=None, now=NOW + timedelta(hours=45))
    assert error.value.code == "upload_expired"


def test_what_waits_to_be_taken_in_is_neither_forgotten_nor_withdrawn() -> None:
    """All its bytes were confirmed. Once it is known what became of them, only that is kept, without names."""
    whole = upload(10, 10, metadata="name YQ==")
    assert not tus.expired(whole, NOW + timedelta(days=99))
    with pytest.raises(IngestError) as error:
        tus.check_terminable(whole)
    assert error.value.code == "upload_final"
    taken = tus.answered(whole, "taken", NOW, LIMITS)
    assert (taken.state, taken.metadata) == ("taken", "") and tus.expired(taken, NOW + timedelta(days=8))
    tus.check_terminable(taken)


def test_after_a_crash_the_row_never_says_more_than_the_file() -> None:
    """A longer file is cut to the row; a shorter one sets the row back."""
    assert tus.settle(upload(10, 4), 7) == upload(10, 4)
    assert tus.settle(upload(10, 4), 2) == upload(10, 2)
    assert tus.settle(upload(10, 10), 9).state == "receiving"
    taken = tus.answered(upload(10, 10), "taken", NOW, LIMITS)
    assert tus.settle(taken, 0) == taken
    with pytest.raises(ValueError, match="expected an offset"):
        tus.advance(upload(10, 4), 3, NOW, LIMITS)
