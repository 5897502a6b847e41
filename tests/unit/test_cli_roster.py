"""`greenchannel roster`: every change is in the log, a file is taken whole or not, the look ahead has a status."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from greenchannel.alerts.duty_calendar import chinese_calendar
from greenchannel.cli.main import app
from greenchannel.events import Envelope, RosterChanged
from greenchannel.store.accounts import Accounts
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.log import Log
from tests.roster_calendars import calendar, event

runner = CliRunner()
DAY = (datetime.now(UTC) + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A service's folder with two doctors, a nurse of one clinic, and nobody on duty."""
    engine = open_engine(f"sqlite:///{tmp_path / 'greenchannel.sqlite'}")
    migrate(engine)
    accounts = Accounts(engine)
    accounts.add_site("east", "东村", "East", "clinic", timezone="Europe/Berlin")
    accounts.add_user("li", "李医生", "cardiologist", "pw")
    accounts.add_user("wang", "王医生", "reader", "pw")
    accounts.add_user("village", "村医", "clinic", "pw", frozenset({"east"}))
    engine.dispose()
    return tmp_path


def call(data: Path, *words: str, status: int = 0) -> Result:
    done = runner.invoke(app, ["roster", *words, "--data", str(data)])
    assert done.exit_code == status, done.output
    return done


def log(data: Path) -> list[Envelope]:
    engine = open_engine(f"sqlite:///{data / 'greenchannel.sqlite'}")
    found = Log(engine).read_stream("roster")
    engine.dispose()
    return found


def changes(data: Path) -> list[tuple[str, str]]:
    return [(one.event.change, one.event.person) for one in log(data) if isinstance(one.event, RosterChanged)]


def add(
    data: Path, person: str = "li", role: str = "first", hours: float = 12, *more: str, status: int = 0
) -> str:
    end = DAY + timedelta(hours=hours)
    words = ("add", person, "--role", role, "--from", DAY.isoformat(), "--to", end.isoformat(), *more)
    return call(data, *words, status=status).stdout.strip()


def test_adding_swapping_and_removing_are_in_the_log_with_who(data: Path) -> None:
    """Each with the name of the account that ran the command."""
    shift = add(data)
    assert shift == f"first-li-{DAY:%Y%m%dT%H%MZ}"
    parts = call(
        data,
        "swap",
        shift,
        "--to",
        "wang",
        "--reason",
        "congress",
        "--from",
        (DAY + timedelta(hours=6)).isoformat(),
    )
    assert [line.split("\t")[1:3] for line in parts.stdout.splitlines()] == [
        ["first", "li"],
        ["first", "wang"],
    ]
    listed = [line.split("\t") for line in call(data, "list").stdout.splitlines()]
    assert [row[2] for row in listed] == ["li", "wang"]
    call(data, "disable", listed[0][0])
    assert changes(data) == [("added", "li"), ("swapped", "wang"), ("removed", "li")]
    assert all(one.actor.startswith("cli") for one in log(data))
    assert "given away" in call(data, "disable", shift, status=1).stderr


def test_what_is_refused_says_why_in_both_languages_and_leaves_no_trace(data: Path) -> None:
    """Roles, people and sites that do not fit; the second of two equal shifts; an overlap is a warning."""
    for person, role, more in (
        ("village", "first", ()),
        ("nobody", "first", ()),
        ("li", "tea", ()),
        ("li", "first", ("--site", "x")),
    ):
        span = ("--from", DAY.isoformat(), "--to", (DAY + timedelta(hours=1)).isoformat())
        said = call(data, "add", person, "--role", role, *span, *more, status=1).stderr
        assert "expected" in said and " / " in said
    assert log(data) == []
    add(data)
    add(data, status=1)
    end = (DAY + timedelta(hours=2)).isoformat()
    done = call(data, "add", "wang", "--role", "first", "--from", DAY.isoformat(), "--to", end)
    assert "overlap" in done.stderr


def test_a_shift_that_is_over_is_taken_and_said_to_be(data: Path) -> None:
    """Somebody copied last year's line; of one that runs nothing is said."""
    past = ("--from", "2025-05-01T08:00+08:00", "--to", "2025-05-01T20:00+08:00")
    assert "已结束" in call(data, "add", "li", "--role", "first", *past).stderr
    now = datetime.now(UTC).replace(microsecond=0)
    span = ("--from", (now - timedelta(hours=1)).isoformat(), "--to", (now + timedelta(hours=1)).isoformat())
    assert "已结束" not in call(data, "add", "li", "--role", "second", *span).stderr


