"""What a ticket's clock says to a dispatcher: which promise runs and how long is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from hearthline.storage.database import Row

SOON = {"respond": timedelta(minutes=10), "resolve": timedelta(hours=2)}


class Urgency(StrEnum):
    """How a clock is drawn; over is drawn by shape and word as well as by colour."""

    CALM = "calm"
    SOON = "soon"
    OVER = "over"
    PAUSED = "paused"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Running:
    """The promise that runs now: ``respond`` or ``resolve``, by when, and the time left."""

    promise: str
    by: datetime | None
    left: timedelta
    urgency: Urgency


def running(ticket: Row | dict[str, Any], now: datetime) -> Running:
    """The clock of a ticket; none runs once it was answered."""
    by: datetime | None = ticket["due_at"]
    if by is None:
        return Running("", None, timedelta(), Urgency.NONE)
    promise = "respond" if ticket["state"] == "new" else "resolve"
    left = by - now
    if ticket["paused"]:
        return Running(promise, by, left, Urgency.PAUSED)
    if left < timedelta():
        return Running(promise, by, left, Urgency.OVER)
    return Running(promise, by, left, Urgency.SOON if left < SOON[promise] else Urgency.CALM)
