"""One byte of any past event is changed in the database's file: `greenchannel audit verify` says so, and where.

The database is that of a real desk: ECGs that were uploaded, alerts, answers, green channels, looks at cases.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from greenchannel.cli.main import app
from greenchannel.store.access import AccessLog
from greenchannel.store.chain import VerifyReport
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from tests.desk_world import World, dicom, person

EVENTS = 200
UPLOADS = 30
COLUMNS = {
    "log": ("seq", "stream", "version", "at", "clock", "actor", "type", "body", "hash"),
    "access_log": ("seq", "at", "actor", "action", "case_id", "detail", "hash"),
}
NAMES = {"log": "log", "access_log": "access log"}
many = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Files:
    """The database as it was written, and a copy that is spoilt and mended again and again."""

    written: Path
    copy: Path
    rows: dict[str, int]

    def renew(self) -> None:
        """The copy is as it was written."""
        self.copy.mkdir(exist_ok=True)
        for left in self.copy.iterdir():
            left.unlink()
        shutil.copyfile(self.written / "greenchannel.sqlite", self.copy / "greenchannel.sqlite")


async def _some_days(world: World) -> None:
    async with world.desk() as desk:
        for number in range(UPLOADS):
            case_id = (await world.send(desk, dicom(seed=number), patient_ref=f"p-{number}")).case_id
            alert = desk.book.cases[case_id].alert
            assert alert is not None
            await desk.answers.acknowledge(alert.alert_id, person("chen"))
            await desk.answers.open_green_channel(case_id, person("chen"))
            for look in range(1 + number % 2):
                desk.access.note("user:chen", "open_case", case_id, f"看 {look}", world.clock.now())
            world.pass_time(30)
            while await desk.duty.fire_due():
                pass
        for number in range(200):
            desk.access.note("user:quality", "look_waveform", None, f"reason {number}", world.clock.now())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    written = tmp_path_factory.mktemp("written")
    asyncio.run(_some_days(World(folder=written)))
    connection = sqlite3.connect(written / "greenchannel.sqlite")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COLUMNS}
    connection.close()
    assert min(rows.values()) >= EVENTS, rows
    return Files(written, tmp_path_factory.mktemp("copy"), rows)


def verify(folder: Path, *more: str) -> Result:
    """The command, as it is typed."""
    return CliRunner().invoke(app, ["audit", "verify", "--data", str(folder), *more])


def flipped(value: object, place: int, bit: int) -> object:
    """A stored value with one bit of one of its bytes turned over; None: nothing is stored that could be changed."""
    if isinstance(value, int):
        return value ^ (1 << (place * 8 + bit) % 40)
    if isinstance(value, str):
        return flipped(value.encode(), place, bit)
    if isinstance(value, bytes) and value:
        at = place % len(value)
        return value[:at] + bytes([value[at] ^ (1 << bit)]) + value[at + 1 :]
    return None


def spoil(
    connection: sqlite3.Connection, table: str, column: str, row: int, place: int, bit: int
) -> tuple[object, int] | None:
    """Change one bit of one value; give it as it was and where the chain breaks now, None where there is none."""
    value = connection.execute(f"SELECT {column} FROM {table} WHERE seq = ?", (row,)).fetchone()[0]
    while (new := flipped(value, place, bit)) is not None:
        try:
            _put(connection, table, column, row, new, text=isinstance(value, str))
        except sqlite3.IntegrityError:  # the number of another row: no file has it twice
            place += 1
            continue
        return value, 1 if column == "seq" and new == 0 else row
    return None


def _put(
    connection: sqlite3.Connection, table: str, column: str, row: object, value: object, *, text: bool
) -> None:
    shown = "CAST(? AS TEXT)" if text else "?"
    connection.execute(f"UPDATE {table} SET {column} = {shown} WHERE seq = ?", (value, row))


def test_an_untouched_database_is_unbroken_and_its_head_can_be_given_back(files: Files) -> None:
    """What the command prints as the head is what `--known` takes."""
    files.renew()
    said = verify(files.copy)
    lines = said.output.splitlines()
    heads = [line.rpartition(" ")[2] for line in lines if "unbroken" in line]

    assert said.exit_code == 0 and len(heads) == 2, said.output
    assert "each as the log has it" in lines[2] and "not covered" in lines[3] and "shifts" in lines[3]
    assert verify(files.copy, "--known", heads[0], "--known-access", heads[1]).exit_code == 0


@pytest.mark.parametrize("table", COLUMNS)
@many
@given(data=st.data())
def test_one_bit_anywhere_is_named_by_the_command(files: Files, table: str, data: st.DataObject) -> None:
    """Any column, any row, any byte: the exit status is 1 and the row's number stands in the answer."""
    column = data.draw(st.sampled_from(COLUMNS[table]))
    row = data.draw(st.integers(1, files.rows[table]))
    files.renew()
    connection = sqlite3.connect(files.copy / "greenchannel.sqlite", isolation_level=None)
    place, bit = data.draw(st.integers(0, 5000)), data.draw(st.integers(0, 7))
    done = spoil(connection, table, column, row, place, bit)
    connection.close()
    said = verify(files.copy)

    assert said.exit_code == (0 if done is None else 1), said.output
    assert done is None or f"{NAMES[table]}: broken at {done[1]}:" in said.output


