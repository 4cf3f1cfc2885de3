"""Every panel's query on a real database with data, as the role that Grafana reads with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import tuple_row

from analytics.balancing import balance_chore
from analytics.heatday import Standard
from analytics.surveying import survey_days
from dashboards.build import ALL_SUBSTATIONS, models_of_all
from dashboards.statements import LOCALES, statement
from hearthline.domain.findings import Cause
from hearthline.domain.policies import HoldReason
from hearthline.storage import roles
from hearthline.storage.database import Connection, Database, Row, connect
from tests import builders, heating
from tests.twins.grafana_sql import View

HOUR = timedelta(hours=1)
START = datetime(2026, 1, 14, 16, tzinfo=UTC)  # local midnight in Shanghai
STOP = START + 72 * HOUR
COLD = "H-S1-B1-E1-0101"
HELD = "H-S1-B1-E1-0102"
PASSWORD = "only for a test"
ALL = {"substation": ALL_SUBSTATIONS, "console": "http://console"}

NUMBER, TEXT, TIME = "number", "text", "time"
_TYPES = {20: NUMBER, 21: NUMBER, 23: NUMBER, 700: NUMBER, 701: NUMBER, 1700: NUMBER,
          25: TEXT, 1184: TIME}  # fmt: skip

# What each panel must answer: its columns, and how many rows the world below gives it.
SERIES = {"metric": TEXT}
EXPECTED: dict[str, tuple[tuple[str, ...], int]] = {
    "running": (
        ("supplied_kwh", "delivered_kwh", "loss_kwh", "uncertainty_kwh", "loss_share", "coverage",
         "makeup_m3"), 1),
    "running_temperature": (("outdoor_c",), 1),
    "refusals": (("place", "stage", "reason", "coverage", "stopped_at"), 1),
    "power": (("time", "supplied_kw", "delivered_kw"), 72),
    "days": (("time", "supplied_kwh", "delivered_kwh", "stored_kwh", "loss_kwh"), 3),
    "loss_share": (("time", "loss_share", "at_least", "at_most"), 3),
    "coverage": (("time", "transmission", "exchange", "distribution"), 3),
    "breakdown": (("what", "heat_kwh"), 4),
    "substation_power": (("time", "metric", "heat_kw"), 144),
    "specific_index": (("time", "metric", "index_w_m2"), 144),
    "primary_temperatures": (("time", "metric", "supply_c", "return_c"), 216),
    "secondary_temperatures": (("time", "metric", "supply_c", "return_c"), 144),
    "approach": (("time", "metric", "approach_k"), 144),
    "flow": (("time", "metric", "flow_m3h"), 360),
    "makeup": (("time", "metric", "makeup_m3"), 9),
    "outdoor": (("time", "outdoor_c"), 73),
    "signature": (("time", "metric", "off_share"), 2),
    "spreads": (("time", "metric", "return_k", "room_k"), 6),
    "uneven": (
        ("building", "balance_degree", "return_c", "room_c", "vertical_k", "index_w_m2"), 4),
    "substation_table": (
        ("code", "substation", "heat_kwh", "index_w_m2", "exchange_loss", "distribution_loss",
         "coverage", "makeup_m3", "dwellings", "cold_dwellings", "open_tickets"), 2),
    "open_tickets": (
        ("number", "opened_at", "place", "cause", "cold_dwellings", "state", "resolve_by"), 1),
    "today": (
        ("measured", "share_below", "median_c", "standard_c", "cold_dwellings", "open_incidents"),
        1),
    "share_below": (("time", "share_below"), 7),
    "bands": (("time", "p05_c", "median_c", "p95_c"), 7),
    "distribution": (("band", "dwellings"), 18),
    "buildings": (
        ("code", "building", "substation", "measured", "below", "mean_c", "coldest_c"), 1),
    "coldest": (
        ("dwelling", "substation", "temperature_c", "measured_at", "cold_since", "held_back",
         "number"), 4),
    "silent": (("substation", "sensors", "silent"), 2),
    "open_incidents": (
        ("number", "opened_at", "place", "cause", "confidence", "cold_dwellings", "affected"), 1),
    "held_back": (("reason", "dwellings", "since"), 1),
}  # fmt: skip
NAMED = {
    statement(family, name, locale): name
    for locale in LOCALES
    for family, names in (
        ("heat_balance", list(EXPECTED)[:21]),
        ("room_temperatures", list(EXPECTED)[21:]),
    )
    for name in names
}


@dataclass(frozen=True)
class Panel:
    """One target of one panel."""

    dashboard: str
    title: str
    name: str
    format: str
    raw_sql: str


PANELS = [
    Panel(model["uid"], panel["title"], NAMED[target["rawSql"]], target["format"], target["rawSql"])
    for model in models_of_all()
    for panel in model["panels"]
    for target in panel.get("targets", [])
]


@pytest.fixture
def world(database: Database) -> Database:
    """Three days of heat and four measured dwellings, one with a ticket and one held back."""
    with database.transaction() as connection:
        heating.save(connection)
        heating.run(connection, START, 72)
        # One branch meter less in the newest day: its substation has no distribution figure.
        connection.execute(
            "DELETE FROM meter_hour WHERE hour >= %s AND device_id ="
            " (SELECT id FROM device WHERE uid = 'own:h/H-S2-B1')",
            (STOP - 24 * HOUR,),
        )
        _rooms(connection)
    balance_chore(database, STOP, ZoneInfo("Asia/Shanghai"))
    survey_days(database, STOP, lambda _: Standard(20.0, 24.0), ZoneInfo("Asia/Shanghai"))
    with database.transaction() as connection:  # as if learnt from days before these
        connection.execute(
            "UPDATE heat_day SET expected_kwh = heat_kwh / 1.1 WHERE day = '2026-01-17'"
        )
    return database


def _rooms(connection: Connection) -> None:
    ledger = heating.ledger()
    for n, code in enumerate((COLD, HELD, "H-S1-B1-E1-0103", "H-S1-B1-E1-0104")):
        device = builders.device_id(connection, f"own:h/{code}")
        value = 16.0 + 2.0 * n
        for back in range(7):
            connection.execute(
                "INSERT INTO room_hour (device_id, hour, n, mean_c, min_c, max_c, covered_min)"
                " VALUES (%s, %s, 3, %s, %s, %s, 60)",
                (device, STOP - (back + 1) * HOUR, value, value, value),
            )
        builders.set_latest(connection, device, STOP - HOUR / 2, {"temperature_c": value})
    device = builders.device_id(connection, "own:h/weather")
    connection.cursor().executemany(
        "INSERT INTO weather_hour (device_id, hour, n, outdoor_c, covered_min)"
        " VALUES (%s, %s, 6, %s, 60)",
        [(device, START + n * HOUR, -10.0 - n / 10) for n in range(73)],
    )
    for code in (COLD, HELD):
        builders.episode(connection, code, STOP - 10 * HOUR)
    builders.unit_day(connection, COLD, (STOP - 12 * HOUR).date())
    builders.hold(connection, HELD, HoldReason.VACANT, STOP - 5 * HOUR)
    builders.ticket(
        connection, ledger, "H-S1-B1", [COLD], at=STOP - 4 * HOUR, cause=Cause.STRAINER_CLOGGED
    )


@pytest.fixture
def reader(world: Database) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A session of the reading role on the world; role and grants are gone afterwards."""
    role = f"reader_{uuid4().hex[:10]}"
    with world.transaction() as connection:
        roles.ensure_reader(connection, PASSWORD, role)
    try:
        with psycopg.connect(as_reader(world.url, role), row_factory=tuple_row) as session:
            yield session
    finally:
        drop(world.url, role)


