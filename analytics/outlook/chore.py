"""The shell of the outlook: load what was measured, make the outlook, keep the newest.

Runs by event time: once an hour of rooms is complete, for the newest such hour alone. A backlog is
not made up hour by hour, since nobody needs a forecast of the past; a sample a day is kept to
compare with what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.outlook import placement
from analytics.outlook.estimate import Estimate, estimate
from analytics.outlook.forecast import LEADS
from analytics.outlook.outlook import Outlook, Seen, day_mean, look
from analytics.outlook.placement import Aim
from analytics.outlook.town import lay_out
from analytics.outlook.weather import ForecastPoint
from analytics.window import Grid
from hearthline.clock import floor
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind, PlaceKind
from hearthline.domain.policies import Profile
from hearthline.storage import analysis, windows
from hearthline.storage import network as networks
from hearthline.storage import outlook as storage
from hearthline.storage.database import Connection, Database

Floats = NDArray[np.float64]

HOUR = timedelta(hours=1)
PROGRESS = "outlook"
ANALYSED = "analysis"  # the cycle's watermark: rooms are complete up to it
ROOM_HOURS = 96  # four days: three to learn from, one to try the forecast on
METER_HOURS = 14 * 24  # what heat is usual shows in two weeks
SENSOR_PLACES = 50  # kept for each aim
SAMPLE_LEADS = (12, 24, 48)
SAMPLE_UNITS = 300
KW_PER_M3H_K = 1.15  # EN 1434 k in kWh/m³K at 50 °C; only ratios to its own past are used


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: up to when, of how many dwellings, and how many of them are measured."""

    at: datetime
    units: int
    measured: int


def make(
    database: Database, profile: Profile, now: datetime, *, again: bool = False
) -> Made | None:
    """Make the newest outlook if an hour has been completed since the last one, or ``again``.

    Returns:
        What was made; None when there is nothing new, nothing at all, or somebody else is at it.
    """
    with database.transaction() as connection:
        if not storage.lock(connection):
            return None
        analysed = analysis.progress(connection, ANALYSED)
        if analysed is None:
            return None
        at = floor(min(analysed, now), HOUR)
        before = analysis.progress(connection, PROGRESS)
        if before is not None and at <= before and not again:
            return None
        seen, issued_at = load(connection, at)
        if not seen.level_c.size or np.isnan(seen.level_c).all():
            return None
        found = outlook_of(seen, profile)
        _write(connection, seen, found, now, issued_at)
        if before is None or before.date() != at.date() or again:
            _daily(connection, seen.network, found)
        analysis.set_progress(connection, PROGRESS, at)
        return Made(at, found.town.size, int(found.day.measured.sum()))


def outlook_of(seen: Seen, profile: Profile) -> Outlook:
    """The outlook under the rule that binds at its hour."""
    policy = profile.on(seen.until.astimezone(profile.versions[0].zone()).date())
    return look(seen, policy.threshold_c, policy.upper_c)


def estimates_of(seen: Seen) -> Estimate:
    """The day's estimates alone, as placing sensors needs them."""
    return estimate(lay_out(seen.network, seen.until), day_mean(seen.level_c))


def below(network: Network, code: str) -> NDArray[np.bool_]:
    """Which dwellings lie at or below a place, (dwellings,)."""
    found = np.zeros(len(network.dwellings), bool)
    found[network.below(code)] = True
    return found


def load(connection: Connection, at: datetime) -> tuple[Seen, datetime | None]:
    """What was measured up to an hour, and when the weather forecast used was issued."""
    network = networks.load(connection, at)
    meters = [i.id for i in network.instruments if i.kind is DeviceKind.METER]
    since = at - METER_HOURS * HOUR
    heat = Grid(windows.meter_hours(connection, since, at), meters, since, HOUR, METER_HOURS)
    power, flow = heat.matrix("power_kw"), heat.matrix("flow_m3h")
    computed = KW_PER_M3H_K * flow * (heat.matrix("supply_c") - heat.matrix("return_c"))
    weather = storage.weather_ahead(connection, at)
    points = [
        ForecastPoint(row["time"], row["outdoor_c"], row["wind_ms"], row["solar_wm2"])
        for row in weather
    ]
    seen = Seen(
        network=network,
        until=at,
        level_c=_levels(connection, network, at),
        outdoor_c=_outdoor(connection, network, at),
        meters=meters,
        heat_kw=np.where(np.isnan(power), computed, power),
        points=points,
    )
    return seen, weather[0]["issued_at"] if weather else None


def _levels(connection: Connection, network: Network, at: datetime) -> Floats:
    """Hourly means of each dwelling's believed sensors, (dwellings, ROOM_HOURS)."""
    lying = storage.disbelieved(connection)
    sensors = [
        i
        for i in network.instruments
        if i.kind is DeviceKind.ROOM and i.place in network.index and i.id not in lying
    ]
    since = at - ROOM_HOURS * HOUR
    rows = windows.room_hours(connection, since, at)
    said = Grid(rows, [s.id for s in sensors], since, HOUR, ROOM_HOURS).matrix("mean_c")
    unit = np.array([network.index[s.place] for s in sensors], np.int64)
    shape = (len(network.dwellings), ROOM_HOURS)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, unit, np.nan_to_num(said))
    np.add.at(count, unit, ~np.isnan(said))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _outdoor(connection: Connection, network: Network, at: datetime) -> Floats:
    """Mean of all weather stations by the hour, (METER_HOURS,)."""
    stations = [i.id for i in network.instruments if i.kind is DeviceKind.WEATHER]
    since = at - METER_HOURS * HOUR
    rows = windows.weather_hours(connection, since, at)
    said = Grid(rows, stations, since, HOUR, METER_HOURS).matrix("outdoor_c")
    count = (~np.isnan(said)).sum(axis=0)
    return np.where(count > 0, np.nansum(said, axis=0) / np.maximum(count, 1), np.nan)


