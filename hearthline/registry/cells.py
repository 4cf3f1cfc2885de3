"""Cells to values: what people and spreadsheets write for a code, a number, a date, a phone.

Full-width digits, spaces, units, thousands, numbers stored as text and dates stored as numbers
are read as what they mean. What means nothing is ``Refused`` with its reason.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hearthline.registry.columns import folded
from hearthline.registry.problems import ProblemKind

Word = TypeVar("Word", bound=StrEnum)

_CONTROL = {code: None for code in range(32) if chr(code) not in "\t\n\r"}
_DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[T ]*(\d{1,2})[:时](\d{1,2})分?(?::(\d{1,2})(?:\.(\d{1,6}))?)?\s*(Z|[+-]\d\d:?\d\d)?)?"
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)")
_EXCEL_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  # a spreadsheet's days have no zone
_YEARS = range(1990, 2101)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_UNITS = re.compile(
    r"(?<=\d)\s*(m2|㎡|平方米|平米|平方|m|米|s|秒|层|楼|f|号|户|度|°)$", re.IGNORECASE
)
_PHONE_MARKS = re.compile(r"[\s\-()./]+")
_SEVERAL_PHONES = re.compile(r"[/、,，;；|]+")


class Refused(Exception):
    """A cell that means nothing; the reason, its facts, and what may be meant."""

    def __init__(self, kind: ProblemKind, nearest: str = "", **facts: Any) -> None:
        super().__init__(kind)
        self.kind, self.nearest, self.facts = kind, nearest, facts


def shown(cell: Any) -> str:
    """A cell as its owner sees it, at most 80 characters."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        cell = int(cell)
    return str(cell).strip()[:80]


