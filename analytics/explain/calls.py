"""What people say by phone of dwellings without a trusted sensor: each call finds its place.

In this order, for every dwelling whose call counts (``Snapshot.reported``):

1. A finding at or above it explains it: the dwelling joins, and the ticket tells of the call.
2. It lies beside unheated dwellings, which the ledger knows: they are the likely reason.
3. Several callers whom one entrance, riser or building explains better than chance
   (``localise.tree``) are one finding there; it takes in what was found of single dwellings below.
4. A dwelling that is cold by itself as surely as a crew must be sure (``RULES.sure``): it called
   again, or its neighbours bear it out. Two walls away from unheated dwellings these are the
   likelier reason. Its causes are weighed like those of a measured dwelling, by who else of its
   riser is cold, calls or keeps silent.
5. Who insists (``INSISTS``) is looked at at home: beside unheated dwellings, though these stay the
   likeliest reason, unless one was stopped lately, and beneath a common cause if it makes nobody
   else call as often.

What is left is no finding: somebody calls back (``triage.unheard`` says which reason operators
see). Calls that a meter's sign explains (``Snapshot.unexplained``) speak for nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from analytics import evidence
from analytics.explain.insisting import calls_around, own_chance
from analytics.explain.neighbours import (
    cluster,
    newly_unheated,
    stopped_beside,
    unheated_beside,
    unheated_near,
)
from analytics.explain.telling import finding
from analytics.localise.dwellings import unit_causes
from analytics.localise.ranking import Ranked, normalised
from analytics.localise.tree import PRIOR, Posterior
from analytics.snapshot import Snapshot, distinct
from hearthline.domain.complaints import RULES
from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Finding, TicketKind
from hearthline.domain.places import PlaceKind

SURE = 0.5  # that a place has shifted rather than single dwellings
INSISTS = 3  # calls within a week
LEAST_CALLERS = 2  # fewer do not speak for a place

# Causes of places that nobody measured: section 3 of the domain facts, and requirement 19.
PLACES: Mapping[PlaceKind, Mapping[Cause, float]] = {
    PlaceKind.RISER: {Cause.AIR_LOCK: 0.6, Cause.VERTICAL_IMBALANCE: 0.4},
    PlaceKind.ENTRANCE: {Cause.PIPES_SWAPPED: 0.5, Cause.STRAINER_CLOGGED: 0.5},
    PlaceKind.BUILDING: {
        Cause.STRAINER_CLOGGED: 0.5,
        Cause.HYDRAULIC_IMBALANCE: 0.25,
        Cause.VERTICAL_IMBALANCE: 0.15,
        Cause.PIPES_SWAPPED: 0.1,
    },
}


def hear(snapshot: Snapshot, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with the reported dwellings that they explain, and those of calls alone."""
    if not snapshot.callers:
        return list(findings)
    found, left = _joined(snapshot, findings)
    left &= set(snapshot.unexplained)
    for tell in (_beside_unheated, _places, _alone):
        found, left = tell(snapshot, found, left)
    return _beyond_common(snapshot, found)


Told = tuple[list[Finding], set[str]]


def _joined(snapshot: Snapshot, findings: Sequence[Finding]) -> Told:
    """Each reported dwelling goes to the deepest finding at or above it."""
    path = snapshot.network.path_of
    supply = [n for n, one in enumerate(findings) if one.kind is TicketKind.SUPPLY]
    supply.sort(key=lambda n: (-len(path[findings[n].place]), n))
    joining: dict[int, set[str]] = defaultdict(set)
    left = set()
    for code in snapshot.reported:
        above = (
            n
            for n in supply
            if path[code].startswith(path[findings[n].place])
            and snapshot.explains(findings[n].place, code)
        )
        number = next(above, None)
        if number is None:
            left.add(code)
        else:
            joining[number].add(code)
    found = [_with(snapshot, one, joining.get(n, set())) for n, one in enumerate(findings)]
    return found, left


