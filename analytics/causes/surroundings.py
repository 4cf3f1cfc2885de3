"""What is seen around a dwelling or a place: neighbours, the places above it, what meters say."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.signs import Sign, Signal
from analytics.snapshot import Snapshot
from hearthline.domain.places import HeatingStatus, PlaceKind

Floats = NDArray[np.float64]

LATELY = timedelta(hours=72)
"""Rooms feel what a meter no longer shows for about a building's time constant (section 3)."""
OFF_K = -0.7
"""A part of a place that lies further off than a healthy one's scatter."""
THIRD = 1.0 / 3.0
_ABOVE = (PlaceKind.RISER, PlaceKind.ENTRANCE, PlaceKind.BUILDING)
_NOWHERE = float("nan")

UNIT_NAMES = (
    "usual_k",
    "height",
    "edge",
    "unheated",
    "beside_k",
    "riser_k",
    "riser_n",
    "entrance_k",
    "entrance_n",
    "building_k",
    "building_n",
)
METER_NAMES = (
    "flow_low",
    "flow_short_pct",
    "flow_fell_h",
    "return_short_k",
    "station_sign",
    "metered",
)
PLACE_NAMES = (
    "measured",
    "cold_share",
    "gradient_k",
    "ground_k",
    "top_k",
    "scatter_k",
    "parts_off",
    "siblings_k",
)


def of_dwelling(snapshot: Snapshot, code: str) -> dict[str, float]:
    """Around a dwelling: K are mean offsets of the other measured dwellings, NaN where none is."""
    network, row = snapshot.network, snapshot.network.index[code]
    offset = snapshot.offsets[0]
    beside = network.neighbours(code)
    heated = [n for n in beside if network.status(n, snapshot.at) is HeatingStatus.ON]
    usual = _NOWHERE if snapshot.usual_k is None else float(snapshot.usual_k[row])
    seen = {
        "usual_k": usual,
        "height": float(snapshot.places.height[row]),
        "edge": float(4 - min(len(beside), 4)),
        "unheated": float(len(beside) - len(heated)),
        "beside_k": _mean(offset[[network.index[n] for n in heated]]) if heated else _NOWHERE,
    }
    for kind in _ABOVE:
        above = network.ancestor(code, kind)
        others = offset[network.below(above)].copy() if above else np.zeros(0)
        if above:
            others[row - network.below(above).start] = np.nan
        seen[f"{kind}_k"] = _mean(others)
        seen[f"{kind}_n"] = float(np.log1p(np.count_nonzero(~np.isnan(others))))
    return seen


def of_place(snapshot: Snapshot, place: str) -> dict[str, float]:
    """Within and beside a place: how many are measured and cold, how they lie along the riser."""
    network, (offset, _) = snapshot.network, snapshot.offsets
    here = network.below(place)
    off, height = offset[here], snapshot.places.height[here]
    there = ~np.isnan(off)
    measured = int(there.sum())
    cold = len(snapshot.cold_below(place))
    kids = np.array([_level(snapshot, kid) for kid in network.children.get(place, ())])
    kids = kids[~np.isnan(kids)]
    return {
        "measured": float(np.log1p(measured)),
        "cold_share": cold / measured if measured else _NOWHERE,
        "gradient_k": _gradient(off[there], height[there]),
        "ground_k": _mean(off[height <= THIRD]),
        "top_k": _mean(off[height >= 1.0 - THIRD]),
        "scatter_k": float(np.std(off[there])) if measured >= 3 else _NOWHERE,
        "parts_off": float((kids < OFF_K).mean()) if len(kids) > 1 else _NOWHERE,
        "siblings_k": _mean(np.array([_level(snapshot, s) for s in _siblings(snapshot, place)])),
    }


def of_meters(snapshot: Snapshot, place: str) -> dict[str, float]:
    """What the meters of the building and of the station say, now or lately."""
    network = snapshot.network
    building = network.ancestor(place, PlaceKind.BUILDING) or place
    told = [s for s in (*snapshot.signals, *snapshot.ended) if _lately(snapshot, s)]
    lost = [s for s in told if s.sign is Sign.FLOW_LOW and s.place == building]
    values = lost[-1].values if lost else {}
    back, peers = values.get("return_c", _NOWHERE), values.get("peers_return_c", _NOWHERE)
    mine = network.path_of[place].rstrip("/").split("/")
    above = [s for s in told if s.place != building and s.place in mine]
    return {
        "flow_low": float(bool(lost)),
        "flow_short_pct": 100.0 - values.get("ratio_pct", _NOWHERE),
        "flow_fell_h": values.get("fell_h", _NOWHERE),
        "return_short_k": peers - back,
        "station_sign": float(bool(above)),
        "metered": float(building in snapshot.flow_m3h),
    }


def _lately(snapshot: Snapshot, signal: Signal) -> bool:
    return signal.until is None or snapshot.at - signal.until <= LATELY


def _siblings(snapshot: Snapshot, place: str) -> list[str]:
    parts = snapshot.network.path_of[place].rstrip("/").split("/")
    if len(parts) < 2:
        return []
    return [kid for kid in snapshot.network.children.get(parts[-2], ()) if kid != place]


def _level(snapshot: Snapshot, place: str) -> float:
    return _mean(snapshot.offsets[0][snapshot.network.below(place)])


def _gradient(off: Floats, height: Floats) -> float:
    """From the ground to the top of the riser, K (least squares); NaN where heights do not tell."""
    if len(off) < 3 or float(np.ptp(height)) < 0.3:
        return _NOWHERE
    about = height - height.mean()
    return float((about * (off - off.mean())).sum() / (about**2).sum())


def _mean(values: Floats) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else _NOWHERE
