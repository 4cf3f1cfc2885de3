"""Sessions of edge nodes with the broker: their greetings, their wills, their counters.

A session begins at the anchor, every few hours (gateways reconnect), after an outage and after a
fault. Its messages are numbered from the greeting on; a message's number follows from its device
and instant, not from what was sent before. Seconds are from the anchor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from simulators import rand
from simulators.post.windows import DAY_S, AnyInts, Calendar, Flags, Ints

RENEWED_S = 6 * 3600
"""A receiver that came late knows all names after so long at most."""
WILL_AFTER_S = 90
"""When a broker misses a silent client: one and a half keep-alives of a minute."""


class Change(NamedTuple):
    """A ``group`` greets (``hello``) or is said farewell, in a session of this number."""

    group: int
    due: int
    hello: bool
    session: int


class _Began(NamedTuple):
    """Of sessions: when they began, and from which instant on their readings are."""

    at_s: Ints
    data_from_s: Ints
    session: Ints


@dataclass(slots=True)
class Sessions:
    """The sessions of one format's groups (all of its devices behind one gateway).

    ``keys``: [groups] the gateway's number, by which random things are drawn and its ``outages``
    are found. ``group``, ``phase_s``: [members] of each device, in the order in which they were
    given. ``members``: the devices of a group in the order of their slots, which is that of their
    phases. Where ``renewed`` is false there is one session, ended by faults alone.
    """

    seed: int
    keys: AnyInts
    group: Ints
    phase_s: AnyInts
    every_s: int
    outages: Calendar
    renewed: bool
    slot: Ints = field(init=False)
    _first: Ints = field(init=False)
    _size: Ints = field(init=False)
    _ordered: Ints = field(init=False)
    _order: Ints = field(init=False)
    _offset_s: Ints = field(init=False)
    _recovered_s: Ints = field(init=False)
    _down: Flags | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        groups = len(self.keys)
        self._order = np.lexsort((np.arange(len(self.group)), self.phase_s, self.group))
        self._size = np.bincount(self.group, minlength=groups)
        self._first = np.cumsum(self._size) - self._size
        self.slot = np.empty(len(self.group), dtype=int)
        self.slot[self._order] = np.arange(len(self.group)) - self._first[self.group[self._order]]
        self._ordered = (self.group * self.every_s + self.phase_s)[self._order]
        drawn = rand.bits(self.seed, "post/session", self.keys) % np.uint64(RENEWED_S - 1)
        self._offset_s = drawn.astype(int) + 1
        self._recovered_s = np.full(groups, -1)

    def members(self, group: int) -> list[int]:
        """Positions of a group's devices, in the order of their slots."""
        first = int(self._first[group])
        found: list[int] = self._order[first : first + int(self._size[group])].tolist()
        return found

    @property
    def memory_s(self) -> int:
        """How far back anything may matter for what is sent now."""
        return (RENEWED_S if self.renewed else 2 * WILL_AFTER_S) + self.outages.spells.reach_s

    # Numbers ---------------------------------------------------------------------------------

    def turns(self, device: Ints, at_s: Ints, due: Ints) -> Ints:
        """The number of each message within its session; greetings have the first ones."""
        group = self.group[device]
        began = self._current(group, due)
        counted = at_s // self.every_s * self._size[group] + self.slot[device]
        before = self._sampled_before(group, began.data_from_s)
        turns: Ints = 1 + self._size[group] + counted - before
        return turns

    def _sampled_before(self, group: Ints, instant_s: Ints) -> Ints:
        """How many samples a group's devices take before an instant."""
        whole, rest = np.divmod(instant_s, self.every_s)
        place = np.searchsorted(self._ordered, group * self.every_s + rest) - self._first[group]
        sampled: Ints = whole * self._size[group] + place
        return sampled

    def _current(self, group: Ints, at_s: Ints) -> _Began:
        """The sessions in force at instants outside of outages."""
        if not self.renewed:
            nothing = np.zeros_like(at_s)
            return _Began(nothing, nothing, nothing)
        key, offset = self.keys[group], self._offset_s[group]
        planned = np.maximum(offset + (at_s - offset) // RENEWED_S * RENEWED_S, 0)
        began, data_from = self.outages.end_of(key, planned), planned
        odd = np.zeros_like(at_s)
        for back in self._days_back(1):
            start, end = self.outages.of_day(key, at_s // DAY_S - back)
            newer = (end <= at_s) & (end > 0)
            newer &= (end > began) | ((end == began) & (start < data_from))
            began, odd = np.where(newer, end, began), np.where(newer, 1, odd)
            data_from = np.where(newer, np.maximum(start, 0), data_from)
        recovered = self._recovered_s[group]
        newer = (recovered >= began) & (recovered <= at_s)
        began, odd = np.where(newer, recovered, began), np.where(newer, 1, odd)
        data_from = np.where(newer, recovered, data_from)
        return _Began(began, data_from, 2 * ((began - offset) // RENEWED_S + 1) + odd)

    # Greetings and wills ---------------------------------------------------------------------

    def changes(self, offset_s: int, seconds: int, down: Flags) -> Iterator[Change]:
        """What begins and ends in a step; ``down``: [groups] whose gateway a fault has silenced.

        Steps must be told in order. What the first step told finds down was down before.
        """
        before = down if self._down is None else self._down
        self._down = down.copy()
        yield from self._fell(down & ~before, offset_s, seconds)
        yield from self._rose(before & ~down, offset_s)
        up = np.flatnonzero(~down)
        if offset_s == 0:
            yield from self._greet(up, np.zeros_like(up))
        if self.renewed:
            yield from self._renewals(up, offset_s, seconds)
            yield from self._outages(up, offset_s, seconds)

    def _fell(self, fallen: Flags, offset_s: int, seconds: int) -> Iterator[Change]:
        groups = np.flatnonzero(fallen)
        due = np.full(len(groups), offset_s + min(WILL_AFTER_S, seconds))
        yield from self._mourn(groups, np.full(len(groups), offset_s - 1), due)

    def _rose(self, risen: Flags, offset_s: int) -> Iterator[Change]:
        groups = np.flatnonzero(risen)
        self._recovered_s[groups] = offset_s
        yield from self._greet(groups, np.full(len(groups), offset_s))

    def _renewals(self, up: Ints, offset_s: int, seconds: int) -> Iterator[Change]:
        """Reconnections: the old session ends in the same second in which the new one begins."""
        at = self._offset_s[up]
        at = at - (at - offset_s) // RENEWED_S * RENEWED_S
        now = at < offset_s + seconds
        groups, at = up[now], at[now]
        yield from self._mourn(groups, at - 1, at)
        yield from self._greet(groups, at)

    def _outages(self, up: Ints, offset_s: int, seconds: int) -> Iterator[Change]:
        """Wills of edge nodes whose outage begins, greetings of those whose outage ends."""
        today, until_s = (offset_s + seconds - 1) // DAY_S, offset_s + seconds
        for back in self._days_back(1):
            start, end = self.outages.of_day(self.keys[up], np.full(len(up), today - back))
            missed = start + WILL_AFTER_S
            now = (missed >= offset_s) & (missed < until_s) & (end > missed)
            yield from self._mourn(up[now], start[now] - 1, missed[now])
            now = (end >= offset_s) & (end < until_s)
            yield from self._greet(up[now], end[now])

    def _days_back(self, more: int) -> range:
        """How many days ago outages that still matter may have begun."""
        spells = self.outages.spells
        return range(spells.reach_days + more, -1, -1) if spells.share else range(0)

    def _greet(self, groups: Ints, at_s: Ints) -> Iterator[Change]:
        """Greetings of those that are not in an outage just then."""
        if not len(groups):
            return
        heard = self.outages.end_of(self.keys[groups], at_s) == at_s
        groups, at_s = groups[heard], at_s[heard]
        numbers = self._current(groups, at_s).session
        for group, at, number in zip(groups.tolist(), at_s.tolist(), numbers.tolist(), strict=True):
            yield Change(group, at, hello=True, session=number)

    def _mourn(self, groups: Ints, last_s: Ints, due: Ints) -> Iterator[Change]:
        """Wills of the sessions that were in force in their ``last_s``, if there was one."""
        if not len(groups):
            return
        alive = (last_s >= 0) & (self.outages.end_of(self.keys[groups], last_s) == last_s)
        groups, last_s, due = groups[alive], last_s[alive], due[alive]
        numbers = self._current(groups, last_s).session
        for group, at, number in zip(groups.tolist(), due.tolist(), numbers.tolist(), strict=True):
            yield Change(group, at, hello=False, session=number)


def sessions_of(
    seed: int, gateway: AnyInts, phase_s: AnyInts, every_s: int, outages: Calendar, *, renewed: bool
) -> Sessions:
    """Sessions of devices by the number of their gateway, [members] each."""
    keys, group = np.unique(gateway, return_inverse=True)
    return Sessions(seed, keys, group, phase_s, every_s, outages, renewed)
