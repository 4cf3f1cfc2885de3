"""The broker of a test run: its own, like the development stack's, and gone when the run is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ingest.broker import Broker
from tests.brokers import HOME, end_orphans, native_way, shared_broker
from tests.conftest import Stack
from tests.integration.conftest import wait_until

ROOT = Path(__file__).resolve().parents[2]
HOLD_ONE = """
from tests.brokers import shared_broker
with shared_broker() as running:
    print(running.mqtt_url, flush=True)
    input()
"""


def folders() -> set[Path]:
    """The folders of all brokers of test runs."""
    return set(native_way().home.parent.glob(f"{HOME}*"))


def test_it_lets_services_and_devices_in_and_leaves_nothing() -> None:
    before = folders()
    with shared_broker() as running:
        urls = (running.mqtt_url, running.simulator_mqtt_url)
        assert [Broker.at(url).trouble() for url in urls] == [None, None]
        assert len(folders() - before) == 1
    assert Broker.at(running.mqtt_url).trouble() is not None
    assert folders() <= before


def test_one_whose_run_was_killed_is_ended_by_the_next() -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", HOLD_ONE],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    url = run.stdout.readline().strip()
    assert Broker.at(url).trouble() is None
    run.kill()
    run.communicate()

    def gone() -> bool:
        end_orphans(native_way())
        return Broker.at(url).trouble() is not None

    wait_until(gone, "the broker has ended")


def test_brokers_of_runs_that_live_are_left_alone(stack: Stack) -> None:
    end_orphans(native_way())
    assert Broker.at(stack.mqtt_url).trouble() is None


def test_tests_do_not_publish_where_a_demo_listens(stack: Stack) -> None:
    kept = ROOT / ".hearthline" / "stack.env"
    assert stack.mqtt_url not in (kept.read_text(encoding="utf-8") if kept.exists() else "")
