"""Hourly rollups in memory: the rules of ``hearthline.storage.rollups`` as numpy.

For whatever analyses readings that are in no database (``analytics.memory``). Rule for rule what
``storage/sql/rollups.sql`` computes: a reading stands until the next of its device, at most 1.5
expected intervals; means are weighted by the minutes for which readings stand in the hour; the
temperatures of heat meters by forward flow as well; counters are those of the last reading that
stands in the hour; what is unusable is as if it had never come. An integration test holds the two
equal. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality
from hearthline.storage import analysis
from hearthline.storage.columns import Columns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_HOUR_US = 3_600_000_000
_MINUTE_US = 60_000_000.0
_COUNTERS = ("energy_kwh", "volume_m3", "makeup_m3")
_FLOWING = ("supply_c", "return_c")
_PLAIN = ("flow_m3h", "power_kw")
_BESIDE = ("supply_kpa", "return_kpa", "valve_pct", "pump_hz")


def first_of_each(lot: Columns) -> Columns:
    """The readings in order of device and time, the first to arrive of each (device, time)."""
    lot = lot[np.lexsort((lot.times, lot.devices))]
    first = np.ones(len(lot), bool)
    first[1:] = (lot.devices[1:] != lot.devices[:-1]) | (lot.times[1:] != lot.times[:-1])
    return lot[first]


def roll(lot: Columns) -> analysis.Columns:
    """Hours of readings of one kind, by device and hour.

    Values by kind: rooms mean_c, min_c, max_c, n, covered_min; meters and weather as the columns
    of ``meter_hour`` and ``weather_hour``.
    """
    lot = first_of_each(lot[lot.usable])
    portions = _portions(lot)
    values = {
        DeviceKind.ROOM: _rooms,
        DeviceKind.METER: _meters,
        DeviceKind.WEATHER: _weather,
    }[lot.kind](lot, portions)
    values["covered_min"] = portions.total(portions.minutes)
    return analysis.Columns(portions.device, _seconds(portions.hour, 3600), values)


def slots(lot: Columns, seconds: int, names: tuple[str, ...]) -> analysis.Columns:
    """Plain means of quantities over slots of time, as ``windows.meter_slots`` gives them."""
    lot = first_of_each(lot[lot.usable])
    key = lot.times // (seconds * 1_000_000)
    cells = _Cells.of(lot.devices, key)
    values = {}
    for name in names:
        column = _stored(lot.values[name])
        known = ~np.isnan(column)
        values[name] = _ratio(
            cells.total(np.where(known, column, 0.0)), cells.total(known.astype(np.float64))
        )
    return analysis.Columns(cells.device, _seconds(cells.step, seconds), values)


@dataclass(frozen=True)
class _Cells:
    """Rows grouped by (device, whole step of time); ``cell`` is each row's group."""

    device: Ints
    step: Ints
    cell: Ints

    @classmethod
    def of(cls, device: Ints, step: Ints) -> _Cells:
        base = int(step.min()) if len(step) else 0
        width = int(step.max()) - base + 1 if len(step) else 1
        keys, cell = np.unique(device * width + (step - base), return_inverse=True)
        return cls(keys // width, keys % width + base, cell)

    def total(self, weights: Floats) -> Floats:
        summed: Floats = np.bincount(self.cell, weights, minlength=len(self.device)).astype(float)
        return summed


@dataclass(frozen=True)
class _Portions:
    """A reading's minutes in one hour, a row for each hour it reaches into; ``row`` its reading."""

    cells: _Cells
    row: Ints
    own: Bools
    minutes: Floats

    @property
    def device(self) -> Ints:
        return self.cells.device

    @property
    def hour(self) -> Ints:
        return self.cells.step

    def total(self, weights: Floats) -> Floats:
        return self.cells.total(weights)

    @property
    def count(self) -> Floats:
        """How many readings were measured in each hour itself."""
        return self.total(self.own.astype(np.float64))

    def mean(self, column: Floats, weight: Floats | None = None) -> Floats:
        """Mean of the readings' column by minutes (times ``weight``), NaN where none is known."""
        value = column[self.row]
        known = ~np.isnan(value)
        share = np.where(known, self.minutes if weight is None else self.minutes * weight, 0.0)
        return _ratio(self.total(np.where(known, value, 0.0) * share), self.total(share))

    def extreme(self, column: Floats, *, highest: bool) -> Floats:
        found = np.full(len(self.device), -np.inf if highest else np.inf)
        pick = np.maximum if highest else np.minimum
        pick.at(found, self.cells.cell, column[self.row])
        return found

    def last(self, column: Floats) -> Floats:
        """The last known value of each cell; rows are in order of time within a device."""
        value = column[self.row]
        order = np.flatnonzero(~np.isnan(value))
        order = order[np.argsort(self.row[order], kind="stable")]
        found = np.full(len(self.device), np.nan)
        found[self.cells.cell[order]] = value[order]
        return found


def _portions(lot: Columns) -> _Portions:
    """Each reading's minutes in its own hour and in those that it reaches into."""
    ended = lot.times + np.rint(lot.hold_s * 1e6).astype(np.int64)
    same = lot.devices[1:] == lot.devices[:-1]
    ended[:-1] = np.where(same, np.minimum(ended[:-1], lot.times[1:]), ended[:-1])
    first = lot.times // _HOUR_US
    last = np.maximum((ended - 1) // _HOUR_US, first)
    reach = (last - first).astype(np.int64)
    row = np.repeat(np.arange(len(lot)), reach + 1)
    step = np.arange(len(row)) - np.repeat(np.cumsum(reach + 1) - reach - 1, reach + 1)
    hour = first[row] + step
    begin = np.maximum(lot.times[row], hour * _HOUR_US)
    minutes = (np.minimum(ended[row], (hour + 1) * _HOUR_US) - begin) / _MINUTE_US
    return _Portions(_Cells.of(lot.devices[row], hour), row, step == 0, minutes)


def _rooms(lot: Columns, portions: _Portions) -> dict[str, Floats]:
    value = _stored(lot.values["temperature_c"])
    return {
        "mean_c": portions.mean(value),
        "min_c": portions.extreme(value, highest=False),
        "max_c": portions.extreme(value, highest=True),
        "n": portions.count,
    }


def _meters(lot: Columns, portions: _Portions) -> dict[str, Floats]:
    flow = np.nan_to_num(np.maximum(_stored(lot.values["flow_m3h"]), 0.0))[portions.row]
    values = {"n": portions.count}
    for name in _FLOWING:
        column = _stored(lot.values[name])
        by_flow = portions.mean(column, flow)
        values[name] = np.where(np.isnan(by_flow), portions.mean(column), by_flow)
    for name in _PLAIN:
        values[name] = portions.mean(_stored(lot.values[name]))
    for name in _COUNTERS:
        values[name] = portions.last(lot.values[name])
    for name in _BESIDE:
        values[name] = portions.mean(_sound(lot, name))
    return values


def _weather(lot: Columns, portions: _Portions) -> dict[str, Floats]:
    return {
        "n": portions.count,
        "outdoor_c": portions.mean(_stored(lot.values["outdoor_c"])),
        "wind_ms": portions.mean(_sound(lot, "wind_ms")),
        "solar_wm2": portions.mean(_sound(lot, "solar_wm2")),
    }


def _sound(lot: Columns, name: str) -> Floats:
    """A quantity that stands beside the principal ones, NaN where one such is impossible."""
    doubtful = (lot.quality & int(Quality.BESIDE_OUT_OF_RANGE)) != 0
    return np.where(doubtful, np.nan, _stored(lot.values[name]))


def _seconds(step: Ints, seconds: int) -> Floats:
    """The beginning of each step, seconds since 1970."""
    return (step * seconds).astype(np.float64)


def _stored(column: Floats) -> Floats:
    """What a column of single precision gives back."""
    return column.astype(np.float32).astype(np.float64)


def _ratio(total: Floats, weight: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, total / weight, np.nan)
