"""What messages taught for reading others (Sparkplug's aliases), shared by all ingest processes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

from hearthline.storage.database import Connection
from hearthline.storage.queries import family


def read(connection: Connection, keys: Collection[str]) -> dict[str, Any]:
    """What was learnt under ``keys``, as far as somebody did."""
    if not keys:
        return {}
    rows = connection.execute(family("memory")["read"], {"keys": list(keys)}).fetchall()
    return {row["key"]: row["body"] for row in rows}


def learn(connection: Connection, lessons: Mapping[str, Any], at: datetime) -> None:
    """Keep lessons in the connection's open transaction; a newer one replaces an older."""
    if not lessons:
        return
    connection.execute(
        family("memory")["learn"],
        {
            "keys": list(lessons),
            "bodies": [msgspec.json.encode(body).decode() for body in lessons.values()],
            "at": at,
        },
    )