def as_reader(url: str, role: str, password: str = PASSWORD) -> str:
    parts = urlsplit(url)
    password = password.replace(" ", "%20")
    return parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}").geturl()


def drop(url: str, role: str) -> None:
    with connect(url, autocommit=True) as admin:
        for text in ("DROP OWNED BY {}", "DROP ROLE {}"):
            admin.execute(sql.SQL(text).format(sql.Identifier(role)))


def run(
    reader: psycopg.Connection[tuple[Any, ...]], panel: Panel, view: View
) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    """Columns with their kinds, and rows."""
    cursor = reader.execute(view.expand(panel.raw_sql).encode())
    assert cursor.description is not None
    kinds = {column.name: _TYPES[column.type_code] for column in cursor.description}
    return kinds, cursor.fetchall()


def check(
    reader: psycopg.Connection[tuple[Any, ...]], panel: Panel, view: View, wanted_rows: int | None
) -> None:
    kinds, rows = run(reader, panel, view)
    where = (panel.dashboard, panel.title)
    assert tuple(kinds) == EXPECTED[panel.name][0], where
    if wanted_rows is not None:
        assert len(rows) == wanted_rows, where
    if panel.format == "time_series":
        assert kinds["time"] == TIME, where
        for column, kind in kinds.items():
            assert kind == {"time": TIME, "metric": TEXT}.get(column, NUMBER), (where, column)
        times = [row[0] for row in rows]
        assert times == sorted(times), where  # Grafana refuses to widen unordered series
        assert None not in times, where
    plan = reader.execute(b"EXPLAIN " + view.expand(panel.raw_sql).encode()).fetchall()
    assert plan, where


