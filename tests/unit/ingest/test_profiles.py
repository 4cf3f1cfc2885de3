"""Device profiles: what they read, which one a message fits, and files of them."""

import struct
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.places import DeviceKind, FlowPipe
from hearthline.domain.readings import Quality, RejectReason
from ingest.formats import OURS
from ingest.formats.frames import CHECKS, Frame, Part, unwrapped
from ingest.formats.profile_file import (
    FRAME_KEYS,
    KEYS,
    PART_KEYS,
    SOURCE_KEYS,
    ProfileError,
    parse,
)
from ingest.formats.profiles import Profile, Source, builtin, chosen, defaults, load
from ingest.formats.quantities import QUANTITIES
from ingest.formats.units import UNITS, conversion, known
from ingest.formats.values import Refused

EXAMPLE = """
acme:
  format: [alink, onenet]
  kind: meter
  flow_pipe: return
  fault: {field: state, free: [OK, "0", 7]}
  quantities:
    supply_c: [flow_temp, {field: raw, scale: 0.1, offset: -5}]
    return_c: {field: back_f, unit: °F}
    energy_kwh: [{field: heat, unit: 0.01 GJ}]
    power_kw: [{field: w, unit: W}, {field: mw, unit: MW}]
    supply_kpa: {field: bar, unit: bar}
"""


@pytest.fixture
def acme() -> Profile:
    return parse(EXAMPLE)["acme"]


def test_a_profile_is_read_from_yaml(acme: Profile) -> None:
    assert (acme.kind, acme.flow_pipe, acme.formats) == (
        DeviceKind.METER,
        FlowPipe.RETURN,
        ("alink", "onenet"),
    )
    assert acme.fault_free == ("OK", "0", "7")


def test_fields_are_converted_to_our_units(acme: Profile) -> None:
    read = acme.read({"raw": 650, "back_f": "104", "heat": 36, "mw": 0.5, "bar": 4.5})
    assert read == pytest.approx(
        {"supply_c": 60.0, "return_c": 40.0, "energy_kwh": 100.0, "power_kw": 500.0,
         "supply_kpa": 450.0}
    )  # fmt: skip


def test_the_first_field_with_a_value_counts(acme: Profile) -> None:
    assert acme.read({"flow_temp": None, "raw": 100}) == {"supply_c": 5.0}
    assert acme.read({"flow_temp": "", "raw": 100, "w": 0}) == {"supply_c": 5.0, "power_kw": 0.0}
    assert acme.read({"flow_temp": 3, "raw": 100}) == {"supply_c": 3}


def test_a_value_to_be_converted_must_be_a_number(acme: Profile) -> None:
    with pytest.raises(Refused) as refused:
        acme.read({"back_f": "warm"})
    assert refused.value.reason is RejectReason.NOT_A_NUMBER


@pytest.mark.parametrize(
    ("state", "quality"),
    [
        ("OK", Quality.GOOD),
        (7, Quality.GOOD),
        (0, Quality.GOOD),
        (None, Quality.GOOD),
        ("ERROR", Quality.DEVICE_FAULT),
        (["OK", "LEAK"], Quality.DEVICE_FAULT),
        (True, Quality.DEVICE_FAULT),
        ({}, Quality.DEVICE_FAULT),
    ],
)
def test_a_device_may_report_its_own_fault(acme: Profile, state: Any, quality: Quality) -> None:
    assert acme.quality({"state": state}) is quality


@pytest.mark.parametrize(
    "said",
    [
        {"CurrentTemperature": 21.5},
        {"current_temperature": 21.5},
        {"temperature": {"value": 70.7, "unit": "°F"}},
        {"air_temperature": {"displayName": "Air", "value": 21.5, "unit": "°C"}},
        {"temperatureSensor": {"1": 21.5}},
        {"temperature": None, "temp": 21.5},
        {"temperature": {"value": None}, "temp": 21.5},
        {"室温": 21.5},
        {"temperature_f": 70.7},
    ],
)
def test_the_ways_in_which_rooms_say_their_temperature(said: dict[str, Any]) -> None:
    room = chosen(defaults("chirpstack"), said)
    assert room is not None
    assert room.kind is DeviceKind.ROOM
    assert room.read(said)["temperature_c"] == pytest.approx(21.5)


def test_a_path_leads_into_nested_objects() -> None:
    profile = Profile("p", DeviceKind.ROOM, {"temperature_c": (Source("a.b.c"),)})
    assert profile.read({"a": {"b": {"c": 20}}}) == {"temperature_c": 20}
    assert profile.read({"a": {"b": 5}}) == {}
    assert profile.read({"a.b.c": 21}) == {"temperature_c": 21}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"temperature", "humidity"}, DeviceKind.ROOM),
        ({"temperature", "wind_speed"}, DeviceKind.WEATHER),
        ({"outdoor_temperature"}, DeviceKind.WEATHER),
        ({"temperature", "outdoor_temperature"}, DeviceKind.ROOM),
        ({"temperature", "supplyTemp"}, DeviceKind.METER),
        ({"power", "energy"}, DeviceKind.METER),
        ({"energy"}, DeviceKind.METER),
        ({"battery"}, DeviceKind.ROOM),
        ({"power"}, None),
        ({"lamp"}, None),
        (set(), None),
    ],
)
def test_fields_tell_the_kind(fields: set[str], kind: DeviceKind | None) -> None:
    found = chosen(defaults("alink"), dict.fromkeys(fields, 1))
    assert (found and found.kind) == kind


