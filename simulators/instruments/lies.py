"""Room sensors that do not show their room: misplaced, drifting, stuck, dead, short of battery.

These few are found once per set of knobs and treated one by one outside the compiled loops, so
that a town full of sound sensors pays nothing for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators import rand
from simulators.devices.fleet import RoomFleet
from simulators.instruments import kernels
from simulators.instruments.rota import Rota
from simulators.knobs import Knobs
from simulators.layout import Layout
from simulators.states import Step

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

DAY_S = 86400.0
_STILL_KGS = 1e-6
"""Below this flow the radiator is as warm as its room."""
_RARER = ((10.0, 2), (6.0, 4), (3.0, 8))
"""Battery % under which a sensor only sends one reading in so many."""
_RARER_BELOW = np.array([-below for below, _ in _RARER])


class Few(NamedTuple):
    """Some sensors in order of their turns in the rota, and those turns."""

    sensor: Index
    turn: Index

    def within(self, first: int, last: int) -> slice:
        """The run whose turns lie from ``first`` to before ``last``."""
        low, high = np.searchsorted(self.turn, [first, last])
        return slice(int(low), int(high))


_NOBODY = np.zeros(0, dtype=np.intp)


@dataclass(slots=True)
class Lies:
    """Which sensors lie at present, and the values at which some stuck.

    ``misplaced`` feel something else than their room, ``wrong`` show something else than they
    feel, ``faint`` are dead or run low and leave readings out.
    """

    fleet: RoomFleet
    layout: Layout
    rota: Rota
    misplaced: Index = field(default_factory=_NOBODY.copy)
    wrong: Few = field(default_factory=lambda: Few(_NOBODY, _NOBODY))
    faint: Few = field(default_factory=lambda: Few(_NOBODY, _NOBODY))
    _turn_of: Index = field(init=False)
    _marks: NDArray[np.uint8] = field(init=False)
    _stuck_at: Array = field(init=False)
    _knobs: Knobs | None = None

    def __post_init__(self) -> None:
        self._turn_of = np.empty(len(self.fleet), dtype=np.intp)
        self._turn_of[self.rota.order] = np.arange(len(self.fleet))
        self._marks = np.empty(len(self.fleet), dtype=np.uint8)
        self._stuck_at = np.full(len(self.fleet), np.nan)

    def heed(self, knobs: Knobs) -> None:
        """Find out who lies; costs something only when their knobs are others."""
        if self._knobs is not None and _same_sensors(knobs, self._knobs):
            return
        self._knobs = knobs
        kernels.mark(
            self.fleet.unit,
            knobs.sensor_unit,
            knobs.sensor_radiator,
            knobs.sensor_sun,
            knobs.sensor_outdoors,
            knobs.sensor_offset_k,
            knobs.sensor_stuck,
            knobs.sensor_dead,
            self.fleet.running_low,
            self._marks,
        )
        marked = np.flatnonzero(self._marks)
        marks = self._marks[marked]
        self.misplaced = marked[marks & kernels.MISPLACED != 0]
        recovered = self.wrong.sensor[~knobs.sensor_stuck[self.fleet.unit[self.wrong.sensor]]]
        self._stuck_at[recovered] = np.nan
        self.wrong = self._few(marked[marks & kernels.WRONG != 0])
        self.faint = self._few(marked[marks & kernels.FAINT != 0])

    def _few(self, sensor: Index) -> Few:
        turn = np.sort(self._turn_of[sensor])
        return Few(self.rota.order[turn], turn)

    def surroundings(self, step: Step) -> tuple[Array, Array]:
        """What is around the misplaced sensors at a step's two ends, °C."""
        knobs, at = step.knobs, self.fleet.unit[self.misplaced]
        hangs_in = knobs.sensor_unit[at]
        warmer = knobs.sensor_sun[at] * (step.weather.south_wm2 / 100.0)
        near, out = knobs.sensor_radiator[at], knobs.sensor_outdoors[at]
        water = _mean_water(step, self.layout, hangs_in)
        flowing = step.flows.unit[hangs_in] > _STILL_KGS
        ends = []
        for air_c in (step.air_before_c[hangs_in], step.air_c[hangs_in]):
            excess = np.where(flowing, water - air_c, 0.0)
            felt = air_c + warmer + near * excess + out * (step.weather.outdoor_c - air_c)
            ends.append(np.asarray(felt, dtype=np.float64))
        return ends[0], ends[1]

    def said(self, knobs: Knobs, sensor: Index, honest_c: Array) -> Array:
        """What sensors that are ``wrong`` show instead of ``honest_c``, before rounding.

        A stuck sensor keeps the first value after its onset, or the one the knob names.
        """
        unit = self.fleet.unit[sensor]
        value = honest_c + knobs.sensor_offset_k[unit]
        stuck = knobs.sensor_stuck[unit]
        if not stuck.any():
            return value
        forced = knobs.sensor_value[unit].astype(np.float64)
        held = np.where(np.isnan(self._stuck_at[sensor]), value, self._stuck_at[sensor])
        self._stuck_at[sensor[stuck]] = held[stuck]
        return np.where(stuck, np.where(np.isnan(forced), held, forced), value)

    def silent(self, knobs: Knobs, sensor: Index, at_s: Index, since_s: int) -> Flags:
        """Who of the ``faint`` says nothing: the dead, and most of those running low."""
        fleet, unit = self.fleet, self.fleet.unit[sensor]
        left = fleet.battery_pct[sensor] - fleet.drain_pct_day[sensor] * (at_s / DAY_S)
        rarer = np.array([1, *(every for _, every in _RARER)])
        every = rarer[np.searchsorted(_RARER_BELOW, -left, side="left")]
        skipped = (since_s // self.rota.every_s + unit) % every != 0
        low = fleet.running_low[sensor] & (skipped | (left <= 0.0))
        return np.asarray(knobs.sensor_dead[unit] | low)


def noise(seed: int, unit: Index, at_s: Index) -> Array:
    """The noise of single sensors; the loops draw the same numbers."""
    return rand.normal(seed, "sensor/noise", unit, at_s)


def _mean_water(step: Step, layout: Layout, unit: Index) -> Array:
    """Mean temperature of the water in dwellings' radiators, °C."""
    supply = step.water.building_supply_c[layout.unit_building[unit]]
    return np.asarray((supply + step.water.unit_return_c[unit]) / 2.0, dtype=np.float64)


_SENSOR_KNOBS = tuple(field.name for field in fields(Knobs) if field.name.startswith("sensor_"))


def _same_sensors(one: Knobs, other: Knobs) -> bool:
    """Whether two sets of knobs share all arrays of sensors (those are replaced, not written)."""
    return all(getattr(one, name) is getattr(other, name) for name in _SENSOR_KNOBS)
