"""The Things Stack uplinks, by messages as its servers send them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.readings import Quality, RejectReason, RoomReading, Sign
from ingest.formats import Context
from ingest.formats.profiles import builtin
from ingest.formats.tts import FORMAT, decode
from simulators.wire import RoomReading as Sample
from simulators.wire import tts
from tests.unit.ingest.decoding import NOW, deep, json_of, said, sound

TOPIC = "v3/town-rooms@ttn/devices/eui-a84041e3768490aa/up"
UID = "tts:eui-a84041e3768490aa"
HEARD = "2026-01-10T11:40:00.775023242Z"
HEARD_AT = datetime(2026, 1, 10, 11, 40, 0, 775023, tzinfo=UTC)


def uplink(decoded: Any = None, **more: Any) -> bytes:
    message: dict[str, Any] = {"f_port": 2, "f_cnt": 7, "frm_payload": "AQID", "received_at": HEARD}
    if decoded is not None:
        message["decoded_payload"] = decoded
    ids = {"device_id": UID[4:], "application_ids": {"application_id": "town-rooms"}}
    later = "2026-01-10T11:40:00.982112339Z"
    return said(
        {"end_device_ids": ids, "received_at": later, "uplink_message": {**message, **more}}
    )


@pytest.mark.parametrize("frame", [0, 1, 77])
@pytest.mark.parametrize("serial", range(6))
def test_what_the_simulator_says_is_read_back(serial: int, frame: int) -> None:
    identity = tts.identify("Heping", f"B{serial}-101", serial, "GW")
    sample = Sample(1768045200, 1768045200, frame, 21.43, 40.5, 90.0, fraction_ns=775_023_242)
    (message,) = tts.say(identity, sample, UTC)
    decoded = decode(message.topic, message.payload, NOW)
    at = datetime.fromtimestamp(1768045200, UTC) + timedelta(microseconds=775_023)
    expected = RoomReading(identity.uid, at, 21.43, 40.5, None, Quality.GOOD, frame)
    assert decoded.readings == (expected,)
    assert decoded.rejections == ()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {
                "BatV": 2.98,
                "Bat_status": 3,
                "Hum_SHT": 60.4,
                "TempC_DS": 327.67,
                "TempC_SHT": 27.47,
            },
            (27.47, 60.4, None),
            id="Dragino LHT65N without its probe",
        ),
        pytest.param(
            {"BatV": "3.05", "Hum_SHT": "45.0", "TempC_SHT": "-2.5"},
            (-2.5, 45.0, None),
            id="Dragino with numbers as text",
        ),
        pytest.param(
            {"battery": 92, "humidity": 52.5, "temperature": 21.5},
            (21.5, 52.5, 92.0),
            id="Milesight EM300-TH",
        ),
        pytest.param(
            {"humidity": 41, "light": 39, "motion": 6, "temperature": 22.6, "vdd": 3665},
            (22.6, 41.0, None),
            id="Elsys ERS",
        ),
        pytest.param(
            {
                "air_humidity": {"displayName": "Air humidity", "unit": "%", "value": 40.24},
                "air_temperature": {"displayName": "Air temperature", "unit": "°C", "value": 22.2},
                "battery_voltage": {"displayName": "Battery voltage", "unit": "V", "value": 3.1},
                "device_id": 1,
                "protocol_version": 2,
            },
            (22.2, 40.24, None),
            id="Decentlab",
        ),
        pytest.param(
            {"temperature_1": 20.1, "relative_humidity_1": 39.5},
            (20.1, 39.5, None),
            id="Cayenne LPP",
        ),
        pytest.param(
            {
                "err": 0,
                "messages": [
                    {"measurementId": 4097, "measurementValue": 23.1, "type": "Air Temperature"},
                    [{"measurementId": "4098", "measurementValue": 41.5}, {"Battery(%)": 99}],
                    None,
                ],
            },
            (23.1, 41.5, 99.0),
            id="SenseCAP",
        ),
        pytest.param(
            {"temperature": {"value": 69.8, "unit": "°F"}}, (21.0, None, None), id="Fahrenheit"
        ),
    ],
)
def test_codecs_of_many_makers_are_read(fields: Any, expected: tuple[float, ...]) -> None:
    (reading,) = sound(FORMAT, TOPIC, uplink(fields)).readings
    assert isinstance(reading, RoomReading)
    found = reading.temperature_c, reading.humidity_pct, reading.battery_pct
    assert found == pytest.approx(expected)
    assert (reading.device_uid, reading.time, reading.seq) == (UID, HEARD_AT, 7)


def test_a_profile_says_which_probe_is_the_room() -> None:
    payload = uplink({"TempC_DS": 20.9, "TempC_SHT": 27.47, "Hum_SHT": 60.4})
    context = Context(profiles={UID: builtin()["dragino-external-probe"]})
    assert decode(TOPIC, payload, NOW).readings[0].temperature_c == 27.47
    (reading,) = decode(TOPIC, payload, NOW, context).readings
    assert reading == RoomReading(UID, HEARD_AT, 20.9, seq=7)


def test_no_frame_count_is_the_first_frame() -> None:
    first = uplink({"temperature": 20}).replace(b'"f_cnt": 7, ', b"")
    assert decode(TOPIC, first, NOW).readings[0].seq == 0


def test_the_network_knows_the_battery_better_than_the_codec() -> None:
    payload = uplink(
        {"temperature": 20, "battery": 3.02}, last_battery_percentage={"f_cnt": 3, "value": 97.6}
    )
    (reading,) = decode(TOPIC, payload, NOW).readings
    assert reading.battery_pct == 97.6


def test_the_gateway_that_heard_it_best_is_told() -> None:
    heard_by = [
        {"gateway_ids": {"gateway_id": "roof"}, "rssi": -97},
        {"gateway_ids": {"gateway_id": "cellar"}, "rssi": -61},
        {"gateway_ids": {"gateway_id": "packetbroker"}, "rssi": -3},
        {"gateway_ids": None},
        "odd",
    ]
    decoded = decode(TOPIC, uplink({"temperature": 20}, rx_metadata=heard_by), NOW)
    assert decoded.signs == (Sign(UID, HEARD_AT, gateway="tts:gateway/cellar"),)


def test_normalised_values_stand_in_for_a_codec_nobody_knows() -> None:
    normal = [{"air": {"relativeHumidity": 44.5, "temperature": 25.3}, "battery": 3.026}]
    decoded = decode(TOPIC, uplink({"T1x": 253}, normalized_payload=normal), NOW)
    assert decoded.readings == (RoomReading(UID, HEARD_AT, 25.3, 44.5, seq=7),)


def test_normalised_values_with_a_time_were_remembered() -> None:
    normal = [
        {"time": "2026-01-10T10:00:00Z", "air": {"temperature": 20.0}},
        {"time": "2026-01-10T10:30:00Z", "air": {"temperature": 20.5}},
    ]
    decoded = sound(FORMAT, TOPIC, uplink(normalized_payload=normal))
    assert [(one.time.minute, one.quality) for one in decoded.readings] == [
        (0, Quality.HISTORY),
        (30, Quality.HISTORY),
    ]
    assert decoded.rejections == ()


def test_a_history_comes_at_its_own_times_and_each_entry_falls_alone() -> None:
    history = [
        {"timestamp": 1768041600, "temperature": 19.5, "humidity": 40},
        {"timestamp": 1768042200, "temperature": float("nan")},
        {"temperature": 19.7},
    ]
    decoded = sound(FORMAT, TOPIC, uplink({"temperature": 21, "history": history}))
    assert [(one.time, one.quality) for one in decoded.readings] == [
        (HEARD_AT, Quality.GOOD),
        (datetime(2026, 1, 10, 10, 40, tzinfo=UTC), Quality.HISTORY),
    ]
    reasons = {one.reason for one in decoded.rejections}
    assert reasons == {RejectReason.NOT_A_NUMBER, RejectReason.BAD_TIME}
    assert decoded.items[1] == history[0]


def test_battery_alone_is_a_sign_of_life() -> None:
    decoded = decode(TOPIC, uplink({"battery": 88, "firmware": "1.2"}), NOW)
    assert decoded.readings == decoded.rejections == ()
    assert decoded.signs == (Sign(UID, HEARD_AT, battery_pct=88.0),)


def test_a_frame_of_network_commands_alone_measures_nothing_and_is_no_fault() -> None:
    bare = {"received_at": HEARD, "uplink_message": {"f_cnt": 9, "received_at": HEARD}}
    decoded = decode(TOPIC, said(bare), NOW)
    assert decoded.readings == decoded.rejections == ()


def test_a_device_without_a_payload_formatter_is_told_so() -> None:
    (rejection,) = decode(TOPIC, uplink(), NOW).rejections
    assert (rejection.reason, rejection.device_uid) == (RejectReason.NO_QUANTITY, UID)
    assert "payload formatter" in rejection.detail


def test_no_server_time_leaves_the_gateways_then_the_arrival() -> None:
    fields = {"decoded_payload": {"temperature": 20}}
    settings = {"settings": {"time": "2026-01-10T11:39:59.9Z"}}
    (by_gateway,) = decode(TOPIC, said({"uplink_message": fields | settings}), NOW).readings
    assert by_gateway.time == datetime(2026, 1, 10, 11, 39, 59, 900_000, tzinfo=UTC)
    (arrived,) = decode(TOPIC, said({"uplink_message": fields}), NOW).readings
    assert (arrived.time, arrived.quality) == (NOW, Quality.CLOCK_GUESSED)


@pytest.mark.parametrize("event", ["down/queued", "down/ack", "location/solved", "service/data"])
def test_other_events_are_no_measurement(event: str) -> None:
    decoded = decode(TOPIC[:-2] + event, b"{", NOW)
    assert decoded.readings == decoded.rejections == decoded.signs == ()


def test_a_join_says_that_the_device_lives() -> None:
    decoded = decode(TOPIC[:-2] + "join", said({"received_at": HEARD, "join_accept": {}}), NOW)
    assert decoded.signs == (Sign(UID, HEARD_AT, online=True),)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", RejectReason.MALFORMED),
        (b"21.5", RejectReason.MALFORMED),
        (b"{}", RejectReason.MALFORMED),
        (deep(100_000), RejectReason.MALFORMED),
        (uplink([1]), RejectReason.MALFORMED),
        (uplink({"temperature": True}), RejectReason.NOT_A_NUMBER),
        (uplink({"temperature": 10**400}), RejectReason.NOT_A_NUMBER),
        (uplink({"temperature": 20}, received_at="yesterday"), RejectReason.BAD_TIME),
        (uplink({"lux": 12}), RejectReason.NO_QUANTITY),
    ],
)
def test_what_cannot_be_read_is_refused_for_its_device(
    payload: bytes, reason: RejectReason
) -> None:
    (rejection,) = sound(FORMAT, TOPIC, payload).rejections
    assert (rejection.reason, rejection.device_uid) == (reason, UID)


@given(st.binary(max_size=200))
def test_any_bytes_do_no_harm(payload: bytes) -> None:
    sound(FORMAT, TOPIC, payload)


KEYS = (
    "messages",
    "received_at",
    "temperature",
    "humidity",
    "battery",
    "history",
    "timestamp",
    "air",
    "time",
)


@given(json_of(*KEYS, "relativeHumidity", "value", "unit"), json_of(*KEYS), json_of("gateway_ids"))
def test_any_json_of_its_shape_does_no_harm(decoded: Any, normal: Any, heard_by: Any) -> None:
    more = {"normalized_payload": normal, "rx_metadata": heard_by}
    sound(FORMAT, TOPIC, uplink(decoded, **more, last_battery_percentage=normal))
