"""Every fault of the registry on the whole town: rooms, flow, return and meters as in the field.

The figures are those of the domain's table of faults. A town is compared with itself without the
fault at the same instant, in weather that stands still.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from hearthline.domain.findings import Cause
from simulators import City
from simulators.faults import REGISTRY
from simulators.states import Step
from tests.unit.simulators.village import ANCHOR, quarter

Array = np.ndarray[Any, Any]
STREET = np.arange(8)
PROVEN = {
    Cause.SOURCE_SHORTAGE, Cause.CONTROL_CURVE, Cause.PUMP_TRIP, Cause.EXCHANGER_FOULED,
    Cause.STRAINER_CLOGGED, Cause.LEAK, Cause.PIPES_SWAPPED, Cause.AIR_LOCK, Cause.VALVE_CLOSED,
    Cause.HYDRAULIC_IMBALANCE, Cause.VERTICAL_IMBALANCE, Cause.ENVELOPE,
    Cause.NEIGHBOUR_UNHEATED, Cause.TURNED_DOWN, Cause.WINDOW_OPEN, Cause.RADIATOR_COVERED,
}  # fmt: skip


@cache
def sound(hours: float, outdoor_c: float) -> Step:
    """The town's last step after some hours in which nothing is wrong."""
    return course("", hours, outdoor_c)[1][-1]


def course(faults: str, hours: float, outdoor_c: float = -10.0) -> tuple[City, list[Step]]:
    city = quarter(faults, outdoor_c=outdoor_c)
    engine, state = city.start(ANCHOR)
    return city, [engine.advance(state, n) for n in range(int(hours * 3600 / engine.seconds))]


@dataclass(frozen=True)
class Seen:
    """What a fault changed, by the end."""

    city: City
    broken: Step
    sound: Step

    @property
    def rooms_k(self) -> Array:
        """Change of every dwelling's room, K."""
        return self.broken.air_c - self.sound.air_c

    @property
    def buildings_k(self) -> Array:
        """Mean change of each building's rooms, K."""
        of = self.city.layout.unit_building
        return np.bincount(of, self.rooms_k) / np.bincount(of)

    @property
    def flow(self) -> Array:
        """Each building's flow, as a share of the sound one."""
        return self.broken.flows.building / self.sound.flows.building

    @property
    def unit_flow(self) -> Array:
        return self.broken.flows.unit / self.sound.flows.unit

    @property
    def return_k(self) -> Array:
        """Change of each building's return, K."""
        return self.broken.water.building_return_c - self.sound.water.building_return_c

    @property
    def unit_return_k(self) -> Array:
        return self.broken.water.unit_return_c - self.sound.water.unit_return_c

    def unit(self, code: str) -> int:
        return self.city.unit_codes.index(code)


def seen(fault: str, hours: float = 48, outdoor_c: float = -10.0, onset: str = "-60d") -> Seen:
    city, steps = course(f"  - {{{fault}, onset: {onset}}}\n", hours, outdoor_c)
    return Seen(city, steps[-1], sound(hours, outdoor_c))


def test_every_fault_that_touches_physics_is_proven_here() -> None:
    assert {cause for cause, kind in REGISTRY.items() if not kind.of_sensor} - PROVEN == set()


def test_a_sound_town_is_as_warm_as_it_was_designed_to_be() -> None:
    """About 22 °C, half a kelvin apart; water as the curve says; the source gets back 40 to 55."""
    step = sound(48, -10.0)
    assert 21.5 < step.air_c.mean() < 23.0
    assert 0.3 < step.air_c.std() < 0.9
    assert 55.0 < step.water.secondary_supply_c[0] < 61.0
    drop = step.water.secondary_supply_c - step.water.secondary_return_c
    assert ((drop > 13.0) & (drop < 18.0)).all()
    assert ((step.primary.valve_pct > 60.0) & (step.primary.valve_pct < 90.0)).all()
    assert 40.0 < step.primary.source_return_c < 55.0
    approach = step.primary.return_c - step.water.secondary_return_c
    assert ((approach > 2.0) & (approach < 5.0)).all()


