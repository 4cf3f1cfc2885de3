"""What devices publish ends as rows, latest values, marks and dead letters: all of it, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hearthline.domain.places import DeviceKind, Ledger
from hearthline.domain.readings import Quality, Rejection, RejectReason
from hearthline.settings import Settings
from hearthline.storage import dead_letters, deliveries
from hearthline.storage.database import Connection
from ingest.batcher import Batcher, Limits
from ingest.service import Service
from tests.conftest import Site
from tests.integration.conftest import running_ingest, wait_until
from tests.mqtt import left_in_session

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def at(minutes: int) -> str:
    return (NOW - timedelta(hours=2) + timedelta(minutes=minutes)).isoformat()


def room(minutes: int, value: float = 20.0, **more: Any) -> dict[str, Any]:
    return {"ts": at(minutes), "temperature_c": value, **more}


def tally(connection: Connection, site: Site) -> dict[str, Any]:
    return deliveries.tally(connection, site.client_id) or {}


def rows(connection: Connection) -> int:
    found = connection.execute("SELECT count(*) AS count FROM room_reading").fetchone()
    return int(found["count"]) if found else 0


def accounted(connection: Connection, site: Site, readings: int) -> Callable[[], bool]:
    """Whether so many readings became rows, duplicates or dead letters."""

    def check() -> bool:
        now = tally(connection, site)
        return bool(now) and now["stored"] + now["duplicates"] + now["refused"] >= readings

    return check


def sample(service: Service, name: str, **labels: str) -> float:
    return service.metrics.registry.get_sample_value(f"hearthline_ingest_{name}", labels) or 0.0


@pytest.fixture
def dwellings(save_ledger: Callable[[Ledger], None], site: Site) -> None:
    save_ledger(site.ledger(3))


@pytest.mark.usefixtures("dwellings")
def test_readings_become_rows_and_move_the_latest_value(
    settings: Settings, site: Site, connection: Connection
) -> None:
    with running_ingest(settings) as service, site.publisher() as devices:
        devices.send(site.topic("d0"), room(0, 20.0, humidity_pct=41, battery_pct="88%"))
        devices.send(site.topic("d0"), [room(20, 20.5), room(40, 20.5), room(60, 20.5)])
        devices.send(site.topic("d1"), [room(0), room(20, device="d2")])
        wait_until(accounted(connection, site, 6), "six readings are stored")
        wait_until(lambda: sample(service, "readings_written_total") == 6, "it is counted")
        wait_until(lambda: sample(service, "messages_acked_total") == 3, "three are acknowledged")
    rows = connection.execute(
        "SELECT uid, time, temperature_c, humidity_pct, battery_pct, quality"
        " FROM room_reading r JOIN device d ON d.id = r.device_id ORDER BY uid, time"
    ).fetchall()
    assert [(row["uid"], row["temperature_c"]) for row in rows] == [
        *[(site.uid("d0"), value) for value in (20.0, 20.5, 20.5, 20.5)],
        (site.uid("d1"), 20.0),
        (site.uid("d2"), 20.0),
    ]
    first = rows[0]
    assert (first["humidity_pct"], first["battery_pct"], first["quality"]) == (41.0, 88.0, 0)
    latest = connection.execute(
        "SELECT time, changed_at, reading FROM latest JOIN device d ON d.id = device_id"
        " WHERE uid = %s",
        (site.uid("d0"),),
    ).fetchone()
    assert latest is not None
    assert latest["time"] == datetime.fromisoformat(at(60))
    assert latest["changed_at"] == datetime.fromisoformat(at(20))
    assert latest["reading"] == {"temperature_c": 20.5}
    assert left_in_session(settings.require_mqtt(), site.client_id) == 0


@pytest.mark.usefixtures("dwellings")
def test_every_bad_input_is_acknowledged_counted_and_kept_with_its_reason(
    settings: Settings, site: Site, connection: Connection
) -> None:
    topic = site.topic("d0")
    bad: list[tuple[str, str, Any]] = [
        ("malformed", topic, b"{not json"),
        ("malformed", topic, b""),
        ("malformed", topic, b"\xff\x00\xfe"),
        ("malformed", site.topic("d0", "sauna"), room(0)),
        ("malformed", topic, {"ts": at(0), "temperature_c": 20, "device": []}),
        ("no_quantity", topic, {"ts": at(0)}),
        ("no_quantity", topic, []),
        ("not_a_number", topic, b'{"ts": "%s", "temperature_c": NaN}' % at(0).encode()),
        ("not_a_number", topic, {"ts": at(0), "temperature_c": "\x00\ud800"}),
        ("out_of_range", topic, room(0, 1e300)),
        ("bad_time", topic, {"ts": "2026-01-10 11:40", "temperature_c": 20}),
        ("wrong_kind", site.topic("d0", "meter"), {"ts": at(0), "supply_c": 50}),
    ]
    with running_ingest(settings) as service, site.publisher() as devices:
        for _, where, payload in bad:
            devices.send(where, payload)
        devices.send(topic, room(0))
        wait_until(accounted(connection, site, len(bad) + 1), "everything is accounted for")
        assert service.health.ready
        wait_until(
            lambda: sample(service, "rejected_total", reason="malformed") == 5, "it is counted"
        )
    kept = dead_letters.newest(connection)
    assert sorted(row["reason"] for row in kept) == sorted(reason for reason, _, _ in bad)
    assert all(row["count"] == 1 and row["detail"] for row in kept)
    assert tally(connection, site)["stored"] == 1
    assert left_in_session(settings.require_mqtt(), site.client_id) == 0


@pytest.mark.usefixtures("dwellings")
def test_one_bad_reading_of_an_array_becomes_its_own_dead_letter(
    settings: Settings, site: Site, connection: Connection
) -> None:
    with running_ingest(settings), site.publisher() as devices:
        old = {"ts": "1970-01-01T00:00:12Z", "temperature_c": 20}
        items = [room(0), room(20, "warm"), old, room(40, device="stranger"), room(60)]
        devices.send(site.topic("d1"), items)
        wait_until(accounted(connection, site, 5), "five readings are accounted for")
    kept = {row["reason"]: row for row in dead_letters.newest(connection)}
    assert set(kept) == {"not_a_number", "too_old"}
    assert b"warm" in kept["not_a_number"]["payload"]
    assert b"1970" in kept["too_old"]["payload"]
    strangers = connection.execute("SELECT uid, messages FROM stranger").fetchall()
    assert strangers == [{"uid": site.uid("stranger"), "messages": 1}]
    assert tally(connection, site)["stored"] == 2


@pytest.mark.usefixtures("dwellings")
def test_what_is_doubtful_is_stored_as_it_was_said_and_flagged(
    settings: Settings, site: Site, connection: Connection
) -> None:
    next_year = (NOW + timedelta(days=365)).isoformat()
    with running_ingest(settings) as service, site.publisher() as devices:
        devices.send(site.topic("d0"), room(0, 20.0, seq=1))
        devices.send(site.topic("d0"), room(1, 20.0, seq=1))
        devices.send(site.topic("d0"), [room(20, 127.0), room(40, 85.0)])
        devices.send(site.topic("d1"), room(0, 21.0, humidity_pct=300))
        devices.send(site.topic("d1"), {"ts": next_year, "temperature_c": 22})
        devices.send(site.topic("d2"), {"ts": "1970-01-01T00:00:12Z", "temperature_c": 23})
        wait_until(accounted(connection, site, 7), "seven readings are stored")
        wait_until(
            lambda: sample(service, "readings_flagged_total", flag="sentinel") == 2, "it is counted"
        )
    rows = connection.execute("SELECT temperature_c, quality FROM room_reading").fetchall()
    impossible = Quality.OUT_OF_RANGE | Quality.SENTINEL
    assert sorted((row["temperature_c"], Quality(row["quality"])) for row in rows) == [
        (20.0, Quality.GOOD),
        (20.0, Quality.REPEATED),
        (21.0, Quality.BESIDE_OUT_OF_RANGE),
        (22.0, Quality.CLOCK_WRONG),
        (23.0, Quality.CLOCK_WRONG),
        (85.0, impossible | Quality.POWER_UP),
        (127.0, impossible),
    ]
    latest = connection.execute(
        "SELECT uid, reading->'temperature_c' AS value, skew_s, seq, time > now() - interval '1h'"
        " AS fresh FROM latest JOIN device d ON d.id = device_id ORDER BY uid"
    ).fetchall()
    assert [row["value"] for row in latest] == [20.0, 22.0, 23.0]
    assert [row["fresh"] for row in latest] == [False, True, True]
    assert latest[0]["seq"] == 1
    assert latest[1]["skew_s"] == pytest.approx(365 * 86_400, rel=0.01)
    assert latest[2]["skew_s"] < -1e9
    assert dead_letters.newest(connection) == []


@pytest.mark.usefixtures("dwellings")
def test_another_value_for_the_same_time_is_recorded_as_a_conflict(
    settings: Settings, site: Site, connection: Connection
) -> None:
    with running_ingest(settings) as service, site.publisher() as devices:
        devices.send(site.topic("d0"), [room(0, 20.0), room(0, 25.0), room(20, 20.0)])
        devices.flush()
        wait_until(accounted(connection, site, 3), "the first array is stored")
        devices.send(site.topic("d0"), [room(0, 26.0), room(20, 20.0, battery_pct=50), room(40)])
        wait_until(accounted(connection, site, 6), "everything is accounted for")
        wait_until(lambda: sample(service, "readings_conflicting_total") == 2, "it is counted")
    (conflict,) = connection.execute("SELECT * FROM reading_conflict").fetchall()
    assert conflict["time"] == datetime.fromisoformat(at(0))
    assert conflict["kept"] == {"temperature_c": 20.0}
    assert (conflict["came"], conflict["count"]) == ({"temperature_c": 26.0}, 2)


@pytest.mark.usefixtures("dwellings")
def test_what_is_published_twice_is_stored_once_and_the_first_value_stays(
    settings: Settings, site: Site, connection: Connection
) -> None:
    with running_ingest(settings) as service, site.publisher() as devices:
        devices.send(site.topic("d0"), [room(0, 20.0), room(0, 25.0), room(20, 20.0)])
        devices.flush()
        wait_until(accounted(connection, site, 3), "the first array is stored")
        devices.send(site.topic("d0"), [room(0, 26.0), room(20, 20.0), room(40, 20.0)])
        devices.send(site.topic("d0"), b"junk")
        devices.flush()
        devices.send(site.topic("d0"), b"junk")
        wait_until(accounted(connection, site, 8), "everything is accounted for")
        wait_until(lambda: sample(service, "readings_duplicate_total") == 3, "it is counted")
    now = tally(connection, site)
    assert (now["stored"], now["duplicates"], now["refused"], now["redelivered"]) == (3, 3, 2, 0)
    rows = connection.execute("SELECT temperature_c FROM room_reading ORDER BY time").fetchall()
    assert [row["temperature_c"] for row in rows] == [20.0, 20.0, 20.0]
    (junk,) = dead_letters.newest(connection)
    assert junk["count"] == 2


def test_a_device_is_known_from_the_moment_the_ledger_has_it(
    settings: Settings,
    site: Site,
    connection: Connection,
    save_ledger: Callable[[Ledger], None],
) -> None:
    with running_ingest(settings), site.publisher() as devices:
        devices.send(site.topic("d0"), room(0))
        wait_until(accounted(connection, site, 1), "the stranger is refused")
        save_ledger(site.ledger(1))
        devices.send(site.topic("d0"), room(20))
        wait_until(lambda: rows(connection) == 2, "the device is known, and what it said before")
        # The ledger learns that it is a meter: what it says as a room is of the wrong kind now.
        save_ledger(site.ledger(1, DeviceKind.METER))
        devices.send(site.topic("d0"), room(40))
        wait_until(lambda: tally(connection, site)["refused"] == 2, "the new kind is known")
    reasons = {row["reason"] for row in dead_letters.newest(connection)}
    assert reasons == {"wrong_kind"}
    assert connection.execute("SELECT uid FROM stranger").fetchall() == []


def test_a_device_that_left_the_ledger_does_not_stop_the_others(
    settings: Settings,
    site: Site,
    connection: Connection,
    save_ledger: Callable[[Ledger], None],
) -> None:
    """Its id is remembered by ingest; nothing tells ingest of a row deleted by hand."""
    save_ledger(site.ledger(2))
    with running_ingest(settings), site.publisher() as devices:
        devices.send(site.topic("d0"), room(0))
        wait_until(accounted(connection, site, 1), "the first is stored")
        connection.execute("DELETE FROM device WHERE uid = %s", (site.uid("d0"),))
        devices.send(site.topic("d0"), room(20))
        devices.send(site.topic("d1"), room(20))
        wait_until(accounted(connection, site, 3), "the others are accounted for")
    assert connection.execute("SELECT uid FROM stranger").fetchall() == [{"uid": site.uid("d0")}]
    assert tally(connection, site)["stored"] == 2


def test_chirpstack_and_zigbee2mqtt_arrive_over_the_broker(
    settings: Settings, site: Site, connection: Connection
) -> None:
    zigbee = f"zigbee2mqtt/{site.name}/三单元 301"
    connection.execute(
        "INSERT INTO device (uid, kind) VALUES ('chirpstack:0102', 'room'), (%s, 'room')",
        (zigbee.replace("/", ":", 1),),
    )
    uplink = {
        "time": at(0),
        "object": {"temperature": 20, "history": [{"temperature": 19, "timestamp": 1665561758}]},
    }
    with running_ingest(settings), site.publisher() as devices:
        devices.send(f"application/{site.name}/device/0102/event/up", uplink)
        devices.send(zigbee, {"temperature": 21, "battery": 7})
        wait_until(accounted(connection, site, 3), "three readings are stored")
    rows = connection.execute("SELECT temperature_c, quality FROM room_reading").fetchall()
    assert {(row["temperature_c"], Quality(row["quality"])) for row in rows} == {
        (20.0, Quality.GOOD),
        (19.0, Quality.HISTORY),
        (21.0, Quality.CLOCK_GUESSED | Quality.LOW_BATTERY),
    }


@pytest.mark.usefixtures("dwellings")
def test_status_messages_are_acknowledged_and_leave_nothing(
    settings: Settings, site: Site, connection: Connection
) -> None:
    with running_ingest(settings) as service, site.publisher() as devices:
        devices.send(site.topic("d0", "status"), b"online")
        devices.send(site.topic("d0"), room(0))
        wait_until(lambda: sample(service, "messages_acked_total") == 2, "both are acknowledged")
    assert tally(connection, site)["stored"] == 1
    assert dead_letters.newest(connection) == []


@pytest.mark.usefixtures("dwellings")
def test_a_broker_that_sends_twenty_at_a_time_does_not_slow_ingest_to_its_timer(
    settings: Settings, site: Site, connection: Connection
) -> None:
    """We hope for 1,000 messages or 5 s, the broker's limit is 20: no 100 s for 400 messages."""

    def hopeful(service: Service) -> None:
        service.writer.gatherer.batcher = Batcher(Limits(rows=5_000, messages=1_000, age_s=5.0))

    twenty = settings.model_copy(update={"ingest_inflight": 20})
    began = datetime.now(UTC)
    with running_ingest(twenty, hopeful), site.publisher() as devices:
        for minute in range(400):
            devices.send(site.topic("d0"), room(minute % 120, device=f"d{minute // 120 % 3}"))
        wait_until(accounted(connection, site, 400), "all is accounted for")
    assert datetime.now(UTC) - began < timedelta(seconds=50)


def test_dead_letters_are_bounded(connection: Connection) -> None:
    def letter(number: int) -> Rejection:
        return Rejection("t", b"x" * 10_000 + bytes([number]), RejectReason.MALFORMED, "why")

    for number in range(10):
        dead_letters.add(connection, [letter(number)], NOW - timedelta(days=number))
    assert dead_letters.counts(connection)[0]["kept"] == 10
    assert all(len(row["payload"]) == 4096 for row in dead_letters.newest(connection))
    assert dead_letters.purge(connection, NOW, keep_for=timedelta(days=7, hours=1)) == 2
    assert dead_letters.purge(connection, NOW, keep_rows=3) == 5
    assert [row["last_at"] for row in dead_letters.newest(connection)] == [
        NOW - timedelta(days=days) for days in range(3)
    ]
