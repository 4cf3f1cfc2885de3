"""Devices: how many speak, which gateways are out, and one device with its curve and its past."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from api.console.charts import Drawn, Point
from api.console.labels import N_
from api.console.view import Reader, SignedIn
from api.console.words import NOTHING, Words
from api.v1.devices import counts_now, gateways_now
from hearthline.domain import liveness_words
from hearthline.domain.liveness import DOUBTS_OF_READINGS, State, late_after_s
from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality
from hearthline.domain.words import Pair
from hearthline.storage import liveness
from hearthline.storage.database import Connection, Row
from hearthline.storage.liveness import Wanted
from hearthline.storage.views import devices, places
from hearthline.storage.views.devices import Shown

router = APIRouter(prefix="/console", include_in_schema=False)

SHOWN = 100
CURVE_DAYS = (2, 7, 14, 30)
GATEWAYS_SHOWN = 12
MARGIN = 2.0  # impossible values are drawn so far beyond the possible ones

# What is drawn of a kind: column, English, on the second axis
CURVES: dict[DeviceKind, tuple[tuple[str, str, bool], ...]] = {
    DeviceKind.ROOM: (
        ("temperature_c", N_("Room, °C"), False),
        ("humidity_pct", N_("Humidity, %"), True),
    ),
    DeviceKind.METER: (
        ("supply_c", N_("Supply, °C"), False),
        ("return_c", N_("Return, °C"), False),
        ("flow_m3h", N_("Flow, m³/h"), True),
    ),
    DeviceKind.WEATHER: (
        ("outdoor_c", N_("Outdoor, °C"), False),
        ("wind_ms", N_("Wind, m/s"), True),
    ),
}
# What of a device stands in a list: name, digits, unit
HEADLINES: tuple[tuple[str, int, str], ...] = (
    ("temperature_c", 1, "°C"),
    ("outdoor_c", 1, "°C"),
    ("supply_c", 1, "°C"),
    ("return_c", 1, "°C"),
    ("flow_m3h", 1, "m³/h"),
    ("power_kw", 0, "kW"),
    ("humidity_pct", 0, "%"),
)
HEADLINES_SHOWN = 3


@router.get("/devices", name="devices")
def overview(
    reader: SignedIn,
    *,
    state: Annotated[str, Query(max_length=20)] = "",
    gateway: Annotated[str, Query(max_length=200)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """The whole page, or with ``HX-Request`` what changes on it."""
    chosen = {"state": state, "gateway": gateway, "kind": kind, "q": q}
    asked = {name: _printable(value) for name, value in chosen.items()}
    with reader.parts.transaction() as connection:
        context = _list(reader, connection, asked, _printable(after))
    part = "hx-request" in reader.request.headers
    return reader.render("_devices.html" if part else "devices.html", context)


@router.get("/device-curve/{uid:path}")
def curve(uid: str, reader: SignedIn, days: int = Query(default=2, ge=1, le=60)) -> JSONResponse:
    """What the chart of a device draws."""
    now = reader.words.now
    with reader.parts.transaction() as connection:
        found = devices.in_full(connection, _printable(uid), now, span=timedelta(days=days))
    drawn = device_curve(reader.words, found.shown, found.points)
    return JSONResponse(drawn, headers={"Cache-Control": "no-store"})


@router.get("/devices/{uid:path}", name="device")
def device(uid: str, reader: SignedIn, days: int = Query(default=2, ge=1, le=60)) -> Response:
    """One device."""
    with reader.parts.transaction() as connection:
        out = liveness.outages(gateways_now(reader.parts, connection))
        found = devices.in_full(connection, _printable(uid), reader.words.now, out=out)
        known = places.ancestry(connection, {row["path"] for row in found.bindings})
    return reader.render(
        "device.html",
        {
            **_said(reader),
            "device": found.shown,
            "found": found,
            "places": known,
            "days": days,
            "curve_days": CURVE_DAYS,
        },
    )


def address(uid: str) -> str:
    """The page of a device; uids hold slashes and colons."""
    return f"/console/devices/{quote(uid, safe='/:')}"


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _list(
    reader: Reader, connection: Connection, asked: dict[str, str], after: str
) -> dict[str, Any]:
    gateways = gateways_now(reader.parts, connection)
    outages = liveness.outages(gateways)
    wanted = Wanted(
        states=[State(asked["state"])] if asked["state"] in set(State) else None,
        gateway=asked["gateway"] or None,
        kind=DeviceKind(asked["kind"]) if asked["kind"] in set(DeviceKind) else None,
        text=asked["q"].strip() or None,
    )
    found = devices.listed(
        connection, reader.words.now, wanted, after=after or None, limit=SHOWN, out=outages
    )
    filters = {name: value for name, value in asked.items() if value}
    following = {**filters, "after": found[-1].row["uid"]} if len(found) == SHOWN else None
    return {
        **_said(reader),
        "found": found,
        "counts": counts_now(reader.parts, connection),
        "outages": outages,
        "gateways": [one for one in gateways if one.name is not None],
        "gateways_shown": GATEWAYS_SHOWN,
        "asked": asked,
        "places": places.ancestry(connection, {d.row["path"] for d in found if d.row["path"]}),
        "here": "/console/devices" + (f"?{urlencode(filters)}" if filters else ""),
        "following": f"/console/devices?{urlencode(following)}" if following else None,
        "without": lambda name: _query({k: v for k, v in filters.items() if k != name}),
        "states": list(State),
    }


def _query(filters: dict[str, str]) -> str:
    return "?" + urlencode(filters) + ("&" if filters else "")


def _said(reader: Reader) -> dict[str, Any]:
    """The words of devices, as templates call them."""
    words, zone = reader.words, reader.parts.settings.device_zone()

    def pick(pair: Pair) -> str:
        return liveness_words.pick(pair, words.locale)

    return {
        "page": "devices",
        "tab": "devices",
        "device_address": address,
        "state_name": lambda state: pick(liveness_words.STATE_NAMES[state]),
        "doubt_name": lambda doubt: pick(liveness_words.DOUBT_NAMES[doubt]),
        "flag_name": lambda flag: pick(liveness_words.QUALITY_NAMES[flag]),
        "outage": lambda one: liveness_words.outage_sentence(one, reader.words.zone, words.locale),
        "sentences": lambda one: one.sentences(words.now, zone, words.locale),
        "span": lambda seconds: liveness_words.duration(seconds, words.locale),
        "headline": lambda one: headline(words, one.values),
        "quantities": lambda values: headline(words, values, len(HEADLINES)),
    }


def headline(words: Words, values: dict[str, Any], most: int = HEADLINES_SHOWN) -> str:
    """A device's last values, the telling ones first."""
    shown: dict[str, list[str]] = {}
    known = [line for line in HEADLINES if isinstance(values.get(line[0]), int | float)]
    for name, digits, unit in known[:most]:
        shown.setdefault(unit, []).append(words.number(values[name], digits))
    return " · ".join(f"{' / '.join(said)} {unit}" for unit, said in shown.items()) or NOTHING


