"""Named SQL: ``Queries("readings")["copy_rooms"]`` is the text under ``-- name: copy_rooms``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import LiteralString, cast

_HEADING = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)


class Queries(Mapping[str, LiteralString]):
    """The statements of one family, by name."""

    def __init__(self, family: str) -> None:
        text = (files("hearthline.storage") / "sql" / f"{family}.sql").read_text("utf-8")
        parts = _HEADING.split(text)[1:]
        self._statements = {
            name: cast(LiteralString, body.strip().removesuffix(";"))
            for name, body in zip(parts[::2], parts[1::2], strict=True)
        }

    def __getitem__(self, name: str) -> LiteralString:
        return self._statements[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)


@lru_cache
def family(name: str) -> Queries:
    """The statements of ``sql/<name>.sql``, read once."""
    return Queries(name)
