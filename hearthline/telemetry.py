"""Structured logs for every process: one line an event, on standard error.

``console`` is for people and ``json`` for collectors; the fields are the same. Secrets never reach
a log: a processor puts stars in place of passwords in addresses, of values whose field is named
for a secret, and of every secret that the settings hold, wherever it stands. What libraries log
the ordinary way goes through the same processors.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

import structlog

STARS = "***"
SHORTEST_SECRET = 4
"""Shorter values are not looked for in text: half of every log would be stars."""

_IN_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*):[^\s]*@")
_ASSIGNED = re.compile(r"""(?i)\b(\w*(?:password|passwd|secret|token))(\s?[=:]\s?)[^\s&,;'"]+""")
_SECRET_FIELD = re.compile(r"(?i)(password|passwd|secret|token)$")


def configure(log_format: str = "console", level: str = "info", hide: Iterable[str] = ()) -> None:
    """Set up logging for this process; a later call replaces an earlier one.

    ``hide`` are secrets that no line may show.
    """
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        Redaction(hide),
    ]
    if log_format == "json":
        processors.append(structlog.processors.JSONRenderer(ensure_ascii=False))
    else:
        # A pretty traceback would print local variables, among them addresses with passwords.
        plain = structlog.dev.plain_traceback
        colours = sys.stderr.isatty()
        processors.append(structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain))
    # The pool repeats itself at every attempt; whoever waits for the database says so once.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # a service configures again from its settings
    )
    if _FORWARD not in logging.root.handlers:
        logging.root.addHandler(_FORWARD)


class Redaction:
    """The processor that keeps secrets out of a line."""

    def __init__(self, hide: Iterable[str] = ()) -> None:
        known = {form for secret in hide for form in (secret, quote(secret, safe=""))}
        long = sorted((one for one in known if len(one) >= SHORTEST_SECRET), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, long))) if long else None

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """The same event without secrets."""
        for name, value in event.items():
            event[name] = self._without(name, value)
        return event

    def _without(self, name: str, value: Any) -> Any:
        if isinstance(value, bool | int | float) or value is None:
            return value
        if _SECRET_FIELD.search(name):
            return STARS
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._without(str(key), one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._without(name, one) for one in value]
        return self.text(str(value))

    def text(self, said: str) -> str:
        """Text without secrets."""
        shown = redacted(said)
        return self._known.sub(STARS, shown) if self._known else shown


def redacted(said: str) -> str:
    """Text with stars for passwords in addresses and in ``password=…`` and the like."""
    return _ASSIGNED.sub(rf"\1\2{STARS}", _IN_ADDRESS.sub(rf"\1:{STARS}@", said))


def without_password(url: str) -> str:
    """An address that can be shown: passwords replaced by stars."""
    return redacted(url)


class _Forward(logging.Handler):
    """Carries what libraries log, from warnings on, into our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            logger = structlog.get_logger(record.name)
            name = record.levelname.lower()
            said = getattr(logger, name if name in _LEVELS else "warning")
            said(record.getMessage(), logger=record.name, exc_info=record.exc_info or None)
        except Exception:
            self.handleError(record)


_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
_FORWARD = _Forward(logging.WARNING)
