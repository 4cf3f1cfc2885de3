"""Who judges causes in this process: the stored model, or the rules alone.

The rules judge unless a shell chooses the model that ships with the package at its start
(``HEARTHLINE_CAUSES=model``); where its file is missing they do as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from analytics.causes.model import STORED, Model, load
from analytics.causes.question import Judge, Question
from analytics.localise.ranking import Ranked, normalised
from hearthline.domain.findings import Cause


class Rules:
    """The rules alone."""

    def ranked(self, _question: Question, rules: Mapping[Cause, float]) -> Ranked:
        """What the rules say."""
        return normalised(rules)


RULES = Rules()


class _Chosen:
    """The choice of this process; None: nobody chose, so the rules."""

    judge: Judge | None = None


def choose(judge: Judge | None) -> None:
    """Let somebody judge from now on in this process; None for the rules."""
    _Chosen.judge = judge


def named(name: str) -> Judge | None:
    """Who is meant by ``HEARTHLINE_CAUSES``: ``rules``, or ``model`` for the stored one.

    Raises:
        ModelError: the stored model is meant and cannot be used.
    """
    return RULES if name == "rules" else stored()


@contextmanager
def judging(judge: Judge | None) -> Iterator[None]:
    """Let somebody judge for a while."""
    before = _Chosen.judge
    choose(judge)
    try:
        yield
    finally:
        choose(before)


def ranked(question: Question, rules: Mapping[Cause, float]) -> Ranked:
    """The causes with their chances, best first."""
    judge = _Chosen.judge or RULES
    return judge.ranked(question, rules)


@cache
def stored() -> Model | None:
    """The model that ships with the package; None where its file is not there.

    Raises:
        ModelError: there is one, and it cannot be used.
    """
    return load(STORED) if STORED.exists() else None