def test_source_shortage_everybody_drifts_and_valves_stand_open() -> None:
    fault = "cause: source_shortage, place: Q, severity: 0.5"
    half, later = (seen(fault, hours, -20.0, "0h") for hours in (12, 24))
    drift = (later.buildings_k - half.buildings_k) / 12.0
    assert ((drift < -0.08) & (drift > -0.5)).all()
    assert later.broken.primary.source_supply_c < later.sound.primary.source_supply_c - 15.0
    assert later.broken.primary.valve_pct.min() > 97.0
    assert later.flow == pytest.approx(1.0)


def test_a_low_control_curve_shifts_one_station_evenly_and_more_in_the_cold() -> None:
    found = seen("cause: control_curve, place: Q-S1, severity: 6")
    street, elsewhere = found.buildings_k[:8], found.buildings_k[8:]
    assert street == pytest.approx(-2.6, abs=0.6)
    assert np.ptp(street) < 0.3
    assert elsewhere == pytest.approx(0.0, abs=1e-3)
    assert found.flow == pytest.approx(1.0)
    lower = found.sound.water.secondary_supply_c - found.broken.water.secondary_supply_c
    assert lower == pytest.approx([6.0, 0.0], abs=0.1)


def test_pump_trip_all_rooms_fall_with_the_buildings_time_constant() -> None:
    found = seen("cause: pump_trip, place: Q-S1", 24, onset="0h")
    assert found.broken.flows.pump / found.sound.flows.pump == pytest.approx([0.03, 1.0])
    assert found.broken.flows.lift_kpa[0] < 1.0
    after = found.broken.air_c[found.city.layout.unit_substation == 0].mean() + 10.0
    before = found.sound.air_c[found.city.layout.unit_substation == 0].mean() + 10.0
    # what gains and the trickle still bring holds it up a little
    assert 45.0 < 24.0 / np.log(before / after) < 130.0


def test_a_fouled_exchanger_shows_in_approach_and_valve_and_costs_most_in_the_cold() -> None:
    fault = "cause: exchanger_fouled, place: Q-S1, severity: 9"
    mild, cold = seen(fault), seen(fault, outdoor_c=-22.0)
    for found in (mild, cold):
        side, water = found.broken.primary, found.broken.water
        assert 8.0 < side.return_c[0] - water.secondary_return_c[0] < 15.0
        assert side.valve_pct[0] > 90.0
        assert np.ptp(found.buildings_k[:8]) < 0.3
        assert found.buildings_k[8:] == pytest.approx(0.0, abs=0.01)
    assert mild.buildings_k[:8].mean() > -1.0
    assert cold.buildings_k[:8].mean() < -1.5


@pytest.mark.parametrize(
    ("place", "struck"),
    [("Q-S1", STREET), ("Q-S1-B03", np.array([2])), ("Q-S2-B02", np.array([9]))],
)
def test_a_clogged_strainer_cools_what_lies_behind_it_and_lowers_its_return(
    place: str, struck: Array
) -> None:
    found = seen(f"cause: strainer_clogged, place: {place}, severity: 9")
    others = np.delete(np.arange(10), struck)
    assert (found.flow[struck] < 0.7).all()
    assert (found.return_k[struck] < -5.0).all()
    assert (found.buildings_k[struck] < -1.5).all()
    assert ((found.flow[others] > 0.999) & (found.flow[others] < 1.4)).all()
    assert (found.buildings_k[others] > -0.01).all()


def test_a_strainer_clogged_nine_times_leaves_a_building_a_third_of_its_flow() -> None:
    found = seen("cause: strainer_clogged, place: Q-S1-B03, severity: 9")
    assert found.flow[2] == pytest.approx(0.34, abs=0.03)
    assert 1.01 < found.flow[0] < 1.08


def test_an_entrances_strainer_cools_that_entrance_alone() -> None:
    found = seen("cause: strainer_clogged, place: Q-S1-B02-E2, severity: 9")
    town = found.city.layout
    struck = town.unit_entrance == 3
    assert found.unit_flow[struck] == pytest.approx(0.35, abs=0.04)
    assert found.rooms_k[struck].max() < -3.0
    beside = (town.unit_building == 1) & ~struck
    assert found.unit_flow[beside].min() > 1.0
    assert found.rooms_k[~struck].min() > found.rooms_k[struck].max()


