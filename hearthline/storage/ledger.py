"""Store a ledger (台账), read it back, and move devices.

``save`` is an idempotent upsert: the same ledger twice changes nothing. Rows are copied into
temporary tables and merged as sets, since a town has a million of them. A device that is already
bound stays where it is unless the ledger says since when it is elsewhere; then its old binding
ends on that date, and the history is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from psycopg.errors import ExclusionViolation

from hearthline.domain.places import (
    Contact,
    Device,
    DeviceKind,
    DeviceRole,
    FlowPipe,
    HeatingStatus,
    Ledger,
    Place,
    PlaceKind,
    StatusPeriod,
    UnitFacts,
    UnitPosition,
)
from hearthline.errors import Conflict, NotFound
from hearthline.storage.database import Connection, Row
from hearthline.storage.queries import family


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the rows of one sheet."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Saved:
    """What a ledger changed, by sheet; ``moved`` devices left the place where they were."""

    places: Tally = field(default_factory=Tally)
    units: Tally = field(default_factory=Tally)
    statuses: Tally = field(default_factory=Tally)
    contacts: Tally = field(default_factory=Tally)
    devices: Tally = field(default_factory=Tally)
    bindings: Tally = field(default_factory=Tally)
    moved: int = 0


def save(connection: Connection, ledger: Ledger) -> Saved:
    """Write everything a ledger holds, all or nothing with the caller's transaction.

    Parents and places may be in the ledger or in the database. A dwelling's statuses replace its
    history from the earliest date said; what was before stays.

    Raises:
        ValueError: a place has no parent, stands below one of a lower level, or has a bad code.
        Conflict: a device would be bound to two places at once.
    """
    sql = family("ledger")
    try:
        with connection.transaction():
            _stage(connection, ledger)
            saved = Saved(
                places=_merge_places(connection, ledger.places),
                units=_merge(connection, "merge_units", len(ledger.units)),
                statuses=_merge_statuses(connection, len(ledger.statuses)),
                contacts=_merge(connection, "merge_contacts", len(ledger.contacts)),
                devices=_merge(
                    connection, "merge_devices", len({device.uid for device in ledger.devices})
                ),
            )
            bindings, moved = _merge_bindings(connection, len(ledger.devices))
            connection.execute(sql["notify"])
    except ExclusionViolation as error:
        raise Conflict(
            "A device or status would hold twice at once.",
            "Give its periods so that each ends before the next begins.",
        ) from error
    return Saved(
        saved.places, saved.units, saved.statuses, saved.contacts, saved.devices, bindings, moved
    )


def _stage(connection: Connection, ledger: Ledger) -> None:
    sql = family("ledger")
    connection.execute(sql["stage"])
    _copy(
        connection,
        sql["copy_places"],
        (
            (p.code, p.kind, p.parent, p.name, p.name_zh, p.seq, p.latitude, p.longitude)
            for p in ledger.places
        ),
    )
    _copy(
        connection,
        sql["copy_units"],
        (
            (u.code, u.area_m2, u.floor, u.column, u.position, u.warranty_until, u.vulnerable)
            for u in ledger.units
        ),
    )
    _copy(
        connection,
        sql["copy_statuses"],
        ((s.code, s.status, s.valid_from, s.valid_to) for s in ledger.statuses),
    )
    _copy(connection, sql["copy_contacts"], ((c.code, c.name, c.phone) for c in ledger.contacts))
    _copy(connection, sql["copy_devices"], map(_device_row, ledger.devices))
    connection.execute(sql["analyze"])


def _device_row(device: Device) -> tuple[Any, ...]:
    return (
        device.uid,
        device.kind,
        device.flow_pipe,
        device.expected_interval_s,
        device.height_m,
        device.profile,
        device.label,
        device.place,
        device.role,
        device.valid_from,
        device.valid_to,
    )


def _copy(
    connection: Connection, statement: LiteralString, rows: Iterable[tuple[Any, ...]]
) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _one(connection: Connection, name: str, parameters: dict[str, Any] | None = None) -> Row:
    """The only row of a statement."""
    return connection.execute(family("ledger")[name], parameters).fetchall()[0]


def _merge(connection: Connection, name: str, said: int) -> Tally:
    if not said:
        return Tally()
    row = _one(connection, name)
    return Tally(row["new"], row["changed"], said - row["new"] - row["changed"])


def _merge_places(connection: Connection, places: Sequence[Place]) -> Tally:
    """Level by level, since a place needs its parent's number and path."""
    if not places:
        return Tally()
    sql = family("ledger")
    for place in places:
        if not place.code or "/" in place.code:
            raise ValueError(f"place code {place.code!r} is empty or holds a slash")
    wrong = connection.execute(sql["misplaced"], {"kinds": list(PlaceKind)}).fetchone()
    if wrong is not None:
        why = "does not exist" if wrong["missing"] else "is not of a higher level"
        raise ValueError(f"place {wrong['code']!r} names a parent {wrong['parent']!r} that {why}")
    moved = _one(connection, "moved_places")["count"]
    new = changed = 0
    for kind in sorted({place.kind for place in places}, key=lambda kind: kind.level):
        row = _one(connection, "merge_places", {"kind": kind})
        new, changed = new + row["new"], changed + row["changed"]
    if moved:
        connection.execute(sql["repath"])
    return Tally(new, changed, len(places) - new - changed)


