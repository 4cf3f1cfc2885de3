"""The values of sensor trust: what is known of sensors, what is concluded, and the claims between.

Matrices are (sensors, hours). What a detector needs and is not known is NaN (or -1 for a group),
and then that detector says nothing: the fewer the instruments around, the fewer the lies that
show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Single = NDArray[np.float32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
HOUR = timedelta(hours=1)
DAY_HOURS = 24

GRADE_A, GRADE_B, GRADE_C = 0, 1, 2
"""Grades as numbers, so that the worse of two is the larger."""


class Grade(StrEnum):
    """How far a sensor is believed."""

    A = "A"
    B = "B"
    C = "C"

    @classmethod
    def of(cls, number: int) -> Grade:
        """The grade of a number in a ``Trust`` matrix."""
        return (cls.A, cls.B, cls.C)[number]


class TrustReason(StrEnum):
    """Why a sensor has its grade."""

    GOOD = "good"
    SUSPECT_FLAT = "suspect_flat"
    STUCK = "stuck"
    MOVED = "moved"
    WINDOW = "window"
    SWAPPED = "swapped"
    RADIATOR = "radiator"
    SUN = "sun"
    OUTDOORS = "outdoors"
    DRIFT = "drift"
    UNTRIED = "untried"
    UNFELT = "unfelt"
    CLOCK_SKEWED = "clock_skewed"
    BATTERY = "battery"
    SILENT = "silent"
    GATEWAY_OUT = "gateway_out"


REASONS: tuple[TrustReason, ...] = tuple(TrustReason)
"""``Trust.reason`` holds places in this tuple."""
NUMBER: dict[TrustReason, int] = {reason: at for at, reason in enumerate(REASONS)}
_LOW = [
    NUMBER[reason]
    for reason in (
        TrustReason.WINDOW, TrustReason.OUTDOORS, TrustReason.UNTRIED, TrustReason.UNFELT
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SensorHours:
    """Hourly statistics of sensors: arrays (sensors, hours), NaN or 0 where nothing arrived.

    ``peer_group`` numbers, per sensor, those that should move together (one building).
    """

    start: datetime
    mean_c: Floats
    min_c: Floats
    max_c: Floats
    samples: NDArray[np.int64]
    peer_group: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        """Sensors and hours."""
        return self.mean_c.shape[0], self.mean_c.shape[1]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else was measured around the sensors; None where nobody measures it.

    ``outdoor_c`` and ``solar_wm2`` (global, horizontal) are (hours,); ``supply_c`` (sensors,
    hours) is the secondary supply of each sensor's station. Per sensor: ``battery_pct`` and
    ``skew_s`` as last said (NaN unknown), ``interval_s`` as learnt or filed, numbers of its
    ``gateway`` (-1 unknown; then its building stands in), ``entrance``, and ``area`` (its station:
    the peers of a sensor whose building has hardly any), and ``certified_hour``, hours from the
    window's start to the last certified reading beside it (NaN none, negative before the window).
    ``unheated`` marks sensors in dwellings whose heating is stopped, restricted or that stand
    vacant: they are nobody's peers, and nothing is said of their level. ``walls`` (pairs, 2) are
    the rows of sensors whose dwellings touch, each pair in both orders, save that nobody
    stands first who lives beside an unheated dwelling. ``heard_s`` is for how long
    nothing has arrived of a sensor while others were heard, NaN where it has told of the window's
    end. ``network`` numbers the network of each sensor, where several are judged together: what
    none nearer tells, the others of its network do.
    """

    outdoor_c: Floats | None = None
    solar_wm2: Floats | None = None
    supply_c: Floats | None = None
    battery_pct: Floats | None = None
    skew_s: Floats | None = None
    interval_s: Floats | None = None
    gateway: Ints | None = None
    entrance: Ints | None = None
    area: Ints | None = None
    certified_hour: Floats | None = None
    unheated: Flags | None = None
    walls: Ints | None = None
    heard_s: Floats | None = None
    network: Ints | None = None


NOTHING_AROUND = Surroundings()


@dataclass(frozen=True, slots=True)
class Claim:
    """What one detector says of every sensor and hour, each (sensors, hours).

    ``grade`` is A where it says nothing; ``reason`` are places in ``REASONS``; ``since`` hours of
    the window (negative: before it) at which the lie began; ``measure`` is the number that goes
    with the reason (see ``analytics.trust.findings`` for units). ``lied`` are the hours, known in
    hindsight, whose value does not stand for the room.
    """

    grade: NDArray[np.int8]
    reason: NDArray[np.int8]
    since: NDArray[np.int32]
    measure: Single
    lied: Flags

    @classmethod
    def nothing(cls, shape: tuple[int, int]) -> Claim:
        """Grade A everywhere."""
        return cls(
            np.zeros(shape, np.int8),
            np.zeros(shape, np.int8),
            np.zeros(shape, np.int32),
            np.full(shape, np.nan, np.float32),
            np.zeros(shape, bool),
        )

    def part(self, index: Any) -> Claim:
        """The same claim at some cells, as a view to write to; index as of an array."""
        return Claim(
            self.grade[index],
            self.reason[index],
            self.since[index],
            self.measure[index],
            self.lied[index],
        )

    def say(
        self,
        where: Flags,
        grade: int | NDArray[np.int8],
        reason: TrustReason,
        since: NDArray[np.int32] | Ints | int,
        measure: Floats | Single | float,
    ) -> None:
        """Claim a grade at some cells; all arguments broadcast to (sensors, hours)."""
        for target, value in (
            (self.grade, grade),
            (self.reason, NUMBER[reason]),
            (self.since, since),
            (self.measure, measure),
        ):
            np.copyto(target, value, where=where, casting="unsafe")


