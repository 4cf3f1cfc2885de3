"""The score's definitions on hand-made cases: what is right, beside, false, near, early."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analytics.memory import network_of
from analytics.scoring import figures, sensors
from analytics.scoring.matching import Matcher, Near, Tree, same_kind
from analytics.scoring.said import Said, SaidDay, alarm_days, alarms
from analytics.scoring.truth import TrueFault, Truth
from hearthline.domain.complaints import Complaint
from hearthline.domain.findings import Cause, TicketKind
from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import RoomReading
from hearthline.storage.columns import KnownDevice, columns_of
from tests import builders

START = datetime(2026, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = 96
NETWORK = network_of(builders.town(builders.TownPlan(floors=3)), START)
UNITS = len(NETWORK.dwellings)
STATION, BUILDING, ENTRANCE = "T-S1", "T-S1-B01", "T-S1-B01-E1"
DWELLING = f"{ENTRANCE}-0201"
OTHER = "T-S2-B01-E1-0101"


def fault(
    cause: Cause = Cause.AIR_LOCK,
    *places: str,
    drop_k: float = 3.0,
    onset_h: int = 24,
    end_h: int | None = None,
    cold: bool = True,
    habit: bool = False,
    devices: tuple[str, ...] = (),
    severity: float = 1.0,
) -> TrueFault:
    """A fault that cools all dwellings below its places, from its onset on."""
    below = {unit for place in places or (ENTRANCE,) for unit in range(UNITS)[NETWORK.below(place)]}
    units = np.array(sorted(below), np.int64)
    drop = np.zeros((len(units), HOURS), np.float32)
    drop[:, max(onset_h, 0) + 6 : end_h] = drop_k
    return TrueFault(
        cause,
        places or (ENTRANCE,),
        START + onset_h * HOUR,
        None if end_h is None else START + end_h * HOUR,
        severity,
        habit,
        units,
        drop,
        frozenset(units.tolist()) if cold else frozenset(),
        devices,
    )


def truth(*faults: TrueFault, odd: tuple[str, ...] = ()) -> Truth:
    """22 °C everywhere, less what the faults take."""
    twin = np.full((UNITS, HOURS), 22.0, np.float32)
    room = twin.copy()
    for one in faults:
        room[one.units] -= one.drop_k
    return Truth(START, 20.0, room, twin, faults, frozenset(odd))


def said(
    place: str = ENTRANCE,
    *causes: Cause,
    at_h: float = 34,
    cold: tuple[str, ...] = (DWELLING,),
    kind: TicketKind = TicketKind.SUPPLY,
    device: str | None = None,
    merged: bool = False,
) -> Said:
    """An incident."""
    members = frozenset(cold)
    causes = causes or (Cause.AIR_LOCK,)
    opened = START + at_h * HOUR
    return Said(kind, place, causes, opened, None, members, members, device, merged)


def judged(true: Truth, *incidents: Said) -> figures.Judged:
    return figures.judge(incidents, Matcher(NETWORK, true), true)


# ── what is right ──────────────────────────────────────────────────────────────────────────


def test_an_incident_with_a_dwelling_that_the_fault_cools_is_about_it() -> None:
    """Whatever cause and place it names; how near it came is another figure."""
    found = judged(truth(fault()), said(DWELLING, Cause.WINDOW_OPEN))
    match = found.matches[0]
    assert (list(found.right), match.place, match.top1) == ([0], Near.ELSEWHERE, False)


def test_an_early_incident_without_cold_dwellings_is_matched_by_place_and_kind() -> None:
    """A clogged strainer for an air lock is of one kind; a leaky envelope is not."""
    true = truth(fault())
    kin = said(BUILDING, Cause.STRAINER_CLOGGED, cold=(), at_h=25)
    assert list(judged(true, kin).right) == [0]
    assert list(judged(true, said(BUILDING, Cause.ENVELOPE, cold=(), at_h=25)).wrong) == [0]
    assert list(judged(true, said("T-S2", Cause.AIR_LOCK, cold=(), at_h=25)).wrong) == [0]


def test_a_fault_is_to_blame_from_its_onset_until_the_walls_are_warm_again() -> None:
    """72 h after the end, not before the onset."""
    true = truth(fault(end_h=40))
    late = said(at_h=40 + 71, cold=())
    assert list(judged(true, late).right) == [0]
    assert list(judged(true, said(at_h=40 + 73, cold=())).wrong) == [0]
    assert list(judged(true, said(at_h=20, cold=())).wrong) == [0]


def test_an_incident_about_a_warm_dwelling_is_false() -> None:
    """Nobody's fault cools it, and it is not cold."""
    assert list(judged(truth(fault()), said(OTHER, cold=(OTHER,))).wrong) == [0]


