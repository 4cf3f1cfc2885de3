"""Whether a device lives: judged by its own habit, and together with its gateway.

A device falls silent without anybody writing it down, so all of this is computed when somebody
looks. Silence says nothing about heat: an offline sensor is missing, never cold.

**Habit.** How often a device speaks is learnt from the gaps between the instants that it measured
at, so a backlog in any order does no harm. The median gap is its interval: a quarter of messages
lost leaves it as it is. How long a silence may last is learnt from the longest gap of a usual day,
since a sensor that speaks on change is quiet for hours every night: of its few quiet hours a
percentile of gaps would know nothing. One day with an outage does not move it.

**Gateway.** Devices that one gateway carried and that fell silent at about the same time are one
finding, at the gateway, and not as many as there are devices. The same holds for all devices
together: then it is the broker, the line or the ingest that is out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality

# What is learnt
LOOK_BACK = timedelta(days=7)  # how much of a device's past a habit is learnt from …
READINGS_AT_MOST = 2_000  # … and how many readings at most
GAPS_AT_LEAST = 20  # fewer say nothing: the ledger's interval stands
BURST_S = 5.0  # several messages about one instant are no interval
OFFLINE_INTERVALS = 4.0  # silence that means something: as many intervals …
OFFLINE_TAILS = 1.5  # … or as many times the longest gap of a usual day …
OFFLINE_AT_LEAST_S = 900  # … but never less …
OFFLINE_AT_MOST_S = 36 * 3600  # … nor more than that
LEARN_AGAIN = timedelta(days=1)
LEARN_SOON = timedelta(hours=1)  # where there were too few readings

# What counts where nothing is learnt yet
LEDGER_INTERVALS = 3.0
LEDGER_AT_LEAST_S = 3600

# What is judged
SAID_SLACK_S = 30.0  # a reading and the last will after it may arrive in one batch
LATE_INTERVALS = 2.5  # one message lost is nothing yet
LATE_AT_LEAST_S = 300
BATTERY_LOW_PCT = 15.0
CLOCK_AHEAD_S = 120.0  # events do not lie in the future
CLOCK_BEHIND_S = 1800.0  # gateways may hold messages for a while
ZONE_SLACK_S = 300.0
FLAT_AFTER: Mapping[DeviceKind, timedelta] = {
    DeviceKind.ROOM: timedelta(hours=36),  # healthy rooms were seen to repeat a value for 23 h
    DeviceKind.METER: timedelta(hours=72),
    DeviceKind.WEATHER: timedelta(hours=12),
}
DOUBTS_OF_READINGS = ~(Quality.HISTORY | Quality.CLOCK_GUESSED | Quality.LOW_BATTERY)
"""Flags with which a reading is marked on a curve; the others are everyday matters."""

GATEWAY_DEVICES = 3  # fewer than these fall silent by chance
EVERYTHING_DEVICES = 10
GATEWAY_SHARE = 0.9  # nearly all of them
GONE_BEFORE = timedelta(days=7)  # what fell silent so long before the others counts no more


class State(StrEnum):
    """Whether a device speaks, the worst last."""

    ONLINE = "online"
    LATE = "late"  # later than usual
    OFFLINE = "offline"  # silent for longer than it ever is
    SAID_OFFLINE = "said_offline"  # its last will, or its gateway's word
    NEVER = "never"  # in the ledger, never heard


class Doubt(StrEnum):
    """What is wrong with a device that speaks, or spoke."""

    BATTERY_LOW = "battery_low"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEHIND = "clock_behind"
    VALUE_FLAT = "value_flat"
    VALUE_UNUSABLE = "value_unusable"
    INTERVAL_DIFFERS = "interval_differs"  # the ledger's interval is not its habit


@dataclass(frozen=True, slots=True)
class Gaps:
    """What a device's past says: gaps counted, their median, the longest of a usual day (s)."""

    count: int
    median_s: float
    tail_s: float


@dataclass(frozen=True, slots=True)
class Habit:
    """How often a device speaks, and which silence means something; both in seconds."""

    interval_s: int
    offline_after_s: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one device; instants are aware UTC, None where there is none.

    ``seen_at`` is the arrival of its last reading, ``sign_at`` that of its last message of any
    kind, ``online`` what it or its gateway claimed at ``online_at``. ``skew_s`` is how far its
    clock is ahead (negative: behind).
    """

    kind: DeviceKind
    expected_interval_s: int
    habit: Habit | None = None
    measured_at: datetime | None = None
    seen_at: datetime | None = None
    changed_at: datetime | None = None
    quality: Quality = Quality.GOOD
    skew_s: float | None = None
    battery_pct: float | None = None
    sign_at: datetime | None = None
    online: bool | None = None
    online_at: datetime | None = None

    @property
    def heard_at(self) -> datetime | None:
        """When it was last heard; what others say of its end is no sign of life."""
        own = self.sign_at if self.online is not False else None
        return max((at for at in (self.seen_at, own) if at is not None), default=None)


@dataclass(frozen=True, slots=True)
class Judged:
    """One device's state, and what is doubtful about it."""

    state: State
    since: datetime | None
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """A gateway and the devices it carried last, counted; ``name`` None: all devices there are.

    ``devices`` leaves out those that fell silent long before the others (``GONE_BEFORE``).
    ``together`` are the silent ones that were heard until about the same time, ``heard_at``.
    """

    name: str | None
    devices: int
    silent: int
    together: int
    heard_at: datetime | None

    @property
    def out(self) -> bool:
        """Whether it is the gateway that is out, rather than its devices one by one."""
        least = EVERYTHING_DEVICES if self.name is None else GATEWAY_DEVICES
        return self.devices >= least and self.together >= GATEWAY_SHARE * self.devices


