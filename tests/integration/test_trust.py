"""Certified readings and the daily memory of sensors, in the database, by command and interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fastapi.testclient import TestClient

from analytics.observed import MeterTable, Weather
from analytics.trust import FIELDS, NOTHING_AROUND, SensorHours, daily, judge
from analytics.trust.around import surroundings
from analytics.trust.certified import corrections
from analytics.trust.keeping import judged
from analytics.trust.model import GRADE_C
from analytics.window import RoomWindow
from api.app import create_app
from hearthline import cli
from hearthline.domain.places import DeviceKind, DeviceRole
from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.settings import Settings
from hearthline.storage import accounts, analysis, trust
from hearthline.storage import network as networks
from hearthline.storage.database import Connection
from tests import builders as b
from tests.unit.analytics.rooms import START, breathing, knocked, shown

NOW = datetime(2025, 12, 4, 2, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNIT = "T-S1-B01-E1-0201"
UID = f"own:t/{UNIT}"
VERSION = 1


@pytest.fixture
def town(connection: Connection) -> Connection:
    """A house in which one room's sensor has said 18.5 °C for six hours."""
    with connection.transaction():
        b.save(connection, b.town(b.TownPlan(1, 1)))
        b.room_series(connection, UNIT, NOW, 18.5)
    return connection


def reading(**changed: object) -> trust.NewCertified:
    values = {
        "uid": UID,
        "time": NOW - HOUR,
        "temperature_c": 20.0,
        "instrument": "Testo 110 no. 4711",
        "taken_by": "Li Wei",
        **changed,
    }
    return trust.NewCertified(**values)  # type: ignore[arg-type]


def test_a_certified_reading_corrects_from_then_on(town: Connection) -> None:
    """The difference of what both said, for analysis, and the days since to be judged again."""
    with town.transaction():
        town.execute("DELETE FROM dirty_day")
        row = trust.certify(town, reading(), "li", NOW)
        days = town.execute("SELECT day FROM dirty_day").fetchall()
    assert row["place"] == UNIT
    assert row["sensor_c"] == pytest.approx(18.5, abs=0.05)
    assert row["samples"] >= 3
    assert [str(one["day"]) for one in days] == ["2025-12-04"]
    device = b.device_id(town, UID)
    known = trust.certified(town, NOW - 24 * HOUR, NOW)
    offset = corrections([device], known, NOW - 5 * HOUR, 5)
    assert offset[0, :4] == pytest.approx(0.0)
    assert offset[0, 4] == pytest.approx(-1.5, abs=0.05)
    noted = town.execute("SELECT action FROM audit ORDER BY id DESC LIMIT 1").fetchall()
    assert noted[0]["action"] == "device.certify"


def test_only_the_last_one_before_a_window_bears_on_it(town: Connection) -> None:
    with town.transaction():
        for hours, value in ((4, 19.0), (3, 19.5), (1, 20.0)):
            trust.certify(town, reading(time=NOW - hours * HOUR, temperature_c=value), "li", NOW)
    known = trust.certified(town, NOW - 2 * HOUR, NOW)
    assert [one.temperature_c for one in known] == [19.5, 20.0]


def test_what_cannot_be_compared_is_refused(town: Connection) -> None:
    """Each with a sentence that says why."""
    with pytest.raises(NotFound, match="no room sensor"):
        trust.certify(town, reading(uid="own:t/nobody"), "li", NOW)
    with pytest.raises(Invalid, match="future"):
        trust.certify(town, reading(time=NOW + HOUR), "li", NOW)
    with pytest.raises(Invalid, match="nothing to compare"):
        trust.certify(town, reading(time=NOW - 48 * HOUR), "li", NOW)
    with pytest.raises(Invalid, match="more than 3 K"):
        trust.certify(town, reading(temperature_c=24.0), "li", NOW)
    trust.certify(town, reading(), "li", NOW)
    with pytest.raises(Conflict, match="on file already"):
        trust.certify(town, reading(), "li", NOW)