def test_every_panel_answers_as_the_reading_role(
    reader: psycopg.Connection[tuple[Any, ...]],
) -> None:
    view = View(START, STOP, variables=ALL)
    assert {panel.name for panel in PANELS} == set(EXPECTED)
    for panel in PANELS:
        check(reader, panel, view, EXPECTED[panel.name][1])


def test_every_panel_answers_for_one_chosen_substation_and_a_wide_interval(
    reader: psycopg.Connection[tuple[Any, ...]],
) -> None:
    chosen = View(START, STOP, "6h", {**ALL, "substation": "'H-S1'"})
    for panel in PANELS:
        check(reader, panel, chosen, None)
    power = next(panel for panel in PANELS if panel.name == "substation_power")
    assert len(run(reader, power, chosen)[1]) == 13


def test_every_panel_answers_where_there_is_nothing(database: Database) -> None:
    """A dashboard on an empty database shows dashes, not errors."""
    role = f"reader_{uuid4().hex[:10]}"
    with database.transaction() as connection:
        roles.ensure_reader(connection, PASSWORD, role)
    try:
        with psycopg.connect(as_reader(database.url, role), row_factory=tuple_row) as session:
            for panel in PANELS:
                check(session, panel, View(START, STOP, variables=ALL), None)
    finally:
        drop(database.url, role)


def answer(reader: psycopg.Connection[tuple[Any, ...]], name: str, locale: str = "en") -> list[Row]:
    panel = next(p for p in PANELS if p.name == name and p.dashboard.endswith(locale))
    kinds, rows = run(reader, panel, View(START, STOP, variables=ALL))
    return [dict(zip(kinds, row, strict=True)) for row in rows]


def test_the_figures_are_those_of_the_balance(
    reader: psycopg.Connection[tuple[Any, ...]],
) -> None:
    (running,) = answer(reader, "running")
    assert running["loss_share"] == pytest.approx(0.05, abs=1e-6)
    assert running["coverage"] == 1.0
    assert running["makeup_m3"] == pytest.approx(1.2)
    power = answer(reader, "power")
    assert power[0]["supplied_kw"] == pytest.approx(1_000.0, rel=1e-6)
    assert power[0]["delivered_kw"] == pytest.approx(950.0, rel=1e-6)
    (refusal,) = answer(reader, "refusals")
    assert (refusal["stage"], refusal["reason"]) == ("distribution", "coverage_low")
    breakdown = {row["what"]: row["heat_kwh"] for row in answer(reader, "breakdown")}
    assert breakdown["Lost in primary pipes"] == pytest.approx(1_200.0, rel=1e-4)
    assert breakdown["Buildings"] is None  # one substation has no figure, so the city has none


def test_index_approach_and_cold_dwellings_are_right(
    reader: psycopg.Connection[tuple[Any, ...]],
) -> None:
    index = answer(reader, "specific_index")[0]["index_w_m2"]
    assert index == pytest.approx(475_000.0 / (2 * heating.UNITS * heating.UNIT_M2), rel=1e-6)
    assert answer(reader, "approach")[0]["approach_k"] == pytest.approx(8.5)
    first, second = answer(reader, "substation_table")
    assert (first["code"], first["cold_dwellings"], first["open_tickets"]) == ("H-S1", 2, 1)
    assert (second["cold_dwellings"], second["distribution_loss"]) == (0, None)
    assert first["index_w_m2"] == pytest.approx(index, rel=1e-6)
    assert [row["off_share"] for row in answer(reader, "signature")] == pytest.approx([0.1, 0.1])
    assert (
        answer(reader, "uneven")[0]["balance_degree"]
        < answer(reader, "uneven")[1]["balance_degree"] + 1e-9
    )
    (ticket,) = answer(reader, "open_tickets")
    assert (ticket["place"], ticket["cause"]) == ("House 1", "strainer_clogged")
    assert ticket["cold_dwellings"] == 1


