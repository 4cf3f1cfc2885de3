"""Fixtures that every test may use: real database and broker, one fresh world per test.

``stack`` brings both up, or takes the addresses of the environment. ``database_url`` is a migrated
database of the test's own, ``site`` a corner of the test run's broker that no other test sees.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import structlog

from hearthline.domain.places import (
    Device,
    DeviceKind,
    DeviceRole,
    FlowPipe,
    Ledger,
    Place,
    PlaceKind,
)
from hearthline.settings import Settings, load
from hearthline.storage import ledger as ledger_rows
from hearthline.storage import schema
from hearthline.storage.database import Connection, Database, connect
from tests.brokers import shared_broker
from tests.mqtt import Publisher, forget_session

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE_LOCK = 7_206_612
STALE_AFTER_S = 3600
ROLES = {
    DeviceKind.ROOM: DeviceRole.ROOM,
    DeviceKind.METER: DeviceRole.BRANCH,
    DeviceKind.WEATHER: DeviceRole.WEATHER,
}


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    """What a test configures writes to that test's captured output, which is closed after it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _settings_of_its_own() -> Iterator[None]:
    """Settings are read once a process: those of a test's environment are its own."""
    load.cache_clear()
    yield
    load.cache_clear()


@dataclass(frozen=True)
class Stack:
    """Where database and broker are; ``simulator_mqtt_url`` may publish as any device."""

    database_url: str
    mqtt_url: str
    simulator_mqtt_url: str


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Database and broker: those of the environment, else the development stack's database.

    Its broker is left alone: the session of a demo would keep all that tests publish there.
    """
    if (configured := _configured()) is not None:
        yield configured
        return
    url = _development_database()
    with shared_broker() as running:
        yield Stack(url, running.mqtt_url, running.simulator_mqtt_url)


def _configured() -> Stack | None:
    """The addresses of the environment; a shell that has loaded ``stack.env`` means our own."""
    database, broker = (os.environ.get(f"HEARTHLINE_{n}_URL") for n in ("DATABASE", "MQTT"))
    kept = ROOT / ".hearthline" / "stack.env"
    ours = kept.read_text(encoding="utf-8") if kept.exists() else ""
    if not database or not broker or broker in ours:
        return None
    return Stack(database, broker, os.environ.get("HEARTHLINE_SIMULATOR_MQTT_URL", broker))


def _development_database() -> str:
    """The address of the development stack's database, brought up."""
    up = subprocess.run(
        [sys.executable, "deploy/stack", "up", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if up.returncode:
        pytest.fail(f"the development stack does not come up: {up.stderr}", pytrace=False)
    return str(json.loads(up.stdout)["database_url"])


def _named(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


@pytest.fixture(scope="session")
def template(stack: Stack) -> str:
    """A migrated database that others are copied from, made once per version of the schema.

    TimescaleDB's background workers keep a database busy, which forbids copying it. They leave
    alone what is marked as a template and takes no connections.
    """
    files = sorted((ROOT / "hearthline/storage").glob("**/*schema*"))
    files += sorted((ROOT / "hearthline/storage/migrations/versions").glob("*.*"))
    files += sorted((ROOT / "hearthline/domain/policies").glob("*.py"))
    digest = hashlib.sha256(b"".join(f.read_bytes() for f in files if f.is_file())).hexdigest()[:12]
    name = f"hearthline_template_{digest}"
    with connect(_named(stack.database_url, "postgres"), autocommit=True) as admin:
        admin.execute(f"SELECT pg_advisory_lock({TEMPLATE_LOCK})")
        found = admin.execute(
            "SELECT datistemplate AS ready FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        if found is None or not found["ready"]:
            _drop(admin, name)
            admin.execute(f'CREATE DATABASE "{name}"')
            schema.migrate(_named(stack.database_url, name))
            admin.execute(f'ALTER DATABASE "{name}" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false')
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                (name,),
            )
            _note_age(admin, name)
        _drop_leftovers(admin, keep=name)
    return name


def _note_age(admin: Connection, name: str) -> None:
    admin.execute(f"COMMENT ON DATABASE \"{name}\" IS '{int(time.time())}'")


def _drop(admin: Connection, name: str) -> None:
    admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _drop_leftovers(admin: Connection, keep: str) -> None:
    """Remove what killed runs left behind; what is younger than an hour may be in use."""
    rows = admin.execute(
        "SELECT datname AS name, shobj_description(oid, 'pg_database') AS made FROM pg_database"
        " WHERE datname LIKE 'hearthline\\_template\\_%' OR datname LIKE 'hearthline\\_test\\_%'"
    ).fetchall()
    for name, made in ((row["name"], row["made"]) for row in rows):
        young = made is None or time.time() - float(made) < STALE_AFTER_S  # or just being made
        if name != keep and not young:
            admin.execute(f'ALTER DATABASE "{name}" WITH IS_TEMPLATE false')
            _drop(admin, name)


@pytest.fixture
def database_url(stack: Stack, template: str) -> Iterator[str]:
    """A fresh, migrated database of the test's own; gone afterwards."""
    name = f"hearthline_test_{uuid4().hex[:12]}"
    with connect(_named(stack.database_url, "postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        _note_age(admin, name)
        yield _named(stack.database_url, name)
        _drop(admin, name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool on the test's database."""
    with Database(database_url, max_size=4) as pool:
        yield pool


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """One connection to the test's database; every statement commits by itself."""
    with connect(database_url, autocommit=True) as own:
        yield own


@pytest.fixture
def save_ledger(connection: Connection) -> Callable[[Ledger], None]:
    """Store a ledger, committed."""

    def save(ledger: Ledger) -> None:
        with connection.transaction():
            ledger_rows.save(connection, ledger)

    return save


@dataclass(frozen=True)
class Site:
    """A corner of the broker: names that no other test uses, and the account that publishes."""

    name: str
    client_id: str
    publish_url: str

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of this site in each wire format, for ``settings.mqtt_topics``."""
        return (
            f"hearthline/v1/{self.name}/#",
            f"application/{self.name}/device/+/event/up",
            f"zigbee2mqtt/{self.name}/#",
        )

    def topic(self, device: str, kind: str = "room") -> str:
        """The topic of a device in our own format."""
        return f"hearthline/v1/{self.name}/{device}/{kind}"

    def uid(self, device: str) -> str:
        """The uid of a device in our own format."""
        return f"own:{self.name}/{device}"

    def ledger(
        self, devices: int = 1, kind: DeviceKind = DeviceKind.ROOM, interval_s: int = 1200
    ) -> Ledger:
        """A ledger of ``devices`` devices, d0, d1 …, all bound to one place."""
        plant = Place(f"plant-{self.name}", PlaceKind.SOURCE, None, "Plant")
        pipe = FlowPipe.RETURN if kind is DeviceKind.METER else None
        role = ROLES[kind]
        return Ledger(
            places=(plant,),
            units=(),
            statuses=(),
            devices=tuple(
                Device(self.uid(f"d{n}"), kind, role, plant.code, pipe, interval_s)
                for n in range(devices)
            ),
        )

    def publisher(self) -> Publisher:
        """Devices of this site, as a context manager."""
        return Publisher(self.publish_url)


@pytest.fixture
def site(stack: Stack) -> Iterator[Site]:
    """A corner of the broker for this test; its session there is gone afterwards."""
    mark = uuid4().hex[:10]
    yield Site(f"t{mark}", f"test-{mark}", stack.simulator_mqtt_url)
    forget_session(stack.mqtt_url, f"test-{mark}")


@pytest.fixture
def settings(stack: Stack, database_url: str, site: Site) -> Settings:
    """Settings of a service that lives in this test's database and site."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        mqtt_url=stack.mqtt_url,
        mqtt_client_id=site.client_id,
        mqtt_topics=site.topics,
    )