def device_curve(words: Words, shown: Shown, points: list[Row]) -> dict[str, Any]:
    """Lines of what may be believed, marks of what may not, and the words of the chart."""
    draw = Drawn(words)
    limit = timedelta(seconds=late_after_s(shown.facts))
    lines, marks = [], []
    for column, name, right in CURVES[shown.facts.kind]:
        believed = [row for row in points if devices.usable(row) and row[column] is not None]
        if believed:
            series = _line(draw, believed, column, limit)
            lines.append(
                {
                    "name": words.gettext(name),
                    "column": column,
                    "data": series,
                    "right": right,
                }
            )
        if not right:
            marks += _marks(words, draw, points, column, believed)
    return {
        "locale": "ZH" if words.chinese else "EN",
        "start": draw.at(points[0]["time"]) if points else None,
        "stop": draw.at(points[-1]["time"]) if points else None,
        "lines": lines,
        "marks": marks,
        "words": {
            "flagged": words.gettext("Flagged"),
            "unusable": words.gettext("Impossible, not used"),
            "nothing": words.gettext("Nothing was measured in this time."),
        },
    }


def _line(draw: Drawn, rows: list[Row], column: str, limit: timedelta) -> list[Point]:
    """One series; a silence that is longer than usual breaks it."""
    series: list[Point] = []
    before: Row | None = None
    for row in rows:
        if before is not None and row["time"] - before["time"] > limit:
            series.append((draw.at(before["time"]) + 1, None))
        series.append((draw.at(row["time"]), round(row[column], 2)))
        before = row
    return series


def _marks(
    words: Words, draw: Drawn, points: list[Row], column: str, believed: list[Row]
) -> list[dict[str, Any]]:
    """Flagged readings; impossible ones at the edge, so that they do not flatten the curve."""
    low = min((row[column] for row in believed), default=0.0) - MARGIN
    high = max((row[column] for row in believed), default=40.0) + MARGIN
    return [
        {
            "at": draw.at(row["time"]),
            "value": round(min(max(row[column], low), high), 2),
            "said": words.number(row[column], 1),
            "flags": words.listed(liveness_words.flags(row["quality"], words.locale)),
            "unusable": not devices.usable(row),
        }
        for row in points
        if row[column] is not None and Quality(row["quality"]) & DOUBTS_OF_READINGS
    ]
