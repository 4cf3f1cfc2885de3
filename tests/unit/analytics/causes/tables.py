"""A small stored model, made by hand: deep dwellings leak, shallow ones have their valve closed."""

from __future__ import annotations

from pathlib import Path

from analytics.causes import features
from analytics.causes.model import VERSION, Stored, Table
from analytics.causes.question import Subject
from analytics.causes.training import written as as_json
from hearthline.domain.findings import Cause


def table(temperature: float = 1.0) -> Table:
    """Two causes; only the depth counts."""
    names = list(features.DWELLING_NAMES)
    width = 2 * len(names)
    row = [0.0] * width
    row[2 * names.index("depth_k")] = 1.0
    return Table(
        features=names,
        knots=[[] for _ in names],
        heard=[],
        mean=[0.0] * width,
        scale=[1.0] * width,
        causes=[Cause.VALVE_CLOSED, Cause.ENVELOPE],
        weights=[[0.0] * width, row],
        bias=[2.0, 0.0],
        temperature=temperature,
        counts={"valve_closed": 10, "envelope": 10},
    )


def stored(temperature: float = 1.0) -> Stored:
    """A model of dwellings alone."""
    return Stored(
        version=VERSION,
        recipe={},
        made_with={},
        examples={"dwelling": 20},
        examples_sha256="",
        measured={},
        tables={Subject.DWELLING: table(temperature)},
    )


def written(folder: Path, model: Stored) -> Path:
    """The model in a file."""
    path = folder / "model.json"
    path.write_bytes(as_json(model))
    return path
