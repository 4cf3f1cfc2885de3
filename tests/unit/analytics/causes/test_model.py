"""The stored model: applied as scikit-learn does, refused if damaged, mixed with rules."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from analytics.causes import choice, features
from analytics.causes.model import RULES_SHARE, Fitted, Model, ModelError, columns_of, load
from analytics.causes.question import Question, Subject
from hearthline.domain.findings import Cause
from tests.unit.analytics.causes.tables import stored, written

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
RULES = {Cause.VALVE_CLOSED: 3.0, Cause.LEAK: 1.0}


def question(**seen: float) -> Question:
    """A dwelling of which everything is known, and nothing is the matter but what is given."""
    return Question(Subject.DWELLING, "D", NOON, dict.fromkeys(features.DWELLING_NAMES, 0.0) | seen)


def test_chances_are_those_of_scikit_learn() -> None:
    """The same coefficients give the same probabilities."""
    rng = np.random.default_rng(3)
    values = rng.normal(0.0, 2.0, (200, 3))
    values[rng.uniform(size=values.shape) < 0.1] = np.nan
    knots = ((-1.0, 1.0), (), (0.0,))
    rules = rng.uniform(0.0, 1.0, (200, 1))
    columns = columns_of(values, rules, knots)
    solver = LogisticRegression(max_iter=2000).fit(columns, rng.integers(0, 4, 200))
    causes = (Cause.LEAK, Cause.ENVELOPE, Cause.AIR_LOCK, Cause.WINDOW_OPEN)
    width = columns.shape[1]
    ours = Fitted(
        ("a", "b", "c"), knots, (Cause.LEAK,), np.zeros(width), np.ones(width), causes,
        solver.coef_, solver.intercept_, 1.0,
    )  # fmt: skip
    np.testing.assert_allclose(
        ours.chances(values, rules), solver.predict_proba(columns), atol=1e-12
    )


def test_hinges_and_marks_stand_beside_each_value() -> None:
    """Value, excess over each knot, whether it is unknown, and what the rules think."""
    columns = columns_of(np.array([[3.0], [np.nan]]), np.ones((2, 1)), ((1.0, 2.0),))
    np.testing.assert_array_equal(columns, [[3.0, 2.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 1.0, 0.0]])


def test_a_higher_temperature_is_less_sure() -> None:
    """Calibration flattens what is boasted."""
    plain, cooled = (
        Model(stored(temperature=one)).ranked(question(depth_k=4.0), RULES) for one in (1.0, 3.0)
    )
    assert plain[0][0] is cooled[0][0]
    assert plain[0][1] > cooled[0][1]


def test_the_rules_keep_their_share_for_causes_that_training_never_met() -> None:
    """A leak is in no table here, and keeps a chance."""
    ranked = dict(Model(stored()).ranked(question(depth_k=4.0), RULES))
    assert ranked[Cause.LEAK] == pytest.approx(RULES_SHARE * 0.25)
    assert sum(ranked.values()) == pytest.approx(1.0)


def test_where_little_is_known_the_rules_answer() -> None:
    """A sensor that was just hung up has no course."""
    nothing = dict.fromkeys(features.DWELLING_NAMES, float("nan"))
    asked = Question(Subject.DWELLING, "D", NOON, nothing)
    assert dict(Model(stored()).ranked(asked, RULES)) == {
        Cause.VALVE_CLOSED: 0.75,
        Cause.LEAK: 0.25,
    }


def test_a_subject_without_a_table_is_left_to_the_rules() -> None:
    """A model may know dwellings alone."""
    asked = Question(Subject.PLACE, "B", NOON, dict.fromkeys(features.PLACE_NAMES, 0.0))
    assert Model(stored()).ranked(asked, RULES)[0] == (Cause.VALVE_CLOSED, 0.75)


def test_a_stored_model_survives_its_file(tmp_path: Path) -> None:
    """Plain JSON, read back as it was."""
    path = written(tmp_path, stored())
    assert load(path).stored == stored()


def _drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda table: table.pop(name)


DAMAGE: dict[str, Callable[[dict[str, Any]], None]] = {
    "a feature renamed": lambda table: table["features"].__setitem__(0, "mood"),
    "a feature missing": lambda table: table["features"].pop(),
    "a knot list missing": lambda table: table["knots"].pop(),
    "a row too short": lambda table: table["weights"][0].pop(),
    "a row missing": lambda table: table["weights"].pop(),
    "no number": lambda table: table["bias"].__setitem__(0, None),
    "a word for a number": lambda table: table["bias"].__setitem__(0, "much"),
    "a scale of nought": lambda table: table["scale"].__setitem__(0, 0.0),
    "a cold temperature": lambda table: table.__setitem__("temperature", -1.0),
    "a cause twice": lambda table: table["causes"].__setitem__(0, table["causes"][1]),
    "an unknown cause": lambda table: table["causes"].__setitem__(0, "goblins"),
    "a key missing": _drop("mean"),
    "a key too many": lambda table: table.__setitem__("code", "import os"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_table_is_refused(
    tmp_path: Path, damage: Callable[[dict[str, Any]], None]
) -> None:
    """With a sentence that names the file, and what to do."""
    path = written(tmp_path, stored())
    whole = json.loads(path.read_text())
    damage(whole["tables"]["dwelling"])
    path.write_text(json.dumps(whole))
    with pytest.raises(ModelError) as refused:
        load(path)
    assert str(path) in refused.value.sentence
    assert "HEARTHLINE_CAUSES=rules" in refused.value.remedy


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x80\x04K\x01."])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    """Nothing in a file is ever executed."""
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read"):
        load(path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    """Neither older nor newer."""
    other = stored()
    other.version += 1
    with pytest.raises(ModelError, match="version"):
        load(written(tmp_path, other))


def test_rules_alone_judge_where_they_are_chosen() -> None:
    """The switch of a process, and back."""
    with choice.judging(Model(stored())):
        assert choice.ranked(question(depth_k=4.0), RULES)[0][0] is Cause.ENVELOPE
        with choice.judging(choice.named("rules")):
            assert choice.ranked(question(depth_k=4.0), RULES)[0] == (Cause.VALVE_CLOSED, 0.75)
        assert choice.ranked(question(depth_k=4.0), RULES)[0][0] is Cause.ENVELOPE


def test_nothing_in_service_imports_scikit_learn() -> None:
    """Ingest, worker and web do without it."""
    script = (
        "import sys, analytics.jobs, analytics.cycle, analytics.causes.choice, api.server, "
        "ingest.service; sys.exit('sklearn' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