def test_a_dwelling_that_is_cold_by_nobodys_fault_is_beside_the_point() -> None:
    """The weather is harsher than the design: the alarm is right, there is no fault to find."""
    true = truth(fault())
    true.room_c[NETWORK.index[OTHER]] = 19.0
    assert list(judged(true, said(OTHER, cold=(OTHER,))).beside) == [0]


def test_a_fault_that_makes_nobody_cold_by_itself_counts_neither_way() -> None:
    true = truth(fault(drop_k=1.0, cold=False))
    found = judged(true, said())
    assert (list(found.right), list(found.beside), list(found.wrong)) == ([], [0], [])
    result, _ = figures.figures([said()], [], NETWORK, true)
    assert result["incident"]["recall"] is None


def test_a_habit_is_found_when_it_is_named_and_never_missed() -> None:
    """Named by another cause it is beside the point, and counted as such."""
    habit = fault(Cause.NEIGHBOUR_UNHEATED, OTHER, onset_h=-1440, habit=True)
    true = truth(habit)
    named = judged(true, said(OTHER, Cause.NEIGHBOUR_UNHEATED, cold=(OTHER,)))
    assert list(named.standing) == [0]
    incidents = (said(OTHER, Cause.WINDOW_OPEN, cold=(OTHER,)),)
    other = judged(true, *incidents)
    assert list(other.beside) == [0]
    assert figures.standing(incidents, other, true) == {
        "habits": 1,
        "cold": 1,
        "recall": 0.0,
        "incidents": 1,
        "misnamed": 1,
        "said": {"window_open": 1},
    }


def test_of_several_faults_the_one_at_the_place_is_taken() -> None:
    """A bystander cools the same dwelling, and more."""
    wide = fault(Cause.CONTROL_CURVE, STATION, drop_k=4.0)
    own = fault(Cause.VALVE_CLOSED, DWELLING, drop_k=2.0)
    found = judged(truth(wide, own), said(DWELLING, Cause.UNDETERMINED))
    assert found.matches[0].fault == 1


def test_of_faults_elsewhere_the_one_that_takes_most_heat_is_taken() -> None:
    little = fault(Cause.LEAK, STATION, drop_k=0.5)
    much = fault(Cause.CONTROL_CURVE, STATION, drop_k=2.0)
    found = judged(truth(little, much), said(DWELLING, Cause.UNDETERMINED))
    assert found.matches[0].fault == 1


# ── places ─────────────────────────────────────────────────────────────────────────────────


def test_places_that_hold_the_same_dwellings_are_one_place() -> None:
    """A substation with a single circuit is that circuit."""
    tree = Tree(NETWORK)
    assert tree.near("T-S1", ["T-S1-C1"]) is Near.EXACT
    assert tree.near(BUILDING, ["T-S1"]) is Near.ONE_LEVEL
    assert tree.near("T", ["T-S1-C1"]) is Near.ONE_LEVEL
    assert tree.near(ENTRANCE, ["T-S1"]) is Near.ELSEWHERE
    assert tree.near("T-S1-B02", [BUILDING]) is Near.ELSEWHERE


