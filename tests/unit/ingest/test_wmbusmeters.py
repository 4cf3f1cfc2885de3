"""wmbusmeters telegrams, by what its drivers print in their own tests."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.places import FlowPipe
from hearthline.domain.readings import MeterReading, Quality, RejectReason, RoomReading, Sign
from ingest.formats import Context
from ingest.formats.profiles import builtin
from ingest.formats.wmbusmeters import FORMAT, decode, flow_pipe
from simulators.wire import MeterReading as Sample
from simulators.wire import wmbusmeters
from tests.unit.ingest.decoding import NOW, deep, json_of, said, sound

AT = datetime(2026, 1, 10, 11, 40, tzinfo=UTC)
ID = "66666666"
UID = f"wmbusmeters:{ID}"
TOPIC = f"wmbusmeters/{ID}"
Fields = dict[str, Any]


def telegram(media: str = "heat", **fields: Any) -> bytes:
    body = {"_": "telegram", "media": media, "meter": "kamheat", "name": "M1", "id": ID}
    return said({**body, **fields, "timestamp": "2026-01-10T11:40:00Z"})


@pytest.mark.parametrize("serial", range(9))
@pytest.mark.parametrize("swapped", [False, True])
def test_what_the_simulator_says_is_read_back(serial: int, swapped: bool) -> None:
    identity = wmbusmeters.identify_meter("Heping", f"B{serial}-M1", serial)
    hot, cold = (41.25, 52.75) if swapped else (52.75, 41.25)
    truth = {"supply_c": hot, "return_c": cold, "flow_m3h": 0.23, "power_kw": 3.1}
    truth |= {"energy_kwh": 7173.0, "volume_m3": 268.71}
    sample = Sample(1768045200, 1768045200, 6, truth)
    (message,) = wmbusmeters.say_meter(identity, sample, ZoneInfo("Asia/Shanghai"))
    decoded = sound(FORMAT, message.topic, message.payload)
    (reading,) = decoded.readings
    assert (reading.device_uid, reading.time) == (
        identity.uid,
        datetime.fromtimestamp(1768045200, UTC),
    )
    for name, value in truth.items():
        assert getattr(reading, name) == pytest.approx(value, abs=0.06)
    tells_status = b'"status"' in message.payload
    assert (Quality.DEVICE_FAULT in reading.quality) is (swapped and tells_status)
    assert decoded.rejections == ()


@pytest.mark.parametrize(
    ("media", "fields", "expected"),
    [
        pytest.param(
            "heat volume at inlet",
            {
                "status": "OK",
                "total_energy_consumption_kwh": 7173,
                "total_volume_m3": 268.71,
                "volume_flow_m3h": 0.071,
                "power_kw": 2.2,
                "max_power_kw": 12.4,
                "t1_temperature_c": 52.29,
                "t2_temperature_c": 23.01,
                "max_flow_m3h": 0.396,
                "forward_energy_m3c": 15673,
                "return_energy_m3c": 9390,
            },
            (52.29, 23.01, 0.071, 2.2, 7173, 268.71),
            id="kamheat",
        ),
        pytest.param(
            "heat",
            {
                "total_energy_consumption_kwh": 1805,
                "total_energy_consumption_tariff1_kwh": 0,
                "total_volume_m3": 297.994,
                "total_volume_tariff2_m3": 0,
                "volume_flow_m3h": 0,
                "power_kw": 0,
                "flow_temperature_c": 21,
                "return_temperature_c": 21,
                "temperature_difference_c": -0.48,
                "status": "OK",
                "device_date_time": "2021-12-22 00:39",
            },
            (21, 21, 0, 0, 1805, 297.994),
            id="microclima",
        ),
        pytest.param(
            "heat",
            {
                "energy_at_set_date_kwh": 44641,
                "flow_temperature_c": 61.2,
                "operating_time_in_error_h": 0,
                "power_kw": 2.634,
                "return_temperature_c": 49.1,
                "set_date": "2023-01-31",
                "total_energy_consumption_kwh": 45110,
                "total_volume_m3": 2353.809,
                "volume_flow_m3h": 0.194,
            },
            (61.2, 49.1, 0.194, 2.634, 45110, 2353.809),
            id="sharky774",
        ),
        pytest.param(
            "heat/cooling load",
            {
                "total_heating_kwh": 4460.833333,
                "total_cooling_kwh": 0,
                "device_datetime": "2021-09-25 22:29",
                "total_heating_m3": 479.967,
                "total_cooling_m3": 0.059,
                "c1_volume_m3": 0,
                "c2_volume_m3": 0,
                "supply_temperature_c": 21.8,
                "return_temperature_c": 21.1,
            },
            (21.8, 21.1, None, None, 4460.833333, 479.967),
            id="hydrocalm3",
        ),
        pytest.param(
            "heat",
            {
                "difference_c": 8.15,
                "flow_water_m3h": -0.009,
                "flow_water_max_m3h": 3,
                "forward_c": 62,
                "meter_datetime": "2024-04-07 13:20",
                "power_kw": 0,
                "power_max_kw": 7,
                "return_c": 54,
                "status": "OK",
                "target_kwh": 17000,
                "total_kwh": 18312,
                "total_tariff2_kwh": 0,
                "total_water_m3": 4229.774,
            },
            (62, 54, -0.009, 0, 18312, 4229.774),
            id="sensostar",
        ),
        pytest.param(
            "heat",
            {
                "heat_kwh": 24277,
                "volume_m3": 5699.39,
                "power_kw": -0.2,
                "flow_m3h": 1.83,
                "flow_c": 35.1,
                "return_c": 35.2,
            },
            (35.1, 35.2, 1.83, -0.2, 24277, 5699.39),
            id="ultraheat",
        ),
        pytest.param(
            "heat/cooling load",
            {
                "total_m3": 398.773,
                "flow_temperature_c": 7.04,
                "return_temperature_c": 13.24,
                "flow_return_temperature_difference_c": -6.2,
                "volume_flow_m3h": 0.515,
                "total_heat_energy_kwh": 0,
                "total_cooling_energy_kwh": 220,
                "power_kw": -3.706,
                "target_heat_energy_kwh": 12,
            },
            (7.04, 13.24, 0.515, -3.706, 0, 398.773),
            id="qualcosonic",
        ),
        pytest.param(
            "heat",
            {
                "current_power_kw": 1.5,
                "current_volume_flow_m3h": 0.2,
                "t1_temperature_c": 24.9,
                "t2_temperature_c": 24.4,
                "total_energy_kwh": 3741.507306,
                "total_volume_m3": 304.663,
            },
            (24.9, 24.4, 0.2, 1.5, 3741.507306, 304.663),
            id="elf2",
        ),
        pytest.param(
            "heat",
            {
                "total_energy_consumption_kwh": 3112.49977,
                "current_power_consumption_kw": 0.4,
                "total_volume_m3": 201.364,
                "total_energy_consumption_at_date_kwh": 3047.8,
                "flow_temperature_c": 69,
                "return_temperature_c": 58,
                "external_temperature_c": 37.64,
                "battery_v": 3.31,
            },
            (69, 58, None, 0.4, 3112.49977, 201.364),
            id="elf",
        ),
        pytest.param(
            "heat",
            {
                "total_kwh": 411265,
                "target_kwh": 411057,
                "power_kw": 0,
                "flow_m3h": 0,
                "forward_c": 38,
                "return_c": 34,
                "difference_c": 4.2,
                "total_m3": 35354.96,
                "target_m3": 35318.35,
                "subunit1_m3": 25477.5,
            },
            (38, 34, 0, 0, 411265, 35354.96),
            id="enercal",
        ),
        pytest.param(
            "heat",
            {"total_kwh": 495, "current_kwh": 120, "previous_kwh": 375},
            (None, None, None, None, 495, None),
            id="compact5",
        ),
        pytest.param(
            "heat",
            {
                "total_energy_consumption_kwh": 390.4,
                "last_month_energy_consumption_kwh": 75.1,
                "last_year_energy_consumption_kwh": 0,
            },
            (None, None, None, None, 390.4, None),
            id="qheat",
        ),
        pytest.param(
            "heat",
            {"total_kwh": 4981.4, "target_kwh": 4165.8, "target_m3": 281.4, "last_year_kwh": 2612},
            (None, None, None, None, 4981.4, None),
            id="istaheat",
        ),
        pytest.param(
            "heat",
            {"total_energy_consumption_gj": 3.6, "power_w": 1500, "flow_temperature_f": 140},
            (60, None, None, 1.5, 1000, None),
            id="other units",
        ),
    ],
)
def test_the_drivers_of_heat_meters_are_read(
    media: str, fields: Fields, expected: tuple[float | None, ...]
) -> None:
    (reading,) = sound(FORMAT, TOPIC, telegram(media, **fields)).readings
    assert isinstance(reading, MeterReading)
    found = (
        reading.supply_c,
        reading.return_c,
        reading.flow_m3h,
        reading.power_kw,
        reading.energy_kwh,
        reading.volume_m3,
    )
    for value, wanted in zip(found, expected, strict=True):
        assert value == (None if wanted is None else pytest.approx(wanted))
    assert (reading.device_uid, reading.time, reading.quality) == (UID, AT, Quality.GOOD)


@pytest.mark.parametrize(
    ("fields", "temperature_c", "humidity_pct"),
    [
        ({"current_temperature_c": 21.8, "current_relative_humidity_rh": 43}, 21.8, 43),
        (
            {"temperature_c": 24.96, "relative_humidity_rh": 40, "software_version": "0021"},
            24.96,
            40,
        ),
        ({"current_temperature_c": 23.34, "average_temperature_1h_c": 23.28}, 23.34, None),
    ],
    ids=["lansenth", "piigth", "cma12w"],
)
def test_room_sensors_are_rooms(
    fields: Fields, temperature_c: float, humidity_pct: float | None
) -> None:
    averages = {"average_temperature_1h_c": 20, "average_relative_humidity_24h_rh": 42.5}
    payload = telegram("room sensor", **averages | fields)
    expected = RoomReading(UID, AT, temperature_c, humidity_pct)
    assert sound(FORMAT, TOPIC, payload).readings == (expected,)


@pytest.mark.parametrize(
    ("media", "pipe"),
    [
        ("heat volume at inlet", FlowPipe.SUPPLY),
        ("cooling load volume at inlet", FlowPipe.SUPPLY),
        ("heat", FlowPipe.RETURN),
        ("cooling load volume at outlet", FlowPipe.RETURN),
        ("heat/cooling load", None),
        ("heat cost allocation", None),
        ("water", None),
        (None, None),
    ],
)
def test_the_medium_tells_where_the_flow_sensor_sits(media: object, pipe: FlowPipe | None) -> None:
    assert flow_pipe(media) is pipe


@pytest.mark.parametrize(
    ("status", "faulty"),
    [
        ("OK", False),
        ("", False),
        (None, False),
        ("OK_BATTERY_LOW", False),
        ("WRONG_FLOW_DIRECTION", True),
        ("SENSOR_T1_BELOW_MEASURING_RANGE SENSOR_T2_BELOW_MEASURING_RANGE", True),
        ("ERROR_FLAGS_2000000", True),
        ("PERMANENT_ERROR UNKNOWN_20", True),
    ],
)
@pytest.mark.parametrize("field", ["status", "current_status"])
def test_a_status_that_is_not_well_is_the_meters_own_report(
    field: str, status: str | None, faulty: bool
) -> None:
    payload = telegram(power_kw=-0.2, flow_c=35.1, **{field: status})
    (reading,) = sound(FORMAT, TOPIC, payload).readings
    assert reading.quality is (Quality.DEVICE_FAULT if faulty else Quality.GOOD)


@pytest.mark.parametrize(
    ("media", "fields"),
    [
        ("water", {"total_m3": 253.4, "flow_temperature_c": 12, "external_temperature_c": 20}),
        ("cold water", {"total_m3": 1.5}),
        ("warm water", {"total_m3": 1.5}),
        ("gas", {"total_m3": 3223.47}),
        ("electricity", {"total_energy_consumption_kwh": 4687.858, "power_kw": 0.3}),
        ("heat cost allocation", {"current_hca": 12, "temp_room_c": 22.4}),
        ("smoke detector", {"status": "OK"}),
    ],
)
def test_what_else_is_on_the_air_is_no_heat_meter(media: str, fields: Fields) -> None:
    (rejection,) = sound(FORMAT, TOPIC, telegram(media, **fields)).rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.NO_QUANTITY, UID)
    assert media in rejection.detail


def test_the_ledger_may_want_a_water_meter_or_an_allocator_nevertheless() -> None:
    makeup = Context(profiles={UID: builtin()["wmbusmeters-makeup"]})
    (reading,) = sound(FORMAT, TOPIC, telegram("water", total_m3=253.4), makeup).readings
    assert reading == MeterReading(UID, AT, makeup_m3=253.4)
    allocator = Context(profiles={UID: builtin()["wmbusmeters-allocator"]})
    payload = telegram("heat cost allocation", temp_room_c=22.4)
    (reading,) = sound(FORMAT, TOPIC, payload, allocator).readings
    assert reading == RoomReading(UID, AT, 22.4)


def test_the_receiver_and_the_name_are_remembered() -> None:
    payload = telegram(total_kwh=495, device="rtlwmbus[00000001]", rssi_dbm=-85)
    assert sound(FORMAT, TOPIC, payload).signs == (
        Sign(
            UID,
            AT,
            gateway="wmbusmeters:rtlwmbus[00000001]",
            label="M1",
            flow_pipe=FlowPipe.RETURN,
        ),
    )


def test_the_telegram_names_the_meter_where_the_topic_has_its_name() -> None:
    payload = telegram(total_kwh=495)
    assert sound(FORMAT, "wmbusmeters/Cellar M1", payload).readings[0].device_uid == UID


def test_an_id_that_lost_its_zeros_gets_them_back() -> None:
    payload = telegram(total_kwh=495).replace(b'"66666666"', b"1234")
    (reading,) = sound(FORMAT, "wmbusmeters/x", payload).readings
    assert reading.device_uid == "wmbusmeters:00001234"


def test_what_could_not_be_decrypted_is_refused_with_the_reason() -> None:
    payload = telegram(error="decryption failed, please check key")
    (rejection,) = sound(FORMAT, TOPIC, payload).rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.NO_QUANTITY, UID)
    assert "check key" in rejection.detail


def test_without_a_timestamp_the_arrival_stands_in() -> None:
    body = {"media": "heat", "id": ID, "total_kwh": 5, "device_date_time": "2021-12-22 00:39"}
    (reading,) = sound(FORMAT, TOPIC, said(body)).readings
    assert (reading.time, reading.quality) == (NOW, Quality.CLOCK_GUESSED)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", RejectReason.MALFORMED),
        (b"online", RejectReason.MALFORMED),
        (b"[]", RejectReason.MALFORMED),
        (deep(100_000), RejectReason.MALFORMED),
        (telegram(), RejectReason.NO_QUANTITY),
        (telegram(total_kwh=True), RejectReason.NOT_A_NUMBER),
        (telegram(flow_c=float("inf")), RejectReason.NOT_A_NUMBER),
        (said({"id": ID, "total_kwh": 5, "timestamp": "noon"}), RejectReason.BAD_TIME),
    ],
)
def test_what_cannot_be_read_is_refused_for_its_meter(payload: bytes, reason: RejectReason) -> None:
    (rejection,) = sound(FORMAT, TOPIC, payload).rejections
    assert (rejection.reason, rejection.device_uid) == (reason, UID)


@given(st.binary(max_size=200))
def test_any_bytes_do_no_harm(payload: bytes) -> None:
    sound(FORMAT, TOPIC, payload)


KEYS = ("media", "id", "name", "device", "error", "status", "timestamp", "power_kw", "flow_c")


@given(json_of(*KEYS, "total_energy_consumption_gj", "temperature_c", "humidity_rh"))
def test_any_json_does_no_harm(body: Any) -> None:
    sound(FORMAT, TOPIC, json.dumps(body).encode())


@given(
    st.dictionaries(
        st.sampled_from([*KEYS, "heat_mj", "return_f"]), json_of("value", "unit"), max_size=4
    )
)
def test_any_telegram_does_no_harm(fields: Fields) -> None:
    sound(FORMAT, TOPIC, json.dumps(fields).encode())


def test_a_meter_keeps_its_uid_when_refused_before_it_is_known() -> None:
    assert decode(TOPIC, b"{", NOW).rejections[0].device_uid == UID


@pytest.mark.parametrize(
    ("media", "fields"),
    [
        ("co2", {"co2": 551, "humidity": 52.2, "temperature": 21.03, "temperature_avg_1h": 20.98}),
        ("reserved", {"humidity_rh": 52.2, "temperature_c": 21.03, "temperature_avg_24h_c": 21.15}),
    ],
)
def test_a_room_sensor_may_call_its_medium_otherwise(media: str, fields: Fields) -> None:
    (reading,) = sound(FORMAT, TOPIC, telegram(media, **fields)).readings
    assert reading == RoomReading(UID, AT, 21.03, 52.2)
