"""Sparkplug B: ``spBv1.0/{group}/{type}/{edge node}[/{device}]``, protobuf payloads.

The town is the group, a building's gateway the edge node, a sensor its device. NBIRTH and DBIRTH
name the metrics and give each an alias that is its own within the edge node; DDATA has aliases
alone. Births carry no values (``is_null``): nothing is known of a room yet. The will of an edge
node is its NDEATH, whose ``bdSeq`` is that of the NBIRTH it ends; DBIRTHs and DDATAs are numbered
0 to 255 after it, round and round. Readings from before the connection are ``is_historical``.

Source: Sparkplug 3.0, chapters 4 to 6; sparkplug_b.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from functools import lru_cache, partial
from typing import NamedTuple

from simulators.wire.model import (
    Clock,
    Format,
    Identity,
    MeterReading,
    Presence,
    RoomReading,
    Said,
)
from simulators.wire.protobuf import double, nested, single, text, unsigned

ALIASES = 16
"""Aliases kept for each device of an edge node."""
_UINT32, _UINT64, _FLOAT, _DOUBLE, _BOOLEAN = 7, 8, 9, 10, 11  # DataType
_NAME, _ALIAS, _TIME, _TYPE, _HISTORICAL, _NULL = 1, 2, 3, 4, 5, 7  # fields of Metric
_INT_VALUE, _LONG_VALUE, _FLOAT_VALUE, _DOUBLE_VALUE, _BOOLEAN_VALUE = 10, 11, 12, 13, 14
_PAYLOAD_TIME, _METRICS, _SEQ = 1, 2, 3  # fields of Payload


class Metric(NamedTuple):
    """A metric that births declare: our quantity, its name, its data type."""

    quantity: str
    name: str
    datatype: int


ROOM_METRICS = (
    Metric("temperature_c", "room/temperature", _FLOAT),
    Metric("humidity_pct", "room/humidity", _FLOAT),
    Metric("battery_pct", "device/battery", _UINT32),
)
METER_METRICS = (
    Metric("supply_c", "meter/supply_temperature", _FLOAT),
    Metric("return_c", "meter/return_temperature", _FLOAT),
    Metric("flow_m3h", "meter/flow_rate", _FLOAT),
    Metric("power_kw", "meter/power", _FLOAT),
    Metric("energy_kwh", "meter/energy", _DOUBLE),
    Metric("volume_m3", "meter/volume", _DOUBLE),
    Metric("supply_kpa", "meter/supply_pressure", _FLOAT),
    Metric("return_kpa", "meter/return_pressure", _FLOAT),
    Metric("valve_pct", "meter/valve", _FLOAT),
    Metric("pump_hz", "meter/pump_frequency", _FLOAT),
    Metric("makeup_m3", "meter/makeup", _DOUBLE),
)
_ROW = {metric.quantity: row for row, metric in enumerate(METER_METRICS)}


def identify(site: str, place: str, _serial: int, gateway: str) -> Identity:
    """A room sensor, a device of its building's gateway."""
    return _device(site, gateway, f"{place}-T1", place)


def identify_meter(site: str, name: str, _serial: int) -> Identity:
    """A heat meter behind an edge node of its own."""
    place = name.rpartition("-")[0]
    return _device(site, f"{place}-MBUS", name, place)


def _device(site: str, edge: str, device: str, place: str) -> Identity:
    topic = f"spBv1.0/{site}/DDATA/{edge}/{device}"
    return Identity(f"sparkplug:{site}/{edge}/{device}", device, topic, place)


def alias(slot: int, row: int) -> int:
    """The alias of a device's metric: ``slot`` is the device's place on its edge node."""
    return 1 + slot * ALIASES + row


@lru_cache(maxsize=65536)
def _head(number: int, datatype: int, *, historical: bool) -> tuple[bytes, bytes]:
    """What of a metric in DDATA does not change, before and after its time."""
    after = unsigned(_TYPE, datatype) + (unsigned(_HISTORICAL, 1) if historical else b"")
    return unsigned(_ALIAS, number), after


def _value(datatype: int, value: float) -> bytes:
    if datatype == _FLOAT:
        return single(_FLOAT_VALUE, value)
    if datatype == _DOUBLE:
        return double(_DOUBLE_VALUE, value)
    return unsigned(_INT_VALUE, round(value))


