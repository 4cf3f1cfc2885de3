"""Examples for training: every question that analysis asks of a season, with the true cause.

A simulated season is analysed by the production core while a ``Listener`` judges: it answers as the
rules do and keeps what it was asked. The truth says afterwards which fault was behind each
question: of those that cool its cold dwellings, the nearest in place, then the one that does most.
Questions to which the truth has no answer (cold by nobody's fault) teach nothing.

What counts is what a ticket says in the end, so each incident weighs the same, spread over the
questions that were asked of its final place while it stood; what was asked on the way there (of
single dwellings of a riser that sinks) weighs little.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.causes import features
from analytics.causes.choice import judging
from analytics.causes.question import Question, Subject
from analytics.localise.ranking import Ranked, normalised
from analytics.memory import Rows, network_of
from analytics.offline import Incident, Progress, analyse
from analytics.scoring.matching import Near, Tree
from analytics.scoring.report import profile_of
from analytics.scoring.truth import NOTICEABLE_K, TrueFault, Truth
from analytics.scoring.winter import Winter
from hearthline.domain.findings import CAUSES, Cause, TicketKind
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind
from hearthline.storage.analysis import Columns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SUPPLY = tuple(cause for cause, facts in CAUSES.items() if facts.ticket is TicketKind.SUPPLY)
"""Every cause of a supply ticket, in a fixed order: the columns of the rules' answers."""
LOOK_BACK, LOOK_AHEAD = timedelta(hours=12), timedelta(hours=6)
ON_THE_WAY = 0.1
"""The weight of what was asked of a place that no incident ended at."""
MOST = 0.3  # of what the coldest fault does: a nearer one that does less is not the cause
_NEARNESS = {Near.EXACT: 2, Near.ONE_LEVEL: 1, Near.ELSEWHERE: 0}


@dataclass(frozen=True)
class Examples:
    """Questions of one subject with their answers, arrays (examples, …).

    ``seen`` (examples, features); ``rules`` (examples, causes) as in ``SUPPLY``; ``true`` the
    number of the true cause there; ``group`` which fault of which season; ``weight`` as the module
    says; ``coverage`` the share of dwellings with a sensor.
    """

    seen: Floats
    rules: Floats
    true: Ints
    group: Ints
    weight: Floats
    coverage: Floats

    def __len__(self) -> int:
        return len(self.true)

    def part(self, which: NDArray[np.bool_]) -> Examples:
        """Some of the examples."""
        return Examples(*(getattr(self, name)[which] for name in _ARRAYS))

    @classmethod
    def joined(cls, lots: Sequence[Examples]) -> Examples:
        """Lots as one, with their faults told apart."""
        base, groups = 0, []
        for lot in lots:
            groups.append(lot.group + base)
            base += int(lot.group.max(initial=-1)) + 1
        arrays = {name: np.concatenate([getattr(lot, name) for lot in lots]) for name in _ARRAYS}
        return cls(**(arrays | {"group": np.concatenate(groups)}))

    @staticmethod
    def digest(lots: Sequence[Examples]) -> str:
        """What lots of examples are, to six digits: the same recipe gives the same."""
        digest = hashlib.sha256()
        for lot in lots:
            for name in _ARRAYS:
                values = getattr(lot, name).astype(np.float64).ravel()
                digest.update("\n".join(np.char.mod("%.6g", values).tolist()).encode())
        return digest.hexdigest()


_ARRAYS = ("seen", "rules", "true", "group", "weight", "coverage")


class Listener:
    """Answers as the rules do, and keeps the questions with what was answered."""

    def __init__(self) -> None:
        self.heard: list[tuple[Question, Ranked]] = []

    def ranked(self, question: Question, rules: Mapping[Cause, float]) -> Ranked:
        """What the rules say."""
        answer = normalised(rules)
        self.heard.append((question, answer))
        return answer


def examples_of(winter: Winter, progress: Progress | None = None) -> dict[Subject, Examples]:
    """Analyse a season with the production core and answer all that it asks by the truth."""
    network = network_of(winter.ledger, winter.anchor)
    listener = Listener()
    with judging(listener):
        until = winter.until.astimezone(UTC)
        analysed = analyse(
            network,
            profile_of(winter),
            winter.rows,
            until,
            complaints=winter.complaints,
            progress=progress,
        )
    return answered(winter, network, listener.heard, analysed.incidents)


def answered(
    winter: Winter,
    network: Network,
    heard: Sequence[tuple[Question, Ranked]],
    incidents: Sequence[Incident],
) -> dict[Subject, Examples]:
    """Questions with the truth's answers, weighed by the incidents that came of them."""
    teacher, desk = Teacher(network, winter.truth), _Desk(incidents)
    told: dict[Subject, list[_Told]] = {one: [] for one in Subject}
    for question, answer in heard:
        fault = teacher.fault_behind(question)
        if fault is not None:
            one = _Told(question, answer, fault, desk.about(question))
            told[question.subject].append(one)
    return {
        subject: _laid_out(subject, lot, winter.truth, winter.coverage)
        for subject, lot in told.items()
    }


