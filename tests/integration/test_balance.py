"""The heat balance on a real database: from meter hours to figures, once and again."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.balance import BalanceReason, BalanceStage
from analytics.balancing import balance_between, balance_chore, compute_heat
from hearthline.storage import balance as storage
from hearthline.storage.database import Connection, Database, Row, connect
from tests import heating

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
START = datetime(2026, 1, 14, 16, tzinfo=UTC)  # local midnight
NOW = START + timedelta(hours=72, minutes=5)


@pytest.fixture
def network(database: Database) -> Database:
    """The metered network, without a single hour yet."""
    with database.transaction() as connection:
        heating.save(connection)
    return database


def running(database: Database) -> dict[tuple[str, str], Row]:
    with database.transaction() as connection:
        rows = storage.running_balance(connection)
    return {(row["place"], row["stage"]): row for row in rows}


def days(database: Database, start: datetime = START, hours: int = 72) -> list[Row]:
    with database.transaction() as connection:
        return storage.network_balance(connection, start, start + hours * HOUR)


TABLES = ("heat_hour", "balance_day", "balance_running", "watermark")


def everything(database: Database) -> dict[str, list[str]]:
    """All that the chore wrote, but for the instant at which it did."""
    with database.transaction() as connection:
        return {
            table: sorted(
                str({key: value for key, value in row.items() if key != "computed_at"})
                for row in connection.execute(f"SELECT * FROM {table}")  # type: ignore[arg-type]  # noqa: S608
            )
            for table in TABLES
        }


def run(database: Database, start: datetime = START, hours: int = 72, **over: object) -> None:
    with database.transaction() as connection:
        heating.run(connection, start, hours, **over)  # type: ignore[arg-type]


def test_three_days_of_backfill_find_the_losses_that_were_built_in(network: Database) -> None:
    run(network)
    summary = balance_chore(network, NOW, SHANGHAI)
    assert summary.days == 3
    assert summary.running
    found = running(network)
    assert set(found) == {
        ("H", "transmission"),
        *((s, stage) for s in ("H-S1", "H-S2") for stage in ("exchange", "distribution")),
    }
    for (_, stage), row in found.items():
        assert row["reason"] == ""
        assert row["loss_share"] == pytest.approx(heating.LOSS[stage], abs=1e-6)
        assert row["coverage"] == 1.0
    network_row = found["H", "transmission"]
    assert network_row["supplied_kwh"] == pytest.approx(24_000.0, rel=1e-6)
    assert network_row["loss_kwh"] == pytest.approx(1_200.0, rel=1e-5)
    assert network_row["makeup_m3"] == pytest.approx(1.2)
    assert network_row["stored_kwh"] == pytest.approx(0.0, abs=1e-6)
    assert network_row["pipe_estimated"]
    assert 300.0 < network_row["uncertainty_kwh"] < 800.0
    assert [row["day"] for row in days(network)] == [date(2026, 1, d) for d in (15, 16, 17)]


def test_the_same_rows_and_the_same_now_give_the_same_answer(network: Database) -> None:
    run(network)
    balance_chore(network, NOW, SHANGHAI)
    once = everything(network)
    assert not balance_chore(network, NOW, SHANGHAI).changed
    run(network)
    assert balance_chore(network, NOW, SHANGHAI).changed
    assert everything(network) == once


def test_hour_by_hour_ends_where_one_backfill_does(network: Database) -> None:
    for n in range(30):
        run(network, START, n + 1)
        balance_chore(network, START + (n + 1) * HOUR + timedelta(minutes=5), SHANGHAI)
    live = everything(network)
    with network.transaction() as connection:
        connection.execute("TRUNCATE heat_hour, balance_day, balance_running, watermark")
    run(network, START, 30)
    balance_chore(network, START + 30 * HOUR + timedelta(minutes=5), SHANGHAI)
    assert everything(network) == live


def test_a_day_has_no_balance_before_it_is_over(network: Database) -> None:
    run(network, hours=23)
    assert balance_chore(network, START + 23 * HOUR, SHANGHAI).days == 0
    run(network, START + 23 * HOUR, 1)
    assert balance_chore(network, START + 24 * HOUR, SHANGHAI).days == 1


def test_a_late_hour_corrects_its_day(network: Database) -> None:
    run(network, without=("H-S2-p",))
    balance_chore(network, NOW, SHANGHAI)
    first, *_ = days(network)
    assert first["reason"] == BalanceReason.COVERAGE_LOW
    assert first["coverage"] == 0.5
    assert first["loss_kwh"] is None
    assert first["delivered_kwh"] is None
    run(network, hours=24)
    assert balance_chore(network, NOW, SHANGHAI).days == 2  # and the day that starts at its end
    first, second, _ = days(network)
    assert first["loss_share"] == pytest.approx(0.05, abs=1e-6)
    assert second["reason"] == BalanceReason.COVERAGE_LOW


def test_a_silent_day_says_that_nothing_was_measured(network: Database) -> None:
    run(network, hours=24)
    balance_chore(network, START + 24 * HOUR, SHANGHAI)
    balance_chore(network, START + 49 * HOUR, SHANGHAI)
    _, silent = days(network)
    assert silent["day"] == date(2026, 1, 16)
    assert silent["reason"] == BalanceReason.SUPPLY_GAP
    assert silent["supplied_kwh"] is None


def test_a_deleted_meter_hour_takes_its_heat_with_it(network: Database) -> None:
    run(network)
    balance_chore(network, NOW, SHANGHAI)
    with network.transaction() as connection:
        gone = connection.execute("DELETE FROM meter_hour WHERE hour = %s", (START,)).rowcount
    balance_chore(network, NOW, SHANGHAI)
    with network.transaction() as connection:
        left = connection.execute("SELECT count(*) AS n FROM heat_hour").fetchone()
    assert gone == 9
    assert left == {"n": 9 * 71}


def test_a_swapped_branch_meter_leaves_its_substation_without_a_figure(network: Database) -> None:
    run(network, reversed_=("H-S1-B2",))
    balance_chore(network, NOW, SHANGHAI)
    found = running(network)
    assert found["H-S1", "distribution"]["reason"] == BalanceReason.COVERAGE_LOW
    assert found["H-S2", "distribution"]["reason"] == ""


def test_without_counters_the_mean_flow_gives_the_same_heat(network: Database) -> None:
    run(network, counters=False)
    balance_chore(network, NOW, SHANGHAI)
    assert running(network)["H", "transmission"]["supplied_kwh"] == pytest.approx(
        24_000.0, rel=1e-6
    )


def test_half_covered_hours_are_no_basis_for_a_balance(network: Database) -> None:
    run(network, counters=False, covered_min=30.0)
    balance_chore(network, NOW, SHANGHAI)
    assert running(network)["H", "transmission"]["reason"] == BalanceReason.SUPPLY_GAP


def test_pipes_that_warm_up_store_heat(network: Database) -> None:
    run(network, warming_k=0.1)
    balance_chore(network, NOW, SHANGHAI)
    row = running(network)["H", "transmission"]
    assert row["stored_kwh"] > 0
    assert row["stored_kwh"] == pytest.approx(row["pipe_m3"] * 1.125 * 2.4, rel=0.02)


def test_a_moved_meter_counts_where_it_hangs(network: Database) -> None:
    """The meter of H-S1-B2 moves to H-S2-B2's place after a day: its hours move with it."""
    run(network)
    with network.transaction() as connection:
        ids = heating.device_ids(connection)
        moved = START + 48 * HOUR
        connection.execute(
            "UPDATE device_binding SET valid = tstzrange(lower(valid), %s) WHERE device_id = %s",
            (moved, ids["H-S1-B2"]),
        )
    balance_chore(network, NOW, SHANGHAI)
    found = running(network)["H-S1", "distribution"]
    assert (found["reason"], found["coverage"]) == (BalanceReason.COVERAGE_LOW, 0.5)
    with network.transaction() as connection:
        rows = storage.substation_balance(connection, "H-S1", START, START + 24 * HOUR)
    assert {row["stage"]: row["reason"] for row in rows} == {"distribution": "", "exchange": ""}


