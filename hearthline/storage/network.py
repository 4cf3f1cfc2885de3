"""Read the network tree as it is bound at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import tuple_row

from hearthline.domain.network import Dwelling, Instrument, Network, Node, Period
from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe, HeatingStatus, PlaceKind
from hearthline.storage.database import Connection, Row
from hearthline.storage.paths import beyond
from hearthline.storage.queries import family

_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
_KINDS = {str(kind): kind for kind in PlaceKind}
_DEVICES = {str(kind): kind for kind in DeviceKind}
_ROLES = {str(role): role for role in DeviceRole}
_PIPES = {str(pipe): pipe for pipe in FlowPipe}


def load(connection: Connection, at: datetime) -> Network:
    """The whole tree with the devices bound at ``at``."""
    sql = family("network")
    return Network(
        _nodes(connection.execute(sql["nodes"])),
        [Dwelling(**row) for row in connection.execute(sql["dwellings"])],
        _instruments(connection.execute(sql["instruments"], {"at": at})),
        _statuses(connection.execute(sql["statuses"])),
    )


def load_parts(connection: Connection, at: datetime, paths: Sequence[str]) -> list[Network]:
    """Some districts, by their paths, with the devices bound at ``at``; see ``Network.part``."""
    lines = [frozenset(path.rstrip("/").split("/")[:-1]) for path in paths]
    values = {
        "paths": list(paths),
        "beyond": [beyond(path) for path in paths],
        "above": sorted(frozenset().union(*lines)),
        "at": at,
    }
    nodes = _of_parts(connection, "part_nodes", values)
    dwellings = _of_parts(connection, "part_dwellings", values)
    instruments = _of_parts(connection, "part_instruments", values)
    statuses = _of_parts(connection, "part_statuses", values)
    above = [_node(row) for row in nodes.get(0, ())]
    shared = [_instrument(row) for row in instruments.get(0, ())]
    found = []
    for part, line in enumerate(lines, 1):
        here = [*(one for one in above if one.code in line), *map(_node, nodes.get(part, ()))]
        own = [
            *(one for one in shared if one.place in line or one.kind is DeviceKind.WEATHER),
            *map(_instrument, instruments.get(part, ())),
        ]
        found.append(
            Network(
                {node.code: node for node in here},
                [Dwelling(*row) for row in dwellings.get(part, ())],
                sorted(own, key=lambda one: one.id),
                _periods(statuses.get(part, ())),
            )
        )
    return found


def _of_parts(
    connection: Connection, query: str, values: Mapping[str, Any]
) -> dict[int, list[tuple[Any, ...]]]:
    """The rows of a query by their part, without its number."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for row in cursor.execute(family("network")[query], values).fetchall():
            found.setdefault(row[0], []).append(row[1:])
    return found


def load_trunk(connection: Connection, at: datetime) -> Network:
    """Sources, districts and circuits without what hangs below, with their meters; the weather."""
    sql = family("network")
    nodes = _nodes(connection.execute(sql["trunk_nodes"]))
    instruments = _instruments(connection.execute(sql["trunk_instruments"], {"at": at}))
    here = [i for i in instruments if i.place in nodes or i.kind is DeviceKind.WEATHER]
    return Network(nodes, (), here, {})


def _nodes(rows: Iterable[Row]) -> dict[str, Node]:
    return {row["code"]: _node(tuple(row.values())) for row in rows}


def _node(row: tuple[Any, ...]) -> Node:
    number, code, kind, path, name, name_zh = row
    return Node(number, code, _KINDS[kind], path, name, name_zh)


def _statuses(rows: Iterable[Row]) -> dict[str, list[Period]]:
    return _periods(tuple(row.values()) for row in rows)


def _periods(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Period]]:
    statuses: dict[str, list[Period]] = {}
    for code, status, since, until in rows:
        period = Period(HeatingStatus(status), since or _ALWAYS, until)
        statuses.setdefault(code, []).append(period)
    return statuses


def _instruments(rows: Iterable[Row]) -> list[Instrument]:
    return [_instrument(tuple(row.values())) for row in rows]


def _instrument(row: tuple[Any, ...]) -> Instrument:
    number, uid, kind, role, place, flow_pipe, interval_s = row
    pipe = _PIPES[flow_pipe] if flow_pipe else None
    return Instrument(number, uid, _DEVICES[kind], _ROLES[role], place, pipe, interval_s)
