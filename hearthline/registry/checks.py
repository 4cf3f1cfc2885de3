"""What is wrong in a ledger that is stored: a list of rules, each a function to findings.

Conventions such as "the code ends in the room number" or "602 is on floor 6" are learnt from each
building and only then demanded of its odd ones, since companies number in different ways.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median

from hearthline.domain.places import Device, DeviceRole, PlaceKind, UnitFacts
from hearthline.registry.cells import phone_fault
from hearthline.registry.columns import PLACE_KINDS
from hearthline.registry.findings import Finding, FindingKind
from hearthline.registry.rows import AREA_M2
from hearthline.registry.stock import Stock, room_number, tail_number

CONVENTION = 0.8
"""Share of a building's dwellings that make a habit a rule for the others."""

LEAST = 5
"""Dwellings from which something is learnt."""

SHARED_BY = 3
"""Dwellings from which one phone is suspicious: families do own two."""

AREA_OFF = 6.0
"""Robust deviations (1.4826 times the median absolute one) beyond which an area is odd."""

AREA_SPREAD = 0.05
"""A deviation counts as no less than this share of the usual area: equal flats have none."""

_MOBILE = 11

Rule = Callable[[Stock], Iterable[Finding]]


def check(stock: Stock) -> list[Finding]:
    """All findings, errors first, in the order of the rules."""
    found = [finding for rule in RULES for finding in rule(stock)]
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def duplicate_addresses(stock: Stock) -> Iterator[Finding]:
    """Two dwellings of an entrance, or two places below one, with the same name."""
    first: dict[tuple[str | None, PlaceKind, str], str] = {}
    for place in stock.ledger.places:
        if place.kind is PlaceKind.UNIT:
            where: str | None = stock.entrance_of.get(place.code, place.parent)
            name = stock.room(place.code) or place.name
        else:
            where, name = place.parent, place.name
        other = first.setdefault((where, place.kind, name), place.code)
        if other != place.code:
            facts = {"other": other, "name": place.name_zh or place.name}
            yield Finding(FindingKind.DUPLICATE_ADDRESS, place.code, facts=facts)


def tree_whole(stock: Stock) -> Iterator[Finding]:
    """Every parent is there and of a higher level; every dwelling has an entrance."""
    for place in stock.ledger.places:
        if place.parent is None:
            continue
        above = stock.places.get(place.parent)
        if above is None:
            yield Finding(FindingKind.NO_PARENT, place.code, facts={"other": place.parent})
        elif above.kind.level >= place.kind.level:
            facts = {"kind": place.kind, "kind_zh": PLACE_KINDS[place.kind][0],
                     "parent_kind": above.kind, "parent_kind_zh": PLACE_KINDS[above.kind][0],
                     "other": above.code}  # fmt: skip
            yield Finding(FindingKind.WRONG_LEVEL, place.code, facts=facts)
    for unit in stock.ledger.units:
        if unit.code not in stock.entrance_of:
            yield Finding(FindingKind.NO_ENTRANCE, unit.code)


def nothing_below(stock: Stock) -> Iterator[Finding]:
    """Whatever is no dwelling serves some; a dwelling has area and floor."""
    for place in stock.ledger.places:
        if place.kind is PlaceKind.UNIT:
            if place.code not in stock.units:
                yield Finding(FindingKind.NO_FACTS, place.code)
        elif not stock.children.get(place.code):
            facts = {"kind": place.kind, "kind_zh": PLACE_KINDS[place.kind][0]}
            yield Finding(FindingKind.NOTHING_BELOW, place.code, facts=facts)


