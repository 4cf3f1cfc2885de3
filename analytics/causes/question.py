"""What is asked of whoever judges causes: one dwelling or place, with all that is seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from analytics.localise.ranking import Ranked
from hearthline.domain.findings import Cause


class Subject(StrEnum):
    """What a question is about: a single dwelling, or a riser, entrance or building."""

    DWELLING = "dwelling"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Question:
    """Why is it cold there? ``seen`` holds every feature by name, NaN where it is not known."""

    subject: Subject
    place: str
    at: datetime
    seen: Mapping[str, float]


class Judge(Protocol):
    """Whoever answers questions."""

    def ranked(self, question: Question, rules: Mapping[Cause, float]) -> Ranked:
        """The causes with their chances, best first; ``rules`` are the rules' weights."""
