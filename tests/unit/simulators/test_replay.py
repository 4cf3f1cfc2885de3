"""Measured series as messages, and the ledger they need."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from hearthline.domain.places import DeviceKind, DeviceRole, paths
from simulators.replay import ReplayReport, ledger_for, replay
from tests.unit.simulators.test_live import FakeClock


def test_every_row_of_the_measurements_becomes_a_message_in_order(measured: Path) -> None:
    report = ReplayReport()
    folders = [measured / "dwellings", measured / "flat"]
    messages = replay(folders, report=report)
    last, count = 0, 0
    for message in messages:
        assert message.due >= last
        last, count = message.due, count + 1
    lines = sum(
        len(path.read_text().splitlines()) - (1 if folder.name == "dwellings" else 0)
        for folder in folders
        for path in folder.glob("*.csv")
    )
    assert count == report.messages == report.readings == report.rows.good == lines
    assert report.balanced
    assert not report.rows.bad


def test_the_first_reading_of_a_dwelling_is_what_the_file_says(measured: Path) -> None:
    path = measured / "dwellings" / "R2_indoor1.csv"
    local, temperature, _ = path.read_text().splitlines()[1].split(",")
    message = next(replay([path], site="lab"))
    assert message.topic == "hearthline/v1/lab/R2_indoor1/room"
    item = json.loads(message.payload)
    assert item["temperature_c"] == float(temperature)
    assert datetime.fromisoformat(item["ts"]) == datetime.fromisoformat(local + "+02:00")


def test_weather_speaks_our_own_format_whatever_the_rooms_do(measured: Path) -> None:
    message = next(replay([measured / "dwellings" / "R4_fmi.csv"], as_format="chirpstack"))
    assert message.topic == "hearthline/v1/measured/R4_fmi/weather"
    assert "outdoor_c" in json.loads(message.payload)


def test_batches_hold_all_readings(measured: Path) -> None:
    report = ReplayReport()
    files = [measured / "dwellings" / name for name in ("R4_indoor1.csv", "R4_fmi.csv")]
    messages = list(replay(files, batch=50, report=report))
    items = [item for m in messages for item in json.loads(m.payload)]
    assert len(items) == report.readings == report.rows.good
    assert max(m.readings for m in messages) == 50
    assert {m.topic.rsplit("/", 1)[1] for m in messages} == {"room", "weather"}
    assert len({(item["device"], item["ts"]) for item in items}) == len(items)


def test_a_shift_moves_every_instant(measured: Path) -> None:
    path = measured / "flat" / "Kitchen_Temperature.csv"
    plain, shifted = next(replay([path])), next(replay([path], shift=timedelta(days=400)))
    assert shifted.due - plain.due == 400 * 86400


def test_a_replay_can_be_paced(measured: Path) -> None:
    path = measured / "dwellings" / "R2_indoor1.csv"
    clock = FakeClock(datetime(2030, 1, 1, tzinfo=UTC))
    messages = replay([path], speed=3600.0, clock=clock)
    for _ in range(4):
        next(messages)
    assert clock.waits == pytest.approx([1.0, 1.0, 1.0])


def test_progress_is_told_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{at * 60}\t20\n" for at in range(2500)))
    said: list[int] = []
    list(replay([path], progress=lambda *told: said.append(told[0])))
    assert said == [1000, 2000]


def test_an_unknown_format_is_refused(measured: Path) -> None:
    with pytest.raises(ValueError, match="telegraph"):
        replay([measured / "flat"], as_format="telegraph")


@pytest.mark.parametrize("style", ["own", "chirpstack", "zigbee2mqtt"])
def test_the_ledger_knows_every_device_that_speaks(measured: Path, style: str) -> None:
    folders = [measured / "dwellings", measured / "flat"]
    uids = {device.uid for device in ledger_for(folders, as_format=style, site="lab").devices}
    names = ("dwellings/R2_indoor1", "dwellings/R4_fmi", "flat/Kitchen_Temperature")
    files = [measured / f"{name}.csv" for name in names]
    for message in islice(replay(files, as_format=style, site="lab"), 5000):
        parts = message.topic.split("/")
        if parts[0] == "hearthline":
            assert f"own:lab/{parts[3]}" in uids
        elif parts[0] == "application":
            assert f"chirpstack:{parts[3]}" in uids
        else:
            assert f"zigbee2mqtt:{parts[1]}" in uids


def test_pairs_of_files_are_one_dwelling_and_a_flats_rooms_another(measured: Path) -> None:
    ledger = ledger_for([measured / "dwellings", measured / "flat"])
    assert [unit.code for unit in ledger.units] == ["R2", "R3", "R4", "R5", "flat"]
    rooms = [device for device in ledger.devices if device.kind is DeviceKind.ROOM]
    sensors = Counter(device.place for device in rooms)
    assert all(sensors[code] == 2 for code in ("R2", "R3", "R4", "R5"))
    assert sensors["flat"] >= 3
    assert all(device.role is DeviceRole.ROOM for device in rooms)
    assert len(paths(ledger.places)) == len(ledger.places)
    assert {status.code for status in ledger.statuses} == {unit.code for unit in ledger.units}


def test_intervals_are_measured(measured: Path) -> None:
    ledger = ledger_for([measured / "dwellings"])
    assert {device.expected_interval_s for device in ledger.devices} == {3600}
