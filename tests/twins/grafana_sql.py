"""Expands a panel's SQL the way Grafana does before it reaches PostgreSQL.

First the page replaces dashboard variables, then the server ``$__interval``, then its PostgreSQL
plugin the macros, whose arguments end at the first closing bracket and are split at commas. An
unknown macro is an error there, and so it is here. TimescaleDB is switched on in the data
source, so time is grouped by ``time_bucket``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True)
class View:
    """What a person looks at: a time range, an interval and chosen variables."""

    start: datetime
    stop: datetime
    interval: str = "1h"
    variables: Mapping[str, str] | None = None

    def expand(self, sql: str) -> str:
        """The statement that PostgreSQL gets."""
        for name, value in (self.variables or {}).items():
            sql = re.sub(rf"\$\{{{name}\}}|\${name}\b", lambda _, v=value: v, sql)
        sql = sql.replace("$__interval_ms", str(_interval_s(self.interval) * 1000))
        sql = sql.replace("$__interval", self.interval)
        whole = sql

        def one(match: re.Match[str]) -> str:
            name = match.group(1)
            arguments = [argument.strip(" ") for argument in match.group(2).split(",")]
            if name == "__timeGroup" and whole[match.end() : match.end() + 1] == ",":
                name = "__timeGroupAlias"
            return self._macro(name, arguments)

        return _MACRO.sub(one, sql)

    def _macro(self, name: str, arguments: list[str]) -> str:
        start, stop = (f"'{_rfc3339(at)}'" for at in (self.start, self.stop))
        match name:
            case "__time":
                return f'{arguments[0]} AS "time"'
            case "__timeFilter":
                assert arguments[0], "missing time column"
                return f"{arguments[0]} BETWEEN {start} AND {stop}"
            case "__timeFrom":
                return start
            case "__timeTo":
                return stop
            case "__timeGroup":
                seconds = _interval_s(arguments[1].strip("'"))
                return f"time_bucket('{seconds:.3f}s',{arguments[0]})"
            case "__timeGroupAlias":
                return self._macro("__timeGroup", arguments) + ' AS "time"'
        raise LookupError(f'unknown macro "{name}"')


def _interval_s(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([smhdw])", text).groups()  # type: ignore[union-attr]
    return int(number) * _SECONDS[unit]


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
