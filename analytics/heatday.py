"""A local day of every substation, circuit and building: heat, flow, rooms, and how even they are.

Pure: meters' windows, dwellings' daily means and the weather go in, one row per place comes out.
What is not known stays None; nothing is filled in. Dwellings come in the network's order, so that
those below a place are a slice. A dwelling whose heating is stopped counts neither for area nor
for rooms; a dwelling without a trusted sensor counts for area alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import isfinite, sqrt

import numpy as np

from analytics.balance import degree_factor, specific_index_w_m2
from analytics.emission import Emitter, likely_emitter
from analytics.heat import MeterState, MeterWindow
from analytics.imbalance import (
    balance_degree,
    balanced_share,
    overheating,
    weighted_mean,
    weighted_spread,
)
from analytics.metering import Metering
from analytics.water import BoolArray, FloatArray
from hearthline.domain.places import DeviceRole, PlaceKind
from hearthline.domain.policies import Profile

DESIGN_OUTDOOR_C = -24.2
"""Design outdoor temperature of Harbin; a company elsewhere gives its own."""
ENOUGH_ROOMS = 4
"""Dwellings differ by about 1 K, so the mean of four is known to half a kelvin."""
OVERHEATED_K = 4.0
MILD_K = 10.0
"""Under so little difference gains of people and sun, not the network, hold the rooms."""


class Basis(StrEnum):
    """Which indoor temperature a normalised index rests on, or why there is none."""

    MEASURED = "measured"
    ASSUMED = "assumed"  # too few rooms measured: the standard's temperature was taken
    NO_HEAT = "no_heat"  # its meters cover too little of the day
    NO_WEATHER = "no_weather"
    TOO_MILD = "too_mild"  # hardly colder outdoors than indoors: nothing to normalise


@dataclass(frozen=True, slots=True)
class Standard:
    """What rooms are owed, where they are too warm, for which cold the network is built; °C."""

    room_c: float
    overheated_c: float
    design_outdoor_c: float = DESIGN_OUTDOOR_C


def standards_of(profile: Profile) -> Callable[[date], Standard]:
    """What a profile owes on a local day; without an upper limit of its own, 4 K above that."""

    def standard(day: date) -> Standard:
        policy = profile.on(day)
        return Standard(policy.threshold_c, policy.upper_c or policy.threshold_c + OVERHEATED_K)

    return standard


@dataclass(frozen=True, slots=True, eq=False)
class Dwellings:
    """All dwellings on a day, columns in the network's order; ``room_c`` NaN where not measured.

    ``below`` gives the slice of a place's dwellings.
    """

    area_m2: FloatArray
    heated: BoolArray
    floor: FloatArray
    room_c: FloatArray
    below: Mapping[str, slice]


@dataclass(frozen=True, slots=True)
class DayWeather:
    """Means over a local day: °C, W/m²; None where nothing was measured."""

    outdoor_c: float | None
    solar_wm2: float | None


@dataclass(slots=True)
class HeatDay:
    """One place on one day; the columns of the table ``heat_day``."""

    place: str
    day: date
    started_at: datetime
    stopped_at: datetime
    area_m2: float
    outdoor_c: float | None = None
    solar_wm2: float | None = None
    emitter: Emitter | None = None
    heat_kwh: float | None = None
    volume_m3: float | None = None
    metered: float | None = None
    supply_c: float | None = None
    return_c: float | None = None
    approach_k: float | None = None
    balance_degree: float | None = None
    balanced_share: float | None = None
    return_spread_k: float | None = None
    rooms: int = 0
    room_coverage: float = 0.0
    room_c: float | None = None
    vertical_k: float | None = None
    horizontal_k: float | None = None
    overheated_share: float | None = None
    waste_share: float | None = None
    index_w_m2: float | None = None
    normal_w_m2: float | None = None
    normal_basis: Basis = Basis.NO_HEAT


@dataclass(frozen=True, slots=True)
class Day:
    """A local day with everything that its rows follow from."""

    day: date
    start: datetime
    stop: datetime
    metering: Metering
    dwellings: Dwellings
    weather: DayWeather
    standard: Standard
    _done: dict[str, HeatDay] = field(default_factory=dict)

    @property
    def length(self) -> timedelta:
        """23 to 25 hours."""
        return self.stop - self.start

    def rows(self) -> list[HeatDay]:
        """A row for every building, circuit with a meter of its own, and substation."""
        layout = self.metering.layout
        for building in layout.of_kind(PlaceKind.BUILDING):
            self._done[building] = self._building(building)
        for circuit in layout.of_kind(PlaceKind.CIRCUIT):
            if self.metering.own(circuit, DeviceRole.SECONDARY):
                self._done[circuit] = self._circuit(circuit)
        for station in layout.of_kind(PlaceKind.SUBSTATION):
            self._done[station] = self._substation(station)
        return [self._done[code] for code in layout.kinds if code in self._done]

    def _building(self, code: str) -> HeatDay:
        row = self._begun(code)
        self._meters(row, self.metering.covering(code, DeviceRole.BRANCH))
        row.vertical_k = self._vertical(code)
        return self._finished(row)

    def _circuit(self, code: str) -> HeatDay:
        row = self._begun(code)
        self._meters(row, self.metering.own(code, DeviceRole.SECONDARY))
        self._between(row, code)
        return self._finished(row)

    def _substation(self, code: str) -> HeatDay:
        row = self._begun(code)
        places = self.metering.secondary_places(code)
        sides = [self.metering.covering(place, DeviceRole.SECONDARY) for place in places]
        self._meters(row, tuple(m for side in sides for m in side) if all(sides) else ())
        primary = self.metering.own(code, DeviceRole.PRIMARY)
        if _sound(primary):
            row.heat_kwh = sum(meter.filled_kwh for meter in primary)
            row.metered = min(meter.coverage for meter in primary)
            left_c = _mean(primary, "return_c")
            if left_c is not None and row.return_c is not None:
                row.approach_k = left_c - row.return_c
        self._between(row, code)
        return self._finished(row)

    def _begun(self, code: str) -> HeatDay:
        """The row's area and rooms."""
        where, homes = self.dwellings.below[code], self.dwellings
        area, heated = homes.area_m2[where], homes.heated[where]
        room = np.where(heated, homes.room_c[where], np.nan)
        known = np.isfinite(room)
        row = HeatDay(code, self.day, self.start, self.stop, float(area[heated].sum()))
        row.outdoor_c, row.solar_wm2 = self.weather.outdoor_c, self.weather.solar_wm2
        row.rooms = int(known.sum())
        row.room_coverage = row.rooms / max(int(heated.sum()), 1)
        row.room_c = _known(weighted_mean(room, area))
        if self.weather.outdoor_c is not None:
            limit_c = self.standard.overheated_c
            shares = overheating(room, area, self.weather.outdoor_c, limit_c)
            row.overheated_share, row.waste_share = map(_known, shares)
        return row

    def _meters(self, row: HeatDay, meters: tuple[MeterWindow, ...]) -> None:
        """Heat, flow, temperatures and balance degree from the meters that stand for a place."""
        if not meters:
            return
        row.metered = min(meter.coverage for meter in meters)
        if not _sound(meters):
            return
        row.heat_kwh = sum(meter.filled_kwh for meter in meters)
        row.volume_m3 = sum(meter.volume_m3 / meter.coverage for meter in meters)
        row.supply_c, row.return_c = _mean(meters, "supply_c"), _mean(meters, "return_c")
        if row.supply_c is None or row.outdoor_c is None:
            return
        row.emitter = likely_emitter(
            row.supply_c,
            row.outdoor_c,
            room_c=self.standard.room_c,
            design_outdoor_c=self.standard.design_outdoor_c,
        )
        flow = row.volume_m3 / (self.length / timedelta(hours=1))
        row.balance_degree = _known(float(balance_degree(flow, row.area_m2, row.emitter)))

    def _between(self, row: HeatDay, code: str) -> None:
        """How even the buildings below a place are; returns within each circuit alone.

        Radiators and floors return at different temperatures on purpose.
        """
        layout = self.metering.layout
        buildings = [self._done[b] for b in layout.of_kind(PlaceKind.BUILDING, code)]
        area = np.array([building.area_m2 for building in buildings])
        row.horizontal_k = _known(weighted_spread(_column(buildings, "room_c"), area))
        row.vertical_k = _known(weighted_mean(_column(buildings, "vertical_k"), area))
        row.balanced_share = _known(balanced_share(_column(buildings, "balance_degree"), area))
        circuits = list(layout.of_kind(PlaceKind.CIRCUIT, code)) or [code]
        parts = []
        for circuit in circuits:
            inside = [self._done[b] for b in layout.of_kind(PlaceKind.BUILDING, circuit)]
            weights = np.array([building.area_m2 for building in inside])
            parts.append((weighted_spread(_column(inside, "return_c"), weights), weights.sum()))
        known = [(spread, weight) for spread, weight in parts if isfinite(spread)]
        if known:
            total = sum(weight for _, weight in known)
            row.return_spread_k = sqrt(sum(spread**2 * weight for spread, weight in known) / total)

    def _vertical(self, building: str) -> float | None:
        """Spread between the means of a building's floors, by how many rooms each mean is of."""
        where, homes = self.dwellings.below[building], self.dwellings
        known = np.isfinite(homes.room_c[where]) & homes.heated[where]
        floor, room = homes.floor[where][known], homes.room_c[where][known]
        floors, number = np.unique(floor, return_inverse=True)
        count = np.bincount(number, minlength=len(floors)).astype(np.float64)
        if len(floors) < 2:
            return None
        return _known(weighted_spread(np.bincount(number, room) / count, count))

    def _finished(self, row: HeatDay) -> HeatDay:
        """The specific index, raw and normalised."""
        if row.heat_kwh is None or row.area_m2 <= 0.0:
            return row
        row.index_w_m2 = specific_index_w_m2(row.heat_kwh, row.area_m2, self.length)
        if row.outdoor_c is None:
            row.normal_basis = Basis.NO_WEATHER
            return row
        measured = row.rooms >= ENOUGH_ROOMS and row.room_c is not None
        indoor_c = row.room_c if measured and row.room_c is not None else self.standard.room_c
        if indoor_c - row.outdoor_c < MILD_K:
            row.normal_basis = Basis.TOO_MILD
            return row
        row.normal_basis = Basis.MEASURED if measured else Basis.ASSUMED
        row.normal_w_m2 = row.index_w_m2 * degree_factor(
            indoor_c,
            row.outdoor_c,
            standard_c=self.standard.room_c,
            design_c=self.standard.design_outdoor_c,
        )
        return row


def _sound(meters: tuple[MeterWindow, ...]) -> bool:
    return bool(meters) and all(meter.state is MeterState.VALID for meter in meters)


def _mean(meters: tuple[MeterWindow, ...], name: str) -> float | None:
    """Mean over meters by volume, of those whose water moved."""
    pairs = [(getattr(meter, name), abs(meter.volume_m3)) for meter in meters]
    known = [(value, volume) for value, volume in pairs if value is not None]
    return _known(weighted_mean(*np.array(known).T)) if known else None


def _column(rows: list[HeatDay], name: str) -> FloatArray:
    return np.array([getattr(row, name) for row in rows], dtype=np.float64)


def _known(value: float) -> float | None:
    return float(value) if isfinite(value) else None
