"""Why a riser or an entrance is cold: what air, valves, dirt and joints would make of it.

By the same likelihoods as a single dwelling's causes (``causes.shapes``). A riser may be off by air
or by badly set valves, its own or the whole building's, or by one very cold dwelling that chills
those above and below it. An entrance is off as a whole if its branch is clogged or reversed; one
cold riser of it chills the others by a fifth of that, through their common walls.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.causes import scene as scenes
from analytics.causes.response import response
from analytics.causes.scene import Scene, back_to_depth
from analytics.causes.shapes import DEPTHS, airs, explained
from analytics.localise.ranking import from_logs, graded, next_to
from analytics.signs import Sign
from analytics.snapshot import Snapshot
from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BEYOND = 0.2  # of a riser's depth: what those of its entrance feel through walls
CHILLED = 0.3  # of a dwelling's depth: what its neighbours feel
PEAK_K = -1.0  # a dwelling that is not so far off chills nobody noticeably
BEFORE: Mapping[Cause, float] = {Cause.VALVE_CLOSED: 0.25}
"""A place that is told as a whole is rarely one dwelling's doing; the others count alike."""
BEFORE_WHOLE = 0.3  # where a riser stands out, it is rarely its whole entrance that is meant
SHOWS, SHOWS_ELSE = 0.65, 0.1
"""How often a building's meter shows that an entrance lost most of its flow (a fifth of the
building's or less), and how often it shows that much for another reason."""
SINKS_H: Mapping[PlaceKind, float] = {PlaceKind.RISER: 20.0, PlaceKind.ENTRANCE: 40.0}
"""Between a dwelling among warm neighbours (7 to 16 h) and a building (45 to 101 h)."""
SUDDEN_H = 3.0  # a joint changes within hours, dirt gathers over days
SUDDENLY, SLOWLY = 0.83, 0.13
"""The share of joints among branches that lost their flow at once, and over days."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What the building's meter says: ``short`` that it lost flow, within ``fell_h`` hours.

    ``negative``: supply colder than return; ``metered``: whether there is a meter that speaks.
    """

    metered: bool = False
    short: bool = False
    negative: bool = False
    fell_h: float = float("nan")


def place_weights(snapshot: Snapshot, place: str) -> dict[Cause, float]:
    """The weight of every cause of a riser's or an entrance's cold.

    A place that recovers is judged as it was while it was cold.
    """
    course, outdoor = _course(snapshot, place)
    back = back_to_depth(course)
    until = len(course) - back
    building = scenes.of(snapshot, place, back)
    rows = snapshot.network.below(place)
    here = np.zeros(len(building.height), bool)
    here[rows.start - building.first : rows.stop - building.first] = True
    kind = snapshot.kind(place)
    seen = response(course[:until], outdoor[:until])
    settled = 1.0 / seen.settled(1.0, SINKS_H[kind])
    flow = _flow(snapshot, place)
    if kind is PlaceKind.RISER:
        return riser_weights(building, here, settled, flow)
    return entrance_weights(building, here, settled, flow)


