"""Rows laid out as what analysis looks at: one ``Observed`` for a stretch of event time.

Pure; the live cycle brings rows of the database, an offline analysis those in memory. How far back
each kind of measurement is looked at stands here, once for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.judging import Around, Case
from analytics.observed import MeterTable, Observed, Weather
from analytics.overall import Overall
from analytics.trust import Surroundings, Trust
from analytics.trust.around import NOBODY_KNOWS, States, surroundings
from analytics.trust.certified import corrections
from analytics.window import HOUR, Grid, room_window, station_slots
from hearthline.clock import floor
from hearthline.domain.certified import Certified
from hearthline.domain.complaints import Complaint
from hearthline.domain.maintenance import Window
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind
from hearthline.storage.analysis import Columns

Floats = NDArray[np.float64]

ROOM_MEMORY = timedelta(hours=48)  # how far back rooms are looked at again
METER_MEMORY = timedelta(days=7)  # how far back a meter's usual flow is sought, in slots
HOUR_MEMORY = timedelta(days=28)  # how far back the hours of meters and weather tell what is usual
PAST_DAYS = 28  # civil days of a dwelling's own past

METER_QUANTITIES = (
    "supply_c",
    "return_c",
    "flow_m3h",
    "power_kw",
    "valve_pct",
    "pump_hz",
    "supply_kpa",
    "return_kpa",
)


@dataclass(frozen=True, slots=True)
class Span:
    """The event time a cycle judges: after ``since``, up to ``rooms`` and ``meters``."""

    since: datetime
    rooms: datetime
    meters: datetime

    @property
    def until(self) -> datetime:
        """The instant up to which findings are made."""
        return max(self.rooms, self.meters)

    @property
    def rooms_from(self) -> datetime:
        """The first hour of rooms that is looked at again."""
        return floor(self.since, HOUR) - ROOM_MEMORY

    @property
    def slots_from(self) -> datetime:
        """The first slot of meters that is looked at."""
        return floor(self.since, HOUR) - METER_MEMORY

    @property
    def hours_from(self) -> datetime:
        """The first hour of meters and weather that is looked at."""
        return floor(self.since, HOUR) - HOUR_MEMORY

    @property
    def hours_until(self) -> datetime:
        """Where the whole hours of meters and weather end."""
        return floor(self.meters, HOUR)


@dataclass(frozen=True)
class Found:
    """The rows of a span: rooms by the hour, meters by slot and hour, weather by the hour.

    ``past_c`` is (dwellings, days), the ledger's daily means before the rooms' first hour.
    """

    room_hours: Columns
    meter_slots: Columns
    meter_hours: Columns
    weather_hours: Columns
    past_c: Floats


def lay_out(network: Network, found: Found, span: Span, overall: Overall) -> Observed:
    """The rows of a span as matrices."""
    rooms_from = first_of(found.room_hours, span.rooms_from)
    slots_from = first_of(found.meter_slots, span.slots_from)
    return Observed(
        network=network,
        rooms=room_window(found.room_hours, network, rooms_from, max(span.rooms, rooms_from)),
        meters=meter_table(found.meter_hours, network, span),
        stations=station_slots(
            found.meter_slots, network, slots_from, max(span.meters, slots_from)
        ),
        weather=weather_of(found.weather_hours, network, span),
        past_c=found.past_c,
        overall=overall,
    )


@dataclass(frozen=True)
class OnFile:
    """What people and devices have said beside readings; nothing of it must be there."""

    windows: Sequence[Window] = ()
    certified: Sequence[Certified] = ()
    states: States = field(default_factory=lambda: NOBODY_KNOWS)
    complaints: Sequence[Complaint] = ()


NOTHING_ON_FILE = OnFile()


def near(observed: Observed, on_file: OnFile = NOTHING_ON_FILE) -> Surroundings:
    """What is around the sensors of a stretch of time, for grading them."""
    return surroundings(
        observed.network,
        observed.rooms,
        observed.meters,
        observed.weather,
        states=on_file.states,
        certified=on_file.certified,
    )


def case(
    observed: Observed,
    open_since: Mapping[str, datetime],
    trust: Trust,
    on_file: OnFile = NOTHING_ON_FILE,
) -> Case:
    """A graded stretch of time, ready to be judged (``analytics.judging.judge``).

    ``open_since`` are the dwellings in an episode when it starts. The one door to the judgement for
    the live cycle and for whoever analyses offline.
    """
    rooms = observed.rooms
    devices = [sensor.id for sensor in rooms.sensors]
    hours = int(rooms.covered_min.shape[1])
    wrong_by_k = corrections(devices, on_file.certified, rooms.start, hours)
    around = Around(on_file.windows, wrong_by_k, on_file.complaints)
    return Case(observed, open_since, trust, around)


def first_of(rows: Columns, start: datetime) -> datetime:
    """The hour of the first row, so that an empty past costs nothing."""
    if not len(rows.at):
        return start
    return max(start, floor(datetime.fromtimestamp(float(rows.at.min()), start.tzinfo), HOUR))


def past_of(days: Columns, network: Network, first: date) -> Floats:
    """Daily means by the number of their dwelling's place and day, as (dwellings, PAST_DAYS)."""
    unit_of = {network.nodes[d.code].id: unit for unit, d in enumerate(network.dwellings)}
    unit = np.array([unit_of.get(int(place), -1) for place in days.device], np.int64)
    day = days.at.astype(np.int64) - (first - date(1970, 1, 1)).days
    known = (unit >= 0) & (day >= 0) & (day < PAST_DAYS)
    past = np.full((len(network.dwellings), PAST_DAYS), np.nan)
    past[unit[known], day[known]] = days.values["mean_c"][known]
    return past


def meter_table(rows: Columns, network: Network, span: Span) -> MeterTable:
    """Hours of a network's meters; what the rows do not tell is NaN."""
    meters = tuple(i for i in network.instruments if i.kind is DeviceKind.METER)
    start = first_of(rows, span.hours_from)
    hours = max(0, int((span.hours_until - start) / HOUR))
    grid = Grid(rows, [meter.id for meter in meters], start, HOUR, hours)
    return MeterTable(
        start,
        meters,
        **{name: grid.matrix(name) for name in METER_QUANTITIES},
        makeup_m3h=_gained(grid.matrix("makeup_m3")),
    )


def _gained(counter: Floats) -> Floats:
    """What a counter gained in each hour; NaN after a gap, and where it was exchanged or reset."""
    gained = np.full(counter.shape, np.nan)
    gained[:, 1:] = np.diff(counter, axis=1)
    gained[gained < 0] = np.nan
    return gained


def weather_of(rows: Columns, network: Network, span: Span) -> Weather:
    """Hours of the weather, the mean of a network's stations."""
    stations = [i.id for i in network.instruments if i.kind is DeviceKind.WEATHER]
    start = first_of(rows, span.hours_from)
    hours = max(0, int((span.hours_until - start) / HOUR))
    grid = Grid(rows, stations, start, HOUR, hours)
    return Weather(
        start,
        *(_over_stations(grid.matrix(name)) for name in ("outdoor_c", "wind_ms", "solar_wm2")),
    )


def _over_stations(matrix: Floats) -> Floats:
    """Mean of all stations by the hour, NaN where none speaks."""
    known = ~np.isnan(matrix)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, np.nansum(matrix, axis=0) / count, np.nan)