def test_any_window_can_be_asked_for(network: Database) -> None:
    run(network)
    balance_chore(network, NOW, SHANGHAI)
    with network.transaction() as connection:
        windows = balance_between(connection, START + 5 * HOUR, START + 65 * HOUR)
        short = balance_between(connection, START, START + 6 * HOUR)
    transmission = next(w for w in windows if w.stage is BalanceStage.TRANSMISSION)
    assert transmission.supplied_kwh == pytest.approx(60_000.0, rel=1e-6)
    assert {window.reason for window in short} == {BalanceReason.WINDOW_TOO_SHORT}


def test_an_empty_database_is_no_error(database: Database) -> None:
    summary = balance_chore(database, NOW, SHANGHAI)
    assert not summary.changed
    assert running(database) == {}


def test_a_network_without_meters_is_no_error(network: Database) -> None:
    assert not balance_chore(network, NOW, SHANGHAI).changed


def test_marks_are_given_back_when_the_transaction_fails(network: Database) -> None:
    run(network, hours=2)

    def crash() -> None:
        with network.transaction() as connection:
            assert compute_heat(connection).rows
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        crash()
    with network.transaction() as connection:
        assert compute_heat(connection).rows


def test_small_batches_end_where_one_large_one_does(network: Database) -> None:
    run(network, hours=5)
    with network.transaction() as connection:
        while compute_heat(connection, limit=7).more:
            pass
        left = connection.execute("SELECT count(*) AS n FROM heat_hour").fetchone()
        marks = connection.execute("SELECT count(*) AS n FROM dirty_heat").fetchone()
    assert left == {"n": 45}
    assert marks == {"n": 0}


