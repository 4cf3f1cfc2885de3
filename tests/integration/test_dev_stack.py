"""The development stack itself, on a checkout of its own: real servers, real kills, real rules."""

import fcntl
import json
import os
import queue
import shutil
import socketserver
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.wire import leave

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
TIMEOUT_S = 60
NOT_AUTHORISED = 135


class Stack:
    """`python3 deploy/stack` in a checkout."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        own = {name: value for name, value in os.environ.items() if "HEARTHLINE_" not in name}
        return subprocess.run(
            [sys.executable, str(self.checkout / "deploy" / "stack"), *words],
            capture_output=True,
            text=True,
            env=own,
            timeout=150,
            check=False,
        )

    def told(self, *words: str) -> dict[str, Any]:
        """One command's JSON answer; the test fails where the command does."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def up(self) -> dict[str, Any]:
        return self.told("up")

    def processes(self) -> list[str]:
        """Command lines of this checkout's living servers."""
        lines = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(entry.read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        instance = json.loads((self.checkout / ".hearthline" / "stack.json").read_text())[
            "instance"
        ]
        return [line for line in lines if instance in line]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], AbstractContextManager[None]]:
    """One process at a time: another's stack would take the port that a stopped one comes back to.

    Tests of this module may run in several processes, each with a stack of its own.
    """
    path = tmp_path_factory.getbasetemp().parent / "stacks.lock"

    @contextmanager
    def held() -> Iterator[None]:
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    return held


@pytest.fixture(autouse=True)
def one_at_a_time(alone: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """No test starts or stops a stack beside another one."""
    with alone():
        yield


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, alone: Callable[[], AbstractContextManager[None]]
) -> Iterator[Stack]:
    """A running stack in a checkout of its own, removed with its data at the end."""
    checkout = tmp_path_factory.mktemp("checkout")
    shutil.copytree(DEPLOY, checkout / "deploy")
    own = Stack(checkout)
    with alone():
        first = own.run("up", "--json")
    assert first.returncode == 0, first.stderr
    yield own
    own.run("stop", "--delete-data")


@contextmanager
def connected(
    url: str, user: str | None = None, password: str | None = None, *, keep_session: bool = False
) -> Iterator[tuple[mqtt.Client, "queue.Queue[tuple[str, Any]]"]]:
    """A client that is let in, and the queue of what happens to it."""
    address = urlsplit(url)
    happened: queue.Queue[tuple[str, Any]] = queue.Queue()
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2,
        client_id=f"test-{user or address.username}",
        protocol=mqtt.MQTTv5,
        manual_ack=True,
    )
    client.username_pw_set(user or address.username, password or address.password)
    client.on_connect = lambda _c, _u, _f, reason, _p: happened.put(("connected", reason.value))
    client.on_subscribe = lambda _c, _u, _m, reasons, _p: happened.put(
        ("subscribed", reasons[0].value)
    )
    client.on_publish = lambda _c, _u, _m, reason, _p: happened.put(("published", reason.value))
    client.on_message = lambda _c, _u, message: happened.put((message.topic, message.payload))
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 600 if keep_session else 0
    properties.ReceiveMaximum = 65535
    client.connect(
        address.hostname or "",
        address.port or 0,
        clean_start=not keep_session,
        properties=properties,
    )
    client.loop_start()
    try:
        yield client, happened
    finally:
        leave(client)


def next_of(happened: "queue.Queue[tuple[str, Any]]", kind: str) -> Any:
    """What the next event of this kind carried."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        name, value = happened.get(timeout=max(0.01, deadline - time.monotonic()))
        if name == kind:
            return value


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def in_database(url: str, *statements: str) -> list[Any]:
    """Run statements; gives the rows of the last one."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            answer = connection.execute(statement)  # type: ignore[arg-type]
        return answer.fetchall() if answer.description else []


def test_a_second_up_finds_it_running_and_starts_nothing(stack):
    first = stack.up()
    again = stack.run("up", "--json")
    assert "starting" not in again.stderr
    second = json.loads(again.stdout)
    assert {**first, "took_s": 0} == {**second, "took_s": 0}


def test_the_addresses_are_kept_for_their_owner_only(stack):
    told = stack.up()
    kept = stack.checkout / ".hearthline" / "stack.env"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert f"HEARTHLINE_DATABASE_URL={told['database_url']}\n" in kept.read_text()
    assert f"HEARTHLINE_MQTT_URL={told['mqtt_url']}\n" in kept.read_text()


