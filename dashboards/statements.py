"""Named SQL of the panels: ``statement("heat_balance", "power", locale)``.

``[[English|中文]]`` in a statement is resolved here, so that names and labels that come out of
the database read in the dashboard's language. ``{unusable}`` are the quality bits that keep a
reading out of every figure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from hearthline.domain.readings import UNUSABLE

Locale = Literal["en", "zh_CN"]
LOCALES: tuple[Locale, ...] = ("en", "zh_CN")
FAMILIES = ("heat_balance", "room_temperatures")

_HEADING = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)
_CHOICE = re.compile(r"\[\[([^|\]]+)\|([^\]]+)\]\]")


@lru_cache
def family(name: str) -> Mapping[str, str]:
    """The statements of ``sql/<name>.sql`` as written, by name."""
    text = (files("dashboards") / "sql" / f"{name}.sql").read_text("utf-8")
    parts = _HEADING.split(text)[1:]
    return {
        heading: body.strip().removesuffix(";")
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }


def statement(group: str, name: str, locale: Locale) -> str:
    """One statement in one language."""
    choice = 1 + LOCALES.index(locale)
    text = family(group)[name].replace("{unusable}", str(int(UNUSABLE)))
    return _CHOICE.sub(lambda match: match.group(choice), text)
