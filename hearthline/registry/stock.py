"""The stored ledger as the checks look at it: indexed by place, building, entrance and device."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from hearthline.domain.places import Contact, Device, Ledger, Place, PlaceKind, UnitFacts
from hearthline.domain.words import Pair

_SPOKEN = frozenset({PlaceKind.BUILDING, PlaceKind.ENTRANCE, PlaceKind.UNIT})
_ROOM = re.compile(r"(\d{3,5})(?:\s*(?:室|号|房|户))?")
_TAIL = re.compile(r"(\d+)\D*$")


@dataclass(frozen=True)
class Stock:
    """A ledger and the devices that hang nowhere, at an instant."""

    ledger: Ledger
    at: datetime
    unbound: Collection[str] = ()
    places: Mapping[str, Place] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {place.code: place for place in self.ledger.places})

    @cached_property
    def units(self) -> dict[str, UnitFacts]:
        """Facts of dwellings by code."""
        return {unit.code: unit for unit in self.ledger.units}

    @cached_property
    def contacts(self) -> dict[str, Contact]:
        """Contacts by dwelling."""
        return {contact.code: contact for contact in self.ledger.contacts}

    @cached_property
    def children(self) -> dict[str, list[Place]]:
        """Places by the one above them."""
        found: dict[str, list[Place]] = defaultdict(list)
        for place in self.ledger.places:
            if place.parent is not None:
                found[place.parent].append(place)
        return found

    @cached_property
    def bound(self) -> dict[str, list[Device]]:
        """Devices that hang now, by place."""
        found: dict[str, list[Device]] = defaultdict(list)
        for device in self.ledger.devices:
            if self.holds(device):
                found[device.place].append(device)
        return found

    def holds(self, device: Device) -> bool:
        """Whether a binding holds now."""
        began = device.valid_from is None or device.valid_from <= self.at
        return began and (device.valid_to is None or self.at < device.valid_to)

    def above(self, code: str, kind: PlaceKind) -> str | None:
        """The place of a kind above another, or None."""
        seen: set[str] = set()
        place = self.places.get(code)
        while place and place.parent and place.parent not in seen:
            seen.add(place.parent)
            place = self.places.get(place.parent)
            if place and place.kind is kind:
                return place.code
        return None

    @cached_property
    def building_of(self) -> dict[str, str]:
        """The building of each dwelling that has one."""
        return self._grouped(PlaceKind.BUILDING)

    @cached_property
    def entrance_of(self) -> dict[str, str]:
        """The entrance of each dwelling that has one."""
        return self._grouped(PlaceKind.ENTRANCE)

    def _grouped(self, kind: PlaceKind) -> dict[str, str]:
        found = {}
        for unit in self.ledger.units:
            above = self.above(unit.code, kind)
            if above is not None:
                found[unit.code] = above
        return found

    def by_building(self) -> Iterator[tuple[str, Sequence[UnitFacts]]]:
        """The dwellings of each building."""
        yield from self._of(self.building_of)

    def by_entrance(self) -> Iterator[tuple[str, Sequence[UnitFacts]]]:
        """The dwellings of each entrance."""
        yield from self._of(self.entrance_of)

    def _of(self, where: Mapping[str, str]) -> Iterator[tuple[str, Sequence[UnitFacts]]]:
        found: dict[str, list[UnitFacts]] = defaultdict(list)
        for unit in self.ledger.units:
            if unit.code in where:
                found[where[unit.code]].append(unit)
        yield from found.items()

    def address(self, code: str) -> Pair:
        """Where a place is, from its building down, in English and Chinese."""
        line, at = [], self.places.get(code)
        while at is not None and at not in line:
            line.append(at)
            at = self.places.get(at.parent or "")
        named = [place for place in reversed(line) if place.kind in _SPOKEN] or line[:1]
        return (
            ", ".join(place.name for place in named),
            "".join(place.name_zh or place.name for place in named),
        )

    def room(self, code: str) -> str | None:
        """The room number at a dwelling's door, such as 602, if its name is one."""
        place = self.places.get(code)
        return None if place is None else room_number(place.name) or room_number(place.name_zh)


def room_number(name: str) -> str | None:
    """The digits of a name that is a room number: ``602``, ``602室``, ``1203号``."""
    found = _ROOM.fullmatch(name.strip())
    return found[1].lstrip("0") or None if found else None


def tail_number(code: str) -> str | None:
    """The number at the end of a code, without leading zeros: ``S01-B03-E1-0602`` has 602."""
    found = _TAIL.search(code)
    return found[1].lstrip("0") or None if found else None
