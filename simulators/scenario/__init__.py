"""What a scenario file says, as immutable records, and how a problem in one is reported.

A scenario is data: a town, its weather, its instruments, how badly those behave, and the faults
with the hours at which they strike. Hours count from the *anchor*, the instant at which the
published history begins. Reading is in ``scenario_file``; this module knows no file format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from hearthline.domain.findings import Cause

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, msgspec.Meta(gt=0.0)]
Rate = Annotated[float, msgspec.Meta(ge=0.0)]
Latitude = Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
Celsius = Annotated[float, msgspec.Meta(ge=-60.0, le=60.0)]
SupplyCelsius = Annotated[float, msgspec.Meta(ge=20.0, le=180.0)]

_DURATION = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(d|h|min|m|s)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a scenario: where it stands and what to write instead."""

    where: str
    says: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.where}: {self.says}" if self.where else f"{place}{self.says}"


class ScenarioError(ValueError):
    """A scenario cannot be used; ``problems`` lists everything that is wrong with it."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.name = name
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n  ".join([f"scenario {name} has {count}:", *map(str, problems)]))


def duration(text: object) -> timedelta:
    """A duration: a number of hours, or text like ``3d``, ``72h 4min``, ``-60d``.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return timedelta(hours=text)
    if isinstance(text, str) and text.strip():
        sign = -1.0 if text.strip().startswith("-") else 1.0
        rest = text.strip().lstrip("+-")
        parts = _DURATION.findall(rest)
        if parts and not _DURATION.sub("", rest).strip():
            return timedelta(seconds=sign * sum(float(n) * _SECONDS[unit] for n, unit in parts))
    raise ValueError(f"expected hours or a duration like '46h', '3d' or '72h 4min', got {text!r}")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of everything a scenario file may hold: immutable, unknown keys refused."""


class Heating(StrEnum):
    """How the dwellings of a circuit give off their heat."""

    RADIATORS = "radiators"
    FLOOR = "floor"


class SourceSpec(Record, frozen=True, kw_only=True):
    """The heat source and the code from which all place codes grow.

    ``capacity`` is a multiple of the town's design heat; ``supply`` the schedule as (outdoor °C,
    supply °C) points, coldest first; ``starts`` is when heating begins: before it nothing
    circulates and the town is as cold as its weather makes it.
    """

    code: str
    name: str
    name_zh: str = ""
    latitude: Latitude
    longitude: Longitude
    capacity: Positive = 1.3
    supply: tuple[tuple[Celsius, SupplyCelsius], ...] = (
        (-35.0, 120.0),
        (-24.2, 112.0),
        (-10.0, 95.0),
        (5.0, 75.0),
    )
    starts: timedelta | None = None


class GrownSpec(Record, frozen=True, kw_only=True):
    """Buildings drawn by seed instead of listed: how many, entrances, floors, doors (low, high)."""

    count: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    entrances: tuple[int, int] = (2, 4)
    floors: tuple[int, int] = (6, 11)
    doors: tuple[int, int] = (2, 2)


class CircuitSpec(Record, frozen=True, kw_only=True):
    """One secondary circuit of a substation with exchanger and pump, buildings nearest first."""

    name: str
    name_zh: str = ""
    heating: Heating = Heating.RADIATORS
    buildings: tuple[str, ...] = ()
    grown: GrownSpec | None = None


class SubstationSpec(Record, frozen=True, kw_only=True):
    """One substation and what hangs on it, nearest first.

    ``buildings`` lists shapes as ``entrances x floors``, e.g. ``3x7``, or with the doors on a
    landing, ``3x7x4``; ``grown`` draws them. Both make one circuit; ``circuits`` lists several.
    ``distance_m`` is the length of its primary pipe; left out, it follows from the map.
    """

    name: str
    name_zh: str = ""
    latitude: Latitude
    longitude: Longitude
    distance_m: Positive | None = None
    heating: Heating = Heating.RADIATORS
    buildings: tuple[str, ...] = ()
    grown: GrownSpec | None = None
    circuits: tuple[CircuitSpec, ...] = ()


class GrownTownSpec(Record, frozen=True, kw_only=True):
    """A whole town drawn by seed: substations of about ``per_substation`` dwellings each.

    ``floor_share`` of the substations heat floors; the last substation takes what is left.
    """

    dwellings: Annotated[int, msgspec.Meta(ge=1, le=2_000_000)]
    per_substation: Annotated[int, msgspec.Meta(ge=20, le=20_000)] = 1000
    entrances: tuple[int, int] = (2, 4)
    floors: tuple[int, int] = (6, 11)
    doors: tuple[int, int] = (2, 4)
    floor_share: Share = 0.2


class DwellingsSpec(Record, frozen=True, kw_only=True):
    """Sizes, the temperature the town is heated to, and how much dwellings differ.

    ``emission_spread`` and ``flow_spread`` are relative standard deviations, ``party_wm2k`` the
    conductance of slabs and party walls; ``leakiness`` multiplies every loss to outdoors (1 is an
    insulated house of 45 W/m² at −24.2 °C, 1.35 one without insulation), ``envelope_spread`` is
    how much single dwellings differ in it. Radiators are sized for the loss without the spread.
    """

    area_m2: tuple[Positive, Positive] = (45.0, 120.0)
    room_c: Celsius = 22.0
    emission_spread: Share = 0.018
    flow_spread: Share = 0.03
    gains_wm2: Rate = 4.5
    party_wm2k: Positive = 2.8
    leakiness: Positive = 1.0
    envelope_spread: Share = 0.0


class PeopleSpec(Record, frozen=True, kw_only=True):
    """What people do: ``airing`` and ``cooking`` multiply how often, shares count dwellings.

    ``stopped`` (on request), ``restricted`` (for arrears) and ``vacant`` dwellings are unheated
    all the time and stand so in the ledger; ``turned_down`` ones lower their valve every night.
    Whoever does one of these is drawn by seed and appears in the truth like a fault.
    """

    airing: Rate = 1.0
    cooking: Rate = 1.0
    stopped: Share = 0.0
    restricted: Share = 0.0
    vacant: Share = 0.0
    turned_down: Share = 0.0


class WeatherSpec(Record, frozen=True, kw_only=True):
    """Weather as a function of time since the anchor: one of ``level``, ``preset`` or ``file``.

    ``level`` holds (when, daily mean °C), joined smoothly and held beyond its ends. ``preset``
    names a city (harbin, changchun, shenyang, beijing) around whose climate weather is drawn by
    seed. ``file`` is an EPW or CSV file of measured weather, beside the scenario's own file if the
    path is relative. ``day_of_year`` is the anchor's day in the climate or the file.

    What follows is the preset's own where it is left out, and with ``level`` 5 K, 1 K, 3 m/s, 0.4
    and no snaps: ``daily_swing_k`` is afternoon minus dawn, ``variation_k`` the size of slow
    irregularity, ``cold_snap_k`` the usual depth of a cold snap.
    """

    level: tuple[tuple[timedelta, Celsius], ...] = ()
    preset: str | None = None
    file: str | None = None
    daily_swing_k: Rate | None = None
    variation_k: Rate | None = None
    wind_ms: Rate | None = None
    cloud: Share | None = None
    cold_snaps_per_month: Rate | None = None
    cold_snap_k: Rate | None = None
    day_of_year: Annotated[int, msgspec.Meta(ge=1, le=366)] = 15


class FormatMix(Record, frozen=True, kw_only=True):
    """Shares of room sensors that speak each wire format; they need not add up to one."""

    own: Rate = 0.65
    chirpstack: Rate = 0.25
    zigbee2mqtt: Rate = 0.10
    tts: Rate = 0.0
    tasmota: Rate = 0.0
    homie: Rate = 0.0
    sparkplug: Rate = 0.0
    senml: Rate = 0.0
    onenet: Rate = 0.0
    alink: Rate = 0.0
    iotda: Rate = 0.0
    ctwing: Rate = 0.0


class MeterMix(Record, frozen=True, kw_only=True):
    """Shares of building and entrance heat meters that speak each wire format."""

    own: Rate = 1.0
    wmbusmeters: Rate = 0.0
    sparkplug: Rate = 0.0
    iotda: Rate = 0.0


class InstrumentsSpec(Record, frozen=True, kw_only=True):
    """What is measured and how often.

    ``coverage`` is the share of dwellings with a room sensor, ``building_meters`` that of
    buildings with a heat meter; ``entrance_meters`` names buildings (all their entrances). The
    source and both sides of every substation are always metered.
    """

    coverage: Share = 1.0
    mix: FormatMix = FormatMix()
    meter_mix: MeterMix = MeterMix()
    building_meters: Share = 1.0
    room_every: timedelta = timedelta(minutes=20)
    meter_every: timedelta = timedelta(minutes=5)
    weather_every: timedelta = timedelta(minutes=10)
    gateway_every: timedelta = timedelta(minutes=10)
    gateway_batch: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50
    entrance_meters: tuple[str, ...] = ()


class BehaviourSpec(Record, frozen=True, kw_only=True):
    """How badly the field behaves: shares of readings, messages or devices, and counts a day.

    ``late``: share of device-days on which a device that sends by itself holds its readings back
    for up to ``late_by`` and then delivers the backlog at once. ``clock_wrong``: share of devices
    whose clock is off by up to ``clock_off`` either way. ``battery_low``: share of room sensors
    whose battery dies: they report ever more rarely, then fall silent.
    """

    lost: Share = 0.0
    duplicated: Share = 0.0
    outages_per_gateway_day: Rate = 0.0
    outage: timedelta = timedelta(hours=3)
    late: Share = 0.0
    late_by: timedelta = timedelta(hours=6)
    clock_wrong: Share = 0.0
    clock_off: timedelta = timedelta(minutes=4)
    battery_low: Share = 0.0
    malformed_per_day: Rate = 0.0
    clock_1970_per_day: Rate = 0.0
    clock_ahead_per_day: Rate = 0.0
    nan_per_day: Rate = 0.0
    unknown_per_day: Rate = 0.0


class DrawnFaultsSpec(Record, frozen=True, kw_only=True):
    """Faults drawn by seed: every cause (or the named ones) in turn, at places that are free.

    ``count`` faults in all, or ``per_1000`` dwellings; they strike between the two instants of
    ``onset``, and severities are drawn from the range in which each cause is usually met.
    """

    count: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    per_1000: Rate = 10.0
    causes: tuple[Cause, ...] = ()
    onset: tuple[timedelta, timedelta] = (timedelta(days=2), timedelta(days=14))


class FaultSpec(Record, frozen=True, kw_only=True):
    """One fault: what, where, when, how much. ``place`` may list several places of one fault.

    ``variant`` says which of its kinds a cause takes, where it has several (a misplaced sensor:
    ``radiator``, ``sun``, ``balcony``); left out, its first.
    """

    cause: Cause
    variant: str | None = None
    place: str | tuple[str, ...]
    onset: timedelta
    end: timedelta | None = None
    ramp: timedelta = timedelta(0)
    severity: float | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """The codes it strikes, always as a tuple."""
        return (self.place,) if isinstance(self.place, str) else self.place


class SettingSpec(Record, frozen=True, kw_only=True):
    """What a crew has set by hand, from the beginning on; no fault.

    ``valve`` is a factor on the resistance of a building's balancing valve (above 1: turned
    towards shut), ``pump`` one on the speed of the pumps of a substation or circuit.
    """

    place: str
    valve: Annotated[float, msgspec.Meta(gt=0.0, le=1e6)] = 1.0
    pump: Annotated[float, msgspec.Meta(gt=0.0, le=2.0)] = 1.0


class Scenario(Record, frozen=True, kw_only=True):
    """A town, its weather, its instruments and what goes wrong."""

    name: str
    title: str
    title_zh: str = ""
    site: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+$")]
    seed: int = 1
    history: timedelta = timedelta(days=3)
    timezone: str = "Asia/Shanghai"
    threshold_c: Celsius = 20.0
    step: timedelta = timedelta(minutes=5)
    source: SourceSpec
    substations: tuple[SubstationSpec, ...] = ()
    grown: GrownTownSpec | None = None
    weather: WeatherSpec
    dwellings: DwellingsSpec = DwellingsSpec()
    people: PeopleSpec = PeopleSpec()
    instruments: InstrumentsSpec = InstrumentsSpec()
    behaviour: BehaviourSpec = BehaviourSpec()
    faults: tuple[FaultSpec, ...] = ()
    drawn_faults: DrawnFaultsSpec | None = None
    settings: tuple[SettingSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioSummary:
    """One line of the list of scenarios."""

    name: str
    title: str
    title_zh: str
    units: int
    faults: int
    history: timedelta
