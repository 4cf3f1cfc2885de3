"""The fan of a dwelling's next 48 hours, as the page's chart draws bands."""

from __future__ import annotations

from datetime import timedelta

from api.console.charts import Drawn
from api.console.words import Words
from hearthline.errors import NotFound
from hearthline.storage import outlook
from hearthline.storage.database import Connection, Row

HOUR = timedelta(hours=1)
SHORT = timedelta(days=14)
"""In a longer curve two days ahead would be a line's width."""


def fan(connection: Connection, words: Words, code: str) -> Row:
    """Low, middle and high of the hours ahead, and until when the axis goes; empty without any."""
    try:
        run = outlook.newest(connection)
    except NotFound:
        return {}
    row = outlook.unit(connection, code)
    if row is None or words.now - run["at"] > 48 * HOUR:
        return {}
    draw = Drawn(words)
    hours = [
        {"at": run["at"] + hour * HOUR, "low": mean - half, "median": mean, "high": mean + half}
        for hour, (mean, half) in enumerate(zip(*outlook.ahead(row["ahead"]), strict=True))
    ]
    return {
        "ahead": {name: draw.points(hours, name, "at") for name in ("low", "median", "high")},
        "aheadName": words.gettext("Next 48 h (9 of 10 lie in the band)"),
        "stop": draw.at(hours[-1]["at"]),
    }
