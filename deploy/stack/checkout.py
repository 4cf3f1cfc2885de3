"""One checkout of the repository: its instance name and the little that is kept in it.

`.hearthline/stack.env` is for programs (addresses with passwords), `.hearthline/stack.json` for
people and for the next `up` (what was chosen, why, on which port). Data lives with the provider.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from stack.files import read_or_empty, write_private
from stack.model import Chosen, Endpoint, Part

DATABASE_VARIABLE = "HEARTHLINE_DATABASE_URL"
BROKER_VARIABLE = "HEARTHLINE_MQTT_URL"
SIMULATOR_VARIABLE = "HEARTHLINE_SIMULATOR_MQTT_URL"
VARIABLES = {Part.DATABASE: DATABASE_VARIABLE, Part.BROKER: BROKER_VARIABLE}


def instance_name(checkout: Path) -> str:
    """A name that no other checkout on this machine has, and that tells which one it is."""
    readable = re.sub(r"[^a-z0-9]+", "-", checkout.name.lower()).strip("-")[:20] or "checkout"
    return f"{readable}-{hashlib.sha256(os.fsencode(checkout)).hexdigest()[:10]}"


def cache_folder(environment: Mapping[str, str]) -> Path:
    """The folder shared by every checkout of this user."""
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "hearthline"


def environment_lines(chosen: Mapping[Part, Chosen]) -> str:
    """`stack.env`: one `NAME=value` a line, fit for a shell, a compose file and our settings."""
    lines = [f"{VARIABLES[part]}={one.endpoint.url}" for part, one in chosen.items()]
    broker = chosen.get(Part.BROKER)
    if broker and broker.endpoint.simulator_url:
        lines.append(f"{SIMULATOR_VARIABLE}={broker.endpoint.simulator_url}")
    return "".join(line + "\n" for line in lines)


class Checkout:
    """The checkout that this file belongs to, or the one given."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.instance = instance_name(self.path)
        self.folder = self.path / ".hearthline"

    @property
    def deploy(self) -> Path:
        """The folder with the compose file and the broker's shipped settings."""
        return self.path / "deploy"

    def chosen(self) -> dict[Part, Chosen]:
        """What the last `up` chose; empty where there was none or its record is damaged."""
        try:
            record = json.loads(read_or_empty(self.folder / "stack.json") or "{}")
            return {
                Part(name): Chosen(
                    Part(name), one["provider"], one["why"], Endpoint(**one["endpoint"])
                )
                for name, one in record.get("parts", {}).items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}

    def keep(self, chosen: Mapping[Part, Chosen]) -> None:
        """Write both files whole."""
        parts = {
            part.value: {
                "provider": one.provider,
                "why": one.why,
                "endpoint": asdict(one.endpoint),
            }
            for part, one in chosen.items()
        }
        record = {"instance": self.instance, "parts": parts}
        write_private(self.folder / "stack.json", json.dumps(record, indent=2) + "\n")
        write_private(self.folder / "stack.env", environment_lines(chosen))

    def forget(self) -> None:
        """Remove both files: there is nothing to connect to any more."""
        for name in ("stack.json", "stack.env"):
            (self.folder / name).unlink(missing_ok=True)