def test_a_calendar_goes_out_and_in(data: Path, tmp_path: Path) -> None:
    """Tried, taken, again; with a fault nothing is taken and each is listed."""
    file = tmp_path / "roster.ics"
    span = (f"DTSTART:{DAY:%Y%m%dT%H%M%SZ}", "DURATION:PT12H")
    file.write_bytes(
        calendar(event(*span, "SUMMARY:一线：李医生"), event(*span, "SUMMARY:second: wang", uid="2@x"))
    )
    assert "2 new" in call(data, "import", str(file), "--dry-run").stdout and log(data) == []
    assert "2 new, 0 changed, 0 removed, 0 as they were" in call(data, "import", str(file)).stdout
    assert "0 new, 0 changed, 0 removed, 2 as they were" in call(data, "import", str(file)).stdout
    assert changes(data) == [("imported", "li"), ("imported", "wang")]
    out = tmp_path / "out.ics"
    call(data, "export", str(out))
    assert "2 as they were" in call(data, "import", str(out)).stdout
    file.write_bytes(
        calendar(event(*span, "SUMMARY:first: 谁", uid="3@x"), event(*span, "SUMMARY:tea", uid="4@x"))
    )
    said = call(data, "import", str(file), status=1).stderr
    assert "谁" in said and "tea" in said and len(changes(data)) == 2


def test_floating_times_of_a_sites_calendar_are_in_its_zone(data: Path, tmp_path: Path) -> None:
    """The site stands in Berlin, the network in Shanghai."""
    file = tmp_path / "roster.ics"
    file.write_bytes(calendar(event("DTSTART:20270115T080000", "DURATION:PT1H", "SUMMARY:first: li")))
    done = call(data, "import", str(file), "--site", "east")
    assert "Europe/Berlin" in done.stderr
    (changed,) = [one.event for one in log(data) if isinstance(one.event, RosterChanged)]
    assert changed.site == "east" and changed.starts == datetime(2027, 1, 15, 7, tzinfo=UTC)


def test_patterns_become_shifts_and_unknown_days_are_named(data: Path, tmp_path: Path) -> None:
    """Again it changes nothing; a day nobody knows yet has no shift that depends on it, and the status says so."""
    file = tmp_path / "patterns.toml"
    file.write_text(
        '[[pattern]]\nname = "night"\nrole = "first"\npeople = ["li", "wang"]\nbegins = "20:00"\nends = "08:00"\n'
        '[[pattern]]\nname = "day"\nrole = "second"\npeople = ["li"]\nbegins = "08:00"\nends = "17:00"\n'
        'days = ["working"]\n'
    )
    known = max(chinese_calendar().years)
    words = ("plan", str(file), "--from", f"{known}-10-01", "--to", f"{known}-10-09")
    done = call(data, *words)
    assert "0 changed, 0 removed" in done.stdout
    again = call(data, *words)
    assert "0 new" in again.stdout and len(changes(data)) == int(done.stdout.split(" new")[0].split("\n")[-1])
    unknown = call(
        data, "plan", str(file), "--from", f"{known + 1}-05-03", "--to", f"{known + 1}-05-03", status=1
    )
    assert date(known + 1, 5, 3).isoformat() in unknown.stderr and "1 new" in unknown.stdout
    own = tmp_path / "days.toml"
    own.write_text(f'[[day]]\ndate = {known + 1}-05-03\nkind = "working"\n')
    both = call(
        data,
        "plan",
        str(file),
        "--from",
        f"{known + 1}-05-03",
        "--to",
        f"{known + 1}-05-03",
        "--calendar",
        str(own),
    )
    assert "1 new, 0 changed, 0 removed, 1 as they were" in both.stdout
    own.write_text("nonsense")
    call(data, *words, "--calendar", str(own), status=1)


def test_the_look_ahead_has_a_line_for_each_doubt_and_a_status(data: Path) -> None:
    """Role, from, to, what, who; nothing and 0 where all is well."""
    now = datetime.now(UTC).replace(microsecond=0)
    begin, end = (now - timedelta(hours=1)).isoformat(), (now + timedelta(days=5)).isoformat()
    call(data, "add", "li", "--role", "first", "--from", begin, "--to", end)
    assert call(data, "check", "--role", "first").stdout == ""
    rows = [line.split("\t") for line in call(data, "check", status=1).stdout.splitlines()]
    assert [(row[0], row[3]) for row in rows] == [("second", "empty"), ("head", "empty")]
    assert all("无人值班" in row[7] for row in rows)
    engine = open_engine(f"sqlite:///{data / 'greenchannel.sqlite'}")
    Accounts(engine).disable_user("li")
    engine.dispose()
    (row,) = [
        line.split("\t") for line in call(data, "check", "--role", "first", status=1).stdout.splitlines()
    ]
    assert row[3:5] == ["disabled", "li"]
