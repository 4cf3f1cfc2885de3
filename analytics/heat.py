"""What heat meters say: heat of an hour from its rollup, and one meter's sum over a window.

The volume of an hour is the difference of the meter's own counter where that is plausible, since
the counter integrates what samples of the flow only touch; otherwise it is the mean flow times
the minutes that readings stand for. A minute without a reading is *unknown*, never zero heat: an
hour says how many of its minutes its heat covers, a window fills the rest with the meter's own
mean power while little is missing, and does not count when much is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import hypot, sqrt

import numpy as np
from numpy.typing import NDArray

from analytics import water
from analytics.water import BoolArray, FloatArray

IntArray = NDArray[np.int64]

HOUR_MIN = 60.0
MIN_COVERAGE = 0.95  # of time for a meter, of consumers for a balance

# The counter is read at the last reading of an hour. Both ends of the difference must lie near
# the ends of the hour, or it spans another length of time than the hour it is booked to.
_NEAR_WHOLE_MIN = 45.0
# Counter against flow × time: sampling of the flow explains this much, a reset or roll-over more.
_COUNTER_TOLERANCE = 0.15
_GAP_FILL_ERROR = 0.20  # of the heat that was filled in
_MIN_DELTA_K = 3.0  # the smallest difference a usual class 2 meter is approved for
_REVERSED_K = -0.5  # warmer return than this is no tolerance of a temperature pair
# Pipe temperature at an edge of a window: the hour that ends there, or the nearest of these.
_START_OFFSETS = (-1, 0, 1, 2)
_STOP_OFFSETS = (-1, -2, -3)


@dataclass(frozen=True, slots=True, eq=False)
class MeterHours:
    """Rollup rows of heat meters as columns of one length; NaN where nothing was measured.

    Temperatures in °C (flow-weighted), flow in m³/h, ``volume_m3`` the counter at the end of the
    hour; ``previous_*`` are counter and coverage of the hour just before, NaN where none is.
    """

    covered_min: FloatArray
    supply_c: FloatArray
    return_c: FloatArray
    flow_m3h: FloatArray
    volume_m3: FloatArray
    previous_volume_m3: FloatArray
    previous_covered_min: FloatArray
    flow_in_supply: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class HeatHours:
    """Heat (kWh) and volume (m³) of the covered minutes, row by row; NaN where unknown."""

    heat_kwh: FloatArray
    volume_m3: FloatArray
    covered_min: FloatArray


def hourly_heat(hours: MeterHours) -> HeatHours:
    """Heat of every meter hour by EN 1434-1."""
    covered = np.clip(hours.covered_min, 0.0, HOUR_MIN)
    by_counter = hours.volume_m3 - hours.previous_volume_m3
    counted = _plausible(hours, by_counter)
    volume = np.where(counted, by_counter, hours.flow_m3h * covered / HOUR_MIN)
    covered = np.where(counted, HOUR_MIN, covered)
    heat = water.heat_kwh(volume, hours.supply_c, hours.return_c, hours.flow_in_supply)
    # A stopped pump is a measurement: no flow carries no heat, whatever the pipes cool down to.
    heat = np.where(volume == 0.0, 0.0, heat)
    heat = np.where(covered > 0.0, heat, np.nan)
    return HeatHours(heat, np.where(np.isfinite(heat), volume, np.nan), covered)


def _plausible(hours: MeterHours, by_counter: FloatArray) -> BoolArray:
    """Whether the counter's difference is this hour's volume."""
    whole = (hours.covered_min >= _NEAR_WHOLE_MIN) & (hours.previous_covered_min >= _NEAR_WHOLE_MIN)
    tolerance = _COUNTER_TOLERANCE * np.abs(hours.flow_m3h)
    near = np.abs(by_counter - hours.flow_m3h) <= tolerance
    unsampled = np.isnan(hours.flow_m3h) & (by_counter >= 0.0)
    return np.asarray(whole & (near | unsampled))


class MeterState(StrEnum):
    """Whether a meter's window counts."""

    VALID = "valid"
    GAP = "gap"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class MeterWindow:
    """One meter over one window.

    ``heat_kwh`` and ``volume_m3`` stand for ``covered_min`` of the ``expected_min`` in which the
    meter was bound; ``peak_m3h`` is the largest hourly flow; ``delta_k`` is flow-weighted;
    ``start_c`` and ``stop_c`` are the mean of supply and return at the ends of the window;
    ``makeup_m3`` is what its counter added; ``supply_c`` and ``return_c`` are flow-weighted means.
    """

    heat_kwh: float
    volume_m3: float
    expected_min: float
    covered_min: float
    peak_m3h: float = 0.0
    delta_k: float | None = None
    makeup_m3: float | None = None
    start_c: float | None = None
    stop_c: float | None = None
    supply_c: float | None = None
    return_c: float | None = None

    @property
    def coverage(self) -> float:
        """Share of the expected minutes that the figures stand for."""
        return min(1.0, self.covered_min / self.expected_min) if self.expected_min else 0.0

    @property
    def state(self) -> MeterState:
        """Whether the window counts, and if not, why."""
        if self.coverage < MIN_COVERAGE:
            return MeterState.GAP
        if self.delta_k is not None and self.delta_k < _REVERSED_K:
            return MeterState.REVERSED
        return MeterState.VALID

    @property
    def filled_kwh(self) -> float:
        """Heat of the whole window, its gaps at the meter's own mean power."""
        return self.heat_kwh / self.coverage

    @property
    def error_kwh(self) -> float:
        """Error limit of ``filled_kwh``: the instrument's and the fill's."""
        instrument = class_2_error(self.delta_k) * self.filled_kwh
        return hypot(instrument, _GAP_FILL_ERROR * (self.filled_kwh - self.heat_kwh))


