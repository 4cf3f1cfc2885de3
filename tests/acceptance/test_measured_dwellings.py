"""Measured winters over a real broker into a real database: the right rows, days and episodes.

The expected episodes are computed from the CSV files by a plain loop that shares no code with the
product. Without the folder of measurements, series of the same shape are made instead.
"""

from __future__ import annotations

import csv
import math
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.cycle import Rules
from analytics.worker import Work, settle
from hearthline.domain.policies import PROFILES
from hearthline.settings import Settings
from hearthline.storage import ledger as ledgers
from hearthline.storage.database import Connection, Database
from simulators.replay import ReplayReport, ledger_for, replay
from simulators.transport import Publisher
from tests.conftest import Site
from tests.integration.conftest import running_ingest, wait_until

HOUR = timedelta(hours=1)
LOCAL = ZoneInfo("Asia/Shanghai")
MEASURED = Path(
    os.environ.get("HEARTHLINE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")
)
Hours = dict[datetime, float]


@pytest.fixture(scope="module")
def dwellings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Hourly series of four dwellings, two sensors each."""
    found = sorted((MEASURED / "dwellings").glob("R*_indoor*.csv"))
    return found or _made(tmp_path_factory.mktemp("dwellings"))


def _made(folder: Path) -> list[Path]:
    """Two dwellings, one with a cold week in January, in the shape of the measured ones."""
    rng = np.random.default_rng(5)
    files = []
    for name in ("R2_indoor1", "R2_indoor2", "R3_indoor1", "R3_indoor2"):
        lines = ["t_UTC+2,T,RH"]
        for hour in range(24 * 120):
            at = datetime(2010, 11, 23) + hour * HOUR  # noqa: DTZ001 - the files' local time
            cold = 3.5 * (name.startswith("R2") and 24 * 68 <= hour < 24 * 75)
            level = 21.5 - cold + 0.6 * math.sin(hour / 24 * 2 * math.pi) + rng.normal(0, 0.1)
            lines.append(f"{at},{level:.2f},40.00")
        path = folder / f"{name}.csv"
        path.write_text("\n".join(lines) + "\n")
        files.append(path)
    return files


def hourly_means(files: list[Path]) -> dict[str, Hours]:
    """Mean of a dwelling's sensors at each hour of event time."""
    levels: dict[str, dict[datetime, list[float]]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        with file.open() as lines:
            for at, level, _ in list(csv.reader(lines))[1:]:
                utc = datetime.fromisoformat(at).replace(tzinfo=UTC) - 2 * HOUR
                levels[file.stem.partition("_")[0]][utc].append(float(level))
    return {
        unit: {at: sum(values) / len(values) for at, values in hours.items()}
        for unit, hours in levels.items()
    }


def expected_episodes(hours: Hours, threshold: float) -> Iterator[tuple[datetime, datetime | None]]:
    """Four hours below open; four at threshold + 0.3 K or above, or the season's end, close."""
    at, last = min(hours), max(hours)
    below = warm = 0
    opened: datetime | None = None
    while at <= last:
        day = at.astimezone(LOCAL)
        if not ((day.month, day.day) >= (10, 20) or (day.month, day.day) <= (4, 20)):
            if opened:
                yield opened, at + HOUR
            opened, below, warm = None, 0, 0
        elif at in hours:
            below = below + 1 if hours[at] < threshold else 0
            warm = warm + 1 if hours[at] >= threshold + 0.3 else 0
            if opened is None and below >= 4:
                opened, warm = at + HOUR, 0
            elif opened and warm >= 4:
                yield opened, at + HOUR
                opened, below = None, 0
        at += HOUR
    if opened:
        yield opened, None


@pytest.fixture
def replayed(
    dwellings: list[Path], settings: Settings, site: Site, database: Database
) -> ReplayReport:
    """The series, published over the broker, ingested and rolled up into ``database``."""
    books = ReplayReport()
    with database.transaction() as connection:
        ledgers.save(connection, ledger_for(dwellings, site=site.name))
    with running_ingest(settings), Publisher(site.publish_url) as publisher:
        publisher.publish_all(replay(dwellings, site=site.name, batch=50, report=books))
        publisher.flush(60)
        wait_until(lambda: stored(database) == books.readings, "every reading is a row", 90)
    return books


def stored(database: Database) -> int:
    with database.transaction() as connection:
        return int(connection.execute("SELECT count(*) AS n FROM room_reading").fetchall()[0]["n"])


def analyse(database: Database, policy: str) -> None:
    work = Work(database, Rules(PROFILES[policy]), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    settle(work, threading.Event())


@pytest.mark.timeout(400)
def test_measured_winters_give_the_rows_days_and_episodes_that_they_justify(
    replayed: ReplayReport, dwellings: list[Path], database: Database, connection: Connection
) -> None:
    """Every reading is a row; episodes are exactly those of the plain loop; no ticket besides."""
    assert replayed.readings == replayed.rows.good
    hours = hourly_means(dwellings)
    for policy, threshold in (("standard-18", 18.0), ("standard-20", 20.0)):
        analyse(database, policy)
        check_episodes(connection, hours, threshold)
        check_days(connection, hours, threshold)
        forget_analysis(connection)


AIRED = timedelta(hours=3)


def check_episodes(connection: Connection, hours: dict[str, Hours], threshold: float) -> None:
    """The stored episodes are the expected ones, and tickets come from nothing else."""
    expected = {
        (unit, *episode)
        for unit, series in hours.items()
        for episode in expected_episodes(series, threshold)
    }
    rows = connection.execute(
        "SELECT p.code, e.opened_at, e.closed_at FROM episode e JOIN place p ON p.id = e.place_id"
    ).fetchall()
    assert {(r["code"], r["opened_at"]) for r in rows} == {one[:2] for one in expected}
    ends = {(r["code"], r["opened_at"]): r["closed_at"] for r in rows}
    for unit, opened_at, closed_at in expected:  # an aired hour proves nothing, and ends nothing
        assert closed_at <= ends[unit, opened_at] <= closed_at + AIRED
    told = connection.execute(
        "SELECT count(*) AS n FROM ticket t JOIN incident i ON i.id = t.incident_id"
        " WHERE i.kind = 'supply'"
    ).fetchall()[0]["n"]
    assert (told == 0) == (not expected)
    assert told <= len(expected)


def forget_analysis(connection: Connection) -> None:
    """Back to rows and rollups, so that another policy can judge them."""
    connection.execute("ALTER TABLE ticket_event DISABLE TRIGGER USER")
    connection.execute(
        "TRUNCATE incident, incident_member, ticket, ticket_event, episode, hold, unit_day CASCADE"
    )
    connection.execute("DELETE FROM watermark WHERE starts_with(name, 'analysis')")
    connection.execute("TRUNCATE sensor_memory, sensor_grade")
    connection.execute(
        "INSERT INTO dirty_day SELECT DISTINCT device_id, hour::date FROM room_hour"
        " ON CONFLICT DO NOTHING"
    )


def check_days(connection: Connection, hours: dict[str, Hours], threshold: float) -> None:
    """Each complete day of the season has the verdict of its own mean."""
    by_day: dict[tuple[str, str], list[float]] = defaultdict(list)
    for unit, series in hours.items():
        for at, level in series.items():
            by_day[unit, str(at.astimezone(LOCAL).date())].append(level)
    rows = connection.execute(
        "SELECT p.code, d.day, d.mean_c, d.verdict FROM unit_day d"
        " JOIN place p ON p.id = d.place_id WHERE d.verdict IN ('below', 'compliant')"
    ).fetchall()
    assert len(rows) > 200
    for row in rows:
        mean = np.mean(by_day[row["code"], str(row["day"])])
        assert row["mean_c"] == pytest.approx(mean, abs=0.02)
        if abs(mean - threshold) > 0.02:
            assert (row["verdict"] == "below") == (mean < threshold)
