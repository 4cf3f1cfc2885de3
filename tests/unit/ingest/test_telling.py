"""What formats with named fields share: moments, profiles of the ledger, signs, names."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import MeterReading, Quality, RejectReason, RoomReading, Sign
from ingest.formats.model import Context, Harvest
from ingest.formats.profiles import Profile, Source
from ingest.formats.telling import TOGETHER, Point, Told, moments, name_of, take, take_all

AT = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
UID = "alink:pk/dn"
METER = Profile(
    "m",
    DeviceKind.METER,
    {"supply_c": (Source("t1"),), "supply_kpa": (Source("p"),)},
    fault_field="status",
    fault_free=("OK",),
)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def taken(fields: dict[str, Any], profile: Profile | None = None, **told: Any) -> Harvest:
    harvest = Harvest("topic", b"payload")
    context = Context(profiles={} if profile is None else {UID: profile})
    take(harvest, "alink", context, Told(UID, AT, fields, **told))
    return harvest


def test_points_near_in_time_are_one_moment() -> None:
    points = [Point("hum", 40, after(2)), Point("temp", 20, AT), Point("bat", 90)]
    assert moments(points) == [(AT, {"temp": 20, "hum": 40, "bat": 90})]


def test_a_field_that_comes_again_begins_another_moment() -> None:
    points = [
        *(Point("temp", number, after(20 * number)) for number in range(3)),
        *(Point("hum", number, after(20 * number + 1)) for number in (1, 2)),
    ]
    assert moments(points) == [
        (AT, {"temp": 0}),
        (after(20), {"temp": 1, "hum": 1}),
        (after(40), {"temp": 2, "hum": 2}),
    ]


def test_values_of_one_instant_belong_together_before_all_others() -> None:
    points = [Point("temp", 0, AT), Point("hum", 1, after(20)), Point("temp", 1, after(20))]
    assert moments(points) == [(AT, {"temp": 0}), (after(20), {"hum": 1, "temp": 1})]


def test_of_two_values_at_one_instant_the_first_counts() -> None:
    assert moments([Point("temp", 1, AT), Point("temp", 2, AT)]) == [(AT, {"temp": 1})]


def test_what_lies_far_apart_is_apart() -> None:
    late = AT + TOGETHER + timedelta(seconds=1)
    assert len(moments([Point("temp", 1, AT), Point("hum", 2, late)])) == 2


def test_points_without_a_time_are_a_moment_without_one() -> None:
    assert moments([Point("temp", 1)]) == [(None, {"temp": 1})]
    assert moments([]) == []


@given(
    st.lists(
        st.builds(Point, st.sampled_from("abc"), st.integers(), st.integers(0, 300).map(after)),
        max_size=12,
    )
)
def test_no_instant_of_a_field_is_lost(points: list[Point]) -> None:
    found = moments(points)
    said = {(point.field, point.at) for point in points}
    assert sum(len(fields) for _, fields in found) == len(said)
    assert [at for at, _ in found] == sorted(at for at, _ in found if at is not None)


def test_the_ledgers_profile_comes_before_the_default() -> None:
    (reading,) = taken({"t1": 60, "temperature": 20, "status": "OK"}, METER).readings
    assert reading == MeterReading(UID, AT, supply_c=60.0)


def test_a_fault_that_the_device_reports_is_flagged() -> None:
    (reading,) = taken({"t1": 60, "status": "LEAK"}, METER).readings
    assert reading.quality is Quality.DEVICE_FAULT


def test_a_probe_is_the_room_where_the_ledger_says_so() -> None:
    room = Profile("r", DeviceKind.ROOM, {"temperature_c": (Source("t1"),)}, probe="t2")
    assert taken({"t1": 60, "t2": 20}, room).readings == [RoomReading(UID, AT, 20.0)]
    assert taken({"t1": 60}, room).readings == [RoomReading(UID, AT, 60.0)]


def test_an_auxiliary_quantity_that_is_no_number_is_left_out_and_flagged() -> None:
    (reading,) = taken({"t1": 60, "p": "high"}, METER).readings
    assert reading == MeterReading(UID, AT, supply_c=60.0, quality=Quality.BESIDE_OUT_OF_RANGE)
    (rejection,) = taken({"t1": "hot", "p": 400}, METER).rejections
    assert rejection.reason is RejectReason.NOT_A_NUMBER


@pytest.mark.parametrize("pct", [255, -1])
def test_a_sign_has_no_impossible_values(pct: int) -> None:
    assert taken({"battery": pct}).signs == [Sign(UID, AT)]


def test_a_refusal_names_the_fields_that_nobody_knows() -> None:
    (rejection,) = taken({"lamp": "on", "level": 3}).rejections
    assert rejection.detail == "no quantity that we know among its fields: lamp, level"
    assert taken({}).rejections[0].detail == "no fields"


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        ([{"temp": 20}, {"voltage": 3}], []),
        ([{"battery": 80}, {"voltage": 3}], []),
        ([{"lamp": 1}, {"voltage": 3}], [RejectReason.NO_QUANTITY]),
        ([{"temp": "x"}, {"temp": 20}, {"a": 1}], [RejectReason.NOT_A_NUMBER]),
    ],
)
def test_instants_of_other_things_are_no_dead_letters_beside_readings(
    said: list[dict[str, Any]], reasons: list[RejectReason]
) -> None:
    harvest = Harvest("topic", b"payload")
    told = [Told(UID, after(n), fields, gateway="gw") for n, fields in enumerate(said)]
    take_all(harvest, "alink", Context(), told)
    assert [one.reason for one in harvest.rejections] == reasons


def test_gateway_and_label_are_signs_beside_a_reading() -> None:
    harvest = taken({"temp": 20}, gateway="gw", label="301")
    assert harvest.signs == [Sign(UID, AT, gateway="gw", label="301")]
    assert len(harvest.readings) == 1


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (" dn ", "dn"),
        (7, "7"),
        ("三单元", "三单元"),
        ("", None),
        (" ", None),
        (True, None),
        (1.5, None),
        (-1, None),
        (None, None),
        ([], None),
        ("a\x00b", None),
        ("\ud800", None),
        ("x" * 201, None),
    ],
)
def test_names_are_printable_and_short(value: Any, name: str | None) -> None:
    assert name_of(value) == name
