"""The names that codecs and firmwares give to temperature, humidity and battery.

First name found with a value wins, so the plain names come first. Volts are not per cent:
battery voltages (``BatV``, ``voltage``) are left out on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROOM: dict[str, tuple[str, ...]] = {
    "temperature_c": (
        "temperature",
        "temp",
        "Temperature",
        "temperature_c",
        "TempC_SHT",
        "TempC",
        "tempC",
        "air_temperature",
        "airTemperature",
        "ambient_temperature",
        "temperature_1",
    ),
    "humidity_pct": (
        "humidity",
        "hum",
        "Humidity",
        "humidity_pct",
        "Hum_SHT",
        "relative_humidity",
        "relativeHumidity",
        "rh",
        "humidity_1",
    ),
    "battery_pct": (
        "battery",
        "battery_pct",
        "Battery",
        "battery_level",
        "batteryLevel",
        "battery_percent",
    ),
}


def room_quantities(said: Mapping[str, Any]) -> dict[str, Any]:
    """The room quantities of a codec's object, under our names; absent where not said."""
    found: dict[str, Any] = {}
    for quantity, names in ROOM.items():
        for name in names:
            if said.get(name) is not None:
                found[quantity] = said[name]
                break
    return found
