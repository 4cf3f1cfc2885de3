"""Which meters stand for which place, in the order the tree allows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from analytics.balance import DEFAULT_PIPES, BalanceReason, BalanceStage, BalanceWindow
from analytics.heat import MeterWindow
from analytics.metering import Layout, balances
from hearthline.domain.places import DeviceRole, PlaceKind

START = datetime(2026, 1, 14, 16, tzinfo=UTC)
STOP = START + timedelta(days=1)
PRIMARY, SECONDARY, BRANCH = DeviceRole.PRIMARY, DeviceRole.SECONDARY, DeviceRole.BRANCH

TREE = [
    ("H", PlaceKind.SOURCE, None),
    ("S1", PlaceKind.SUBSTATION, "H"),
    ("C1", PlaceKind.CIRCUIT, "S1"),
    ("B1", PlaceKind.BUILDING, "C1"),
    ("E1", PlaceKind.ENTRANCE, "B1"),
    ("E2", PlaceKind.ENTRANCE, "B1"),
    ("C2", PlaceKind.CIRCUIT, "S1"),
    ("B2", PlaceKind.BUILDING, "C2"),
    ("S2", PlaceKind.SUBSTATION, "H"),
]


def meter(heat_kwh: float, expected_min: float = 1440.0) -> MeterWindow:
    return MeterWindow(
        heat_kwh, heat_kwh / 30, expected_min, expected_min, 40.0, 25.0, None, 60.0, 60.0
    )


def found(
    metered: dict[tuple[str, DeviceRole], Sequence[MeterWindow]],
) -> dict[tuple[str, BalanceStage], BalanceWindow]:
    layout = Layout.of(TREE, {"E1": 1_000.0, "E2": 1_000.0, "B2": 2_000.0})
    result = balances(layout, metered, START, STOP, DEFAULT_PIPES)
    return {(window.place, window.stage): window for window in result}


def test_areas_are_summed_up_the_tree() -> None:
    layout = Layout.of(TREE, {"E1": 1_000.0, "E2": 1_500.0, "B2": 2_000.0})
    assert layout.areas_m2["B1"] == 2_500.0
    assert layout.areas_m2["H"] == layout.areas_m2["S1"] == 4_500.0
    assert layout.areas_m2["S2"] == 0.0


def test_every_source_and_substation_has_its_stages() -> None:
    assert set(found({})) == {
        ("H", BalanceStage.TRANSMISSION),
        ("S1", BalanceStage.EXCHANGE),
        ("S1", BalanceStage.DISTRIBUTION),
        ("S2", BalanceStage.EXCHANGE),
        ("S2", BalanceStage.DISTRIBUTION),
    }


def test_a_network_without_meters_says_so_everywhere() -> None:
    assert {window.reason for window in found({}).values()} == {BalanceReason.NO_SUPPLY_METER}


def test_transmission_runs_from_the_source_to_all_substations() -> None:
    window = found(
        {("H", PRIMARY): [meter(1000.0)], ("S1", PRIMARY): [meter(600.0)],
         ("S2", PRIMARY): [meter(350.0)]}
    )[("H", BalanceStage.TRANSMISSION)]  # fmt: skip
    assert (window.supplied_kwh, window.delivered_kwh, window.coverage) == (1000.0, 950.0, 1.0)


def test_an_unmetered_substation_lowers_the_coverage() -> None:
    window = found({("H", PRIMARY): [meter(1000.0)], ("S1", PRIMARY): [meter(600.0)]})
    assert window[("H", BalanceStage.TRANSMISSION)].coverage == 0.5


def test_circuits_stand_for_a_substation_that_has_no_meter_of_its_own() -> None:
    windows = found(
        {("S1", PRIMARY): [meter(1000.0)], ("C1", SECONDARY): [meter(600.0)],
         ("C2", SECONDARY): [meter(390.0)]}
    )  # fmt: skip
    assert windows[("S1", BalanceStage.EXCHANGE)].delivered_kwh == 990.0
    assert windows[("S1", BalanceStage.DISTRIBUTION)].supplied_kwh == 990.0


def test_the_substations_own_meter_goes_before_its_circuits() -> None:
    windows = found(
        {("S1", PRIMARY): [meter(1000.0)], ("S1", SECONDARY): [meter(980.0)],
         ("C1", SECONDARY): [meter(600.0)]}
    )  # fmt: skip
    assert windows[("S1", BalanceStage.EXCHANGE)].delivered_kwh == 980.0


def test_one_unmetered_circuit_leaves_distribution_without_a_supply() -> None:
    windows = found({("C1", SECONDARY): [meter(600.0)]})
    assert windows[("S1", BalanceStage.DISTRIBUTION)].reason is BalanceReason.NO_SUPPLY_METER


def test_all_entrances_together_are_the_building() -> None:
    supply = {("S1", SECONDARY): [meter(1000.0)], ("B2", BRANCH): [meter(400.0)]}
    both = {**supply, ("E1", BRANCH): [meter(300.0)], ("E2", BRANCH): [meter(250.0)]}
    window = found(both)[("S1", BalanceStage.DISTRIBUTION)]
    assert (window.delivered_kwh, window.coverage) == (950.0, 1.0)


def test_half_the_entrances_are_not_the_building() -> None:
    half = {
        ("S1", SECONDARY): [meter(1000.0)],
        ("B2", BRANCH): [meter(400.0)],
        ("E1", BRANCH): [meter(300.0)],
    }
    window = found(half)[("S1", BalanceStage.DISTRIBUTION)]
    assert window.coverage == 0.5
    assert window.reason is BalanceReason.COVERAGE_LOW


def test_a_meter_exchanged_during_the_day_is_the_sum_of_both() -> None:
    window = found(
        {("H", PRIMARY): [meter(400.0, 600.0), meter(600.0, 840.0)],
         ("S1", PRIMARY): [meter(600.0)], ("S2", PRIMARY): [meter(350.0)]}
    )[("H", BalanceStage.TRANSMISSION)]  # fmt: skip
    assert window.supplied_kwh == pytest.approx(1000.0)


def test_hours_in_which_no_meter_was_bound_are_a_gap() -> None:
    window = found(
        {("H", PRIMARY): [meter(400.0, 600.0)], ("S1", PRIMARY): [meter(600.0)],
         ("S2", PRIMARY): [meter(350.0)]}
    )[("H", BalanceStage.TRANSMISSION)]  # fmt: skip
    assert window.reason is BalanceReason.SUPPLY_GAP
