"""wmbusmeters: the same meter under three namings, with real life's oddities."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from simulators.wire import MeterReading, wmbusmeters

AT_S = 1_768_197_626
MEASURED = {
    "supply_c": 61.25,
    "return_c": 44.05,
    "flow_m3h": 3.125,
    "power_kw": 62.04,
    "energy_kwh": 7173.6,
    "volume_m3": 268.71,
}
SUPPLY = {"kamheat": "t1_temperature_c", "sharky": "flow_temperature_c", "ultraheat": "flow_c"}


def telegram(serial: int, *, in_return: bool = False, **more: float) -> dict[str, Any]:
    identity = wmbusmeters.identify_meter("hm", "H-S1-B01-M1", serial)
    reading = MeterReading(AT_S, AT_S, 24, MEASURED | more, in_return=in_return)
    (said,) = wmbusmeters.say_meter(identity, reading, UTC)
    message: dict[str, Any] = json.loads(said.payload)
    assert said.topic == f"wmbusmeters/{message['id']}"
    assert identity.uid == f"wmbusmeters:{message['id']}"
    return message


def of_driver(name: str, **more: Any) -> dict[str, Any]:
    return next(m for m in (telegram(n, **more) for n in range(60)) if m["meter"] == name)


def test_three_drivers_are_met_and_each_names_the_supply_its_way() -> None:
    for driver, key in SUPPLY.items():
        assert abs(of_driver(driver)[key] - 61.25) < 0.06


def test_kamheat_counts_whole_kilowatt_hours() -> None:
    message = of_driver("kamheat")
    assert message["total_energy_consumption_kwh"] == 7173
    assert message["status"] == "OK"
    assert message["t2_temperature_c"] == 44.05


def test_swapped_pipes_show_as_negative_power_and_an_error() -> None:
    message = of_driver("ultraheat", supply_c=44.0, return_c=61.0, power_kw=-60.1)
    assert message["power_kw"] == -60.1
    assert message["status"] != "OK"


def test_the_medium_tells_the_pipe_of_the_flow_sensor() -> None:
    assert telegram(1)["media"] == "heat volume at inlet"
    assert telegram(1, in_return=True)["media"] == "heat"


def test_ids_of_a_town_never_meet() -> None:
    ids = {wmbusmeters.meter_id("hm", serial) for serial in range(100_000)}
    assert len(ids) == 100_000
    assert all(len(one) == 8 and one.isdecimal() for one in ids)


def test_telegrams_are_dated_in_utc() -> None:
    assert telegram(1)["timestamp"] == "2026-01-12T06:00:26Z"
