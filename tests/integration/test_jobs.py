"""Districts as jobs: several workers, any of them killed, and the tickets of one that was not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from procrastinate.schema import SchemaManager

from analytics import cycle
from hearthline.domain.policies import PROFILES
from hearthline.settings import Settings
from hearthline.storage import analysis
from hearthline.storage.database import Connection, Database
from tests import builders
from tests.builders import HOUR, falling, steady
from tests.integration.conftest import WorkerProcess, wait_until

NOW = datetime(2026, 1, 14, 4, tzinfo=UTC)
RULES = cycle.Rules(PROFILES["standard-20"])
STATIONS = 6
LEDGER = builders.town(builders.TownPlan(substations=STATIONS, floors=3))
COLD = ("T-S1-B01-E1", "T-S3-B02-E2", "T-S5-B01")
ROUNDS = 4  # kills, each when one more district has been judged
WITHIN_S = 120.0


@pytest.fixture
def workers(settings: Settings, tmp_path: Path) -> Iterator[list[WorkerProcess]]:
    """Two workers, not yet started; killed at the end."""
    pair = [
        WorkerProcess(
            settings,
            tmp_path / f"worker{number}.log",
            HEARTHLINE_POLICY="standard-20",
            HEARTHLINE_WORKER_INTERVAL="PT0.5S",
        )
        for number in (1, 2)
    ]
    yield pair
    for worker in pair:
        worker.kill()


def seed(connection: Connection) -> None:
    """Sixty hours of a town of six stations; two entrances and a building grow cold."""
    fall = falling(22, 15, NOW - 40 * HOUR)
    with connection.transaction():
        builders.save(connection, LEDGER)
        for unit in LEDGER.units:
            cold = unit.code.startswith(COLD)
            course = (lambda at: fall(at) + steady(0.0)(at)) if cold else steady(22.0)
            builders.room_series(connection, unit.code, NOW, course, hours=60)


def said(connection: Connection) -> list[dict[str, Any]]:
    """Every incident with all its members, in an order that no number decides."""
    return connection.execute(
        "SELECT i.opened_at, i.cause, p.code AS place, i.confidence, i.closed_at,"
        " array_agg(u.code ORDER BY u.code) AS members,"
        " array_agg(m.cold_since ORDER BY u.code) AS cold_since"
        " FROM incident i JOIN place p ON p.id = i.place_id"
        " JOIN incident_member m ON m.incident_id = i.id JOIN place u ON u.id = m.place_id"
        " GROUP BY i.id, p.code ORDER BY i.opened_at, p.code"
    ).fetchall()


def episodes(connection: Connection) -> list[dict[str, Any]]:
    return connection.execute(
        "SELECT p.code, e.began_at, e.opened_at, e.closed_at FROM episode e"
        " JOIN place p ON p.id = e.place_id ORDER BY p.code, e.opened_at"
    ).fetchall()


def forget(connection: Connection) -> None:
    connection.execute("ALTER TABLE ticket_event DISABLE TRIGGER USER")
    connection.execute("TRUNCATE incident, episode, hold, ticket_event CASCADE")
    connection.execute("TRUNCATE sensor_memory, sensor_grade")
    connection.execute("DELETE FROM watermark")


def judged(connection: Connection) -> int:
    """How many districts have come anywhere."""
    return sum(row["at"] is not None for row in analysis.districts(connection))


def settled(connection: Connection) -> bool:
    """Whether the whole town has been judged, and no block is left half done."""
    done = analysis.progress(connection, analysis.WHOLE) == NOW
    return done and analysis.block(connection) is None


def test_killed_workers_give_the_tickets_of_one_that_was_not(
    connection: Connection, database: Database, workers: list[WorkerProcess]
) -> None:
    """Two side by side, one of them killed every moment: each district once, nothing twice."""
    seed(connection)
    cycle.run(database, RULES, NOW + HOUR)
    alone = said(connection), episodes(connection)
    assert [incident["place"] for incident in alone[0]] == list(COLD)
    forget(connection)

    for worker in workers:
        worker.start()
    for number in range(ROUNDS):
        wait_until(lambda n=number: judged(connection) > n, "one more district", WITHIN_S)
        workers[number % 2].kill()
        workers[number % 2].start()
    wait_until(lambda: settled(connection), "the town is judged", WITHIN_S)
    assert (said(connection), episodes(connection)) == alone


def test_a_block_that_lost_its_process_is_finished_by_the_next(
    connection: Connection, database: Database
) -> None:
    """Each district is done once; the block ends when the last one is there, not before."""
    seed(connection)
    cycle.begin(database, RULES, NOW)
    first, *rest = cycle.due(database)
    assert len(rest) == STATIONS - 1
    assert cycle.judge(database, RULES, first).news
    assert cycle.settle(database, RULES, NOW).until is None
    assert cycle.due(database) == rest
    assert cycle.judge(database, RULES, first) == cycle.Report(NOW)  # done already

    assert cycle.run(database, RULES, NOW + timedelta(minutes=1)).until == NOW
    assert cycle.due(database) == []
    assert analysis.block(connection) is None


def test_a_district_whose_analysis_fails_does_not_hold_up_the_city(
    connection: Connection, database: Database
) -> None:
    """A torn row in its sensors' memory: the others are judged; mended, it makes up for all."""
    seed(connection)
    cycle.run(database, RULES, NOW + HOUR)
    alone = said(connection), episodes(connection)
    forget(connection)

    before, between = NOW - 26 * HOUR, NOW - 2 * HOUR
    assert cycle.run(database, RULES, before).failures == ()
    connection.execute(
        "UPDATE sensor_memory SET state = 'torn' WHERE device_id IN (SELECT b.device_id"
        " FROM device_binding b JOIN place p ON p.id = b.place_id WHERE p.code LIKE 'T-S3-%')"
    )
    report = cycle.run(database, RULES, between)
    assert [failure.district for failure in report.failures] == ["T-S3"]
    assert analysis.progress(connection, analysis.WHOLE) == between
    assert analysis.progress(connection, analysis.of_district("T-S3")) == before
    [aside] = analysis.aside(connection)
    assert (aside["code"], aside["tried_until"], aside["attempts"]) == ("T-S3", between, 1)
    assert "ValueError" in aside["reason"]

    connection.execute("DELETE FROM sensor_memory WHERE state = 'torn'")
    assert cycle.run(database, RULES, NOW).failures == ()
    assert analysis.aside(connection) == []
    assert (said(connection), episodes(connection)) == alone


