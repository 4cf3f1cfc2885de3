"""The benchmark as a command: small numbers, no judgement of speed, but nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Stack


def test_bench_ingest_prints_its_figures_and_loses_nothing(
    stack: Stack, database_url: str, tmp_path: Path
) -> None:
    """Each figure beside its ceiling; lost and duplicated are zero."""
    clean = {n: value for n, value in os.environ.items() if not n.startswith("HEARTHLINE")}
    sizes = ("--messages", "2000", "--rows", "20000", "--latency-messages", "500")
    sizes += ("--soak-messages", "2000", "--rounds", "1")
    done = subprocess.run(
        [sys.executable, "-m", "hearthline", "bench", "ingest", *sizes, "--json"],
        env={
            **clean,
            "HEARTHLINE_DATABASE_URL": database_url,
            "HEARTHLINE_MQTT_URL": stack.mqtt_url,
            "HEARTHLINE_SIMULATOR_MQTT_URL": stack.simulator_mqtt_url,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["lost"], figures["duplicated"]) == (0, 0)
    assert figures["subscriber_ratio"] > 0
    assert figures["messages_per_s"] <= 2 * figures["subscriber_ceiling_per_s"]
    assert figures.keys() >= {"copy_ratio", "latency_p50_ms", "latency_p99_ms"}
    assert figures["shared_speedup"] > 0
    assert figures["memory_growth_mb"] < figures["memory_mb"]