def bindings(stock: Stock) -> Iterator[Finding]:
    """A device hangs at one place that exists, and stands in the ledger once."""
    by_uid: dict[str, list[Device]] = defaultdict(list)
    for device in stock.ledger.devices:
        by_uid[device.uid].append(device)
        if device.place not in stock.places:
            yield Finding(FindingKind.BOUND_TO_NOTHING, device.place, device.uid)
    for uid, rows in by_uid.items():
        now = [device for device in rows if stock.holds(device)]
        for other in now[1:]:
            yield Finding(FindingKind.BOUND_TWICE, now[0].place, uid, {"other": other.place})
    for uid in stock.unbound:
        yield Finding(FindingKind.DEVICE_NOWHERE, "", uid)
    yield from _same_devices([*by_uid, *(uid for uid in stock.unbound if uid not in by_uid)])


def _same_devices(uids: Iterable[str]) -> Iterator[Finding]:
    """The same number but for case: hardware addresses are written both ways."""
    first: dict[str, str] = {}
    for uid in uids:
        other = first.setdefault(uid.casefold(), uid)
        if other != uid:
            yield Finding(FindingKind.SAME_DEVICE, "", uid, {"other": other})


def incomplete(stock: Stock) -> Iterator[Finding]:
    """Dwellings without contact or room sensor, contacts without phone."""
    for unit in stock.ledger.units:
        contact = stock.contacts.get(unit.code)
        if contact is None or not (contact.name or contact.phone):
            yield Finding(FindingKind.NO_CONTACT, unit.code)
        elif not contact.phone:
            yield Finding(FindingKind.PHONE_MISSING, unit.code, facts={"name": contact.name})
        if not any(d.role is DeviceRole.ROOM for d in stock.bound.get(unit.code, ())):
            yield Finding(FindingKind.NO_DEVICE, unit.code)


def fee_records(stock: Stock) -> Iterator[Finding]:
    """One dwelling, one house, one fee record; and phones that can be dialled."""
    by_phone: dict[str, list[str]] = defaultdict(list)
    for contact in stock.ledger.contacts:
        if contact.code not in stock.units:
            yield Finding(FindingKind.CONTACT_WITHOUT_DWELLING, contact.code)
        for phone in filter(None, contact.phone.replace(" ", "").split("/")):
            by_phone[phone].append(contact.code)
            if fault := phone_fault(phone):
                yield Finding(FindingKind.PHONE_WRONG, contact.code, facts=_digits(phone, fault[0]))
    for phone, codes in by_phone.items():
        if len(codes) >= SHARED_BY:
            facts = {"phone": phone, "count": len(codes), "places": _few(codes)}
            yield Finding(FindingKind.SHARED_PHONE, codes[0], facts=facts)
        elif len(codes) == 2:
            yield from _same_record(stock, phone, codes)


def _same_record(stock: Stock, phone: str, codes: Sequence[str]) -> Iterator[Finding]:
    """The same name and phone at two doors of one entrance."""
    here, there = (stock.contacts[code] for code in codes)
    same = here.name and here.name == there.name
    if same and stock.entrance_of.get(here.code) == stock.entrance_of.get(there.code):
        facts = {"other": there.code, "name": here.name, "phone": phone}
        yield Finding(FindingKind.SHARED_CONTACT, here.code, facts=facts)


def _digits(phone: str, digits: int) -> dict[str, object]:
    off = digits - _MOBILE if phone.startswith("1") else 0
    short, short_zh = "", ""
    if off < 0:
        short, short_zh = f", {-off} short of a mobile's", f"，比手机号少 {-off} 位"
    elif off > 0:
        short, short_zh = f", {off} more than a mobile's", f"，比手机号多 {off} 位"
    return {"phone": phone, "digits": digits, "short": short, "short_zh": short_zh}


def _few(codes: Sequence[str]) -> str:
    return ", ".join(codes[:5]) + (" …" if len(codes) > 5 else "")


