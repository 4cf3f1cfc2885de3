"""The dwelling model against closed forms: steady state, time constants, energy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from simulators import model
from simulators.physics import dwelling, emitter

AREA = 80.0
WEEK_STEPS = 7 * 24 * 12


def reference_shell(loss_wk: float = 81.0) -> dwelling.Shell:
    """The reference dwelling: 80 m², the given conductance to outdoors."""
    one = np.ones(1)
    air_mass = model.AIR_MASS * AREA

    def shell(scale: float) -> dwelling.Shell:
        return dwelling.Shell(
            one * model.AIR_CAPACITY * AREA,
            one * model.MASS_CAPACITY * AREA,
            one * air_mass,
            one * model.WINDOWS * AREA * scale,
            one * model.FACADE * AREA * scale,
        )

    low, high = 0.1, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if shell(middle).loss_wk[0] < loss_wk else (low, middle)
    return shell(low)


def test_steady_state_is_heat_over_conductance_when_heat_enters_the_air() -> None:
    air, mass = dwelling.steady(reference_shell(), -10.0, np.array([2430.0]), np.zeros(1))
    assert air[0] == pytest.approx(-10.0 + 2430.0 / 81.0, rel=1e-6)
    assert mass[0] < air[0]


def test_a_long_time_of_constant_heat_ends_in_the_steady_state() -> None:
    shell = reference_shell()
    step = dwelling.propagator(shell, 3600.0)
    heat = (np.array([1500.0]), np.array([900.0]))
    air, mass = np.array([5.0]), np.array([30.0])
    for _ in range(24 * 60):
        air, mass = dwelling.advance(
            shell, step, air_c=air, mass_c=mass, outdoor_c=-10.0, air_w=heat[0], mass_w=heat[1]
        )
    want = dwelling.steady(shell, -10.0, *heat)
    assert air[0] == pytest.approx(want[0][0], abs=1e-6)
    assert mass[0] == pytest.approx(want[1][0], abs=1e-6)


def test_one_long_step_equals_many_short_ones() -> None:
    shell = reference_shell()
    start = {"air_c": np.array([22.0]), "mass_c": np.array([18.0])}
    heat = {"outdoor_c": -5.0, "air_w": np.array([800.0]), "mass_w": np.array([300.0])}
    long = dwelling.advance(shell, dwelling.propagator(shell, 7200.0), **start, **heat)
    short = dwelling.propagator(shell, 60.0)
    air, mass = start["air_c"], start["mass_c"]
    for _ in range(120):
        air, mass = dwelling.advance(shell, short, air_c=air, mass_c=mass, **heat)
    assert air[0] == pytest.approx(long[0][0], abs=1e-9)
    assert mass[0] == pytest.approx(long[1][0], abs=1e-9)


def test_a_heated_building_cools_with_a_time_constant_of_45_to_105_hours() -> None:
    shell = reference_shell()
    step = dwelling.propagator(shell, 3600.0)
    air, mass = np.array([20.0]), np.array([20.0])
    none = np.zeros(1)
    course = []
    for _ in range(200):
        air, mass = dwelling.advance(
            shell, step, air_c=air, mass_c=mass, outdoor_c=-10.0, air_w=none, mass_w=none
        )
        course.append(float(mass[0]))
    hours = 100 / np.log((course[50] + 10.0) / (course[150] + 10.0))
    assert 45.0 < hours < 105.0
    assert hours == pytest.approx(250e3 * AREA / 81.0 / 3600.0, rel=0.05)


def test_the_air_alone_settles_in_a_third_of_an_hour_to_an_hour() -> None:
    shell = reference_shell()
    hours = shell.air_capacity / (shell.air_mass + shell.air_out) / 3600.0
    assert 0.3 < hours[0] < 1.0


def test_one_dwelling_among_heated_neighbours_settles_in_7_to_16_hours() -> None:
    shell = reference_shell()
    party = 600.0
    step = dwelling.propagator(shell, 300.0)
    air, mass = np.array([20.0]), np.array([20.0])
    course = []
    for _ in range(12 * 120):
        air, mass = dwelling.advance(
            shell,
            step,
            air_c=air,
            mass_c=mass,
            outdoor_c=-10.0,
            air_w=np.zeros(1),
            mass_w=party * (20.0 - mass),
        )
        course.append(float(mass[0]))
    end = course[-1]
    settled = next(at for at, now in enumerate(course) if now - end < (20.0 - end) / np.e)
    assert 7.0 < settled / 12.0 < 16.0


def test_energy_is_conserved_over_a_week_to_a_millionth() -> None:
    """Stored energy changes by exactly what came in less what the means lost."""
    shell = reference_shell()
    step = dwelling.propagator(shell, 300.0)
    numbers = np.random.default_rng(1)
    air, mass = np.array([20.0]), np.array([21.0])
    stored = shell.air_capacity * air + shell.mass_capacity * mass
    came = lost = 0.0
    for _ in range(WEEK_STEPS):
        outdoor = float(numbers.uniform(-25, 5))
        heat = (numbers.uniform(0, 3000, 1), numbers.uniform(0, 2000, 1))
        after = dwelling.advance(
            shell, step, air_c=air, mass_c=mass, outdoor_c=outdoor, air_w=heat[0], mass_w=heat[1]
        )
        mean = dwelling.mean_over_step(
            shell,
            before=(air, mass),
            after=after,
            outdoor_c=outdoor,
            heat_w=heat,
            seconds=300.0,
        )
        came += 300.0 * float(heat[0][0] + heat[1][0])
        loss = shell.air_out * (mean[0] - outdoor) + shell.mass_out * (mean[1] - outdoor)
        lost += 300.0 * float(loss[0])
        air, mass = after
    gained = float((shell.air_capacity * air + shell.mass_capacity * mass - stored)[0])
    assert gained == pytest.approx(came - lost, abs=1e-6 * came)


def test_party_walls_pass_heat_on_and_keep_none() -> None:
    temperatures = np.array([20.0, 15.0, 22.0])
    neighbours = np.array([[1, 2, 2], [0, 0, 1]])
    conductance = np.array([[100.0, 50.0, 0.0], [0.0, 100.0, 50.0]])
    heat = dwelling.party_heat(temperatures, neighbours, conductance)
    assert heat == pytest.approx([-500.0, 850.0, -350.0])
    assert heat.sum() == pytest.approx(0.0, abs=1e-9)


# The reference table: one dwelling among healthy neighbours, or a whole building, at −10 °C
# outdoors. A healthy dwelling has 20.0 °C there; the supply that gives it that is found first.

GAINS_W = 284.0
PARTY_WK = 600.0  # mass to mass; 428 W/K from room to room
UNHEATED_K = 8.0
"""By how much the walls of a dwelling without heating are colder."""
NOMINAL = np.array([3600.0 / (emitter.CP * 25.0)])
SIZE = emitter.emission_constant(NOMINAL, 75.0, 50.0, 20.0)


@dataclass(frozen=True)
class AtRest:
    """Room, wall and return in °C, supply minus return in K, heat from the radiators in W."""

    room_c: float
    mass_c: float
    return_c: float
    drop_k: float
    heat_w: float


def settle(
    supply_c: float,
    *,
    flow: float = 1.0,
    emission: float = 1.0,
    loss: float = 1.0,
    party_wk: float = 0.0,
    others_c: float = 20.0,
) -> AtRest:
    """A dwelling at rest, by iteration; ``others_c`` is what the neighbours' walls have."""
    shell, supply = reference_shell(81.0 * loss), np.array([supply_c])
    air, mass, back = np.array([20.0]), np.array([20.0]), np.array([40.0])
    for _ in range(400):
        back = emitter.return_temperature(supply, air, NOMINAL * flow, SIZE * emission)
        heat = emitter.heat(NOMINAL * flow, supply, back)
        share = model.CONVECTIVE_RADIATOR
        ends = dwelling.steady(
            shell,
            -10.0,
            share * heat + 0.6 * GAINS_W,
            (1 - share) * heat + 0.4 * GAINS_W + party_wk * (others_c - mass),
        )
        air, mass = air + 0.1 * (ends[0] - air), mass + 0.1 * (ends[1] - mass)
    return AtRest(*(float(x[0]) for x in (air, mass, back, supply - back, heat)))