def _with(snapshot: Snapshot, one: Finding, reported: Collection[str]) -> Finding:
    """A finding with reported dwellings joined, and what those of its dwellings said that called.

    Callers whose own sensor reads warm count against it.
    """
    if one.kind is not TicketKind.SUPPLY:
        return one
    pieces = []
    if reported:
        pieces.append(called(snapshot, reported))
    measured = sorted(snapshot.callers.intersection(one.cold).difference(reported))
    if measured:
        pieces.append(_said(snapshot, EvidenceCode.COLD_CALLED, measured))
    here = set(snapshot.network.codes(snapshot.network.below(one.place)))
    warm = sorted(here & snapshot.callers - one.cold - set(reported))
    warm = [c for c in warm if snapshot.level_c.get(c, -np.inf) >= snapshot.threshold_c]
    if warm and (measured or reported):
        pieces.append(Evidence(EvidenceCode.CALLERS_WARM, {"count": len(warm)}, against=True))
    if not pieces:
        return one
    cold = one.cold.union(reported)
    told = (*one.evidence, *pieces)
    return replace(one, cold=cold, affected=one.affected | cold, evidence=told)


def _beside_unheated(snapshot: Snapshot, findings: list[Finding], left: set[str]) -> Told:
    """Callers next to unheated dwellings, one finding for each of these."""
    chilled: dict[str, set[str]] = defaultdict(set)
    alone: list[Finding] = []
    for code in sorted(left):
        unheated = unheated_beside(snapshot, code)
        if not unheated or _odds(RULES.beside_unheated) < RULES.sure:
            continue
        if _has_own(snapshot, code):
            alone.append(_insisting(snapshot, code))
        else:
            chilled[min(cluster(snapshot, unheated))].add(code)
    found = [*findings, *alone]
    for place, cold in chilled.items():
        known = next((n for n, one in enumerate(found) if _is_about(one, place)), None)
        if known is not None:
            found[known] = _with(snapshot, found[known], cold)
        else:
            found.append(_chilled(snapshot, place, frozenset(cold)))
    return found, left.difference(*chilled.values(), *(one.cold for one in alone))


def _insists(snapshot: Snapshot, code: str) -> bool:
    """Whether a household has called so often that its own dwelling is looked at."""
    return distinct(snapshot.unexplained.get(code, ())) >= INSISTS


def _has_own(snapshot: Snapshot, code: str) -> bool:
    """Whether who insists near unheated dwellings may have a reason of its own.

    What one stopped long ago costs is usual of it; who calls since one beside was stopped lately
    calls of that.
    """
    late = set(unheated_beside(snapshot, code)).intersection(newly_unheated(snapshot, code))
    return _insists(snapshot, code) and not late


def _insisting(snapshot: Snapshot, code: str) -> Finding:
    """A caller beside unheated dwellings who calls again and again."""
    one = _chilled(snapshot, code, frozenset({code}))
    return replace(one, apart=True)


def _odds(prior: float) -> float:
    """The chance that a single caller is cold, given what it was before the call."""
    called_if_cold = sum(chance * weight for chance, weight in RULES.cold.items())
    cold, warm = prior * called_if_cold, (1.0 - prior) * RULES.warm
    return cold / (cold + warm)


def _is_about(one: Finding, place: str) -> bool:
    return one.cause is Cause.NEIGHBOUR_UNHEATED and one.place == place


def _chilled(snapshot: Snapshot, place: str, cold: frozenset[str]) -> Finding:
    unheated = sorted({one for code in cold for one in unheated_near(snapshot, code)})
    values = {"count": len(unheated), "places": evidence.labels(snapshot, unheated)}
    pieces = [Evidence(EvidenceCode.NEIGHBOUR_STOPPED, values), called(snapshot, cold)]
    pieces += evidence.warm_peers(snapshot, min(cold))
    ranked = normalised({Cause.NEIGHBOUR_UNHEATED: 0.65, Cause.VALVE_CLOSED: 0.2,
                         Cause.ENVELOPE: 0.15})  # fmt: skip
    return finding(snapshot, place, ranked, cold, pieces, affected=cold)


