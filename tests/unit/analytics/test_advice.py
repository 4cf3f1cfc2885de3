"""Balance advice on circuits whose physics is known by construction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import emission
from analytics.advice import (
    DEFAULT_VALVE,
    GAINS_WM2,
    Advice,
    AdviceReason,
    Circuit,
    LeftOut,
    Valve,
    advise,
)
from analytics.emission import CP_J_KGK, Emitter
from analytics.imbalance import weighted_spread
from analytics.water import density_kg_m3

OUTDOOR_C = -12.0


def circuit(
    flow_share: list[float],
    *,
    emitter: Emitter = Emitter.RADIATORS,
    rooms: int = 10,
    noise_k: float = 0.0,
    seed: int = 0,
) -> Circuit:
    """Buildings that would all be at 21 °C at flow share 1, each with the share it gets."""
    n = len(flow_share)
    rng = np.random.default_rng(seed)
    area = rng.uniform(1500.0, 6000.0, n)
    loss = area * rng.uniform(0.8, 1.4, n)
    exponent = emitter.design.exponent
    supply = np.full(n, 60.0 if emitter is Emitter.RADIATORS else 38.0)
    drop = 15.0 if emitter is Emitter.RADIATORS else 6.0
    heat = loss * (21.0 - OUTDOOR_C) - GAINS_WM2 * area
    size = heat / emission.strength(supply, supply - drop, 21.0, exponent)
    kgs = heat / (CP_J_KGK * drop) * np.array(flow_share)
    room = emission.settled_room(
        kgs, supply, size, loss, GAINS_WM2 * area, outdoor_c=OUTDOOR_C, exponent=exponent
    )
    back = supply - (loss * (room - OUTDOOR_C) - GAINS_WM2 * area) / (kgs * CP_J_KGK)
    return Circuit(
        codes=tuple(f"B{at + 1}" for at in range(n)),
        area_m2=area,
        flow_m3h=kgs * 3600.0 / density_kg_m3(back),
        supply_c=supply,
        return_c=back,
        room_c=room + noise_k * rng.standard_normal(n) if rooms else np.full(n, np.nan),
        rooms=np.full(n, float(rooms)),
        left_out=tuple(LeftOut.NONE for _ in range(n)),
        outdoor_c=OUTDOOR_C,
        emitter=emitter,
    )


UNEVEN = [1.5, 1.3, 1.1, 0.9, 0.7, 0.5]


def ratios(told: Advice) -> list[float]:
    return [turn.ratio for turn in told.turns]


@pytest.mark.parametrize("emitter", list(Emitter))
def test_the_flows_that_would_be_even_are_found_again(emitter: Emitter) -> None:
    told = advise(circuit(UNEVEN, emitter=emitter))
    assert told.reason is AdviceReason.NONE
    share = np.array(ratios(told)) * UNEVEN
    assert share / share.mean() == pytest.approx(np.ones(6), abs=0.05)
    assert told.settled_spread_k < 0.05
    assert sum(turn.target_m3h for turn in told.turns) == pytest.approx(told.total_m3h)


def test_returns_draw_together_and_far_rooms_rise() -> None:
    told = advise(circuit(UNEVEN))
    area = [turn.area_m2 for turn in told.turns]
    aimed = weighted_spread([turn.target_return_c for turn in told.turns], area)
    assert aimed < 0.1 * told.return_spread_k
    assert told.turns[-1].gain_k > 1.0
    assert told.turns[0].gain_k < -0.4


def test_the_building_that_needs_most_stays_and_the_others_close() -> None:
    told = advise(circuit(UNEVEN))
    assert [turn.reference for turn in told.turns] == [False] * 5 + [True]
    assert told.turns[-1].turns == 0.0
    turns = [turn.turns for turn in told.turns]
    assert turns == sorted(turns, reverse=True)
    assert turns[0] > 0.5


def test_returns_alone_are_enough_where_they_differ_much() -> None:
    told = advise(circuit(UNEVEN, rooms=0))
    assert told.reason is AdviceReason.NONE
    assert ratios(told)[0] < 0.85
    assert ratios(told)[-1] > 1.3


def test_measured_rooms_speak_where_returns_do_not() -> None:
    """Equal returns, but one building is measured 2 K colder: its emitters are too small."""
    even = circuit([1.0] * 6, rooms=0)
    room = np.full(6, 21.0)
    room[2] = 19.0
    told = advise(replace(even, room_c=room, rooms=np.full(6, 12.0)))
    assert told.turns[2].ratio == max(ratios(told))
    assert told.turns[2].target_return_c > told.turns[2].return_c + 0.5


@given(seed=st.integers(0, 10_000), rooms=st.sampled_from([0, 1, 3, 12]))
@settings(max_examples=25, deadline=None)
def test_an_even_circuit_read_with_errors_is_left_alone(seed: int, rooms: int) -> None:
    """Sensors and returns scatter by half of what the witnesses are given for."""
    even = circuit([1.0] * 7, rooms=rooms, noise_k=0.4 / max(rooms, 1) ** 0.5, seed=seed)
    assert advise(even).reason is AdviceReason.NOT_WORTH_IT


def test_differences_that_move_nobody_by_half_a_kelvin_are_left_alone() -> None:
    told = advise(circuit([1.04, 1.02, 1.0, 0.98, 0.96, 1.0], rooms=60))
    assert told.reason is AdviceReason.NOT_WORTH_IT
    assert told.turns == ()


@given(shares=st.lists(st.floats(0.3, 2.0), min_size=3, max_size=12))
@settings(max_examples=25, deadline=None)
def test_total_flow_is_kept_and_no_room_is_predicted_colder_than_the_coldest(
    shares: list[float],
) -> None:
    told = advise(circuit(shares))
    if told.turns:
        total = sum(turn.target_m3h for turn in told.turns)
        assert total == pytest.approx(told.total_m3h, rel=1e-9)
        assert min(turn.settled_c for turn in told.turns) > min(t.room_c for t in told.turns) - 0.01
        assert all(turn.turns >= 0.0 for turn in told.turns)


def test_buildings_that_take_no_part_are_named_and_too_few_give_no_advice() -> None:
    whole = circuit(UNEVEN)
    one = replace(whole, left_out=(LeftOut.REVERSED, *whole.left_out[1:]))
    told = advise(one)
    assert told.left_out == {"B1": LeftOut.REVERSED}
    assert [turn.building for turn in told.turns] == ["B2", "B3", "B4", "B5", "B6"]
    none = replace(whole, left_out=tuple(LeftOut.NO_METER for _ in UNEVEN))
    assert advise(none).reason is AdviceReason.TOO_FEW_METERS


def test_without_weather_or_heat_there_is_no_advice() -> None:
    whole = circuit(UNEVEN)
    assert advise(replace(whole, outdoor_c=float("nan"))).reason is AdviceReason.NO_WEATHER
    cold = replace(whole, supply_c=whole.return_c + 0.2)
    assert advise(cold).reason is AdviceReason.NOT_HEATING


def test_a_turn_multiplies_the_valves_resistance_as_its_characteristic_says() -> None:
    valve = Valve(turns=4.0, rangeability=30.0, authority=0.5)
    assert valve.ratio_of(4.0) == pytest.approx(30.0**2)
    assert valve.turns_for(np.array([valve.ratio_of(1.7)])) == pytest.approx([1.7])
    # a branch of twice the resistance, half of it in the valve: the valve's is three times
    assert valve.resistance_ratio(np.array([2.0])) == pytest.approx([3.0])
    assert DEFAULT_VALVE.turns_for(np.array([1.0])) == pytest.approx([0.0])