class _Told(NamedTuple):
    """A question with the rules' answer, the fault behind it and the incident it became."""

    question: Question
    answer: Ranked
    fault: int
    incident: int | None

    @property
    def lot(self) -> tuple[int | str, int]:
        """Whose weight it shares: its incident's, else all that was asked of the place."""
        return (self.question.place if self.incident is None else self.incident, self.fault)


class _Desk:
    """Incidents by their final place, without those that went over into another one."""

    def __init__(self, incidents: Sequence[Incident]) -> None:
        self._at: dict[str, list[Incident]] = {}
        for one in incidents:
            if one.kind is TicketKind.SUPPLY and one.merged_into is None:
                self._at.setdefault(one.last.place, []).append(one)

    def about(self, question: Question) -> int | None:
        """The number of the incident that stood at a question's place; None for none."""
        for one in self._at.get(question.place, ()):
            ended = one.closed_at is not None and question.at > one.closed_at
            if one.opened_at <= question.at and not ended:
                return one.id
        return None


def _laid_out(subject: Subject, lot: Sequence[_Told], truth: Truth, coverage: float) -> Examples:
    names = features.NAMES[subject]
    number = {cause: at for at, cause in enumerate(SUPPLY)}
    rules = np.zeros((len(lot), len(SUPPLY)))
    for row, one in enumerate(lot):
        for cause, chance in one.answer:
            rules[row, number[cause]] = chance
    times = Counter(one.lot for one in lot)
    whole = [ON_THE_WAY if one.incident is None else 1.0 for one in lot]
    seen = [[one.question.seen[name] for name in names] for one in lot]
    return Examples(
        np.array(seen, np.float64).reshape(-1, len(names)),
        rules,
        np.array([number[truth.faults[one.fault].cause] for one in lot], np.int64),
        np.array([one.fault for one in lot], np.int64),
        np.array([all_ / times[one.lot] for all_, one in zip(whole, lot, strict=True)]),
        np.full(len(lot), coverage),
    )


class Teacher:
    """Knows which fault is behind a cold dwelling or place."""

    def __init__(self, network: Network, truth: Truth) -> None:
        self._network, self._truth, self._tree = network, truth, Tree(network)
        self._rows = [
            {int(unit): row for row, unit in enumerate(fault.units)} for fault in truth.faults
        ]

    def fault_behind(self, question: Question) -> int | None:
        """The number of the fault, or None where nobody's fault it is."""
        truth = self._truth
        units = range(*self._network.below(question.place).indices(len(self._network.dwellings)))
        first = truth.hour(question.at - LOOK_BACK)
        until = truth.hour(question.at + LOOK_AHEAD) + 1
        found = {}
        for number, fault in enumerate(truth.faults):
            if fault.of_sensor or not fault.to_blame(question.at):
                continue
            done = self._done(number, fault, units, slice(first, until))
            if done >= NOTICEABLE_K:
                found[number] = done
        if not found:
            return None
        most = max(found.values())
        able = [number for number, done in found.items() if done >= MOST * most]
        return max(able, key=lambda n: (self._near(question.place, n), found[n], -n))

    def _done(self, number: int, fault: TrueFault, units: range, hours: slice) -> float:
        """What a fault takes from the dwellings of a place at worst, K, summed."""
        rows = [self._rows[number][unit] for unit in units if unit in self._rows[number]]
        if not rows:
            return 0.0
        drop = fault.drop_k[rows, hours].max(axis=1)
        return float(drop[drop >= NOTICEABLE_K].sum())

    def _near(self, place: str, number: int) -> int:
        return _NEARNESS[self._tree.near(place, self._truth.faults[number].places)]


def thinned(winter: Winter, coverage: float, sensed: frozenset[str]) -> Winter:
    """The same season seen by the sensors of some dwellings alone."""
    kept, old = [], []
    for number, device in enumerate(winter.ledger.devices, 1):
        if device.kind is not DeviceKind.ROOM or device.place in sensed:
            kept.append(device)
            old.append(number)
    new = np.zeros(len(winter.ledger.devices) + 1, np.int64)
    new[old] = np.arange(1, len(old) + 1)

    def cut(rows: Columns) -> Columns:
        number = new[rows.device]
        there = number > 0
        values = {name: column[there] for name, column in rows.values.items()}
        return Columns(number[there], rows.at[there], values)

    rows = winter.rows
    tables = (rows.room_hours, rows.meter_hours, rows.meter_slots, rows.weather_hours)
    ledger = replace(winter.ledger, devices=tuple(kept))
    return replace(winter, coverage=coverage, ledger=ledger, rows=Rows(*map(cut, tables)))
