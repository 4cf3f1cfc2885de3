"""A building seen from the front, and all buildings at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.console import colours
from api.console.view import Reader, SignedIn
from hearthline.domain.places import PlaceKind
from hearthline.storage.database import Connection, Row
from hearthline.storage.views import curves, desk, places

router = APIRouter(prefix="/console/buildings", include_in_schema=False)

STATIONS_AT_ONCE = 8
Under = Annotated[str, Query(max_length=120)]


@dataclass(frozen=True, slots=True)
class Facade:
    """A building as a grid: entrances left to right, floors from the top down."""

    entrances: list[Row]  # code, names, first and last track
    floors: list[int]
    tracks: str  # grid columns: one per column of dwellings, a narrow one between entrances
    cells: list[Row]  # dwellings with their track


@router.get("/{code}", name="building")
def building(code: str, reader: SignedIn) -> Response:
    """The whole page."""
    with reader.parts.transaction() as connection:
        context = _context(reader, connection, code)
    return reader.render("building.html", context)


@router.get("/{code}/front")
def front(code: str, reader: SignedIn) -> Response:
    """What changes on it."""
    with reader.parts.transaction() as connection:
        context = _context(reader, connection, code)
    return reader.render("_front.html", context)


@router.get("")
def overview(reader: SignedIn, under: Under = "") -> Response:
    """Every building, small, by substation; one substation at a time in a large network."""
    with reader.parts.transaction() as connection:
        context = _overview(reader, connection, under)
    return reader.render("buildings.html", context)


@router.get("/all/fronts", name="fronts")
def fronts(reader: SignedIn, under: Under = "") -> Response:
    """What changes on the overview."""
    with reader.parts.transaction() as connection:
        context = _overview(reader, connection, under)
    return reader.render("_fronts.html", context)


def _overview(reader: Reader, connection: Connection, under: str) -> dict[str, Any]:
    stations = places.places_below(connection, None, [PlaceKind.SUBSTATION])
    chosen = next((station for station in stations if station["code"] == under), None)
    if chosen is None and len(stations) > STATIONS_AT_ONCE:
        chosen = stations[0]
    shown = [chosen] if chosen else stations
    prefix = chosen["path"] if chosen else None
    return {
        "stations": stations,
        "chosen": chosen,
        "blocks": _blocks(reader, connection, shown, prefix),
        **_scale(reader),
    }


def _blocks(
    reader: Reader, connection: Connection, stations: list[Row], prefix: str | None
) -> list[tuple[Row, list[tuple[Row, Facade, dict[str, Any]]]]]:
    """Small fronts of the buildings below a path, grouped by substation."""
    houses = places.places_below(connection, prefix, [PlaceKind.BUILDING])
    doors = places.places_below(connection, prefix, [PlaceKind.ENTRANCE])
    units = places.units_now(connection, reader.words.now, prefix=prefix)
    by_house: dict[str, list[Row]] = {house["code"]: [] for house in houses}
    for unit in units:
        home = next((part for part in unit["path"].split("/") if part in by_house), None)
        if home is not None:
            by_house[home].append(unit)
    blocks = []
    for station in stations:
        inside = [house for house in houses if house["path"].startswith(station["path"])]
        drawn = [
            (house, facade(
                [door for door in doors if door["path"].startswith(house["path"])],
                by_house[house["code"]],
            ), summary(by_house[house["code"]], reader.policy.threshold_c))
            for house in inside
        ]  # fmt: skip
        blocks.append((station, drawn))
    return blocks


def facade(doors: list[Row], units: list[Row]) -> Facade:
    """Lay dwellings out by floor and column; an entrance spans the columns of its dwellings."""
    floors = sorted({unit["floor"] for unit in units}, reverse=True)
    entrances = []
    for door in doors:
        own = [unit["col"] for unit in units if unit["path"].startswith(door["path"])]
        if own:
            entrances.append({**door, "first": min(own), "last": max(own)})
    entrances.sort(key=lambda door: door["first"])
    columns = max((unit["col"] for unit in units), default=0)
    starts = [door["first"] for door in entrances[1:]]
    tracks = " ".join(
        ("var(--gap) " if column in starts else "") + "var(--window)"
        for column in range(1, columns + 1)
    )

    def track(column: int) -> int:
        return column + sum(1 for start in starts if start <= column)

    for door in entrances:
        door.update(first=track(door["first"]), last=track(door["last"]))
    placed = [{**unit, "track": track(unit["col"])} for unit in units]
    placed.sort(key=lambda unit: (-unit["floor"], unit["col"]))
    return Facade(entrances, floors, tracks, placed)


def summary(units: list[Row], threshold_c: float) -> dict[str, Any]:
    """Counts and temperatures of a building's heated, measured dwellings."""
    shown = [u["temperature_c"] for u in units if u["temperature_c"] is not None
             and u["status"] == "on" and u["grade"] != "C"]  # fmt: skip
    return {
        "units": len(units),
        "measured": len(shown),
        "below": sum(1 for value in shown if value < threshold_c),
        "min_c": min(shown, default=None),
        "mean_c": sum(shown) / len(shown) if shown else None,
        "tickets": sorted({u["ticket"] for u in units if u["ticket"]}),
    }


def _context(reader: Reader, connection: Connection, code: str) -> dict[str, Any]:
    house = places.place(connection, code, PlaceKind.BUILDING)
    known = places.ancestry(connection, [house["path"]])
    units = places.units_now(connection, reader.words.now, prefix=house["path"])
    meters = curves.meters_on(connection, [code], reader.words.now)
    siblings = _siblings(connection, house)
    codes = [sibling["code"] for sibling in siblings]
    own = codes.index(code)
    coldest = _coldest(units)
    return {
        "house": house,
        "where": reader.words.crumbs(house["path"], known),
        "facade": facade(places.entrances(connection, house["path"]), units),
        "summary": summary(units, reader.policy.threshold_c),
        "meter": meters[0] if meters else None,
        "before": siblings[own - 1] if own > 0 else None,
        "after": siblings[own + 1] if own + 1 < len(siblings) else None,
        "tickets": desk.tickets_below(connection, house["path"]),
        "coldest": coldest,
        "coldest_places": places.ancestry(connection, [unit["path"] for unit in coldest]),
        **_scale(reader),
    }


def _siblings(connection: Connection, house: Row) -> list[Row]:
    """Buildings of the same circuit or substation in the order of the pipe."""
    parent = house["path"][: -len(house["code"]) - 1]
    return places.places_below(connection, parent, [PlaceKind.BUILDING])


def _coldest(units: list[Row]) -> list[Row]:
    shown = [u for u in units if u["temperature_c"] is not None and u["status"] == "on"]
    return sorted(shown, key=lambda unit: float(unit["temperature_c"]))[:8]


def _scale(reader: Reader) -> dict[str, Any]:
    threshold_c = reader.policy.threshold_c
    return {"threshold_c": threshold_c, "legend": colours.legend(threshold_c)}
