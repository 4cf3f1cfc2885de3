"""The stored model of causes: a table of coefficients, read from JSON and applied with numpy.

For each subject (dwelling, place) a multinomial logistic regression over hinged, standardised
features: ``p = softmax((X·W + b) / T)``, with the temperature ``T`` by which seasons held out
calibrated it (Guo et al. 2017, On calibration of modern neural networks, section 4.2). The answer
is mixed with the rules', so that a cause that training never met keeps the chance the rules give
it. Nothing here imports scikit-learn, and nothing in the file is ever executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.causes import features
from analytics.causes.question import Question, Subject
from analytics.localise.ranking import Ranked, normalised
from hearthline.domain.findings import Cause
from hearthline.errors import HearthlineError

Floats = NDArray[np.float64]

VERSION = 1
STORED = Path(__file__).with_name("model.json")
RULES_SHARE = 0.3
"""What the rules keep of every answer: they know of causes that no season has shown. A tenth serves
seasons like those that taught a little better; winters of other kinds are told better with more."""
LEAST_WORD = 0.02
"""Below that the rules' chance of a cause says no more than that they do not think of it."""
LEAST_KNOWN = 0.6
"""Known features under which the rules alone answer."""


class ModelError(HearthlineError):
    """A stored model of causes cannot be used."""

    exit_code = 2


class Table(msgspec.Struct, forbid_unknown_fields=True):
    """One subject's model as it is stored.

    ``knots`` are per feature where its hinges sit, ``heard`` the causes of which the rules' word is
    a column; ``mean`` and ``scale`` those of every column (``columns_of``), ``weights`` (causes,
    columns), ``bias`` (causes,).
    """

    features: list[str]
    knots: list[list[float]]
    heard: list[Cause]
    mean: list[float]
    scale: list[float]
    causes: list[Cause]
    weights: list[list[float]]
    bias: list[float]
    temperature: float
    counts: dict[str, int]


class Stored(msgspec.Struct, forbid_unknown_fields=True):
    """A model's file: the tables, and all that it takes to make them again."""

    version: int
    recipe: dict[str, Any]
    made_with: dict[str, str]
    examples: dict[str, int]
    examples_sha256: str
    measured: dict[str, Any]
    tables: dict[Subject, Table]


@dataclass(frozen=True)
class Fitted:
    """A table as arrays, ready to be applied."""

    names: tuple[str, ...]
    knots: tuple[tuple[float, ...], ...]
    heard: tuple[Cause, ...]
    mean: Floats
    scale: Floats
    causes: tuple[Cause, ...]
    weights: Floats
    bias: Floats
    temperature: float

    @classmethod
    def of(cls, table: Table) -> Fitted:
        """A stored table as arrays."""
        return cls(
            tuple(table.features),
            tuple(tuple(hinges) for hinges in table.knots),
            tuple(table.heard),
            np.array(table.mean),
            np.array(table.scale),
            tuple(table.causes),
            np.array(table.weights),
            np.array(table.bias),
            table.temperature,
        )

    def chances(self, values: Floats, rules: Floats) -> Floats:
        """The chance of every cause, (examples, causes).

        Args:
            values: features, (examples, features).
            rules: the rules' chances of ``heard``, (examples, heard).
        """
        logits = self.logits(values, rules) / self.temperature
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        chances: Floats = odds / odds.sum(axis=1, keepdims=True)
        return chances

    def logits(self, values: Floats, rules: Floats) -> Floats:
        """What softmax is taken of before calibration, (examples, causes)."""
        columns = (columns_of(values, rules, self.knots) - self.mean) / self.scale
        found: Floats = columns @ self.weights.T + self.bias
        return found


def columns_of(values: Floats, rules: Floats, knots: tuple[tuple[float, ...], ...]) -> Floats:
    """Features as columns: the value, its excess over each knot, and whether it is unknown.

    What is unknown counts as the first knot in its value (or nought), so that only its mark tells.
    Behind them the logarithms of the rules' chances: what rules know need not be learnt again.
    """
    found = []
    for at, hinges in enumerate(knots):
        column = values[:, at]
        unknown = np.isnan(column)
        filled = np.where(unknown, hinges[0] if hinges else 0.0, column)
        found.append(filled)
        found += [np.maximum(filled - knot, 0.0) for knot in hinges]
        found.append(unknown.astype(np.float64))
    return np.column_stack([*found, np.log(np.maximum(rules, LEAST_WORD))])


class Model:
    """Answers questions from a stored model; see the module's docstring."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.tables = {subject: Fitted.of(table) for subject, table in stored.tables.items()}

    def ranked(self, question: Question, rules: Mapping[Cause, float]) -> Ranked:
        """The model's answer with the rules' share; the rules' own where too little is known."""
        table = self.tables.get(question.subject)
        plain = normalised(rules)
        if table is None:
            return plain
        values = np.array([[question.seen[name] for name in table.names]])
        if np.isnan(values).mean() > 1.0 - LEAST_KNOWN:
            return plain
        said = dict(plain)
        word = np.array([[said.get(cause, 0.0) for cause in table.heard]])
        chances = table.chances(values, word)[0].tolist()
        return mixed(dict(zip(table.causes, chances, strict=True)), rules)


def mixed(chances: Mapping[Cause, float], rules: Mapping[Cause, float]) -> Ranked:
    """The model's chances with the share that the rules keep."""
    weights = {cause: (1.0 - RULES_SHARE) * chance for cause, chance in chances.items()}
    for cause, chance in normalised(rules):
        weights[cause] = weights.get(cause, 0.0) + RULES_SHARE * chance
    return normalised(weights)


def load(path: Path) -> Model:
    """Read a stored model.

    Raises:
        ModelError: it cannot be read, is of another version, or does not fit these features.
    """
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=Stored)
    except (OSError, msgspec.MsgspecError) as error:
        raise _refused(path, f"it cannot be read: {error}") from None
    if stored.version != VERSION:
        raise _refused(path, f"it has version {stored.version}, not {VERSION}")
    for subject, table in stored.tables.items():
        wrong = _wrong(subject, table)
        if wrong:
            raise _refused(path, f"its table of {subject} {wrong}")
    return Model(stored)


def _refused(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path} is no model of causes that can be used: {why}.",
        "Make it anew with `hearthline train`, or set HEARTHLINE_CAUSES=rules to do without.",
    )


def _wrong(subject: Subject, table: Table) -> str:
    """What does not fit; empty where all does."""
    columns = sum(2 + len(hinges) for hinges in table.knots) + len(table.heard)
    rows = len(table.causes)
    lengths = {len(table.mean), len(table.scale), *map(len, table.weights)}
    numbers = [*table.mean, *table.scale, *table.bias, *(w for row in table.weights for w in row)]
    held = {
        "has other features than this version sees": (
            tuple(table.features) == features.NAMES[subject]
        ),
        "has not one list of knots for each feature": len(table.knots) == len(table.features),
        "names a cause twice, or none": len(set(table.causes)) == rows > 0,
        f"is not of {rows} causes by {columns} columns": (
            lengths == {columns} and len(table.bias) == len(table.weights) == rows
        ),
        "holds numbers that are none": bool(np.isfinite([*numbers, table.temperature]).all()),
        "has a scale or a temperature that is not positive": (
            min([table.temperature, *table.scale]) > 0
        ),
    }
    return next((sentence for sentence, right in held.items() if not right), "")
