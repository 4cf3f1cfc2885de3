"""Sparkplug over a real broker: aliases learnt, asked for, remembered, shared by processes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hearthline.domain.places import Device, DeviceKind, DeviceRole, Ledger, Place, PlaceKind
from hearthline.settings import Settings
from hearthline.storage.database import Connection
from ingest.broker import Broker
from ingest.formats.sparkplug_payload import read
from simulators.wire.model import Identity, RoomReading
from simulators.wire.sparkplug import ROOM_METRICS, hello, identify, say
from tests.conftest import Site
from tests.integration.books import rows, tallied
from tests.integration.conftest import IngestProcess, running_ingest, wait_until
from tests.mqtt import Peer, forget_session

NOW = datetime.now(UTC).replace(microsecond=0)
DEVICES = 4
REBIRTH = "Node Control/Rebirth"


@dataclass(frozen=True)
class Edge:
    """An edge node of the site with a few room sensors below it."""

    site: Site
    name: str = "gw-1"

    @property
    def sensors(self) -> list[Identity]:
        """Its devices, by their place in its births."""
        return [identify(self.site.name, f"room{n}", n, self.name) for n in range(DEVICES)]

    @property
    def command(self) -> str:
        """Where it listens."""
        return f"spBv1.0/{self.site.name}/NCMD/{self.name}"

    def ledger(self) -> Ledger:
        """Its devices, at one place."""
        plant = Place(f"plant-{self.site.name}", PlaceKind.SOURCE, None, "Plant")
        sensors = [
            Device(one.uid, DeviceKind.ROOM, DeviceRole.ROOM, plant.code) for one in self.sensors
        ]
        return Ledger((plant,), (), (), tuple(sensors))

    def born(self, at: datetime, session: int = 1) -> list[tuple[str, bytes]]:
        """Its birth, and those of its devices."""
        said = hello(ROOM_METRICS, self.sensors, int(at.timestamp()), session)
        return [(one.topic, one.payload) for one in said]

    def says(self, device: int, at: datetime, value: float = 20.5) -> tuple[str, bytes]:
        """What one device measured, under aliases alone."""
        return self.under(device, device, at, value)

    def under(self, device: int, slot: int, at: datetime, value: float) -> tuple[str, bytes]:
        """The same where the device has another place in its edge node's births."""
        at_s = int(at.timestamp())
        reading = RoomReading(at_s, at_s, 0, value, 40.0, 90.0, slot=slot)
        (one,) = say(self.sensors[device], reading, UTC)
        return one.topic, one.payload


@pytest.fixture
def edge(site: Site, save_ledger: Callable[[Ledger], None]) -> Edge:
    found = Edge(site)
    save_ledger(found.ledger())
    return found


@pytest.fixture
def sparkplug(settings: Settings, edge: Edge) -> Settings:
    """Settings for this site's Sparkplug topics."""
    return settings.model_copy(update={"mqtt_topics": (f"spBv1.0/{edge.site.name}/#",)})


def at(minutes: int) -> datetime:
    """So many minutes after a beginning two hours ago."""
    return NOW - timedelta(hours=2) + timedelta(minutes=minutes)


def publish(edge: Edge, *said: tuple[str, bytes]) -> None:
    with edge.site.publisher() as publisher:
        for topic, payload in said:
            publisher.send(topic, payload)


def test_data_before_its_birth_waits_the_node_is_asked_and_then_all_is_stored(
    sparkplug: Settings, edge: Edge, connection: Connection
) -> None:
    readings = [edge.says(n % DEVICES, at(n)) for n in range(20)]
    listener = Broker.at(sparkplug.require_mqtt())
    with Peer(listener) as node:
        assert node.listens(f"spBv1.0/{edge.site.name}/NCMD/#")
        with running_ingest(sparkplug):
            publish(edge, *readings)
            wait_until(lambda: rows(connection, "quarantine") == 20, "all of it is kept")
            topic, payload = node.heard.get(timeout=30)
            assert topic == edge.command
            (metric,) = read(payload).metrics
            assert (metric.name, metric.value) == (REBIRTH, True)
            assert rows(connection) == 0
            publish(edge, *edge.born(at(30)))
            wait_until(lambda: rows(connection) == 20, "all of it is stored")
            assert rows(connection, "quarantine") == 0
            wait_until(lambda: rows(connection, "stranger") == 0, "nobody waits any more")
        assert node.has_heard() == [], "it was asked once"
    found = connection.execute(
        "SELECT uid, time, temperature_c FROM room_reading r JOIN device d ON d.id = r.device_id"
    ).fetchall()
    expected = {(edge.sensors[n % DEVICES].uid, at(n), 20.5) for n in range(20)}
    assert {(row["uid"], row["time"], row["temperature_c"]) for row in found} == expected


