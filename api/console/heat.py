"""A substation's page: its fifteen figures of a month, each with where it is from, and advice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from analytics import advising, heat_words, reporting
from api.console.view import Reader, SignedIn
from hearthline.domain.places import PlaceKind
from hearthline.storage.views import places

router = APIRouter(prefix="/console/stations", include_in_schema=False)

Month = Annotated[str, Query(max_length=7, pattern=r"^(\d{4}-\d{2})?$")]


@router.get("/{code}", name="station")
def station(code: str, reader: SignedIn, month: Month = "") -> Response:
    """The whole page; without a month, the one that yesterday lies in."""
    now = reader.words.now
    today = reader.policy.local_day(now)
    chosen = month or f"{today - timedelta(days=1):%Y-%m}"
    with reader.parts.transaction() as connection:
        place = places.place(connection, code, PlaceKind.SUBSTATION)
        (report,) = reporting.month_report(connection, chosen, today, code)
        advice = advising.as_plain(advising.station_advice(connection, code, now))
    plain = reporting.as_plain(report)
    context = {
        "place": place,
        "month": chosen,
        "earlier": _beside(plain["first_day"], -1),
        "later": _beside(plain["first_day"], 32) if chosen < f"{today:%Y-%m}" else "",
        "items": [_shown(item, reader) for item in plain["items"]],
        "advice": advice,
        "says": "says_zh" if reader.words.chinese else "says",
    }
    return reader.render("station.html", context)


def _beside(first: date, days: int) -> str:
    return f"{first + timedelta(days=days):%Y-%m}"


def _shown(item: dict[str, Any], reader: Reader) -> dict[str, Any]:
    """A figure as the reader sees it."""
    chinese = reader.words.chinese
    told = heat_words.FIGURE.get(item["reason"] or item["note"], ("", ""))
    return {
        **item,
        "title": item["title_zh"] if chinese else item["title"],
        "told": told[1 if chinese else 0],
        "figure": _figure(item, reader),
    }


def _figure(item: dict[str, Any], reader: Reader) -> str:
    value, words = item["value"], reader.words
    if value is None:
        return words.number(None)
    around = item["uncertainty"]
    if item["unit"] == "share":
        return words.percent(value, 2) + (f" ± {words.percent(around, 2)}" if around else "")
    digits = 0 if abs(value) >= 1000 else 2
    unit = "" if item["unit"] == "1" else f" {item['unit']}"
    return words.number(value, 0 if item["key"] == "unit_days_below" else digits) + unit