def test_a_job_that_its_worker_could_not_strike_out_is_put_anew(
    connection: Connection, workers: list[WorkerProcess]
) -> None:
    """Marked as being done by one that lives and does not do it, it would hold its piece for ever.

    As after a moment in which the database took the work and did not answer the line that ends it.
    """
    workers[0].start()
    wait_until(lambda: doers(connection) > 0, "a worker", WITHIN_S)
    connection.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status, worker_id)"
        " SELECT 'analysis', 'worker:districts', 'districts T-S1',"
        ' \'{"codes": ["T-S1"], "paths": ["t.s1"]}\', \'doing\', max(id)'
        " FROM procrastinate_workers"
    )
    seed(connection)
    wait_until(lambda: settled(connection), "the town is judged", WITHIN_S)


def doers(connection: Connection) -> int:
    """How many workers are signed in."""
    return len(connection.execute("SELECT id FROM procrastinate_workers").fetchall())


def test_the_queue_has_the_schema_of_its_library(connection: Connection) -> None:
    """A new version of the library whose schema differs needs a migration of its own."""
    there = {
        row["name"]
        for row in connection.execute(
            "SELECT proname AS name FROM pg_proc WHERE proname LIKE 'procrastinate%'"
        )
    }
    schema = SchemaManager.get_schema()
    wanted = {
        line.split("FUNCTION ")[1].split("(")[0].strip()
        for line in schema.splitlines()
        if line.startswith("CREATE FUNCTION procrastinate")
    }
    assert wanted
    assert wanted <= there