def areas(stock: Stock) -> Iterator[Finding]:
    """Areas beyond belief, and areas unlike those of the same column or building."""
    for _, units in stock.by_building():
        columns: dict[int, list[UnitFacts]] = defaultdict(list)
        for unit in units:
            columns[unit.column].append(unit)
        for unit in units:
            if not AREA_M2[0] <= unit.area_m2 <= AREA_M2[1]:
                facts = {"area": f"{unit.area_m2:g}"}
                yield Finding(FindingKind.AREA_UNBELIEVABLE, unit.code, facts=facts)
                continue
            stack = columns[unit.column]
            peers = stack if len(stack) >= LEAST else units
            usual = _usual(unit, [one.area_m2 for one in peers])
            if usual is not None:
                facts = {"area": f"{unit.area_m2:g}", "usual": f"{usual:g}"}
                more = {"count": len(peers) - 1}
                yield Finding(FindingKind.AREA_UNLIKE_PEERS, unit.code, facts={**facts, **more})


def _usual(unit: UnitFacts, peers: Sequence[float]) -> float | None:
    """The usual area of the peers, if the dwelling's is far from it (median and MAD)."""
    if len(peers) < LEAST:
        return None
    middle = median(peers)
    spread = 1.4826 * median(abs(area - middle) for area in peers)
    odd = abs(unit.area_m2 - middle) > AREA_OFF * max(spread, AREA_SPREAD * middle)
    return middle if odd else None


def names_agree(stock: Stock) -> Iterator[Finding]:
    """Both languages give the same room number."""
    for place in stock.ledger.places:
        en, zh = room_number(place.name), room_number(place.name_zh)
        if place.kind is PlaceKind.UNIT and en and zh and en != zh:
            facts = {"name": place.name, "other": place.name_zh}
            yield Finding(FindingKind.NAMES_DIFFER, place.code, facts=facts)


def room_numbers(stock: Stock) -> Iterator[Finding]:
    """Code and room number agree, and room number and floor, where the building has that habit."""
    for _, units in stock.by_building():
        rooms = [(unit, room) for unit in units if (room := stock.room(unit.code))]
        codes = [(unit, room, tail_number(unit.code) == room) for unit, room in rooms]
        for unit, room in _odd(codes):
            facts = {"name": room, "other": tail_number(unit.code) or "?"}
            yield Finding(FindingKind.CODE_NAME, unit.code, facts=facts)
        floors = [(unit, room, room[:-2] == str(unit.floor)) for unit, room in rooms]
        for unit, room in _odd(floors):
            facts = {"name": room, "floor": str(unit.floor)}
            yield Finding(FindingKind.FLOOR_NAME, unit.code, facts=facts)


def _odd(told: Sequence[tuple[UnitFacts, str, bool]]) -> Iterator[tuple[UnitFacts, str]]:
    """Those that break a habit which most of the others have."""
    if len(told) >= LEAST and sum(fits for *_, fits in told) >= CONVENTION * len(told):
        yield from ((unit, room) for unit, room, fits in told if not fits)


def doors(stock: Stock) -> Iterator[Finding]:
    """A door that no other floor of the entrance has, where one that all have is missing."""
    for _, units in stock.by_entrance():
        floors: dict[str, dict[str, str]] = defaultdict(dict)  # floor by its number: door → code
        for unit in units:
            if room := stock.room(unit.code):
                floors[room[:-2]][room[-2:]] = unit.code
        if len(floors) < LEAST:
            continue
        usual = Counter(door for there in floors.values() for door in there)
        common = {door for door, times in usual.items() if times >= CONVENTION * len(floors)}
        for floor, there in floors.items():
            missing = sorted(common - there.keys())
            strange = [door for door in there if usual[door] <= (1 - CONVENTION) * len(floors)]
            for door, other in zip(sorted(strange), missing, strict=False):
                facts = {"name": floor + door, "other": floor + other}
                yield Finding(FindingKind.DOOR_MISFILED, there[door], facts=facts)


RULES: tuple[Rule, ...] = (
    tree_whole,
    bindings,
    duplicate_addresses,
    names_agree,
    room_numbers,
    doors,
    fee_records,
    areas,
    nothing_below,
    incomplete,
)
"""What is looked at, in the order in which it is told."""