def test_a_cluster_is_met_at_any_of_its_dwellings_or_at_the_smallest_place_around() -> None:
    tree = Tree(NETWORK)
    cluster = [f"{ENTRANCE}-0101", "T-S1-B01-E2-0102"]
    assert tree.common(cluster) == BUILDING
    assert all(tree.near(place, cluster) is Near.EXACT for place in (*cluster, BUILDING))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Cause.PUMP_TRIP, Cause.LEAK, True),
        (Cause.AIR_LOCK, Cause.HYDRAULIC_IMBALANCE, True),
        (Cause.SOURCE_SHORTAGE, Cause.CONTROL_CURVE, False),
        (Cause.UNDETERMINED, Cause.VALVE_CLOSED, False),
    ],
)
def test_causes_of_a_kind(one: Cause, other: Cause, same: bool) -> None:
    assert same_kind(one, other) is same_kind(other, one) is same


# ── figures ────────────────────────────────────────────────────────────────────────────────


def test_figures_of_incidents() -> None:
    """Two faults, one found by three tickets of which one was merged; one false alarm."""
    true = truth(fault(), fault(Cause.VALVE_CLOSED, "T-S2-B02-E1-0101"))
    incidents = [
        said(ENTRANCE, Cause.AIR_LOCK, Cause.STRAINER_CLOGGED, at_h=32),
        said(BUILDING, Cause.STRAINER_CLOGGED, Cause.AIR_LOCK, at_h=40),
        said(DWELLING, Cause.WINDOW_OPEN, at_h=35, merged=True),
        said(OTHER, cold=(OTHER,)),
    ]
    result, found = figures.figures(incidents, [], NETWORK, true)
    incident = result["incident"]
    assert incident["precision"] == pytest.approx(2 / 3, abs=1e-4)
    assert (incident["recall"], incident["per_fault"]) == (0.5, 2.0)
    assert (incident["place_exact"], incident["place_within_one"]) == (0.5, 1.0)
    assert (incident["cause_top1"], incident["cause_top2"]) == (0.5, 1.0)
    assert result["tickets_per_fault"] == 3.0
    days = UNITS * HOURS / 24 / 1000
    assert incident["false_per_1000_unit_days"] == pytest.approx(1 / days, rel=1e-3)
    assert figures.confusion(incidents, found, NETWORK, true) == {
        "air_lock": {"air_lock": 1, "strainer_clogged": 1},
        "nothing": {"air_lock": 1},
        "valve_closed": {"missed": 1},
    }


def test_a_fault_can_be_told_by_a_meter_a_sensor_or_a_call() -> None:
    """Of a dwelling without a sensor only its own people tell, and only while it is cold."""
    room = next(i for i in NETWORK.instruments if i.place == DWELLING)
    meter = next(i for i in NETWORK.instruments if i.kind is DeviceKind.METER)
    sparse = replace(NETWORK, instruments=(room, meter))
    here, there = fault(Cause.VALVE_CLOSED, DWELLING), fault(Cause.VALVE_CLOSED, OTHER, end_h=40)
    true = truth(here, there, fault(Cause.CONTROL_CURVE, meter.place), fault(cold=False))
    call = Complaint(OTHER, START + 30 * HOUR)
    assert figures.tellable(sparse, true, []) == {0, 2}
    assert figures.tellable(sparse, true, [call]) == {0, 1, 2}
    for other in (replace(call, place=ENTRANCE + "-0101"), replace(call, at=START + 20 * HOUR)):
        assert figures.tellable(sparse, true, [other]) == {0, 2}
    result, _ = figures.figures([said(DWELLING, Cause.VALVE_CLOSED)], [], sparse, true, [call])
    incident = result["incident"]
    assert (incident["recall"], incident["tellable"]) == (0.3333, 3)
    assert incident["recall_tellable"] == 0.3333


