"""The optional fields of an upload."""

from datetime import UTC, datetime, timedelta

import pytest

from greenchannel.clock import EARLIEST, LATEST
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.fields import UploadFields, parse_fields, take_fields, vital_numbers, vital_words


def test_nothing_said_is_nothing_known() -> None:
    """Empty and absent fields are None; unknown names are passed over."""
    assert parse_fields({"age": "", "sex": None, "colour": "red"}) == UploadFields()


def test_words_become_types() -> None:
    """As a form sends them."""
    fields = parse_fields(
        {
            "site": "yinzhao", "device": "d1", "patient_ref": "门诊 17", "name": "张三", "phone": "+86 138-0000-0000",
            "id_number": "11010519491231002X", "age": "61.5", "sex": "女", "chest_pain": "yes",
            "onset_at": "2026-05-01T15:20:00+08:00", "vitals": '{"sbp_mmhg": 120, "note": null}', "history": "糖尿病\n",
            "electrode_set": "posterior_right", "arrival_mode": "2",
        }
    )  # fmt: skip
    assert (fields.age_years, fields.sex, fields.chest_pain, fields.arrival_mode) == (61.5, "female", True, 2)
    assert fields.onset_at == datetime(2026, 5, 1, 7, 20, tzinfo=UTC)
    assert fields.vitals == {"sbp_mmhg": 120, "note": None}
    assert (fields.history, fields.electrode_set) == ("糖尿病", "posterior_right")


def test_types_of_json_are_taken_too() -> None:
    """As a hello has them."""
    fields = parse_fields({"age": 61, "chest_pain": False, "arrival_mode": 3, "vitals": {"hr": 80}})
    assert (fields.age_years, fields.chest_pain, fields.arrival_mode, fields.vitals) == (
        61.0,
        False,
        3,
        {"hr": 80},
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("age", "-1"), ("age", "131"), ("age", "nan"), ("age", "old"), ("age", True), ("age", 10**400), ("age", [1]),
        ("sex", "x"), ("sex", 1), ("chest_pain", "maybe"), ("chest_pain", 2), ("onset_at", "2026-05-01T15:20:00"),
        ("onset_at", "yesterday"), ("onset_at", 5), ("acquired_at", "2026-13-01T15:20:00Z"), ("arrival_mode", "5"),
        ("arrival_mode", True), ("arrival_mode", 2.0), ("electrode_set", "back"), ("patient_ref", "x" * 129),
        ("patient_ref", "a\x00b"), ("patient_ref", 5), ("site", "../etc"), ("phone", "1" * 65), ("id_number", "1\x00"),
        ("vitals", "[1]"), ("vitals", "{"), ("vitals", {"a": {"b": 1}}), ("vitals", {"a": float("inf")}),
        ("vitals", "x" * 5000), ("history", "x" * 4001),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_read_is_named_with_what_it_takes(field: str, value: object) -> None:
    """The code is always bad_field."""
    with pytest.raises(IngestError) as caught:
        parse_fields({field: value})
    assert caught.value.code == "bad_field"
    assert caught.value.expected is not None
    assert caught.value.expected.startswith(f"{field}: ")
    assert len(str(caught.value)) < 300


def test_an_error_never_quotes_what_identifies_a_patient() -> None:
    """Errors are logged; a mistyped identity number must not be."""
    for field, value in (("id_number", "110105" * 20), ("phone", "zhang 138\x00"), ("name", "张三" * 100)):
        with pytest.raises(IngestError) as caught:
            parse_fields({field: value})
        assert value[:6] not in str(caught.value)


def test_vital_numbers_may_be_logged_and_words_may_not() -> None:
    """Plain names with numbers that a vital sign can have; all else is free text, however it is called."""
    given = {"sbp_mmhg": 95, "temp_c": 36.6, "note": "张三", "phone": 13800000000, "张三": 1, "none": None}
    assert vital_numbers(given) == {"sbp_mmhg": 95, "temp_c": 36.6}
    assert vital_words(given) == ["note: 张三", "phone: 13800000000", "张三: 1"]
    assert (vital_numbers(None), vital_words(None)) == ({}, [])


BEYOND = ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("value", BEYOND)
def test_an_instant_that_no_zone_can_shift_is_refused_of_a_person(value: str) -> None:
    """It would break every page that shows it."""
    with pytest.raises(IngestError) as refused:
        parse_fields({"onset_at": value})

    assert refused.value.code == "bad_field"


@pytest.mark.parametrize("field", ["acquired_at", "sent_at", "seen_at", "device_clock"])
@pytest.mark.parametrize("value", BEYOND)
def test_a_clock_of_a_machine_that_was_never_set_refuses_nothing(field: str, value: str) -> None:
    """It is the end of what can be, which whoever judges clocks takes for nonsense."""
    found = getattr(parse_fields({field: value}), field)

    assert found == (EARLIEST if value < "1900" else LATEST)


@pytest.mark.parametrize("said", ["13800000000(儿子)", "无", "13800000000/13900000000", "0371-66666666转88"])
def test_a_telephone_is_kept_as_somebody_writes_it(said: str) -> None:
    """No word beside the digits costs anything."""
    assert parse_fields({"callback_phone": said, "phone": said}) == UploadFields(
        callback_phone=said, phone=said
    )


def test_what_cannot_be_kept_is_left_out_and_named_and_the_rest_is_kept() -> None:
    """Text as far as it goes, numbers and times that can be; nothing is refused for a nicety."""
    now = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
    fields = take_fields(
        {
            "callback_phone": "138\x000000(儿子)" + "转" * 100,
            "name": "张三",
            "age": "old",
            "sex": "female",
            "history": "a\x00b",
            "patient_ref": "x" * 200,
            "onset_at": (now + timedelta(hours=2)).isoformat(),
            "acquired_at": "1970-01-01T00:00:00Z",
            "electrode_set": "on the back",
            "vitals": '{"sbp": 900, "spo2": 97, "张三": {}}',
        },
        now=now,
        person=True,
        ahead_s=300,
    )
    assert (fields.name, fields.sex, fields.history, fields.vitals) == ("张三", "female", "a b", {"spo2": 97})
    assert fields.callback_phone is not None and fields.callback_phone.startswith("138 0000(儿子)")
    assert (fields.age_years, fields.patient_ref, fields.onset_at, fields.acquired_at) == (None,) * 4
    assert set(fields.dropped or ()) == {
        "callback_phone", "age", "history", "patient_ref", "onset_at", "acquired_at", "electrode_set",
        "vitals.sbp", "vitals.?",
    }  # fmt: skip
    assert take_fields({"age": "61"}, now=now).dropped is None


@pytest.mark.parametrize("field", ["site", "device", "case_id"])
def test_what_says_where_an_ecg_belongs_is_never_left_out(field: str) -> None:
    """Without it the ECG might go astray."""
    with pytest.raises(IngestError) as refused:
        take_fields({field: "../etc"})
    assert refused.value.code == "bad_field"


def test_marks_that_show_nothing_are_no_part_of_what_was_said() -> None:
    """As programs put them around numbers that are copied: a gateway could not call such a number."""
    said = {
        "phone": "\u202d13800001111\u202c",
        "name": "\u202e王\u200b芳",
        "patient_ref": "\u206812\u2069",
        "history": "\u200b",
    }
    fields = take_fields(said)
    assert (fields.phone, fields.name, fields.patient_ref) == ("13800001111", "王芳", "12")
    assert fields.history is None and fields.dropped is None