def text(cell: Any) -> str:
    """A name or remark: outer spaces, control characters and Excel's text mark go."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        cell = int(cell)
    said = str(cell)
    if not said.isprintable():
        said = said.translate(_CONTROL)
    return said.strip().removeprefix("'")


def plain(cell: Any) -> str:
    """A text in half-width characters."""
    said = text(cell)
    return said if said.isascii() else unicodedata.normalize("NFKC", said).strip()


def code(cell: Any) -> str:
    """The code of a place.

    Raises:
        Refused: BAD_CODE with a slash or beyond 80 characters.
    """
    said = plain(cell)
    if "/" in said or len(said) > 80 or not said:
        raise Refused(ProblemKind.BAD_CODE)
    return said


def uid(cell: Any) -> str:
    """A device's name on the wire, with its format before a colon.

    Raises:
        Refused: BAD_UID.
    """
    said = text(cell)
    form, colon, name = said.partition(":")
    if not (colon and form.strip() and name.strip()) or len(said) > 300:
        raise Refused(ProblemKind.BAD_UID)
    return said


def number(least: float, most: float) -> Callable[[Any], float]:
    """A reader of numbers within bounds."""

    def read(cell: Any) -> float:
        said = _number(cell)
        if said is None:
            raise Refused(ProblemKind.BAD_NUMBER, whole="", whole_zh="")
        if not least <= said <= most:
            raise Refused(ProblemKind.OUT_OF_RANGE, least=f"{least:g}", most=f"{most:g}")
        return said

    return read


def whole(least: int, most: int) -> Callable[[Any], int]:
    """A reader of whole numbers within bounds."""
    within = number(least, most)

    def read(cell: Any) -> int:
        said = _number(cell)
        if said is None or said != int(said):
            raise Refused(ProblemKind.BAD_NUMBER, whole="whole ", whole_zh="整")
        return int(within(said))

    return read


def _number(cell: Any) -> float | None:
    if isinstance(cell, (bool, date, time, timedelta)):
        return None
    if isinstance(cell, (int, float)):
        return float(cell) if math.isfinite(cell) else None
    said = plain(cell)
    found = _float(said)
    if found is None:
        said = _UNITS.sub("", said).strip()
        if _THOUSANDS.fullmatch(said):
            said = said.replace(",", "")
        elif _DECIMAL_COMMA.fullmatch(said):
            said = said.replace(",", ".")
        found = _float(said)
    return found if found is not None and math.isfinite(found) else None


def _float(said: str) -> float | None:
    try:
        return None if "_" in said else float(said)
    except ValueError:
        return None


def instant(zone: ZoneInfo) -> Callable[[Any], datetime]:
    """A reader of dates and times of day in a zone; a date is the beginning of that day."""

    def read(cell: Any) -> datetime:
        try:
            found = _instant(cell)
            if found is None or found.year not in _YEARS:
                raise Refused(ProblemKind.BAD_DATE)
            return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Refused(ProblemKind.BAD_DATE) from None

    return read


def _instant(cell: Any) -> datetime | None:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    said = plain(cell)
    dated = _DATE.fullmatch(said)
    if dated:
        year, month, day, hour, minute, second = (int(part or 0) for part in dated.groups()[:6])
        micros = int((dated[7] or "").ljust(6, "0"))
        local = datetime(year, month, day, hour, minute, second, micros)  # noqa: DTZ001
        offset = (dated[8] or "").replace("Z", "+00:00")
        return local.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo) if offset else local
    compact = _COMPACT.fullmatch(said)
    if compact:
        return datetime(*(int(part) for part in compact.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    days = _number(cell)
    if days is None or not 0 < days < 100_000:
        return None
    return _EXCEL_DAY_ZERO + timedelta(seconds=round(days * 86_400))


def word(names: Mapping[Word, tuple[str, ...]]) -> Callable[[Any], Word]:
    """A reader of one of some words, in English or Chinese."""
    known = {folded(str(member)): member for member in names}
    for member, also in names.items():
        for name in also:
            known.setdefault(folded(name), member)
    words = ", ".join(names)
    words_zh = "、".join(also[0] for also in names.values())

    def read(cell: Any) -> Word:
        said = folded(text(cell))
        if said in known:
            return known[said]
        near = get_close_matches(said, known, n=1)
        nearest = str(known[near[0]]) if near else ""
        raise Refused(ProblemKind.BAD_WORD, nearest, words=words, words_zh=words_zh)

    return read


def phone(cell: Any) -> str:
    """One or several telephone numbers, each in plain digits, parted by slashes.

    Raises:
        Refused: BAD_PHONE where one of them has a digit too few or too many.
    """
    said = plain(cell)
    several = [part for part in _SEVERAL_PHONES.split(said) if part.strip()]
    return "/".join(_phone(part) for part in several) if several else ""


def _phone(said: str) -> str:
    digits = _PHONE_MARKS.sub("", said)
    for prefix in ("+86", "0086"):
        digits = digits.removeprefix(prefix)
    if fault := phone_fault(digits):
        raise Refused(ProblemKind.BAD_PHONE, fault[1], digits=fault[0])
    return digits


_RIGHT_PHONES = (
    re.compile(r"1[3-9]\d{9}"),  # mobile
    re.compile(r"0\d{9,11}"),  # area code and landline
    re.compile(r"[2-8]\d{6,7}"),  # landline of the own city
    re.compile(r"[48]00\d{7}"),
    re.compile(r"\+\d{8,15}"),  # abroad
)


def phone_fault(number: str) -> tuple[int, str] | None:
    """None for a number that can be dialled, else its count of digits and what may be meant.

    Numbering of mainland China: GB mobile numbers have 11 digits from 13 to 19, landlines an area
    code of 3 or 4 digits and 7 or 8 of their own.
    """
    if any(form.fullmatch(number) for form in _RIGHT_PHONES):
        return None
    # A number cell loses the zero of an area code.
    lost = "0" + number
    nearest = lost if number[:1] in "23456789" and _RIGHT_PHONES[1].fullmatch(lost) else ""
    return sum(sign.isdigit() for sign in number), nearest
