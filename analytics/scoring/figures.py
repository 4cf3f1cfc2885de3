"""The figures of a score: precision, recall, places, causes and delays, ours or the baseline's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from analytics.offline import DayOf
from analytics.scoring import sensors
from analytics.scoring.matching import Match, Matcher, Near
from analytics.scoring.said import HOUR, Said, SaidDay
from analytics.scoring.truth import NOTICEABLE_K, Truth
from hearthline.domain.complaints import Complaint
from hearthline.domain.findings import TicketKind
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind
from hearthline.domain.policies import DayVerdict, Profile

MISSED, NOTHING = "missed", "nothing"


@dataclass(frozen=True)
class Judged:
    """What became of each supply incident, by its number, and of each fault that counts.

    ``right`` are about a fault that counts; ``standing`` name a habit's doing rightly; ``beside``
    are neither right nor wrong (a fault that does not count, a dwelling that is truly cold by
    nobody's fault, a habit's doing by another name); ``wrong`` are the false ones.
    """

    matches: Mapping[int, Match]
    right: Sequence[int]
    standing: Sequence[int]
    beside: Sequence[int]
    wrong: Sequence[int]


def judge(said: Sequence[Said], matcher: Matcher, truth: Truth) -> Judged:
    """Sort supply incidents into right, beside and wrong."""
    supply = {n: one for n, one in enumerate(said) if one.kind is TicketKind.SUPPLY}
    matches: dict[int, Match] = {}
    right: list[int] = []
    standing: list[int] = []
    beside: list[int] = []
    wrong: list[int] = []
    for number, one in supply.items():
        match = matcher.of(number, one)
        if match is not None:
            matches[number] = match
        if one.merged:
            continue
        fault = truth.faults[match.fault] if match is not None else None
        if match is None:
            (beside if matcher.truly_cold(one) else wrong).append(number)
        elif fault is not None and fault.counts:
            right.append(number)
        elif fault is not None and fault.habit and match.top2:
            standing.append(number)
        else:
            beside.append(number)
    return Judged(matches, right, standing, beside, wrong)


def our_days(days: Sequence[DayOf], profile: Profile) -> list[SaidDay]:
    """Our word on each sensed dwelling-day to which heat is owed, as below or not.

    A day is sensed where its sensor spoke for as long as the policy wants in hours in which heat
    was owed; one that is held back because the sensor lies counts as not below.
    """
    found = []
    for one in days:
        least_min = profile.on(one.day).min_covered.total_seconds() / 60
        if one.minutes.sum() < least_min:
            continue
        below = one.verdict.verdict is DayVerdict.BELOW
        found.append(SaidDay(one.code, below, one.hours, one.minutes))
    return found


def unit_days(days: Sequence[SaidDay], network: Network, truth: Truth) -> dict[str, Any]:
    """Precision and recall of the below-standard verdict, days near the standard left out."""
    counts: Counter[str] = Counter()
    for day in days:
        hours = day.hours[day.hours < truth.hours]
        if not len(hours):
            continue
        room = truth.room_c[network.index[day.code], hours]
        mean = float(np.average(room, weights=day.minutes[: len(hours)]))
        if abs(mean - truth.threshold_c) <= NOTICEABLE_K:
            continue
        cold = mean < truth.threshold_c
        counts[
            "both" if cold and day.below else "said" if day.below else "true" if cold else ""
        ] += 1
    both = counts["both"]
    return {
        "precision": _share(both, both + counts["said"]),
        "recall": _share(both, both + counts["true"]),
        "judged": sum(counts.values()),
        "below": both + counts["true"],
    }


def figures(
    said: Sequence[Said],
    days: Sequence[SaidDay],
    network: Network,
    truth: Truth,
    complaints: Sequence[Complaint] = (),
) -> tuple[dict[str, Any], Judged]:
    """All figures of one side; the keys are those of ``score --json``."""
    judged = judge(said, Matcher(network, truth), truth)
    found = _found(said, judged, truth)
    tickets = sum(
        truth.faults[m.fault].counts and m.fault in found for m in judged.matches.values()
    )
    told = sensors.score(network, truth, said)
    heard = tellable(network, truth, complaints)
    result = {
        "unit_day": unit_days(days, network, truth),
        "incident": _incidents(judged, found, network, truth)
        | {
            "recall_tellable": _share(len(heard.intersection(found)), len(heard)),
            "tellable": len(heard),
        },
        "sensor": {
            "precision": _share(told.right, told.right + told.wrong),
            "recall": _share(len(told.found), len(told.lies)),
            "recall_tellable": _share(len(told.found & told.tellable), len(told.tellable)),
            "lies": len(told.lies),
            "tellable": len(told.tellable),
            "right": told.right,
            "false": told.wrong,
            "beside": told.beside,
        },
        "tickets_per_fault": _share(tickets, len(found)),
    }
    return result, judged


def _incidents(
    judged: Judged, found: Mapping[int, float | None], network: Network, truth: Truth
) -> dict[str, Any]:
    counting = sum(fault.counts for fault in truth.faults)
    about = [judged.matches[n] for n in judged.right]
    delays = [delay for delay in found.values() if delay is not None]
    right, standing, beside, wrong = map(
        len, (judged.right, judged.standing, judged.beside, judged.wrong)
    )
    thousand = len(network.dwellings) * truth.hours / 24 / 1000
    exact = sum(m.place is Near.EXACT for m in about)
    within_one = sum(m.place is not Near.ELSEWHERE for m in about)
    return {
        "precision": _share(right + standing, right + standing + wrong),
        "recall": _share(len(found), counting),
        "per_fault": _share(right, len(found)),
        "false_per_1000_unit_days": round(wrong / thousand, 4),
        "place_exact": _share(exact, right),
        "place_within_one": _share(within_one, right),
        "cause_top1": _share(sum(m.top1 for m in about), right),
        "cause_top2": _share(sum(m.top1 or m.top2 for m in about), right),
        "delay_h_median": round(median(delays), 2) if delays else None,
        "early_share": _share(sum(delay <= 0 for delay in delays), len(delays)),
        "count": right + standing + beside + wrong,
        "right": right,
        "standing": standing,
        "beside": beside,
        "false": wrong,
    }


def tellable(network: Network, truth: Truth, complaints: Sequence[Complaint]) -> frozenset[int]:
    """The faults that count and of which anybody could tell.

    A meter hangs at the fault's place or below it, or one of the dwellings that it makes cold has
    a sensor, or somebody in them calls while it is to blame.
    """
    metered = [i.place for i in network.instruments if i.kind is DeviceKind.METER]
    sensed = {i.place for i in network.instruments if i.kind is DeviceKind.ROOM}
    paths = [network.path_of[place] for place in metered if place in network.path_of]
    found = set()
    for number, fault in enumerate(truth.faults):
        cold = {network.dwellings[unit].code for unit in fault.cold}
        at = tuple(network.path_of[place] for place in fault.places)
        if fault.counts and (
            any(path.startswith(at) for path in paths)
            or not cold.isdisjoint(sensed)
            or any(one.place in cold and fault.to_blame(one.at) for one in complaints)
        ):
            found.add(number)
    return frozenset(found)


def _found(said: Sequence[Said], judged: Judged, truth: Truth) -> dict[int, float | None]:
    """The faults that were found, with the delay of the first incident behind the first cold, h.

    Negative: before any dwelling was below the standard.
    """
    found: dict[int, float | None] = {}
    for number in sorted(judged.right, key=lambda n: said[n].opened_at):
        fault = judged.matches[number].fault
        if fault not in found:
            cold = truth.first_cold(truth.faults[fault])
            found[fault] = None if cold is None else (said[number].opened_at - cold) / HOUR
    return found


def standing(said: Sequence[Said], judged: Judged, truth: Truth) -> dict[str, Any]:
    """What people do for good: how many of it makes a dwelling cold, how much of that was found."""
    cold = [n for n, fault in enumerate(truth.faults) if fault.habit and fault.cold]
    named = {judged.matches[n].fault for n in judged.standing}
    other = [n for n in judged.beside if n in judged.matches]
    other = [n for n in other if truth.faults[judged.matches[n].fault].habit]
    return {
        "habits": sum(fault.habit for fault in truth.faults),
        "cold": len(cold),
        "recall": _share(len(named.intersection(cold)), len(cold)),
        "incidents": len(judged.standing) + len(other),
        "misnamed": len(other),
        "said": dict(Counter(str(said[n].causes[0]) for n in (*judged.standing, *other))),
    }


def confusion(
    said: Sequence[Said], judged: Judged, network: Network, truth: Truth
) -> dict[str, dict[str, int]]:
    """True cause → said cause → how many incidents; "missed" are faults, "nothing" is no fault."""
    table: dict[str, Counter[str]] = {}
    seen = set()
    for number in judged.right:
        about = judged.matches[number].fault
        seen.add(about)
        _count(table, str(truth.faults[about].cause), str(said[number].causes[0]))
    for number, fault in enumerate(truth.faults):
        if fault.counts and number not in seen:
            _count(table, str(fault.cause), MISSED)
    for number in judged.wrong:
        _count(table, NOTHING, str(said[number].causes[0]))
    told = sensors.score(network, truth, said)
    for n, lie in enumerate(told.lies):
        cause = told.said.get(lie.fault) if n in told.found else None
        _count(table, str(truth.faults[lie.fault].cause), str(cause or MISSED))
    return {cause: dict(row.most_common()) for cause, row in sorted(table.items())}


def _count(table: dict[str, Counter[str]], true: str, said: str) -> None:
    table.setdefault(true, Counter())[said] += 1


def _share(part: int, whole: int) -> float | None:
    """A share, None where there is nothing to share."""
    return round(part / whole, 4) if whole else None
