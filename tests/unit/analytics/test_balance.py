"""Balances of a stage: they close where the physics closes, and refuse where the data is thin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analytics import water
from analytics.balance import (
    BalanceReason,
    BalanceStage,
    BalanceWindow,
    Consumer,
    Pipes,
    balance,
    degree_factor,
    specific_index_w_m2,
)
from analytics.heat import MeterWindow

START = datetime(2026, 1, 14, 16, tzinfo=UTC)
DAY = timedelta(days=1)
NO_PIPES = Pipes(water_m3=0.0)


def meter(heat_kwh: float, **over: object) -> MeterWindow:
    """A whole day of one meter at 60 K between steady pipes."""
    whole = MeterWindow(
        heat_kwh=heat_kwh,
        volume_m3=heat_kwh / 70.0,
        expected_min=1440.0,
        covered_min=1440.0,
        peak_m3h=heat_kwh / 70.0 / 24.0,
        delta_k=60.0,
        start_c=90.0,
        stop_c=90.0,
    )
    return replace(whole, **over)  # type: ignore[arg-type]


def consumer(place: str, heat_kwh: float, *, area_m2: float = 10_000.0, **over: object) -> Consumer:
    return Consumer(place, (meter(heat_kwh, **over),), area_m2)


def silent(place: str) -> Consumer:
    return consumer(place, 0.0, covered_min=0.0)


def drawn(
    supply_kwh: float | None = 100_000.0,
    consumers: tuple[Consumer, ...] | None = None,
    *,
    pipes: Pipes = NO_PIPES,
    duration: timedelta = DAY,
    **over: object,
) -> BalanceWindow:
    """A transmission balance; four substations take 95 % of the supply unless told otherwise."""
    if consumers is None:
        consumers = tuple(consumer(f"S-{n}", 23_750.0, **over) for n in range(4))
    supply = () if supply_kwh is None else (meter(supply_kwh, **over),)
    return balance(
        "S",
        BalanceStage.TRANSMISSION,
        START,
        START + duration,
        supply=supply,
        consumers=consumers,
        pipes=pipes,
    )


def test_loss_is_supply_less_delivery() -> None:
    found = drawn()
    assert found.reason is BalanceReason.NONE
    assert found.supplied_kwh == 100_000.0
    assert found.delivered_kwh == 95_000.0
    assert found.stored_kwh == 0.0
    assert found.loss_kwh == pytest.approx(5_000.0)
    assert found.loss_share == pytest.approx(0.05)
    assert found.coverage == 1.0


def test_uncertainty_is_the_root_sum_of_squares_of_class_2_meters() -> None:
    limit = 0.02192  # of a class 2 meter at 60 K
    expected = limit * (100_000.0**2 + 4 * 23_750.0**2) ** 0.5
    assert drawn().uncertainty_kwh == pytest.approx(expected, rel=1e-3)


def test_a_warming_network_stores_what_would_look_like_loss() -> None:
    found = drawn(pipes=Pipes(water_m3=500.0), start_c=85.0, stop_c=88.0)
    assert found.stored_kwh == pytest.approx(water.stored_kwh(500.0, 85.0, 88.0))
    assert found.stored_kwh == pytest.approx(1_690, rel=0.01)
    assert found.loss_kwh == pytest.approx(5_000.0 - (found.stored_kwh or 0.0))
    assert not found.pipe_estimated


def test_an_unknown_pipe_volume_is_estimated_and_says_so() -> None:
    found = drawn(pipes=Pipes(residence_h=1.5), start_c=85.0, stop_c=88.0)
    flow_m3h = 100_000.0 / 70.0 / 24.0
    assert found.pipe_m3 == pytest.approx(1.5 * flow_m3h)
    assert found.pipe_estimated
    given = drawn(pipes=Pipes(water_m3=found.pipe_m3), start_c=85.0, stop_c=88.0)
    assert (found.uncertainty_kwh or 0) > (given.uncertainty_kwh or 0)


def test_under_95_percent_of_consumers_there_is_no_figure_but_a_reason() -> None:
    consumers = (*(consumer(f"S-{n}", 23_750.0) for n in range(3)), silent("S-3"))
    found = drawn(consumers=consumers)
    assert found.reason is BalanceReason.COVERAGE_LOW
    assert found.coverage == 0.75
    assert found.loss_kwh is None
    assert found.delivered_kwh is None
    assert found.uncertainty_kwh is None
    assert found.supplied_kwh == 100_000.0


def test_a_missing_consumer_within_5_percent_is_filled_by_area() -> None:
    consumers = (
        *(consumer(f"B-{n}", 1_000.0) for n in range(38)),
        consumer("B-38", 2_000.0, area_m2=20_000.0),
        replace(silent("B-39"), area_m2=20_000.0),
    )
    found = drawn(44_000.0, consumers)
    assert found.coverage == 0.975
    assert found.delivered_kwh == pytest.approx(40_000.0 * 42 / 40)
    assert found.loss_kwh == pytest.approx(2_000.0)
    filled = 2_000.0
    assert (found.uncertainty_kwh or 0) > 0.33 * filled


def test_a_meter_with_swapped_pipes_is_no_consumer() -> None:
    consumers = (consumer("S-0", 50_000.0), consumer("S-1", -40_000.0, delta_k=-20.0))
    assert drawn(consumers=consumers).reason is BalanceReason.COVERAGE_LOW


def test_a_consumer_counts_only_with_all_its_meters() -> None:
    half = Consumer("B-1", (meter(10_000.0), meter(0.0, covered_min=0.0)))
    assert drawn(consumers=(half,)).coverage == 0.0


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        (BalanceReason.NO_SUPPLY_METER, drawn(None)),
        (BalanceReason.NO_CONSUMER_METER, drawn(consumers=(Consumer("S-0", ()),))),
        (BalanceReason.NO_CONSUMER_METER, drawn(consumers=())),
        (BalanceReason.WINDOW_TOO_SHORT, drawn(duration=timedelta(hours=6))),
        (BalanceReason.SUPPLY_GAP, drawn(covered_min=1300.0)),
        (BalanceReason.SUPPLY_REVERSED, drawn(-100.0, (consumer("S-0", 50.0),), delta_k=-3.0)),
        (BalanceReason.STORAGE_UNKNOWN, drawn(pipes=Pipes(water_m3=9.0), start_c=None)),
        (BalanceReason.NEGATIVE_LOSS, drawn(90_000.0)),
    ],
)
def test_every_refusal_has_its_reason_and_no_loss(
    reason: BalanceReason, found: BalanceWindow
) -> None:
    assert found.reason is reason
    assert found.loss_kwh is None
    assert found.loss_share is None


def test_a_gain_within_the_uncertainty_is_a_figure() -> None:
    found = drawn(94_000.0)
    assert found.reason is BalanceReason.NONE
    assert found.loss_kwh == pytest.approx(-1_000.0)


def test_a_gain_beyond_it_still_shows_both_sides() -> None:
    found = drawn(90_000.0)
    assert (found.supplied_kwh, found.delivered_kwh) == (90_000.0, 95_000.0)


def test_a_civil_day_that_loses_an_hour_is_long_enough() -> None:
    assert drawn(duration=timedelta(hours=23)).reason is BalanceReason.NONE


def test_make_up_is_the_supplys() -> None:
    assert drawn(makeup_m3=12.5).makeup_m3 == 12.5
    assert drawn().makeup_m3 is None


def miss(seed: int) -> float:
    """How far the printed loss of one random network misses the true one, in uncertainties.

    Meters err independently, within their class 2 limits; pipes are known within a tenth.
    """
    rng = np.random.default_rng(seed)
    true = rng.uniform(5_000.0, 50_000.0, rng.integers(1, 40))
    loss_kwh = true.sum() * rng.uniform(0.0, 0.25)
    pipe_m3, drift_k, limit = 300.0, rng.uniform(-8.0, 8.0), 0.0219

    def read(heat_kwh: np.ndarray) -> np.ndarray:
        error = np.clip(rng.normal(0.0, limit / 2, heat_kwh.shape), -limit, limit)
        return heat_kwh * (1 + error)

    edges = {"start_c": 80.0, "stop_c": 80.0 + drift_k}
    stored = water.stored_kwh(pipe_m3, 80.0, 80.0 + drift_k)
    supplied = float(read(np.array([true.sum() + loss_kwh + stored]))[0])
    found = drawn(
        supplied,
        tuple(consumer(f"S-{n}", float(heat), **edges) for n, heat in enumerate(read(true))),
        pipes=Pipes(water_m3=pipe_m3 * rng.uniform(0.9, 1.1)),
        **edges,
    )
    assert found.uncertainty_kwh
    loss = (found.supplied_kwh or 0) - (found.delivered_kwh or 0) - (found.stored_kwh or 0)
    return abs(loss - loss_kwh) / found.uncertainty_kwh


def test_the_true_loss_lies_within_the_printed_uncertainty() -> None:
    """The limits are two standard deviations here, so 95 % of the networks must."""
    misses = np.array([miss(seed) for seed in range(1_000)])
    assert (misses <= 1.0).mean() > 0.93
    assert misses.max() < 2.0


def test_specific_index() -> None:
    assert specific_index_w_m2(96_000.0, 100_000.0, DAY) == pytest.approx(40.0)


def test_specific_index_at_design_temperature() -> None:
    factor = degree_factor(22.0, -10.0, standard_c=18.0, design_c=-24.2)
    assert factor == pytest.approx(42.2 / 32.0)


def test_nothing_to_normalise_when_it_is_as_warm_outside() -> None:
    with pytest.raises(ValueError, match="nothing to normalise"):
        degree_factor(20.0, 19.5, standard_c=18.0, design_c=-24.2)