def test_a_leak_takes_pressure_and_make_up_first_and_the_top_floors_flow_later() -> None:
    fault = "  - {cause: leak, place: Q-S1, severity: 0.6, onset: 0h}\n"
    city, steps = course(fault, 24)
    kpa = np.array([step.circuits.static_kpa[0] for step in steps])
    makeup_m3h = 3.6 * steps[6].circuits.makeup_kgs[0]
    assert makeup_m3h > 0.01 * city.model.volume_m3[0]  # the limit: 1 % of the volume an hour
    assert (np.diff(kpa[:12]) < 0.0).all()
    share = [step.flows.unit / sound(24, -10.0).flows.unit for step in (steps[2], steps[-1])]
    floor, street = city.layout.floor, city.layout.unit_substation == 0
    assert share[0][street].min() > 0.99
    assert share[1][street & (floor >= 6)].max() < 0.05
    assert share[1][street & (floor == 1)].min() > 0.95
    fall = sound(24, -10.0).air_c - steps[-1].air_c
    assert fall[street & (floor == 6)].mean() > fall[street & (floor == 1)].mean() + 2.0
    assert np.abs(np.diff(kpa[-24:])).max() < 0.5  # settled where the pump keeps up


def test_swapped_pipes_are_cold_from_the_first_day_and_coldest_on_top() -> None:
    found = seen("cause: pipes_swapped, place: Q-S1-B02", 6)
    struck = found.city.layout.unit_building == 1
    by_floor = [found.rooms_k[struck & (found.city.layout.floor == n)].mean() for n in range(1, 7)]
    assert found.broken.air_c[struck].max() < 19.0
    assert by_floor[0] > by_floor[2] > by_floor[5]
    assert found.broken.knobs.building_swapped.tolist() == [n == 1 for n in range(10)]
    assert found.buildings_k[[0, 2, 7]].min() > -0.1


def test_an_air_lock_cools_one_stack_and_its_top_most() -> None:
    found = seen("cause: air_lock, place: Q-S1-B02-E2-R1, severity: 0.95")
    town = found.city.layout
    stack = np.arange(*town.tree.units_of("riser", town.tree.unit_riser[found.unit(STACK)]))
    assert (np.diff(found.rooms_k[stack]) < 0.0).all()
    assert found.rooms_k[stack[-1]] < -5.0
    rest = np.setdiff1d(np.arange(town.units), stack)
    assert found.rooms_k[rest].min() > -2.0
    assert found.broken.flows.pump == pytest.approx(found.sound.flows.pump, rel=0.01)


STACK = "Q-S1-B02-E2-0101"


def test_imbalance_warms_the_near_and_cools_the_far() -> None:
    found = seen("cause: hydraulic_imbalance, place: Q-S1, severity: 1")
    street, flow = found.buildings_k[:8], found.flow[:8]
    assert (np.diff(flow) < 0.0).all()
    assert flow[0] > 1.2
    assert 0.6 < flow[-1] < 0.8
    assert -3.0 < street[-1] < -1.0
    near = found.city.layout.unit_building == 0
    assert 23.0 < found.broken.air_c[near].mean() < 25.0
    assert found.return_k[0] > 2.0
    assert found.return_k[7] < -2.0


@pytest.mark.parametrize(("variant", "sign"), [("ground_cold", 1.0), ("top_cold", -1.0)])
def test_vertical_imbalance_grades_a_building_by_one_to_four_kelvin(
    variant: str, sign: float
) -> None:
    found = seen(f"cause: vertical_imbalance, variant: {variant}, place: Q-S1-B04, severity: 2.5")
    town = found.city.layout
    graded = [
        found.rooms_k[(town.unit_building == 3) & (town.floor == n)].mean() for n in range(1, 8)
    ]
    assert (np.diff(graded) * sign > 0.0).all()
    assert 1.0 < sign * (graded[-1] - graded[0]) < 4.0
    assert found.broken.flows.pump == pytest.approx(found.sound.flows.pump, rel=0.03)


# Single dwellings ------------------------------------------------------------------------------

CODE = "Q-S1-B02-E2-0302"


def around(found: Seen, code: str = CODE) -> Array:
    unit = found.unit(code)
    others = np.unique(found.city.layout.neighbours[:, unit])
    return others[others != unit]


