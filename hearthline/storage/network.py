"""Read the network tree as it is bound at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from hearthline.domain.network import Dwelling, Instrument, Network, Node, Period
from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe, HeatingStatus, PlaceKind
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family

_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
_KINDS = {str(kind): kind for kind in PlaceKind}


def load(connection: Connection, at: datetime) -> Network:
    """The whole tree with the devices bound at ``at``."""
    sql = family("network")
    return Network(
        _nodes(connection.execute(sql["nodes"])),
        [Dwelling(**row) for row in connection.execute(sql["dwellings"])],
        _instruments(connection.execute(sql["instruments"], {"at": at})),
        _statuses(connection.execute(sql["statuses"])),
    )


def load_part(connection: Connection, at: datetime, path: str) -> Network:
    """One district, by its path, with the devices bound at ``at``; see ``Network.part``."""
    sql = family("network")
    values = {
        "path": path,
        "beyond": path[:-1] + chr(ord("/") + 1),
        "above": path.rstrip("/").split("/")[:-1],
        "at": at,
    }
    return Network(
        _nodes(connection.execute(sql["part_nodes"], values)),
        [Dwelling(**row) for row in connection.execute(sql["part_dwellings"], values)],
        _instruments(connection.execute(sql["part_instruments"], values)),
        _statuses(connection.execute(sql["part_statuses"], values)),
    )


def load_trunk(connection: Connection, at: datetime) -> Network:
    """Sources, districts and circuits without what hangs below, with their meters; the weather."""
    sql = family("network")
    nodes = _nodes(connection.execute(sql["trunk_nodes"]))
    instruments = _instruments(connection.execute(sql["trunk_instruments"], {"at": at}))
    here = [i for i in instruments if i.place in nodes or i.kind is DeviceKind.WEATHER]
    return Network(nodes, (), here, {})


def _nodes(rows: Iterable[Row]) -> dict[str, Node]:
    return {row["code"]: Node(**{**row, "kind": _KINDS[row["kind"]]}) for row in rows}


def _statuses(rows: Iterable[Row]) -> dict[str, list[Period]]:
    statuses: dict[str, list[Period]] = {}
    for row in rows:
        period = Period(HeatingStatus(row["status"]), row["since"] or _ALWAYS, row["until"])
        statuses.setdefault(row["code"], []).append(period)
    return statuses


def _instruments(rows: Iterable[Row]) -> list[Instrument]:
    return [
        Instrument(
            id=row["id"],
            uid=row["uid"],
            kind=DeviceKind(row["kind"]),
            role=DeviceRole(row["role"]),
            place=row["place"],
            flow_pipe=FlowPipe(row["flow_pipe"]) if row["flow_pipe"] else None,
            interval_s=row["interval_s"],
        )
        for row in rows
    ]
