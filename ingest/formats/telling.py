"""From the named fields of a device to a reading or a sign: what all formats with names share.

A decoder says who told what and when (``Told``); which field is which quantity is the profile's.
Three decisions: properties that carry their own times are gathered to moments, since a platform's
device stamps temperature and humidity a few milliseconds apart; humidity or battery without a
temperature is a sign of life, not a broken reading; and a quantity *beside* what the reading is
about that is no number (``"battery": "low"``) is left out and flagged instead of costing the
temperature.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hearthline.domain.places import DeviceKind, FlowPipe
from hearthline.domain.readings import (
    LIMITS,
    PRINCIPAL,
    MeterReading,
    Quality,
    Reading,
    RejectReason,
    RoomReading,
    Sign,
    WeatherReading,
)
from ingest.formats.model import Context, Harvest
from ingest.formats.profiles import Profile, chosen, defaults
from ingest.formats.quantities import ESSENTIAL
from ingest.formats.values import Refused, number

TOGETHER = timedelta(seconds=60)
"""Properties measured within this time of each other make one reading."""

_CLASSES: Mapping[DeviceKind, type[Reading]] = {
    DeviceKind.ROOM: RoomReading,
    DeviceKind.METER: MeterReading,
    DeviceKind.WEATHER: WeatherReading,
}

SHOWN = 8
"""Names of unknown fields that a dead letter lists."""


class Point(NamedTuple):
    """One property; ``at`` is None where the device said no time."""

    field: str
    value: Any
    at: datetime | None = None


class Told(NamedTuple):
    """What a device told of one instant, under its own names.

    ``item`` is the JSON of it, None where it is the whole message. ``gateway``, ``label``
    and ``flow_pipe`` are remembered of the device.
    """

    uid: str
    at: datetime
    fields: Mapping[str, Any]
    quality: Quality = Quality.GOOD
    seq: int | None = None
    item: Any = None
    gateway: str | None = None
    label: str | None = None
    flow_pipe: FlowPipe | None = None


def take(harvest: Harvest, format_name: str, context: Context, told: Told) -> None:
    """Add the reading or the sign that a device's fields make, or why they make none."""
    beside: tuple[float | None, float | None] | None = None
    try:
        profile, found, quality = quantities(profile_of(format_name, context, told), told)
    except Refused as refused:
        harvest.refuse(refused, told.item, told.uid)
    else:
        essential = ESSENTIAL[profile.kind]
        if essential is None or essential in found:
            make = _CLASSES[profile.kind]
            made = make(told.uid, told.at, **found, quality=quality, seq=told.seq)
            harvest.readings.append(made)
            harvest.items.append(told.item)
        else:
            beside = _possible("battery_pct", found), _possible("humidity_pct", found)
    if beside is not None or told.gateway or told.label or told.flow_pipe:
        alone = beside or (None, None)
        said = Sign(told.uid, told.at, None, told.gateway, *alone, told.label, told.flow_pipe)
        harvest.signs.append(said)


def take_all(harvest: Harvest, format_name: str, context: Context, told: Sequence[Told]) -> None:
    """Add what a device told of several instants.

    Instants at which it told only what we do not store (a voltage, an alarm) are no dead letters
    beside others that gave something; where none did, one dead letter says so for all.
    """
    before, read, signed = len(harvest.rejections), len(harvest.readings), len(harvest.signs)
    for one in told:
        take(harvest, format_name, context, one)
    beside = (one.battery_pct is not None or one.humidity_pct is not None for one in
              harvest.signs[signed:])  # fmt: skip
    kept, said = [], len(harvest.readings) > read or any(beside)
    for rejection in harvest.rejections[before:]:
        if rejection.reason is not RejectReason.NO_QUANTITY:
            kept.append(rejection)
        elif not said:
            kept.append(rejection)
            said = True
    harvest.rejections[before:] = kept


def profile_of(format_name: str, context: Context, told: Told) -> Profile | None:
    """The profile that the ledger gives, else the default that fits."""
    given = context.profiles.get(told.uid)
    return given if given is not None else chosen(defaults(format_name), told.fields)


def quantities(profile: Profile | None, told: Told) -> tuple[Profile, dict[str, float], Quality]:
    """The profile, our quantities from what was told (at least one), and their quality.

    Raises:
        Refused: NO_QUANTITY where nothing is known, NOT_A_NUMBER where it is about no number.
    """
    found: dict[str, float] = {}
    quality = told.quality
    for name, value in _read(profile, told.fields).items() if profile is not None else ():
        try:
            plain = number(name, value)
        except Refused:
            if profile is None or name in PRINCIPAL[profile.kind]:
                raise
            quality |= Quality.BESIDE_OUT_OF_RANGE
        else:
            if plain is not None:
                found[name] = plain
    if profile is None or not found:
        raise Refused(RejectReason.NO_QUANTITY, _nothing_in(told.fields))
    if profile.fault_field is not None:
        quality |= profile.quality(told.fields)
    return profile, found, quality


def _read(profile: Profile, fields: Mapping[str, Any]) -> dict[str, Any]:
    """By the profile; its probe, where there, is the room."""
    found = profile.read(fields)
    if profile.probe is not None and profile.kind is DeviceKind.ROOM:
        probe = fields.get(profile.probe)
        if probe is not None and not isinstance(probe, dict | list):
            found["temperature_c"] = probe
    return found


def _nothing_in(fields: Mapping[str, Any]) -> str:
    names = ", ".join(name[:40] for name in list(fields)[:SHOWN])
    return f"no quantity that we know among its fields: {names}" if names else "no fields"


def _possible(name: str, found: Mapping[str, Any]) -> float | None:
    value = found.get(name)
    low, high = LIMITS[name]
    return value if value is not None and low <= value <= high else None


def moments(points: Iterable[Point]) -> list[tuple[datetime | None, dict[str, Any]]]:
    """Points gathered to instants, in order: those near in time, where none is there twice.

    A moment has the time of its earliest point. Of two values of one field at the same instant
    the first counts. Points without a time belong to the last moment of points with one, or make
    one without a time.
    """
    instants: dict[datetime, dict[str, Any]] = {}
    untimed: dict[str, Any] = {}
    for point in points:
        fields = untimed if point.at is None else instants.setdefault(point.at, {})
        fields.setdefault(point.field, point.value)
    found: list[tuple[datetime | None, dict[str, Any]]] = []
    for at, fields in sorted(instants.items(), key=lambda pair: pair[0]):
        begun, gathered = found[-1] if found else (None, fields)
        if begun is not None and at - begun <= TOGETHER and gathered.keys().isdisjoint(fields):
            gathered.update(fields)
        else:
            found.append((at, fields))
    if found and untimed:
        found[-1] = found[-1][0], {**untimed, **found[-1][1]}
    elif untimed:
        found.append((None, untimed))
    return found


def name_of(value: Any) -> str | None:
    """A name that a message gives, where it is one: printable and not too long."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return str(value)
    if not isinstance(value, str):
        return None
    name = value.strip()
    return name if name and len(name) <= 200 and name.isprintable() else None