def test_a_closed_valve_stops_one_dwelling_within_its_time_constant() -> None:
    fault = f"cause: valve_closed, place: {CODE}"
    falls = {}
    for hours in (12, 120):
        found = seen(fault, hours, onset="0h")
        falls[hours] = -found.rooms_k[found.unit(CODE)]
        assert found.broken.flows.unit[found.unit(CODE)] == 0.0
        assert found.rooms_k[around(found)].max() < 0.0
    assert 2.0 < falls[120] < 6.0
    assert 7.0 < -12.0 / np.log(1.0 - falls[12] / falls[120]) < 20.0


@pytest.mark.parametrize("fault", ["envelope", "window_open"])
def test_extra_loss_grows_with_the_cold_and_takes_more_heat(fault: str) -> None:
    offsets = []
    for outdoor_c in (0.0, -10.0, -20.0):
        found = seen(f"cause: {fault}, place: {CODE}, severity: 0.6", outdoor_c=outdoor_c)
        unit = found.unit(CODE)
        offsets.append(found.rooms_k[unit])
        assert found.unit_flow[unit] == pytest.approx(1.0)
        assert found.unit_return_k[unit] < -0.1  # colder room, more heat from the same water
    assert (np.diff(offsets) < -0.3).all()
    assert np.diff(offsets)[0] == pytest.approx(np.diff(offsets)[1], rel=0.1)


def test_an_open_window_costs_half_a_kelvin_in_minutes_and_is_forgotten_in_hours() -> None:
    fault = f"  - {{cause: window_open, place: {CODE}, severity: 1.2, onset: 2h, end: 2h 10min}}\n"
    city, steps = course(fault, 6)
    plain = course("", 6)[1]
    unit = city.unit_codes.index(CODE)
    off = np.array([a.air_c[unit] - b.air_c[unit] for a, b in zip(steps, plain, strict=True)])
    assert off[: 2 * 12].tolist() == [0.0] * 24
    assert -1.2 < off[2 * 12 + 1] < -0.5  # after ten minutes
    assert off[4 * 12] > 0.35 * off[2 * 12 + 1]


@pytest.mark.parametrize("variant", ["stopped", "vacant"])
def test_unheated_neighbours_cost_one_to_three_kelvin(variant: str) -> None:
    places = f"[{CODE}, Q-S1-B02-E2-0502]"
    found = seen(f"cause: neighbour_unheated, variant: {variant}, place: {places}", 12)
    between = found.unit("Q-S1-B02-E2-0402")
    assert -3.5 < found.rooms_k[between] < -1.0
    supply = found.broken.water.building_supply_c[1]
    drop = supply - found.broken.water.unit_return_c[between]
    before = found.sound.water.building_supply_c[1] - found.sound.water.unit_return_c[between]
    gained = drop * found.unit_flow[between] / before
    assert 1.03 < gained < 1.2


def test_a_tenant_who_turns_down_dips_every_night_and_recovers_by_day() -> None:
    fault = f"  - {{cause: turned_down, place: {CODE}, severity: 0.8, onset: 0h}}\n"
    city, steps = course(fault, 72)
    plain = course("", 72)[1]
    unit = city.unit_codes.index(CODE)
    off = np.array([a.air_c[unit] - b.air_c[unit] for a, b in zip(steps, plain, strict=True)])
    hour = np.array([step.weather.local_hour for step in steps])
    morning, evening = off[(hour > 5.0) & (hour < 6.0)], off[(hour > 20.5) & (hour < 22.0)]
    assert len(morning) >= 2 * 11
    assert ((morning < -0.4) & (morning > -2.5)).all()
    assert (evening > -0.4).all()


def test_a_covered_radiator_returns_hot_and_leaves_the_room_cool() -> None:
    found = seen(f"cause: radiator_covered, place: {CODE}, severity: 0.4")
    unit = found.unit(CODE)
    assert -2.0 < found.rooms_k[unit] < -0.5
    assert found.unit_return_k[unit] > 3.0
    assert found.unit_flow[unit] == pytest.approx(1.0)


def test_a_fault_is_not_felt_before_its_onset() -> None:
    fault = "  - {cause: pump_trip, place: Q-S1, onset: 3h}\n"
    _, steps = course(fault, 3)
    assert (steps[-1].air_c == sound(3, -10.0).air_c).all()
