"""Reading the loose JSON that devices send: documents, numbers, instants, names.

Strict where looseness would invent a measurement (no bool as a number, no local time as UTC),
lenient where real devices are sloppy (numbers as text, NaN tokens, epoch in any unit). Anything
unreadable raises ``Refused`` with the reason that ends up on the dead letter.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from hearthline.domain.readings import RejectReason

_NUMBER = re.compile(
    r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(?:%|°C|℃|C)?\s*"
)
_EPOCH = re.compile(r"[0-9]{9,}(?:\.[0-9]*)?")
_EPOCH_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
_decode = msgspec.json.Decoder().decode


class Refused(Exception):
    """An item cannot be used."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def document(payload: bytes) -> Any:
    """The JSON of a payload.

    Some gateways print NaN and Infinity as bare words, which no JSON parser has to accept.
    Python's does: through it the sound items of such an array survive, and only those that hold
    the word are refused.

    Raises:
        Refused: MALFORMED, with what the parser said.
    """
    try:
        return _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        said = str(error)
    try:
        return json.loads(payload.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Refused(RejectReason.MALFORMED, said or "empty payload") from None


def encoded(item: Any) -> bytes:
    """An item as JSON again, NaN as the bare word that it was."""
    try:
        text = json.dumps(item, ensure_ascii=False, separators=(",", ":"), default=repr)
    except (ValueError, RecursionError):
        text = "(too deeply nested to be shown)"
    return text.encode("utf-8", "backslashreplace")


def mapping(item: Any) -> dict[str, Any]:
    """The item as a JSON object.

    Raises:
        Refused: MALFORMED where it is something else.
    """
    if not isinstance(item, dict):
        raise Refused(RejectReason.MALFORMED, f"not a JSON object but {_kind(item)}")
    return item


def number(name: str, value: Any) -> float | None:
    """A finite number, also written as text ("95.2%", "21.4"); None where nothing was said.

    Raises:
        Refused: NOT_A_NUMBER for NaN, infinity, booleans and other text.
    """
    if type(value) is float and math.isfinite(value):
        return value
    if value is None or value == "":
        return None
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value)
        if match is None:
            raise Refused(RejectReason.NOT_A_NUMBER, f"{name} is {value[:60]!r}")
        value = match[1]
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(RejectReason.NOT_A_NUMBER, f"{name} is {_kind(value)}")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise Refused(RejectReason.NOT_A_NUMBER, f"{name} is {result}")
    return result


def counter(value: Any) -> int | None:
    """A message counter, also as text; None for what is none."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value[:20])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        return None
    return value


_ONLINE = {"online": True, "true": True, "1": True, "offline": False, "false": False, "0": False}


def online(payload: bytes) -> bool | None:
    """Whether a status message says that a device lives: a word, or JSON with such a word.

    Looks at ``online``, ``state`` and ``status`` of an object; None where nothing is said.
    """
    try:
        said = document(payload)
    except Refused:
        said = payload.decode("utf-8", "replace")
    if isinstance(said, dict):
        values = (said.get(name) for name in ("online", "state", "status"))
        said = next((value for value in values if value is not None), None)
    if isinstance(said, bool):
        return said
    return _ONLINE.get(str(said).strip().lower()) if isinstance(said, str | int) else None


def instant(name: str, value: Any) -> datetime:
    """An instant from RFC 3339 text with a zone, or from an epoch in s, ms, µs or ns, as UTC.

    The unit of an epoch follows from its size: 1e11 s lies in the year 5138, 1e11 ms in 1973.

    Raises:
        Refused: BAD_TIME, also for local time without a zone, which could be any of 26 hours.
    """
    try:
        if isinstance(value, str):
            return _from_text(name, value.strip())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _from_epoch(float(value))
    except (ValueError, OverflowError, OSError):
        pass
    shown = repr(value)[:60] if isinstance(value, str | int | float) else _kind(value)
    raise Refused(RejectReason.BAD_TIME, f"{name} is {shown}")


def _from_text(name: str, text: str) -> datetime:
    if _EPOCH.fullmatch(text):
        return _from_epoch(float(text))
    at = datetime.fromisoformat(text.upper())
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        raise Refused(RejectReason.BAD_TIME, f"{name} is {text[:60]!r}: local time without a zone")
    return at.astimezone(UTC)


def _from_epoch(value: float) -> datetime:
    for limit, per_second in _EPOCH_UNITS:
        if abs(value) < limit:
            return datetime.fromtimestamp(value / per_second, UTC)
    raise ValueError("no epoch is that large")


def _kind(value: Any) -> str:
    """What a JSON value is, in JSON's words."""
    if value is None:
        return "null"
    for types, word in (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a text"),
        (list, "an array"),
        (dict, "an object"),
    ):
        if isinstance(value, types):
            return word
    return "something else"
