"""Who greets: the devices of a format behind one gateway, their sessions, their numbers.

What is said then, and whether the gateway is an edge node that counts its messages, is the
format's (``wire.Presence``); when, is ``sessions``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from simulators import wire
from simulators.post.dispatch import Dispatch
from simulators.post.outbox import BYE, HELLO
from simulators.post.sessions import Sessions, sessions_of
from simulators.post.windows import AnyInts, Calendar, Flags, Ints, Spells

Identify = Callable[[int], wire.Identity]

IDENTITIES = 1 << 18
"""Names kept at hand for each fleet; those of larger towns are made anew."""
NEVER = Calendar(Spells(0, "never", 0.0, 0), np.zeros(0, dtype=int))


@dataclass(frozen=True, slots=True)
class Circle:
    """All devices of one format that greet; ``devices``: member → position in the fleet."""

    presence: wire.Presence
    sessions: Sessions
    devices: list[int]

    def announce(
        self, dispatch: Dispatch, identify: Identify, offset_s: int, seconds: int, down: Flags
    ) -> None:
        """Send the greetings and wills of a step; ``down``: [groups]."""
        for change in self.sessions.changes(offset_s, seconds, down):
            members = self.sessions.members(change.group)
            identities = [identify(self.devices[member]) for member in members]
            speak = self.presence.hello if change.hello else self.presence.bye
            said = speak(identities, dispatch.anchor_s + change.due, change.session)
            dispatch.announce(change.due, said, HELLO if change.hello else BYE)


@dataclass(slots=True)
class Circles:
    """The circles of a fleet of rooms or of meters; arrays are [devices].

    ``slot`` is each device's place on its edge node. At most one format has edge nodes.
    """

    slot: Ints
    circles: list[Circle] = field(default_factory=list)
    _member: Ints = field(init=False)
    _edge: Sessions | None = field(init=False, default=None)
    _on_edge: Flags = field(init=False)

    def __post_init__(self) -> None:
        self._member = np.zeros_like(self.slot)
        self._on_edge = np.zeros(len(self.slot), dtype=bool)

    def add(self, presence: wire.Presence, devices: Ints, sessions: Sessions) -> None:
        """Let the devices of a format greet."""
        self.circles.append(Circle(presence, sessions, devices.tolist()))
        if presence.edge:
            self.slot[devices] = sessions.slot
            self._member[devices] = np.arange(len(devices))
            self._on_edge[devices] = True
            self._edge = sessions

    @property
    def memory_s(self) -> int:
        """How far back anything may matter for what is sent now."""
        return max((circle.sessions.memory_s for circle in self.circles), default=0)

    def turns(self, devices: Ints, at_s: Ints, due: Ints) -> Ints:
        """The number of each message within its session; 0 without an edge node."""
        turns = np.zeros(len(devices), dtype=int)
        chosen = self._on_edge[devices]
        if self._edge is not None and chosen.any():
            member = self._member[devices[chosen]]
            turns[chosen] = self._edge.turns(member, at_s[chosen], due[chosen])
        return turns


def circles_of(
    seed: int,
    presences: Iterable[wire.Presence | None],
    *,
    speech: AnyInts,
    gateway: AnyInts,
    phase_s: AnyInts,
    every_s: int,
    outages: Calendar,
) -> Circles:
    """The circles of a fleet: ``presences`` by format, arrays [devices]; ``outages`` by gateway."""
    made = Circles(np.zeros(len(speech), dtype=int))
    for number, presence in enumerate(presences):
        devices = np.flatnonzero(speech == number)
        if presence is None or not len(devices):
            continue
        sessions = sessions_of(
            seed,
            gateway[devices],
            phase_s[devices],
            every_s,
            outages if presence.edge else NEVER,
            renewed=presence.edge,
        )
        made.add(presence, devices, sessions)
    return made
