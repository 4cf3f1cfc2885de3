"""Unheated neighbours: who is beside whom, which of them are one cause, and what they explain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from analytics.explain.neighbours import (
    chilled,
    cluster,
    neighbours_unheated,
    newly_unheated,
    stopped_lately,
    unheated_beside,
)
from analytics.snapshot import ColdDwelling, Snapshot
from hearthline.domain.network import Dwelling, Network, Node, Period
from hearthline.domain.places import HeatingStatus, PlaceKind

NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)
LONG_AGO, LATELY = NOON - timedelta(days=60), NOON - timedelta(days=2)
FLOORS, COLUMNS = 4, {1: 0, 2: 1, 3: 10, 4: 11}  # two along the façade, two behind them


def house(stopped: Mapping[str, datetime]) -> Network:
    """One entrance of four dwellings a floor, some of them unheated since an instant."""
    nodes = [
        Node(1, "S", PlaceKind.SUBSTATION, "S/", "S", ""),
        Node(2, "B", PlaceKind.BUILDING, "S/B/", "B", ""),
        Node(3, "E", PlaceKind.ENTRANCE, "S/B/E/", "E", ""),
    ]
    dwellings = []
    for floor in range(1, FLOORS + 1):
        for door, column in COLUMNS.items():
            code = f"{floor}0{door}"
            nodes.append(Node(floor * 10 + door, code, PlaceKind.UNIT, f"S/B/E/{code}/", code, ""))
            dwellings.append(Dwelling(code, 80.0, floor, column))
    periods = {
        code: [Period(HeatingStatus.STOPPED, since, None)] for code, since in stopped.items()
    }
    return Network({node.code: node for node in nodes}, dwellings, [], periods)


def seen(
    stopped: Mapping[str, datetime],
    off_k: Mapping[str, float],
    usual_k: Mapping[str, float] | None = None,
    default_usual_k: float = -0.1,
) -> Snapshot:
    """Dwellings that lie off what is usual of them are cold; all others are well."""
    network = house(stopped)
    offset, usual = (
        np.zeros(len(network.dwellings)),
        np.full(len(network.dwellings), default_usual_k),
    )
    for values, told in ((offset, off_k), (usual, usual_k or {})):
        for code, value in told.items():
            values[network.index[code]] = value
    cold = {code: ColdDwelling(NOON - timedelta(hours=9), NOON, 18.0) for code in off_k}
    spread = np.full(len(offset), 0.35)
    levels = {d.code: 21.0 for d in network.dwellings if d.code not in stopped}
    return Snapshot(
        NOON, network, 20.0, levels, cold, offset_k=offset, spread_k=spread, usual_k=usual
    )


def test_who_is_behind_is_beside_though_no_column_tells() -> None:
    """Dwellings of one floor lie around one stairwell; those beyond its own walls come first."""
    snapshot = seen(dict.fromkeys(("203", "202", "304"), LONG_AGO), {})
    assert unheated_beside(snapshot, "201") == ["202", "203"]
    assert unheated_beside(snapshot, "401") == []


def test_one_landing_stopped_in_one_day_is_one_cluster() -> None:
    """Whoever is chilled by either of them: one cause, at its first dwelling."""
    together = seen(dict.fromkeys(("201", "204"), LATELY), {})
    assert cluster(together, ["204"]) == {"201", "204"}
    apart = seen({"201": LONG_AGO, "204": LATELY}, {})
    assert cluster(apart, ["204"]) == {"204"}


def test_the_neighbour_stopped_last_is_what_changed() -> None:
    """Between an old stop and a new one, a dwelling that became cold is the new one's."""
    snapshot = seen({"101": LONG_AGO, "301": LATELY}, {"201": -1.8, "401": -1.5})
    [finding] = neighbours_unheated(snapshot, frozenset(snapshot.cold))
    assert (finding.place, finding.cold) == ("301", frozenset({"201", "401"}))


def test_what_an_old_stop_costs_is_usual_by_now() -> None:
    """Who falls 2.9 K below a usual learnt beside an unheated neighbour has another cause."""
    one = frozenset({"201"})
    old, new = {"101": LONG_AGO}, {"101": LATELY}
    assert not neighbours_unheated(seen(old, {"201": -2.9}, {"201": -0.6}), one)
    assert neighbours_unheated(seen(old, {"201": -1.5}, {"201": -0.6}), one)
    assert neighbours_unheated(seen(new, {"201": -2.9}, {"201": -0.6}), one)


def test_nothing_is_learnt_of_a_dwelling_that_was_always_cold() -> None:
    """Days below the standard teach nothing, so all that it lacks may be its neighbour's doing."""
    always = seen({"101": LONG_AGO}, {"201": -3.4}, {"201": 0.0})
    assert neighbours_unheated(always, frozenset({"201"}))


def test_only_a_wall_excuses_who_stands_out_from_a_common_cause() -> None:
    """A landing makes it likely that two dwellings touch, a wall makes it sure."""
    snapshot = seen({"202": LONG_AGO}, {"201": -1.5, "203": -1.5})
    assert chilled(snapshot, "201")
    assert not chilled(snapshot, "203")


def test_a_recent_stop_is_told_before_what_a_meter_shows_of_the_station() -> None:
    """Who fell against his fellows since the neighbour's stop; who did not is the station's."""
    victims = frozenset({"101", "301", "401"})
    since_stop = seen({"201": LATELY}, {"101": -1.9, "301": -1.4, "401": -0.2})
    [finding] = stopped_lately(since_stop, victims)
    assert (finding.place, finding.cold, finding.apart) == ("201", {"101", "301"}, True)
    assert not stopped_lately(seen({"201": LONG_AGO}, {"101": -1.9}), victims)


def test_a_cluster_is_colder_than_one_unheated_neighbour() -> None:
    """Two walls away the rest of it chills as well: a third of what one beyond a wall does."""
    alone, cluster_ = {"201": LATELY}, dict.fromkeys(("101", "102", "201", "202"), LATELY)
    assert not chilled(seen(alone, {"301": -5.6}), "301")
    assert chilled(seen(cluster_, {"301": -5.6}), "301")
    [finding] = stopped_lately(seen(cluster_, {"301": -5.6}), frozenset({"301"}))
    assert finding.place == "101"


def test_two_walls_away_only_a_recent_stop_excuses() -> None:
    """What an older one costs is usual of the dwelling."""
    assert chilled(seen({"101": LATELY}, {"301": -0.8}), "301")
    assert not chilled(seen({"101": LONG_AGO}, {"301": -0.8}), "301")
    assert newly_unheated(seen({"101": LATELY}, {}), "301") == ["101"]
    assert newly_unheated(seen({"101": LONG_AGO}, {}), "301") == []


def test_a_stop_of_today_beside_an_old_one_is_a_cluster_by_itself() -> None:
    """What changed is the new one."""
    assert cluster(seen({"101": LONG_AGO, "201": LATELY}, {}), ["101", "201"]) == {"201"}
    assert cluster(seen({"101": LATELY, "201": LATELY}, {}), ["201"]) == {"101", "201"}