def test_data_and_ports_survive_a_stop_and_nothing_is_left_running(stack):
    before = stack.up()
    in_database(before["database_url"], "CREATE TABLE IF NOT EXISTS kept (n int)")
    in_database(before["database_url"], "INSERT INTO kept VALUES (42)")
    assert stack.told("stop") == {"state": "stopped"}
    assert stack.processes() == []
    assert stack.run("status").returncode == 1
    after = stack.up()
    assert after["database_url"] == before["database_url"]
    assert after["mqtt_url"] == before["mqtt_url"]
    assert (42,) in in_database(after["database_url"], "SELECT n FROM kept")


def test_a_killed_database_comes_back_with_everything_committed(stack):
    url = stack.up()["database_url"]
    in_database(url, "CREATE TABLE IF NOT EXISTS durable (n int)")
    in_database(url, "INSERT INTO durable VALUES (7)")
    assert stack.told("kill", "database")["state"] == "stopped"
    assert json.loads(stack.run("status", "--json").stdout)["state"] == "partly running"
    assert stack.up()["database_url"] == url
    assert (7,) in in_database(url, "SELECT n FROM durable")


def test_a_killed_broker_comes_back_at_the_same_address(stack):
    url = stack.up()["mqtt_url"]
    stack.told("kill", "broker")
    assert stack.told("start", "broker") == {"part": "broker", "state": "running"}
    with connected(url) as (_, happened):
        assert next_of(happened, "connected") == 0


def test_both_listen_on_loopback_only(stack):
    told = stack.up()
    ports = {told["database"]["port"], told["broker"]["port"]}
    listening = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            address, _, port = local.partition(":")
            if state == "0A" and int(port, 16) in ports:
                listening.setdefault(int(port, 16), []).append(address)
    assert listening == {port: ["0100007F"] for port in ports}


def test_the_service_role_can_make_databases_extensions_and_roles(stack):
    url = stack.up()["database_url"]
    in_database(url, "DROP DATABASE IF EXISTS scratch", "CREATE DATABASE scratch")
    scratch = url.rpartition("/")[0] + "/scratch"
    in_database(scratch, "CREATE EXTENSION timescaledb", "CREATE TABLE r (at timestamptz NOT NULL)")
    in_database(scratch, "SELECT create_hypertable('r', by_range('at'))")
    in_database(url, "DROP ROLE IF EXISTS scratch_reader", "CREATE ROLE scratch_reader LOGIN")
    in_database(url, "DROP DATABASE scratch", "DROP ROLE scratch_reader")


class Stranger(socketserver.BaseRequestHandler):
    """Whoever asks hears that it has found its database, or its broker."""

    def handle(self) -> None:
        asked = self.request.recv(4096)
        self.request.sendall(b"\x20\x02\x00\x00" if asked.startswith(b"\x10") else b"N")


@contextmanager
def stranger(port: int = 0) -> Iterator[int]:
    """Somebody else's server on a port of this machine."""

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", port), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def works(told: dict[str, Any]) -> bool:
    """Whether both are there for the passwords that were told."""
    with connected(told["mqtt_url"]) as (_, happened):
        let_in = next_of(happened, "connected") == 0
    return let_in and in_database(told["database_url"], "SELECT 1") == [(1,)]


@pytest.mark.parametrize("part", ["database", "broker"])
def test_a_stranger_on_the_port_of_a_stopped_part_is_left_alone(stack, part):
    port = stack.up()[part]["port"]
    stack.told("stop", part)
    with stranger(port):
        assert json.loads(stack.run("status", "--json").stdout)[part]["state"] == "stopped"
        told = stack.up()
        assert told[part]["port"] != port
        assert works(told)
    assert stack.up() == {**told, "took_s": ANY}


@pytest.mark.parametrize("part", ["database", "broker"])
def test_a_stranger_on_the_port_that_is_remembered_is_not_taken_for_the_part(stack, part):
    before = stack.up()
    kept = stack.checkout / ".hearthline" / "stack.json"
    record = json.loads(kept.read_text())
    with stranger() as port:
        record["parts"][part]["endpoint"]["port"] = port
        kept.write_text(json.dumps(record))
        assert json.loads(stack.run("status", "--json").stdout)[part]["state"] == "stopped"
        again = stack.run("up", "--json")
    assert "starting" not in again.stderr
    assert json.loads(again.stdout) == {**before, "took_s": ANY}
    assert works(before)