def _places(snapshot: Snapshot, findings: list[Finding], left: set[str]) -> Told:
    """Callers whom a common riser, entrance or building explains."""
    if len(left) < LEAST_CALLERS:
        return findings, left
    single = [one for one in findings if _is_single(snapshot, one)]
    apart = frozenset(snapshot.cold).difference(*(one.cold for one in single))
    told = snapshot.posterior(apart | _told_below(snapshot, findings))
    callers: dict[str, set[str]] = defaultdict(set)
    for code in sorted(left):
        place = _place_of(snapshot, told, left, code)
        if place is not None:
            callers[place].add(code)
    found = list(findings)
    for place, reported in callers.items():
        below = [one for one in single if _holds(snapshot, place, one)]
        found = [one for one in found if one not in below]
        cold = frozenset(reported).union(*(one.cold for one in below))
        found.append(told_by_calls(snapshot, told, place, cold))
    return found, left.difference(*callers.values())


def _told_below(snapshot: Snapshot, findings: Sequence[Finding]) -> frozenset[str]:
    """The dwellings of branches that something was found of: what else is cold is so without it."""
    network = snapshot.network
    branches = [
        one.place
        for one in findings
        if one.kind is TicketKind.SUPPLY and snapshot.kind(one.place) in PLACES
    ]
    return frozenset(code for place in branches for code in network.codes(network.below(place)))


def _is_single(snapshot: Snapshot, one: Finding) -> bool:
    """Whether a finding is about one dwelling, and could be part of something larger."""
    unit = snapshot.kind(one.place) is PlaceKind.UNIT
    supply = one.kind is TicketKind.SUPPLY and one.cause is not Cause.NEIGHBOUR_UNHEATED
    return unit and supply and not one.proven


def _holds(snapshot: Snapshot, place: str, one: Finding) -> bool:
    path = snapshot.network.path_of
    return path[one.place].startswith(path[place])


def _place_of(snapshot: Snapshot, told: Posterior, left: Collection[str], code: str) -> str | None:
    """The topmost place above a caller that has shifted and holds enough callers."""
    tree = snapshot.places
    at, best = int(tree.parent[tree.number[code]]), None
    while at >= 0:
        place = tree.codes[at]
        below = snapshot.network.codes(snapshot.network.below(place))
        enough = len(set(below).intersection(left)) >= LEAST_CALLERS
        if enough and told.share[at] >= SURE and told.shift_k[at] < 0:
            best = place
        at = int(tree.parent[at])
    return best


def told_by_calls(snapshot: Snapshot, told: Posterior, place: str, cold: frozenset[str]) -> Finding:
    """A finding at a place that hardly anybody but callers tells of."""
    reported = sorted(cold.intersection(snapshot.reported))
    measured = cold.intersection(snapshot.cold)
    at = snapshot.places.number[place]
    pieces = [called(snapshot, reported)]
    if measured:
        pieces += [evidence.share(snapshot, place), evidence.deepest(snapshot, measured)]
    pieces += _silent(snapshot, place)
    if snapshot.measured(place):
        pieces += evidence.not_cold(snapshot, place)
    pieces += evidence.siblings(snapshot, place)
    pieces.append(evidence.meter_word(snapshot, place))
    ranked = _sure(normalised(PLACES[snapshot.kind(place)]), float(told.share[at]))
    return finding(snapshot, place, ranked, cold, pieces)


def _alone(snapshot: Snapshot, findings: list[Finding], left: set[str]) -> Told:
    """Callers who are cold by themselves, as surely as a crew must be sure.

    Within two walls of unheated dwellings their chill is likelier than a fault of the caller's own:
    a third of ``RULES.beside_unheated`` against one dwelling in a hundred (``localise.tree``).
    """
    if not left:
        return findings, left
    told = snapshot.posterior(frozenset(snapshot.cold))
    tree, found, heard = snapshot.places, list(findings), set()
    for code in sorted(left):
        chance = float(told.share[tree.number[code]])
        if chance < RULES.sure:
            continue
        heard.add(code)
        unheated = unheated_near(snapshot, code)
        if not unheated or _has_own(snapshot, code):
            found.append(_dwelling(snapshot, code, chance))
            continue
        place = min(cluster(snapshot, unheated))
        known = next((n for n, one in enumerate(found) if _is_about(one, place)), None)
        if known is not None:
            found[known] = _with(snapshot, found[known], {code})
        else:
            found.append(_chilled(snapshot, place, frozenset({code})))
    return found, left - heard


