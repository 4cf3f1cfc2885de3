"""Series as the page's script draws them: pairs of (local milliseconds, value), words included.

Axes show the policy's zone wherever the browser stands, so instants are shifted by that zone's
offset and drawn as if they were UTC. The script holds no words of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.console.words import Words
from hearthline.domain.places import HeatingStatus, PlaceKind
from hearthline.storage.database import Connection, Row
from hearthline.storage.views import curves, desk, places
from hearthline.storage.views.curves import Window

BEFORE = timedelta(hours=36)  # shown before a ticket's first cold hour
AFTER = timedelta(hours=24)  # shown after its end
LONGEST = timedelta(days=14)
SINGLE_LINES = 6  # members drawn one by one; with more, a band and the coldest one
FEW_PEERS = 5
SCOPES = frozenset({PlaceKind.BUILDING, PlaceKind.SUBSTATION, PlaceKind.SOURCE})  # of peers

Point = tuple[int, float | None]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Turns rows into points in one zone."""

    words: Words

    def at(self, instant: datetime) -> int:
        """Milliseconds of the local clock."""
        local = self.words.local(instant)
        offset = local.utcoffset() or timedelta()
        return round((instant.timestamp() + offset.total_seconds()) * 1000)

    def points(self, rows: Iterable[Row], value: str, time: str = "hour") -> list[Point]:
        """One series; gaps of more than two hours are broken."""
        series: list[Point] = []
        last: datetime | None = None
        for row in rows:
            if last is not None and row[time] - last > timedelta(hours=2):
                series.append((self.at(last) + 1, None))
            number = row[value]
            series.append((self.at(row[time]), None if number is None else round(number, 2)))
            last = row[time]
        return series

    def band(self, rows: Sequence[Row]) -> dict[str, list[Point]] | None:
        """Low, median and high of a group, or None where nothing was measured."""
        if not rows:
            return None
        return {name: self.points(rows, f"{name}_c") for name in ("low", "median", "high")}


def ticket_window(ticket: Row, members: Sequence[Row], now: datetime) -> Window:
    """From well before the first cold hour to the end, or to now."""
    starts = [m["cold_since"] for m in members if m["cold_since"]] + [ticket["opened_at"]]
    stop = min(now, (ticket["incident_closed_at"] or now) + AFTER)
    start = max(min(starts) - BEFORE, stop - LONGEST)
    return Window(start, max(stop, start + timedelta(hours=6)))


def ticket_curves(connection: Connection, words: Words, ticket: Row, threshold_c: float) -> Row:
    """Everything that the ticket page's chart shows."""
    draw = Drawn(words)
    members = desk.members(connection, ticket["incident_id"])
    window = ticket_window(ticket, members, words.now)
    everyone = [m["code"] for m in members]
    units = places.units_now(connection, words.now, codes=everyone)
    shown = [unit["code"] for unit in units if unit["status"] == HeatingStatus.ON] or everyone
    peers, around = _peers(connection, words, ticket["path"], everyone, window)
    episodes = curves.episodes(connection, everyone, window)
    many = len(shown) > SINGLE_LINES
    return {
        **_frame(draw, window, threshold_c),
        "members": draw.band(curves.band_inside(connection, shown, window)) if many else None,
        "membersName": _members_name(words, len(shown)),
        "lines": _lines(connection, draw, shown, window),
        "peers": draw.band(peers),
        "peersName": words.gettext("Peers: %(place)s", place=around),
        "outdoor": draw.points(curves.outdoor_hours(connection, window), "outdoor_c"),
        "shades": _shade(draw, episodes, window),
        "marks": _marks(connection, draw, ticket["number"], window),
        "meter": _meter(connection, draw, ticket["path"], window),
    }


def unit_curves(
    connection: Connection, words: Words, unit: Row, window: Window, threshold_c: float
) -> Row:
    """Everything that the dwelling page's chart shows."""
    draw = Drawn(words)
    code = unit["code"]
    peers, around = _peers(connection, words, unit["path"], [code], window)
    hours = curves.room_hours(connection, [code], window)
    episodes = curves.episodes(connection, [code], window)
    return {
        **_frame(draw, window, threshold_c),
        "members": None,
        "membersName": "",
        "lines": [{"name": words.name(unit), "data": draw.points(hours, "mean_c"), "bold": True}],
        "peers": draw.band(peers),
        "peersName": words.gettext("Peers: %(place)s", place=around),
        "outdoor": draw.points(curves.outdoor_hours(connection, window), "outdoor_c"),
        "shades": _shade(draw, episodes, window),
        "marks": [],
        "meter": None,
    }


