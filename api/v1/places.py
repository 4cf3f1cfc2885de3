"""The network tree, and a building seen from the front."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query

from api.identity import Who
from api.parts import PartsOf
from api.problems import responses
from api.v1.models import Code, Front, FrontEntrance, FrontUnit, Place, Places
from hearthline.domain.places import PlaceKind
from hearthline.storage.database import Row
from hearthline.storage.views import places

router = APIRouter(tags=["places"])


def tree(rows: list[Row]) -> list[Place]:
    """Nest rows that come parents first; a row whose parent is not among them is a root."""
    nodes: dict[str, Place] = {}
    roots: list[Place] = []
    for row in rows:
        node = Place(**row)
        nodes[node.code] = node
        siblings = nodes[node.parent].children if node.parent in nodes else roots
        siblings.append(node)
    return roots


@router.get("/places", responses=responses(401, 404, 422))
def place_tree(
    parts: PartsOf,
    _who: Who,
    *,
    under: Annotated[
        str | None,
        Query(max_length=120, pattern=r"^[^/\x00-\x1f]+$", description="A place's code."),
    ] = None,
    to: Annotated[PlaceKind, Query(description="The deepest level shown.")] = PlaceKind.BUILDING,
) -> Places:
    """The tree from the sources, or from one place, down to a level."""
    kinds = [kind for kind in PlaceKind if kind.level <= to.level]
    with parts.transaction() as connection:
        prefix = places.place(connection, under)["path"] if under else None
        return Places(items=tree(places.places_below(connection, prefix, kinds)))


@router.get("/places/{code}", responses=responses(401, 404, 422))
def one_place(code: Code, parts: PartsOf, _who: Who) -> Place:
    """One place with its children."""
    with parts.transaction() as connection:
        own = places.place(connection, code)
        level = PlaceKind(own["kind"]).level
        kinds = [kind for kind in PlaceKind if kind.level in {level, level + 1}]
        roots = tree(places.places_below(connection, own["path"], kinds))
    return roots[0].model_copy(update={"parent": own["parent"]})


@router.get("/buildings/{code}/front", responses=responses(401, 404, 422))
def front(code: Code, parts: PartsOf, _who: Who) -> Front:
    """A building seen from the front: every dwelling with its temperature and open ticket."""
    with parts.transaction() as connection:
        building = places.place(connection, code, PlaceKind.BUILDING)
        threshold_c = parts.policy(connection).threshold_c
        doors = {row["code"]: row for row in places.entrances(connection, building["path"])}
        units = places.units_now(connection, parts.clock(), prefix=building["path"])
    entrances = []
    for path, inside in groupby(units, key=lambda unit: _entrance_path(unit["path"], doors)):
        door = doors.get(path) or {"code": path, "name": "", "name_zh": ""}
        windows = [_window(unit) for unit in inside]
        entrances.append(
            FrontEntrance(
                code=door["code"], name=door["name"], name_zh=door["name_zh"], units=windows
            )
        )
    order = {code: index for index, code in enumerate(doors)}
    entrances.sort(key=lambda entrance: order.get(entrance.code, len(order)))
    return Front(
        code=building["code"],
        name=building["name"],
        name_zh=building["name_zh"],
        threshold_c=threshold_c,
        floors=max((unit["floor"] for unit in units), default=0),
        columns=max((unit["col"] for unit in units), default=0),
        entrances=entrances,
    )


def _entrance_path(path: str, doors: dict[str, Row]) -> str:
    return next((code for code in path.split("/") if code in doors), "")


def _window(unit: Row) -> FrontUnit:
    same = {name: unit[name] for name in FrontUnit.model_fields if name in unit}
    return FrontUnit(**same, column=unit["col"])
