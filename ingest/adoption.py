"""Make a stranger a device of the ledger: bind it to a place, and store what it said before.

Nothing is guessed silently: who adopts names the place and the role; what is left out is taken from
the profile (kind, flow pipe) or from what the device said (flow pipe, since when, how often). A
device that the ledger had before and took down may be adopted again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches

from hearthline.domain.places import Device, DeviceKind, DeviceRole, FlowPipe, Ledger, PlaceKind
from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.registry.device_rules import ROLES_AT
from hearthline.settings import Settings
from hearthline.storage import ledger, strangers
from hearthline.storage.database import Connection, Row
from hearthline.storage.dead_letters import Filter
from hearthline.storage.views import places
from hearthline.storage.views import strangers as views
from ingest.door import Door
from ingest.formats import profiles
from ingest.formats.profiles import Profile
from ingest.intake import Message, hear
from ingest.replaying import Progress, Replayed, replay_dead_letters, replay_stranger

INTERVAL_S = 1200
INTERVALS_S = (10, 86_400)  # what a median of arrivals may be taken for
LOOKED_AT = 4_000  # messages whose times are asked for the beginning of the binding


@dataclass(frozen=True, slots=True)
class Wish:
    """What an engineer says about a stranger; None where it is to be found out."""

    place: str
    role: DeviceRole
    kind: DeviceKind | None = None
    flow_pipe: FlowPipe | None = None
    profile: str | None = None
    valid_from: datetime | None = None
    interval_s: int | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """The device as the ledger has it now, and what its earlier messages came to."""

    device: Device
    replayed: Replayed


def adopt(
    connection: Connection,
    uid: str,
    wish: Wish,
    door: Door,
    known: Mapping[str, Profile],
    *,
    progress: Progress | None = None,
) -> Adopted:
    """Put a stranger into the ledger and store what it said.

    The device is committed before its messages are replayed where the connection commits by
    itself; should the replay be cut short, ingest finishes it. ``known`` are the profiles there
    are, by name.

    Raises:
        NotFound: there is no such stranger, place or profile; the remedy names the nearest.
        Invalid: role, kind, place and flow pipe do not fit together.
        Conflict: the ledger has this device already.
    """
    with connection.transaction():
        stranger = views.one(connection, uid)
        device = _device(connection, stranger, wish, door, known)
        _free(connection, uid)
        ledger.save(connection, Ledger(devices=(device,)))
        strangers.welcome(connection, uid)
    door.directory.forget()
    replayed = replay_stranger(connection, uid, door, progress=progress)
    replayed += replay_dead_letters(connection, Filter(device=uid), door)
    return Adopted(device, replayed)


def _free(connection: Connection, uid: str) -> None:
    if views.bound(connection, uid):
        raise Conflict(
            f"The ledger has the device {uid} already.",
            "Move it with `hearthline ledger move` if it hangs elsewhere.",
        )


def _device(
    connection: Connection,
    stranger: Row,
    wish: Wish,
    door: Door,
    known: Mapping[str, Profile],
) -> Device:
    profile = profile_called(wish.profile, known)
    kind = kind_of(wish, profile)
    place = place_called(connection, wish.place)
    check_place(wish.role, place)
    said = stranger["guess"].get("flow_pipe")
    pipe = wish.flow_pipe or (profile.flow_pipe if profile else None) or (said and FlowPipe(said))
    if kind is not DeviceKind.METER:
        pipe = None
    elif pipe is None:
        raise Invalid(
            "A heat meter needs the pipe that holds its flow sensor.",
            "Say supply or return; most hang in the return.",
        )
    if wish.interval_s is not None and wish.interval_s < 1:
        raise Invalid("The interval is a number of seconds above 0.")
    device = Device(
        stranger["uid"],
        kind,
        wish.role,
        place["code"],
        pipe,
        wish.interval_s or _interval_s(connection, stranger["uid"]),
        None,
        profile.name if profile else None,
        wish.label if wish.label is not None else stranger["label"],
    )
    since = wish.valid_from or _first_said_at(connection, stranger, profile, door)
    return replace(device, valid_from=since)


def profile_called(name: str | None, known: Mapping[str, Profile]) -> Profile | None:
    """A profile by its name, None for none.

    Raises:
        NotFound: there is none of that name.
    """
    if not name:
        return None
    if name not in known:
        near = get_close_matches(name, known, 3, 0.5) or sorted(known)[:5]
        raise NotFound(f"There is no device profile {name!r}.", f"Try {', '.join(near)}.")
    return known[name]


def kind_of(wish: Wish, profile: Profile | None) -> DeviceKind:
    """The kind of device that plays the role.

    Raises:
        Invalid: the said kind or the profile is for another.
    """
    kind, _places = ROLES_AT[wish.role]
    if wish.kind is not None and wish.kind is not kind:
        raise Invalid(
            f"A device of kind {wish.kind} cannot play the role {wish.role}.",
            f"That role is played by a device of kind {kind}.",
        )
    if profile is not None and profile.kind is not kind:
        raise Invalid(
            f"The profile {profile.name} reads a device of kind {profile.kind}, "
            f"and the role {wish.role} is played by one of kind {kind}.",
            "Choose another profile or role.",
        )
    return kind


def place_called(connection: Connection, code: str) -> Row:
    """A place by its code.

    Raises:
        NotFound: there is none; the remedy names those that look like it.
    """
    try:
        if not code or "\0" in code:
            raise NotFound(f"There is no place with the code {code!r}.")
        return places.place(connection, code)
    except NotFound as error:
        near = views.codes_near(connection, code)
        remedy = f"Did you mean {', '.join(near)}?" if near else "Import it first."
        raise NotFound(error.sentence, remedy) from None


def check_place(role: DeviceRole, place: Row) -> None:
    """Whether a device of a role may hang there.

    Raises:
        Invalid: it may not.
    """
    _kind, fit = ROLES_AT[role]
    if place["kind"] not in fit:
        raise Invalid(
            f"A device of the role {role} does not hang at a {place['kind']} ({place['code']}).",
            f"It hangs at a {' or '.join(kind for kind in PlaceKind if kind in fit)}.",
        )


def _interval_s(connection: Connection, uid: str) -> int:
    """How often it speaks, as its messages tell."""
    pace = views.pace_s(connection, uid)
    if pace is None:
        return INTERVAL_S
    shortest, longest = INTERVALS_S
    return round(min(max(pace, shortest), longest))


def _first_said_at(
    connection: Connection, stranger: Row, profile: Profile | None, door: Door
) -> datetime:
    """The earliest time that its messages are about: they belong to the place as well."""
    uid: str = stranger["uid"]
    context = door.directory.context
    if profile is not None:
        context = replace(context, profiles={**context.profiles, uid: profile})
    first: datetime = stranger["first_at"]
    for kept in views.messages(connection, uid, LOOKED_AT):
        message = Message(kept.topic, kept.payload, kept.received_at, kept.retained)
        for reading in hear(message, door.formats, context).decoded.readings:
            if reading.device_uid == uid and door.rules.oldest <= reading.time < first:
                first = reading.time
    return first


def profiles_for(settings: Settings) -> Mapping[str, Profile]:
    """The profiles that a device can be given, by name.

    Raises:
        SettingsError: the company's file of device profiles cannot be used.
    """
    return profiles.load(settings.profiles)
