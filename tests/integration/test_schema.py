"""The schema on a real TimescaleDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from hearthline.storage import schema
from hearthline.storage.database import Connection, connect
from tests.conftest import Stack, _named


def test_processes_that_migrate_at_once_wait_for_each_other(stack: Stack) -> None:
    """One advisory lock: all succeed, the schema is there once, and again is at once."""
    name = f"hearthline_test_{uuid4().hex[:12]}"
    url = _named(stack.database_url, name)
    with connect(_named(stack.database_url, "postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            assert schema.current(url) is None
            with ThreadPoolExecutor(3) as pool:
                reached = list(pool.map(schema.migrate, [url] * 3))
            assert set(reached) == {schema.newest()}
            assert schema.current(url) == schema.newest()
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_readings_are_hypertables_with_one_row_per_device_and_instant(
    connection: Connection,
) -> None:
    """The key that makes a write idempotent."""
    rows = connection.execute(
        "SELECT hypertable_name AS name FROM timescaledb_information.hypertables"
    ).fetchall()
    assert {row["name"] for row in rows} == set(schema.HYPERTABLES)
    row = "INSERT INTO room_reading (time, device_id, temperature_c) VALUES (now(), 1, 20)"
    with connection.transaction():
        connection.execute(row)
        with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
            connection.execute(row)


@pytest.mark.parametrize("table", ["ticket_event", "audit"])
@pytest.mark.parametrize("act", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_evidence_is_append_only(connection: Connection, table: str, act: str) -> None:
    """Not even the owner edits it by accident."""
    with pytest.raises(psycopg.errors.RestrictViolation, match="append only"):
        connection.execute(act.format(table))  # type: ignore[arg-type]


def test_the_edition_is_probed_and_old_chunks_can_be_dropped(connection: Connection) -> None:
    """Where no retention policy exists the worker drops; where one does it leaves it alone."""
    from datetime import timedelta

    connection.execute(
        "INSERT INTO room_reading (time, device_id, temperature_c)"
        " VALUES ('2015-01-01', 1, 20), (now(), 1, 21)"
    )
    edition = schema.edition(connection)
    dropped = schema.drop_old_chunks(connection, timedelta(days=365))
    left = connection.execute("SELECT count(*) AS n FROM room_reading").fetchall()[0]["n"]
    assert (dropped, left) == ((1, 1) if edition == "apache" else (0, 2))


def test_every_policy_is_on_file_with_its_source(connection: Connection) -> None:
    """Versioned by valid-from date."""
    rows = connection.execute("SELECT code, valid_from, body FROM policy").fetchall()
    assert len([row for row in rows if row["code"] == "heilongjiang"]) == 2
    assert all(row["body"]["source"] for row in rows)
