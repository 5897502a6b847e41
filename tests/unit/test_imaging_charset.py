"""Chinese in objects that name no charset, or a wrong one."""

import io
from typing import Any

import pydicom
import pytest

from greenchannel.ingest.imaging.dicom_json import metadata
from greenchannel.ingest.imaging.instance import ImageInstance, read_instance
from tests.imaging_files import ct

NAMES = ["王小明", "Wang^Xiao Ming=王^小明", "欧阳^修", "邢^燕", "闫玥", "张喆"]


def written(charset: str | None, codec: str, name: str, description: str = "CT") -> bytes:
    """An object whose texts are in `codec`, whatever charset it names."""
    plain: dict[str, Any] = {
        "PatientName": "N" * len(name.encode(codec)),
        "StudyDescription": "D" * len(description.encode(codec)),
    }
    data = ct(1, SpecificCharacterSet=charset, SeriesDescription="5 mm", **plain)
    data = data.replace(plain["PatientName"].encode(), name.encode(codec), 1)
    return data.replace(plain["StudyDescription"].encode(), description.encode(codec), 1)


def said(one: ImageInstance) -> tuple[Any, ...]:
    return one.patient_name, one.study_description, one.charset_assumed, one.charset_doubtful


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("charset", [None, "ISO_IR 6"])
def test_chinese_without_a_charset_is_read_as_gb18030_and_said_to_be_assumed(
    name: str, charset: str | None
) -> None:
    data = written(charset, "gb18030", name, "头颅平扫")
    assert said(read_instance(data)) == (name, "头颅平扫", "gb18030", False)
    found = metadata(data, "/x")
    assert found["00081030"]["Value"] == ["头颅平扫"]
    assert name.split("=")[-1] in found["00100010"]["Value"][0].values()


def test_chinese_that_says_to_be_latin_is_read_so_only_where_all_of_it_is_common() -> None:
    assert said(read_instance(written("ISO_IR 100", "gb18030", "王小明", "头颅平扫"))) == (
        "王小明",
        "头颅平扫",
        "gb18030",
        False,
    )
    name, _, assumed, doubtful = said(read_instance(written("ISO_IR 100", "gb18030", "闫玥")))
    assert (assumed, doubtful) == (None, True)
    assert name.encode("latin-1").decode("gb18030") == "闫玥"  # as the file says it is


@pytest.mark.parametrize("name", ["Müller^Jürgen", "José^García", "Åsa^Ölund", "Sørensen^Bjørn"])
def test_names_of_europe_stay_what_they_are(name: str) -> None:
    assert said(read_instance(written("ISO_IR 100", "latin-1", name))) == (name, "CT", None, False)
    found = said(read_instance(written(None, "latin-1", name)))
    assert (found[0], found[2]) == (name, None)


def test_utf_8_without_a_charset_is_read_as_that() -> None:
    assert said(read_instance(written(None, "utf-8", "王小明")))[:1] == ("王小明",)


@pytest.mark.parametrize("charset", ["GB18030", "ISO_IR 192"])
def test_a_charset_that_is_named_is_believed(charset: str) -> None:
    codec = {"GB18030": "gb18030", "ISO_IR 192": "utf-8"}[charset]
    assert said(read_instance(written(charset, codec, "王小明"))) == ("王小明", "CT", None, False)


def test_plain_letters_are_assumed_to_be_nothing_else() -> None:
    assert said(read_instance(written(None, "ascii", "Wang^Xiao Ming")))[2:] == (None, False)


def test_the_bytes_of_an_object_are_not_changed_by_reading_it() -> None:
    data = written(None, "gb18030", "王小明")
    before = bytes(data)
    read_instance(data)
    assert data == before
    assert "SpecificCharacterSet" not in pydicom.dcmread(io.BytesIO(data))