def gaps_of(instants: Iterable[datetime]) -> Gaps | None:
    """The gaps between instants in any order; None where there are none but bursts.

    A gap belongs to the UTC day that ends it. ``hearthline/storage/sql/liveness.sql`` computes the
    same for many devices at once, a test holds it to this.
    """
    ordered = sorted(set(instants))
    lengths: list[float] = []
    longest: dict[date, float] = defaultdict(float)
    for before, after in pairwise(ordered):
        gap_s = (after - before).total_seconds()
        if gap_s >= BURST_S:
            lengths.append(gap_s)
            longest[after.date()] = max(longest[after.date()], gap_s)
    if not lengths:
        return None
    return Gaps(len(lengths), _lower_median(lengths), _lower_median(longest.values()))


def _lower_median(values: Iterable[float]) -> float:
    """The median; of the two in the middle the lower."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


def habit_of(gaps: Gaps | None) -> Habit | None:
    """What a device's gaps teach; None where they are too few."""
    if gaps is None or gaps.count < GAPS_AT_LEAST:
        return None
    silence_s = max(OFFLINE_INTERVALS * gaps.median_s, OFFLINE_TAILS * gaps.tail_s)
    bounded_s = min(max(silence_s, OFFLINE_AT_LEAST_S), OFFLINE_AT_MOST_S)
    return Habit(max(1, round(gaps.median_s)), round(bounded_s))


def offline_after_s(facts: Facts) -> float:
    """The silence after which a device is offline."""
    if facts.habit is not None:
        return facts.habit.offline_after_s
    return max(LEDGER_INTERVALS * facts.expected_interval_s, LEDGER_AT_LEAST_S)


def late_after_s(facts: Facts) -> float:
    """The silence after which it is late; at most the one after which it is offline."""
    interval_s = facts.habit.interval_s if facts.habit else facts.expected_interval_s
    return min(max(LATE_INTERVALS * interval_s, LATE_AT_LEAST_S), offline_after_s(facts))


def state_of(facts: Facts, now: datetime) -> State:
    """Whether it speaks. ``liveness.sql`` says the same for many, a test holds it to this."""
    if facts.online is False and not _spoke_since(facts.seen_at, facts.online_at):
        return State.SAID_OFFLINE
    heard_at = facts.heard_at
    if heard_at is None:
        return State.NEVER
    silence_s = (now - heard_at).total_seconds()
    if silence_s > offline_after_s(facts):
        return State.OFFLINE
    return State.LATE if silence_s > late_after_s(facts) else State.ONLINE


def _spoke_since(seen_at: datetime | None, said_at: datetime | None) -> bool:
    """Whether readings came after somebody said that there would be none."""
    if seen_at is None or said_at is None:
        return seen_at is not None
    return (seen_at - said_at).total_seconds() > SAID_SLACK_S


def judge(facts: Facts, now: datetime) -> Judged:
    """A device's state and what is doubtful about it."""
    state = state_of(facts, now)
    since = facts.online_at if state is State.SAID_OFFLINE else facts.heard_at
    return Judged(state, since, tuple(doubt for doubt in Doubt if _DOUBTS[doubt](facts)))


def carried(name: str | None, devices: Sequence[Facts], now: datetime) -> Carried:
    """What a gateway's devices say together. ``liveness.sql`` says the same, held by a test."""
    spoke = [(facts, at) for facts in devices if (at := spoke_until(facts, now)) is not None]
    newest = max((at for _, at in spoke), default=None)
    if newest is None:
        return Carried(name, 0, 0, 0, None)
    counted = [(facts, at) for facts, at in spoke if at >= newest - GONE_BEFORE]
    silent = [(f, at) for f, at in counted if state_of(f, now) is not State.ONLINE]
    last = max((at for _, at in silent), default=None)
    if last is None:
        return Carried(name, len(counted), 0, 0, newest)
    together = sum(at >= last - timedelta(seconds=late_after_s(facts)) for facts, at in silent)
    return Carried(name, len(counted), len(silent), together, last)


def spoke_until(facts: Facts, now: datetime) -> datetime | None:
    """When a device was last heard, or reported to be gone."""
    if state_of(facts, now) is not State.SAID_OFFLINE:
        return facts.heard_at
    return max((at for at in (facts.heard_at, facts.online_at) if at is not None), default=None)


def _flat(facts: Facts) -> bool:
    if facts.measured_at is None or facts.changed_at is None:
        return False
    return facts.measured_at - facts.changed_at >= FLAT_AFTER[facts.kind]


def _battery_low(facts: Facts) -> bool:
    low = facts.battery_pct is not None and facts.battery_pct < BATTERY_LOW_PCT
    return low or bool(facts.quality & Quality.LOW_BATTERY)


def _interval_differs(facts: Facts) -> bool:
    if facts.habit is None:
        return False
    ratio = facts.habit.interval_s / facts.expected_interval_s
    return not 1 / 1.5 < ratio < 1.5


_DOUBTS = {
    Doubt.BATTERY_LOW: _battery_low,
    Doubt.CLOCK_AHEAD: lambda facts: (facts.skew_s or 0.0) > CLOCK_AHEAD_S,
    Doubt.CLOCK_BEHIND: lambda facts: (facts.skew_s or 0.0) < -CLOCK_BEHIND_S,
    Doubt.VALUE_FLAT: _flat,
    Doubt.VALUE_UNUSABLE: lambda facts: not facts.quality.usable,
    Doubt.INTERVAL_DIFFERS: _interval_differs,
}
