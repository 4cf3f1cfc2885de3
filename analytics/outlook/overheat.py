"""Overheated dwellings and the heat they waste.

Pure. A dwelling above the upper limit loses more to outdoors than it need: its loss coefficient
times the excess. What it loses to its neighbours is not counted, since they are heated by it.
Where the temperature is estimated, the expected excess is taken, so that doubt counts on both
sides of the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from analytics.outlook import tails
from analytics.outlook.town import Town

Floats = NDArray[np.float64]

LOSS_WM2K = 45.0 / (20.0 + 24.2)
"""Loss coefficient per floor area: 45 W/m² at 20 °C indoors and -24.2 °C outdoors, the reference
dwelling of an insulated house (81 W/K for 80 m²); without insulation it is about 60/45 of that."""
ABOVE_STANDARD_K = 4.0
"""The upper limit above the standard: 24 °C where 20 are owed, 22 where 18 are. Network companies
call 22 to 24 °C the sign of a near, overfed house."""
DAY_H = 24.0


@dataclass(frozen=True)
class Waste:
    """Heat wasted over the last day: kWh of each dwelling, and by building and station.

    ``share`` of what a dwelling's losses to outdoors took in all, 0 to 1.
    """

    limit_c: float
    dwelling_kwh: Floats
    dwelling_share: Floats
    building_kwh: Floats
    building_share: Floats
    station_kwh: Floats
    station_share: Floats


def waste(town: Town, mean_c: Floats, half_k: Floats, outdoor_c: float, limit_c: float) -> Waste:
    """What overheated dwellings wasted in a day.

    Args:
        town: the dwellings.
        mean_c: means of the day, (dwellings,).
        half_k: half the 90 % interval of each, K.
        outdoor_c: mean outdoor temperature of the day, °C.
        limit_c: the upper limit, °C.
    """
    loss_kwh_k = LOSS_WM2K * town.area_m2 * DAY_H / 1000.0 * town.owed
    wasted = loss_kwh_k * _expected_excess(mean_c - limit_c, half_k / tails.NORMAL_HALF)
    wasted = np.where(limit_c > outdoor_c, wasted, 0.0)
    lost = loss_kwh_k * np.maximum(mean_c - outdoor_c, 0.0)
    building = _sums(wasted, lost, town.building, len(town.buildings))
    station = _sums(wasted, lost, town.station, len(town.stations))
    return Waste(limit_c, wasted, _share(wasted, lost), *building, *station)


def _sums(
    wasted: Floats, lost: Floats, group: NDArray[np.int64], groups: int
) -> tuple[Floats, Floats]:
    total = np.asarray(np.bincount(group, wasted, groups), np.float64)
    return total, _share(total, np.asarray(np.bincount(group, lost, groups), np.float64))


def _share(wasted: Floats, lost: Floats) -> Floats:
    return np.divide(wasted, lost, out=np.zeros_like(wasted), where=lost > 0.0)


def _expected_excess(excess_k: Floats, sd_k: Floats) -> Floats:
    """E[max(x, 0)] of a normal x: σ·φ(μ/σ) + μ·Φ(μ/σ)."""
    sd = np.maximum(sd_k, 1e-6)
    z = excess_k / sd
    density = np.exp(-0.5 * z * z) / sqrt(2.0 * np.pi)
    z = np.clip(z, -8.0, 8.0)
    below = 1.0 / (1.0 + np.exp(-1.5976 * z - 0.07056 * z**3))  # Φ to 1e-4 (Page, 1977)
    found: Floats = np.maximum(sd * density + excess_k * below, 0.0)
    return found
