"""What a wire format is: how its devices name themselves and what they say of one reading.

Everything here is pure: plain numbers in, topics and bytes out, instants as Unix seconds. What
happens on the way (loss, repetition, outages, backlogs) is ``simulators.post``, which asks a
format only for what it declares below and never for its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple

from simulators.wire.instants import TimeStyle


class Identity(NamedTuple):
    """A device on the wire: the uid by which ingest knows it, its own name, where it publishes."""

    uid: str
    name: str
    topic: str
    place: str = ""


class RoomReading(NamedTuple):
    """One sample of a room sensor, as its format gets it.

    ``at_s`` is the true instant, ``stamp_s`` what the device's own clock said (equal unless that
    clock is wrong); ``frame`` counts its samples. ``style`` and ``fraction_ns`` are what some
    formats add to an instant; ``turn`` and ``slot`` are the message's place in the session of its
    edge node and the device's place on it; ``late`` tells a reading that was kept back.
    """

    at_s: int
    stamp_s: int
    frame: int
    temperature_c: float
    humidity_pct: float | None = None
    battery_pct: float | None = None
    style: TimeStyle = TimeStyle.UTC
    fraction_ns: int = 0
    turn: int = 0
    slot: int = 0
    late: bool = False


class MeterReading(NamedTuple):
    """One sample of a heat meter; ``quantities`` are those it measures, under our own names.

    ``in_return``: the pipe that holds the flow sensor. The rest as in ``RoomReading``.
    """

    at_s: int
    stamp_s: int
    frame: int
    quantities: Mapping[str, float]
    style: TimeStyle = TimeStyle.UTC
    turn: int = 0
    slot: int = 0
    in_return: bool = False


class Said(NamedTuple):
    """One message: ``readings`` in it, and whether the broker shall keep it (retained)."""

    topic: str
    payload: bytes
    readings: int = 1
    retain: bool = False


class Clock(Enum):
    """Whose clock dates a reading: decides what may be late, repeated, or wrong by minutes."""

    DEVICE = "device"
    NETWORK = "network"
    NONE = "none"  # nobody's: the receiver's time of arrival; a copy could not be told from news


Identify = Callable[[str, str, int, str], Identity]
IdentifyMeter = Callable[[str, str, int], Identity]
SayRoom = Callable[[Identity, RoomReading, tzinfo], tuple[Said, ...]]
SayMeter = Callable[[Identity, MeterReading, tzinfo], tuple[Said, ...]]
Recall = Callable[[Identity, Sequence[RoomReading], int, tzinfo], tuple[Said, ...]]
Announce = Callable[[Sequence[Identity], int, int], tuple[Said, ...]]


@dataclass(frozen=True, slots=True)
class Batching:
    """Readings that a building's gateway collects: one item each, joined into one payload."""

    item: Callable[[Identity, RoomReading, tzinfo], bytes]
    join: Callable[[Sequence[bytes]], bytes]


@dataclass(frozen=True, slots=True)
class Presence:
    """What devices say of themselves besides readings; no reading is in it.

    ``hello`` and ``bye`` take the devices behind one gateway in the order of their slots, a Unix
    second and the number of the session. ``edge``: the gateway is an edge node that numbers its
    messages, holds readings during its outages and greets anew at the start of every session.
    """

    hello: Announce
    bye: Announce
    edge: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A wire format.

    ``identify(site, place, serial, gateway)`` names a room sensor: ``place`` is its dwelling,
    ``serial`` any number that is its own, ``gateway`` the name of its building's gateway.
    ``identify_meter(site, name, serial)`` names a heat meter, ``name`` being ``{place}-{M1…}``
    and ``serial`` a small number that is its own within the town. ``say`` and ``say_meter`` are
    None where the format has no rooms or no meters; ``recall`` gives the messages of a backlog
    and is None where devices cannot be late. ``profile`` names the device profile that the
    ledger gives a sensor; None where the format's default reads all of them.
    """

    name: str
    identify: Identify
    say: SayRoom | None = None
    identify_meter: IdentifyMeter | None = None
    say_meter: SayMeter | None = None
    clock: Clock = Clock.NETWORK
    recall: Recall | None = None
    batching: Batching | None = None
    presence: Presence | None = None
    meter_presence: Presence | None = None
    profile: Callable[[Identity], str | None] | None = None


def one_by_one(say: SayRoom) -> Recall:
    """A backlog delivered as the single messages it would have been in time."""

    def recall(
        identity: Identity, readings: Sequence[RoomReading], _due_s: int, zone: tzinfo
    ) -> tuple[Said, ...]:
        return tuple(said for reading in readings for said in say(identity, reading, zone))

    return recall


def fingerprint(site: str, name: str, serial: int, digits: int) -> str:
    """So many hexadecimal digits that are a device's own in every town; lower case."""
    return blake2b(f"{site}/{name}/{serial}".encode(), digest_size=32).hexdigest()[:digits]
