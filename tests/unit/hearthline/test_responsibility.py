"""Who has to act: the cause, the place, and the warranty of a new building."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hearthline.domain.findings import CAUSES, Cause, Responsibility, TicketKind
from hearthline.domain.places import PlaceKind
from hearthline.domain.responsibility import BUILDING_WORKS, NETWORK, responsible, warranty_of
from hearthline.domain.sentences import LOCALES, first_action, recommended_action

AT = datetime(2026, 1, 14, tzinfo=UTC)
LATER, EARLIER = AT + timedelta(days=90), AT - timedelta(days=1)


@pytest.mark.parametrize(
    ("cause", "place", "within", "after"),
    [
        ("pipes_swapped", "entrance", "developer", "property"),
        ("vertical_imbalance", "building", "developer", "company"),
        ("air_lock", "riser", "developer", "company"),
        ("envelope", "unit", "developer", "property"),
        ("strainer_clogged", "building", "developer", "company"),
        ("strainer_clogged", "substation", "company", "company"),
        ("leak", "circuit", "company", "company"),
        ("pump_trip", "substation", "company", "company"),
        ("valve_closed", "unit", "customer", "customer"),
        ("turned_down", "unit", "customer", "customer"),
        ("sensor_stuck", "unit", "sensor", "sensor"),
        ("undetermined", "building", "unknown", "unknown"),
    ],
)
def test_the_developer_answers_for_the_building_while_the_warranty_runs(
    cause: str, place: str, within: str, after: str
) -> None:
    told = [
        responsible(Cause(cause), PlaceKind(place), until, AT) for until in (LATER, EARLIER, None)
    ]
    assert told == [within, after, after]


def test_a_warranty_ends_at_its_instant() -> None:
    """The finding's own instant decides, and the last moment counts."""
    swapped = (Cause.PIPES_SWAPPED, PlaceKind.ENTRANCE)
    assert responsible(*swapped, AT, AT - timedelta(seconds=1)) is Responsibility.DEVELOPER
    assert responsible(*swapped, AT, AT) is Responsibility.PROPERTY


def test_no_developer_answers_for_the_network_or_a_sensor() -> None:
    for cause in Cause:
        for place in PlaceKind:
            who = responsible(cause, place, LATER, AT)
            if place in NETWORK or CAUSES[cause].ticket is TicketKind.SENSOR:
                assert who is not Responsibility.DEVELOPER
            elif cause not in BUILDING_WORKS:
                assert who is CAUSES[cause].responsibility


def test_half_of_a_building_decides_when_its_warranty_ends() -> None:
    """A gap in the ledger does not take the warranty from a house, nor one entry give it."""
    assert warranty_of([]) is None
    assert warranty_of([None, None, LATER]) is None
    assert warranty_of([LATER, LATER, None]) == LATER
    assert warranty_of([EARLIER, LATER, LATER, LATER]) == LATER
    assert warranty_of([EARLIER, EARLIER, EARLIER, LATER]) == EARLIER


@pytest.mark.parametrize("locale", LOCALES)
def test_the_developer_is_called_in_before_anything_else(locale: str) -> None:
    plain = first_action("pipes_swapped", locale)
    assert recommended_action("pipes_swapped", "property", locale) == plain
    under = recommended_action("pipes_swapped", "developer", locale)
    assert under.endswith(plain)
    assert under != plain
