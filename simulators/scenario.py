"""What a scenario file says, as immutable records, and how a problem in one is reported.

A scenario is data: a town, its weather, its instruments, how badly those behave, and the faults
with the hours at which they strike. Hours count from the *anchor*, the instant at which the
published history begins. Reading is in ``scenario_file``; this module knows no file format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import msgspec

from hearthline.domain.findings import Cause

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, msgspec.Meta(gt=0.0)]
Rate = Annotated[float, msgspec.Meta(ge=0.0)]
Latitude = Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
Celsius = Annotated[float, msgspec.Meta(ge=-60.0, le=60.0)]

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


class SourceSpec(Record, frozen=True, kw_only=True):
    """The heat source and the code from which all place codes grow."""

    code: str
    name: str
    name_zh: str = ""
    latitude: Latitude
    longitude: Longitude


class GrownSpec(Record, frozen=True, kw_only=True):
    """Buildings drawn by seed instead of listed: how many, entrances and floors (low, high)."""

    count: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    entrances: tuple[int, int] = (2, 4)
    floors: tuple[int, int] = (6, 11)


class SubstationSpec(Record, frozen=True, kw_only=True):
    """One substation and the buildings on its circuit, nearest first.

    ``buildings`` lists shapes as ``entrances x floors``, e.g. ``3x7``; ``grown`` draws them.
    """

    name: str
    name_zh: str = ""
    latitude: Latitude
    longitude: Longitude
    buildings: tuple[str, ...] = ()
    grown: GrownSpec | None = None


class DwellingsSpec(Record, frozen=True, kw_only=True):
    """Sizes, the temperature the town is heated to, and how much dwellings differ.

    ``emission_spread`` and ``flow_spread`` are relative standard deviations, ``party_wm2k`` the
    conductance of slabs and party walls.
    """

    area_m2: tuple[Positive, Positive] = (45.0, 120.0)
    room_c: Celsius = 22.0
    emission_spread: Share = 0.018
    flow_spread: Share = 0.03
    gains_wm2: Rate = 3.6
    party_wm2k: Positive = 2.8


class WeatherSpec(Record, frozen=True, kw_only=True):
    """Weather as a function of time since the anchor.

    ``level`` holds (when, daily mean °C), joined smoothly and held beyond its ends;
    ``daily_swing_k`` is afternoon minus dawn, ``variation_k`` the size of slow irregularity.
    """

    level: tuple[tuple[timedelta, Celsius], ...]
    daily_swing_k: Rate = 5.0
    variation_k: Rate = 1.0
    wind_ms: Rate = 3.0
    cloud: Share = 0.4
    day_of_year: Annotated[int, msgspec.Meta(ge=1, le=366)] = 15


class FormatMix(Record, frozen=True, kw_only=True):
    """Shares of room sensors that speak each wire format; they need not add up to one."""

    own: Rate = 0.65
    chirpstack: Rate = 0.25
    zigbee2mqtt: Rate = 0.10


class InstrumentsSpec(Record, frozen=True, kw_only=True):
    """What is measured and how often. ``entrance_meters`` names buildings (all their entrances)."""

    coverage: Share = 1.0
    mix: FormatMix = FormatMix()
    room_every: timedelta = timedelta(minutes=20)
    meter_every: timedelta = timedelta(minutes=5)
    weather_every: timedelta = timedelta(minutes=10)
    gateway_every: timedelta = timedelta(minutes=10)
    gateway_batch: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50
    entrance_meters: tuple[str, ...] = ()


class BehaviourSpec(Record, frozen=True, kw_only=True):
    """How badly the field behaves: shares of readings or messages, and counts a day."""

    lost: Share = 0.0
    duplicated: Share = 0.0
    outages_per_gateway_day: Rate = 0.0
    outage: timedelta = timedelta(hours=3)
    malformed_per_day: Rate = 0.0
    clock_1970_per_day: Rate = 0.0
    clock_ahead_per_day: Rate = 0.0
    nan_per_day: Rate = 0.0
    unknown_per_day: Rate = 0.0


class FaultSpec(Record, frozen=True, kw_only=True):
    """One fault: what, where, when, how much. ``place`` may list several places of one fault."""

    cause: Cause
    place: str | tuple[str, ...]
    onset: timedelta
    end: timedelta | None = None
    ramp: timedelta = timedelta(0)
    severity: float | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """The codes it strikes, always as a tuple."""
        return (self.place,) if isinstance(self.place, str) else self.place


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
    substations: tuple[SubstationSpec, ...]
    weather: WeatherSpec
    dwellings: DwellingsSpec = DwellingsSpec()
    instruments: InstrumentsSpec = InstrumentsSpec()
    behaviour: BehaviourSpec = BehaviourSpec()
    faults: tuple[FaultSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioSummary:
    """One line of the list of scenarios."""

    name: str
    title: str
    title_zh: str
    units: int
    faults: int
    history: timedelta