def test_delay_counts_from_the_first_cold_hour_and_is_negative_before_it() -> None:
    """The drop of 3 K begins six hours after the onset."""
    true = truth(fault())
    first = START + 30 * HOUR
    assert true.first_cold(true.faults[0]) == first
    late, _ = figures.figures([said(at_h=35)], [], NETWORK, true)
    assert (late["incident"]["delay_h_median"], late["incident"]["early_share"]) == (5.0, 0.0)
    early, _ = figures.figures([said(at_h=26, cold=())], [], NETWORK, true)
    assert (early["incident"]["delay_h_median"], early["incident"]["early_share"]) == (-4.0, 1.0)


def test_a_dwelling_that_was_cold_before_does_not_date_the_fault() -> None:
    true = truth(fault(drop_k=3.0))
    true.room_c[NETWORK.index[DWELLING], :] = 19.0
    assert true.first_cold(true.faults[0]) == START + 30 * HOUR


def test_unit_days_near_the_standard_are_left_out() -> None:
    """Three days: one cold and said so, one cold and missed, one within 0.3 K of the standard."""
    true = truth()
    unit = NETWORK.index[DWELLING]
    true.room_c[unit, :48], true.room_c[unit, 48:72] = 19.0, 19.8
    days = [
        SaidDay(DWELLING, below, np.arange(first, first + 24), np.full(24, 60.0))
        for below, first in ((True, 0), (False, 24), (True, 48), (True, 72))
    ]
    assert figures.unit_days(days, NETWORK, true) == {
        "precision": 0.5,
        "recall": 0.5,
        "judged": 3,
        "below": 2,
    }


# ── sensors ────────────────────────────────────────────────────────────────────────────────

UID, UID_2 = f"own:t/{DWELLING}", f"own:t/{OTHER}"


def lie(cause: Cause, *places: str, **changes: object) -> TrueFault:
    devices = tuple(f"own:t/{place}" for place in places)
    one = fault(cause, *places, cold=False, drop_k=0.0, devices=devices)
    return replace(one, **changes)  # type: ignore[arg-type]


def ticket(cause: Cause, place: str, device: str | None, **changes: object) -> Said:
    return said(place, cause, cold=(), kind=TicketKind.SENSOR, device=device, **changes)  # type: ignore[arg-type]


def test_a_sensor_ticket_is_right_if_its_sensor_lies() -> None:
    """The one of a healthy sensor is wrong, that of an odd one is neither."""
    true = truth(lie(Cause.SENSOR_STUCK, DWELLING), odd=(f"own:t/{ENTRANCE}-0101",))
    tickets = [
        ticket(Cause.SENSOR_DRIFT, DWELLING, UID),
        ticket(Cause.SENSOR_STUCK, OTHER, UID_2),
        ticket(Cause.SENSOR_BATTERY, f"{ENTRANCE}-0101", f"own:t/{ENTRANCE}-0101"),
    ]
    score = sensors.score(NETWORK, true, tickets)
    assert (score.right, score.wrong, score.beside, len(score.found)) == (1, 1, 1, 1)
    assert score.said == {0: Cause.SENSOR_DRIFT}


def test_both_sensors_of_a_swap_must_be_named() -> None:
    """One ticket that holds both dwellings names both."""
    true = truth(lie(Cause.SENSOR_SWAPPED, DWELLING, OTHER))
    one = ticket(Cause.SENSOR_MOVED, DWELLING, UID)
    assert len(sensors.score(NETWORK, true, [one]).found) == 1
    both = replace(ticket(Cause.SENSOR_SWAPPED, DWELLING, UID), members=frozenset((OTHER,)))
    assert len(sensors.score(NETWORK, true, [both]).found) == 2


