"""The ledger that a town hands over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hearthline.domain.places import DeviceKind, DeviceRole, HeatingStatus, PlaceKind
from simulators import City, build
from tests.unit.simulators.conftest import HAMLET, scenario_of

STOPPED = """
faults:
  - {cause: neighbour_unheated, place: H-S1-B01-E1-0602, onset: -60d}
  - {cause: neighbour_unheated, place: H-S2-B01-E1-0102, onset: 2h, end: 8h}
"""


def test_names_are_what_stands_at_the_door(hamlet: Callable[..., City]) -> None:
    names = {place.code: (place.name, place.name_zh) for place in hamlet().ledger.places}
    assert names["H"] == ("Plant", "热源厂")
    assert names["H-S1"] == ("East substation", "东换热站")
    assert names["H-S1-B02"] == ("East estate, building 2", "东小区2号楼")
    assert names["H-S1-B01-E2"] == ("Entrance 2", "2单元")
    assert names["H-S1-B01-E2-0602"] == ("602", "602室")


def test_substations_and_buildings_have_distinct_coordinates(hamlet: Callable[..., City]) -> None:
    placed = [p for p in hamlet().ledger.places if p.kind in (PlaceKind.BUILDING,)]
    assert len({(p.latitude, p.longitude) for p in placed}) == len(placed)
    assert all(p.latitude is not None and abs(p.latitude - 45.7) < 0.05 for p in placed)


def test_every_unit_has_facts_and_a_status(hamlet: Callable[..., City]) -> None:
    ledger = hamlet().ledger
    codes = {place.code for place in ledger.places if place.kind is PlaceKind.UNIT}
    assert {unit.code for unit in ledger.units} == codes
    assert {status.code for status in ledger.statuses} == codes


def test_without_an_anchor_old_stops_are_dated_long_ago_and_later_ones_left_out(
    hamlet: Callable[..., City],
) -> None:
    statuses = {s.code: s for s in hamlet(STOPPED).ledger.statuses}
    assert statuses["H-S1-B01-E1-0602"].status is HeatingStatus.STOPPED
    assert statuses["H-S2-B01-E1-0102"].status is HeatingStatus.ON


def test_with_an_anchor_statuses_follow_each_other_without_gap(
    hamlet: Callable[..., City],
) -> None:
    anchor = datetime(2026, 1, 12, tzinfo=UTC)
    ledger = hamlet(STOPPED).ledger_at(anchor)
    periods = [s for s in ledger.statuses if s.code == "H-S2-B01-E1-0102"]
    assert [s.status for s in periods] == [
        HeatingStatus.ON,
        HeatingStatus.STOPPED,
        HeatingStatus.ON,
    ]
    assert [s.valid_to for s in periods] == [
        anchor + timedelta(hours=2),
        anchor + timedelta(hours=8),
        None,
    ]
    assert [s.valid_from for s in periods[1:]] == [s.valid_to for s in periods[:-1]]


def test_statuses_say_why_a_dwelling_is_not_heated(hamlet: Callable[..., City]) -> None:
    ledger = hamlet(
        "faults:\n"
        "  - {cause: neighbour_unheated, variant: vacant, place: H-S1-B01-E1-0602, onset: -60d}\n"
        "  - {cause: neighbour_unheated, variant: restricted, place: H-S1-B01-E2-0102,"
        " onset: -60d}\n"
        "  - {cause: neighbour_unheated, place: H-S2-B01-E1-0102, onset: -60d}\n"
    ).ledger
    off = {s.code: s.status for s in ledger.statuses if s.status is not HeatingStatus.ON}
    assert off == {
        "H-S1-B01-E1-0602": HeatingStatus.VACANT,
        "H-S1-B01-E2-0102": HeatingStatus.RESTRICTED,
        "H-S2-B01-E1-0102": HeatingStatus.STOPPED,
    }


def test_a_dwelling_stopped_twice_has_both_periods(hamlet: Callable[..., City]) -> None:
    anchor = datetime(2026, 1, 12, tzinfo=UTC)
    twice = hamlet(
        "faults:\n"
        "  - {cause: neighbour_unheated, place: H-S2-B01-E1-0102, onset: 8h}\n"
        "  - {cause: neighbour_unheated, variant: vacant, place: H-S2-B01-E1-0102,"
        " onset: 2h, end: 6h}\n"
    )
    periods = [s for s in twice.ledger_at(anchor).statuses if s.code == "H-S2-B01-E1-0102"]
    on, vacant, stopped = HeatingStatus.ON, HeatingStatus.VACANT, HeatingStatus.STOPPED
    assert [s.status for s in periods] == [on, vacant, on, stopped]
    assert [s.valid_from for s in periods[1:]] == [anchor + timedelta(hours=h) for h in (2, 6, 8)]
    assert [s.valid_to for s in periods[:-1]] == [s.valid_from for s in periods[1:]]
    assert periods[-1].valid_to is None


def circuits(several: str) -> dict[str, tuple[str, str]]:
    """Names of the circuits of a hamlet whose second substation has ``several``."""
    text = HAMLET.replace("buildings: [2x5]}", f"circuits: [{several}]}}")
    places = build(scenario_of(base=text)).ledger.places
    return {p.code: (p.name, p.name_zh) for p in places if p.kind is PlaceKind.CIRCUIT}


def test_circuits_are_called_by_what_they_heat() -> None:
    names = circuits(
        "{name: radiators, buildings: [1x5]}, {name: floors, heating: floor, buildings: [1x6]}"
    )
    assert names == {
        "H-S1-C1": ("East circuit 1", "东一号环路"),
        "H-S2-C1": ("West radiators", "西散热器环路"),
        "H-S2-C2": ("West floors", "西地暖环路"),
    }


def test_circuits_that_heat_alike_are_called_by_their_zone() -> None:
    names = circuits(
        "{name: low zone, buildings: [1x5]}, {name: high zone, buildings: [1x15]},"
        " {name: floors, heating: floor, buildings: [1x6]},"
        " {name: annex, name_zh: 配楼环路, heating: floor, buildings: [1x2]}"
    )
    assert [zh for _, zh in names.values()] == [
        "东一号环路",
        "西低区环路",
        "西高区环路",
        "西地暖低区环路",
        "西配楼环路",
    ]


def test_buildings_hang_on_their_circuit_and_circuits_on_their_substation() -> None:
    text = HAMLET.replace(
        "buildings: [2x5]}",
        "circuits: [{name: low zone, buildings: [1x5]},"
        " {name: floors, heating: floor, buildings: [1x6, 1x3]}]}",
    )
    parents = {p.code: p.parent for p in build(scenario_of(base=text)).ledger.places}
    assert parents["H-S2-C2"] == parents["H-S2-C1"] == "H-S2"
    assert [parents[f"H-S2-B0{n}"] for n in (1, 2, 3)] == ["H-S2-C1", "H-S2-C2", "H-S2-C2"]


def test_landings_with_four_doors_have_four_risers_and_doors() -> None:
    text = HAMLET.replace("buildings: [2x5]}", "buildings: [1x5x4]}")
    ledger = build(scenario_of(base=text)).ledger
    codes = [p.code for p in ledger.places if p.code.startswith("H-S2-B01-E1-")]
    assert [code for code in codes if "-R" in code] == [f"H-S2-B01-E1-R{n}" for n in (1, 2, 3, 4)]
    parents = {p.code: p.parent for p in ledger.places}
    assert parents["H-S2-B01-E1-0304"] == "H-S2-B01-E1-R4"
    names = {p.code: p.name_zh for p in ledger.places}
    assert names["H-S2-B01-E1-0304"] == "304室"
    facts = {unit.code: unit for unit in ledger.units}
    assert {facts[f"H-S2-B01-E1-030{door}"].column for door in (1, 2, 3, 4)} == {1, 2, 3, 4}


def test_meters_sit_at_source_substations_buildings_and_chosen_entrances(
    hamlet: Callable[..., City],
) -> None:
    devices = hamlet().ledger.devices
    meters = {d.place: d.role for d in devices if d.kind is DeviceKind.METER}
    roles = Counter(d.role for d in devices if d.kind is DeviceKind.METER)
    assert roles == {DeviceRole.PRIMARY: 3, DeviceRole.SECONDARY: 2, DeviceRole.BRANCH: 5}
    assert meters["H-S1-B01-E2"] is DeviceRole.BRANCH
    assert "H-S2-B01-E1" not in meters


def test_every_meter_says_which_pipe_holds_its_flow_sensor(hamlet: Callable[..., City]) -> None:
    meters = [d for d in hamlet().ledger.devices if d.kind is DeviceKind.METER]
    assert {meter.flow_pipe for meter in meters} >= {meters[0].flow_pipe}
    assert all(meter.flow_pipe is not None for meter in meters)


def test_uids_are_unique(hamlet: Callable[..., City]) -> None:
    uids = [device.uid for device in hamlet().ledger.devices]
    assert len(set(uids)) == len(uids)
