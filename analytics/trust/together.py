"""Several networks' sensors judged as one: nearly all of it is done sensor by sensor.

A hundred small matrices cost a hundred times what one call of numpy costs, one large matrix hardly
more than a small one. What looks at others looks at groups of them (a building, an entrance, a
gateway), whose numbers are kept apart here; so the judgement of each sensor is what it would be if
its network were judged alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np

from analytics.trust.model import Ints, SensorHours, Surroundings, Trust

_PER_SENSOR = (
    *("supply_c", "battery_pct", "skew_s", "interval_s", "entrance", "area", "certified_hour"),
    *("unheated", "heard_s"),
)


def stacked(
    hours: Sequence[SensorHours], around: Sequence[Surroundings]
) -> tuple[SensorHours, Surroundings]:
    """The sensors of several networks one below the other; all windows are of the same hours.

    Weather is the same for all. ``peer_group``, ``entrance`` and ``area`` are numbers of places,
    which differ between networks; gateways are numbered in each network by itself.
    """
    whole = SensorHours(
        hours[0].start,
        *(
            np.concatenate([getattr(one, name) for one in hours])
            for name in ("mean_c", "min_c", "max_c", "samples", "peer_group")
        ),
    )
    counts = [one.shape[0] for one in hours]
    first = np.cumsum([0, *counts[:-1]])
    told: dict[str, Any] = {
        name: _below([getattr(one, name) for one in around]) for name in _PER_SENSOR
    }
    told["walls"] = _below(
        [None if a.walls is None else a.walls + at for a, at in zip(around, first, strict=True)]
    )
    told["gateway"] = _apart([one.gateway for one in around])
    told["network"] = np.repeat(np.arange(len(hours)), counts)
    return whole, Surroundings(around[0].outdoor_c, around[0].solar_wm2, **told)


def apart(trust: Trust, counts: Sequence[int]) -> list[Trust]:
    """A judgement of stacked sensors as one of each network, which has so many of them."""
    edges = np.cumsum([0, *counts]).tolist()
    return [
        Trust(*(getattr(trust, field.name)[first:stop] for field in fields(Trust)))
        for first, stop in pairwise(edges)
    ]


def _below(parts: Sequence[Any]) -> Any:
    """Arrays one below the other; None where it is known of none."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        if known:
            raise ValueError("what is known of one network must be known of all")
        return None
    return np.concatenate(known)


def _apart(gateways: Sequence[Ints | None]) -> Ints | None:
    """Gateways numbered so that no two networks share one; -1 is nobody's."""
    found, first = [], 0
    for one in gateways:
        if one is None:
            return None
        found.append(np.where(one >= 0, one + first, -1))
        first += int(one.max(initial=-1)) + 1
    return np.concatenate(found)