@pytest.mark.parametrize("table", COLUMNS)
def test_every_column_of_every_row_is_covered(files: Files, table: str) -> None:
    """None left out: each value that is stored is changed once, found at its place, and mended."""
    files.renew()
    connection = sqlite3.connect(files.copy / "greenchannel.sqlite", isolation_level=None)
    engine = open_engine(f"sqlite:///{files.copy / 'greenchannel.sqlite'}")
    chain: Callable[[], VerifyReport] = Log(engine).verify if table == "log" else AccessLog(engine).verify
    tried = 0
    for row in range(1, files.rows[table] + 1):
        for column in COLUMNS[table][1:]:
            done = spoil(connection, table, column, row, row * 7, row % 8)
            if done is None:
                continue
            report, before = chain(), done[0]
            _put(connection, table, column, row, before, text=isinstance(before, str))
            tried += 1
            assert (report.ok, report.bad_seq) == (False, row), (column, row, report)
    assert chain().ok
    connection.close()
    engine.dispose()
    print(f"{tried} of {tried} changed values of {files.rows[table]} rows of {table} were found and named")


@many
@given(data=st.data())
def test_one_byte_of_the_file_itself_is_named(files: Files, data: st.DataObject) -> None:
    """No statement in between: a byte of the stored record, found in the file and turned over there."""
    files.renew()
    path = files.copy / "greenchannel.sqlite"
    connection = sqlite3.connect(path)
    row = data.draw(st.integers(1, files.rows["log"]))
    query = "SELECT type, body, hash FROM log WHERE seq = ?"
    kind, body, link = connection.execute(query, (row,)).fetchone()
    connection.close()
    whole = bytearray(path.read_bytes())
    end = whole.find(kind.encode() + body + link)  # a body of more than a page lies in pieces
    if end < 0:
        end, length = whole.find(body[:200]), 200
    else:
        length = len(kind) + len(body) + len(link)
    assert end > 0
    at = end + data.draw(st.integers(0, length - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    said = verify(files.copy)

    assert said.exit_code == 1 and f"log: broken at {row}:" in said.output, said.output


@many
@given(data=st.data())
def test_a_record_whose_frame_is_damaged_is_never_taken_for_sound(files: Files, data: st.DataObject) -> None:
    """The bytes before the values say how long they are: whatever the database makes of them, a place is named."""
    files.renew()
    path = files.copy / "greenchannel.sqlite"
    connection = sqlite3.connect(path)
    row = data.draw(st.integers(1, files.rows["log"]))
    stream = connection.execute("SELECT stream FROM log WHERE seq = ?", (row,)).fetchone()[0].encode()
    body = connection.execute("SELECT body FROM log WHERE seq = ?", (row,)).fetchone()[0]
    connection.close()
    whole = bytearray(path.read_bytes())
    values = whole.rfind(stream, 0, whole.find(body[:200]))
    at = values - 1 - data.draw(st.integers(0, 8))  # the nine bytes that describe the columns
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    said = verify(files.copy)

    assert said.exit_code == 1 and "broken at" in said.output, said.output


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            "UPDATE analyses SET body = CAST(replace(CAST(body AS TEXT), '\"ACT\"', '\"NONE\"') AS BLOB)",
            "other bytes",
        ),
        ("DELETE FROM analyses", "is not there"),
    ],
)
def test_an_analysis_that_was_changed_is_found_with_its_place(files: Files, change: str, reason: str) -> None:
    """The chains are whole: it lies beside the log, which has its hash."""
    files.renew()
    connection = sqlite3.connect(files.copy / "greenchannel.sqlite", isolation_level=None)
    connection.execute(change)
    first = connection.execute("SELECT min(seq) FROM log WHERE type = 'ecg_analysed'").fetchone()[0]
    connection.close()
    said = verify(files.copy)

    assert said.exit_code == 1 and said.output.count("unbroken") == 2
    assert f"entry {first} of the log" in said.output and reason in said.output


@pytest.mark.parametrize("text", ["7", "x:00", "7:zz", "7:00", "-1:" + "00" * 32])
def test_a_head_that_is_none_is_refused_in_words(files: Files, text: str) -> None:
    """And nothing is verified as if it had not been given."""
    files.renew()
    said = verify(files.copy, "--known", text)
    assert said.exit_code == 2 and "SEQ:HASH" in said.output


def test_a_cut_end_is_found_by_the_head_that_left_the_machine(files: Files) -> None:
    """Rows and head row are cut off together: only the head that was kept elsewhere shows it."""
    files.renew()
    head = verify(files.copy).output.splitlines()[0].rpartition(" ")[2]
    connection = sqlite3.connect(files.copy / "greenchannel.sqlite", isolation_level=None)
    last = files.rows["log"] - 5
    connection.execute("DELETE FROM log WHERE seq > ?", (last,))
    connection.execute(
        "UPDATE log_head SET seq = ?, hash = (SELECT hash FROM log WHERE seq = ?)", (last, last)
    )
    connection.close()

    assert verify(files.copy).exit_code == 0
    known = verify(files.copy, "--known", head)
    assert known.exit_code == 1 and f"broken at {last + 1}:" in known.output
