"""The survey of days, a shell: what changed → rows of days → signatures of the days after.

``survey_days`` is all that the worker calls. Marks tell which hours changed; the local days they
touch are computed whole once they are over, in place of what stood there. A signature of a day
rests on the days before it, so a day that changed has those of later days fitted again, as far
as they reach back. The same rows give the same answer, whenever and however often it runs; a
crash anywhere gives the marks back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics import signature
from analytics.balancing import DEFAULT_ZONE, day_window, metered_places
from analytics.heatday import Day, DayWeather, Dwellings, Standard
from analytics.metering import Layout, Metering
from analytics.water import BoolArray, FloatArray
from hearthline.domain.network import Network
from hearthline.domain.places import HeatingStatus, PlaceKind
from hearthline.storage import balance as balances
from hearthline.storage import heat as storage
from hearthline.storage import network as networks
from hearthline.storage.database import Connection, Database

DAYS_AT_ONCE = 10
"""Days computed in one transaction."""
_UNHEATED = frozenset({HeatingStatus.STOPPED, HeatingStatus.RESTRICTED})

Standards = Callable[[date], Standard]


@dataclass(frozen=True, slots=True)
class SurveySummary:
    """What one run did; ``more`` if marks are left, ``busy`` if another worker was at it."""

    days: int = 0
    signatures: int = 0
    more: bool = False
    busy: bool = False


def survey_days(
    database: Database, now: datetime, standards: Standards, zone: ZoneInfo = DEFAULT_ZONE
) -> SurveySummary:
    """Bring the rows of finished local days up to what changed, ``DAYS_AT_ONCE`` at most.

    Args:
        database: where everything is.
        now: the instant; days that are not over by then wait.
        standards: what rooms are owed on a local day.
        zone: that of the policy's civil days.

    Raises:
        PartAway: the database does not answer.
    """
    with database.transaction() as connection:
        if not storage.lock(connection):
            return SurveySummary(busy=True)
        midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
        marks = storage.take_marks(connection, midnight.astimezone(UTC))
        due = sorted({mark.astimezone(zone).date() for mark in marks})
        if not due:
            return SurveySummary()
        left = [m for m in marks if m.astimezone(zone).date() in set(due[DAYS_AT_ONCE:])]
        storage.return_marks(connection, left)
        due = due[:DAYS_AT_ONCE]
        town = Town.at(connection, now)
        for day in due:
            rows = town.day(connection, day, zone, standards(day)).rows()
            storage.save_day(connection, day, [asdict(row) | {"computed_at": now} for row in rows])
        fitted = _sign(connection, due)
        return SurveySummary(len(due), fitted, more=bool(left))


@dataclass(frozen=True)
class Town:
    """The tree and its dwellings, loaded once a run."""

    network: Network
    layout: Layout
    below: Mapping[str, slice]
    area_m2: FloatArray
    floor: FloatArray

    @classmethod
    def at(cls, connection: Connection, now: datetime) -> Town:
        """The tree as it stands at an instant."""
        network = networks.load(connection, now)
        layout = Layout.of(balances.places(connection), balances.areas(connection))
        kinds = (PlaceKind.SUBSTATION, PlaceKind.CIRCUIT, PlaceKind.BUILDING)
        below = {c: network.below(c) for kind in kinds for c in layout.of_kind(kind)}
        homes = network.dwellings
        return cls(
            network,
            layout,
            below,
            np.array([home.area_m2 for home in homes], dtype=np.float64),
            np.array([home.floor for home in homes], dtype=np.float64),
        )

    def day(self, connection: Connection, day: date, zone: ZoneInfo, standard: Standard) -> Day:
        """Everything that a local day's rows follow from."""
        start, stop = day_window(day, zone)
        metered = metered_places(connection, start, stop)
        return Day(
            day=day,
            start=start,
            stop=stop,
            metering=Metering(self.layout, metered, (stop - start) / timedelta(minutes=1)),
            dwellings=self.dwellings(connection, start, stop),
            weather=DayWeather(*storage.weather(connection, start, stop)),
            standard=standard,
        )

    def dwellings(self, connection: Connection, start: datetime, stop: datetime) -> Dwellings:
        """Rooms over a window; whether a dwelling is heated is asked at its middle."""
        room = np.full(len(self.area_m2), np.nan)
        for code, room_c in storage.room_days(connection, start, stop).items():
            room[self.network.index[code]] = room_c
        middle = start + (stop - start) / 2
        heated = np.ones(len(room), dtype=bool)
        for code in self.network.statuses:
            if code in self.network.index and self.network.status(code, middle) in _UNHEATED:
                heated[self.network.index[code]] = False
        return Dwellings(self.area_m2, heated, self.floor, room, self.below)


