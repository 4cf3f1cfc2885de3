"""The outlook of a network at one hour: estimates, forecast, breaches and waste put together.

Pure: takes what was measured, gives what is to be stored. The same rows give the same outlook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.outlook import overheat, weather
from analytics.outlook.common import DAY
from analytics.outlook.estimate import Estimate, estimate
from analytics.outlook.forecast import LEADS, Breach, Forecast, Past, forecast
from analytics.outlook.overheat import Waste
from analytics.outlook.town import Town, lay_out
from analytics.outlook.weather import Ahead, ForecastPoint
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind, DeviceRole, PlaceKind

Floats = NDArray[np.float64]

OUTDOOR_C = -10.0  # a usual winter's day, where no weather was ever measured
LEAST_HOURS = 6  # of a day that must be measured for its mean


@dataclass(frozen=True)
class Seen:
    """What an outlook is made of, up to ``until``.

    ``level_c`` is (dwellings, hours) of believed sensors; ``outdoor_c`` (hours of meters,) and
    ``heat_kw`` (meters, hours of meters) end at the same instant and may reach further back.
    """

    network: Network
    until: datetime
    level_c: Floats
    outdoor_c: Floats
    meters: Sequence[int]
    heat_kw: Floats
    points: Sequence[ForecastPoint]


@dataclass(frozen=True)
class Outlook:
    """What is known, believed and expected; see the parts. ``now`` is of the last hour."""

    at: datetime
    limit_c: float
    town: Town
    now: Estimate
    day: Estimate
    coming: Ahead
    ahead: Forecast
    breach: Breach
    waste: Waste


def look(seen: Seen, limit_c: float, upper_c: float | None = None) -> Outlook:
    """Make the outlook.

    Args:
        seen: what was measured.
        limit_c: the standard that binds, °C.
        upper_c: above it a dwelling counts as overheated; default ``ABOVE_STANDARD_K`` higher.
    """
    town = lay_out(seen.network, seen.until)
    hours = seen.level_c.shape[1]
    outdoor = weather.filled(seen.outdoor_c, OUTDOOR_C)
    coming = weather.look_ahead(seen.outdoor_c, seen.until, LEADS, seen.points)
    if not (~np.isnan(seen.outdoor_c)).any():
        coming = weather.unknown(OUTDOOR_C, LEADS) if not seen.points else coming
    day = estimate(town, day_mean(seen.level_c))
    past = Past(seen.level_c, outdoor[-hours:], _shares(seen, town, outdoor)[:, -hours:])
    ahead = forecast(town, past, coming, day)
    limit = limit_c + overheat.ABOVE_STANDARD_K if upper_c is None else upper_c
    return Outlook(
        at=seen.until,
        limit_c=limit_c,
        town=town,
        now=estimate(town, seen.level_c[:, -1]),
        day=day,
        coming=coming,
        ahead=ahead,
        breach=ahead.breach(limit_c),
        waste=overheat.waste(town, day.mean_c, day.half_k, float(outdoor[-DAY:].mean()), limit),
    )


def day_mean(level_c: Floats) -> Floats:
    """Means of the last day, (dwellings,); NaN where fewer than ``LEAST_HOURS`` are known."""
    last = level_c[:, -DAY:]
    count = (~np.isnan(last)).sum(axis=1)
    total = np.nan_to_num(last).sum(axis=1)
    enough = count >= min(LEAST_HOURS, last.shape[1])
    return np.where(enough & (count > 0), total / np.maximum(count, 1), np.nan)


def _shares(seen: Seen, town: Town, outdoor_c: Floats) -> Floats:
    """Heat of every building as a share of its usual: its own meter, its circuit's, its station's.

    Returns:
        (buildings, hours of meters).
    """
    found = np.ones((len(town.buildings), len(outdoor_c)))
    if not len(seen.meters):
        return found
    by_place: dict[str, list[int]] = {}
    row_of = {device: row for row, device in enumerate(seen.meters)}
    for meter in seen.network.instruments:
        serves = meter.role in (DeviceRole.SECONDARY, DeviceRole.BRANCH)
        if meter.kind is DeviceKind.METER and serves and meter.id in row_of:
            by_place.setdefault(meter.place, []).append(row_of[meter.id])
    shares = weather.heat_share(seen.heat_kw, outdoor_c)
    for number, building in enumerate(town.buildings):
        rows = _nearest(seen.network, building, by_place)
        if rows:
            found[number] = shares[rows].mean(axis=0)
    return found


def _nearest(network: Network, place: str, by_place: Mapping[str, list[int]]) -> list[int]:
    """Meters at a place, or at the nearest one above it up to its station."""
    for part in reversed(network.nodes[place].path.rstrip("/").split("/")):
        if part in by_place:
            return by_place[part]
        if network.nodes[part].kind is PlaceKind.SUBSTATION:
            return []
    return []
