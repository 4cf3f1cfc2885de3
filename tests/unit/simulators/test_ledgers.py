"""The ledger that a town hands over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hearthline.domain.places import DeviceKind, DeviceRole, HeatingStatus, PlaceKind
from simulators import City

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