@cache
def supply_for_20() -> float:
    """Supply in °C at which a healthy dwelling has 20.0 °C."""
    low, high = 50.0, 62.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if settle(middle).room_c < 20.0 else (low, middle)
    return low


@cache
def healthy() -> AtRest:
    return settle(supply_for_20())


def one(party: float = 1.0, unheated: float = 0.0, **change: float) -> AtRest:
    """One dwelling among healthy ones; ``unheated`` is the share of its party area without heat."""
    others_c = healthy().mass_c - UNHEATED_K * unheated
    return settle(supply_for_20(), party_wk=party * PARTY_WK, others_c=others_c, **change)


def whole(supply_k: float = 0.0, **change: float) -> AtRest:
    """A whole building: nobody passes heat to anybody."""
    return settle(supply_for_20() + supply_k, **change)


def test_a_healthy_dwelling_returns_at_409_and_cools_its_water_by_149() -> None:
    assert healthy().room_c == pytest.approx(20.0, abs=1e-6)
    assert healthy().return_c == pytest.approx(40.9, abs=1.5)
    assert healthy().drop_k == pytest.approx(14.9, abs=1.5)
    assert one().room_c == pytest.approx(20.0, abs=0.01)


TOP = 0.57
"""Share of the usual party area that a top or gable dwelling touches."""


