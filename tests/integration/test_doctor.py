"""``hearthline doctor`` as a process: names every part, and the remedy for one that is away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hearthline.settings import Settings
from hearthline.storage import pulse
from tests.conftest import Stack
from tests.integration.conftest import wait_until

PARTS = {"database", "timescaledb", "schema", "ingest", "worker", "web", "broker", "console"}
PARTS |= {"broker rules", "rollups", "strangers", "dead letters"}


def doctor(cwd: Path, **settings: str) -> tuple[int, dict[str, dict[str, object]]]:
    clean = {n: value for n, value in os.environ.items() if not n.startswith("HEARTHLINE")}
    done = subprocess.run(
        [sys.executable, "-m", "hearthline", "doctor", "--json"],
        env={**clean, **settings},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    told = json.loads(done.stdout)
    return done.returncode, {part["part"]: part for part in told["parts"]}


def test_every_part_is_green_while_all_run(
    settings: Settings, stack: Stack, database_url: str, tmp_path: Path
) -> None:
    """Services are known by their heartbeats."""
    from hearthline.storage.database import connect

    with (
        pulse.beating(database_url, "ingest"),
        pulse.beating(database_url, "worker"),
        pulse.beating(database_url, "web"),
        connect(database_url, autocommit=True) as connection,
    ):
        wait_until(lambda: len(pulse.beats(connection)) == 3, "all three beat")
        code, parts = doctor(
            tmp_path, HEARTHLINE_DATABASE_URL=database_url, HEARTHLINE_MQTT_URL=stack.mqtt_url
        )
    assert parts.keys() >= PARTS
    assert [name for name, part in parts.items() if not part["ok"]] == []
    assert code == 0


def test_a_broker_that_is_away_is_named_with_its_remedy(database_url: str, tmp_path: Path) -> None:
    """And so are the services that do not run."""
    code, parts = doctor(
        tmp_path, HEARTHLINE_DATABASE_URL=database_url, HEARTHLINE_MQTT_URL="mqtt://127.0.0.1:1"
    )
    assert code == 1
    assert not parts["broker"]["ok"]
    assert "deploy/stack up" in str(parts["broker"]["remedy"])
    assert parts["ingest"]["seen"] == "not running"
    assert parts["database"]["ok"]


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none"])
def test_a_database_that_is_away_is_named_with_its_remedy(
    stack: Stack, tmp_path: Path, url: str
) -> None:
    """The other parts are still looked at."""
    code, parts = doctor(tmp_path, HEARTHLINE_DATABASE_URL=url, HEARTHLINE_MQTT_URL=stack.mqtt_url)
    assert code == 1
    assert not parts["database"]["ok"]
    assert "deploy/stack up" in str(parts["database"]["remedy"])
    assert parts["broker"]["ok"]