def test_wide_messages_are_read_as_well() -> None:
    said = {f"field{number}": number for number in range(500)} | {"temp": 20}
    room = chosen(defaults("alink"), said)
    assert room is not None
    assert room.read(said) == {"temperature_c": 20}


# ── what comes with the product ──────────────────────────────────────────────────────────


def test_every_profile_of_ours_can_be_read() -> None:
    names = {one.name for one in OURS}
    for profile in builtin().values():
        assert profile.quantities.keys() <= set(QUANTITIES[profile.kind])
        assert set(profile.formats) <= names, profile.name


def test_a_format_has_at_most_one_default_of_each_kind() -> None:
    for one in OURS:
        kinds = [profile.kind for profile in defaults(one.name)]
        assert len(kinds) == len(set(kinds))


def test_a_companys_file_stands_beside_ours_and_over_them(tmp_path: Path) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text(EXAMPLE + "outdoor:\n  kind: weather\n  quantities: {outdoor_c: t}\n")
    profiles = load(path)
    assert profiles["acme"].name == "acme"
    assert list(profiles["outdoor"].quantities) == ["outdoor_c"]
    assert profiles["room"] is builtin()["room"]
    assert load(None) == builtin()


# ── files that cannot be used ────────────────────────────────────────────────────────────


def problems(text: str, **options: Any) -> list[str]:
    with pytest.raises(ProfileError) as error:
        parse(text, **options)
    return [str(problem) for problem in error.value.problems]


def test_every_problem_is_named_with_its_line() -> None:
    found = problems(
        "a:\n"
        "  kind: metre\n"
        "  flow_pipe: supply\n"
        "  quantitys: {}\n"
        "b:\n"
        "  kind: meter\n"
        "  quantities:\n"
        "    suply_c: t\n"
        "    energy_kwh: {field: e, unit: GWj}\n"
        "    power_kw: {unit: kW}\n"
        "    flow_m3h: {field: f, scale: many}\n"
    )
    assert found == [
        "line 2: a.kind: 'metre' is not known (did you mean meter?); known: room, meter, weather",
        "line 4: a.quantitys: unknown key (did you mean quantities?); known: " + ", ".join(KEYS),
        "line 8: b.quantities.suply_c: unknown key (did you mean supply_c?); known: "
        + ", ".join(QUANTITIES[DeviceKind.METER]),
        "line 9: b.quantities.energy_kwh.unit: 'GWj' is no unit of energy_kwh (did you mean GWh?); "
        "known: " + ", ".join(known("energy_kwh")),
        "line 10: b.quantities.power_kw: field is missing",
        "line 11: b.quantities.flow_m3h.scale: a number is expected here",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "no YAML"),
        ("[1]", "a mapping is expected here"),
        ("a: 5", "a mapping is expected here"),
        ("a: {kind: room}", "quantities are missing"),
        ("a: {quantities: {}}", "kind is missing"),
        ("a: {kind: room, quantities: {temperature_c: [[x]]}}", "a mapping is expected here"),
        ("a: {kind: room, quantities: {}}\na: {kind: room, quantities: {}}", "already"),
        ("a: {kind: room, quantities: {}, default: true}", "cannot be replaced"),
        ("a: {kind: room, quantities: {}, default: perhaps}", "true or false"),
        ("a: {kind: room, quantities: {}, fault: {free: [x]}}", "field is missing"),
        ("a: {kind: room, quantities: {}, frame: {}}", "parts are missing"),
        ("a: {kind: room, quantities: {}, frame: {parts: {t: {at: 1}}}}", "type is missing"),
        ("a: {kind: room, quantities: {}, frame: {parts: {t: {at: 1, type: u7}}}}", "no type"),
        (
            "a: {kind: room, quantities: {}, frame: {parts: {t: {at: -1, type: u8}}}}",
            "whole number",
        ),
        ("a: {kind: room, quantities: {}, frame: {starts: xx, parts: {}}}", "hexadecimal"),
        ("a: {kind: room, quantities: {}, frame: {check: crc, parts: {}}}", "crc16"),
        ("a: {kind: room, quantities: {temperature_c: {field: t, scale: .inf}}}", "finite"),
    ],
)
def test_what_a_file_must_not_say(text: str, says: str) -> None:
    assert any(says in problem for problem in problems(text)), problems(text)


def test_two_defaults_for_the_same_are_one_too_many() -> None:
    one = "{format: x, default: true, kind: room, quantities: {}}"
    assert problems(f"a: {one}\nb: {one}", ours=True) == [
        "line 0: b: a is the default for x and room already"
    ]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        load(tmp_path / "none.yaml")