@pytest.mark.parametrize(
    ("case", "party", "rooms", "water"),
    [
        ({"flow": 0.7}, 1.0, (19.6, 18.3), (36.7, 19.0)),
        ({"flow": 0.5}, 1.0, (19.1, 16.3), (32.0, 24.0)),
        ({"flow": 0.3}, 1.0, (18.3, 12.3), (26.0, 30.0)),
        ({"emission": 0.7}, 1.0, (19.1, 16.4), (44.0, 11.7)),
        ({"emission": 0.5}, 1.0, (18.4, 13.0), (46.5, 9.2)),
        ({"flow": 0.0}, 1.0, (15.8, None), None),
        ({"loss": 1.4}, TOP, (17.8, 14.8), None),
        ({"loss": 2.0}, TOP, (15.0, 9.7), None),
    ],
)
def test_the_reference_table_is_reproduced(
    case: dict[str, float],
    party: float,
    rooms: tuple[float, float | None],
    water: tuple[float, float] | None,
) -> None:
    """Each row's room within 0.5 K, return and difference within 1.5 K."""
    single, building = one(party, **case), whole(**case)
    assert single.room_c == pytest.approx(rooms[0], abs=0.5)
    if rooms[1] is not None:
        assert building.room_c == pytest.approx(rooms[1], abs=0.5)
    if water is not None:
        assert (single.return_c, single.drop_k) == pytest.approx(water, abs=1.5)


def test_a_supply_4_kelvin_low_costs_a_building_2() -> None:
    assert whole(supply_k=-4.0).room_c == pytest.approx(18.1, abs=0.5)
    assert whole(supply_k=-4.0).drop_k == pytest.approx(13.8, abs=1.5)


@pytest.mark.parametrize(("loss", "heat"), [(1.4, 1.08), (2.0, 1.17)])
def test_extra_loss_shows_in_the_heat_that_a_dwelling_takes(loss: float, heat: float) -> None:
    assert one(TOP, loss=loss).heat_w / healthy().heat_w == pytest.approx(heat, abs=0.015)


@pytest.mark.parametrize(("share", "room"), [(0.2, 18.8), (0.4, 17.6), (0.6, 16.5)])
def test_unheated_neighbours_cool_a_dwelling_and_make_it_take_more(
    share: float, room: float
) -> None:
    found = one(unheated=share)
    assert found.room_c == pytest.approx(room, abs=0.5)
    assert 1.03 < found.heat_w / healthy().heat_w < 1.20


