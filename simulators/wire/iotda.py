"""Huawei IoTDA: ``$oc/devices/{device id}/sys/properties/report``.

``services[]`` each with its ``properties`` and an ``event_time`` like ``20151212T121212Z``. A
room sensor now and then adds a second service, its battery, of the same instant: one reading.
Device ids begin with the product, which is the town's.
"""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from simulators.wire.instants import compact
from simulators.wire.model import (
    Clock,
    Format,
    Identity,
    MeterReading,
    RoomReading,
    Said,
    one_by_one,
)

_encode = msgspec.json.Encoder().encode

_BATTERY_EVERY = 6
METER_PROPERTIES = {
    "supply_c": "supplyTemperature",
    "return_c": "returnTemperature",
    "flow_m3h": "flowRate",
    "power_kw": "power",
    "energy_kwh": "totalEnergy",
    "volume_m3": "totalVolume",
    "supply_kpa": "supplyPressure",
    "return_kpa": "returnPressure",
    "valve_pct": "valveOpening",
    "pump_hz": "pumpFrequency",
    "makeup_m3": "makeupVolume",
}
"""Our quantities and the property that carries each; the units are ours."""


def identify(site: str, place: str, _serial: int, _gateway: str) -> Identity:
    """A room sensor."""
    return _device(site, f"{place}-T1", place)


def identify_meter(site: str, name: str, _serial: int) -> Identity:
    """A heat meter."""
    return _device(site, name, name.rpartition("-")[0])


def _device(site: str, name: str, place: str) -> Identity:
    device = f"{site}_{name}"
    return Identity(f"iotda:{device}", device, f"$oc/devices/{device}/sys/properties/report", place)


def say(identity: Identity, reading: RoomReading, _zone: tzinfo) -> tuple[Said, ...]:
    """One report of a room sensor."""
    event_time = compact(reading.stamp_s)
    climate: dict[str, float] = {"temperature": reading.temperature_c}
    if reading.humidity_pct is not None:
        climate["humidity"] = reading.humidity_pct
    services = [_service("RoomClimate", climate, event_time)]
    if reading.battery_pct is not None and reading.frame % _BATTERY_EVERY == 0:
        services.append(_service("Battery", {"batteryLevel": reading.battery_pct}, event_time))
    return (Said(identity.topic, _encode({"services": services})),)


def say_meter(identity: Identity, reading: MeterReading, _zone: tzinfo) -> tuple[Said, ...]:
    """One report of a heat meter."""
    properties = {METER_PROPERTIES[name]: value for name, value in reading.quantities.items()}
    services = [_service("HeatMeter", properties, compact(reading.stamp_s))]
    return (Said(identity.topic, _encode({"services": services})),)


def _service(name: str, properties: dict[str, float], event_time: str) -> dict[str, object]:
    return {"service_id": name, "properties": properties, "event_time": event_time}


FORMAT = Format(
    "iotda",
    identify,
    say,
    identify_meter,
    say_meter,
    clock=Clock.DEVICE,
    recall=one_by_one(say),
)
