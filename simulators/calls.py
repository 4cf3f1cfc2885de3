"""Households phone: who calls that it is cold, and when.

What people feel is the true room, whatever a sensor says. Below the standard by more than
``NOTICED_K`` the wish to call grows with the square of how far, as the share of dissatisfied people
does near comfort (ISO 7730: PPD − 5 % ≈ 20.7 % · PMV², a kelvin being 0.25 to 0.3 PMV), and with
for how long (``PATIENCE_H``), in the hours in which people are awake and at home. At 2 K below for
a day an average household calls within two days; a kelvin below takes weeks, 4 K less than a day.
One household in ten never calls, being away or not minding
("the customer said nothing" is no proof of warmth, requirement 16), and the others differ by a
factor of two either way. Whoever called waits ``WAITS_H`` before calling again.

A few call from rooms that are warm: 5 to 10 % of the households of a northern city call in a
season of 150 days, and two in five of these requests lie on the customer's side (39.7 % of 30,198,
requirement 19), most of them with a warm room. That is 3 % of the households a season, or
``WARM_A_DAY``. One in ten of them is not content with the answer and calls again.

Every draw depends on seed, dwelling and hour alone: not on sensors, nor on who else calls.
Dwellings whose heating is stopped do not call; they do not expect heat.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hearthline.domain.complaints import Complaint
from simulators import rand
from simulators.city import City
from simulators.states import Step

Single = NDArray[np.float32]

NOTICED_K = 0.5
PATIENCE_H = 12.0
COLD_PER_K2H = 0.016
"""Calls an hour at home and awake, per square of the kelvins that have been lacking for long."""
NEVER = 0.1
TEMPER = 0.6
"""Spread of how readily the others call (standard deviation of the logarithm)."""
WAITS_H = 18
WARM_A_DAY = 2e-4
AGAIN, AGAIN_WITHIN_H = 0.1, 48
# By local hour, midnight first: the share of households in which somebody is awake and at home.
_AWAKE = np.repeat([0.0, 0.4, 0.8, 0.5, 0.7, 0.5, 1.0, 0.3], [6, 1, 2, 3, 2, 3, 5, 2])
_AWAKE_H = float(_AWAKE.sum())
_NOTE = "It is cold."
_HOUR_S = 3600


@dataclass
class Households:
    """The households of a town, shown their rooms hour by hour, in order.

    ``codes`` are the dwellings of every array; ``silent`` (dwellings,) those that never call
    because no heat is supplied to them.
    """

    seed: int
    codes: Sequence[str]
    zone: ZoneInfo
    threshold_c: float
    silent: NDArray[np.bool_]
    _key: NDArray[np.int64] = field(init=False)
    _temper: NDArray[np.float64] = field(init=False)
    _lacking_k: NDArray[np.float64] = field(init=False)
    _called_h: NDArray[np.float64] = field(init=False)
    _hour: int = 0

    def __post_init__(self) -> None:
        self._key = np.array([crc32(code.encode()) for code in self.codes], np.int64)
        readily = np.exp(TEMPER * rand.normal(self.seed, "calls/temper", self._key))
        never = rand.happens(NEVER, self.seed, "calls/never", self._key)
        self._temper = np.where(never, 0.0, readily)
        self._lacking_k = np.zeros(len(self.codes))
        self._called_h = np.full(len(self.codes), -np.inf)

    @classmethod
    def of(cls, city: City) -> Households:
        """The households of a town; where heating is stopped nobody calls."""
        silent = np.zeros(city.layout.units, bool)
        for fault in city.faults:
            if fault.kind.stops_heating:
                silent[fault.struck.units] = True
        scenario = city.scenario
        zone = ZoneInfo(scenario.timezone)
        return cls(city.seed, city.unit_codes, zone, scenario.threshold_c, silent)

    def hear(self, starts_at: datetime, room_c: Single) -> list[Complaint]:
        """Who calls in the hour from ``starts_at`` (aware), in order; ``room_c`` (dwellings,)."""
        lacking = np.clip(self.threshold_c - NOTICED_K - room_c.astype(np.float64), 0.0, None)
        self._lacking_k += (lacking - self._lacking_k) * (1.0 - np.exp(-1.0 / PATIENCE_H))
        hour, self._hour = self._hour, self._hour + 1
        awake = float(_AWAKE[starts_at.astimezone(self.zone).hour])
        since = hour - self._called_h
        warm = WARM_A_DAY / _AWAKE_H + np.where(
            since <= AGAIN_WITHIN_H, AGAIN / (_AWAKE_H * (AGAIN_WITHIN_H - WAITS_H) / 24.0), 0.0
        )
        hazard = np.where(
            lacking > 0.0,
            COLD_PER_K2H * self._temper * np.minimum(lacking, self._lacking_k) ** 2,
            warm,
        )
        chance = np.where(self.silent | (since < WAITS_H), 0.0, 1.0 - np.exp(-awake * hazard))
        calls = np.flatnonzero(rand.happens(chance, self.seed, "calls/hour", hour, self._key))
        self._called_h[calls] = hour
        second = rand.uniform(self.seed, "calls/second", hour, self._key[calls]) * 3600.0
        told = [
            Complaint(self.codes[unit], starts_at + timedelta(seconds=int(at)), _NOTE)
            for unit, at in zip(calls.tolist(), second.tolist(), strict=True)
        ]
        return sorted(told, key=lambda one: (one.at, one.place))


class Telephone:
    """Households that live through the steps of a run: who phoned, hour by whole hour."""

    def __init__(self, households: Households, anchor: datetime) -> None:
        self._households, self._hour = households, anchor
        self._felt = np.zeros(len(households.codes), np.float32)
        self._seconds = 0
        self._said: list[tuple[datetime, list[Complaint]]] = []

    def feel(self, step: Step) -> None:
        """One physical step."""
        self._felt += (step.air_before_c + step.air_c) * np.float32(step.seconds / 2.0)
        self._seconds += step.seconds
        if self._seconds < _HOUR_S:
            return
        calls = self._households.hear(self._hour, self._felt / np.float32(self._seconds))
        self._hour += timedelta(hours=1)
        self._said.append((self._hour, calls))
        self._felt, self._seconds = np.zeros_like(self._felt), 0

    def take(self, after: datetime, until: datetime) -> list[Complaint]:
        """Who phoned in the hours that ended after an instant and by another; taken once."""
        taken = [call for end, calls in self._said if after < end <= until for call in calls]
        self._said = [said for said in self._said if said[0] > until]
        return taken


def of_town(city: City, anchor: datetime, rooms_c: Iterable[Single]) -> list[Complaint]:
    """All calls of a town's run; ``rooms_c`` are the rooms' means of each hour from the anchor."""
    households = Households.of(city)
    return [
        call
        for hour, room_c in enumerate(rooms_c)
        for call in households.hear(anchor + timedelta(hours=hour), room_c)
    ]
