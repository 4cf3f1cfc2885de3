"""Bring up the database and broker that are not there, by the development stack of a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hearthline
from hearthline.errors import PartAway

STACK = Path(hearthline.__file__).resolve().parents[1] / "deploy" / "stack"
OWN = frozenset({"debian", "local", "compose"})  # providers that we start, and so stop


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the database and the broker are, and whether they are ours to stop."""

    database_url: str
    mqtt_url: str
    simulator_mqtt_url: str
    ours: bool
    description: str

    def environment(self) -> dict[str, str]:
        """The settings that tell child processes."""
        return {"HEARTHLINE_DATABASE_URL": self.database_url, "HEARTHLINE_MQTT_URL": self.mqtt_url}


def up() -> Parts:
    """Start what is not there; progress goes to standard error.

    Raises:
        PartAway: neither configured addresses nor a development stack can be used.
    """
    database, broker = (os.environ.get(f"HEARTHLINE_{part}_URL") for part in ("DATABASE", "MQTT"))
    if database and broker:  # nothing to bring up, and nothing for the checkout to remember
        simulator = os.environ.get("HEARTHLINE_SIMULATOR_MQTT_URL") or broker
        return Parts(database, broker, simulator, False, "as configured")
    if not STACK.is_dir():
        raise PartAway(
            "There is no development stack beside this installation.",
            "Set HEARTHLINE_DATABASE_URL and HEARTHLINE_MQTT_URL, or run from a checkout.",
        )
    state = _call("up", "--json")
    parts = {name: state[name] for name in ("database", "broker")}
    said = "; ".join(f"{p['version']} on port {p['port']}" for p in parts.values())
    return Parts(
        state["database_url"],
        state["mqtt_url"],
        os.environ.get("HEARTHLINE_SIMULATOR_MQTT_URL") or state["simulator_mqtt_url"],
        any(part["provider"] in OWN for part in parts.values()),
        said,
    )


def stop() -> None:
    """Stop what ``up`` started; data stays."""
    _call("stop", "--json")


def _call(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(STACK), *arguments], stdout=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        raise PartAway("The development stack did not come up; its reason is above.")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
