"""One cold dwelling, from its first MQTT message to its ticket on the dispatcher's screen.

Every service is a process of its own, as in production: broker, database, ingest, worker, web.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import exp
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from hearthline.domain.places import (
    Device,
    DeviceKind,
    DeviceRole,
    HeatingStatus,
    Ledger,
    Place,
    PlaceKind,
    StatusPeriod,
    UnitFacts,
    UnitPosition,
)
from hearthline.settings import Settings
from hearthline.storage import accounts, pulse
from hearthline.storage import ledger as ledgers
from hearthline.storage.database import Connection
from hearthline.supervision import Tree
from tests.conftest import Site
from tests.integration.conftest import wait_until

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
SERVICES = ("ingest", "worker", "serve")
PASSWORD = "cold-as-a-key"
EVERY = timedelta(minutes=20)
FLOORS = 6
COLD = "H-S1-B1-E1-0401"


def code(floor: int) -> str:
    return f"H-S1-B1-E1-0{floor}01"


def building(site: Site) -> Ledger:
    """One riser of six dwellings, each with a room sensor."""
    trunk = (
        Place("H", PlaceKind.SOURCE, None, "Plant", "热源厂"),
        Place("H-S1", PlaceKind.SUBSTATION, "H", "North station", "北站"),
        Place("H-S1-B1", PlaceKind.BUILDING, "H-S1", "Building 1", "1号楼"),
        Place("H-S1-B1-E1", PlaceKind.ENTRANCE, "H-S1-B1", "Entrance 1", "1单元"),
        Place("H-S1-B1-E1-R1", PlaceKind.RISER, "H-S1-B1-E1", "Riser 1", "1号立管"),
    )
    floors = range(1, FLOORS + 1)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    return Ledger(
        places=(
            *trunk,
            *(
                Place(code(n), PlaceKind.UNIT, "H-S1-B1-E1-R1", f"{n}01", f"{n}01室")
                for n in floors
            ),
        ),
        units=tuple(UnitFacts(code(n), 80, n, 1, UnitPosition.MIDDLE) for n in floors),
        statuses=tuple(StatusPeriod(code(n), HeatingStatus.ON, long_ago) for n in floors),
        devices=tuple(
            Device(site.uid(f"room{n}"), DeviceKind.ROOM, DeviceRole.ROOM, code(n)) for n in floors
        ),
    )


def level(floor: int, at: datetime, now: datetime) -> float:
    """About 21 °C; the fourth floor's valve closed twelve hours ago: it sinks with τ = 8 h."""
    shut_h = (at - now) / timedelta(hours=1) + 12.0
    lost = 7.0 * (1.0 - exp(-shut_h / 8.0)) if code(floor) == COLD and shut_h > 0 else 0.0
    wobble = 0.1 * ((at.minute // 20 + floor) % 3)
    return 21.0 - lost + wobble


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def services(
    settings: Settings, site: Site, connection: Connection, port: int, tmp_path: Path
) -> Iterator[Tree]:
    """Ingest, worker and web as processes, all of them ready."""
    with connection.transaction():
        ledgers.save(connection, building(site))
        accounts.add_user(connection, "ann", "Ann Wang", "operator", PASSWORD, "en")
    environment = {
        "HEARTHLINE_DATABASE_URL": str(settings.database_url),
        "HEARTHLINE_MQTT_URL": str(settings.mqtt_url),
        "HEARTHLINE_MQTT_CLIENT_ID": settings.mqtt_client_id,
        "HEARTHLINE_MQTT_TOPICS": str(list(settings.mqtt_topics)).replace("'", '"'),
        "HEARTHLINE_PORT": str(port),
        "HEARTHLINE_WORKER_INTERVAL": "PT0.5S",
    }
    tree = Tree(SERVICES, environment, tmp_path / "log")
    tree.start()
    try:
        ready = lambda: len(pulse.beats(connection)) == len(SERVICES)  # noqa: E731
        wait_until(ready, "all services are ready", 60)
        yield tree
    finally:
        killed = tree.stop()
    assert not killed, "a service had to be killed"


@pytest.fixture
def page(port: int) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{port}", viewport={"width": 1366, "height": 900}
        )
        yield context.new_page()
        browser.close()


@pytest.mark.timeout(240)
def test_a_cold_dwelling_becomes_a_ticket_on_the_page(
    services: Tree, site: Site, connection: Connection, page: Page
) -> None:
    """Readings over the broker, an episode, one ticket with its evidence, a curve to look at."""
    now = datetime.now(UTC)
    with site.publisher() as publisher:
        at = now - timedelta(hours=14)
        while at <= now:
            for floor in range(1, FLOORS + 1):
                reading = {"ts": at.isoformat(), "temperature_c": level(floor, at, now)}
                publisher.send(site.topic(f"room{floor}"), reading)
            at += EVERY

    def tickets() -> list[str]:
        rows = connection.execute("SELECT number FROM ticket").fetchall()
        return [row["number"] for row in rows]

    wait_until(tickets, "a ticket opens", 60)
    [number] = tickets()

    page.goto("/console")
    page.fill("#login", "ann")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.locator("#queue")).to_contain_text(number)
    expect(page.locator("#queue")).to_contain_text("401")
    page.goto(f"/console/tickets/{number}")
    expect(page.locator("main")).to_contain_text("Building 1, Entrance 1, 401 has been below 20 °C")
    expect(page.locator("main canvas, main svg").first).to_be_visible()
