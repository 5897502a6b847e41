"""Calendar files of Google, Outlook and Apple as shifts; what cannot be read, in words and quickly."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from greenchannel.alerts.roster_ical import Planned, Read, read_calendar
from tests.roster_calendars import APPLE, GOOGLE, LI, OUTLOOK, SPAN, calendar, event, ics

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
PEOPLE = {"li": "李医生", "wang": "王医生", "zhao": "赵主任", "zhang1": "张医生", "zhang2": "张医生"}


def read(data: bytes, *, site: str | None = None) -> Read:
    return read_calendar(data, people=PEOPLE, sites=["east"], zone=SHANGHAI, now=NOW, site=site)


def planned(data: bytes) -> list[Planned]:
    found = read(data)
    assert found.wrong == (), [str(one) for one in found.wrong]
    return sorted((one for series in found.series for one in series.planned), key=lambda one: one.start)


def rows(data: bytes, zone: ZoneInfo = SHANGHAI) -> list[tuple[str, str, str, str]]:
    """Role, person, beginning and end as clocks in the zone show them."""
    return [
        (
            one.role,
            one.person,
            f"{one.start.astimezone(zone):%m-%d %H:%M}",
            f"{one.end.astimezone(zone):%m-%d %H:%M}",
        )
        for one in planned(data)
    ]


def faults(data: bytes) -> list[str]:
    found = read(data)
    assert found.wrong and found.series == (), "nothing of a broken file may be taken"
    assert all(one.zh and one.en for one in found.wrong)
    return [one.en for one in found.wrong]


def test_a_calendar_of_google() -> None:
    """A weekly rule in Shanghai time, a day left out, a repeat moved to another hour and person, one cancelled."""
    assert rows(ics(GOOGLE)) == [
        ("first", "li", "03-02 08:00", "03-02 20:00"),
        ("first", "li", "03-04 08:00", "03-04 20:00"),
        ("first", "wang", "03-11 10:00", "03-11 22:00"),
        ("first", "li", "03-16 08:00", "03-16 20:00"),
        ("first", "li", "03-23 08:00", "03-23 20:00"),
        ("first", "li", "03-25 08:00", "03-25 20:00"),
        ("first", "li", "03-30 08:00", "03-30 20:00"),
    ]
    (series,) = read(ics(GOOGLE)).series
    assert series.dropped == (datetime(2026, 3, 18, tzinfo=UTC),)
    assert planned(ics(GOOGLE))[2].occurrence == datetime(2026, 3, 11, tzinfo=UTC)


def test_a_calendar_of_outlook() -> None:
    """Its own zone names, with and without their rules in the file; a night over the change of clocks ends at eight."""
    found = rows(ics(OUTLOOK), BERLIN)
    assert [row for row in found if row[0] == "head"] == [
        ("head", "zhao", "03-27 20:00", "03-28 08:00"),
        ("head", "zhao", "03-28 20:00", "03-29 08:00"),
        ("head", "zhao", "03-29 20:00", "03-30 08:00"),
    ]
    nights = [one.end - one.start for one in planned(ics(OUTLOOK)) if one.role == "head"]
    assert nights == [timedelta(hours=12), timedelta(hours=11), timedelta(hours=12)]
    assert [row[2] for row in rows(ics(OUTLOOK)) if row[0] == "second"] == ["03-01 08:00", "03-31 08:00"]


def test_a_calendar_of_apple() -> None:
    """A day without times, and a floating time with a duration: both as the network's clocks show them, and said."""
    assert rows(ics(APPLE)) == [
        ("first", "li", "03-04 00:00", "03-05 00:00"),
        ("second", "wang", "03-06 20:00", "03-07 08:00"),
    ]
    assert {one.code for one in read(ics(APPLE)).notes} == {"day", "floating"}


