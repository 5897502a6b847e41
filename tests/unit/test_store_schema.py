"""The database file: how it is opened, and that the migrations lead to the schema."""

import os
import stat
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import delete, insert, select, text

from greenchannel.clock import NaiveDatetimeError
from greenchannel.store import quality_rows, schema, schema_giving
from greenchannel.store.accounts import Accounts
from greenchannel.store.engine import migrate, open_engine, reading, writing
from greenchannel.store.log import Log

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'new.sqlite'}"


def test_the_migrations_lead_to_the_schema(tmp_path: Path) -> None:
    """Alembic finds no difference between a migrated database and the tables in code."""
    engine = open_engine(url(tmp_path))
    migrate(engine)
    with reading(engine) as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert (
            schema_giving.image_forwards.metadata is schema.metadata
        )  # its tables are there once it was imported
        difference = compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata)
    engine.dispose()

    assert difference == []


def test_the_id_of_an_erased_print_is_not_given_again(tmp_path: Path) -> None:
    """A look goes on behind the last row it saw: a new one under an old id would never be seen."""
    engine = open_engine(url(tmp_path))
    migrate(engine)
    prints = schema.ecg_prints
    with writing(engine) as connection:
        given: list[int] = []
        for ecg_id in ("e_1", "e_2", "e_3"):
            row = {"ecg_id": ecg_id, "site": "s", "patient": "p", "received_at": NOW, "print": b""}
            done = connection.execute(insert(prints).values(**row))
            given += done.inserted_primary_key or ()
            if ecg_id == "e_2":
                connection.execute(delete(prints).where(prints.c.ecg_id == ecg_id))
    engine.dispose()

    assert given == [1, 2, 3]


def test_old_shifts_stay_in_force_for_the_whole_network(tmp_path: Path) -> None:
    """Those of a roster from before sites, calendars and swaps: nothing of them is lost or changed."""
    engine = open_engine(url(tmp_path))
    config = Config()
    config.set_main_option("script_location", "greenchannel.store:migrations")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.execute(
            insert(schema.users).values(id="li", name="李", role="reader", all_sites=True, password_hash="x")
        )
        old = {"id": "s1", "role": "first", "person": "li", "starts": 1_000_000, "ends": 2_000_000}
        connection.execute(
            text(
                "INSERT INTO shifts (id, role, person, starts_at, ends_at) VALUES (:id, :role, :person, :starts, :ends)"
            ),
            old,
        )
    migrate(engine)
    (shift,) = Accounts(engine).shifts_between(datetime(1970, 1, 1, tzinfo=UTC), NOW)
    engine.dispose()

    assert (shift.id, shift.role, shift.person, shift.starts_at.second, shift.ends_at.second) == (
        "s1",
        "first",
        "li",
        1,
        2,
    )
    assert {shift.site, shift.uid, shift.occurrence, shift.instead_of, shift.replaced_by} == {None}


def test_migrating_twice_and_at_once_changes_nothing(tmp_path: Path) -> None:
    """Two services that start together end with one set of tables and one head row."""
    engines = [open_engine(url(tmp_path)) for _ in range(2)]
    threads = [threading.Thread(target=migrate, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    migrate(engines[0])

    assert Log(engines[1]).head() == (0, bytes(32))
    assert Log(engines[1]).verify().ok
    for engine in engines:
        engine.dispose()


def test_the_settings_that_durability_rests_on_are_set(tmp_path: Path) -> None:
    """Write-ahead log, an fsync at each commit, keys overwritten when deleted; the file is its owner's alone."""
    engine = open_engine(url(tmp_path))
    with reading(engine) as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        }
    engine.dispose()

    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "new.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize("memory", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(memory: str) -> None:
    """It would be gone with the process."""
    with pytest.raises(ValueError, match="expected the path"):
        open_engine(memory)


def test_a_write_within_a_write_is_an_error_at_once(tmp_path: Path) -> None:
    """It would wait for itself until the busy timeout."""
    engine = open_engine(url(tmp_path))
    with writing(engine), pytest.raises(RuntimeError, match="no write within a write"), writing(engine):
        pass
    with writing(engine):
        pass
    engine.dispose()


def test_a_reader_sees_one_state_while_others_write(tmp_path: Path) -> None:
    """Two reads of one block agree, whatever is committed between them."""
    engine = open_engine(url(tmp_path))
    migrate(engine)
    count = select(schema.analyses.c.sha256)
    with reading(engine) as reader:
        before = reader.execute(count).all()
        with writing(engine) as connection:
            connection.execute(insert(schema.analyses).values(sha256="x", body=b""))
        assert reader.execute(count).all() == before
    with reading(engine) as reader:
        assert len(reader.execute(count).all()) == 1
    engine.dispose()


def test_instants_are_kept_to_the_microsecond_in_any_zone() -> None:
    """Stored as microseconds, given back in UTC; one without a zone is refused."""
    beijing = datetime(2026, 3, 1, 16, 0, 0, 123457, tzinfo=timezone(timedelta(hours=8)))

    assert schema.Instant().process_result_value(schema.instant_us(beijing), None) == beijing
    assert schema.instant_us(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    with pytest.raises(NaiveDatetimeError):
        schema.instant_us(datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


def test_a_database_with_quality_records_gets_the_index_by_which_a_clinic_finds_its_own(
    tmp_path: Path,
) -> None:
    """Its records stay; those of one site are found without those of all."""
    engine = open_engine(url(tmp_path))
    config = Config()
    config.set_main_option("script_location", "greenchannel.store:migrations")
    table = schema.quality_records
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")
        connection.execute(insert(table).values(case_id="c", site="s", began_at=NOW, body=b"x"))
    migrate(engine)
    found = quality_rows.bodies(engine, frozenset({"s"}))
    with reading(engine) as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT body FROM quality_records WHERE site IN ('s') ORDER BY began_at, case_id"
        ).all()
    engine.dispose()

    assert found == [b"x"]
    assert "ix_quality_records_site_began_at" in str(plan)