def test_a_device_writes_under_its_own_name_and_nowhere_else(stack):
    url = stack.up()["mqtt_url"]
    password = stack.told("device", "add", "room-1")["password"]
    with (
        connected(url) as (service, heard),
        connected(url, "room-1", password) as (device, happened),
    ):
        assert next_of(happened, "connected") == 0
        service.subscribe("hearthline/#", qos=1)
        next_of(heard, "subscribed")

        device.publish("hearthline/v1/site/room-2/room", b"forged", qos=1)
        assert next_of(happened, "published") == NOT_AUTHORISED
        device.publish("application/1/device/room-1/event/up", b"forged", qos=1)
        assert next_of(happened, "published") == NOT_AUTHORISED
        device.publish("hearthline/v1/site/room-1/room", b"true", qos=1)
        assert next_of(happened, "published") == 0

        assert next_of(heard, "hearthline/v1/site/room-1/room") == b"true"
        assert heard.empty()


def test_a_device_hears_nothing_not_even_itself(stack):
    url = stack.up()["mqtt_url"]
    password = stack.told("device", "add", "room-3")["password"]
    with connected(url, "room-3", password) as (device, happened):
        for topic in ("#", "hearthline/v1/site/room-3/#", "$SYS/#"):
            device.subscribe(topic, qos=1)
        device.publish("hearthline/v1/site/room-3/room", b"1", qos=1)
        next_of(happened, "published")
        with connected(url) as (service, _):
            service.publish("hearthline/v1/site/room-3/room", b"2", qos=1).wait_for_publish(5)
        device.publish("hearthline/v1/site/room-3/room", b"3", qos=1)
        next_of(happened, "published")
        assert "hearthline/v1/site/room-3/room" not in {name for name, _ in happened.queue}


@pytest.mark.parametrize(("user", "password"), [("room-9", "guess"), ("hearthline", "guess")])
def test_nobody_is_let_in_by_a_guess(stack, user, password):
    url = stack.up()["mqtt_url"]
    with connected(url, user, password) as (_, happened):
        assert next_of(happened, "connected") == NOT_AUTHORISED


def test_a_new_password_for_a_device_replaces_the_old_one(stack):
    url = stack.up()["mqtt_url"]
    old = stack.told("device", "add", "room-4")["password"]
    new = stack.told("device", "add", "room-4")["password"]

    def let_in(password: str) -> bool:
        with connected(url, "room-4", password) as (_, happened):
            return bool(next_of(happened, "connected") == 0)

    assert let_in(new)
    assert eventually(lambda: not let_in(old))


def test_more_messages_than_a_batch_holds_can_be_under_way_unacknowledged(stack):
    url = stack.up()["mqtt_url"]
    with connected(url, keep_session=True) as (service, heard):
        service.subscribe("hearthline/v1/flood/#", qos=1)
        next_of(heard, "subscribed")
        with connected(stack.up()["simulator_mqtt_url"]) as (simulator, _):
            sent = [
                simulator.publish("hearthline/v1/flood/d/room", b"x", qos=1) for _ in range(1500)
            ]
            for message in sent:
                message.wait_for_publish(TIMEOUT_S)
        for _ in sent:
            assert next_of(heard, "hearthline/v1/flood/d/room") == b"x"
        service.unsubscribe("hearthline/v1/flood/#")


def test_what_was_sent_while_nobody_listened_survives_a_restart_of_the_broker(stack):
    told = stack.up()
    topic = "hearthline/v1/away/d/room"
    with connected(told["mqtt_url"], keep_session=True) as (service, heard):
        service.subscribe(topic, qos=1)
        next_of(heard, "subscribed")
    with connected(told["simulator_mqtt_url"]) as (simulator, _):
        simulator.publish(topic, b"kept", qos=1).wait_for_publish(TIMEOUT_S)
    stack.told("restart", "broker")
    with connected(told["mqtt_url"], keep_session=True) as (service, heard):
        assert next_of(heard, topic) == b"kept"
        service.unsubscribe(topic)
