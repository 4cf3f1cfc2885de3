"""What heat meters say about the pipes."""

from datetime import UTC, datetime, timedelta

import numpy as np

from analytics.signs import SLOT, MeterSlots, Sign, expected_flow, read

START = datetime(2026, 1, 12, tzinfo=UTC)
SLOTS = 12 * 48
GAP = float("nan")


def station(**changes: np.ndarray) -> MeterSlots:
    """A station (30 m³/h) with three healthy buildings (10 m³/h each), 50/36 °C, for two days."""
    flow = np.repeat(np.array([[30.0], [10], [10], [10]]), SLOTS, axis=1)
    parts = {
        "flow_m3h": flow,
        "supply_c": np.full_like(flow, 50.0),
        "return_c": np.full_like(flow, 36.0),
    } | changes
    return MeterSlots(START, ("S", "B1", "B2", "B3"), np.full(4, GAP), **parts)


def base(name: str) -> np.ndarray:
    return np.array(getattr(station(), name))


def slot(count: int) -> datetime:
    return START + count * SLOT


def test_a_healthy_station_says_nothing() -> None:
    """No sign without a fault."""
    assert read(station()) == []


def test_a_pump_that_trips_is_seen_in_ten_minutes() -> None:
    """The station's flow falls to almost nothing: one sign, at the station, none at branches."""
    flow = base("flow_m3h")
    flow[:, 100:] *= 0.02
    [signal] = read(station(flow_m3h=flow))
    assert (signal.sign, signal.place, signal.until) == (Sign.FLOW_STOPPED, "S", None)
    assert signal.since == slot(102)
    assert signal.values["before_m3h"] == 30


def test_a_pump_that_has_stood_longer_than_the_window_still_stands() -> None:
    """The flow that the heated area needs is the floor of what is usual."""
    flow = np.full((4, SLOTS), 0.2)
    quiet = station(flow_m3h=flow)
    area = np.array([expected_flow(20_000), GAP, GAP, GAP])
    signs = read(MeterSlots(START, quiet.places, area, flow, quiet.supply_c, quiet.return_c))
    assert [s.sign for s in signs] == [Sign.FLOW_STOPPED]


def test_supply_below_return_is_seen_after_an_hour() -> None:
    """Swapped pipes: a lasting negative difference at one branch."""
    supply, back = base("supply_c"), base("return_c")
    supply[2], back[2] = 33, 41
    [signal] = read(station(supply_c=supply, return_c=back))
    assert (signal.sign, signal.place, signal.since) == (Sign.DELTA_NEGATIVE, "B2", slot(12))


def test_low_flow_with_a_warm_return_is_no_strainer() -> None:
    """Somebody throttled a building that had too much."""
    flow = base("flow_m3h")
    flow[1, 60:] = 5
    assert read(station(flow_m3h=flow)) == []


def test_a_station_that_slows_down_as_a_whole_accuses_no_branch() -> None:
    """Shares stay the same when the pump is turned down."""
    flow, back = base("flow_m3h"), base("return_c")
    flow[:, 60:] *= 0.5
    back[1] -= 5
    assert read(station(flow_m3h=flow, return_c=back)) == []


def test_a_dead_meter_raises_no_alarm() -> None:
    """Missing is never a stopped pump."""
    flow = base("flow_m3h")
    flow[0, 100:] = GAP
    assert read(station(flow_m3h=flow)) == []


def test_a_sign_ends_when_the_pump_runs_again() -> None:
    """Since and until are instants at which it was known."""
    flow = base("flow_m3h")
    flow[0, 100:130] = 0.1
    [signal] = read(station(flow_m3h=flow))
    assert signal.until == slot(131)
    assert signal.holds(slot(115))
    assert not signal.holds(slot(131) + timedelta(seconds=1))
