"""A week of disorder, rolled up while it is stored, against the definition written out plainly."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from hearthline.domain.readings import UNUSABLE, Quality, RoomReading
from hearthline.storage import readings, rollups
from hearthline.storage.database import Connection, connect
from hearthline.storage.readings import KnownDevice

H10 = datetime(2026, 1, 10, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Week:
    """A week of what several rooms say: lost, doubled, contradicted, impossible, out of order."""

    def __init__(self, devices: list[KnownDevice], seed: int) -> None:
        chance = random.Random(seed)
        self.devices = {device.id: device for device in devices}
        said: list[tuple[KnownDevice, RoomReading]] = []
        for device in devices:
            step, at = device.expected_interval_s, 0.0
            while at < 7 * 86_400:
                at += chance.choice([step, step, step, 3 * step]) + chance.uniform(-20, 20)
                quality = chance.choice([*[Quality.GOOD] * 8, Quality.HISTORY, *UNUSABLE])
                value = 85.0 if quality & UNUSABLE else round(chance.uniform(15, 25), 1)
                time = H10 + timedelta(seconds=round(at))
                said.append((device, RoomReading("own:s/d", time, value, quality=quality)))
        said += [(d, replace(r, temperature_c=7.7)) for d, r in chance.sample(said, len(said) // 9)]
        chance.shuffle(said)
        size = 150
        self.batches = [said[i : i + size] for i in range(0, len(said), size)]
        self.batches += chance.sample(self.batches, len(self.batches) // 4)  # delivered again

    def hours(self) -> dict[tuple[int, datetime], tuple[float, ...]]:
        """n, mean, min, max and covered minutes of every hour, by the definition."""
        kept: dict[int, dict[datetime, RoomReading]] = {number: {} for number in self.devices}
        for batch in self.batches:
            for device, reading in batch:
                kept[device.id].setdefault(reading.time, reading)
        found: dict[tuple[int, datetime], list[tuple[float, float, bool]]] = {}
        for number, readings_at in kept.items():
            usable = [r for _, r in sorted(readings_at.items()) if not r.quality & UNUSABLE]
            hold = timedelta(seconds=self.devices[number].hold_s)
            for reading, after in zip(usable, [*usable[1:], None], strict=True):
                ended = min(reading.time + hold, after.time if after else reading.time + hold)
                hour = reading.time.replace(minute=0, second=0)
                while hour < ended:
                    part = min(ended, hour + HOUR) - max(reading.time, hour)
                    entry = (part / MINUTE, reading.temperature_c, reading.time >= hour)
                    found.setdefault((number, hour), []).append(entry)
                    hour += HOUR
        return {key: self._hour(parts) for key, parts in found.items()}

    @staticmethod
    def _hour(parts: list[tuple[float, float, bool]]) -> tuple[float, ...]:
        covered = sum(minutes for minutes, _, _ in parts)
        values = [value for _, value, _ in parts]
        mean = sum(minutes * value for minutes, value, _ in parts) / covered
        return (sum(own for *_, own in parts), mean, min(values), max(values), covered)


@pytest.mark.timeout(120)
def test_a_week_out_of_order_comes_out_as_the_definition_says(
    connection: Connection, database_url: str
) -> None:
    """Stored in many batches while two workers roll up; compared hour by hour."""
    steps = (300, 600, 1200, 3600, 5400)
    connection.cursor().executemany(
        "INSERT INTO device (uid, kind, expected_interval_s) VALUES (%s, 'room', %s)",
        [(f"own:s/{step}", step) for step in steps],
    )
    week = Week(list(readings.known_devices(connection).values()), seed=17)
    storing = threading.Event()
    storing.set()
    rolled: list[int] = []

    def work() -> None:
        with connect(database_url, autocommit=True) as own:
            while storing.is_set() or rollups.depth(own):
                rolled.append(rollups.roll_up(own, limit=60))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for thread in workers:
        thread.start()
    try:
        for batch in week.batches:
            with connection.transaction():
                readings.store(connection, batch, H10 + 200 * HOUR)
    finally:
        storing.clear()
        for thread in workers:
            thread.join(60)
    rows = connection.execute("SELECT * FROM room_hour").fetchall()
    figures = ("n", "mean_c", "min_c", "max_c", "covered_min")
    found = {(r["device_id"], r["hour"]): tuple(r[name] for name in figures) for r in rows}
    expected = week.hours()
    assert len(expected) > 5 * 7 * 20
    assert found.keys() == expected.keys()
    for key, hour in expected.items():
        assert found[key] == pytest.approx(hour, rel=1e-5), key
    assert sum(rolled) > len(expected)  # hours were rolled up, marked and rolled up again