def test_a_moved_sensor_leaves_its_certificate_behind(town: Connection) -> None:
    """What was compared in one dwelling says nothing in the next."""
    trust.certify(town, reading(), "li", NOW)
    device, other = b.device_id(town, UID), b.place_id(town, "T-S1-B01-E1-0301")
    with town.transaction():
        town.execute(
            "UPDATE device_binding SET valid = tstzrange('-infinity', %s) WHERE device_id = %s",
            (NOW, device),
        )
        town.execute("DELETE FROM device_binding WHERE place_id = %s AND role = 'room'", (other,))
        town.execute(
            "INSERT INTO device_binding (device_id, place_id, role, valid)"
            " VALUES (%s, %s, 'room', tstzrange(%s, NULL))",
            (device, other, NOW),
        )
    assert trust.certified(town, NOW - 24 * HOUR, NOW + HOUR) == []


def test_the_command_certifies_and_lists(
    town: Connection,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert town is not None
    monkeypatch.setattr("hearthline.cli.certify.load", lambda: settings)
    monkeypatch.setattr("hearthline.cli.certify.system_clock", lambda: NOW)
    at = (NOW - HOUR).isoformat()
    words = ["devices", "certify", UID, "20.0", "--instrument", "Testo 110", "--by", "Li Wei"]
    cli.app([*words, "--at", at, "--json"], exit_on_error=False, result_action="return_value")
    told = json.loads(capsys.readouterr().out)
    assert told["offset_k"] == pytest.approx(-1.5, abs=0.05)
    cli.app(["devices", "certified"], exit_on_error=False, result_action="return_value")
    said = capsys.readouterr().out
    assert "corrected by +1.5" in said
    assert "Li Wei" in said


@pytest.fixture
def client(settings: Settings, town: Connection) -> Iterator[TestClient]:
    key = accounts.add_key(town, "machine", "agent")
    with TestClient(create_app(settings, clock=lambda: NOW), follow_redirects=False) as own:
        own.headers["Authorization"] = f"Bearer {key}"
        yield own


def test_the_interface_certifies_once_and_lists(client: TestClient) -> None:
    """The same request with the same key is done once."""
    body = {
        "uid": UID,
        "time": (NOW - HOUR).isoformat(),
        "temperature_c": 20.0,
        "instrument": "Testo 110 no. 4711",
        "taken_by": "Li Wei",
    }
    headers = {"Idempotency-Key": "visit-17"}
    first = client.post("/api/v1/certified-readings", json=body, headers=headers)
    again = client.post("/api/v1/certified-readings", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["offset_k"] == pytest.approx(-1.5, abs=0.05)
    listed = client.get("/api/v1/certified-readings", params={"uid": UID}).json()["items"]
    assert [one["id"] for one in listed] == [first.json()["id"]]
    assert client.post("/api/v1/certified-readings", json=body).status_code == 409
    wrong = client.post("/api/v1/certified-readings", json={**body, "temperature_c": 99})
    assert wrong.status_code == 422


def test_memory_comes_back_as_it_was_stored(town: Connection) -> None:
    """By device and day; NaN where nothing was remembered, nothing of another version."""
    devices = [b.device_id(town, UID), b.device_id(town, "own:t/T-S1-B01-E1-0301")]
    facts = daily(shown(breathing(2, 72)))
    first = facts.first_day
    with town.transaction():
        trust.remember(town, devices, first, facts.state, VERSION)
        trust.remember(town, devices[:1], first, facts.state[:1, :1] + 1.0, VERSION)
    days = range(first - 1, first + 3)
    back = trust.recall(town, devices[::-1], days, len(FIELDS), VERSION)
    assert np.isnan(back[:, 0]).all()
    assert np.array_equal(back[0, 1:], facts.state[1], equal_nan=True)
    assert np.array_equal(back[1, 1], facts.state[0, 0] + 1.0, equal_nan=True)
    groups = [devices, [], devices[1:]]
    assert trust.last_remembered(town, groups, VERSION) == [first + 2, None, first + 2]
    assert trust.last_remembered(town, groups, VERSION + 1) == [None, None, None]
    assert np.isnan(trust.recall(town, devices, days, len(FIELDS), VERSION + 1)).all()
    with town.transaction():
        trust.forget(town, datetime.fromtimestamp((first + 2) * 86400, UTC))
    assert np.isnan(trust.recall(town, devices, days, len(FIELDS), VERSION)[:, :3]).all()


def test_days_are_kept_by_the_cycle_that_sees_their_end(town: Connection) -> None:
    """Judged again an hour later, nothing is folded in twice, and the memory is the same."""
    with town.transaction():
        network = networks.load(town, NOW)
    sensors = tuple(i for i in network.instruments if i.kind is DeviceKind.ROOM)
    hours = knocked(shown(breathing(len(sensors), 120)), 3, 20, -2.0)
    unit = np.array([network.index[s.place] for s in sensors])
    covered = np.full(hours.shape, 60.0)
    whole = RoomWindow(START, sensors, unit, hours, covered)
    with town.transaction():
        first = judged(town, whole, NOTHING_AROUND)
        stored = town.execute("SELECT count(*) AS n FROM sensor_memory").fetchall()[0]["n"]
        again = judged(town, whole, NOTHING_AROUND)
    assert stored == 5 * len(sensors)
    assert np.array_equal(first.grade, again.grade)
    late = RoomWindow(START + 96 * HOUR, sensors, unit, _last(hours, 24), covered[:, -24:])
    with town.transaction():
        later = judged(town, late, NOTHING_AROUND)
    assert (later.grade[3] == GRADE_C).all()
    assert (np.delete(later.grade, 3, axis=0) < GRADE_C).all()


def _last(hours: SensorHours, count: int) -> SensorHours:
    cut = slice(-count, None)
    return replace(
        hours,
        start=hours.start + (hours.shape[1] - count) * HOUR,
        mean_c=hours.mean_c[:, cut],
        min_c=hours.min_c[:, cut],
        max_c=hours.max_c[:, cut],
        samples=hours.samples[:, cut],
    )


def test_how_long_nothing_came_of_a_sensor_counts_from_the_last_arrival_of_all(
    town: Connection,
) -> None:
    """Not from now: a whole city that is replayed has not fallen silent."""
    other = "T-S1-B01-E1-0101"
    with town.transaction():
        b.room_series(town, other, NOW, 21.0)
        town.execute(
            "UPDATE latest SET seen_at = seen_at - interval '3 hours' WHERE device_id = %s",
            (b.device_id(town, f"own:t/{other}"),),
        )
    ids = [b.device_id(town, uid) for uid in (UID, f"own:t/{other}")]
    states = trust.states(town, ids)
    assert states[ids[0]]["heard_s"] == 0.0
    assert states[ids[1]]["heard_s"] >= 3 * 3600.0 - 1.0


def test_a_grade_keeps_the_number_that_goes_with_its_reason(town: Connection) -> None:
    """K of a step, °C of a stuck sensor; none of one that is believed."""
    device = b.device_id(town, UID)
    for measure in (-2.25, None):
        changed = analysis.Graded(device, "C", "moved", NOW, measure)
        with town.transaction():
            analysis.set_grades(town, [changed], NOW)
        row = town.execute("SELECT measure FROM sensor_grade").fetchone()
        assert row is not None
        assert row["measure"] == measure


def test_surroundings_are_aligned_with_the_window(town: Connection) -> None:
    """Weather and supply of the same hours, groups of the tree, what a sensor told of itself."""
    with town.transaction():
        network = networks.load(town, NOW)
    sensors = tuple(i for i in network.instruments if i.kind is DeviceKind.ROOM)
    states = trust.states(town, [sensor.id for sensor in sensors])
    hours = shown(breathing(len(sensors), 24))
    unit = np.array([network.index[s.place] for s in sensors])
    rooms = RoomWindow(START, sensors, unit, hours, np.full(hours.shape, 60.0))
    begins = START - 6 * HOUR
    course = np.arange(30.0)
    weather = Weather(begins, -course, course, 10.0 * course)
    meter = tuple(i for i in network.instruments if i.role is DeviceRole.SECONDARY)
    one = 40.0 + course[None]
    table = MeterTable(begins, meter, one, one, one, one, one, one, one, one, one)
    around = surroundings(network, rooms, table, weather, states=states)
    assert around.outdoor_c is not None
    assert around.supply_c is not None
    assert around.battery_pct is not None
    assert around.entrance is not None
    assert around.outdoor_c[0] == -6.0
    assert around.outdoor_c[-1] == -29.0
    assert (around.supply_c[:, 0] == 46.0).all()
    row = [s.uid for s in sensors].index(UID)
    assert np.isnan(np.delete(around.battery_pct, row)).all()
    assert len(np.unique(around.entrance)) == 2
    assert judge(hours, around).grade.shape == hours.shape
