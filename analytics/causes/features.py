"""Everything that is seen of one dwelling, or of one place, by name; NaN where it is not known.

Pure numpy over a snapshot. The names are the columns of a stored model, which refuses to be loaded
where they differ, so a new feature means training anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from analytics.causes import course, surroundings
from analytics.causes.question import Question, Subject
from analytics.localise.tree import SHAPES
from analytics.snapshot import Snapshot
from hearthline.domain.places import PlaceKind

Floats = NDArray[np.float64]

DWELLING_NAMES = (*course.NAMES, "off_k", *surroundings.UNIT_NAMES, *surroundings.METER_NAMES)
PLACE_NAMES = (
    *course.NAMES,
    "shift_k",
    *(f"is_{kind}" for kind in (PlaceKind.RISER, PlaceKind.ENTRANCE, PlaceKind.BUILDING)),
    *(f"shape_{name}" for name in SHAPES),
    *surroundings.PLACE_NAMES,
    *surroundings.METER_NAMES,
)
KNOTS: Mapping[str, tuple[float, ...]] = {
    "relative_k": (1.5, 2.5, 3.5, 4.5),
    "deepest_k": (2.5, 4.0),
    "drive_k": (),
    "age_h": (6.0, 24.0),
    "half_h": (3.0, 8.0),
    "sinking_k": (0.0,),
    "fell_k": (1.0, 2.0),
    "fell_h": (6.0,),
    "rose_k": (1.0, 2.0),
    "night_k": (0.5, 1.0),
    "nights_k": (0.3, 0.8),
    "shift_k": (-4.0, -2.0),
    "gradient_k": (-1.5, 0.0, 1.5),
    "ground_k": (-1.0,),
    "top_k": (-1.0,),
    "flow_short_pct": (10.0, 25.0),
    "flow_fell_h": (3.0, 12.0),
}
"""Where the chance of a cause may bend: at the depths and hours of the domain facts, section 3 (a
covered radiator costs 0.5 to 2 K and a closed valve about 4 K at −10 °C; a window falls and comes
back by more than a kelvin within two hours; one dwelling sinks by half in 5 to 11 h, a building in
30 to 70 h; joints and valves change within hours, dirt gathers for days)."""
NAMES = {Subject.DWELLING: DWELLING_NAMES, Subject.PLACE: PLACE_NAMES}


def of_dwelling(snapshot: Snapshot, code: str) -> Question:
    """The question why a dwelling is cold."""
    row = snapshot.network.index[code]
    seen = _course(snapshot, slice(row, row + 1))
    seen["off_k"] = float(snapshot.offsets[0][row])
    seen |= surroundings.of_dwelling(snapshot, code)
    seen |= surroundings.of_meters(snapshot, code)
    return Question(Subject.DWELLING, code, snapshot.at, seen)


def of_place(snapshot: Snapshot, place: str, shape: str, shift_k: float) -> Question:
    """The question why a riser, an entrance or a building is cold.

    ``shape`` and ``shift_k`` are the posterior's (``analytics.localise.tree``).
    """
    kind = snapshot.kind(place)
    seen = _course(snapshot, snapshot.network.below(place))
    seen["shift_k"] = shift_k
    seen |= {
        f"is_{one}": float(kind is one)
        for one in (PlaceKind.RISER, PlaceKind.ENTRANCE, PlaceKind.BUILDING)
    }
    seen |= {f"shape_{name}": float(name == shape) for name in SHAPES}
    seen |= surroundings.of_place(snapshot, place)
    seen |= surroundings.of_meters(snapshot, place)
    return Question(Subject.PLACE, place, snapshot.at, seen)


def _course(snapshot: Snapshot, rows: slice) -> dict[str, float]:
    """The features of the mean course of some dwellings."""
    told = snapshot.courses
    if told is None:
        return dict.fromkeys(course.NAMES, float("nan"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an hour in which nobody spoke
        mean = np.nanmean(told.hourly_k[rows], axis=0)
    return course.features(mean, told.local_hour, told.outdoor_c)
