"""Fitting the model of causes with scikit-learn, calibrating it, and measuring what it gains.

Seasons are split by seed into three: those that teach, those that calibrate (one temperature by
their log loss), and those held out, on which alone the gain is measured. The solver is
deterministic and the examples come in the order of the recipe, so the same recipe gives the same
coefficients to rounding. scikit-learn is imported here and nowhere else.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.causes import features
from analytics.causes.lessons import SUPPLY, Examples
from analytics.causes.measures import LEAST_CHANCE, measures
from analytics.causes.model import (
    RULES_SHARE,
    VERSION,
    Fitted,
    Stored,
    Table,
    columns_of,
)
from analytics.causes.question import Subject
from analytics.causes.recipe import Recipe
from hearthline.domain.findings import Cause
from hearthline.errors import Invalid

Floats = NDArray[np.float64]

LEARNT: Mapping[Subject, frozenset[Cause]] = {
    Subject.DWELLING: frozenset(SUPPLY) - {Cause.NEIGHBOUR_UNHEATED, Cause.UNDETERMINED},
    Subject.PLACE: frozenset(
        {
            Cause.STRAINER_CLOGGED,
            Cause.PIPES_SWAPPED,
            Cause.AIR_LOCK,
            Cause.VERTICAL_IMBALANCE,
            Cause.HYDRAULIC_IMBALANCE,
            Cause.LEAK,
        }
    ),
}
"""What may be learnt: unheated neighbours are the ledger's to tell, and a place above dwellings is
cold because water does not get there (section 3). The rest keeps the chance that rules give it."""
LEAST_CAUSES = 2
"""A subject of which fewer can be learnt has no table and is left to the rules."""
LEAST_FAULTS = 4
"""Faults of a cause under which the model does not learn it: the rules keep it."""
TOLERANCE = 1e-3
"""By how much a coefficient may differ when a model is made again."""
PLACES = 5
"""Decimals of a stored coefficient."""


@dataclass(frozen=True)
class Lot:
    """The examples of one subject by what they are for."""

    teaching: Examples
    calibrating: Examples
    held_out: Examples


def train(recipe: Recipe, lots: Mapping[Subject, Lot]) -> Stored:
    """The model that a recipe's examples make.

    Raises:
        Invalid: the examples hold fewer than two causes that can be learnt.
    """
    tables, measured = {}, {}
    for subject, lot in lots.items():
        if len(np.unique(_learnable(subject, lot.teaching).true)) < LEAST_CAUSES:
            continue  # left to the rules
        table = _table(subject, lot, recipe.regularisation)
        tables[subject] = table
        measured[str(subject)] = gain(fitted(table), lot.held_out)
    if not tables:
        raise Invalid(
            "The examples hold fewer than two causes of any subject that can be learnt.",
            "Simulate more seasons, or seasons with more faults.",
        )
    every = [part for lot in lots.values() for part in (lot.teaching, lot.calibrating)]
    return Stored(
        version=VERSION,
        recipe=recipe.plain(),
        made_with=_versions(),
        examples={str(s): len(lot.teaching) + len(lot.calibrating) for s, lot in lots.items()},
        examples_sha256=Examples.digest(every),
        measured=measured,
        tables=tables,
    )


def _versions() -> dict[str, str]:
    names = ("scikit-learn", "numpy", "hearthline")
    return {"python": platform.python_version()} | {n: importlib.metadata.version(n) for n in names}


def _table(subject: Subject, lot: Lot, regularisation: float) -> Table:
    """One subject's coefficients, rounded as they are stored, with their temperature."""
    taught = _learnable(subject, lot.teaching)
    causes = np.unique(taught.true)
    knots = tuple(features.KNOTS.get(name, ()) for name in features.NAMES[subject])
    heard = np.flatnonzero(taught.rules.any(axis=0))
    columns = columns_of(taught.seen, taught.rules[:, heard], knots)
    mean = np.average(columns, axis=0, weights=taught.weight)
    scale = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=taught.weight))
    scale[scale < 1e-6] = 1.0
    weights, bias = _fit((columns - mean) / scale, taught, regularisation)
    table = Table(
        features=list(features.NAMES[subject]),
        knots=[list(hinges) for hinges in knots],
        heard=[SUPPLY[number] for number in heard],
        mean=_rounded(mean),
        scale=_rounded(scale),
        causes=[SUPPLY[number] for number in causes],
        weights=[_rounded(row) for row in weights],
        bias=_rounded(bias),
        temperature=1.0,
        counts={
            str(SUPPLY[n]): len(np.unique(taught.group[taught.true == n])) for n in causes.tolist()
        },
    )
    table.temperature = _temperature(fitted(table), lot.calibrating)
    return table


