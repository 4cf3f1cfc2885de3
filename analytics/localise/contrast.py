"""One part or the whole: which of the two the rooms say, where both are possible.

A cold entrance chills what is beyond its walls (428 W/K to neighbours against 81 W/K to outdoors,
domain facts, section 3): the rest of its building lies under its fellows too, by up to a third of
it. A building that is cold as a whole is so in every entrance. Likewise a dwelling chills those
above and below it, each by a part of what the one between has lost; air or badly set valves cool a
riser from one end on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.snapshot import Floats, Snapshot
from hearthline.domain.places import PlaceKind

SPILLS = 0.4  # of an entrance's shift: what its cold does at most to the rest of the building
LEAST_K = 0.8
SURE_SD = 3.0
DEEP_K = 2.0  # a dwelling that could make a riser seem shifted
BELOW = 0.25  # of its depression: what a closed valve costs those above and below it
FELLOWS = 3


def lone_entrance(snapshot: Snapshot, building: str, offset: Floats) -> str | None:
    """The one entrance of a building that is cold, the others being chilled at most; else None.

    Args:
        building: where a shift was found.
        offset: (dwellings,) K off their fellows, NaN where nothing is known.
    """
    network = snapshot.network
    entrances = [
        code
        for code in network.children.get(building, ())
        if snapshot.kind(code) is PlaceKind.ENTRANCE
    ]
    known = [_known(offset[network.below(code)]) for code in entrances]
    entrances = [code for code, values in zip(entrances, known, strict=True) if len(values)]
    known = [values for values in known if len(values)]
    if len(known) < 2:
        return None
    means = [float(values.mean()) for values in known]
    lowest = int(np.argmin(means))
    rest = np.concatenate([values for at, values in enumerate(known) if at != lowest])
    if means[lowest] > -LEAST_K or rest.mean() < SPILLS * means[lowest]:
        return None
    apart = _standard_error(known[lowest], snapshot), _standard_error(rest, snapshot)
    sure = rest.mean() - means[lowest] >= SURE_SD * float(np.hypot(*apart))
    return entrances[lowest] if sure else None


def lone_dwelling(snapshot: Snapshot, riser: str, offset: Floats) -> str | None:
    """The one dwelling of a riser that is cold, the others being chilled at most; else None.

    Its depression and what it costs the floors above and below must explain the riser better than
    a shift of all, or one that grows to an end (``tree.SHAPES``).

    Args:
        riser: where a shift was found.
        offset: (dwellings,) K off their fellows, NaN where nothing is known.
    """
    network = snapshot.network
    rows = network.below(riser)
    off = offset[rows]
    known = np.flatnonzero(~np.isnan(off))
    if len(known) <= FELLOWS:
        return None
    lowest = known[int(np.argmin(off[known]))]
    if off[lowest] > -DEEP_K:
        return None
    floors = np.array([one.floor for one in network.dwellings[rows]], np.float64)
    away = np.abs(floors - floors[lowest])[known]
    chilled = off[lowest] * BELOW ** np.where(known == lowest, 0.0, np.maximum(away, 1.0))
    missed = float(((off[known] - chilled) ** 2).sum())
    height = snapshot.places.height[rows][known]
    shifted = min(_missed(off[known], form) for form in (np.ones(len(known)), height, 1.0 - height))
    return network.dwellings[rows][int(lowest)].code if missed < shifted else None


def _missed(off: Floats, form: Floats) -> float:
    """What the best shift of one shape leaves unexplained of some offsets, K²."""
    scale = float(form @ off) / float(form @ form) if form.any() else 0.0
    return float(((off - scale * form) ** 2).sum())


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _standard_error(values: Sequence[float] | Floats, snapshot: Snapshot) -> float:
    """Of a mean, at least as much as healthy dwellings spread, K."""
    spread = float(np.nanmedian(snapshot.offsets[1]))
    return max(spread, float(np.std(values))) / float(np.sqrt(len(values)))
