"""Read the network tree as it is bound at an instant."""

from __future__ import annotations

from datetime import UTC, datetime

from hearthline.domain.network import Dwelling, Instrument, Network, Node, Period
from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe, HeatingStatus, PlaceKind
from hearthline.storage.database import Connection
from hearthline.storage.queries import family

_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


def load(connection: Connection, at: datetime) -> Network:
    """The whole tree with the devices bound at ``at``."""
    sql = family("network")
    nodes = {
        row["code"]: Node(**{**row, "kind": PlaceKind(row["kind"])})
        for row in connection.execute(sql["nodes"])
    }
    statuses: dict[str, list[Period]] = {}
    for row in connection.execute(sql["statuses"]):
        period = Period(HeatingStatus(row["status"]), row["since"] or _ALWAYS, row["until"])
        statuses.setdefault(row["code"], []).append(period)
    instruments = [
        Instrument(
            id=row["id"],
            uid=row["uid"],
            kind=DeviceKind(row["kind"]),
            role=DeviceRole(row["role"]),
            place=row["place"],
            flow_pipe=FlowPipe(row["flow_pipe"]) if row["flow_pipe"] else None,
            interval_s=row["interval_s"],
        )
        for row in connection.execute(sql["instruments"], {"at": at})
    ]
    dwellings = [Dwelling(**row) for row in connection.execute(sql["dwellings"])]
    return Network(nodes, dwellings, instruments, statuses)