def test_rooms_are_counted_against_the_policys_standard(
    reader: psycopg.Connection[tuple[Any, ...]],
) -> None:
    (today,) = answer(reader, "today")
    assert (today["measured"], today["standard_c"]) == (4, 20.0)
    assert today["share_below"] == 0.5
    assert today["median_c"] == pytest.approx(19.0)
    bands = {row["band"]: row["dwellings"] for row in answer(reader, "distribution")}
    assert sum(bands.values()) == 4
    assert bands["16–17 °C"] == bands["18–19 °C"] == 1
    coldest = answer(reader, "coldest")
    assert [row["temperature_c"] for row in coldest] == [16.0, 18.0, 20.0, 22.0]
    assert coldest[0]["number"]
    assert coldest[1]["held_back"] == "vacant"
    silent = {
        row["substation"]: (row["sensors"], row["silent"]) for row in answer(reader, "silent")
    }
    assert silent == {"Station 1": (100, 96), "Station 2": (100, 100)}


def test_the_chinese_dashboard_speaks_chinese(
    reader: psycopg.Connection[tuple[Any, ...]],
) -> None:
    assert {row["metric"] for row in answer(reader, "substation_power", "zh")} == {
        "1号换热站",
        "2号换热站",
    }
    assert answer(reader, "breakdown", "zh")[0]["what"] == "楼栋用热"


def test_the_variable_lists_the_substations(
    reader: psycopg.Connection[tuple[Any, ...]],
) -> None:
    model = next(m for m in models_of_all() if m["uid"] == "hearthline-heat-balance-en")
    query = next(v for v in model["templating"]["list"] if v["name"] == "substation")["query"]
    cursor = reader.execute(query.encode())
    assert cursor.description is not None
    assert [column.name for column in cursor.description] == ["__value", "__text"]
    assert cursor.fetchall() == [("H-S1", "Station 1"), ("H-S2", "Station 2")]


# ── the reading role ────────────────────────────────────────────────────────────────────────


def test_the_reader_reads_nothing_personal(reader: psycopg.Connection[tuple[Any, ...]]) -> None:
    reader.autocommit = True
    for table in ("contact", "account", "session", "api_key", "audit", "outbox", "dead_letter",
                  "idempotency", "room_reading", "ticket_event"):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(table)))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO policy VALUES ('x', '2026-01-01', '{}')",
        "UPDATE ticket SET state = 'closed'",
        "DELETE FROM incident",
        "DROP TABLE place",
        "CREATE TABLE mine (x int)",
    ],
)
def test_the_reader_writes_nothing_even_out_of_read_only(
    reader: psycopg.Connection[tuple[Any, ...]], statement: str
) -> None:
    reader.autocommit = True
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reader.execute(statement.encode())
    reader.execute(b"SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(statement.encode())


def test_the_readers_session_is_bounded(reader: psycopg.Connection[tuple[Any, ...]]) -> None:
    settings = ("default_transaction_read_only", "statement_timeout", "TimeZone")
    values = [reader.execute(f"SHOW {name}".encode()).fetchone() for name in settings]
    assert values == [("on",), ("20s",), ("UTC",)]


def test_the_role_can_be_made_again_with_another_password(database: Database) -> None:
    role = f"reader_{uuid4().hex[:10]}"
    try:
        for password in ("first", "second's \\ password"):
            with database.transaction() as connection:
                roles.ensure_reader(connection, password, role)
        kept = {"host": urlsplit(database.url).hostname, "port": urlsplit(database.url).port,
                "dbname": urlsplit(database.url).path[1:], "user": role}  # fmt: skip
        with psycopg.connect(**kept, password="second's \\ password") as session:  # type: ignore[arg-type]
            assert session.execute("SELECT count(*) FROM place").fetchone() == (0,)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(**kept, password="first")  # type: ignore[arg-type]
    finally:
        drop(database.url, role)


def test_a_reader_without_a_password_is_refused(connection: Connection) -> None:
    with pytest.raises(Exception, match="needs a password"):
        roles.ensure_reader(connection, "")


def test_an_account_that_may_not_create_roles_is_told_so(database: Database) -> None:
    humble = f"humble_{uuid4().hex[:10]}"
    with database.transaction() as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(humble), sql.Literal(PASSWORD)
            )
        )
    try:
        with (
            connect(as_reader(database.url, humble)) as session,
            pytest.raises(Exception, match="may not create the role"),
        ):
            roles.ensure_reader(session, "x", f"reader_{uuid4().hex[:10]}")
    finally:
        drop(database.url, humble)
