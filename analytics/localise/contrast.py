"""One entrance or the whole building: which of the two the rooms say, where both are possible.

A cold entrance chills what is beyond its walls (428 W/K to neighbours against 81 W/K to outdoors,
domain facts, section 3): the rest of its building lies under its fellows too, by up to a third of
it. A building that is cold as a whole is so in every entrance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.snapshot import Floats, Snapshot
from hearthline.domain.places import PlaceKind

SPILLS = 0.4  # of an entrance's shift: what its cold does at most to the rest of the building
LEAST_K = 0.8
SURE_SD = 3.0


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


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _standard_error(values: Sequence[float] | Floats, snapshot: Snapshot) -> float:
    """Of a mean, at least as much as healthy dwellings spread, K."""
    spread = float(np.nanmedian(snapshot.offsets[1]))
    return max(spread, float(np.std(values))) / float(np.sqrt(len(values)))
