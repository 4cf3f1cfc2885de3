"""Fitting on examples made by hand: it learns, calibrates, is the same twice, and says if not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analytics.causes import features
from analytics.causes.lessons import SUPPLY, Examples
from analytics.causes.model import load
from analytics.causes.question import Subject
from analytics.causes.recipe import SHIPPED, read
from analytics.causes.training import Lot, differences, train
from hearthline.domain.findings import Cause
from hearthline.errors import Invalid
from tests.unit.analytics.causes.tables import written

DEPTH = features.DWELLING_NAMES.index("depth_k")
NIGHTS = features.DWELLING_NAMES.index("nights_k")
VALVE, TURNED, RARE = (
    SUPPLY.index(cause) for cause in (Cause.VALVE_CLOSED, Cause.TURNED_DOWN, Cause.LEAK)
)
RECIPE = read(SHIPPED)


def examples(seed: int, faults: int = 40, rare: int = 0) -> Examples:
    """Closed valves are deep, setbacks dip at night; the rules cannot tell them apart."""
    rng = np.random.default_rng(seed)
    true = np.where(np.arange(faults) % 2, VALVE, TURNED)
    true[:rare] = RARE
    seen = rng.normal(0.0, 1.0, (faults, len(features.DWELLING_NAMES)))
    seen[:, DEPTH] += np.where(true == VALVE, 4.0, 2.0)
    seen[:, NIGHTS] += np.where(true == TURNED, 1.5, 0.0)
    rules = np.zeros((faults, len(SUPPLY)))
    rules[:, [VALVE, TURNED]] = 0.5, 0.4
    rules[:, RARE] = 0.1
    coverage = np.where(np.arange(faults) < faults // 2, 1.0, 0.2)
    return Examples(seen, rules, true, np.arange(faults), np.ones(faults), coverage)


def lot(rare: int = 0) -> dict[Subject, Lot]:
    return {Subject.DWELLING: Lot(examples(1, 80, rare), examples(2), examples(3))}


def test_the_model_beats_the_rules_on_seasons_it_has_not_seen() -> None:
    """The gain is measured on what was held out."""
    gain = train(RECIPE, lot()).measured["dwelling"]
    assert gain["rules"]["top1"] == 0.5
    assert gain["model"]["top1"] > 0.7
    assert gain["model"]["log_loss"] < gain["rules"]["log_loss"]
    assert set(gain["by_coverage"]) == {"1", "0.2"}


def test_the_same_examples_give_the_same_model(tmp_path: Path) -> None:
    """To the byte, and it can be loaded."""
    one, other = (train(RECIPE, lot()) for _ in range(2))
    first = written(tmp_path, one).read_bytes()
    assert written(tmp_path, other).read_bytes() == first
    assert load(tmp_path / "model.json").stored == one


def test_a_cause_of_too_few_faults_is_left_to_the_rules() -> None:
    """Three leaks teach nothing; the rules' share keeps their chance."""
    table = train(RECIPE, lot(rare=3)).tables[Subject.DWELLING]
    assert Cause.LEAK not in table.causes
    assert table.causes == [SUPPLY[number] for number in sorted((VALVE, TURNED))]


def test_a_boaster_is_cooled_by_the_seasons_that_calibrate() -> None:
    """Where half of the answers turn out wrong, the temperature rises."""
    wrong = examples(2)
    rng = np.random.default_rng(5)
    shuffled = replace(wrong, true=rng.permutation(wrong.true))
    sober = train(RECIPE, lot()).tables[Subject.DWELLING].temperature
    lots = {Subject.DWELLING: Lot(examples(1, 80), shuffled, examples(3))}
    assert train(RECIPE, lots).tables[Subject.DWELLING].temperature > sober


def test_one_cause_alone_cannot_be_learnt() -> None:
    """A sentence, and what to do."""
    only = examples(1)
    only = only.part(only.true == VALVE)
    with pytest.raises(Invalid, match="fewer than two causes"):
        train(RECIPE, {Subject.DWELLING: Lot(only, only, only)})


def test_a_model_made_again_does_not_differ() -> None:
    """``hearthline train --check``."""
    assert differences(train(RECIPE, lot()), train(RECIPE, lot())) == []


def test_what_differs_is_told() -> None:
    """Examples, causes, coefficients."""
    before = train(RECIPE, lot())
    other = {Subject.DWELLING: Lot(examples(9, 80), examples(2), examples(3))}
    told = " ".join(differences(before, train(RECIPE, other)))
    assert "examples differ" in told
    assert "coefficients of dwelling differ" in told


def test_lots_are_joined_with_their_faults_told_apart() -> None:
    """Fault 3 of one season is not fault 3 of another."""
    joined = Examples.joined([examples(1, 10), examples(2, 10)])
    assert len(joined) == 20
    assert len(np.unique(joined.group)) == 20
