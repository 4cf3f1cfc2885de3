"""OneNET, Alink and IoTDA: properties of a thing, each cloud with its own wrapping and time."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from simulators.wire import MeterReading, RoomReading, alink, iotda, onenet
from simulators.wire.model import Format, Identity

AT_S = 1_768_197_626
PLACE = "H-S1-B01-E1-0302"


def said(one: Format, frame: int = 6) -> tuple[Identity, dict[str, Any]]:
    identity = one.identify("hm", PLACE, 1, "GW")
    assert one.say is not None
    (message,) = one.say(identity, RoomReading(AT_S, AT_S + 5, frame, 21.5, 40.0, 80.0), UTC)
    assert message.topic == identity.topic
    return identity, json.loads(message.payload)


def test_onenet_writes_values_with_their_time_in_milliseconds() -> None:
    identity, message = said(onenet.FORMAT)
    at_ms = (AT_S + 5) * 1000
    assert identity.uid == f"onenet:hm/{PLACE}-T1"
    assert identity.topic == f"$sys/hm/{PLACE}-T1/thing/property/post"
    assert message["id"] == "6"
    assert message["params"] == {
        "Temp": {"value": 21.5, "time": at_ms},
        "Hum": {"value": 40.0, "time": at_ms},
        "Battery": {"value": "80%", "time": at_ms},
    }
    assert "Battery" not in said(onenet.FORMAT, 7)[1]["params"]


def test_alink_begins_its_topic_with_a_slash() -> None:
    identity, message = said(alink.FORMAT)
    assert identity.uid == f"alink:hm/{PLACE}-T1"
    assert identity.topic == f"/sys/hm/{PLACE}-T1/thing/event/property/post"
    assert message["method"] == "thing.event.property.post"
    assert message["params"]["CurrentTemperature"] == {"value": 21.5, "time": (AT_S + 5) * 1000}


def test_iotda_dates_each_service_in_the_basic_format() -> None:
    identity, message = said(iotda.FORMAT)
    assert identity.uid == f"iotda:hm_{PLACE}-T1"
    assert identity.topic == f"$oc/devices/hm_{PLACE}-T1/sys/properties/report"
    assert message["services"] == [
        {
            "service_id": "RoomClimate",
            "properties": {"temperature": 21.5, "humidity": 40.0},
            "event_time": "20260112T060031Z",
        },
        {
            "service_id": "Battery",
            "properties": {"batteryLevel": 80.0},
            "event_time": "20260112T060031Z",
        },
    ]
    assert len(said(iotda.FORMAT, 7)[1]["services"]) == 1


def test_an_iotda_meter_uses_names_of_its_own() -> None:
    identity = iotda.identify_meter("hm", "H-S1-B01-M1", 3)
    reading = MeterReading(AT_S, AT_S, 1, {"supply_c": 61.2, "power_kw": -3.0})
    (message,) = iotda.say_meter(identity, reading, UTC)
    (service,) = json.loads(message.payload)["services"]
    assert service["service_id"] == "HeatMeter"
    assert service["properties"] == {"supplyTemperature": 61.2, "power": -3.0}
