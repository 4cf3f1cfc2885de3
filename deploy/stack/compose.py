"""The provider that uses a Docker engine: database and broker of `deploy/compose.yaml`.

Everything that differs from a production start goes in by environment, so the compose file is
the same one. Passwords are kept in the checkout; should they be lost while the volumes live on,
the database's is set anew over the container's own socket, which asks for none.
"""

import functools
import os
import shutil
import subprocess
from pathlib import Path

from stack import locks, ports
from stack.checkout import Checkout
from stack.credentials import SERVICE_USER, SIMULATOR_USER, Credentials
from stack.errors import StackError
from stack.files import write_private
from stack.model import Endpoint, Part
from stack.mosquitto import DEVELOPMENT_GRANT, check_device_name
from stack.postgres import DATABASE, ROLE, VERSION_QUERY
from stack.probes import Address, why_broker_silent, why_postgres_silent
from stack.progress import Progress

PORT_VARIABLES = {Part.DATABASE: "HEARTHLINE_DATABASE_PORT", Part.BROKER: "HEARTHLINE_MQTT_PORT"}
INSIDE = {Part.DATABASE: 5432, Part.BROKER: 1883}
"""The ports inside the containers, as the compose file publishes them."""

# Compose wants every variable of the file, also those of services that are not started.
OF_OTHER_SERVICES = (
    "HEARTHLINE_GRAFANA_READER_PASSWORD",
    "HEARTHLINE_GRAFANA_ADMIN_PASSWORD",
    "HEARTHLINE_SECRET",
)
PASSWORD_FILE = "/mosquitto/secrets/passwords"  # noqa: S105 - a path, not a password


class Compose:
    """Docker compose, one project per checkout."""

    name = "compose"
    title = "Docker compose"

    def __init__(self, checkout: Checkout, cache: Path, progress: Progress) -> None:
        self.checkout = checkout
        self.cache = cache
        self.progress = progress
        self.home = checkout.folder / "compose"
        self.ports: dict[Part, int] = {
            part: one.endpoint.port for part, one in checkout.chosen().items()
        }

    def why_not(self, part: Part) -> str | None:
        """None where an engine answers and the compose plugin is there."""
        del part
        return self._why_not

    def up(self, part: Part, previous_port: int | None) -> Endpoint:
        """Start the part's container and wait until it is healthy."""
        if previous_port is not None and self._answers(part, previous_port):
            return self._endpoint(part, previous_port)
        with locks.held(self.cache / "ports.lock", self.progress, "another checkout to start"):
            self.down(part)
            self.ports[part] = port = ports.choose(part, previous_port)
            self.progress.say(f"starting the {part} on port {port} (Docker compose)")
            self._compose("up", "--detach", "--wait", part.value)
        if part is Part.DATABASE:
            self._psql(f"ALTER ROLE {ROLE} PASSWORD '{self.credentials.database}'")
            self._psql("CREATE EXTENSION IF NOT EXISTS timescaledb")
        return self._endpoint(part, port)

    def is_up(self, part: Part, endpoint: Endpoint) -> bool:
        """Whether the part answers."""
        return self._answers(part, endpoint.port)

    def down(self, part: Part) -> None:
        """Stop the part's container."""
        self._compose("stop", part.value)

    def kill(self, part: Part) -> None:
        """End the part's container as a power cut would."""
        self._compose("kill", part.value)

    def delete_data(self) -> None:
        """Remove containers and volumes of this checkout's project."""
        if self.home.exists():
            self._compose("down", "--volumes")
            shutil.rmtree(self.home)

    def add_device(self, name: str, password: str) -> None:
        """Set the device's password in the container and have the broker read it."""
        check_device_name(name)
        setting = ["mosquitto_passwd", "-b", PASSWORD_FILE, name, password]
        self._compose("exec", "-T", "broker", *setting)
        self._compose("kill", "--signal", "HUP", "broker")

    @functools.cached_property
    def _why_not(self) -> str | None:
        if not shutil.which("docker"):
            return "there is no docker command"
        for argv, reason in (
            (["docker", "info"], "no Docker engine answers"),
            (["docker", "compose", "version"], "docker has no compose plugin"),
        ):
            try:
                done = subprocess.run(argv, capture_output=True, timeout=20, check=False)
            except (OSError, subprocess.TimeoutExpired):
                return reason
            if done.returncode:
                return reason
        return None

    @functools.cached_property
    def credentials(self) -> Credentials:
        """The passwords of this checkout's containers."""
        return Credentials.kept_in(self.home / "credentials.json")

    def _environment(self) -> dict[str, str]:
        acl = self.home / "acl.conf"
        shipped = (self.checkout.deploy / "mosquitto" / "acl.conf").read_text(encoding="utf-8")
        write_private(acl, shipped + DEVELOPMENT_GRANT)
        acl.chmod(0o644)  # the container's user reads it through a bind mount
        chosen = {PORT_VARIABLES[part]: str(port) for part, port in self.ports.items()}
        return {
            **os.environ,
            **chosen,
            "HEARTHLINE_DATABASE_PASSWORD": self.credentials.database,
            "HEARTHLINE_MQTT_PASSWORD": self.credentials.broker,
            "HEARTHLINE_SIMULATOR_PASSWORD": self.credentials.simulator,
            **dict.fromkeys(OF_OTHER_SERVICES, "unused"),
            "HEARTHLINE_BROKER_ACL": str(acl),
        }

    def _compose(self, *words: str) -> str:
        file = str(self.checkout.deploy / "compose.yaml")
        project = f"hearthline-{self.checkout.instance}"
        done = subprocess.run(
            ["docker", "compose", "-p", project, "-f", file, *words],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(
                f"`docker compose {' '.join(words[:2])}` ended with code {done.returncode}.",
                "Make it work, or choose another way with --provider debian or --provider local.",
                "\n".join(done.stdout.splitlines()[-12:]),
            )
        return done.stdout.strip()

    def _psql(self, statement: str) -> str:
        client = ["psql", "-U", ROLE, "-d", DATABASE, "-qAt", "-v", "ON_ERROR_STOP=1"]
        return self._compose("exec", "-T", "database", *client, "-c", statement)

    def _publishes(self, part: Part, port: int) -> bool:
        """Whether it is this project's container that is behind a port, and not a stranger."""
        try:
            told = self._compose("port", part.value, str(INSIDE[part]))
        except StackError:
            return False  # it does not run
        return told.rpartition(":")[2] == str(port)

    def _answers(self, part: Part, port: int) -> bool:
        if not self._publishes(part, port):
            return False
        if part is Part.DATABASE:
            return why_postgres_silent(Address(ports.LOOPBACK, port)) is None
        address = Address(ports.LOOPBACK, port, SERVICE_USER, self.credentials.broker)
        return why_broker_silent(address, timeout_s=2.0) is None

    def _endpoint(self, part: Part, port: int) -> Endpoint:
        secrets, where = self.credentials, f"{ports.LOOPBACK}:{port}"
        if part is Part.DATABASE:
            url = f"postgresql://{ROLE}:{secrets.database}@{where}/{DATABASE}"
            return Endpoint(url, port, self._psql(VERSION_QUERY))
        version = self._compose("exec", "-T", "broker", "sh", "-c", "mosquitto -h | head -n 1")
        return Endpoint(
            url=f"mqtt://{SERVICE_USER}:{secrets.broker}@{where}",
            port=port,
            version=version.replace(" version", ""),
            simulator_url=f"mqtt://{SIMULATOR_USER}:{secrets.simulator}@{where}",
        )