def _payload(at_ms: int, metrics: Sequence[bytes], seq: int | None) -> bytes:
    """A payload of encoded metrics."""
    body = b"".join([unsigned(_PAYLOAD_TIME, at_ms), *metrics])
    return body if seq is None else body + unsigned(_SEQ, seq % 256)


def _told(time: bytes, number: int, datatype: int, value: float, *, historical: bool) -> bytes:
    """A metric of DDATA; ``time`` is its encoded field."""
    before, after = _head(number, datatype, historical=historical)
    return nested(_METRICS, before + time + after + _value(datatype, value))


def say(identity: Identity, reading: RoomReading, _zone: tzinfo) -> tuple[Said, ...]:
    """DDATA of a room; the battery only now and then (report by exception)."""
    at_ms, slot, late = reading.at_s * 1000, reading.slot, reading.late
    time = unsigned(_TIME, at_ms)
    metrics = [_told(time, alias(slot, 0), _FLOAT, reading.temperature_c, historical=late)]
    if reading.humidity_pct is not None:
        humidity = reading.humidity_pct
        metrics.append(_told(time, alias(slot, 1), _FLOAT, humidity, historical=late))
    if reading.battery_pct is not None and reading.frame % 6 == 0:
        battery = reading.battery_pct
        metrics.append(_told(time, alias(slot, 2), _UINT32, battery, historical=late))
    return (Said(identity.topic, _payload(at_ms, metrics, reading.turn)),)


def say_meter(identity: Identity, reading: MeterReading, _zone: tzinfo) -> tuple[Said, ...]:
    """DDATA of a heat meter."""
    at_ms, slot = reading.at_s * 1000, reading.slot
    time = unsigned(_TIME, at_ms)
    metrics = [
        _told(
            time,
            alias(slot, _ROW[name]),
            METER_METRICS[_ROW[name]].datatype,
            value,
            historical=False,
        )
        for name, value in reading.quantities.items()
    ]
    return (Said(identity.topic, _payload(at_ms, metrics, reading.turn)),)


def hello(
    metrics: Sequence[Metric], devices: Sequence[Identity], at_s: int, session: int
) -> tuple[Said, ...]:
    """NBIRTH of an edge node, then DBIRTH of each of its devices."""
    at_ms = at_s * 1000
    rebirth = nested(
        _METRICS,
        text(_NAME, "Node Control/Rebirth")
        + unsigned(_TIME, at_ms)
        + unsigned(_TYPE, _BOOLEAN)
        + unsigned(_BOOLEAN_VALUE, 0),
    )
    node = _payload(at_ms, [_birth_death(at_ms, session), rebirth], 0)
    said = [Said(_edge_topic(devices[0], "NBIRTH"), node, 0)]
    for slot, device in enumerate(devices):
        born = [
            nested(
                _METRICS,
                text(_NAME, metric.name)
                + unsigned(_ALIAS, alias(slot, row))
                + unsigned(_TIME, at_ms)
                + unsigned(_TYPE, metric.datatype)
                + unsigned(_NULL, 1),
            )
            for row, metric in enumerate(metrics)
        ]
        topic = device.topic.replace("/DDATA/", "/DBIRTH/", 1)
        said.append(Said(topic, _payload(at_ms, born, slot + 1), 0))
    return tuple(said)


def bye(devices: Sequence[Identity], at_s: int, session: int) -> tuple[Said, ...]:
    """NDEATH of an edge node; it ends all of its devices and has no number."""
    at_ms = at_s * 1000
    payload = _payload(at_ms, [_birth_death(at_ms, session)], None)
    return (Said(_edge_topic(devices[0], "NDEATH"), payload, 0),)


def _birth_death(at_ms: int, session: int) -> bytes:
    return nested(
        _METRICS,
        text(_NAME, "bdSeq")
        + unsigned(_TIME, at_ms)
        + unsigned(_TYPE, _UINT64)
        + unsigned(_LONG_VALUE, session % 256),
    )


def _edge_topic(device: Identity, kind: str) -> str:
    root, group, _, edge, _ = device.topic.split("/")
    return f"{root}/{group}/{kind}/{edge}"


def _presence(metrics: Sequence[Metric]) -> Presence:
    born: Callable[[Sequence[Identity], int, int], tuple[Said, ...]] = partial(hello, metrics)
    return Presence(born, bye, edge=True)


FORMAT = Format(
    "sparkplug",
    identify,
    say,
    identify_meter,
    say_meter,
    clock=Clock.NETWORK,
    presence=_presence(ROOM_METRICS),
    meter_presence=_presence(METER_METRICS),
)
