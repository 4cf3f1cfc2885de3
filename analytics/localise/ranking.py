"""Causes in order of their chances, and the rules by which a single dwelling's are weighed.

Every rule has the same form: how much likelier a cause makes what is seen (depth, shape and calls:
``causes.shapes``; promptness: ``causes.response``; nights and falls), times how likely it was
before anybody looked. Weights are their products; only their ratios mean something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.causes.scene import Scene
from analytics.causes.shapes import DEPTHS, airs, explained, unexplained
from hearthline.domain.findings import Cause

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ranked = Sequence[tuple[Cause, float]]
"""(cause, probability), best first; together at most 1."""

OWN = (
    Cause.VALVE_CLOSED,
    Cause.ENVELOPE,
    Cause.RADIATOR_COVERED,
    Cause.TURNED_DOWN,
    Cause.WINDOW_OPEN,
)
BEFORE: Mapping[Cause, float] = {
    Cause.VALVE_CLOSED: 1.2,
    Cause.ENVELOPE: 1.0,
    Cause.RADIATOR_COVERED: 0.8,
    Cause.TURNED_DOWN: 1.0,
    Cause.WINDOW_OPEN: 0.15,
    Cause.NEIGHBOUR_UNHEATED: 3.0,
    Cause.AIR_LOCK: 1.0,
    Cause.VERTICAL_IMBALANCE: 1.0,
}
"""How likely each is for a dwelling of which is only known that it is cold: what people do with
their valves is met most often (requirement 19). Causes of a riser are rarer than a dwelling's own
(``localise.tree.PRIOR``), but each takes some ten dwellings; a window is open for hours.
Unheated neighbours are known, and three in ten dwellings beside them are cold
(``complaints.RULES``), but most of these are told before (``explain.neighbours``)."""
NEXT = 0.25
"""Of its depth: what a dwelling's own cause does to those above and below (1 to 1.4 K of 4.2)."""
NIGHT_K, NIGHTLY_K, NIGHT_SD_K = -0.2, 0.9, 0.4
"""The milder of two nights beside the days, of a room where nobody touches the valve at night and
of one with a setback, and how much nights of either differ: a valve seven tenths closed from ten to
six costs about a kelvin by the morning."""
NIGHTS_SAY = float(np.log(30.0))  # people are not that regular
WINDOW_K, FALLING = (1.5, 2.5), (0.1, 25.0)
"""An open window's fall within two hours, and how much likelier one is without and with it: what
lacks heat falls by 0.7 K within two hours at most, only what loses it by more than 1.5 K."""
CLEAR = float(np.log(8.0))
"""The most that the rest of a building says for or against badly set valves in all of it: its
dwellings share walls, weather and habits, and are not as many witnesses as they are."""
UNHEATED = (0.5, 1.5)
"""Unheated dwellings beside one that count: two walls away a third, and no more than half again."""


@dataclass(frozen=True, slots=True)
class Own:
    """What a dwelling's own course tells.

    ``settled`` which share of its final depth it has reached, 0 to 1; ``lost`` how much likelier
    its course is if heat is lost than if it is lacking (``causes.response``); ``night_k`` the
    milder of two nights beside the days; ``fell_k`` the fastest fall within two hours that is a few
    hours old at most; ``unheated`` how many dwellings beside it are not heated, those two walls
    away as a third.
    """

    settled: float = 1.0
    lost: float = 1.0
    night_k: float = float("nan")
    fell_k: float = float("nan")
    unheated: float = 0.0


def normalised(weights: Mapping[Cause, float]) -> list[tuple[Cause, float]]:
    """Weights as probabilities, best first."""
    total = sum(weights.values())
    ranked = [(cause, weight / total) for cause, weight in weights.items() if weight > 0]
    return sorted(ranked, key=lambda item: (-item[1], item[0]))


def from_logs(logs: Mapping[Cause, float]) -> dict[Cause, float]:
    """Logarithms of weights as weights, the greatest 1."""
    most = max(logs.values())
    return {cause: float(np.exp(value - most)) for cause, value in logs.items()}


def dwelling_weights(scene: Scene, unit: int, own: Own) -> dict[Cause, float]:
    """The weight of every cause that may make one dwelling of a building cold.

    Args:
        scene: its building.
        unit: its number there.
        own: what its own course tells.
    """
    logs = _by_shape(scene, unit, own)
    setback = _setback(own.night_k)
    lost = float(np.log(own.lost))
    # the outdoors swing a leaky room by half a kelvin at most: nights tell of people
    logs[Cause.ENVELOPE] += lost if lost < 0 or setback <= 0 else 0.0
    logs[Cause.TURNED_DOWN] += setback
    without, falling = FALLING
    fell = ramp(own.fell_k, *WINDOW_K)
    logs[Cause.WINDOW_OPEN] += float(np.log(without + (falling - without) * fell))
    for cause in logs:
        logs[cause] += float(np.log(BEFORE[cause]))
    if own.unheated:
        logs[Cause.NEIGHBOUR_UNHEATED] += float(np.log(min(1.0, own.unheated)))
    return from_logs(logs)


