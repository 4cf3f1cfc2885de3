"""What stations' meters say hour by hour: each fault shows its own sign, and a sound plant none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analytics.observed import MeterTable, Weather
from analytics.overall import Overall
from analytics.plant import Look, read_network, read_plant
from analytics.signs import Sign, Signal
from analytics.stations import circuits_of
from hearthline.domain.network import Instrument, Network, Node
from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe, PlaceKind

START = datetime(2026, 1, 12, tzinfo=UTC)
HOURS = 24 * 8
FROM = 24 * 5
STATIONS, BRANCHES = 4, 3
CLOCK = np.arange(HOURS)
OUTDOOR = -14 + 5 * np.cos((CLOCK - 14) / 24 * 2 * np.pi) - 3 * np.sin(CLOCK / HOURS * 3)


def network() -> Network:
    """A source, four stations, three buildings each."""
    nodes = [Node(1, "HX", PlaceKind.SOURCE, "HX/", "", "")]
    meters = [meter("HX", DeviceRole.PRIMARY)]
    for s in range(1, STATIONS + 1):
        station = f"S{s}"
        nodes.append(Node(10 * s, station, PlaceKind.SUBSTATION, f"HX/{station}/", "", ""))
        meters += [meter(station, DeviceRole.PRIMARY), meter(station, DeviceRole.SECONDARY)]
        for b in range(1, BRANCHES + 1):
            house = f"{station}-B{b}"
            path = f"HX/{station}/{house}/"
            nodes.append(Node(100 * s + b, house, PlaceKind.BUILDING, path, "", ""))
            meters.append(meter(house, DeviceRole.BRANCH))
    return Network({n.code: n for n in nodes}, [], meters, {})


def meter(place: str, role: DeviceRole) -> Instrument:
    uid = f"{place}-{role}"
    return Instrument(hash(uid) % 100_000, uid, DeviceKind.METER, role, place, FlowPipe.RETURN, 300)


NETWORK = network()
CIRCUITS = circuits_of(NETWORK.instruments, NETWORK)
ROW = {(m.place, m.role): at for at, m in enumerate(NETWORK.instruments)}


def plant(seed: int = 1) -> MeterTable:
    """Eight sound days, with the noise of class 2 meters."""
    dice = np.random.default_rng(seed)
    count = len(NETWORK.instruments)

    def noisy(value: float | np.ndarray, spread: float) -> np.ndarray:
        return np.broadcast_to(value, (count, HOURS)) + dice.normal(0, spread, (count, HOURS))

    primary = np.array([m.role is DeviceRole.PRIMARY for m in NETWORK.instruments])[:, None]
    branch = np.array([m.role is DeviceRole.BRANCH for m in NETWORK.instruments])[:, None]
    secondary = ~primary & ~branch
    supply = np.where(primary, 80 - 1.6 * OUTDOOR, 45 - 1.2 * OUTDOOR)
    back = np.where(primary, 41.5, 38.0) - 0.4 * OUTDOOR
    nothing = np.full((count, HOURS), np.nan)
    return MeterTable(
        START,
        tuple(NETWORK.instruments),
        noisy(supply, 0.2),
        noisy(back, 0.1),
        np.where(branch, 6.0, np.where(secondary, 18.0, 7.0)) * noisy(1.0, 0.003),
        nothing,
        np.where(primary, noisy(80.0, 1.0), nothing),
        np.where(secondary, noisy(42.0, 0.0), nothing),
        np.where(secondary, noisy(500.0, 1.0), nothing),
        np.where(secondary, noisy(360.0, 1.0), nothing),
        np.where(secondary, noisy(0.027, 0.003), nothing),
    )


STILL = np.full(HOURS, np.nan)
WEATHER = Weather(START, OUTDOOR, STILL, STILL)


def overall(table: MeterTable, whole: Network = NETWORK) -> Overall:
    return read_network(table, WEATHER, whole)


def said(table: MeterTable, whole: Network = NETWORK) -> list[Signal]:
    """What is told of the sources, and of each district."""
    known = overall(table, whole)
    found = list(known.signals)
    for district in whole.districts():
        path, part = whole.path_of[district], whole.part(district)
        rows = [n for n, m in enumerate(table.meters) if whole.path_of[m.place].startswith(path)]
        own, shared = table.only(rows), known.over(part, START, HOURS)
        found += read_plant(Look(own, WEATHER, circuits_of(own.meters, part), shared))
    return found


def changed(
    table: MeterTable, quantity: str, place: str, role: DeviceRole, by: object
) -> MeterTable:
    """The table with a quantity of one meter changed from ``FROM`` on, by a function."""
    values = getattr(table, quantity).copy()
    row = ROW[place, role]
    values[row, FROM:] = by(values[row, FROM:])  # type: ignore[operator]
    return replace(table, **{quantity: values})


@pytest.mark.parametrize("seed", range(6))
def test_a_sound_plant_says_nothing(seed: int) -> None:
    """Noise and weather make no sign."""
    assert said(plant(seed)) == []


def test_a_curve_that_is_low_is_told_within_hours() -> None:
    """Three kelvin, valve at eighty per cent: the curve, not the source."""
    table = changed(plant(), "supply_c", "S2", DeviceRole.SECONDARY, lambda v: v - 3.5)
    [signal] = said(table)
    assert (signal.sign, signal.place, signal.until) == (Sign.SUPPLY_LOW, "S2", None)
    assert signal.since - START <= timedelta(hours=FROM + 4)
    assert signal.values["short_k"] == pytest.approx(3.5, abs=0.5)


def test_a_low_supply_behind_an_open_valve_is_not_the_curve() -> None:
    """The station takes all it can get."""
    table = changed(plant(), "supply_c", "S2", DeviceRole.SECONDARY, lambda v: v - 3.5)
    table = changed(table, "valve_pct", "S2", DeviceRole.PRIMARY, lambda v: v * 0 + 100)
    assert said(table) == []


def test_a_source_that_is_short_is_one_sign_at_the_source() -> None:
    """Every station suffers; none of them is told."""
    table = plant()
    for place in ("HX", "S1", "S2", "S3", "S4"):
        table = changed(table, "supply_c", place, DeviceRole.PRIMARY, lambda v: v - 15)
    for place in ("S1", "S2", "S3", "S4"):
        table = changed(table, "valve_pct", place, DeviceRole.PRIMARY, lambda v: v * 0 + 100)
        table = changed(table, "supply_c", place, DeviceRole.SECONDARY, lambda v: v - 6)
    [signal] = said(table)
    assert (signal.sign, signal.place) == (Sign.SOURCE_SHORT, "HX")


def test_of_two_sources_the_one_that_is_short_is_told() -> None:
    """What hangs on the other has all it wants, and is no reason to doubt it."""
    table = plant()
    nodes = [
        replace(node, path=node.path.replace("HX/", "KX/"))
        if node.path[3:5] in {"S3", "S4"}
        else node
        for node in NETWORK.nodes.values()
    ]
    nodes.append(Node(2, "KX", PlaceKind.SOURCE, "KX/", "", ""))
    two = replace(NETWORK, nodes={node.code: node for node in nodes})
    for place in ("HX", "S1", "S2"):
        table = changed(table, "supply_c", place, DeviceRole.PRIMARY, lambda v: v - 15)
    for place in ("S1", "S2"):
        table = changed(table, "valve_pct", place, DeviceRole.PRIMARY, lambda v: v * 0 + 100)
        table = changed(table, "supply_c", place, DeviceRole.SECONDARY, lambda v: v - 6)
    [signal] = said(table, two)
    assert (signal.sign, signal.place) == (Sign.SOURCE_SHORT, "HX")
    shared = overall(table, two)
    assert shared.shared["HX"].source_short[FROM + 4 :].all()
    assert not shared.shared["KX"].source_short.any()
    assert Overall.from_plain(shared.plain()).shared.keys() == {"HX", "KX"}


def test_plates_that_foul_are_told_before_they_starve_anybody() -> None:
    """The approach grows over days."""
    table = changed(
        plant(),
        "return_c",
        "S3",
        DeviceRole.PRIMARY,
        lambda v: v + np.linspace(0, 6, len(v)),
    )
    [signal] = said(table)
    assert (signal.sign, signal.place) == (Sign.APPROACH_HIGH, "S3")
    assert signal.values["approach_k"] > signal.values["usual_k"] + 4


def test_a_leak_is_told_by_make_up_or_by_pressure() -> None:
    """Either suffices: a make-up pump may keep the pressure, or not be metered."""
    fed = changed(plant(), "makeup_m3h", "S1", DeviceRole.SECONDARY, lambda v: v + 0.15)
    fallen = changed(plant(), "return_kpa", "S1", DeviceRole.SECONDARY, lambda v: v - 60)
    for table in (fed, fallen):
        [signal] = said(table)
        assert (signal.sign, signal.place) == (Sign.MAKEUP_HIGH, "S1")


def test_a_building_that_loses_flow_is_told_and_its_station_is_not() -> None:
    """The station lacks just what the building lacks."""
    table = changed(plant(), "flow_m3h", "S4-B2", DeviceRole.BRANCH, lambda v: v * 0.5)
    table = changed(table, "flow_m3h", "S4", DeviceRole.SECONDARY, lambda v: v - 3.0)
    [signal] = said(table)
    assert (signal.sign, signal.place) == (Sign.FLOW_LOW, "S4-B2")
    assert signal.values["ratio_pct"] == pytest.approx(50, abs=2)


def test_flow_that_goes_from_far_to_near_is_a_shift_and_no_loss() -> None:
    """Somebody opened the near valves."""
    table = changed(plant(), "flow_m3h", "S1-B1", DeviceRole.BRANCH, lambda v: v * 1.3)
    table = changed(table, "flow_m3h", "S1-B3", DeviceRole.BRANCH, lambda v: v * 0.85)
    [signal] = said(table)
    assert (signal.sign, signal.place) == (Sign.FLOWS_SHIFTED, "S1")


def test_a_shift_shows_beside_a_branch_that_had_lost_flow_before() -> None:
    """The far branch lacks more than the near one took, yet the circuit takes more than ever."""
    table = changed(plant(), "flow_m3h", "S1-B1", DeviceRole.BRANCH, lambda v: v * 1.24)
    table = changed(table, "flow_m3h", "S1-B3", DeviceRole.BRANCH, lambda v: v * 0.74)
    assert Sign.FLOWS_SHIFTED not in {signal.sign for signal in said(table)}
    table = changed(table, "flow_m3h", "S1", DeviceRole.SECONDARY, lambda v: v * 1.06)
    assert Sign.FLOWS_SHIFTED in {signal.sign for signal in said(table)}


def clogged(table: MeterTable, since: int = 24 * 3, until: int = HOURS) -> MeterTable:
    """A branch of S1 loses most of its flow for some hours, and its fellows get a little of it."""
    flow = table.flow_m3h.copy()
    for place, share in (("S1-B1", 1.1), ("S1-B2", 0.4), ("S1-B3", 1.2)):
        flow[ROW[place, DeviceRole.BRANCH], since:until] *= share
    flow[ROW["S1", DeviceRole.SECONDARY], since:until] *= 0.9
    return replace(table, flow_m3h=flow)


def test_a_shift_shows_beside_a_strainer_that_clogged_days_before() -> None:
    """The near valves were opened since: what they took is told against the day before."""
    table = clogged(plant())
    assert {signal.sign for signal in said(table)} == {Sign.FLOW_LOW}
    table = changed(table, "flow_m3h", "S1-B1", DeviceRole.BRANCH, lambda v: v * 1.3)
    table = changed(table, "flow_m3h", "S1-B3", DeviceRole.BRANCH, lambda v: v * 0.88)
    table = changed(table, "flow_m3h", "S1", DeviceRole.SECONDARY, lambda v: v * 1.07)
    [shift] = [signal for signal in said(table) if signal.sign is Sign.FLOWS_SHIFTED]
    assert (shift.place, shift.until) == ("S1", None)
    assert shift.values["rise_pct"] == pytest.approx(30, abs=3)
    assert shift.values["fall_pct"] == pytest.approx(12, abs=3)


def test_a_strainer_that_is_cleaned_shifts_nothing() -> None:
    """It takes back what is its own, and its fellows lose what they had of it."""
    table = clogged(plant(), until=FROM)
    assert Sign.FLOWS_SHIFTED not in {signal.sign for signal in said(table)}


def test_a_slower_pump_is_no_loss_of_flow() -> None:
    """Flow follows the pump's speed; a controlled pump is not a clogged strainer."""
    table = changed(plant(), "pump_hz", "S2", DeviceRole.SECONDARY, lambda v: v * 0.7)
    for place, role in ROW:
        if place.startswith("S2") and role is not DeviceRole.PRIMARY:
            table = changed(table, "flow_m3h", place, role, lambda v: v * 0.7)
    assert [s for s in said(table) if s.sign is Sign.FLOW_LOW] == []