def test_an_empty_file_has_no_profiles() -> None:
    assert parse("") == {}
    assert parse("a: {kind: room, probe: null, quantities: {}}")["a"].probe is None


WORDS = st.sampled_from([*KEYS, *FRAME_KEYS, *PART_KEYS, *SOURCE_KEYS, "temperature_c"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
        max_leaves=15,
    )
)
def test_any_file_is_profiles_or_problems(said: Any) -> None:
    try:
        found = parse(yaml.safe_dump({"a": said}))
    except ProfileError as error:
        found = dict.fromkeys(error.problems)
    assert found


# ── units ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("quantity", "unit", "said", "ours"),
    [
        ("supply_c", "°F", 212, 100),
        ("supply_c", "K", 273.15, 0),
        ("temperature_c", "0.1 °C", 213, 21.3),
        ("energy_kwh", "MWh", 1.5, 1500),
        ("energy_kwh", "GJ", 3.6, 1000),
        ("energy_kwh", "MJ", 3.6, 1),
        ("energy_kwh", "Wh", 500, 0.5),
        ("energy_kwh", "10 kWh", 7, 70),
        ("power_kw", "W", 1500, 1.5),
        ("power_kw", "MW", 2, 2000),
        ("flow_m3h", "l/h", 250, 0.25),
        ("flow_m3h", "l/s", 1, 3.6),
        ("flow_m3h", "l/min", 10, 0.6),
        ("flow_m3h", "m3/s", 0.001, 3.6),
        ("supply_kpa", "bar", 4.5, 450),
        ("supply_kpa", "MPa", 0.45, 450),
        ("volume_m3", "hl", 5, 0.5),
        ("volume_m3", "l", 5, 0.005),
        ("humidity_pct", "0.1 %", 452, 45.2),
        ("wind_ms", "km/h", 36, 10),
        ("solar_wm2", "kW/m²", 0.5, 500),
    ],
)
def test_units_of_the_field(quantity: str, unit: str, said: float, ours: float) -> None:
    factor = conversion(quantity, unit)
    assert factor is not None
    assert said * factor[0] + factor[1] == pytest.approx(ours, abs=1e-9)


def test_a_unit_of_something_else_is_none() -> None:
    assert conversion("supply_c", "kWh") is None
    assert conversion("flow_m3h", "t/h") is None
    assert conversion("supply_c", "0 0 °C") is None


def test_every_quantity_has_units_of_which_one_is_its_own() -> None:
    for names in QUANTITIES.values():
        for name in names:
            assert (1.0, 0.0) in UNITS[name.rpartition("_")[2]].values()


# ── frames ───────────────────────────────────────────────────────────────────────────────

FRAME = Frame(
    (
        Part("temperature", 1, "i16", "little", none=(-32768,), scale=0.1),
        Part("float", 3, "f32"),
        Part("counter", 7, "bcd32", "little"),
        Part("later", 11, "u64"),
    ),
    starts=b"\x68",
)


def test_parts_of_a_frame_are_read_by_type_order_and_scale() -> None:
    body = b"\x68" + struct.pack("<h", -125) + struct.pack(">f", 0.5) + bytes.fromhex("78563412")
    assert FRAME.fields(body) == {"temperature": -12.5, "float": 0.5, "counter": 12345678}


def test_a_value_that_means_none_is_absent() -> None:
    assert "temperature" not in FRAME.fields(b"\x68\x00\x80")


@pytest.mark.parametrize(
    ("frame", "body"),
    [
        (FRAME, b"\x00"),
        (FRAME, b"\x68\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"),
        (Frame(length=3), b"\x00"),
        (Frame(check="sum8"), b"\x01\x02"),
        (Frame(check="crc16-modbus"), b""),
    ],
)
def test_a_frame_of_another_layout_is_malformed(frame: Frame, body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        frame.fields(body)
    assert refused.value.reason is RejectReason.MALFORMED


def test_checksums_by_their_published_check_values() -> None:
    """The CRC catalogue gives each algorithm's result for the digits 1 to 9."""
    digits = b"123456789"
    assert CHECKS["crc16-ccitt-false"](digits) == bytes.fromhex("29b1")
    assert CHECKS["crc16-modbus"](digits) == bytes.fromhex("374b")
    assert CHECKS["sum8"](digits) == bytes([sum(digits) % 256])


@pytest.mark.parametrize(("text", "encoding"), [("####", "base64"), ("xy", "hex"), (5, "base64")])
def test_text_that_is_no_frame_is_malformed(text: Any, encoding: str) -> None:
    with pytest.raises(Refused):
        unwrapped(text, encoding)
    assert unwrapped("AQ==") == unwrapped("01", "hex") == b"\x01"


@given(st.binary(max_size=40))
def test_any_bytes_are_fields_or_refused(body: bytes) -> None:
    for profile in builtin().values():
        for frame in (FRAME, profile.frame):
            try:
                fields = {} if frame is None else frame.fields(body)
            except Refused:
                continue
            assert all(isinstance(value, int | float) for value in fields.values())
