"""wmbusmeters: ``wmbusmeters/{id}``, JSON whose field names depend on the driver of the meter.

Three namings are met: ``kamheat`` (``t1_temperature_c``), ``sharky`` (``flow_temperature_c``) and
``ultraheat`` (``flow_c``). Negative power is real (pipes swapped), and then the status is no
longer ``OK``. A receiver hears a meter's telegram at once or never and dates it, in UTC.

Source: wmbusmeters, drivers/src/kamheat.xmq, sharky.xmq, driver_ultraheat.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from zlib import crc32

import msgspec

from simulators.wire.instants import UTC, iso
from simulators.wire.model import Format, Identity, MeterReading, Said

_encode = msgspec.json.Encoder().encode

_IDS = 100_000_000
_STEP = 48_271_613
"""Coprime to the number of ids: serials of one town never meet on an id."""
Told = dict[str, object]


def meter_id(site: str, serial: int) -> str:
    """Eight decimal digits: different for every serial of a town."""
    return f"{(serial * _STEP + crc32(site.encode())) % _IDS:08d}"


def identify_meter(site: str, name: str, serial: int) -> Identity:
    """A meter, known by the id on its face."""
    number = meter_id(site, serial)
    place = name.rpartition("-")[0]
    return Identity(f"wmbusmeters:{number}", number, f"wmbusmeters/{number}", place)


def identify(site: str, place: str, serial: int, _gateway: str) -> Identity:
    """The meter of a place; no room sensor speaks this format."""
    return identify_meter(site, f"{place}-M1", serial)


def say_meter(identity: Identity, reading: MeterReading, _zone: tzinfo) -> tuple[Said, ...]:
    """One telegram as the meter's driver tells it."""
    driver, fields = _DRIVERS[crc32(identity.name.encode()) % len(_DRIVERS)]
    told: Told = {
        "_": "telegram",
        "media": "heat" if reading.in_return else "heat volume at inlet",
        "meter": driver,
        "name": identity.place,
        "id": identity.name,
    }
    told |= fields(reading.quantities, reading.frame)
    told["timestamp"] = iso(reading.at_s, UTC)
    return (Said(identity.topic, _encode(told)),)


def _status(quantities: Mapping[str, float]) -> str:
    swapped = quantities.get("supply_c", 0.0) < quantities.get("return_c", 0.0)
    return "ERROR_FLAGS_10" if swapped else "OK"


def _kamheat(quantities: Mapping[str, float], frame: int) -> Told:
    """Whole kWh, and counters of volume times temperature."""
    volume = quantities.get("volume_m3", 0.0)
    power, flow = quantities.get("power_kw", 0.0), quantities.get("flow_m3h", 0.0)
    return {
        "on_time_h": 6886 + frame // 12,
        "status": _status(quantities),
        "total_energy_consumption_kwh": int(quantities.get("energy_kwh", 0.0)),
        "total_volume_m3": volume,
        "volume_flow_m3h": flow,
        "power_kw": round(power, 1),
        "max_power_kw": round(abs(power) * 1.5, 1),
        "t1_temperature_c": quantities.get("supply_c"),
        "t2_temperature_c": quantities.get("return_c"),
        "max_flow_m3h": round(flow * 1.5, 3),
        "forward_energy_m3c": int(volume * 55.0),
        "return_energy_m3c": int(volume * 40.0),
    }


def _sharky(quantities: Mapping[str, float], frame: int) -> Told:
    """Temperatures in tenths; no status at all."""
    hot, cold = quantities.get("supply_c", 0.0), quantities.get("return_c", 0.0)
    return {
        "flow_temperature_c": round(hot, 1),
        "operating_time_h": 38160 + frame // 12,
        "power_kw": quantities.get("power_kw"),
        "return_temperature_c": round(cold, 1),
        "temperature_difference_c": round(hot - cold, 1),
        "total_energy_consumption_kwh": quantities.get("energy_kwh"),
        "total_volume_m3": quantities.get("volume_m3"),
        "volume_flow_m3h": quantities.get("flow_m3h"),
    }


def _ultraheat(quantities: Mapping[str, float], _frame: int) -> Told:
    return {
        "status": _status(quantities),
        "heat_kwh": quantities.get("energy_kwh"),
        "volume_m3": quantities.get("volume_m3"),
        "power_kw": quantities.get("power_kw"),
        "flow_m3h": quantities.get("flow_m3h"),
        "flow_c": quantities.get("supply_c"),
        "return_c": quantities.get("return_c"),
    }


_DRIVERS: tuple[tuple[str, Callable[[Mapping[str, float], int], Told]], ...] = (
    ("kamheat", _kamheat),
    ("sharky", _sharky),
    ("ultraheat", _ultraheat),
)

FORMAT = Format("wmbusmeters", identify, identify_meter=identify_meter, say_meter=say_meter)
