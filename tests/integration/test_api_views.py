"""Read models against a real database: what a page would show, and in which order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hearthline.domain.findings import Cause
from hearthline.domain.places import Ledger, PlaceKind
from hearthline.domain.policies import PROFILES, DayVerdict, HoldReason
from hearthline.errors import NotFound
from hearthline.storage.database import Connection
from hearthline.storage.views import curves, desk, engineering, network, places
from tests import builders as b
from tickets.desk import act

NOW = datetime(2025, 12, 4, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOUSE = "T-S1-B01"


@pytest.fixture
def town(connection: Connection) -> Ledger:
    """Two stations with two houses each, no readings yet."""
    ledger = b.town(b.TownPlan(stopped={f"{HOUSE}-E1-0402"}))
    with connection.transaction():
        b.save(connection, ledger)
    return ledger


def units(town: Ledger, prefix: str) -> list[str]:
    return [unit.code for unit in town.units if unit.code.startswith(prefix)]


def test_the_queue_puts_on_top_what_a_dispatcher_must_do_first(
    connection: Connection, town: Ledger
) -> None:
    def opened(place: str, cold: list[str], hours: float, cause: Cause, **more: object) -> str:
        return b.ticket(connection, town, place, cold, at=NOW - hours * HOUR, cause=cause, **more)  # type: ignore[arg-type]

    one = [f"{HOUSE}-E1-0101"]
    running = opened(f"{HOUSE}-E1-0101", one, 3, Cause.VALVE_CLOSED)
    late = opened("T-S1-B02", units(town, "T-S1-B02"), 30, Cause.STRAINER_CLOGGED)
    waiting = opened(f"{HOUSE}-E2", units(town, f"{HOUSE}-E2"), 40, Cause.PIPES_SWAPPED)
    answered = opened("T-S2-B02-E1-0101", ["T-S2-B02-E1-0101"], 50, Cause.ENVELOPE)
    for number in (running, late, waiting, answered):
        act(connection, number, "dispatch", actor="x", now=NOW - HOUR)
        act(connection, number, "start", actor="x", now=NOW - HOUR)
    act(connection, waiting, "pause", actor="x", now=NOW, reason="waiting_for_part")
    act(connection, answered, "reply", actor="x", now=NOW)
    small = opened("T-S2-B02-E2-0101", ["T-S2-B02-E2-0101"], 9, Cause.ENVELOPE)
    large = opened("T-S2-B01", units(town, "T-S2-B01"), 0.1, Cause.STRAINER_CLOGGED)
    sensor = f"{HOUSE}-E1-0302"
    stuck = opened(sensor, [], 9, Cause.SENSOR_STUCK, affected=[sensor],
                   device_uid=f"own:t/{sensor}")  # fmt: skip

    def order(kind: str) -> list[str]:
        return [row["number"] for row in desk.queue(connection, NOW, desk.Filter(), order=kind)]

    assert order("urgent") == [large, small, late, stuck, running, waiting, answered]
    assert order("newest")[0] == large
    assert order("largest")[-1] in {running, small, stuck, answered}
    counts = desk.queue_counts(connection, NOW, desk.Filter(states=("closed",)))
    assert {state: (row["tickets"], row["overdue"]) for state, row in counts.items()} == {
        "new": (3, 2),
        "in_progress": (3, 1),
        "replied": (1, 0),
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [("house 2", True), ("2号楼", True), ("T-S1-B02-E1", True), ("B02-E1-0301", True),
     ("3号楼", False), ("%", False), ("_", False)],
)  # fmt: skip
def test_tickets_are_found_by_words_of_their_place_and_by_their_dwellings(
    connection: Connection, town: Ledger, text: str, found: bool
) -> None:
    cold = units(town, "T-S1-B02-E1")
    number = b.ticket(connection, town, "T-S1-B02-E1", cold, at=NOW)
    rows = desk.tickets(connection, NOW, desk.Filter(text=text))
    assert [row["number"] for row in rows] == ([number] if found else [])
    assert desk.tickets(connection, NOW, desk.Filter(text=number[-4:])) != []


def test_a_dwelling_with_two_sensors_shows_their_mean_and_the_worse_grade(
    connection: Connection, town: Ledger
) -> None:
    code = f"{HOUSE}-E1-0101"
    connection.execute("INSERT INTO device (uid, kind) VALUES ('own:t/second', 'room')")
    second = b.device_id(connection, "own:t/second")
    place = b.place_id(connection, code)
    connection.execute("INSERT INTO device_binding VALUES (%s, %s, 'room')", (second, place))
    first = b.device_id(connection, f"own:t/{code}")
    b.set_latest(connection, first, NOW, {"temperature_c": 20.0})
    b.set_latest(connection, second, NOW, {"temperature_c": 22.0})
    connection.execute(
        "INSERT INTO sensor_grade VALUES (%s, 'A', 'good', now()), (%s, 'C', 'stuck', now())",
        (first, second),
    )
    row = places.unit_now(connection, code, NOW)
    assert (row["temperature_c"], row["grade"], row["grade_reason"]) == (21.0, "C", "stuck")


def test_a_stopped_dwelling_is_cold_and_not_counted(connection: Connection, town: Ledger) -> None:
    stopped, heated = f"{HOUSE}-E1-0402", f"{HOUSE}-E1-0401"
    b.room_series(connection, stopped, NOW, 9.0, hours=1)
    b.room_series(connection, heated, NOW, 19.0, hours=1)
    assert places.unit_now(connection, stopped, NOW)["status"] == "stopped"
    pulse = network.pulse(connection, NOW, 20.0)
    assert (pulse["measured"], pulse["below"]) == (1, 1)
    rows = {row["code"]: row for row in network.rooms_by_place(connection, NOW, 20.0)}
    assert (rows[HOUSE]["measured"], rows[HOUSE]["min_c"]) == (1, 19.0)
    assert rows["T"]["units"] == len(town.units)


def test_compliance_is_the_share_of_judged_minutes(connection: Connection, town: Ledger) -> None:
    today = date(2025, 12, 4)
    b.unit_day(connection, f"{HOUSE}-E1-0101", today, verdict=DayVerdict.BELOW, below_min=720)
    b.unit_day(connection, f"{HOUSE}-E1-0102", today)
    b.unit_day(connection, f"{HOUSE}-E1-0402", today, verdict=DayVerdict.HELD_BACK,
               reason=HoldReason.HEATING_STOPPED, below_min=1440)  # fmt: skip
    (row,) = network.compliance(connection, today, today)
    assert 1 - row["below_min"] / row["covered_min"] == 0.75


def test_peers_leave_out_the_ticket_and_the_unheated(connection: Connection, town: Ledger) -> None:
    for code in units(town, HOUSE):
        b.room_series(connection, code, NOW, 9.0 if code.endswith("0402") else 21.0, hours=3)
    b.room_series(connection, f"{HOUSE}-E2-0101", NOW, 15.0, hours=3)
    window = curves.Window(NOW - 3 * HOUR, NOW)
    path = places.place(connection, HOUSE)["path"]
    own = [f"{HOUSE}-E2-0101"]
    band = curves.band_around(connection, path, own, window)
    assert {row["sensors"] for row in band} == {14}
    assert min(row["low_c"] for row in band) == pytest.approx(21.0, abs=0.01)
    assert len(curves.band_inside(connection, own, window)) == 3


def test_the_nearest_meter_comes_first(connection: Connection, town: Ledger) -> None:
    path = places.place(connection, f"{HOUSE}-E1-0101")["path"]
    meters = curves.meters_on(connection, path.rstrip("/").split("/"), NOW)
    assert [meter["code"] for meter in meters] == [HOUSE, "T-S1", "T"]


def test_held_back_dwellings_carry_their_reason(connection: Connection, town: Ledger) -> None:
    b.hold(connection, f"{HOUSE}-E1-0402", HoldReason.HEATING_STOPPED, NOW)
    (row,) = network.held_back(connection, NOW)
    assert (row["code"], row["hold_reason"]) == (f"{HOUSE}-E1-0402", "heating_stopped")
    assert network.held_back_counts(connection) == [{"reason": "heating_stopped", "units": 1}]


def test_a_stored_rule_is_the_domains_rule(connection: Connection) -> None:
    for profile in PROFILES.values():
        for version in profile.versions:
            assert engineering.policy_on(connection, version.code, version.valid_from) == version


def test_a_place_of_another_kind_is_not_found(connection: Connection, town: Ledger) -> None:
    with pytest.raises(NotFound, match="There is no building with the code 'T-S1'"):
        places.place(connection, "T-S1", PlaceKind.BUILDING)


def test_search_says_what_it_found(connection: Connection, town: Ledger) -> None:
    code = f"{HOUSE}-E1-0302"
    b.contact(connection, code, phone="139 4511 2233")
    number = b.ticket(connection, town, code, [code], at=NOW)
    assert [row["what"] for row in places.search(connection, "45112233")] == ["contact"]
    assert places.search(connection, number)[0]["what"] == "ticket"
    assert places.search(connection, code.lower())[0]["code"] == code
    assert places.search(connection, "133") == []


def test_of_several_tickets_a_dwelling_shows_the_one_that_makes_it_cold(
    connection: Connection, town: Ledger
) -> None:
    cold = units(town, f"{HOUSE}-E2")
    near = b.ticket(connection, town, f"{HOUSE}-E2", cold, at=NOW - HOUR, cause=Cause.PIPES_SWAPPED)
    wide = b.ticket(connection, town, "T-S1", units(town, "T-S1-B02"), at=NOW,
                    affected=units(town, "T-S1"), cause=Cause.PUMP_TRIP)  # fmt: skip
    assert near != wide
    shown = {row["code"]: row for row in places.units_now(connection, NOW)}
    assert (shown[cold[0]]["ticket"], shown[cold[0]]["ticket_cold"]) == (near, True)
    affected = shown[f"{HOUSE}-E1-0101"]
    assert (affected["ticket"], affected["ticket_cold"]) == (wide, False)
    path = places.place(connection, HOUSE)["path"]
    assert [row["number"] for row in desk.tickets_below(connection, path)] == [near, wide]
    b.room_series(connection, cold[0], NOW, 15.0, hours=2)
    b.room_series(connection, "T-S2-B01-E1-0101", NOW, 21.0, hours=2)
    band = curves.band_around(connection, "T/", [], curves.Window(NOW - 3 * HOUR, NOW))
    assert {row["sensors"] for row in band} == {1}  # a dwelling that is cold itself is no peer
