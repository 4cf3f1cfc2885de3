"""Signs, habits and states in the database, held to the pure rules."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from analytics import worker
from analytics.cycle import Rules
from hearthline.domain import liveness as rules
from hearthline.domain.liveness import State
from hearthline.domain.places import Ledger
from hearthline.domain.policies import PROFILES
from hearthline.domain.readings import Sign
from hearthline.errors import NotFound
from hearthline.storage import liveness
from hearthline.storage.database import Connection, Database
from tests.conftest import Site

NOW = datetime(2026, 1, 12, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SEED = 11


@dataclass(frozen=True)
class Fleet:
    """Devices of the ledger, and what befell them, written straight into the tables."""

    connection: Connection
    site: Site
    ids: list[int]

    def uid(self, index: int) -> str:
        return self.site.uid(f"d{index}")

    def sign(self, index: int, at: datetime, **said: Any) -> tuple[int, Sign]:
        return self.ids[index], Sign(self.uid(index), at, **said)

    def read(self, index: int, *instants: datetime) -> None:
        """Readings at these instants, the last of them the latest."""
        self.connection.cursor().executemany(
            "INSERT INTO room_reading (time, device_id, temperature_c) VALUES (%s, %s, 20)",
            [(at, self.ids[index]) for at in instants],
        )
        self.connection.execute(
            "INSERT INTO latest (device_id, time, seen_at, changed_at, reading)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (device_id) DO UPDATE SET"
            " time = excluded.time, seen_at = excluded.seen_at",
            (self.ids[index], max(instants), max(instants), max(instants), Jsonb({})),
        )

    def sign_rows(self) -> list[dict[str, Any]]:
        return self.connection.execute("SELECT * FROM device_sign ORDER BY device_id").fetchall()


@pytest.fixture
def fleet(
    connection: Connection, site: Site, save_ledger: Callable[[Ledger], None]
) -> Callable[[int], Fleet]:
    """Make a ledger of so many room sensors."""

    def make(count: int) -> Fleet:
        save_ledger(site.ledger(count))
        rows = connection.execute("SELECT id FROM device ORDER BY id").fetchall()
        return Fleet(connection, site, [row["id"] for row in rows])

    return make


def test_the_newest_sign_says_whether_a_device_is_online(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    """In one batch and over several, in whatever order they come."""
    own = fleet(1)
    liveness.note_signs(
        connection,
        [own.sign(0, NOW, online=False), own.sign(0, NOW - HOUR, online=True, gateway="g1")],
        NOW,
    )
    (row,) = own.sign_rows()
    assert (row["online"], row["online_at"], row["gateway"]) == (False, NOW, "g1")
    liveness.note_signs(connection, [own.sign(0, NOW - MINUTE, online=True)], NOW + HOUR)
    (row,) = own.sign_rows()
    assert (row["online"], row["online_at"], row["seen_at"]) == (False, NOW, NOW + HOUR)
    liveness.note_signs(connection, [own.sign(0, NOW + HOUR, online=True)], NOW + 2 * HOUR)
    assert own.sign_rows()[0]["online"] is True


def test_what_a_sign_does_not_say_stays(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(1)
    liveness.note_signs(connection, [own.sign(0, NOW, gateway="g1", battery_pct=80.0)], NOW)
    liveness.note_signs(connection, [own.sign(0, NOW, humidity_pct=41.0)], NOW + HOUR)
    liveness.note_signs(connection, [own.sign(0, NOW, gateway="late")], NOW - HOUR)
    (row,) = own.sign_rows()
    assert (row["gateway"], row["battery_pct"], row["humidity_pct"]) == ("g1", 80.0, 41.0)


def test_a_device_that_says_the_same_again_is_not_written_again(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(2)
    version = "SELECT xmin::text AS version FROM device_sign ORDER BY device_id"
    same = [own.sign(n, NOW, online=True, gateway="g1", battery_pct=33.3) for n in (1, 0)]
    liveness.note_signs(connection, same, NOW)
    before = connection.execute(version).fetchall()
    liveness.note_signs(connection, same, NOW + timedelta(seconds=59))
    assert connection.execute(version).fetchall() == before
    liveness.note_signs(connection, same, NOW + timedelta(seconds=60))
    assert [row["seen_at"] for row in own.sign_rows()] == [NOW + MINUTE] * 2
    liveness.note_signs(connection, [], NOW + HOUR)
    assert own.sign_rows()[0]["seen_at"] == NOW + MINUTE


def courses(chance: random.Random) -> Iterator[list[datetime]]:
    """Instants as devices of many kinds say them."""
    for _ in range(12):
        interval = chance.choice([60, 300, 1200, 3600])
        lost = chance.uniform(0, 0.4)
        hours = chance.uniform(1, 9 * 24)
        yield [
            NOW - timedelta(seconds=n * interval + chance.uniform(0, 20))
            for n in range(int(hours * 3600 / interval))
            if chance.random() > lost
        ] or [NOW]
    yield [NOW - timedelta(seconds=n // 3 * 900 + n % 3 * 0.4) for n in range(300)]
    yield [NOW]


def test_habits_are_what_the_rule_says(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    """The statement for many devices against the pure rule for one."""
    told = list(courses(random.Random(SEED)))
    own = fleet(len(told))
    for index, instants in enumerate(told):
        own.read(index, *instants)
    assert liveness.learn_habits(connection, NOW) == len(told)
    rows = connection.execute("SELECT * FROM device_habit ORDER BY device_id").fetchall()
    for instants, row in zip(told, rows, strict=True):
        newest = max(instants)
        recent = sorted(at for at in instants if at >= newest - rules.LOOK_BACK)
        gaps = rules.gaps_of(recent[-rules.READINGS_AT_MOST :])
        habit = rules.habit_of(gaps) or rules.Habit(1200, 3600)
        assert row["samples"] == (gaps.count if gaps else 0)
        assert (row["interval_s"], row["offline_after_s"]) == (
            habit.interval_s,
            habit.offline_after_s,
        )


def test_habits_are_learnt_in_bites_once_a_day_and_only_of_devices_that_speak(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(5)
    for index in range(4):  # the fifth never spoke
        own.read(index, *[NOW - n * 20 * MINUTE for n in range(30)])
    assert [liveness.learn_habits(connection, NOW, limit=3) for _ in range(3)] == [3, 1, 0]
    later = NOW + rules.LEARN_AGAIN
    own.read(2, later)
    assert liveness.learn_habits(connection, later) == 1
    assert liveness.learn_habits(connection, later + liveness.LOOK_AGAIN) == 0


def test_a_device_with_few_readings_is_looked_at_again_soon(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(1)
    own.read(0, NOW - MINUTE)
    assert liveness.learn_habits(connection, NOW) == 1
    row = liveness.device(connection, own.uid(0), NOW)
    assert (row["interval_s"], row["samples"]) == (None, 0)
    own.read(0, *[NOW + n * MINUTE for n in range(30)])
    assert liveness.learn_habits(connection, NOW + 30 * MINUTE) == 0
    assert liveness.learn_habits(connection, NOW + HOUR) == 1
    assert liveness.device(connection, own.uid(0), NOW + HOUR)["interval_s"] == 60


def test_learning_is_a_chore_of_the_worker(
    connection: Connection, database: Database, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(1)
    own.read(0, *[NOW - n * 15 * MINUTE for n in range(60)])
    work = worker.Work(database, Rules(PROFILES["standard-20"]), lambda: NOW)
    assert worker.learn in worker.CHORES
    assert worker.learn(work) is False  # nothing more waits
    assert liveness.device(connection, own.uid(0), NOW)["interval_s"] == 900


def scatter(own: Fleet, chance: random.Random) -> None:
    """Readings, signs and habits of every sort, at random."""
    for index, device_id in enumerate(own.ids):
        if chance.random() < 0.8:
            own.read(index, NOW - chance.uniform(0, 200) * MINUTE)
        if chance.random() < 0.7:
            at = NOW - chance.uniform(0, 300) * MINUTE
            said = own.sign(
                index,
                at - chance.uniform(0, 60) * MINUTE,
                online=chance.choice([None, True, False]),
                gateway=chance.choice([None, "g1", "g2", "g3"]),
            )
            liveness.note_signs(own.connection, [said], at)
        if chance.random() < 0.5:
            own.connection.execute(
                "INSERT INTO device_habit VALUES (%s, %s, %s, %s, %s)",
                (device_id, chance.randrange(60, 7200), chance.randrange(900, 9000),
                 chance.choice([5, 19, 20, 300]), NOW),
            )  # fmt: skip


def test_states_counts_and_gateways_are_what_the_rules_say(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(300)
    scatter(own, random.Random(SEED))
    rows = liveness.devices(connection, NOW, limit=1000)
    assert len(rows) == 300
    by_gateway: dict[str | None, list[rules.Facts]] = {"g1": [], "g2": [], "g3": [], None: []}
    for row in rows:
        facts = liveness.facts_of(row)
        assert row["state"] == rules.state_of(facts, NOW)
        by_gateway[None].append(facts)
        if row["gateway"]:
            by_gateway[row["gateway"]].append(facts)
    states = [row["state"] for row in rows]
    assert liveness.counts(connection, NOW) == {state: states.count(state) for state in State}
    assert min(liveness.counts(connection, NOW).values()) > 3
    expected = [rules.carried(name, facts, NOW) for name, facts in by_gateway.items()]
    assert liveness.gateways(connection, NOW) == expected


def test_pages_of_devices_neither_skip_nor_repeat(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(30)
    scatter(own, random.Random(SEED))
    wanted = liveness.Wanted(states=[State.NEVER, State.OFFLINE])
    whole = [row["uid"] for row in liveness.devices(connection, NOW, wanted)]
    paged: list[str] = []
    while page := liveness.devices(
        connection, NOW, wanted, after=paged[-1] if paged else None, limit=4
    ):
        paged += [row["uid"] for row in page]
    assert paged == whole
    assert len(whole) > 8


def test_devices_are_found_by_gateway_label_place_and_kind(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(3)
    liveness.note_signs(connection, [own.sign(1, NOW, gateway="g1")], NOW)
    connection.execute("UPDATE device SET label = 'Küche 3' WHERE id = %s", (own.ids[2],))

    def found(**wanted: Any) -> list[str]:
        rows = liveness.devices(connection, NOW, liveness.Wanted(**wanted))
        return [row["uid"] for row in rows]

    assert found(gateway="g1") == [own.uid(1)]
    assert found(text="küche") == [own.uid(2)]
    assert len(found(text=f"plant-{own.site.name}")) == 3
    assert found(kind="meter") == []
    with pytest.raises(NotFound):
        liveness.device(connection, "own:nobody", NOW)


def test_a_silent_gateway_is_one_finding_and_a_silent_network_another(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(24)
    for index in range(24):
        down = index < 8
        own.read(index, NOW - (5 * HOUR if down else MINUTE))
        at = NOW - (5 * HOUR if down else MINUTE)
        liveness.note_signs(connection, [own.sign(index, at, gateway="g1" if down else "g2")], at)
    out = liveness.outages(liveness.gateways(connection, NOW))
    assert [(one.name, one.together) for one in out] == [("g1", 8)]
    a_day_on = liveness.gateways(connection, NOW + 24 * HOUR)
    assert [one.name for one in liveness.outages(a_day_on)] == ["g2", "g1"]
    connection.execute("DELETE FROM device WHERE id = ANY(%s)", (own.ids[:8],))
    everything = liveness.outages(liveness.gateways(connection, NOW + 24 * HOUR))
    assert [(one.name, one.together) for one in everything] == [(None, 16)]


def test_conflicts_are_listed_the_latest_first(
    connection: Connection, fleet: Callable[[int], Fleet]
) -> None:
    own = fleet(2)
    for n in range(6):
        connection.execute(
            "INSERT INTO reading_conflict VALUES (%s, %s, %s, %s, 2, %s, %s)",
            (own.ids[n % 2], NOW - n * HOUR, Jsonb({"temperature_c": 20}),
             Jsonb({"temperature_c": 25}), NOW, NOW + n // 2 * MINUTE),
        )  # fmt: skip
    whole = liveness.conflicts(connection)
    assert len(whole) == 6
    paged: list[dict[str, Any]] = []
    after = None
    while page := liveness.conflicts(connection, after=after, limit=2):
        paged += page
        after = (page[-1]["last_at"], page[-1]["device_id"], page[-1]["time"])
    assert paged == whole
    assert [row["time"] for row in liveness.conflicts(connection, own.ids[0])] == [
        NOW - n * HOUR for n in (4, 2, 0)
    ]
