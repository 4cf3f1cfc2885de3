"""What a running service says of itself over HTTP: while all is well, and while a part is away."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hearthline.domain.places import Ledger
from hearthline.settings import Settings
from tests.conftest import ROOT, Site
from tests.integration.conftest import IngestProcess, wait_until
from tests.integration.proxy import Proxy

ADDRESS = re.compile(r'"address": "http://([^"]+)"')


def ask(address: str, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except URLError:
        return 0, ""


def samples(address: str) -> dict[str, float]:
    """The sum over labels of every metric."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(ask(address, "/metrics")[1]):
        for one in family.samples:
            found[one.name] = found.get(one.name, 0.0) + one.value
    return found


@pytest.fixture
def proxy(settings: Settings) -> Iterator[Proxy]:
    """The wire to the broker, to be cut."""
    wire = Proxy(settings.require_mqtt())
    yield wire
    wire.cut()


@pytest.fixture
def ingest(settings: Settings, proxy: Proxy, tmp_path: Path) -> Iterator[tuple[str, IngestProcess]]:
    """An ingest process and its address."""
    through = settings.model_copy(update={"mqtt_url": proxy.url})
    process = IngestProcess(
        through, tmp_path / "log", HEARTHLINE_LOG_FORMAT="json", HEARTHLINE_INGEST_PORT="0"
    )
    process.start()
    try:
        wait_until(lambda: ADDRESS.search(process.said), "it says its address")
        found = ADDRESS.search(process.said)
        assert found is not None
        yield found.group(1), process
    finally:
        process.kill()


def test_every_stage_of_a_reading_is_counted(
    ingest: tuple[str, IngestProcess], site: Site, save_ledger: Callable[[Ledger], None]
) -> None:
    """A good reading, the same again, a letter nobody can read, and a stranger."""
    address, process = ingest
    save_ledger(site.ledger(1))
    wait_until(lambda: ask(address, "/readyz")[0] == 200, "it is ready")
    assert ask(address, "/healthz")[0] == 200
    reading = {"ts": datetime.now(UTC).isoformat(), "temperature_c": 20.5}
    with site.publisher() as publisher:
        publisher.send(site.topic("d0"), reading)
        publisher.flush()
        publisher.send(site.topic("d0"), reading)
        publisher.send(site.topic("d0"), b"{")
        publisher.send(site.topic("stranger"), reading)
    wait_until(lambda: samples(address)["hearthline_ingest_messages_acked_total"] == 4, "all acked")
    told = samples(address)
    counted = {
        name.removeprefix("hearthline_ingest_").removesuffix("_total"): told[name]
        for name in told
        if name.endswith("_total")
    }
    assert counted["messages_received"] == counted["messages_committed"] == 4
    assert counted["readings_decoded"] == 3
    assert (counted["readings_written"], counted["readings_duplicate"]) == (1, 1)
    assert (counted["rejected"], counted["messages_quarantined"]) == (1, 1)
    assert counted["batches"] == told["hearthline_ingest_commit_seconds_count"]
    assert told["hearthline_ingest_messages_in_hand"] == 0
    assert process.terminate() == 0


def test_readiness_names_the_part_that_is_away(
    ingest: tuple[str, IngestProcess], proxy: Proxy
) -> None:
    """The process lives meanwhile, and is ready again with the part."""
    address, _ = ingest
    wait_until(lambda: ask(address, "/readyz")[0] == 200, "it is ready")
    proxy.cut()
    wait_until(lambda: ask(address, "/readyz")[0] == 503, "it notices")
    told = json.loads(ask(address, "/readyz")[1])
    assert [away["part"] for away in told["away"]] == ["broker"]
    assert ask(address, "/healthz")[0] == 200
    assert samples(address)["hearthline_ingest_broker_up"] == 0
    proxy.restore()
    wait_until(lambda: ask(address, "/readyz")[0] == 200, "it is ready again")
    assert samples(address)["hearthline_ingest_broker_up"] == 1


def test_the_worker_says_how_far_it_is(database_url: str, tmp_path: Path) -> None:
    """Its queues and the database, asked when somebody looks."""
    clean = {n: value for n, value in os.environ.items() if not n.startswith("HEARTHLINE")}
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "hearthline", "worker", "--metrics-port", "0"],
            env={**clean, "HEARTHLINE_DATABASE_URL": database_url, "HEARTHLINE_LOG_FORMAT": "json"},
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )
    try:
        wait_until(lambda: ADDRESS.search(log.read_text()), "it says its address")
        found = ADDRESS.search(log.read_text())
        assert found is not None
        assert ask(found.group(1), "/readyz")[0] == 200
        told = samples(found.group(1))
        assert told["hearthline_worker_database_up"] == 1
        assert told["hearthline_worker_rollup_queue"] == 0
        assert told["hearthline_worker_strangers"] == 0
    finally:
        process.terminate()
        assert process.wait(60) == 0