def fitted(table: Table) -> Fitted:
    """A table ready to be applied."""
    return Fitted.of(table)


def _learnable(subject: Subject, examples: Examples) -> Examples:
    """Without the causes that are not to be learnt, or of which there are too few faults."""
    enough = [
        cause in LEARNT[subject]
        and len(np.unique(examples.group[examples.true == number])) >= LEAST_FAULTS
        for number, cause in enumerate(SUPPLY)
    ]
    return examples.part(np.array(enough)[examples.true])


def _fit(columns: Floats, taught: Examples, regularisation: float) -> tuple[Floats, Floats]:
    """Coefficients (causes, columns) and intercepts (causes,), one row per cause even for two."""
    from sklearn.linear_model import LogisticRegression

    solver = LogisticRegression(C=regularisation, max_iter=2000, tol=1e-6)
    solver.fit(columns, taught.true, sample_weight=taught.weight)
    if len(solver.classes_) == 2:
        half = solver.coef_[0] / 2, solver.intercept_[0] / 2
        return np.stack([-half[0], half[0]]), np.array([-half[1], half[1]])
    return solver.coef_, solver.intercept_


def _temperature(model: Fitted, lot: Examples) -> float:
    """The temperature at which whole answers lose least on seasons that did not teach.

    The rules' share is in the answers, as it is in service; 1 where there is nothing to tell by.
    """
    if not len(lot):
        return 1.0
    tried = np.round(np.geomspace(0.3, 4.0, 53), 3)
    rows = np.arange(len(lot))
    losses = []
    for temperature in tried:
        chances = answers(replace(model, temperature=float(temperature)), lot)
        given = np.maximum(chances[rows, lot.true], LEAST_CHANCE)
        losses.append(np.average(-np.log(given), weights=lot.weight))
    return float(tried[int(np.argmin(losses))])


def gain(model: Fitted, held_out: Examples) -> dict[str, Any]:
    """What the rules alone and what the model with them are worth on seasons held out."""
    both = answers(model, held_out)
    found: dict[str, Any] = {
        "rules": measures(held_out.rules, held_out.true, held_out.weight),
        "model": measures(both, held_out.true, held_out.weight),
        "by_coverage": {},
    }
    for coverage in sorted(set(held_out.coverage.tolist()), reverse=True):
        here = held_out.coverage == coverage
        part = (held_out.true[here], held_out.weight[here])
        found["by_coverage"][f"{coverage:g}"] = {
            "rules": _brief(measures(held_out.rules[here], *part)),
            "model": _brief(measures(both[here], *part)),
        }
    return found


def _brief(full: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in full.items() if name != "reliability"}


def answers(model: Fitted, examples: Examples) -> Floats:
    """The chances of the model with the rules' share, (examples, causes) as ``SUPPLY``."""
    found = RULES_SHARE * examples.rules
    at = [SUPPLY.index(cause) for cause in model.causes]
    if len(examples):
        told = model.chances(examples.seen, _word(model, examples))
        found[:, at] += (1.0 - RULES_SHARE) * told
    return found


def _word(model: Fitted, examples: Examples) -> Floats:
    """What the rules say of the causes that a model hears them on, (examples, heard)."""
    found: Floats = examples.rules[:, [SUPPLY.index(cause) for cause in model.heard]]
    return found


def written(stored: Stored) -> bytes:
    """A model as it is stored: JSON with a line for each entry that people compare."""
    return msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n"


def differences(before: Stored, after: Stored) -> list[str]:
    """What training again made otherwise; empty where the stored model can be made again.

    Coefficients may differ by ``TOLERANCE``: another processor sums in another order.
    """
    found = []
    if before.examples_sha256 != after.examples_sha256:
        found.append("the examples differ (the simulator or the analysis has changed)")
    for subject, old in before.tables.items():
        new = after.tables.get(subject)
        if new is None or (old.causes, old.knots) != (new.causes, new.knots):
            found.append(f"the table of {subject} has other causes or knots")
            continue
        widest = max(
            float(np.abs(np.array(getattr(old, name)) - np.array(getattr(new, name))).max())
            for name in ("weights", "bias", "temperature")
        )
        if widest > TOLERANCE:
            found.append(f"coefficients of {subject} differ by up to {widest:.3g}")
    return found


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), PLACES) for value in values]
