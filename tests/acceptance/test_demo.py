"""The demo as a stranger runs it: one command, every hidden fault one ticket, no reading lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

import simulators
from hearthline.settings import Settings
from hearthline.storage.database import Connection
from tests.conftest import Site, Stack

TOWN = Path(simulators.__file__).parent / "scenarios" / "town.yaml"

STATE = {
    "jobs": "SELECT id, lock, status, worker_id, attempts FROM procrastinate_jobs",
    "workers": "SELECT id, last_heartbeat, now() FROM procrastinate_workers",
    "progress": "SELECT * FROM progress",
    "block": "SELECT since, rooms, meters FROM analysis_block",
    "unrolled": "SELECT kind, count(*), min(hour), max(hour) FROM dirty_bucket GROUP BY kind",
    "sessions": "SELECT pid, state, wait_event, now() - query_start AS since,"
    " left(query, 200) AS query FROM pg_stat_activity WHERE datname = current_database()",
}


@pytest.fixture
def scenario(site: Site, tmp_path: Path) -> Path:
    """The town in this test's corner of the broker, without the fault meant for watchers."""
    town = yaml.safe_load(TOWN.read_text(encoding="utf-8"))
    town["site"] = site.name
    town["instruments"]["mix"] = {"own": 1.0, "chirpstack": 0.0, "zigbee2mqtt": 0.0}
    town["faults"] = town["faults"][:-1]
    path = tmp_path / "town.yaml"
    path.write_text(yaml.safe_dump(town, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture
def environment(settings: Settings, stack: Stack, tmp_path: Path) -> dict[str, str]:
    """The test's database and corner of the broker, and a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("HEARTHLINE")},
        "HEARTHLINE_DATABASE_URL": str(settings.database_url),
        "HEARTHLINE_MQTT_URL": stack.mqtt_url,
        "HEARTHLINE_SIMULATOR_MQTT_URL": stack.simulator_mqtt_url,
        "HEARTHLINE_MQTT_CLIENT_ID": settings.mqtt_client_id,
        "HEARTHLINE_MQTT_TOPICS": json.dumps(settings.mqtt_topics),
        "HEARTHLINE_PORT": str(port),
    }


def demo(
    scenario: Path, environment: dict[str, str], folder: Path, connection: Connection
) -> dict[str, object]:
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "hearthline", "up", "--demo", "--scenario", str(scenario)),
                *("--until-analysed", "--keep-stack", "--json"),
            ],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    except subprocess.TimeoutExpired as late:
        pytest.fail(f"the demo did not end: {late.stderr!r}\n{_state(folder, connection)}")
    assert done.returncode == 0, done.stderr
    assert "one-time password" in done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _state(folder: Path, connection: Connection) -> str:
    """What the services logged last, what waits in the queue, and who waits for whom."""
    logs = [
        f"{path.name}:\n" + "\n".join(path.read_text(encoding="utf-8").splitlines()[-15:])
        for path in sorted((folder / ".hearthline" / "log").glob("*.log"))
    ]
    tables = [
        f"{title}:\n" + "\n".join(str(row) for row in connection.execute(query))
        for title, query in STATE.items()
    ]
    return "\n".join(logs + tables)


@pytest.mark.timeout(1300)
def test_the_demo_finds_every_hidden_fault_and_goes_on_where_it_stopped(
    scenario: Path, environment: dict[str, str], connection: Connection, tmp_path: Path
) -> None:
    """Three days of a cold snap, then a second start that publishes only what is new."""
    first = demo(scenario, environment, tmp_path, connection)
    published = first["published"]
    assert isinstance(published, dict)
    assert published["balanced"]
    assert published["readings"] > 200_000
    assert published["acked"] == published["messages"]
    assert first["killed"] == []

    rows = connection.execute(
        "SELECT i.cause, p.code FROM ticket t JOIN incident i ON i.id = t.incident_id"
        " JOIN place p ON p.id = i.place_id WHERE t.state <> 'merged'"
    ).fetchall()
    faults = simulators.build(simulators.load(scenario)).truth
    assert Counter(row["cause"] for row in rows) == Counter(str(f.cause) for f in faults)
    places = {place for fault in faults for place in fault.places}
    assert {row["code"] for row in rows} <= places

    again = demo(scenario, environment, tmp_path, connection)
    assert again["opened_now"] == 0
    assert isinstance(again["published"], dict)
    assert again["published"]["balanced"]
    assert again["published"]["readings"] < published["readings"] / 20