def class_2_error(delta_k: float | None) -> float:
    """Relative error limit of a class 2 heat meter near its permanent flow, 0.022 to 0.043.

    EN 1434-1: flow sensor 2 + 0.02·q_p/q %, temperature pair 0.5 + 3·ΔΘ_min/ΔΘ %, calculator
    0.5 + ΔΘ_min/ΔΘ %, here as a root sum of squares with ΔΘ_min = 3 K.
    """
    ratio = _MIN_DELTA_K / max(_MIN_DELTA_K, abs(delta_k or _MIN_DELTA_K))
    return sqrt(0.0202**2 + (0.005 + 0.03 * ratio) ** 2 + (0.005 + 0.01 * ratio) ** 2)


@dataclass(frozen=True, slots=True, eq=False)
class WindowHours:
    """Hours of several meters around a window as columns of one length, ascending by hour.

    ``meter`` counts from 0; ``hour`` are whole hours since the epoch; ``heat_kwh``,
    ``volume_m3`` and ``covered_min`` as ``hourly_heat`` gave them; ``makeup_m3`` is a counter at
    the end of its hour. The hour before the window belongs in, for its counter and temperatures.
    """

    meter: IntArray
    hour: IntArray
    heat_kwh: FloatArray
    volume_m3: FloatArray
    covered_min: FloatArray
    supply_c: FloatArray
    return_c: FloatArray
    makeup_m3: FloatArray


def meter_windows(
    rows: WindowHours, expected_min: FloatArray, start_hour: int, stop_hour: int
) -> list[MeterWindow]:
    """Each meter's sum over ``[start_hour, stop_hour)``; ``expected_min`` holds one per meter."""
    n = len(expected_min)
    inside = (rows.hour >= start_hour) & (rows.hour < stop_hour) & np.isfinite(rows.heat_kwh)
    meter, volume = rows.meter[inside], rows.volume_m3[inside]
    delta = rows.supply_c[inside] - rows.return_c[inside]
    weight = np.where(np.isfinite(delta), np.abs(volume), 0.0)
    weights: FloatArray = np.bincount(meter, weight, n).astype(np.float64)
    with np.errstate(invalid="ignore"):
        delta_k = np.bincount(meter, weight * np.nan_to_num(delta), n) / weights
    pipe_c = (rows.supply_c + rows.return_c) / 2.0
    columns = (
        np.bincount(meter, rows.heat_kwh[inside], n),
        np.bincount(meter, volume, n),
        expected_min,
        np.bincount(meter, rows.covered_min[inside], n),
        _peak(rows, n, start_hour, stop_hour),
        delta_k,
        _counted(rows, n, start_hour, stop_hour),
        _at_edge(rows, pipe_c, n, [start_hour + offset for offset in _START_OFFSETS]),
        _at_edge(rows, pipe_c, n, [stop_hour + offset for offset in _STOP_OFFSETS]),
        _by_flow(rows.supply_c[inside], meter, weight, weights),
        _by_flow(rows.return_c[inside], meter, weight, weights),
    )
    return [
        MeterWindow(*row[:5], *(None if np.isnan(value) else value for value in row[5:]))
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _by_flow(
    value: FloatArray, meter: IntArray, weight: FloatArray, weights: FloatArray
) -> FloatArray:
    """Each meter's mean by flow, NaN where nothing flowed."""
    with np.errstate(invalid="ignore"):
        mean = np.bincount(meter, weight * np.nan_to_num(value), len(weights)) / weights
    return np.asarray(mean)


def _peak(rows: WindowHours, n: int, start_hour: int, stop_hour: int) -> FloatArray:
    """Each meter's largest flow of an hour that is mostly covered, 0 where there is none."""
    near = (rows.hour >= start_hour - 1) & (rows.hour < stop_hour)
    near &= np.isfinite(rows.volume_m3) & (rows.covered_min >= _NEAR_WHOLE_MIN)
    peak = np.zeros(n)
    flow = np.abs(rows.volume_m3[near]) * HOUR_MIN / rows.covered_min[near]
    np.maximum.at(peak, rows.meter[near], flow)
    return peak


def _counted(rows: WindowHours, n: int, start_hour: int, stop_hour: int) -> FloatArray:
    """What each meter's make-up counter added; a counter that falls was reset, and adds nothing."""
    known = np.isfinite(rows.makeup_m3) & (rows.hour >= start_hour - 1) & (rows.hour < stop_hour)
    order = np.lexsort((rows.hour[known], rows.meter[known]))
    meter, counter = rows.meter[known][order], rows.makeup_m3[known][order]
    same = meter[1:] == meter[:-1]
    added = np.maximum(np.diff(counter), 0.0)[same]
    steps = np.bincount(meter[1:][same], minlength=n)
    return np.where(steps > 0, np.bincount(meter[1:][same], added, n), np.nan)


def _at_edge(rows: WindowHours, value: FloatArray, n: int, hours: list[int]) -> FloatArray:
    """Each meter's value at the first of ``hours`` at which it has one."""
    found = np.full(n, np.nan)
    for hour in reversed(hours):
        there = (rows.hour == hour) & np.isfinite(value)
        found[rows.meter[there]] = value[there]
    return found