def _frame(draw: Drawn, window: Window, threshold_c: float) -> Row:
    gettext = draw.words.gettext
    return {
        "locale": "ZH" if draw.words.chinese else "EN",
        "start": draw.at(window.start),
        "stop": draw.at(window.stop),
        "now": draw.at(draw.words.now),
        "threshold": threshold_c,
        "words": {
            "room": gettext("Room, °C"),
            "threshold": gettext("Standard %(value)s °C", value=f"{threshold_c:g}"),
            "outdoor": gettext("Outdoor, °C"),
            "median": gettext("median"),
            "range": gettext("8 of 10 lie in the band"),
            "episode": gettext("Below standard"),
            "both": gettext("supply / return, °C"),
            "supply": gettext("Supply, °C"),
            "return": gettext("Return, °C"),
            "flow": gettext("Flow, m³/h"),
            "nothing": gettext("Nothing was measured in this time."),
            "now": gettext("now"),
        },
    }


def _members_name(words: Words, count: int) -> str:
    return words.gettext("This ticket: %(count)s dwellings", count=count)


def _lines(connection: Connection, draw: Drawn, codes: Sequence[str], window: Window) -> list[Row]:
    """Members one by one when they are few, else the coldest of them."""
    rows = curves.room_hours(connection, codes, window)
    by_code: dict[str, list[Row]] = {}
    for row in rows:
        by_code.setdefault(row["code"], []).append(row)
    coldest = sorted(by_code, key=lambda code: float(by_code[code][-1]["mean_c"]))
    chosen = coldest if len(coldest) <= SINGLE_LINES else coldest[:1]
    units = places.places_named(connection, chosen)
    known = places.ancestry(connection, [unit["path"] for unit in units.values()])
    return [
        {
            "name": _line_name(draw.words, known, code, alone=len(coldest) > len(chosen)),
            "data": draw.points(by_code[code], "mean_c"),
            "bold": len(coldest) == 1,
        }
        for code in chosen
    ]


def _line_name(words: Words, known: dict[str, Row], code: str, *, alone: bool) -> str:
    steps = words.crumbs(known[code]["path"], known)
    name = " › ".join(step[2] for step in steps if step[1] in {"entrance", "unit"})
    return words.gettext("Coldest: %(place)s", place=name) if alone else name


def _peers(
    connection: Connection, words: Words, path: str, without: Collection[str], window: Window
) -> tuple[list[Row], str]:
    """The band of dwellings around, looked for ever higher up until there are enough of them.

    Returns the band and the name of the place it was taken from.
    """
    known = places.ancestry(connection, [path])
    steps = [known[code] for code in path.split("/") if code in known]
    own = PlaceKind(steps[-1]["kind"]).level
    scopes = [step for step in reversed(steps) if step["kind"] in SCOPES]
    wider = [step for step in scopes if PlaceKind(step["kind"]).level < own] or scopes[-1:]
    rows: list[Row] = []
    for scope in wider:
        rows = curves.band_around(connection, scope["path"], without, window)
        if rows and max(row["sensors"] for row in rows) >= FEW_PEERS:
            return rows, words.name(scope)
    return rows, words.name(wider[-1])


def _shade(draw: Drawn, episodes: Sequence[Row], window: Window) -> list[tuple[int, int]]:
    """The stretch in which anybody was below standard, merged."""
    spans: list[tuple[datetime, datetime]] = []
    for row in episodes:
        start = max(row["began_at"], window.start)
        stop = min(row["closed_at"] or window.stop, window.stop)
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], stop))
        else:
            spans.append((start, stop))
    return [(draw.at(start), draw.at(stop)) for start, stop in spans]


def _marks(connection: Connection, draw: Drawn, number: str, window: Window) -> list[Row]:
    told = {"opened", "dispatched", "started", "replied", "called_back", "recovered", "relapsed"}
    return [
        {"at": draw.at(event["at"]), "name": draw.words.word(event["kind"])}
        for event in desk.events(connection, number)
        if event["kind"] in told and window.start <= event["at"] <= window.stop
    ]


def _meter(connection: Connection, draw: Drawn, path: str, window: Window) -> Row | None:
    """Supply, return and flow of the nearest meter at or above a place that has data."""
    codes = [code for code in path.split("/") if code]
    for meter in curves.meters_on(connection, codes, draw.words.now):
        hours = curves.meter_hours(connection, meter["device_id"], window)
        if hours:
            return {
                "name": draw.words.gettext("Meter at %(place)s", place=draw.words.name(meter)),
                "supply": draw.points(hours, "supply_c"),
                "return": draw.points(hours, "return_c"),
                "flow": draw.points(hours, "flow_m3h"),
            }
    return None
