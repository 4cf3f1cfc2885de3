"""What people say by phone: it joins what explains it, opens what it proves, or waits in sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.diagnose import diagnose
from analytics.localise.dwellings import unit_causes
from analytics.localise.tree import Calls, Tree, locate
from analytics.signs import Sign
from analytics.snapshot import Snapshot, distinct
from analytics.triage import triage
from hearthline.domain.complaints import RULES
from hearthline.domain.findings import Cause, EvidenceCode, Finding
from hearthline.domain.network import Period
from hearthline.domain.places import HeatingStatus
from hearthline.domain.policies import HoldReason
from hearthline.domain.sentences import LOCALES, evidence_sentence
from tests.unit.analytics.test_diagnose import NOON, below, seen, signal, town

NO_WAIT = timedelta(0)
EVERYBODY = frozenset(d.code for d in town().dwellings)
HOME = "B2-E1-401"


def ago(*hours: float) -> list[datetime]:
    """Instants so many hours before noon, the longest ago first."""
    return [NOON - timedelta(hours=hour) for hour in hours]


def called(
    calls: Mapping[str, list[datetime]], unmeasured: frozenset[str] = EVERYBODY, **more: object
) -> Snapshot:
    """A snapshot in which these dwellings called; nobody is measured unless told otherwise."""
    cold: list[str] = more.pop("cold", [])  # type: ignore[assignment]
    return seen(cold, None, set(unmeasured) - set(cold), complaints=calls, **more)  # type: ignore[arg-type]


def codes(finding: Finding) -> set[EvidenceCode]:
    return {piece.code for piece in finding.evidence}


def test_one_call_is_kept_for_the_agent_to_call_back() -> None:
    """It may come from a warm home; it opens nothing and is not forgotten."""
    result = triage(called({HOME: ago(2)}), NO_WAIT)
    assert result.findings == ()
    assert result.holds == {HOME: HoldReason.CALL_TO_CHECK}


def test_who_calls_again_gets_a_ticket() -> None:
    """A day later, from a dwelling that nobody measures: as sure as a crew must be."""
    [found] = triage(called({HOME: ago(26, 2)}), timedelta(hours=1)).findings
    assert (found.place, found.cold, found.affected) == (
        HOME,
        frozenset({HOME}),
        frozenset({HOME}),
    )
    assert sum(chance for _, chance in found.ranked) >= RULES.sure
    assert {EvidenceCode.DWELLING_CALLED, EvidenceCode.NOT_MEASURED} <= codes(found)


def test_calls_in_quick_succession_are_one() -> None:
    """Put through twice, or calling back after an hour."""
    assert distinct(ago(3, 2.5, 2)) == 1
    assert distinct(ago(30, 29, 4)) == 2
    result = triage(called({HOME: ago(3, 2)}), NO_WAIT)
    assert result.holds == {HOME: HoldReason.CALL_TO_CHECK}


def test_a_call_counts_for_three_days() -> None:
    """Who has not called again since is no longer taken for cold."""
    hours = RULES.counts_for / timedelta(hours=1)
    assert called({HOME: ago(hours - 1)}).reported
    late = called({HOME: ago(hours + 24, hours)})
    assert not late.reported
    assert triage(late, NO_WAIT).holds == {}


@pytest.mark.parametrize("place", ["B2-E1", "B2-E1-R1"])
def test_several_calls_from_one_place_without_a_sensor_point_at_it(place: str) -> None:
    """Four of twelve dwellings of an entrance, or of six on a riser."""
    homes = below(place)
    callers = [homes[0], homes[2], homes[-3], homes[-1]]
    [found] = diagnose(called({code: ago(3 + n) for n, code in enumerate(callers)}))
    assert found.place == place
    assert found.cold == set(callers)
    assert EvidenceCode.DWELLINGS_CALLED in codes(found)
    assert EvidenceCode.OTHERS_SILENT in {e.code for e in found.evidence if e.against}


def test_warm_sensors_speak_against_the_place_of_the_callers() -> None:
    """The rest of the entrance is measured and warm: the callers are cold each by itself."""
    homes = below("B2-E1")
    callers = [homes[2], homes[-2]]
    calls = {code: ago(30, 3) for code in callers}
    unmeasured = EVERYBODY.difference(homes) | set(callers)
    places = {found.place for found in diagnose(called(calls, unmeasured))}
    assert places == set(callers)


def test_a_caller_joins_what_explains_it() -> None:
    """Below a pump that stands still, one call is enough."""
    stopped = called({HOME: ago(0.5)}, signals=[signal(Sign.FLOW_STOPPED, "N")])
    [found] = triage(stopped, NO_WAIT).findings
    assert (found.place, found.cause) == ("N", Cause.PUMP_TRIP)
    assert HOME in found.cold
    assert EvidenceCode.DWELLING_CALLED in codes(found)


def test_what_several_buildings_share_explains_nobody_among_warm_neighbours() -> None:
    """Three sensors of the building read warm: its station's trouble is not the caller's."""
    house = below("B2")
    low = [signal(Sign.SUPPLY_LOW, "N", short_k=4.0)]
    unmeasured = EVERYBODY.difference([c for c in house if c.startswith("B2-E2")])
    result = triage(called({HOME: ago(26, 2)}, unmeasured, signals=low), NO_WAIT)
    assert {found.place: HOME in found.cold for found in result.findings} == {
        "N": False,
        HOME: True,
    }


def test_calls_of_a_trouble_that_is_over_open_nothing() -> None:
    """The walls still warm up: what was said then is explained."""
    over = replace(
        signal(Sign.FLOW_STOPPED, "N"),
        since=NOON - timedelta(hours=40),
        until=NOON - timedelta(hours=20),
    )
    homes = below("B2-E1")
    calls = {code: ago(30) for code in homes[:5]}
    result = triage(called(calls, ended=[over]), NO_WAIT)
    assert result.findings == ()
    assert set(result.holds.values()) == {HoldReason.EXPLAINED}


def test_a_call_beside_an_unheated_dwelling_is_explained_by_the_ledger() -> None:
    """One is enough: such dwellings lie 1 to 3 K under their fellows."""
    network = town({"B2-E1-301": HeatingStatus.STOPPED})
    snapshot = replace(called({HOME: ago(2)}), network=network)
    [found] = triage(snapshot, NO_WAIT).findings
    assert (found.place, found.cause) == ("B2-E1-301", Cause.NEIGHBOUR_UNHEATED)
    assert found.cold == {HOME}


def test_a_warm_sensor_outweighs_a_call_and_both_are_shown() -> None:
    """However often they call; an untrusted sensor outweighs nothing."""
    calls = {HOME: ago(26, 2)}
    warm = called(calls, frozenset())
    assert triage(warm, NO_WAIT).holds == {HOME: HoldReason.CALLED_BUT_WARM}
    assert triage(warm, NO_WAIT).findings == ()
    suspect = replace(warm, suspect=frozenset({HOME}))
    assert HOME in suspect.reported


def test_a_suspect_sensor_is_believed_when_somebody_calls() -> None:
    """Grade B needs a neighbour or a call."""
    alone = seen([HOME], suspect=frozenset({HOME}), hours=30)
    assert triage(alone, NO_WAIT).holds == {HOME: HoldReason.SENSOR_UNTRUSTED}
    borne_out = replace(alone, complaints={HOME: ago(1)})
    [found] = triage(borne_out, NO_WAIT).findings
    assert found.cold == {HOME}
    assert EvidenceCode.COLD_CALLED in codes(found)


def test_nobody_waits_who_has_called() -> None:
    """A dwelling that was called cold a minute ago waits for its peers, unless it phones."""
    fresh = seen([HOME], hours=4)
    assert triage(fresh, timedelta(hours=1)).findings == ()
    phoned = replace(fresh, complaints={HOME: ago(0.5)})
    [found] = triage(phoned, timedelta(hours=1)).findings
    assert EvidenceCode.COLD_CALLED in codes(found)


def test_a_stopped_dwelling_is_told_why_it_is_cold() -> None:
    """No heat is owed to it: the hold says so, and the call opens nothing."""
    reason = HoldReason.HEATING_STOPPED
    snapshot = called({HOME: ago(26, 2)}, unowed={HOME: reason})
    assert triage(snapshot, NO_WAIT).holds == {HOME: reason}
    assert triage(snapshot, NO_WAIT).findings == ()


def test_a_measured_neighbour_and_callers_are_one_finding() -> None:
    """One cold sensor and three calls of an entrance are not four tickets."""
    homes = below("B2-E1")
    calls = {code: ago(4) for code in (homes[1], homes[4], homes[8])}
    cold = called(calls, EVERYBODY.difference(below("B1")), cold=[homes[6]])
    offset = np.full(len(EVERYBODY), np.nan)
    network = cold.network
    offset[network.below("B1")] = 0.0
    offset[network.index[homes[6]]] = -3.0
    told = replace(cold, offset_k=offset, spread_k=np.full(len(offset), 0.5))
    [found] = diagnose(told)
    assert found.place == "B2-E1"
    assert found.cold == {homes[6], *calls}


def test_silence_counts_only_where_somebody_called() -> None:
    """A company without a telephone is not a warm one."""
    network = town()
    tree, count = Tree.of(network), len(network.dwellings)
    offset, spread = np.zeros(count), np.full(count, 0.5)
    offset[:] = np.nan
    offset[network.below("B2-E1")] = -2.0
    nobody = Calls(np.zeros(count, np.int64), np.ones(count, bool))
    plain, silent = locate(tree, offset, spread), locate(tree, offset, spread, nobody)
    assert np.allclose(plain.probability, silent.probability)


def test_the_more_stay_silent_the_less_is_it_the_place() -> None:
    """Two callers of an entrance of two dwellings, of six, of twelve."""
    network = town()
    tree, count = Tree.of(network), len(network.dwellings)
    offset, spread = np.full(count, np.nan), np.full(count, 0.5)
    where = network.below("B2-E1")
    chances = []
    for silent in (0, 4, 10):
        calls = Calls(np.zeros(count, np.int64), np.zeros(count, bool))
        calls.count[[where.start, where.stop - 1]] = 1
        calls.silent[where.start + 1 : where.start + 1 + silent] = True
        told = locate(tree, offset, spread, calls)
        above = [tree.number["B2-E1"], tree.number["B2"]]
        chances.append(float(told.probability[above].sum()))
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.9
    assert chances[-1] < 0.5 * chances[0]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_sentence_of_a_call_speaks_both_languages(locale: str) -> None:
    homes = below("B2-E1")
    calls = {code: ago(30, 3) for code in homes[:4]}
    for snapshot in (called(calls), called({HOME: ago(26, 2)})):
        for found in diagnose(snapshot):
            for piece in found.evidence:
                assert "{" not in evidence_sentence(piece, locale)


def test_who_calls_again_two_walls_from_an_unheated_dwelling_is_chilled_by_it() -> None:
    """One call is not enough there; the second is, and the place is the unheated one."""
    network = town({"B2-E1-201": HeatingStatus.STOPPED})
    once = replace(called({HOME: ago(2)}), network=network)
    assert triage(once, NO_WAIT).findings == ()
    again = replace(called({HOME: ago(26, 2)}), network=network)
    [found] = triage(again, NO_WAIT).findings
    assert (found.place, found.cause) == ("B2-E1-201", Cause.NEIGHBOUR_UNHEATED)
    assert found.cold == {HOME}


def test_a_lone_caller_may_be_the_first_of_a_riser_that_nobody_measures() -> None:
    """Air on top is as deep as a closed valve; measured fellows would tell."""
    top = "B2-E1-601"
    [unknown] = triage(called({top: ago(26, 2)}), NO_WAIT).findings
    assert [cause for cause, _ in unknown.ranked[:2]] == [Cause.VALVE_CLOSED, Cause.AIR_LOCK]
    measured = called({top: ago(26, 2)}, EVERYBODY - {"B2-E1-401", "B2-E1-501"})
    [known] = triage(measured, NO_WAIT).findings
    assert dict(known.ranked)[Cause.AIR_LOCK] < 0.05 < dict(unknown.ranked)[Cause.AIR_LOCK]


def test_who_calls_above_a_cold_fellow_of_the_riser_may_have_its_air() -> None:
    """One cold in the middle and a caller on top are one riser rather than two valves."""
    top, fellow = "B2-E1-601", "B2-E1-401"
    snapshot = called({top: ago(26, 2)}, EVERYBODY - {fellow})
    offset, spread = (one.copy() for one in snapshot.offsets)
    offset[snapshot.network.index[fellow]] = -2.5
    causes = unit_causes(replace(snapshot, offset_k=offset, spread_k=spread), top)[0]
    assert causes[0][0] is Cause.AIR_LOCK


def test_who_insists_beside_an_unheated_dwelling_is_looked_at_at_home() -> None:
    """A neighbour's chill rarely makes a household call three times within a week."""
    network = town({"B2-E1-402": HeatingStatus.STOPPED})
    insisting = seen([], network, set(EVERYBODY), complaints={HOME: ago(60, 30, 2)})
    [found] = triage(insisting, NO_WAIT).findings
    assert (found.place, found.cause, found.apart) == (HOME, Cause.NEIGHBOUR_UNHEATED, True)
    once = seen([], network, set(EVERYBODY), complaints={HOME: ago(30, 2)})
    [found] = triage(once, NO_WAIT).findings
    assert (found.place, found.apart) == ("B2-E1-402", False)


