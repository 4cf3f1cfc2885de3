"""What a heat meter's hours and windows say, and what they refuse to say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics import water
from analytics.heat import (
    HeatHours,
    MeterHours,
    MeterState,
    MeterWindow,
    WindowHours,
    class_2_error,
    hourly_heat,
    meter_windows,
)

NAN = float("nan")


def hour(
    *,
    covered: float = 60.0,
    supply: float = 75.0,
    back: float = 50.0,
    flow: float = 10.0,
    counter: float = NAN,
    before: float = NAN,
    before_covered: float = 60.0,
    in_supply: bool = False,
) -> MeterHours:
    """One meter hour; a return-pipe meter at its design temperatures unless told otherwise."""
    columns = (covered, supply, back, flow, counter, before, before_covered)
    return MeterHours(*(np.array([value]) for value in columns), np.array([in_supply]))


def heat_of(row: MeterHours) -> tuple[float, float, float]:
    heat = hourly_heat(row)
    return float(heat.heat_kwh[0]), float(heat.volume_m3[0]), float(heat.covered_min[0])


def test_mean_flow_times_the_hour() -> None:
    heat, volume, covered = heat_of(hour())
    assert (volume, covered) == (10.0, 60.0)
    assert heat == pytest.approx(10 * 25 * 1.14830, rel=3e-4)


def test_the_pipe_of_the_flow_sensor_decides_the_density() -> None:
    in_return, in_supply = heat_of(hour())[0], heat_of(hour(in_supply=True))[0]
    assert in_supply / in_return == pytest.approx(975.520 / 988.698, rel=2e-4)


def test_a_quarter_hour_of_readings_is_a_quarter_hour_of_heat() -> None:
    heat, volume, covered = heat_of(hour(covered=15.0))
    assert (volume, covered) == (2.5, 15.0)
    assert heat == pytest.approx(heat_of(hour())[0] / 4)


def test_the_counter_counts_where_it_agrees_with_the_flow() -> None:
    _, volume, covered = heat_of(hour(covered=50.0, counter=1010.7, before=1000.0))
    assert volume == pytest.approx(10.7)
    assert covered == 60.0


@pytest.mark.parametrize(
    ("why", "row"),
    [
        ("reset", hour(counter=3.0, before=1000.0)),
        ("jump", hour(counter=1100.0, before=1000.0)),
        ("coarse display", hour(counter=1000.0, before=1000.0)),
        ("hour before missing", hour(counter=1010.0, before=NAN, before_covered=NAN)),
        ("hour before cut short", hour(counter=1010.0, before=1000.0, before_covered=20.0)),
    ],
)
def test_an_implausible_counter_leaves_it_to_the_flow(why: str, row: MeterHours) -> None:
    assert heat_of(row)[1] == 10.0, why


def test_a_meter_without_a_flow_value_is_read_by_its_counter() -> None:
    assert heat_of(hour(flow=NAN, counter=1012.0, before=1000.0))[1] == pytest.approx(12.0)


@pytest.mark.parametrize(
    "row",
    [hour(supply=NAN), hour(back=NAN), hour(flow=NAN), hour(covered=NAN), hour(covered=0.0)],
)
def test_what_is_not_measured_has_no_heat_rather_than_none(row: MeterHours) -> None:
    heat, volume, _ = heat_of(row)
    assert np.isnan(heat)
    assert np.isnan(volume)


def test_a_tripped_pump_is_a_measured_zero() -> None:
    assert heat_of(hour(flow=0.0, supply=NAN, back=NAN))[:2] == (0.0, 0.0)


def test_swapped_pipes_give_negative_heat() -> None:
    assert heat_of(hour(supply=50.0, back=75.0))[0] < 0


# ── windows ─────────────────────────────────────────────────────────────────────────────────

DAY = 24


def rows(
    hours: range,
    *,
    meter: int = 0,
    heat: float = 100.0,
    supply: float = 75.0,
    back: float = 50.0,
    makeup: float = NAN,
    makeup_rate: float = 0.0,
) -> WindowHours:
    """Complete hours of one meter, with a make-up counter that starts at ``makeup``."""
    n = len(hours)
    return WindowHours(
        meter=np.full(n, meter, dtype=np.int64),
        hour=np.array(hours, dtype=np.int64),
        heat_kwh=np.full(n, heat),
        volume_m3=np.full(n, 3.5),
        covered_min=np.full(n, 60.0),
        supply_c=np.full(n, supply),
        return_c=np.full(n, back),
        makeup_m3=makeup + makeup_rate * np.arange(n),
    )


def window(found: WindowHours, expected_min: float = DAY * 60.0) -> MeterWindow:
    return meter_windows(found, np.array([expected_min]), 0, DAY)[0]


def test_a_whole_day_of_hours() -> None:
    day = window(rows(range(-1, DAY)))
    assert day.heat_kwh == 2_400.0
    assert day.covered_min == 1_440.0
    assert day.coverage == 1.0
    assert day.delta_k == 25.0
    assert (day.start_c, day.stop_c) == (62.5, 62.5)
    assert day.makeup_m3 is None
    assert day.state is MeterState.VALID


def test_the_peak_is_the_largest_flow_of_a_covered_hour() -> None:
    found = rows(range(-1, DAY))
    found.volume_m3[5] = 9.0
    found.volume_m3[6], found.covered_min[6] = 2.0, 5.0  # 24 m³/h over five minutes: no peak
    assert window(found).peak_m3h == 9.0


def test_hours_outside_the_window_add_nothing() -> None:
    assert window(rows(range(-5, DAY + 5))).heat_kwh == 2_400.0


def test_a_short_gap_is_filled_with_the_meters_own_mean_power() -> None:
    day = window(rows(range(DAY - 1)))
    assert day.coverage == pytest.approx(23 / 24)
    assert day.state is MeterState.VALID
    assert day.heat_kwh == 2_300.0
    assert day.filled_kwh == pytest.approx(2_400.0)


def test_filling_costs_uncertainty() -> None:
    assert window(rows(range(DAY - 1))).error_kwh > window(rows(range(DAY))).error_kwh


def test_a_long_gap_does_not_count() -> None:
    assert window(rows(range(DAY - 2))).state is MeterState.GAP


def test_a_silent_meter_is_a_gap_and_not_zero_heat() -> None:
    silent = window(rows(range(0)))
    assert silent.state is MeterState.GAP
    assert silent.coverage == 0.0


def test_hours_of_unknown_heat_are_a_gap() -> None:
    known = rows(range(DAY))
    known.heat_kwh[3:9] = NAN
    assert window(known).state is MeterState.GAP


def test_a_meter_bound_for_half_the_day_owes_half_the_day() -> None:
    assert window(rows(range(12, DAY)), expected_min=720.0).coverage == 1.0


def test_a_warmer_return_means_swapped_pipes() -> None:
    assert window(rows(range(DAY), supply=45.0, back=52.0)).state is MeterState.REVERSED


def test_a_meter_without_flow_is_valid_and_has_no_difference() -> None:
    stopped = rows(range(DAY), heat=0.0)
    stopped.volume_m3[:] = 0.0
    day = window(stopped)
    assert day.delta_k is None
    assert day.state is MeterState.VALID


def test_make_up_is_what_the_counter_added_since_the_hour_before() -> None:
    assert window(rows(range(-1, DAY), makeup=500.0, makeup_rate=0.25)).makeup_m3 == 6.0


def test_a_reset_make_up_counter_adds_nothing_at_the_reset() -> None:
    found = rows(range(-1, DAY), makeup=500.0, makeup_rate=1.0)
    found.makeup_m3[13:] -= 512.0
    assert window(found).makeup_m3 == 23.0


def test_temperature_at_the_edges_falls_back_to_the_next_hours() -> None:
    found = rows(range(-1, DAY))
    found.supply_c[:2] = NAN
    found.supply_c[2] = 85.0
    found.supply_c[-1] = NAN
    found.supply_c[-2] = 65.0
    day = window(found)
    assert (day.start_c, day.stop_c) == (67.5, 57.5)


def test_meters_do_not_mix() -> None:
    first, second = rows(range(-1, DAY), makeup=9.0), rows(range(-1, DAY), meter=1, heat=7.0)
    both = WindowHours(
        *(
            np.concatenate([getattr(first, name), getattr(second, name)])
            for name in WindowHours.__slots__
        )
    )
    found = meter_windows(both, np.array([1440.0, 1440.0]), 0, DAY)
    assert [meter.heat_kwh for meter in found] == [2_400.0, 168.0]
    assert [meter.makeup_m3 for meter in found] == [0.0, None]


@pytest.mark.parametrize(("delta_k", "limit"), [(3, 0.043), (10, 0.026), (25, 0.023), (60, 0.022)])
def test_class_2_error_grows_as_the_pipes_come_closer(delta_k: float, limit: float) -> None:
    assert class_2_error(delta_k) == pytest.approx(limit, abs=0.0005)


def test_below_the_smallest_approved_difference_the_error_stays_at_its_limit() -> None:
    assert class_2_error(None) == class_2_error(0.5) == class_2_error(3.0)


def test_a_years_hours_of_a_thousand_meters_are_one_pass() -> None:
    """Vectorised: no Python per row."""
    n = 200_000
    many = replace(
        hour(), **{name: np.repeat(getattr(hour(), name), n) for name in MeterHours.__slots__}
    )
    heat = hourly_heat(many)
    assert isinstance(heat, HeatHours)
    assert heat.heat_kwh.shape == (n,)
    assert np.allclose(heat.heat_kwh, water.heat_kwh(10.0, 75.0, 50.0, False))