@pytest.mark.parametrize(
    ("lines", "person"),
    [
        (("SUMMARY:first: 李医生",), "li"),
        (("SUMMARY:FIRST:  LI",), "li"),
        (("SUMMARY:一线：王医生",), "wang"),
        (("SUMMARY:first", "ATTENDEE:mailto:zhao@a.example"), "zhao"),
        (("SUMMARY:first", "ATTENDEE:zhao"), "zhao"),
        (("SUMMARY:first: 张医生", "ATTENDEE:mailto:zhang2@a.example"), "zhang2"),
        (("SUMMARY:first", "ATTENDEE;PARTSTAT=DECLINED:mailto:li@a", "ATTENDEE:mailto:wang@a"), "wang"),
        (("SUMMARY:first: 李医生", "ATTENDEE:mailto:li@a", "ATTENDEE:mailto:wang@a"), "li"),
        (("SUMMARY:duty", "X-GREENCHANNEL-ROLE:first", "ATTENDEE:mailto:li@a"), "li"),
    ],
)
def test_a_person_is_found_by_address_or_by_title(lines: tuple[str, ...], person: str) -> None:
    """A mail address that begins with the id, the id, or the name behind the colon."""
    (one,) = planned(calendar(event(*SPAN, *lines)))
    assert (one.role, one.person) == ("first", person)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((*SPAN, "SUMMARY:first: 张医生"), "expected a person who is known, got 张医生"),
        ((*SPAN, "SUMMARY:first: 陌生人", "ATTENDEE:mailto:who@a"), "got 陌生人, mailto:who@a"),
        ((*SPAN, "SUMMARY:first"), "got nobody"),
        (
            (*SPAN, "SUMMARY:first: 李医生", "ATTENDEE:mailto:wang@a"),
            "the title says li, the attendee is wang",
        ),
        ((*SPAN, "SUMMARY:first", "ATTENDEE:mailto:wang@a", "ATTENDEE:mailto:li@a"), "expected one person"),
        ((*SPAN, "SUMMARY:tea: 李医生"), "expected a role"),
        ((*SPAN, LI, "X-GREENCHANNEL-SITE:moon"), "expected a site that is known, got moon"),
        (("DTSTART:20260302T000000Z", LI), "expected DTEND or DURATION"),
        (("DTSTART:20260302T000000Z", "DTEND:20260302T000000Z", LI), "an end after the beginning"),
        (("DTSTART:20260302T000000Z", "DTEND:20260301T000000Z", LI), "an end after the beginning"),
        (("DTSTART:20260230T250000Z", "DTEND:20260301T000000Z", LI), "expected DTSTART that can be read"),
        (("DTEND:20260301T000000Z", LI), "expected DTSTART as a time"),
        (("DTSTART;TZID=Mars/Olympus:20260302T080000", "DTEND:20260303T000000Z", LI), "got Mars/Olympus"),
        (("DTSTART:99990302T000000Z", "DTEND:99990302T120000Z", LI), "expected a year"),
        ((*SPAN, LI, "RRULE:FREQ=HOURLY"), "expected FREQ among"),
        ((*SPAN, LI, "RRULE:FREQ=DAILY;BYHOUR=1,2"), "got DAILY with BYHOUR"),
        ((*SPAN, LI, "RRULE:FREQ=DAILY;INTERVAL=0"), "INTERVAL and COUNT of at least 1"),
        ((*SPAN, LI, "RRULE:FREQ=MONTHLY;BYDAY=1MO", "RRULE:FREQ=DAILY"), "expected one RRULE"),
        ((*SPAN, LI, "RRULE:FREQ=WEEKLY;UNTIL=soon"), "RRULE that can be read"),
        ((*SPAN, LI, "EXRULE:FREQ=WEEKLY"), "EXDATE instead of EXRULE"),
        ((*SPAN, LI, "RDATE;VALUE=PERIOD:20260302T000000Z/PT1H"), "got a period"),
        ((*SPAN, LI, "RECURRENCE-ID;RANGE=THISANDFUTURE:20260302T000000Z"), "got a RANGE"),
        ((*SPAN, *SPAN, LI), "expected one DTSTART, got 2"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_taken(lines: tuple[str, ...], said: str) -> None:
    """The fault, where it is, and not one shift of the whole file."""
    data = calendar(event(*SPAN, LI, uid="good@x"), event(*lines, uid="bad@x"))
    (fault,) = faults(data)
    assert said in fault


def test_all_faults_are_listed_with_their_places() -> None:
    """Not the first alone; and without a UID an event cannot be found again."""
    bad = [event(*SPAN, f"SUMMARY:first: 无名{n}", uid=f"{n}@x") for n in range(3)]
    found = read(calendar(*bad, event(*SPAN, LI).replace("UID:1@x\n", "")))
    assert [one.where.split()[0:2] for one in found.wrong if "无名" in one.en] == [
        ["first:", f"无名{n}"] for n in range(3)
    ]
    assert any("expected one UID" in one.en for one in found.wrong)
    assert len(read(calendar(*[event(*SPAN, "SUMMARY:x", uid=f"{n}@x") for n in range(300)])).wrong) <= 51


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff\xfe\x00",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR",
        b"BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n",
        calendar(),
        ics(GOOGLE)[:900],
    ],
)
def test_what_is_no_calendar_is_refused(data: bytes) -> None:
    """Empty, text, bytes, cut in the middle, without an event."""
    assert len(faults(data)) == 1


def test_rules_mean_what_the_standard_says() -> None:
    """COUNT counts the first, UNTIL is within, BYDAY may have a number, RDATE adds, EXDATE of a day drops."""

    def starts(*lines: str) -> list[str]:
        return [
            f"{one.start:%m-%d}"
            for one in planned(calendar(event(*SPAN, LI, *lines)))
            if one.start.year == 2026
        ]

    assert starts("RRULE:FREQ=DAILY;COUNT=3") == ["03-02", "03-03", "03-04"]
    assert starts("RRULE:FREQ=DAILY;UNTIL=20260304T000000Z") == ["03-02", "03-03", "03-04"]
    assert starts("RRULE:FREQ=DAILY;UNTIL=20260304") == ["03-02", "03-03", "03-04"]
    assert starts("RRULE:FREQ=DAILY;INTERVAL=2;BYDAY=MO,TU;UNTIL=20260320T000000Z") == [
        "03-02",
        "03-10",
        "03-16",
    ]
    assert starts("RRULE:FREQ=MONTHLY;BYDAY=1MO;COUNT=3") == ["03-02", "04-06", "05-04"]
    assert starts("RRULE:FREQ=DAILY;BYMONTHDAY=-1;COUNT=3") == ["03-02", "03-31", "04-30"]
    assert starts("RRULE:FREQ=WEEKLY;BYMONTH=3,5;BYDAY=MO;UNTIL=20260512T000000Z") == [
        "03-02", "03-09", "03-16", "03-23", "03-30", "05-04", "05-11",
    ]  # fmt: skip
    assert starts("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2MO;UNTIL=20261231") == ["03-02", "03-09"]
    assert starts("RDATE:20260310T000000Z,20260312T000000Z") == ["03-02", "03-10", "03-12"]
    assert starts("RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260303") == ["03-02", "03-04"]