@dataclass(frozen=True, slots=True)
class Trust:
    """Judgement per sensor and hour, shapes (sensors, hours).

    ``grade`` 0 = A, 1 = B, 2 = C with its ``reason`` (a place in ``REASONS``), ``since`` which hour
    of the window the reason holds (negative: before it), and ``measure``, its number. All of these
    know the past only. ``usable``, whether an hour's value may stand for the room, looks back from
    the window's end to where a lie began. ``flat_hours`` is how long one value has been repeated,
    ``peers_moved_k`` by how much the peers' median moved in the trailing ``STUCK_HOURS``.
    """

    grade: NDArray[np.int8]
    reason: NDArray[np.int8]
    since: NDArray[np.int32]
    measure: Single
    usable: Flags
    flat_hours: NDArray[np.int64]
    peers_moved_k: Floats

    @property
    def suspect(self) -> Flags:
        """B or worse: a cold reading needs a neighbour or a call."""
        return self.grade >= GRADE_B

    @property
    def maybe_low(self) -> Flags:
        """Doubted because it may read lower than its room."""
        return np.asarray((self.grade == GRADE_B) & np.isin(self.reason, _LOW))

    @property
    def stuck(self) -> Flags:
        """C because one value is repeated."""
        flat = self.reason == NUMBER[TrustReason.STUCK]
        return np.asarray((self.grade == GRADE_C) & flat)

    def why(self, sensor: int, hour: int) -> tuple[Grade, TrustReason]:
        """Grade and reason of one sensor at one hour."""
        return Grade.of(int(self.grade[sensor, hour])), REASONS[int(self.reason[sensor, hour])]


@dataclass(frozen=True, slots=True)
class Jump:
    """One sharp step of a sensor; hours are of the window, ``ended`` its width while it lasts.

    ``from_k`` is how far the sensor lay from its peers before; ``confirmed`` is the hour from which
    the sensor is C (the window's width where never).
    """

    sensor: int
    hour: int
    step_k: float
    before_c: float
    after_c: float
    from_k: float
    confirmed: int
    ended: int
    exchanged: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a detector may look at.

    ``offset_k`` is (sensors, hours), how far each sensor lies from its peers' median (NaN without
    peers); ``past`` what daily memory says, see ``analytics.trust.memory``; ``jumps`` are the sharp
    steps of the window.
    """

    sensors: SensorHours
    around: Surroundings
    past: Facts
    offset_k: Floats
    flat_hours: Ints
    flat_samples: Ints
    peers_moved_k: Floats
    jumps: Sequence[Jump]

    @property
    def shape(self) -> tuple[int, int]:
        """Sensors and hours."""
        return self.sensors.shape

    def uncertified(self) -> Flags:
        """Hours before the last certified reading beside each sensor, all where there is none."""
        certified = self.around.certified_hour
        if certified is None:
            return np.ones(self.shape, bool)
        until = np.where(np.isnan(certified), np.inf, certified)
        return np.asarray(np.arange(self.shape[1]) < until[:, None])


FIELDS = (
    "days", "offset_k", "swing_k", "swings", "moved_k", "moved_day", "moved_from_k",
    "knock_k", "knock_from_k", "knock_day", "pair", "told",
    "n", "oo", "ss", "os", "oe", "se", "ee",
    "pn", "pp", "pe", "pee",
    "dn", "doo", "doe", "dee",
    "w", "t", "tt", "e", "te", "e2",
)  # fmt: skip
"""Columns of a sensor's daily memory; ``analytics.trust.memory`` says what each of them is."""
COLUMN: dict[str, int] = {name: at for at, name in enumerate(FIELDS)}


@dataclass(frozen=True, slots=True)
class Facts:
    """The running memory of each sensor at the end of whole UTC days.

    ``state`` is (sensors, days, ``FIELDS``), NaN where a sensor has none; day 0 is ``first_day``,
    counted from 1970-01-01.
    """

    first_day: int
    state: Single = field(repr=False)

    @property
    def days(self) -> int:
        """Number of days."""
        return int(self.state.shape[1])

    def __getitem__(self, name: str) -> Floats:
        """One column, (sensors, days)."""
        return np.asarray(self.state[:, :, COLUMN[name]], np.float64)

    @classmethod
    def none(cls, sensors: int) -> Facts:
        """No memory at all."""
        return cls(0, np.zeros((sensors, 0, len(FIELDS)), np.float32))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the daily memory shows of one slow lie, each (sensors, days).

    ``doubted`` is B, ``sure`` is C; what was told stays told while it ``stays``. ``measure`` is the
    number that goes with the reason. A certified reading settles what is ``certifiable``. A lie of
    ``constant`` size explains no hour that is much colder than ``measure``.
    """

    reason: TrustReason
    doubted: Flags
    sure: Flags
    stays: Flags
    measure: Floats
    certifiable: bool = False
    constant: bool = False


def day_number(at: datetime) -> int:
    """The UTC day of an instant, counted from 1970-01-01."""
    return int(at.timestamp() // 86400)