def _beyond_common(snapshot: Snapshot, findings: list[Finding]) -> list[Finding]:
    """Callers beneath a common cause who call far oftener than it makes others call."""
    found = list(findings)
    told = {one.place for one in findings}
    for code in sorted(set(snapshot.reported).difference(told)):
        count = distinct(snapshot.complaints[code])
        if count < INSISTS or _local(snapshot, findings, code):
            continue
        late = stopped_beside(snapshot, code)
        prior = RULES.beside_unheated if late else PRIOR[PlaceKind.UNIT]
        chance = own_chance(count, calls_around(snapshot, code), prior)
        if chance < RULES.sure:
            continue
        if new := newly_unheated(snapshot, code):
            place = min(cluster(snapshot, new))
            if any(code in one.cold for one in found if _is_about(one, place)):
                continue
            one = _chilled(snapshot, place, frozenset({code}))
        elif unheated_beside(snapshot, code):
            one = _insisting(snapshot, code)
        else:
            one = _dwelling(snapshot, code, chance)
        found.append(replace(one, apart=True))
    return found


def _local(snapshot: Snapshot, findings: Sequence[Finding], code: str) -> bool:
    """Whether something narrower than a common cause was found at or above a dwelling."""
    path = snapshot.network.path_of
    return any(
        one.kind is TicketKind.SUPPLY and not one.common and path[code].startswith(path[one.place])
        for one in findings
    )


def _dwelling(snapshot: Snapshot, code: str, chance: float) -> Finding:
    entrance = snapshot.network.ancestor(code, PlaceKind.ENTRANCE) or code
    pieces = [called(snapshot, [code]), *evidence.warm_peers(snapshot, code)]
    pieces += _silent(snapshot, entrance)
    pieces.append(Evidence(EvidenceCode.NOT_MEASURED, against=True))
    ranked = _sure(unit_causes(snapshot, code)[0], chance)
    told = finding(snapshot, code, ranked, frozenset({code}), pieces)
    return replace(told, apart=_insists(snapshot, code))


def _sure(ranked: Ranked, chance: float) -> Ranked:
    """Causes by their chances if it is cold, less the chance that it is not."""
    return [(cause, share * chance) for cause, share in ranked]


def called(snapshot: Snapshot, codes: Collection[str]) -> Evidence:
    """Who called without a sensor: one dwelling and how often, or how many dwellings."""
    if len(codes) > 1:
        return _said(snapshot, EvidenceCode.DWELLINGS_CALLED, sorted(codes))
    (code,) = codes
    calls = snapshot.complaints[code]
    values = {
        "place": evidence.label(snapshot, code),
        "count": distinct(calls),
        "hours": _hours_ago(snapshot, [code]),
    }
    return Evidence(EvidenceCode.DWELLING_CALLED, values)


def _said(snapshot: Snapshot, sentence: EvidenceCode, codes: Sequence[str]) -> Evidence:
    values = {
        "count": len(codes),
        "hours": _hours_ago(snapshot, codes),
        "places": evidence.labels(snapshot, codes[:NAMED]),
    }
    return Evidence(sentence, values)


NAMED = 6  # dwellings named in one sentence


def _hours_ago(snapshot: Snapshot, codes: Collection[str]) -> float:
    last = max(snapshot.complaints[code][-1] for code in codes)
    return round((snapshot.at - last).total_seconds() / 3600, 1)


def _silent(snapshot: Snapshot, place: str) -> list[Evidence]:
    """Counter-evidence: how many other dwellings without a sensor have not called."""
    calls = snapshot.calls
    if calls is None:
        return []
    count = int(calls.silent[snapshot.network.below(place)].sum())
    values = {"count": count}
    return [Evidence(EvidenceCode.OTHERS_SILENT, values, against=True)] if count else []