def _by_shape(scene: Scene, unit: int, own: Own) -> dict[Cause, float]:
    """Log likelihoods of what the riser and the building show, by cause."""
    riser = _riser_of(scene, unit)
    beside = _beside(scene, unit, riser)
    scene = scene.against_rest(riser | beside)
    here = scene.seen.part(riser)
    at = int(np.count_nonzero(riser[:unit]))
    sinking = scene.scale * own.settled
    alone = _alone(scene.height[riser], at)
    causes = list(OWN)
    depths = [_deep(cause, 1.0 if cause is Cause.WINDOW_OPEN else sinking) for cause in OWN]
    if own.unheated:
        causes.append(Cause.NEIGHBOUR_UNHEATED)
        mean, spread = DEPTHS[Cause.NEIGHBOUR_UNHEATED]
        depths.append((mean * float(np.clip(own.unheated, *UNHEATED)) * scene.scale, spread))
    forms = [alone] * len(causes)
    if len(alone) > 1:
        height = scene.height[riser]
        forms += [*airs(height), height, 1.0 - height]
        depths += [_deep(Cause.AIR_LOCK, sinking)] * 2
        depths += [_deep(Cause.VERTICAL_IMBALANCE, sinking)] * 2
    told = explained(here, np.array(forms), np.array(depths), at).tolist()
    logs = dict(zip(causes, told, strict=False))
    if len(alone) > 1:
        *_, mild, starved, top, ground = told
        logs[Cause.AIR_LOCK] = float(np.logaddexp(mild, starved) - np.log(2.0))
        rest = ~(riser | beside)
        wide = graded(scene, riser, rest, sinking, at)
        half = float(np.log(0.25))  # of a riser or of the building, on top or at the ground
        parts = [half + one for one in (top, ground, *wide)]
        logs[Cause.VERTICAL_IMBALANCE] = float(np.logaddexp.reduce(parts))
    return logs


def graded(
    scene: Scene, here: Bools, rest: Bools, scale: float, own: int | None = None
) -> tuple[float, float]:
    """Log likelihoods of valves that fit badly in the whole building: cold on top, at the ground.

    Against the rest being as it should be, so that they compare with what explains ``here`` alone.
    """
    height = scene.height
    both = here | rest
    seen = scene.seen.part(both)
    forms = np.array([height, 1.0 - height])
    if np.count_nonzero(~np.isnan(scene.seen.off_k[rest])):
        forms = forms - np.median(forms[:, rest], axis=1)[:, None]
    at = None if own is None else int(np.count_nonzero(both[: np.flatnonzero(here)[own]]))
    depths = np.array([_deep(Cause.VERTICAL_IMBALANCE, scale)] * 2)
    told = explained(seen, forms[:, both], depths, at)
    inside = explained(scene.seen.part(here), forms[:, here], depths, own)
    beyond = told - inside - unexplained(scene.seen.part(rest))
    top, ground = (inside + np.clip(beyond, -CLEAR, CLEAR)).tolist()
    return top, ground


def _deep(cause: Cause, scale: float) -> tuple[float, float]:
    """How deep a cause bites at a scale of depths."""
    mean, spread = DEPTHS[cause]
    return mean * scale, spread * max(scale, 0.5)


def _riser_of(scene: Scene, unit: int) -> Bools:
    """The dwellings of a unit's riser; itself alone where there is none."""
    if scene.riser[unit] < 0:
        alone = np.zeros(len(scene.riser), bool)
        alone[unit] = True
        return alone
    same: Bools = scene.riser == scene.riser[unit]
    return same


def _beside(scene: Scene, unit: int, riser: Bools) -> Bools:
    """The dwellings of a unit's landing, which it chills by nobody knows how much."""
    landing = (scene.entrance == scene.entrance[unit]) & (scene.height == scene.height[unit])
    others: Bools = landing & ~riser
    return others


def _alone(height: Floats, unit: int) -> Floats:
    """The form of a dwelling's own cause along its riser."""
    form = np.where(next_to(height, unit), NEXT, 0.0)
    form[unit] = 1.0
    return form


def next_to(height: Floats, unit: int) -> Bools:
    """The dwellings of a riser one floor above and below one of them."""
    away = np.abs(height - height[unit])
    floors = away[away > 0]
    near: Bools = (away > 0) & (away < 1.5 * floors.min()) if len(floors) else away > 0
    return near


def _setback(night_k: float) -> float:
    """How much likelier, as a logarithm, nights are so if the valve is lowered for them."""
    if not np.isfinite(night_k):
        return 0.0
    away = (night_k - NIGHT_K) ** 2 - (night_k - NIGHTLY_K) ** 2
    return float(np.clip(away / (2.0 * NIGHT_SD_K**2), -NIGHTS_SAY, NIGHTS_SAY))


def ramp(value: float, low: float, high: float) -> float:
    """0 below ``low``, 1 above ``high``, straight between; 0 where unknown."""
    if not np.isfinite(value):
        return 0.0
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))
