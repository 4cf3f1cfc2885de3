"""The tree in memory, indexed as analysis asks: what is below, who is next door, what hangs where.

Built once per cycle from rows; immutable. Dwellings are numbered 0…n-1 in path order, so that
"all dwellings below a place" is a contiguous slice of every per-dwelling array.

A city is judged district by district: a *district* is a topmost place below the sources, as a rule
a substation with all that it heats.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe, HeatingStatus, PlaceKind

_SPOKEN = frozenset({PlaceKind.BUILDING, PlaceKind.ENTRANCE, PlaceKind.UNIT})


@dataclass(frozen=True, slots=True)
class Node:
    """A place of the tree with its path and names."""

    id: int
    code: str
    kind: PlaceKind
    path: str
    name: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class Dwelling:
    """A unit with what its neighbours need to know of it."""

    code: str
    area_m2: float
    floor: int
    column: int
    warranty_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """A device as it is bound now."""

    id: int
    uid: str
    kind: DeviceKind
    role: DeviceRole
    place: str
    flow_pipe: FlowPipe | None
    interval_s: int


@dataclass(frozen=True, slots=True)
class Period:
    """A heating status of a dwelling from ``since`` (inclusive) to ``until`` (exclusive)."""

    status: HeatingStatus
    since: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether it applies at an instant."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True)
class Network:
    """The whole tree; see the module docstring for the order of dwellings."""

    nodes: Mapping[str, Node]
    dwellings: Sequence[Dwelling]
    instruments: Sequence[Instrument]
    statuses: Mapping[str, Sequence[Period]]
    index: Mapping[str, int] = field(init=False, repr=False)
    path_of: Mapping[str, str] = field(init=False, repr=False)
    children: Mapping[str, Sequence[str]] = field(init=False, repr=False)
    _paths: Sequence[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ordered = sorted(self.dwellings, key=lambda d: self.nodes[d.code].path)
        put = object.__setattr__
        put(self, "dwellings", tuple(ordered))
        put(self, "path_of", {code: node.path for code, node in self.nodes.items()})
        put(self, "index", {d.code: i for i, d in enumerate(ordered)})
        put(self, "_paths", tuple(self.nodes[d.code].path for d in ordered))
        put(self, "children", _children(self.nodes.values()))

    def below(self, code: str) -> slice:
        """The dwellings at or below a place, as a slice of the dwelling order."""
        path = self.nodes[code].path
        start = bisect_left(self._paths, path)
        return slice(start, bisect_left(self._paths, path[:-1] + chr(ord("/") + 1)))

    def codes(self, where: slice) -> list[str]:
        """Codes of a slice of dwellings."""
        return [d.code for d in self.dwellings[where]]

    def ancestor(self, code: str, kind: PlaceKind) -> str | None:
        """The place of a kind at or above ``code``, or None."""
        return self._line[code].get(kind)

    @cached_property
    def _line(self) -> Mapping[str, Mapping[PlaceKind, str]]:
        """The topmost place of each kind at or above every place."""
        found: dict[str, Mapping[PlaceKind, str]] = {}
        for node in sorted(self.nodes.values(), key=lambda node: len(node.path)):
            above = self.path_of[node.code].rstrip("/").rpartition("/")[0].rpartition("/")[2]
            found[node.code] = {node.kind: node.code, **found.get(above, {})}
        return found

    def label(self, code: str) -> dict[str, str]:
        """Where a place is, from its building down, in both languages: people know no codes."""
        line = [self.nodes[part] for part in self.nodes[code].path.rstrip("/").split("/")]
        named = [node for node in line if node.kind in _SPOKEN] or line[-1:]
        return {
            "en": ", ".join(node.name for node in named),
            "zh": "".join(node.name_zh or node.name for node in named),
        }

    def districts(self) -> list[str]:
        """The topmost places that are no source, in the order of their paths."""
        nodes = sorted(self.nodes.values(), key=lambda node: node.path)
        return [
            node.code
            for node in nodes
            if node.kind is not PlaceKind.SOURCE
            and all(self.nodes[c].kind is PlaceKind.SOURCE for c in self._above(node.code))
        ]

    def _above(self, code: str) -> list[str]:
        return self.path_of[code].rstrip("/").split("/")[:-1]

    def part(self, district: str) -> Network:
        """One district with what is above it, and the weather stations wherever they stand."""
        path = self.path_of[district]
        above = set(self._above(district))
        nodes = {c: n for c, n in self.nodes.items() if n.path.startswith(path) or c in above}
        dwellings = self.dwellings[self.below(district)]
        kept = [i for i in self.instruments if i.place in nodes or i.kind is DeviceKind.WEATHER]
        own = {d.code for d in dwellings}
        return Network(nodes, dwellings, kept, {c: s for c, s in self.statuses.items() if c in own})

    def roots(self) -> list[str]:
        """The sources."""
        return [n.code for n in self.nodes.values() if n.kind is PlaceKind.SOURCE]

    def neighbours(self, code: str) -> Sequence[str]:
        """Dwellings that share a wall or a ceiling: same building, one floor or one column away."""
        return self._beside.get(code, ())

    @cached_property
    def _beside(self) -> Mapping[str, Sequence[str]]:
        """Every dwelling's neighbours, in the order of dwellings."""
        doors: dict[tuple[str, int, int], list[str]] = {}
        home = {}
        for one in self.dwellings:
            building = self.ancestor(one.code, PlaceKind.BUILDING)
            if building is not None:
                home[one.code] = building
                doors.setdefault((building, one.floor, one.column), []).append(one.code)
        found = {}
        for one in self.dwellings:
            if one.code in home:
                around = [
                    code
                    for floor, column in ((-1, 0), (1, 0), (0, -1), (0, 1))
                    for code in doors.get(
                        (home[one.code], one.floor + floor, one.column + column), ()
                    )
                ]
                found[one.code] = sorted(around, key=self.index.__getitem__)
        return found

    def status(self, code: str, at: datetime) -> HeatingStatus:
        """What the company supplies to a dwelling at an instant; ON where nothing is on file."""
        for period in self.statuses.get(code, ()):
            if period.holds(at):
                return period.status
        return HeatingStatus.ON

    def unheated(self, at: datetime) -> frozenset[str]:
        """The dwellings to which the company supplies nothing, or little, at an instant."""
        return frozenset(
            code for code in self.statuses if self.status(code, at) is not HeatingStatus.ON
        )

    def meters(self, role: DeviceRole) -> list[Instrument]:
        """Heat meters of a role."""
        return [i for i in self.instruments if i.kind is DeviceKind.METER and i.role is role]


def _children(nodes: Iterable[Node]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {}
    for node in nodes:
        parts = node.path.rstrip("/").split("/")
        if len(parts) > 1:
            children.setdefault(parts[-2], []).append(node.code)
    return {code: sorted(kids) for code, kids in children.items()}
