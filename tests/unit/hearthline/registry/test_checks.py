"""The check of a stored ledger: every rule finds its fault and leaves a sound ledger alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hearthline.domain.places import (
    Contact,
    Device,
    DeviceKind,
    DeviceRole,
    Ledger,
    Place,
    PlaceKind,
)
from hearthline.errors import Invalid
from hearthline.registry import sampling
from hearthline.registry.checks import check
from hearthline.registry.findings import WORDINGS, Finding, FindingKind
from hearthline.registry.stock import Stock
from tests import builders

NOW = datetime(2026, 1, 10, tzinfo=UTC)


def sound() -> Ledger:
    """Two buildings of six floors; every dwelling has a sensor and a contact."""
    town = builders.town(builders.TownPlan(1, 2, 1, 6))
    contacts = (
        Contact(unit.code, f"户主{number}", f"138{number:08d}")
        for number, unit in enumerate(town.units)
    )
    return replace(town, contacts=tuple(contacts))


def found(ledger: Ledger, *unbound: str) -> list[Finding]:
    return check(Stock(ledger, NOW, unbound))


def test_a_sound_ledger_has_no_findings() -> None:
    assert found(sound()) == []


CODE = "T-S1-B01-E1-0602"


def with_place(ledger: Ledger, code: str, **facts: object) -> Ledger:
    places = (replace(p, **facts) if p.code == code else p for p in ledger.places)  # type: ignore[arg-type]
    return replace(ledger, places=tuple(places))


def with_unit(ledger: Ledger, code: str, **facts: object) -> Ledger:
    units = (replace(u, **facts) if u.code == code else u for u in ledger.units)  # type: ignore[arg-type]
    return replace(ledger, units=tuple(units))


def with_contact(ledger: Ledger, code: str, **facts: object) -> Ledger:
    contacts = (replace(c, **facts) if c.code == code else c for c in ledger.contacts)  # type: ignore[arg-type]
    return replace(ledger, contacts=tuple(contacts))


def plus_device(ledger: Ledger, uid: str, place: str) -> Ledger:
    device = Device(uid, DeviceKind.ROOM, DeviceRole.ROOM, place)
    return replace(ledger, devices=(*ledger.devices, device))


K = FindingKind
FAULTS: list[tuple[Callable[[Ledger], Ledger], dict[FindingKind, str]]] = [
    (  # the real case: 602 filed as 603, in a house without third doors
        lambda town: with_place(town, CODE, name="603", name_zh="603室"),
        {K.CODE_NAME: "ends in 602, but the room number is 603",
         K.DOOR_MISFILED: "602 is probably filed as 603"},
    ),
    (
        lambda town: with_place(town, CODE, name="601", name_zh="601室"),
        {K.DUPLICATE_ADDRESS: "same address 601室", K.CODE_NAME: "602"},
    ),
    (lambda town: with_unit(town, CODE, floor=5), {K.FLOOR_NAME: "602 is filed on floor 5"}),
    (lambda town: with_place(town, CODE, name_zh="603室"), {K.NAMES_DIFFER: "603室"}),
    (
        lambda town: with_contact(town, CODE, phone="1380000123"),
        {K.PHONE_WRONG: "10 digits, 1 short of a mobile's"},
    ),
    (
        lambda town: with_contact(town, CODE, phone="138000012345"),
        {K.PHONE_WRONG: "12 digits, 1 more than"},
    ),
    (lambda town: with_contact(town, CODE, phone=""), {K.PHONE_MISSING: "no phone number"}),
    (
        lambda town: replace(town, contacts=tuple(
            replace(c, phone="13900000000") if n < 3 else c for n, c in enumerate(town.contacts))),
        {K.SHARED_PHONE: "3 dwellings"},
    ),
    (
        lambda town: with_contact(with_contact(town, CODE, name="王", phone="13900000000"),
                                  "T-S1-B01-E1-0601", name="王", phone="13900000000"),
        {K.SHARED_CONTACT: "same fee record"},
    ),
    (lambda town: replace(town, contacts=town.contacts[1:]), {K.NO_CONTACT: "no contact"}),
    (
        lambda town: replace(town, contacts=(*town.contacts, Contact("T-S1", "厂", "13912345678"))),
        {K.CONTACT_WITHOUT_DWELLING: "belongs to no dwelling"},
    ),
    (lambda town: with_unit(town, CODE, area_m2=825.0), {K.AREA_UNLIKE_PEERS: "about 82.5 m²"}),
    (lambda town: with_unit(town, CODE, area_m2=0.8), {K.AREA_UNBELIEVABLE: "0.8 m²"}),
    (
        lambda town: plus_device(town, "own:t/T-S1-B01-E1-0101", CODE),
        {K.BOUND_TWICE: "T-S1-B01-E1-0101 and T-S1-B01-E1-0602"},
    ),
    (lambda town: plus_device(town, "OWN:t/" + CODE, CODE), {K.SAME_DEVICE: "same device"}),
    (lambda town: plus_device(town, "own:t/x", "gone"), {K.BOUND_TO_NOTHING: "bound to gone"}),
    (
        lambda town: replace(town, devices=tuple(d for d in town.devices if d.place != CODE)),
        {K.NO_DEVICE: "no room sensor"},
    ),
    (
        lambda town: replace(
            town, places=(*town.places, Place("E9", PlaceKind.ENTRANCE, "T-S1-B01", "E9"))),
        {K.NOTHING_BELOW: "the entrance has nothing below it"},
    ),
    (
        lambda town: replace(town, places=(
            *town.places, Place("U9", PlaceKind.UNIT, "T-S1-B01-E1-R1", "903"))),
        {K.NO_FACTS: "neither area nor floor"},
    ),
    (
        lambda town: with_place(town, "T-S1-B01-E1", parent="gone"),
        {K.NO_PARENT: "gone, does not exist", K.NOTHING_BELOW: "has nothing below it"},
    ),
    (
        lambda town: replace(
            with_place(town, "T-S1-B02-E1", parent="T-S1-B01-E1-R1"), statuses=()),
        {K.WRONG_LEVEL: "entrance stands below riser",
         K.NOTHING_BELOW: "the building has nothing below it"},
    ),
    (lambda town: with_place(town, CODE, parent="T-S1-B01"), {K.NO_ENTRANCE: "no entrance"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "expected"),
    FAULTS,
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_every_rule_finds_its_fault(
    spoil: Callable[[Ledger], Ledger], expected: dict[FindingKind, str]
) -> None:
    findings = found(spoil(sound()))

    assert {finding.kind for finding in findings} >= set(expected)
    unexpected = {f.kind for f in findings} - set(expected) - {K.NO_ENTRANCE, K.DOOR_MISFILED}
    assert not unexpected, findings
    for kind, words in expected.items():
        finding = next(finding for finding in findings if finding.kind is kind)
        assert words in f"{finding.en} {finding.remedy[0]}"
        assert finding.zh
        assert finding.remedy[1]


def test_devices_that_hang_nowhere_are_found() -> None:
    (finding,) = found(sound(), "own:t/lost")
    assert (finding.kind, finding.device) == (K.DEVICE_NOWHERE, "own:t/lost")


def test_errors_come_first() -> None:
    spoilt = with_unit(replace(sound(), contacts=()), CODE, floor=5)
    severities = [str(finding.severity) for finding in found(spoilt)]
    assert severities == sorted(severities)
    assert severities[0] == "error"


def test_a_house_that_numbers_its_doors_in_its_own_way_is_left_alone() -> None:
    town = sound()
    numbers = {unit.code: str(number) for number, unit in enumerate(town.units, 101)}
    places = (
        replace(p, name=numbers[p.code], name_zh="") if p.code in numbers else p
        for p in town.places
    )
    kinds = {finding.kind for finding in found(replace(town, places=tuple(places)))}
    assert kinds.isdisjoint({K.CODE_NAME, K.FLOOR_NAME})


def test_two_flats_of_one_family_are_no_finding() -> None:
    town = with_contact(sound(), CODE, phone="13900000000")
    assert found(with_contact(town, "T-S1-B02-E1-0101", phone="13900000000")) == []


def test_a_binding_that_has_ended_is_no_second_one() -> None:
    town = sound()
    ended = Device(
        f"own:t/{CODE}", DeviceKind.ROOM, DeviceRole.ROOM, "T-S1-B01-E1-0101",
        valid_to=datetime(2025, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert found(replace(town, devices=(ended, *town.devices))) == []


def test_every_finding_has_words_in_both_languages() -> None:
    assert set(WORDINGS) == set(FindingKind)
    for wording in WORDINGS.values():
        assert all(any(ord(sign) > 0x4E00 for sign in pair[1])
                   for pair in (wording.sentence, wording.remedy))  # fmt: skip


def test_ten_weeks_of_ten_per_cent_see_every_dwelling_once() -> None:
    codes = [f"u{number}" for number in range(1_000)]
    weeks = [sampling.draw(codes, 0.1, week) for week in range(2_900, 2_910)]
    assert sorted(code for week in weeks for code in week) == sorted(codes)
    assert weeks[0] == sampling.draw(reversed(codes), 0.1, 2_900), "anyone draws the same"
    assert weeks[0] != sampling.draw(codes, 0.1, 2_900, seed=1)
    assert sampling.draw(["a"], 0.1, 7) == ["a"]
    assert sampling.draw([], 0.1, 7) == []


def test_weeks_and_shares_are_read_as_people_write_them() -> None:
    week = sampling.week_of(date(2026, 11, 22))
    assert sampling.week_name(week) == "2026-W47"
    assert sampling.parse_week("2026-W47") == week
    assert sampling.week_name(week + 6) == "2026-W53"
    assert sampling.parse_share("10%") == sampling.parse_share("0.1") == 0.1
    for wrong in ("0", "101%", "ten"):
        with pytest.raises(Invalid):
            sampling.parse_share(wrong)
    for wrong in ("2026-W60", "now"):
        with pytest.raises(Invalid):
            sampling.parse_week(wrong)


def test_an_address_says_where_a_dwelling_is_in_both_languages() -> None:
    stock = Stock(sound(), NOW)
    assert stock.address(CODE) == ("House 1, Entrance 1, 602", "1号楼1单元602室")