def _merge_statuses(connection: Connection, said: int) -> Tally:
    if not said:
        return Tally()
    sql = family("ledger")
    connection.execute(sql["place_statuses"])
    changed = int(_one(connection, "replace_statuses")["changed"])
    written = connection.execute(sql["insert_statuses"]).rowcount
    new = max(0, written - changed)
    return Tally(new, written - new, said - written)


def _merge_bindings(connection: Connection, said: int) -> tuple[Tally, int]:
    """Bind what is not bound; also how many devices left a place."""
    if not said:
        return Tally(), 0
    sql = family("ledger")
    connection.execute(sql["place_bindings"])
    ended = connection.execute(sql["end_bindings"]).fetchall()
    left = connection.execute(sql["close_bindings"]).fetchall()
    clash = connection.execute(sql["overlapping"]).fetchone()
    if clash is not None:
        raise Overlap(clash["uid"], clash["place"], clash["since"], clash["until"])
    new = connection.execute(sql["insert_bindings"]).rowcount
    for row in [*ended, *left]:
        if row["at"] is not None:
            _judge_again(connection, row)
    return Tally(new, len(ended) + len(left), max(0, said - new - len(ended))), len(left)


def _judge_again(connection: Connection, change: Row) -> None:
    """What the old place was judged by since ``at`` was measured elsewhere."""
    sql = family("ledger")
    connection.execute(sql["outdated_days"], change)
    connection.execute(sql["mark_days"], change)


class Overlap(Conflict):
    """A device cannot hang in two places at once."""

    def __init__(
        self, uid: str, place: str, since: datetime | None, until: datetime | None
    ) -> None:
        when = f"since {since:%Y-%m-%d %H:%M}" if since else "since ever"
        when += f" until {until:%Y-%m-%d %H:%M} UTC" if until else " until now"
        super().__init__(
            f"Device {uid} is bound to {place} {when}, and periods may not overlap.",
            "Give a later date, or move it from its present place (`hearthline ledger move`).",
        )


def move(
    connection: Connection,
    uid: str,
    place: str,
    at: datetime,
    role: DeviceRole | None = None,
) -> bool:
    """Bind a device to another place from ``at`` on; False where it hangs there already.

    The old binding ends at ``at`` and is kept, so that readings before stay with the old place.
    Days of both places since then are judged again. ``role`` left out stays what it was.

    Raises:
        NotFound: there is no such device or place.
        Overlap: the device came to its place, or will come to another, only after ``at``.
    """
    sql = family("ledger")
    with connection.transaction():
        device = connection.execute(sql["lock_device"], {"uid": uid}).fetchone()
        if device is None:
            raise NotFound(f"The ledger has no device {uid!r}.", "Import it first.")
        there = connection.execute(sql["place_id"], {"code": place}).fetchone()
        if there is None:
            raise NotFound(f"The ledger has no place {place!r}.", "Check the code, or import it.")
        last = connection.execute(sql["last_binding"], {"device_id": device["id"]}).fetchone()
        to = {"device_id": device["id"], "place_id": there["id"], "at": at}
        if last is not None:
            if last["until"] is None and last["place"] == place and role in (None, last["role"]):
                return False
            ends = last["until"] or last["since"]
            if ends is not None and (at < ends or (at == ends and last["until"] is None)):
                raise Overlap(uid, last["place"], last["since"], last["until"])
            connection.execute(sql["close_binding"], to)
            role = role or DeviceRole(last["role"])
        role = role or _USUAL_ROLE[DeviceKind(device["kind"])]
        connection.execute(sql["open_binding"], {**to, "role": role})
        _judge_again(connection, {**to, "place_id": (last or to)["place_id"]})
        connection.execute(sql["notify"])
    return True


_USUAL_ROLE = {
    DeviceKind.ROOM: DeviceRole.ROOM,
    DeviceKind.METER: DeviceRole.BRANCH,
    DeviceKind.WEATHER: DeviceRole.WEATHER,
}


def load(connection: Connection) -> Ledger:
    """The whole ledger, places parents first; what ``save`` would find unchanged."""
    sql = family("ledger")
    execute = connection.execute
    return Ledger(
        places=tuple(
            Place(**{**row, "kind": PlaceKind(row["kind"])}) for row in execute(sql["places"])
        ),
        units=tuple(_unit(row) for row in execute(sql["units"])),
        statuses=tuple(
            StatusPeriod(**{**row, "status": HeatingStatus(row["status"])})
            for row in execute(sql["statuses"])
        ),
        devices=tuple(_device(row) for row in execute(sql["devices"])),
        contacts=tuple(Contact(**row) for row in execute(sql["contacts"])),
    )


def _unit(row: Row) -> UnitFacts:
    return UnitFacts(
        code=row["code"],
        area_m2=row["area_m2"],
        floor=row["floor"],
        column=row["col"],
        position=UnitPosition(row["position"]),
        warranty_until=row["warranty_until"],
        vulnerable=row["vulnerable"],
    )


def _device(row: Row) -> Device:
    pipe = row["flow_pipe"]
    return Device(
        **{
            **row,
            "kind": DeviceKind(row["kind"]),
            "role": DeviceRole(row["role"]),
            "flow_pipe": FlowPipe(pipe) if pipe else None,
        }
    )


def unbound(connection: Connection, at: datetime) -> list[str]:
    """The uids of devices that hang nowhere at an instant."""
    return [row["uid"] for row in connection.execute(family("ledger")["unbound"], {"at": at})]


def counts(connection: Connection) -> dict[str, Any]:
    """How many places, units and devices the ledger holds."""
    return connection.execute(family("ledger")["counts"]).fetchall()[0]