def test_every_fault_has_its_own_direction() -> None:
    """The rule of thumb: what return, difference, heat and room do, against a healthy dwelling."""
    sound = healthy()
    low_flow, covered = one(flow=0.5), one(emission=0.6)
    leaky, weak = one(loss=1.5), whole(supply_k=-4.0)
    assert low_flow.return_c < sound.return_c - 5.0
    assert low_flow.drop_k > sound.drop_k + 5.0
    assert covered.return_c > sound.return_c + 3.0
    assert covered.drop_k < sound.drop_k - 3.0
    assert weak.return_c < sound.return_c
    assert weak.drop_k < sound.drop_k
    assert leaky.heat_w > 1.05 * sound.heat_w
    assert max(low_flow.heat_w, covered.heat_w, weak.heat_w) < sound.heat_w
    assert max(x.room_c for x in (low_flow, covered, leaky, weak)) < sound.room_c - 0.5


# Emitters of their own inertia in front of the two nodes -----------------------------------------


@pytest.mark.parametrize(
    ("lag_s", "convective", "hours"),
    [
        (model.RADIATOR_LAG_S, model.CONVECTIVE_RADIATOR, (0.5, 1.0)),
        (model.FLOOR_LAG_S, model.CONVECTIVE_FLOOR, (3.0, 8.0)),
    ],
)
def test_a_dwelling_answers_a_step_in_heat_as_the_three_nodes_do(
    lag_s: float, convective: float, hours: tuple[float, float]
) -> None:
    """Emitter, air and mass stepped by five minutes against the exponential of the 3×3 block."""
    assert hours[0] <= lag_s / 3600.0 <= hours[1]
    shell, seconds, heat = reference_shell(), 300.0, 2400.0
    h_am, h_ao, h_mo = (float(x[0]) for x in (shell.air_mass, shell.air_out, shell.mass_out))
    c_a, c_m = float(shell.air_capacity[0]), float(shell.mass_capacity[0])
    block = np.array(
        [
            [-1.0 / lag_s, 0.0, 0.0],
            [convective / c_a, -(h_am + h_ao) / c_a, h_am / c_a],
            [(1.0 - convective) / c_m, h_am / c_m, -(h_am + h_mo) / c_m],
        ]
    )
    driven = np.array([heat / lag_s, h_ao * -10.0 / c_a, h_mo * -10.0 / c_m])
    end = -np.linalg.solve(block, driven)
    rates, modes = np.linalg.eig(block)
    weights = np.linalg.solve(modes, np.array([0.0, 15.0, 15.0]) - end)
    step, keep = dwelling.propagator(shell, seconds), np.exp(-seconds / lag_s)
    emitted, air, mass = 0.0, np.array([15.0]), np.array([15.0])
    for index in range(12 * 24):
        ahead = emitted - heat
        given = np.array([heat + ahead * (1.0 - keep) * lag_s / seconds])
        emitted = heat + ahead * keep
        air, mass = dwelling.advance(
            shell,
            step,
            air_c=air,
            mass_c=mass,
            outdoor_c=-10.0,
            air_w=convective * given,
            mass_w=(1.0 - convective) * given,
        )
        exact = (modes @ (weights * np.exp(rates * (index + 1) * seconds)) + end).real
        assert emitted == pytest.approx(exact[0], abs=1e-6)
        assert air[0] == pytest.approx(exact[1], abs=0.02)
        assert mass[0] == pytest.approx(exact[2], abs=0.005)


def test_what_a_loop_reads_is_the_propagator_and_the_steady_state() -> None:
    shell, heat = reference_shell(), (np.array([900.0]), np.array([1500.0]))
    rows = dwelling.response(shell, 300.0).astype(float)
    step = dwelling.propagator(shell, 300.0)
    assert rows[:4, 0] == pytest.approx([step.aa[0], step.am[0], step.ma[0], step.mm[0]], rel=1e-6)
    air, mass = dwelling.steady(shell, -10.0, *heat)
    assert -10.0 + rows[4] * heat[0] + rows[5] * heat[1] == pytest.approx(air, abs=1e-4)
    assert -10.0 + rows[5] * heat[0] + rows[6] * heat[1] == pytest.approx(mass, abs=1e-4)
