"""Our own format: ``hearthline/v1/{site}/{device}/{kind}``, one JSON object or an array of them.

Room sensors hang on their building's gateway, which batches; meters and weather stations speak
for themselves. Devices write instants in any of four legal ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import msgspec

from hearthline.domain.places import DeviceKind
from simulators.wire.instants import instant
from simulators.wire.model import (
    Batching,
    Clock,
    Format,
    Identity,
    MeterReading,
    RoomReading,
    Said,
)

_encode = msgspec.json.Encoder().encode


def own_topic(site: str, device: str, kind: DeviceKind) -> str:
    """Topic of our own format; ``device`` may be a gateway."""
    return f"hearthline/v1/{site}/{device}/{kind}"


def own_item(
    quantities: Mapping[str, float | None],
    ts: str | int,
    *,
    seq: int | None = None,
    device: str | None = None,
) -> bytes:
    """One reading of our own format; quantities that are None were not measured and not sent."""
    item: dict[str, object] = {} if device is None else {"device": device}
    item["ts"] = ts
    if seq is not None:
        item["seq"] = seq
    if None in quantities.values():
        quantities = {name: value for name, value in quantities.items() if value is not None}
    item.update(quantities)
    return _encode(item)


def own_array(items: Sequence[bytes]) -> bytes:
    """Encoded readings batched by a gateway."""
    return b"[" + b",".join(items) + b"]"


def identify(site: str, place: str, _serial: int, gateway: str) -> Identity:
    """A room sensor behind its building's gateway."""
    name = f"{place}-T1"
    return Identity(f"own:{site}/{name}", name, own_topic(site, gateway, DeviceKind.ROOM), place)


def identify_meter(site: str, name: str, _serial: int) -> Identity:
    """A heat meter that speaks for itself."""
    topic = own_topic(site, name, DeviceKind.METER)
    return Identity(f"own:{site}/{name}", name, topic, name.rpartition("-")[0])


def item(identity: Identity, reading: RoomReading, zone: tzinfo) -> bytes:
    """A room reading as its gateway collects it."""
    said: dict[str, object] = {
        "device": identity.name,
        "ts": instant(reading.stamp_s, reading.style, zone),
        "seq": reading.frame,
        "temperature_c": reading.temperature_c,
    }
    if reading.humidity_pct is not None:
        said["humidity_pct"] = reading.humidity_pct
    if reading.battery_pct is not None:
        said["battery_pct"] = reading.battery_pct
    return _encode(said)


def say(identity: Identity, reading: RoomReading, zone: tzinfo) -> tuple[Said, ...]:
    """A room reading that is not batched with others: an array of one."""
    return (Said(identity.topic, own_array([item(identity, reading, zone)])),)


def say_meter(identity: Identity, reading: MeterReading, zone: tzinfo) -> tuple[Said, ...]:
    """A heat meter's reading as one object."""
    ts = instant(reading.stamp_s, reading.style, zone)
    return (Said(identity.topic, own_item(reading.quantities, ts, seq=reading.frame)),)


FORMAT = Format(
    "own",
    identify,
    say,
    identify_meter,
    say_meter,
    clock=Clock.DEVICE,
    batching=Batching(item, own_array),
)