def test_repeats_go_some_way_back_and_ahead_and_no_further() -> None:
    """A rule without an end that began 30 years ago: 31 days back, 400 ahead."""
    old = ("DTSTART:19960302T000000Z", "DTEND:19960302T120000Z", LI, "RRULE:FREQ=DAILY")
    found = planned(calendar(event(*old)))
    assert len(found) == 431
    assert found[0].start >= NOW - timedelta(days=31) and found[-1].start <= NOW + timedelta(days=400)


def test_cancelled_and_newer_versions() -> None:
    """STATUS and METHOD cancel; of two versions the one of the higher SEQUENCE holds; two of one number are a fault."""
    off = event(*SPAN, "SUMMARY:whatever", "STATUS:CANCELLED")
    assert [one.cancelled for one in read(calendar(off)).series] == [True]
    assert [one.cancelled for one in read(calendar(event(*SPAN, LI), method="CANCEL")).series] == [True]
    two = (event(*SPAN, LI, "SEQUENCE:1"), event(*SPAN, "SUMMARY:first: 王医生", "SEQUENCE:2"))
    for pair in (two, two[::-1]):
        assert [one.person for one in planned(calendar(*pair))] == ["wang"]
    assert "got 2 that differ" in faults(calendar(event(*SPAN, LI), event(*SPAN, "SUMMARY:first: 王医生")))[0]


def test_a_repeat_alone_says_nothing_of_the_others() -> None:
    """An invitation to one repeat: that one is known by its number, the rest is not touched."""
    moved = event(*SPAN, LI, "RECURRENCE-ID:20260301T000000Z")
    (series,) = read(calendar(moved)).series
    assert not series.whole and [one.occurrence for one in series.planned] == [
        datetime(2026, 3, 1, tzinfo=UTC)
    ]


def test_the_site_of_a_calendar() -> None:
    """Given for the file, or by the event itself."""
    own = event(*SPAN, LI, "X-GREENCHANNEL-SITE:east", uid="2@x")
    found = read(calendar(event(*SPAN, LI), own), site=None).series
    assert [series.planned[0].site for series in found] == [None, "east"]
    assert [series.planned[0].site for series in read(calendar(event(*SPAN, LI)), site="east").series] == [
        "east"
    ]


BOMBS = {
    "every second for 100 years": [event(*SPAN, LI, "RRULE:FREQ=SECONDLY;UNTIL=21260302T000000Z")],
    "every minute": [event(*SPAN, LI, "RRULE:FREQ=MINUTELY;COUNT=2147483647")],
    "all hours of all days": [
        event(*SPAN, LI, "RRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4;BYMINUTE=0,1;BYSECOND=0,1")
    ],
    "daily since 1970, a thousand times": [
        event("DTSTART:19700302T000000Z", "DTEND:19700302T120000Z", LI, "RRULE:FREQ=DAILY", uid=f"{n}@x")
        for n in range(1000)
    ],
    "never, in ways that take long": [
        event(*SPAN, LI, "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", uid=f"{n}@x") for n in range(200)
    ],
    "daily for ever, a thousand times": [
        event(*SPAN, LI, "RRULE:FREQ=DAILY", uid=f"{n}@x") for n in range(1000)
    ],
    "too many events": ["BEGIN:VEVENT\nEND:VEVENT\n" * 20_000],
    "too large": [event(*SPAN, LI, "DESCRIPTION:" + "x" * 2_100_000)],
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_quickly(name: str) -> None:
    """Whatever is in it: within seconds, and nothing is taken. The bound is many times what it takes."""
    data = calendar(*BOMBS[name])
    began_s = time.thread_time()
    assert faults(data)
    assert time.thread_time() - began_s < 20.0


def test_what_rules_may_cost_is_counted_by_the_given_meter() -> None:
    """Not by luck: with a meter that jumps, the second step is one too many."""
    seconds = iter(range(0, 1000, 100))
    found = read_calendar(
        calendar(event(*SPAN, LI, "RRULE:FREQ=DAILY;COUNT=5")),
        people=PEOPLE,
        sites=[],
        zone=SHANGHAI,
        now=NOW,
        meter_s=lambda: float(next(seconds)),
    )
    assert "worked out within seconds" in found.wrong[0].en