def test_who_insists_since_a_neighbour_was_stopped_calls_of_that() -> None:
    """Its chill is new to the dwelling: no second ticket, whether or not a curve is low besides."""
    stopped = town()
    stopped.statuses["B2-E1-402"] = [Period(HeatingStatus.STOPPED, NOON - timedelta(days=8), None)]
    insisting = {"complaints": {HOME: ago(60, 30, 0.5)}}
    [found] = triage(seen([], stopped, set(EVERYBODY), **insisting), NO_WAIT).findings
    assert (found.place, found.cold, found.apart) == ("B2-E1-402", {HOME}, False)
    often = {"complaints": {HOME: ago(*range(140, 0, -24), 0.5)}}
    short = [signal(Sign.SUPPLY_LOW, "N")]
    told = diagnose(seen([], stopped, set(EVERYBODY), signals=short, **often))
    assert {one.place: one.apart for one in told} == {"N": False, "B2-E1-402": True}


def test_beneath_a_common_cause_a_recent_stop_next_door_needs_fewer_calls() -> None:
    """The ledger makes it likely that who calls is chilled besides."""
    others = [code for code in sorted(EVERYBODY) if code.endswith("01") and "B2-E1" not in code]
    often = {"complaints": {HOME: ago(60, 30, 0.5)} | {code: ago(40, 2) for code in others[::4]}}
    low = {"signals": [signal(Sign.SUPPLY_LOW, "N")]}
    lately, nobody = town(), set(EVERYBODY)
    lately.statuses["B2-E1-402"] = [Period(HeatingStatus.STOPPED, NOON - timedelta(days=5), None)]
    for network, places in ((town(), set()), (lately, {"B2-E1-402"})):
        found = diagnose(seen([], network, nobody, **low, **often))
        assert {one.place for one in found if one.apart} == places


@pytest.mark.parametrize(("others", "own"), [(0, True), (1, True), (4, False)])
def test_beneath_a_common_cause_who_calls_far_oftener_than_others_has_his_own(
    others: int, own: bool
) -> None:
    """A low curve makes some call; one of them called on six days running."""
    short = signal(Sign.SUPPLY_LOW, "N")
    often = {HOME: ago(*range(140, 0, -24))}
    fellows = [code for code in sorted(EVERYBODY) if code != HOME][::2]
    calls = {code: ago(*range(24 * others - 20, 0, -24)) for code in fellows if others}
    if others == 1:  # a few of them once
        calls = dict(list(calls.items())[:4])
    found = diagnose(called({**calls, **often}, signals=[short]))
    assert (HOME in {one.place for one in found if one.apart}) is own


def test_two_who_insist_are_two_dwellings_and_no_entrance() -> None:
    """A trouble that all of them shared so deeply would have made others call as well."""
    calls = {"B2-E1-101": ago(70, 40, 5), "B2-E1-602": ago(66, 30, 3)}
    found = triage(called(calls), NO_WAIT).findings
    assert {one.place for one in found} == set(calls)