def test_a_gateway_is_found_at_its_building_and_not_sensor_by_sensor() -> None:
    outage = replace(lie(Cause.GATEWAY_OUTAGE, BUILDING), devices=(UID,), end_at=START + 60 * HOUR)
    true = truth(outage)
    one = sensors.score(NETWORK, true, [ticket(Cause.GATEWAY_OUTAGE, BUILDING, None)])
    assert (len(one.found), one.right, one.wrong) == (1, 1, 0)
    other = sensors.score(NETWORK, true, [ticket(Cause.SENSOR_BATTERY, DWELLING, UID)])
    assert (len(other.found), other.right, other.wrong) == (0, 0, 1)


def test_short_lies_and_small_drifts_need_not_be_found() -> None:
    """Less than a day; less than half a kelvin by the end."""
    short = lie(Cause.SENSOR_STUCK, DWELLING, end_at=START + 40 * HOUR)
    small = lie(Cause.SENSOR_DRIFT, OTHER, severity=-0.2)
    large = lie(Cause.SENSOR_DRIFT, OTHER, severity=-0.2, onset_at=START - timedelta(days=30))
    assert [one.fault for one in sensors.lies_of(truth(short, small, large))] == [2]
    assert sensors.score(NETWORK, truth(short), [ticket(Cause.SENSOR_STUCK, DWELLING, UID)]).right


# ── the baseline ───────────────────────────────────────────────────────────────────────────


def alarm_of(levels: list[float], step_min: float = 20.0) -> list[Said]:
    device = next(i for i in NETWORK.instruments if i.place == DWELLING)
    readings = [
        RoomReading(device.uid, START + n * timedelta(minutes=step_min), level)
        for n, level in enumerate(levels)
    ]
    known = [KnownDevice(device.id, DeviceKind.ROOM, 1200)] * len(readings)
    lot = columns_of(DeviceKind.ROOM, known, readings, START)
    return alarms(lot, NETWORK, 20.0)


def test_the_baseline_alarms_after_two_hours_below_and_once() -> None:
    [alarm] = alarm_of([21.0] * 3 + [19.0] * 12 + [21.0] * 3)
    assert (alarm.place, alarm.opened_at) == (DWELLING, START + 3 * HOUR)
    assert alarm_of([19.0] * 6 + [21.0] + [19.0] * 6) == []


def test_silence_ends_a_baseline_alarm() -> None:
    """Nobody knows what was between readings of three hours."""
    assert alarm_of([19.0] * 10, step_min=180.0) == []


def test_the_baseline_calls_a_day_below_on_which_an_alarm_stood() -> None:
    raised = alarm_of([19.0] * 12 + [21.0] * 60)
    days = [
        SaidDay(DWELLING, False, np.arange(first, first + 24), np.full(24, 60.0))
        for first in (0, 24)
    ]
    assert [day.below for day in alarm_days(days, raised, START)] == [True, False]


def test_what_readings_cannot_tell_is_counted_apart() -> None:
    """A trend within the noise of days, an exchange of before the run, one of rooms alike."""
    slow = lie(Cause.SENSOR_DRIFT, OTHER, severity=-0.2, onset_at=START - timedelta(days=30))
    fast = lie(Cause.SENSOR_DRIFT, OTHER, severity=-9.0)
    old = lie(Cause.SENSOR_SWAPPED, DWELLING, OTHER, onset_at=START - timedelta(days=30))
    fresh = lie(Cause.SENSOR_SWAPPED, DWELLING, OTHER)
    apart = truth(slow, fast, old, fresh)
    apart.room_c[NETWORK.index[DWELLING]] += 1.0
    told = [sensors.is_tellable(one, apart, NETWORK) for one in apart.faults]
    assert told == [False, True, False, True]
    alike = truth(fresh)
    alike.room_c[NETWORK.index[DWELLING]] = alike.room_c[NETWORK.index[OTHER]]
    assert not sensors.is_tellable(fresh, alike, NETWORK)
    assert sensors.score(NETWORK, apart, []).tellable == {1, 4, 5}