def _course(snapshot: Snapshot, place: str) -> tuple[Floats, Floats]:
    """The mean course of a place's dwellings, and the outdoor temperature, (hours,) each."""
    told = snapshot.courses
    if told is None:
        return np.zeros(0), np.zeros(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an hour in which nobody spoke
        mean: Floats = np.nanmean(told.hourly_k[snapshot.network.below(place)], axis=0)
    return mean, told.outdoor_c


def _flow(snapshot: Snapshot, place: str) -> Flow:
    """What the meter of a place's building says now."""
    building = snapshot.network.ancestor(place, PlaceKind.BUILDING) or place
    told = {signal.sign: signal for signal in snapshot.signals if signal.place == building}
    short = told.get(Sign.FLOW_LOW)
    return Flow(
        metered=building in snapshot.flow_m3h,
        short=short is not None,
        negative=Sign.DELTA_NEGATIVE in told,
        fell_h=short.values.get("fell_h", float("nan")) if short else float("nan"),
    )


def riser_weights(scene: Scene, here: Bools, settled: float, flow: Flow) -> dict[Cause, float]:
    """The weight of every cause of a riser's cold; ``settled`` as of its final depth, 0 to 1.

    A branch that clogs makes one riser cold after the other: the whole entrance tells.
    """
    logs = _inside(scene, here, settled)
    for cause, told in _branch(scene, _entrance_of(scene, here), settled, flow).items():
        logs[cause] = told + float(np.log(BEFORE_WHOLE))
    return from_logs(logs)


def entrance_weights(scene: Scene, here: Bools, settled: float, flow: Flow) -> dict[Cause, float]:
    """The weight of every cause of an entrance's cold."""
    return from_logs(_inside(scene, here, settled) | _branch(scene, here, settled, flow))


def _branch(scene: Scene, entrance: Bools, settled: float, flow: Flow) -> dict[Cause, float]:
    """Log likelihoods of dirt and of joints in the branch of an entrance."""
    scene = scene.against_rest(entrance)
    height = scene.height[entrance]
    forms = np.array([np.ones(len(height)), 0.6 + 0.4 * height])
    depths = np.array([_deep(Cause.STRAINER_CLOGGED, scene.scale * settled)] * 2)
    even, steep = explained(scene.seen.part(entrance), forms, depths).tolist()
    branch = float(np.logaddexp(even, steep - np.log(2.0)))
    if flow.short or flow.negative:
        branch += float(np.log(SHOWS / SHOWS_ELSE))
    elif flow.metered:
        branch += float(np.log((1.0 - SHOWS) / (1.0 - SHOWS_ELSE)))
    reversed_ = _reversed(flow)
    return {
        Cause.PIPES_SWAPPED: branch + float(np.log(reversed_)),
        Cause.STRAINER_CLOGGED: branch + float(np.log(1.0 - reversed_)),
    }


def _reversed(flow: Flow) -> float:
    """The share of joints among branches that are cold as this one is."""
    if flow.negative:
        return 0.95
    if not flow.short or not np.isfinite(flow.fell_h):
        return 0.52
    return SUDDENLY if flow.fell_h <= SUDDEN_H else SLOWLY


def _inside(scene: Scene, here: Bools, settled: float) -> dict[Cause, float]:
    """Log likelihoods of what sits in one riser of a place, or in the whole building."""
    entrance = _entrance_of(scene, here)
    rest = ~entrance
    scene = scene.against_rest(entrance)
    seen, height = scene.seen.part(entrance), scene.height[entrance]
    scale = scene.scale * settled
    risers = [scene.riser[entrance] == number for number in np.unique(scene.riser[here])]
    air = [_felt(one, form) for one in risers for form in airs(height)]
    valves = [_felt(one, form) for one in risers for form in (height, 1.0 - height)]
    peaks = [form for one in risers for form in _peaks(seen.off_k, height, one)]
    causes = (Cause.AIR_LOCK, Cause.VERTICAL_IMBALANCE, Cause.VALVE_CLOSED)
    lots = dict(zip(causes, (air, valves, peaks), strict=True))
    depths = [_deep(cause, scale) for cause, lot in lots.items() for _ in lot]
    told = explained(seen, np.array([*air, *valves, *peaks]), np.array(depths))
    first, logs = 0, {}
    for cause, lot in lots.items():
        part = told[first : first + len(lot)]
        first += len(lot)
        if len(lot):
            logs[cause] = float(np.logaddexp.reduce(part) - np.log(len(lot)))
            logs[cause] += float(np.log(BEFORE.get(cause, 1.0)))
    wide = graded(scene, entrance, rest, scene.scale)
    building = float(np.logaddexp.reduce(wide) - np.log(2.0))
    own = logs[Cause.VERTICAL_IMBALANCE]
    logs[Cause.VERTICAL_IMBALANCE] = float(np.logaddexp(own, building) - np.log(2.0))
    return logs


def _entrance_of(scene: Scene, here: Bools) -> Bools:
    """The entrance of a place, or itself where it is none's."""
    number = int(scene.entrance[here][0])
    return scene.entrance == number if number >= 0 else here


def _felt(riser: Bools, form: Floats) -> Floats:
    """A riser's form over its entrance."""
    return np.where(riser, form, BEYOND * form)


def _peaks(off_k: Floats, height: Floats, riser: Bools) -> list[Floats]:
    """The form of one very cold dwelling, the deepest of a riser; none where none is off."""
    mine = np.where(riser & ~np.isnan(off_k), off_k, np.inf)
    unit = int(np.argmin(mine))
    if not mine[unit] < PEAK_K:
        return []
    number = int(np.count_nonzero(riser[:unit]))
    column = np.zeros(len(riser), bool)
    column[np.flatnonzero(riser)[next_to(height[riser], number)]] = True
    form = np.where(column | (height == height[unit]), CHILLED, 0.0)
    form[unit] = 1.0
    return [form]


def _deep(cause: Cause, scale: float) -> tuple[float, float]:
    mean, spread = DEPTHS[cause]
    return mean * scale, spread * max(scale, 0.5)