def _sign(connection: Connection, due: Sequence[date]) -> int:
    """Fit the signatures of the due days, and of the later ones that rest on them."""
    last = storage.last_day(connection)
    if last is None:
        return 0
    reach = timedelta(days=signature.FIT_DAYS)
    touched = sorted(
        {
            day
            for changed in due
            for day in (changed + timedelta(days=n) for n in range(signature.FIT_DAYS + 1))
            if day <= last
        }
    )
    past = _Past.of(storage.past_days(connection, touched[0] - reach, last), touched[0] - reach)
    for day in touched:
        if past.has(day):
            past.sign(connection, day)
    return len(touched)


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """Figures of places over days: [places, days], weather [days]; NaN where there is none."""

    first: date
    place_ids: list[int]
    heat_kw: FloatArray
    hours: FloatArray
    supply_c: FloatArray
    outdoor_c: FloatArray
    solar_wm2: FloatArray
    there: BoolArray

    @classmethod
    def of(cls, rows: Sequence[tuple[Any, ...]], first: date) -> _Past:
        ids = sorted({row[0] for row in rows})
        number = {place: at for at, place in enumerate(ids)}
        width = max(((row[1] - first).days for row in rows), default=0) + 1
        table = np.full((5, len(ids), width), np.nan)
        for place, day, *figures in rows:
            table[:, number[place], (day - first).days] = [
                np.nan if figure is None else figure for figure in figures
            ]
        heat, hours, supply, outdoor, sun = table
        outdoor, sun = (_first(column) for column in (outdoor, sun))
        return cls(first, ids, heat / hours, hours, supply, outdoor, sun, np.isfinite(hours))

    def has(self, day: date) -> bool:
        """Whether anything stands on a day."""
        at = (day - self.first).days
        return 0 <= at < self.there.shape[1] and bool(self.there[:, at].any())

    def sign(self, connection: Connection, day: date) -> None:
        """Fit a day's signatures on the days before it, and say what it should have been."""
        at = (day - self.first).days
        past = slice(max(at - signature.FIT_DAYS, 0), at)
        before = np.concatenate([[np.nan], self.outdoor_c[:-1]])
        weather = (self.outdoor_c[past], before[past])
        here = self.there[:, at]
        heat = signature.fit(self.heat_kw[here, past], *weather, self.solar_wm2[past])
        supply = signature.fit(self.supply_c[here, past], *weather)
        places = [place for place, there in zip(self.place_ids, here, strict=True) if there]
        columns = {
            "heat": _columns(places, heat, heat.scatter / np.maximum(heat.mean, 1e-9)),
            "supply": _columns(places, supply, supply.scatter),
        }
        storage.save_signatures(connection, day, columns)
        yesterday = before[at] if np.isfinite(before[at]) else self.outdoor_c[at]
        today = (self.outdoor_c[at], yesterday, self.solar_wm2[at])
        expected_kwh = heat.expected(*today) * self.hours[here, at]
        measured_kwh = self.heat_kw[here, at] * self.hours[here, at]
        scatter = heat.scatter / np.maximum(heat.mean, 1e-9)
        calls = [
            str(signature.call(_known(kwh), _known(want), wide))
            for kwh, want, wide in zip(measured_kwh, expected_kwh, scatter, strict=True)
        ]
        figures: dict[str, Sequence[Any]] = {
            "place_ids": places,
            "expected_kwh": [_known(value) for value in expected_kwh],
            "called": calls,
            "curve_gap_k": [_known(v) for v in self.supply_c[here, at] - supply.expected(*today)],
        }
        storage.set_expected(connection, day, figures)


def _columns(
    places: Sequence[int], found: signature.Signatures, scatter: FloatArray
) -> dict[str, Sequence[Any]]:
    """Fits as the storage takes them."""
    plain = ("base", "per_k", "per_wm2", "yesterday")
    return {
        "place_ids": list(places),
        **{name: [_known(value) for value in getattr(found, name)] for name in plain},
        "scatter": [_known(value) for value in scatter],
        "days": [int(n) for n in found.days],
        "reason": [str(why) for why in found.reason],
    }


def _first(table: FloatArray) -> FloatArray:
    """What any place knows of each day: the weather is the same for all."""
    found = np.full(table.shape[1], np.nan)
    for row in table:
        found = np.where(np.isnan(found), row, found)
    return found


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
