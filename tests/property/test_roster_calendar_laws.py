"""Calendars: what leaves comes back as it was, twice changes nothing, and no file brings the reader down."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from greenchannel.alerts.roster_edit import DutyShift
from greenchannel.alerts.roster_ical import Read, read_calendar
from greenchannel.alerts.roster_ical_write import write_calendar
from greenchannel.alerts.roster_import import Merge, merge
from tests.roster_calendars import APPLE, GOOGLE, OUTLOOK, ics

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
# Names that a calendar could stumble over: its own punctuation, line ends, quotes, Chinese, a mail address.
PEOPLE = {
    "li": "李医生 Dr Li",
    "wang;x": 'Wang, "the" second; of\\two',
    "zhao@hospital.cn": "赵主任：总值班",
    "a b:c": "with\nline",
    "Zoë": "Zoë",
}
SITES = ["east", "西村,卫生室;1"]


def read(data: bytes) -> Read:
    return read_calendar(data, people=PEOPLE, sites=SITES, zone=ZoneInfo("Asia/Shanghai"), now=NOW)


def applied(roster: list[DutyShift], found: Merge) -> list[DutyShift]:
    """The roster after an import."""
    now = {one.id: one for one in roster}
    for gone in found.removed:
        del now[gone.id]
    now |= {one.id: one for one in found.added} | {one.id: one for _, one in found.changed}
    return sorted(now.values(), key=lambda one: one.id)


def imported(roster: list[DutyShift], data: bytes) -> Merge:
    found = read(data)
    assert found.wrong == (), [str(one) for one in found.wrong]
    return merge(found.series, roster, start=found.start, end=found.end)


@st.composite
def rosters(draw: st.DrawFn) -> list[DutyShift]:
    """Any shifts in force, in whole seconds, years back and ahead."""
    shifts = []
    for number in range(draw(st.integers(0, 12))):
        start = NOW + timedelta(seconds=draw(st.integers(-(10**8), 10**8)))
        shifts.append(
            DutyShift(
                id=draw(st.sampled_from(["s", "first-li", "值 班", "a@b", "x/y?z=1&%", "pattern-d"]))
                + str(number),
                role=draw(st.sampled_from(["first", "second", "head"])),
                person=draw(st.sampled_from(sorted(PEOPLE))),
                start=start,
                end=start + timedelta(seconds=draw(st.integers(1, 10**6))),
                site=draw(st.none() | st.sampled_from(SITES)),
            )
        )
    return sorted(shifts, key=lambda one: one.id)


@given(rosters())
def test_what_is_exported_comes_back_into_an_empty_roster_as_it_was(shifts: list[DutyShift]) -> None:
    """Same ids, roles, people, sites and instants; and exported again it is the same file."""
    data = write_calendar(shifts, PEOPLE, NOW)
    if not shifts:
        return
    back = applied([], imported([], data))

    assert back == shifts
    assert write_calendar(back, PEOPLE, NOW) == data
    assert imported(back, data).empty


@given(rosters(), st.data())
def test_an_import_makes_the_roster_as_the_file_says_and_again_changes_nothing(
    shifts: list[DutyShift], data: st.DataObject
) -> None:
    """Whatever was moved, taken off or entered since: the file's shifts are as the file says, others stay."""
    if not shifts:
        return
    file = write_calendar(shifts, PEOPLE, NOW)
    roster = [one for one in shifts if data.draw(st.booleans())]
    roster = [
        msgspec.structs.replace(one, end=one.end + timedelta(seconds=data.draw(st.integers(0, 2))))
        for one in roster
    ]
    other = DutyShift(id="other", role="first", person="li", start=NOW, end=NOW + timedelta(hours=1))
    after = applied([*roster, other], imported([*roster, other], file))

    assert [one for one in after if one.id != "other"] == shifts and other in after
    assert imported(after, file).empty


LARGE = st.sampled_from([ics(GOOGLE), ics(OUTLOOK), ics(APPLE)])


@given(
    LARGE,
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.binary(max_size=6)), min_size=1, max_size=4),
)
@settings(max_examples=300)
def test_no_file_brings_the_reader_down(data: bytes, cuts: list[tuple[float, float, bytes]]) -> None:
    """Real files with pieces cut out, exchanged and put in: shifts, or faults and no shifts, but never an error."""
    for where, length, instead in cuts:
        place = round(where * len(data))
        data = data[:place] + instead + data[place + round(length**4 * 60) :]
    found = read(data)
    assert not (found.wrong and found.series)


WORDS = st.sampled_from(
    [
        "DTSTART:20260302T000000Z", "DTSTART;VALUE=DATE:20260302", "DTSTART;TZID=Europe/Berlin:20260302T080000",
        "DTSTART:20260302T080000", "DTEND:20260302T120000Z", "DTEND;VALUE=DATE:20260303", "DURATION:PT12H",
        "DURATION:P1D", "DURATION:-PT1H", "DURATION:", "SUMMARY:first: li", "SUMMARY:", "SUMMARY;X=1:second：Zoë",
        "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY;BYDAY=MO", "RRULE:", "RRULE:FREQ=MONTHLY;BYDAY=99MO",
        "RRULE:FREQ=YEARLY;BYMONTH=13", "RRULE:FREQ=MONTHLY;BYMONTHDAY=0", "RRULE:FREQ=DAILY;UNTIL=20260304T000000",
        "RRULE:FREQ=MONTHLY;BYSETPOS=0;BYDAY=MO", "RRULE:FREQ=DAILY;COUNT=999999999999999999999",
        "RRULE:FREQ=DAILY;INTERVAL=999999999999999999999", "RRULE:FREQ=WEEKLY;WKST=XX", "EXDATE:20260302T000000Z",
        "EXDATE;VALUE=DATE:20260302", "EXDATE:x", "RDATE:20260303T000000Z", "RDATE;VALUE=PERIOD:20260303T000000Z/PT1H",
        "RECURRENCE-ID:20260302T000000Z", "RECURRENCE-ID;VALUE=DATE:20260302", "STATUS:CANCELLED", "SEQUENCE:x",
        "SEQUENCE:3", "UID:2", "UID:", "ATTENDEE:li", "ATTENDEE:", "ATTENDEE;CN=x:mailto:%zz@x", "CATEGORIES:head,x",
        "BEGIN:VALARM", "END:VALARM", "X-GREENCHANNEL-SITE:east", "X-GREENCHANNEL-ROLE:first", "LOCATION:x",
    ]
)  # fmt: skip


@given(st.lists(st.lists(WORDS, max_size=8), max_size=3))
@settings(max_examples=300)
def test_no_mixture_of_properties_brings_the_reader_down(events: list[list[str]]) -> None:
    """Properties that are each at home in a calendar, in any order and number."""
    text = "".join("\n".join(["BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT", ""]) for lines in events)
    found = read(ics(f"BEGIN:VCALENDAR\n{text}END:VCALENDAR\n"))
    assert not (found.wrong and found.series)
    for one in (planned for series in found.series for planned in series.planned):
        assert one.start < one.end and one.start.tzinfo is not None