def _write(
    connection: Connection, seen: Seen, found: Outlook, now: datetime, issued_at: datetime | None
) -> None:
    spread = found.day.fit.spread
    run = {
        "at": found.at,
        "computed_at": now,
        "limit_c": found.limit_c,
        "upper_c": found.waste.limit_c,
        "units": found.town.size,
        "measured": int(found.day.measured.sum()),
        "issued_at": issued_at,
        "forecast_h": int(found.coming.forecast.sum()),
        "outdoor_c": np.round(found.coming.outdoor_c, 2).tolist(),
        "widened": np.round(found.ahead.widened, 3).tolist(),
        "spread_k2": [
            round(float(v), 4)
            for v in (spread.station, spread.building, spread.entrance, spread.field, spread.own)
        ],
    }
    storage.write(connection, run, _units(seen.network, found), _places(seen.network, found))


def _units(network: Network, found: Outlook) -> storage.Units:
    ids = np.array([network.nodes[d.code].id for d in network.dwellings], np.int64)
    return storage.Units(
        place_id=ids,
        measured=found.day.measured,
        owed=found.town.owed,
        now_c=found.now.mean_c,
        now_half_k=found.now.half_k,
        day_c=found.day.mean_c,
        day_half_k=found.day.half_k,
        cold=found.day.below(found.limit_c),
        chance_24h=found.breach.within_24h,
        chance_48h=found.breach.within_48h,
        breach_h=found.breach.hours,
        tau_h=found.ahead.tau_h,
        waste_kwh=found.waste.dwelling_kwh,
        waste_share=found.waste.dwelling_share,
        mean_c=found.ahead.mean_c,
        half_k=found.ahead.half_k,
    )


def _places(network: Network, found: Outlook) -> storage.Places:
    """Buildings with their forecast, then stations, which have none of their own."""
    town, waste, ahead = found.town, found.waste, found.ahead
    stations = len(town.stations)
    empty = np.full((stations, LEADS), np.nan)

    def both(values: Floats) -> Floats:
        kept = values * town.owed
        return np.concatenate(
            [
                np.bincount(town.building, kept, len(town.buildings)),
                np.bincount(town.station, kept, stations),
            ]
        )

    nodes = [network.nodes[code] for code in (*town.buildings, *town.stations)]
    wanted = [PlaceKind.BUILDING] * len(town.buildings) + [PlaceKind.SUBSTATION] * stations
    real = np.array([n.kind is kind for n, kind in zip(nodes, wanted, strict=True)], bool)
    units = both(np.ones(town.size))
    return storage.Places(
        place_id=np.array([node.id for node in nodes], np.int64)[real],
        units=units.astype(np.int64)[real],
        measured=both(found.day.measured.astype(np.float64)).astype(np.int64)[real],
        day_c=(both(found.day.mean_c) / np.maximum(units, 1.0))[real],
        cold_now=both(found.day.below(found.limit_c))[real],
        cold_24h=both(found.breach.within_24h)[real],
        waste_kwh=np.concatenate([waste.building_kwh, waste.station_kwh])[real],
        waste_share=np.concatenate([waste.building_share, waste.station_share])[real],
        tau_h=np.concatenate([ahead.building_tau_h, np.full(stations, np.nan)])[real],
        mean_c=np.concatenate([ahead.building_c, empty])[real],
        half_k=np.concatenate([ahead.building_half_k, empty])[real],
    )


def _daily(connection: Connection, network: Network, found: Outlook) -> None:
    """What is done once a day: choose places for sensors, and keep a sample."""
    ids = [network.nodes[d.code].id for d in network.dwellings]
    chosen = [
        {
            "aim": aim,
            "rank": rank,
            "place_id": ids[place.unit],
            "share": place.share,
            "before_k": place.before_k,
            "after_k": place.after_k,
            "told": place.told,
            "doubt": place.doubt,
            "at": found.at,
        }
        for aim in Aim
        for rank, place in enumerate(
            placement.choose(found.day, SENSOR_PLACES, found.limit_c, aim), start=1
        )
    ]
    storage.set_sensors(connection, chosen)
    storage.add_samples(connection, list(_samples(ids, found)), found.at)


def _samples(ids: Sequence[int], found: Outlook) -> Sequence[dict[str, object]]:
    """Every n-th measured dwelling at a few leads."""
    measured = np.flatnonzero(found.day.measured & found.town.owed)
    step = max(1, len(measured) // SAMPLE_UNITS)
    return [
        {
            "place_id": ids[unit],
            "lead_h": lead,
            "due_at": found.at + (lead - 1) * HOUR,
            "mean_c": float(found.ahead.mean_c[unit, lead - 1]),
            "half_k": float(found.ahead.half_k[unit, lead - 1]),
            "before_c": float(found.day.mean_c[unit]),
        }
        for unit in map(int, measured[::step])
        for lead in SAMPLE_LEADS
    ]
