"""The tree in memory, indexed as analysis asks: what is below, who is next door, what hangs where.

Built once per cycle from rows; immutable. Dwellings are numbered 0…n-1 in path order, so that
"all dwellings below a place" is a contiguous slice of every per-dwelling array.

A city is judged district by district: a *district* is a topmost place below the sources, as a rule
a substation with all that it heats.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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
    _paths: Sequence[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ordered = sorted(self.dwellings, key=lambda d: self.nodes[d.code].path)
        put = object.__setattr__
        put(self, "dwellings", tuple(ordered))
        put(self, "path_of", {code: node.path for code, node in self.nodes.items()})
        put(self, "index", {d.code: i for i, d in enumerate(ordered)})
        put(self, "_paths", tuple(self.nodes[d.code].path for d in ordered))

    @cached_property
    def floors(self) -> NDArray[np.int64]:
        """The floor of every dwelling, (dwellings,)."""
        return np.array([dwelling.floor for dwelling in self.dwellings], np.int64)

    def below(self, code: str) -> slice:
        """The dwellings at or below a place, as a slice of the dwelling order."""
        found = self._below.get(code)
        if found is None:
            path = self.nodes[code].path
            start = bisect_left(self._paths, path)
            stop = bisect_left(self._paths, path[:-1] + chr(ord("/") + 1), start)
            found = self._below[code] = slice(start, stop)
        return found

    @cached_property
    def _below(self) -> dict[str, slice]:
        """What was asked for of ``below``; by place."""
        return {}

    def codes(self, where: slice) -> list[str]:
        """Codes of a slice of dwellings."""
        return self._codes[where]

    @cached_property
    def _codes(self) -> list[str]:
        """The codes of all dwellings, in their order."""
        return [d.code for d in self.dwellings]

    def ancestor(self, code: str, kind: PlaceKind) -> str | None:
        """The place of a kind at or above ``code``, the topmost of several, or None."""
        line = self._lines.get(code)
        if line is None:
            parts = self.path_of[code].rstrip("/").split("/")
            line = {self.nodes[part].kind: part for part in reversed(parts) if part in self.nodes}
            self._lines[code] = line
        return line.get(kind)

    @cached_property
    def _lines(self) -> dict[str, Mapping[PlaceKind, str]]:
        """The places above those that were asked for, by their kinds."""
        return {}

    def ancestors(self, kind: PlaceKind) -> Sequence[str | None]:
        """``ancestor`` of every dwelling, in their order."""
        found = self._ancestors.get(kind)
        if found is None:
            found = [None] * len(self.dwellings)
            here = [node for node in self.nodes.values() if node.kind is kind]
            for node in sorted(here, key=lambda node: len(node.path), reverse=True):
                part = self.below(node.code)
                found[part] = [node.code] * (part.stop - part.start)
            self._ancestors[kind] = found
        return found

    @cached_property
    def _ancestors(self) -> dict[PlaceKind, list[str | None]]:
        """What was asked for of ``ancestors``."""
        return {}

    @cached_property
    def children(self) -> Mapping[str, Sequence[str]]:
        """What hangs directly below each place, by code; nothing of places without any."""
        found: dict[str, list[str]] = {}
        for node in self.nodes.values():
            parts = node.path.rstrip("/").split("/")
            if len(parts) > 1:
                found.setdefault(parts[-2], []).append(node.code)
        return {code: sorted(kids) for code, kids in found.items()}

    def label(self, code: str) -> dict[str, str]:
        """Where a place is, from its building down, in both languages: people know no codes."""
        if code not in self._labels:
            line = [self.nodes[part] for part in self.nodes[code].path.rstrip("/").split("/")]
            named = [node for node in line if node.kind in _SPOKEN] or line[-1:]
            self._labels[code] = {
                "en": ", ".join(node.name for node in named),
                "zh": "".join(node.name_zh or node.name for node in named),
            }
        return self._labels[code].copy()

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        """The labels that were asked for."""
        return {}

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
        return list(self._sources)

    @cached_property
    def _sources(self) -> Sequence[str]:
        return [n.code for n in self.nodes.values() if n.kind is PlaceKind.SOURCE]

    def neighbours(self, code: str) -> Sequence[str]:
        """Dwellings that share a wall or a ceiling: same building, one floor or one column away.

        Columns may be numbered along the front and on along the back: the last in front and the
        first behind are next in number, and touch only if their entrances are next door.
        """
        return self._beside.get(code, ())

    def near(self, code: str) -> frozenset[str]:
        """Dwellings within two walls: its neighbours, and theirs (itself among them)."""
        found = self._near.get(code)
        if found is None:
            beside = self.neighbours(code)
            found = frozenset(beside).union(*map(self.neighbours, beside))
            self._near[code] = found
        return found

    @cached_property
    def _near(self) -> dict[str, frozenset[str]]:
        """What was asked for of ``near``."""
        return {}

    @cached_property
    def _beside(self) -> Mapping[str, Sequence[str]]:
        """Every dwelling's neighbours, in the order of dwellings."""
        codes = self._codes
        return {
            code: [codes[other] for other in around]
            for code, around in zip(codes, self.beside, strict=True)
        }

    @cached_property
    def beside(self) -> Sequence[Sequence[int]]:
        """The neighbours of every dwelling by their numbers, in order; see ``neighbours``."""
        doors: dict[tuple[str, int, int], list[int]] = {}
        home = self.ancestors(PlaceKind.BUILDING)
        for unit, (one, here) in enumerate(zip(self.dwellings, home, strict=True)):
            if here is not None:
                doors.setdefault((here, one.floor, one.column), []).append(unit)
        stairs = self._stairs
        found: list[Sequence[int]] = []
        for one, here, stair in zip(self.dwellings, home, stairs, strict=True):
            if here is None:
                found.append(())
                continue
            floor, column = one.floor, one.column
            aside = (
                *doors.get((here, floor, column - 1), ()),
                *doors.get((here, floor, column + 1), ()),
            )
            around = [
                *doors.get((here, floor - 1, column), ()),
                *doors.get((here, floor + 1, column), ()),
                *(other for other in aside if abs(stairs[other] - stair) <= 1),
            ]
            found.append(sorted(around))
        return found

    @property
    def _stairs(self) -> Sequence[int]:
        """Which entrance of its building each dwelling is in, counted along the front; from 0."""
        entrances = self.ancestors(PlaceKind.ENTRANCE)
        first: dict[str, int] = {}
        for one, entrance in zip(self.dwellings, entrances, strict=True):
            if entrance is not None:
                first[entrance] = min(first.get(entrance, one.column), one.column)
        number: dict[str, int] = {}
        count: dict[str, int] = defaultdict(int)
        for entrance in sorted(first, key=first.__getitem__):
            home = self.ancestor(entrance, PlaceKind.BUILDING) or ""
            number[entrance] = count[home]
            count[home] += 1
        return [0 if entrance is None else number[entrance] for entrance in entrances]

    def status(self, code: str, at: datetime) -> HeatingStatus:
        """What the company supplies to a dwelling at an instant; ON where nothing is on file."""
        periods = self.statuses.get(code)
        if periods is not None:
            for period in periods:
                if period.holds(at):
                    return period.status
        return HeatingStatus.ON

    def unheated(self, at: datetime) -> frozenset[str]:
        """The dwellings to which the company supplies nothing, or little, at an instant."""
        stretch = bisect_right(self._turns, at)
        found = self._unheated.get(stretch)
        if found is None:
            found = self._unheated[stretch] = frozenset(
                code for code in self.statuses if self.status(code, at) is not HeatingStatus.ON
            )
        return found

    @cached_property
    def _turns(self) -> Sequence[datetime]:
        """When any status begins or ends: between two of these all stay as they are."""
        periods = [period for one in self.statuses.values() for period in one]
        ends = {period.until for period in periods if period.until is not None}
        return sorted({period.since for period in periods} | ends)

    @cached_property
    def _unheated(self) -> dict[int, frozenset[str]]:
        """What was asked for of ``unheated``, by the number of turns before."""
        return {}

    def unheated_beside(self, code: str, at: datetime) -> Sequence[str]:
        """Dwellings beside one that are not heated: beyond its walls first, then on its landing.

        A ledger's columns tell who is next along the façade, not who is behind: the dwellings of
        one floor of an entrance lie around its stairwell, and most of them touch.
        """
        known = self._unheated_beside.setdefault(bisect_right(self._turns, at), {})
        found = known.get(code)
        if found is None:
            unheated = self.unheated(at)
            walls = [one for one in self.neighbours(code) if one in unheated]
            landing = (one for one in self._landing[code] if one in unheated and one != code)
            found = known[code] = [*walls, *(one for one in landing if one not in walls)]
        return found

    @cached_property
    def _unheated_beside(self) -> dict[int, dict[str, Sequence[str]]]:
        """What was asked for of ``unheated_beside``, by the number of turns before."""
        return {}

    @cached_property
    def _landing(self) -> Mapping[str, Sequence[str]]:
        """Every dwelling's landing: those of its entrance and floor, by code."""
        found: dict[tuple[str, int], list[str]] = {}
        entrances = self.ancestors(PlaceKind.ENTRANCE)
        homes = [
            found.setdefault((entrance or one.code, one.floor), [])
            for one, entrance in zip(self.dwellings, entrances, strict=True)
        ]
        for one, home in zip(self.dwellings, homes, strict=True):
            home.append(one.code)
        for home in found.values():
            home.sort()
        return dict(zip(self._codes, homes, strict=True))

    def meters(self, role: DeviceRole) -> list[Instrument]:
        """Heat meters of a role."""
        return [i for i in self.instruments if i.kind is DeviceKind.METER and i.role is role]
