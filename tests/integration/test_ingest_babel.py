"""A town that speaks thirteen languages, over a real broker; and strangers that are taken in.

The scenario ``babel`` has a broker to itself: its platforms' topics name no site, so that another
test would hear them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearthline.domain.places import Device, DeviceKind, DeviceRole, Ledger
from hearthline.domain.readings import UNUSABLE
from hearthline.settings import Settings
from hearthline.storage import ledger as ledgers
from hearthline.storage.database import Connection
from hearthline.storage.views import strangers as views
from ingest.adoption import Wish, adopt, profiles_for
from ingest.door import door_of
from ingest.formats import OURS
from ingest.formats.profiles import builtin
from simulators.testing import Town, town_of
from simulators.transport import Publisher
from simulators.wire.ctwing import is_transparent
from tests import builders
from tests.brokers import PASSWORD, TESTER, own_broker
from tests.conftest import Site
from tests.integration.books import accounted, rows, tallied
from tests.integration.conftest import ROOT, running_ingest, wait_until

HOURS = 2.0
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
UNIT = "T-S1-B01-E1-0101"
OTHER = "T-S1-B01-E1-0201"


# ── every language at once ───────────────────────────────────────────────────────────────────


@pytest.fixture
def babel_url(tmp_path: Path) -> Iterator[str]:
    with own_broker(tmp_path, []) as own:
        yield f"mqtt://{TESTER}:{PASSWORD}@127.0.0.1:{own.plain_port}"


def ledger_of(town: Town) -> Ledger:
    """Its ledger; devices that send bare frames are given the profile that reads them."""
    framed = "hl-nb-room"
    assert framed in builtin()
    return replace(
        town.ledger,
        devices=tuple(
            replace(one, profile=framed)
            if one.uid.startswith("ctwing:") and is_transparent(one.uid)
            else one
            for one in town.ledger.devices
        ),
    )


def by_format(connection: Connection, query: str) -> Counter[str]:
    """How many devices of each format a query of uids finds."""
    return Counter(row["uid"].partition(":")[0] for row in connection.execute(query).fetchall())


@pytest.mark.timeout(240)
def test_a_town_of_thirteen_formats_is_stored_to_the_last_reading(
    settings: Settings, connection: Connection, babel_url: str
) -> None:
    """With all its misfortunes: lost, late, repeated, spoilt, from devices nobody knows."""
    town = town_of("babel")
    ledger = ledger_of(town)
    with connection.transaction():
        ledgers.save(connection, ledger)
    own = settings.model_copy(update={"mqtt_url": babel_url, "mqtt_topics": ()})
    with running_ingest(own):
        messages = town.messages(hours=HOURS)
        with Publisher(babel_url) as devices:
            devices.publish_all(messages)
            published = devices.close()
        assert published.complete
        heard = lambda: tallied(connection, own.mqtt_client_id)["messages"]  # noqa: E731
        wait_until(lambda: heard() >= published.sent, "every message is accounted for", 120)
    tally = tallied(connection, own.mqtt_client_id)
    assert tally["messages"] == published.sent == len(messages)
    spoken = sum(message.readings for message in messages)
    assert tally["stored"] + tally["duplicates"] + tally["refused"] == spoken
    everybody = Counter(device.uid.partition(":")[0] for device in ledger.devices)
    assert everybody.keys() == {one.name for one in OURS}
    speaking = by_format(connection, "SELECT uid FROM latest JOIN device d ON d.id = device_id")
    assert speaking == everybody, "a device of some format has no row"
    strangers = connection.execute("SELECT sum(messages) AS n FROM stranger").fetchall()[0]["n"]
    refused = connection.execute("SELECT sum(count) AS n FROM dead_letter").fetchall()[0]["n"]
    # What came before its Sparkplug birth waited in quarantine, and was taken in from there since.
    replayed = tally["refused"] - (strangers or 0) - (refused or 0)
    assert replayed >= 0
    in_tables = sum(rows(connection, f"{kind}_reading") for kind in DeviceKind)
    assert in_tables == tally["stored"] + replayed
    told = by_format(
        connection,
        "SELECT uid FROM device_sign JOIN device d ON d.id = device_id WHERE gateway IS NOT NULL",
    )
    assert {"tasmota", "homie", "sparkplug", "own"} <= told.keys()
    batteries = by_format(
        connection,
        "SELECT uid FROM latest JOIN device d ON d.id = device_id WHERE battery_pct IS NOT NULL",
    )
    assert {"own", "zigbee2mqtt", "senml", "ctwing"} <= batteries.keys()
    online = by_format(
        connection,
        "SELECT uid FROM device_sign JOIN device d ON d.id = device_id WHERE online IS NOT NULL",
    )
    assert {"sparkplug", "homie"} <= online.keys()
    assert_true(connection, town)


def assert_true(connection: Connection, town: Town) -> None:
    """In each format rooms say the temperature that the air had, within what a sensor errs.

    Devices without a clock are dated by arrival, which is today: their times are not asked for.
    """
    outcome = town.simulate(hours=HOURS)
    errors: dict[str, list[float]] = {}
    for row in connection.execute(
        "SELECT uid, p.code, avg(temperature_c) AS mean_c FROM room_reading r"
        " JOIN device d ON d.id = r.device_id JOIN device_binding b ON b.device_id = d.id"
        " JOIN place p ON p.id = b.place_id"
        " WHERE quality & %s = 0 GROUP BY 1, 2",
        (int(UNUSABLE),),
    ):
        true_c = float(np.mean(outcome.room(row["code"]).hourly_c))
        errors.setdefault(row["uid"].partition(":")[0], []).append(row["mean_c"] - true_c)
    assert len(errors) == len([one for one in OURS if one.name != "wmbusmeters"])
    for name, of_format in errors.items():
        assert abs(float(np.median(of_format))) < 0.5, name
        assert np.percentile(np.abs(of_format), 90) < 2.5, name


# ── strangers ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def town(save_ledger: Callable[[Ledger], None]) -> None:
    save_ledger(builders.town(builders.TownPlan(1, 1, 1, 2, unsensed={UNIT, OTHER})))


def say(site: Site, device: str, minutes: range) -> None:
    """A reading a minute, singles and an array."""
    items = [
        {"ts": (NOW - timedelta(minutes=m)).isoformat(), "temperature_c": 20 + m / 8}
        for m in minutes
    ]
    with site.publisher() as publisher:
        for item in items[:5]:
            publisher.send(site.topic(device), item)
        publisher.send(site.topic(device), items[5:])


def said(connection: Connection, uid: str) -> dict[datetime, float]:
    """What is stored of a device."""
    found = connection.execute(
        "SELECT time, temperature_c FROM room_reading r JOIN device d ON d.id = r.device_id"
        " WHERE uid = %s",
        (uid,),
    ).fetchall()
    return {row["time"]: row["temperature_c"] for row in found}


def expected(minutes: range) -> dict[datetime, float]:
    """What ``say`` says."""
    return {NOW - timedelta(minutes=m): 20 + m / 8 for m in minutes}


def command(settings: Settings, *words: str) -> dict[str, Any]:
    """A command of the installation, as an engineer gives it."""
    done = subprocess.run(
        [sys.executable, "-m", "hearthline", *words, "--json"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "HEARTHLINE_DATABASE_URL": settings.require_database(),
            "HEARTHLINE_MQTT_URL": settings.require_mqtt(),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.usefixtures("town")
def test_a_stranger_adopted_by_command_while_ingest_runs_has_all_it_ever_said(
    settings: Settings, site: Site, connection: Connection
) -> None:
    """What it says before, while and after it is adopted; none of it twice."""
    uid = site.uid("new")
    with running_ingest(settings):
        say(site, "new", range(60, 40, -1))
        wait_until(lambda: rows(connection, "quarantine") == 6, "it is kept")
        guess = views.one(connection, uid)
        assert (guess["format"], guess["kind"], guess["role"]) == ("own", "room", "room")
        assert rows(connection) == 0
        told = command(settings, "strangers", "adopt", uid, "--place", UNIT, "--role", "room")
        say(site, "new", range(40, 20, -1))
        wait_until(lambda: len(said(connection, uid)) == 40, "everything is stored")
    assert said(connection, uid) == expected(range(60, 20, -1))
    assert "20" in json.dumps(told)
    assert rows(connection, "stranger") == rows(connection, "quarantine") == 0
    assert tallied(connection, site.client_id)["duplicates"] == 0


@pytest.mark.usefixtures("town")
def test_adopting_in_one_process_while_another_takes_in_stores_everything_once(
    settings: Settings, site: Site, connection: Connection
) -> None:
    """Ingest hears of the adoption itself and replays as well; only one of the two stores."""
    uid = site.uid("new")
    with running_ingest(settings) as service:
        say(site, "new", range(500, 0, -1))
        wait_until(lambda: accounted(connection, site.client_id) == 500, "it is kept")
        adopt(
            connection,
            uid,
            Wish(UNIT, DeviceRole.ROOM),
            door_of(settings),
            profiles_for(settings),
        )
        wait_until(lambda: len(said(connection, uid)) == 500, "everything is stored")
        assert service.health.ready
    assert said(connection, uid) == expected(range(500, 0, -1))
    assert rows(connection) == 500


@pytest.mark.usefixtures("town")
def test_a_device_that_the_ledger_learns_of_is_taken_in_by_the_running_ingest(
    settings: Settings,
    site: Site,
    connection: Connection,
    save_ledger: Callable[[Ledger], None],
) -> None:
    """Also what came before; the one that stays unknown stays in quarantine."""
    with running_ingest(settings):
        say(site, "new", range(60, 40, -1))
        say(site, "unknown", range(60, 40, -1))
        wait_until(lambda: rows(connection, "quarantine") == 12, "both are kept")
        device = Device(site.uid("new"), DeviceKind.ROOM, DeviceRole.ROOM, OTHER)
        save_ledger(Ledger(devices=(device,)))
        wait_until(lambda: len(said(connection, site.uid("new"))) == 20, "it is taken in")
    assert said(connection, site.uid("new")) == expected(range(60, 40, -1))
    assert [row["uid"] for row in views.listed(connection)] == [site.uid("unknown")]
    assert rows(connection, "quarantine") == 6