def test_what_a_birth_taught_outlives_the_process(
    sparkplug: Settings, edge: Edge, connection: Connection, tmp_path: Path
) -> None:
    """Killed between birth and data: the next one reads the data and asks nobody."""
    process = IngestProcess(sparkplug, tmp_path / "log")
    with Peer(Broker.at(sparkplug.require_mqtt())) as node, ExitStack() as leaving:
        assert node.listens(f"spBv1.0/{edge.site.name}/NCMD/#")
        leaving.callback(process.kill)
        process.start()
        wait_until(lambda: "subscribed" in process.said, "it has subscribed")
        publish(edge, *edge.born(at(0)))
        wait_until(lambda: rows(connection, "format_memory") == 1 + DEVICES, "it has learnt")
        process.kill()
        publish(edge, *(edge.says(n % DEVICES, at(1 + n)) for n in range(40)))
        process.start()
        wait_until(lambda: rows(connection) == 40, "all of it is stored")
        assert process.terminate() == 0
        assert node.has_heard() == []
    assert rows(connection, "quarantine") == 0


def test_a_new_session_with_other_aliases_is_read_by_its_own_birth(
    sparkplug: Settings, edge: Edge, connection: Connection
) -> None:
    """Two devices change places below the edge node; nothing is taken for the other's."""
    with running_ingest(sparkplug):
        publish(edge, *edge.born(at(0)), edge.says(0, at(1), 20.0), edge.says(1, at(1), 25.0))
        wait_until(lambda: rows(connection) == 2, "the first session is stored")
        turned = [*reversed(edge.sensors[:2]), *edge.sensors[2:]]
        anew = hello(ROOM_METRICS, turned, int(at(10).timestamp()), 2)
        publish(edge, *((one.topic, one.payload) for one in anew), edge.under(0, 1, at(11), 20.5))
        wait_until(lambda: rows(connection) == 3, "the second session is stored")
    newest = connection.execute(
        "SELECT uid, temperature_c FROM room_reading r JOIN device d ON d.id = r.device_id"
        " ORDER BY time DESC LIMIT 1"
    ).fetchone()
    assert newest == {"uid": edge.sensors[0].uid, "temperature_c": 20.5}


def test_two_processes_share_and_what_one_learns_the_other_knows(
    sparkplug: Settings, edge: Edge, connection: Connection, tmp_path: Path
) -> None:
    """The broker gives each message to either; data is among them before and after the birth."""
    clients = [f"{sparkplug.mqtt_client_id}-{n}" for n in (1, 2)]
    both = [
        IngestProcess(
            sparkplug.model_copy(update={"mqtt_client_id": client}),
            tmp_path / f"{client}.log",
            HEARTHLINE_MQTT_SHARE=edge.site.name,
        )
        for client in clients
    ]
    with ExitStack() as leaving:
        for process, client in zip(both, clients, strict=True):
            leaving.callback(forget_session, sparkplug.require_mqtt(), client)
            leaving.callback(process.kill)
            process.start()
        for process in both:
            wait_until(lambda p=process: "subscribed" in p.said, "both have subscribed")
        publish(edge, *(edge.says(n % DEVICES, at(n)) for n in range(20)))
        publish(edge, *edge.born(at(25)))
        publish(edge, *(edge.says(n % DEVICES, at(n)) for n in range(30, 70)))
        wait_until(lambda: rows(connection) == 60, "all of it is stored")
        wait_until(lambda: rows(connection, "quarantine") == 0, "nothing waits any more")
        for process in both:
            assert process.terminate() == 0
    assert min(tallied(connection, client)["messages"] for client in clients) > 0
    assert rows(connection, "dead_letter") == 0