def test_a_rollup_that_commits_meanwhile_is_not_forgotten(
    network: Database, database_url: str
) -> None:
    """A writer holding an open transaction neither blocks the chore nor loses its change."""
    run(network, hours=3)
    with connect(database_url) as writer:
        writer.execute("UPDATE meter_hour SET flow_m3h = flow_m3h * 2, volume_m3 = NULL")
        began = time.monotonic()
        balance_chore(network, START + 3 * HOUR, SHANGHAI)
        assert time.monotonic() - began < 5
        writer.commit()
    balance_chore(network, START + 3 * HOUR, SHANGHAI)
    with network.transaction() as connection:
        row = connection.execute(
            "SELECT sum(heat_kwh) AS kwh FROM heat_hour h JOIN device d ON d.id = h.device_id"
            " WHERE d.uid = 'own:h/H'"
        ).fetchone()
    assert row is not None
    assert row["kwh"] == pytest.approx(6_000.0, rel=1e-6)


def test_two_workers_do_not_do_it_twice(network: Database, database_url: str) -> None:
    run(network)
    with connect(database_url) as other:
        assert storage.lock(other)
        assert balance_chore(network, NOW, SHANGHAI).busy
    assert balance_chore(network, NOW, SHANGHAI).days == 3


def test_many_workers_at_once_end_in_one_answer(network: Database) -> None:
    run(network)
    workers = [
        threading.Thread(target=balance_chore, args=(network, NOW, SHANGHAI)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    balance_chore(network, NOW, SHANGHAI)
    assert len(days(network)) == 3
    assert running(network)["H", "transmission"]["loss_share"] == pytest.approx(0.05, abs=1e-6)


def test_every_statement_can_be_planned(connection: Connection) -> None:
    values = {
        "key": 1, "limit": 5, "device_ids": [1], "hours": [START], "heat_kwh": [1.0],
        "volume_m3": [1.0], "covered_min": [60.0], "start": START, "stop": NOW, "since": [START],
        "until": [NOW], "place": "H", "stage": "exchange", "day": START.date(), "name": "x",
        "at": START, "kind": "source", "code": None, "coverage": 1.0, "reason": "",
        "pipe_estimated": True, "computed_at": NOW, "supplied_kwh": None, "delivered_kwh": None,
        "stored_kwh": None, "loss_kwh": None, "makeup_m3": None, "uncertainty_kwh": None,
        "pipe_m3": None,
    }  # fmt: skip
    for name, statement in storage.family("balance").items():
        one = name in {"save_day", "save_running"}
        own = values | {"volume_m3": 1.0 if one else [1.0]}
        assert connection.execute("EXPLAIN " + statement, own).fetchall(), name
