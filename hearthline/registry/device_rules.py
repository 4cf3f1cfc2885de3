"""Rules of devices: where they hang, in which role, how they are read, and since when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from hearthline.domain.places import Device, DeviceKind, DeviceRole, PlaceKind
from hearthline.registry.book import ALWAYS, EVER, Book, fault, overlaps, period
from hearthline.registry.columns import DEVICE_KINDS, Sheet
from hearthline.registry.nearest import Nearest
from hearthline.registry.problems import Problem, ProblemKind
from hearthline.registry.rows import Row
from hearthline.registry.tree_rules import naming

ROLES_AT: Mapping[DeviceRole, tuple[DeviceKind, frozenset[PlaceKind]]] = {
    DeviceRole.ROOM: (DeviceKind.ROOM, frozenset({PlaceKind.UNIT})),
    DeviceRole.PRIMARY: (DeviceKind.METER, frozenset({PlaceKind.SOURCE, PlaceKind.SUBSTATION})),
    DeviceRole.SECONDARY: (DeviceKind.METER, frozenset({PlaceKind.SUBSTATION, PlaceKind.CIRCUIT})),
    DeviceRole.BRANCH: (
        DeviceKind.METER,
        frozenset(
            {
                PlaceKind.CIRCUIT,
                PlaceKind.BUILDING,
                PlaceKind.ENTRANCE,
                PlaceKind.RISER,
                PlaceKind.UNIT,
            }
        ),
    ),
    DeviceRole.WEATHER: (
        DeviceKind.WEATHER,
        frozenset({PlaceKind.SOURCE, PlaceKind.SUBSTATION, PlaceKind.BUILDING}),
    ),
}
"""Which device has a role, and at which places."""


def devices_hang(book: Book) -> Iterator[Problem]:
    """A device hangs at a place that exists, read by a profile that exists."""
    for row in book.rows[Sheet.DEVICES]:
        place, profile = row.get("place"), row.get("profile")
        if place is not None and place not in book.spots:
            yield fault(row, "place", ProblemKind.UNKNOWN_PLACE, book.nearest(place))
        if profile and book.profiles is not None and profile not in book.profiles:
            near = Nearest(book.profiles)(profile)
            yield fault(row, "profile", ProblemKind.UNKNOWN_PROFILE, near)


def pipes_said(book: Book) -> Iterator[Problem]:
    """Guessing the pipe of a flow sensor costs 1.5 to 4.5 % of the heat (EN 1434-1)."""
    for uid, rows in book.said(Sheet.DEVICES, "uid").items():
        known = any(device.flow_pipe for device in book.bound.get(uid, ()))
        known = known or any(row.get("flow_pipe") for row in rows)
        for row in rows:
            if kind_of(book, row) is not DeviceKind.METER or row.refused("flow_pipe"):
                continue
            if not known or ("flow_pipe" in row.said and not row.get("flow_pipe")):
                yield fault(row, "flow_pipe", ProblemKind.NO_FLOW_PIPE)


def role_of(book: Book, row: Row) -> DeviceRole | None:
    """The said, known or usual role of a device at its place; None where it must be said."""
    said, place = row.get("role"), row.get("place")
    kind = kind_of(book, row)
    if said is not None or kind is None:
        return said  # type: ignore[no-any-return]
    for device in book.bound.get(row.get("uid"), ()):
        if device.place == (place or device.place):
            return device.role
    if kind is not DeviceKind.METER:
        return DeviceRole(str(kind))
    at = book.spots[place].kind if place in book.spots else None
    return _USUAL.get(at) if at is not None else None


_USUAL = {
    PlaceKind.SOURCE: DeviceRole.PRIMARY,
    PlaceKind.CIRCUIT: DeviceRole.SECONDARY,
    PlaceKind.BUILDING: DeviceRole.BRANCH,
    PlaceKind.ENTRANCE: DeviceRole.BRANCH,
    PlaceKind.RISER: DeviceRole.BRANCH,
    PlaceKind.UNIT: DeviceRole.BRANCH,
}


def kind_of(book: Book, row: Row) -> DeviceKind | None:
    """The said or known kind of a device."""
    known = book.bound.get(row.get("uid"))
    return row.get("kind") or (known[0].kind if known and "kind" not in row.said else None)


def roles_fit(book: Book) -> Iterator[Problem]:
    """A room sensor hangs in a dwelling, a primary meter in a station, and so on."""
    for row in book.rows[Sheet.DEVICES]:
        spot = book.spots.get(row.get("place") or "")
        kind = kind_of(book, row)
        if (
            spot is None
            or spot.kind is None
            or kind is None
            or ("role" in row.said) > bool(row.get("role"))
        ):
            continue
        role = role_of(book, row)
        if role is None:
            yield fault(row, "role", ProblemKind.ROLE_UNSAID)
            continue
        fits, where = ROLES_AT[role]
        if fits is not kind or spot.kind not in where:
            facts = {"kind": str(kind), "kind_zh": DEVICE_KINDS[kind][0]}
            yield fault(
                row, "role", ProblemKind.ROLE_UNFIT, **facts, **naming("place_kind", spot.kind)
            )


_FACTS = ("kind", "flow_pipe", "interval_s", "height_m", "profile", "label")


def devices_agree(book: Book) -> Iterator[Problem]:
    """The rows of one device differ in place and period alone."""
    for rows in book.said(Sheet.DEVICES, "uid").values():
        for row in rows[1:]:
            for name in _FACTS:
                mine, first = row.get(name), rows[0].get(name)
                if mine is not None and first is not None and mine != first:
                    yield fault(row, name, ProblemKind.DEVICE_DIFFERS, other=rows[0].where)


def bindings_apart(book: Book) -> Iterator[Problem]:
    """A device hangs at one place at a time, in the file and together with what is known."""
    for uid, rows in book.said(Sheet.DEVICES, "uid").items():
        sound = [row for row in rows if not row.bad]
        yield from _among_themselves(sound)
        yield from _with_known([row for row in sound if not row.bad], book.bound.get(uid, []))


def _among_themselves(rows: list[Row]) -> Iterator[Problem]:
    first: dict[tuple[datetime, datetime], Row] = {}
    for row in rows:
        other = first.setdefault(period(row), row)
        if other is not row:
            yield fault(row, "uid", ProblemKind.DUPLICATE_DEVICE, other=other.where)
    for row, other in overlaps([(*period(row), row) for row in rows if not row.bad]):
        yield fault(row, "valid_from", ProblemKind.OVERLAPPING_BINDING, other=other.where)


def _with_known(rows: list[Row], known: list[Device]) -> Iterator[Problem]:
    """As storing them would: said ends count, and a move ends what was open."""
    said = {(row.get("place"), period(row)[0]): period(row)[1] for row in rows}
    since = min((period(row)[0] for row in rows), default=EVER)
    moves = any(period(row)[1] == EVER and period(row)[0] != ALWAYS for row in rows)
    for row in rows:
        began, ended = period(row)
        place = row.get("place")
        for device in known:
            there, until = device.valid_from or ALWAYS, device.valid_to or EVER
            if place is None or (place == device.place and there == began):
                continue
            if (began, ended) == (ALWAYS, EVER):
                if until == EVER and place != device.place:
                    yield fault(row, "place", ProblemKind.DEVICE_ELSEWHERE, known=device.place)
                continue
            until = said.get((device.place, there), until)
            if until == EVER and moves and there < since:
                until = since
            if began < until and there < ended:
                shown = f"{device.place} {_shown(device.valid_from)}…{_shown(device.valid_to)}"
                yield fault(row, "valid_from", ProblemKind.OVERLAPPING_BINDING, other=shown)
                break


def _shown(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%MZ}"
