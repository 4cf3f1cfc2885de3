"""Tasmota's telemetry, by messages as modules send them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.readings import MeterReading, Quality, RejectReason, RoomReading, Sign
from ingest.formats import Context
from ingest.formats.profiles import builtin
from ingest.formats.tasmota import FORMAT, decode
from simulators.wire import RoomReading as Sample
from simulators.wire import tasmota
from tests.unit.ingest.decoding import NOW, deep, json_of, said, sound

TOPIC = "tele/cellar/SENSOR"
CHINA = ZoneInfo("Asia/Shanghai")
LOCAL = "2026-01-10T19:40:00"
AT = datetime(2026, 1, 10, 11, 40, tzinfo=UTC)


@pytest.mark.parametrize("serial", range(12))
def test_what_the_simulator_says_is_read_back(serial: int) -> None:
    identity = tasmota.identify("Heping", f"B{serial}-101", serial, "GW")
    sample = Sample(1768045200, 1768045200, 6, 21.4)
    (message,) = tasmota.say(identity, sample, CHINA)
    decoded = sound(FORMAT, message.topic, message.payload)
    (reading,) = decoded.readings
    assert reading.temperature_c == pytest.approx(21.4, abs=0.03)
    assert (reading.device_uid, reading.time) == (
        identity.uid,
        datetime.fromtimestamp(1768045200, UTC),
    )
    assert reading.quality is Quality.GOOD
    assert decoded.rejections == ()


def test_the_zone_of_the_settings_is_the_modules() -> None:
    payload = said({"Time": LOCAL, "AM2301": {"Temperature": 24.6, "Humidity": 58.2}})
    west = Context(zone=timezone(timedelta(hours=-3)))
    assert decode(TOPIC, payload, NOW).readings[0].time == AT
    assert decode(TOPIC, payload, NOW, west).readings[0].time == AT + timedelta(hours=11)


@pytest.mark.parametrize("time", ["2026-01-10T19:40:00+08:00", "2026-01-10T11:40:00Z", 1768045200])
def test_a_zone_that_the_module_names_counts(time: object) -> None:
    payload = said({"Time": time, "SI7021": {"Temperature": 24.6}})
    west = Context(zone=timezone(timedelta(hours=-3)))
    assert decode(TOPIC, payload, NOW, west).readings[0].time == AT


def test_a_module_without_a_clock_is_dated_by_arrival() -> None:
    (reading,) = decode(TOPIC, said({"DHT11": {"Temperature": 20}}), NOW).readings
    assert (reading.time, reading.quality) == (NOW, Quality.CLOCK_GUESSED)


@pytest.mark.parametrize(
    ("section", "content", "expected"),
    [
        ("AM2301", {"Temperature": 24.6, "Humidity": 58.2, "DewPoint": 15.8}, (24.6, 58.2, None)),
        ("SHT3X-0x44", {"Temperature": 21.1, "Humidity": 45.0}, (21.1, 45.0, None)),
        (
            "BME280",
            {"Temperature": 25.2, "Humidity": 32.1, "DewPoint": 7.4, "Pressure": 1012.9},
            (25.2, 32.1, None),
        ),
        (
            "MJ_HT_V1-7D1B1A",
            {"Temperature": 22.9, "Humidity": 51.3, "Battery": 79},
            (22.9, 51.3, 79.0),
        ),
        ("ANALOG", {"Temperature": 19.9}, (19.9, None, None)),
    ],
)
def test_a_sensor_without_an_id_is_known_by_its_module_and_section(
    section: str, content: Any, expected: tuple[float, ...]
) -> None:
    payload = said({"Time": LOCAL, section: content, "TempUnit": "C"})
    decoded = sound(FORMAT, TOPIC, payload)
    assert decoded.readings == (RoomReading(f"tasmota:cellar/{section}", AT, *expected),)
    assert decoded.gateway == "tasmota:cellar"


def test_probes_are_known_by_their_ids_whatever_their_numbers() -> None:
    first, second = ({"Id": f"01131B123{n}", "Temperature": 20.0 + n} for n in (1, 2))
    for names in (("DS18B20-1", "DS18B20-2"), ("DS18B20-2", "DS18B20-1")):
        payload = said({"Time": LOCAL, names[0]: first, names[1]: second, "TempUnit": "C"})
        decoded = sound(FORMAT, TOPIC, payload)
        found = {one.device_uid: one.temperature_c for one in decoded.readings}
        assert found == {"tasmota:01131B1231": 21.0, "tasmota:01131B1232": 22.0}
        assert decoded.items == ({names[0]: first}, {names[1]: second})


def test_old_firmware_nests_its_probes() -> None:
    nested = {
        "DS1": {"Type": "DS18B20", "Address": "28FF08025C160395", "Temperature": 20.6},
        "DS2": {"Type": "DS18B20", "Address": "28FF12345C160395", "Temperature": 40.1},
    }
    decoded = sound(FORMAT, TOPIC, said({"Time": LOCAL, "DS18x20": nested, "TempUnit": "C"}))
    assert [one.device_uid for one in decoded.readings] == [
        "tasmota:28FF08025C160395",
        "tasmota:28FF12345C160395",
    ]


def test_fahrenheit_stands_once_for_all_sections() -> None:
    payload = said(
        {
            "Time": LOCAL,
            "DS18B20": {"Id": "A", "Temperature": 69.8},
            "SHT3X": {"Temperature": "68", "Humidity": 40, "DewPoint": 42.0},
            "TempUnit": "F",
        }
    )
    decoded = sound(FORMAT, TOPIC, payload)
    temperatures = [one.temperature_c for one in decoded.readings]
    assert temperatures == pytest.approx([21.0, 20.0])
    assert decoded.readings[1].humidity_pct == 40.0


def test_a_chip_a_plug_and_an_analogue_input_are_no_rooms() -> None:
    beside = {
        "ANALOG": {"A0": 300},
        "ESP32": {"Temperature": 52.8},
        "ENERGY": {"Power": 12, "Total": 3.1, "Temperature": 40},
        "Switch1": "ON",
    }
    payload = said({"Time": LOCAL, "DS18B20": {"Id": "A", "Temperature": 20}, **beside})
    assert [one.device_uid for one in sound(FORMAT, TOPIC, payload).readings] == ["tasmota:A"]
    (rejection,) = decode(TOPIC, said({"Time": LOCAL, **beside}), NOW).rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.NO_QUANTITY, "tasmota:cellar")


def test_a_probe_that_does_not_answer_leaves_the_others_alone() -> None:
    payload = said(
        {
            "Time": LOCAL,
            "DS18B20-1": {"Id": "A", "Temperature": None},
            "DS18B20-2": {"Id": "B", "Temperature": 20},
        }
    )
    decoded = sound(FORMAT, TOPIC, payload)
    assert [one.device_uid for one in decoded.readings] == ["tasmota:B"]
    assert [one.device_uid for one in decoded.rejections] == ["tasmota:A"]


def test_a_zigbee_bridge_tells_humidity_alone() -> None:
    def bridged(**content: Any) -> bytes:
        one = {"Device": "0x329F", "Name": "Bedroom", **content, "Endpoint": 1, "LinkQuality": 92}
        return said({"ZbReceived": {"0x329F": one}})

    (reading,) = sound(FORMAT, TOPIC, bridged(Temperature=27.89)).readings
    assert reading.device_uid == "tasmota:cellar/Bedroom"
    decoded = sound(FORMAT, TOPIC, bridged(Humidity=69.45, BatteryPercentage=80))
    assert decoded.readings == decoded.rejections == ()
    assert decoded.signs == (
        Sign("tasmota:cellar/Bedroom", NOW, battery_pct=80.0, humidity_pct=69.45),
    )


def test_a_heat_meter_behind_an_optical_head_is_read_by_its_profile() -> None:
    payload = said({"Time": LOCAL, "MC302": {"T1": 61.2, "T2": 40.1, "Flow": 0.2, "Energy": 712}})
    uid = "tasmota:cellar/MC302"
    context = Context(profiles={uid: builtin()["tasmota-heat-meter"]})
    (reading,) = sound(FORMAT, TOPIC, payload, context).readings
    assert reading == MeterReading(uid, AT, 61.2, 40.1, 0.2, energy_kwh=712.0)


@pytest.mark.parametrize(
    "topic", ["tele/hall/3/SENSOR", "hall/tele/SENSOR", "stat/hall/STATUS10", "tele/hall/SENSOR"]
)
def test_the_full_topic_may_be_turned_round(topic: str) -> None:
    content = {"Time": LOCAL, "SHT3X": {"Temperature": 20}}
    body = {"StatusSNS": content} if topic.startswith("stat") else content
    assert FORMAT.matches(topic)
    module = "hall/3" if "/3/" in topic else "hall"
    assert sound(FORMAT, topic, said(body)).readings[0].device_uid == f"tasmota:{module}/SHT3X"


@pytest.mark.parametrize(("payload", "online"), [(b"Online", True), (b"Offline", False)])
def test_the_last_will_says_whether_a_module_lives(payload: bytes, online: bool) -> None:
    decoded = decode("tele/cellar/LWT", payload, NOW)
    assert decoded.signs == (Sign("tasmota:cellar", NOW, online=online),)


@pytest.mark.parametrize("what", ["STATE", "INFO1", "UPTIME", "RESULT", "HASS_STATE", "LWT"])
def test_other_telemetry_is_no_measurement(what: str) -> None:
    decoded = decode(f"tele/cellar/{what}", b'{"Time":"2026-01-10T19:40:00"}', NOW)
    assert decoded.readings == decoded.rejections == ()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", RejectReason.MALFORMED),
        (b"[]", RejectReason.MALFORMED),
        (deep(100_000), RejectReason.MALFORMED),
        (said({"Time": "noon", "A": {"Temperature": 1}}), RejectReason.BAD_TIME),
        (said({"Time": "0001-01-01T00:00:00", "A": {"Temperature": 1}}), RejectReason.BAD_TIME),
        (said({"Time": LOCAL, "A": {"Temperature": "hot"}}), RejectReason.NOT_A_NUMBER),
        (said({"Time": LOCAL, "A": {"Temperature": float("nan")}}), RejectReason.NOT_A_NUMBER),
        (said({"Time": LOCAL}), RejectReason.NO_QUANTITY),
    ],
)
def test_what_cannot_be_read_is_refused(payload: bytes, reason: RejectReason) -> None:
    assert [one.reason for one in sound(FORMAT, TOPIC, payload).rejections] == [reason]


@given(st.binary(max_size=200))
def test_any_bytes_do_no_harm(payload: bytes) -> None:
    for what in ("SENSOR", "LWT", "STATE"):
        sound(FORMAT, f"tele/cellar/{what}", payload)


@given(json_of("Time", "TempUnit", "Temperature", "Id", "Humidity", "ZbReceived", "StatusSNS"))
def test_any_json_does_no_harm(body: Any) -> None:
    sound(FORMAT, TOPIC, said(body))


@given(
    st.dictionaries(st.text(max_size=5), json_of("Temperature", "Id"), max_size=3),
    st.sampled_from("CF"),
)
def test_any_sections_do_no_harm(sections: Any, unit: str) -> None:
    sound(FORMAT, TOPIC, said({**sections, "Time": LOCAL, "TempUnit": unit}))
