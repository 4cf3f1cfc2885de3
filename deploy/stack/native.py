"""Providers that run the servers' own programs: from this machine, or from a Debian root."""

import contextlib
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stack import locks, ports, processes
from stack.checkout import Checkout, cache_folder
from stack.credentials import SERVICE_USER, SIMULATOR_USER, Credentials
from stack.debian import DebianRoot
from stack.errors import StackError
from stack.host import Host
from stack.model import Endpoint, Part
from stack.mosquitto import Broker
from stack.postgres import DATABASE, ROLE, Cluster
from stack.progress import Progress

OLDEST_POSTGRES = 14
SETTLE_S = 30.0  # for a running server under load to answer
PLACES = ("/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin", "/opt/homebrew/sbin")


class Native:
    """What both have in common: one home folder per instance, under one root."""

    name = ""
    title = ""

    def __init__(
        self, checkout: Checkout, environment: Mapping[str, str], progress: Progress
    ) -> None:
        self.checkout = checkout
        self.progress = progress
        self.cache = cache_folder(environment)

    @property
    def host(self) -> Host:
        """Where the programs run."""
        raise NotImplementedError

    @property
    def home(self) -> Path:
        """This instance's data, as seen from outside."""
        raise NotImplementedError

    def why_not(self, part: Part) -> str | None:
        """None where it can bring up this part here, else the reason."""
        raise NotImplementedError

    def prepare(self) -> None:
        """What must be there before a part can start."""

    def postgres_programs(self) -> str:
        """PostgreSQL's folder of programs, as seen inside."""
        raise NotImplementedError

    def mosquitto_program(self) -> str:
        """The broker's program, as seen inside."""
        raise NotImplementedError

    def up(self, part: Part, previous_port: int | None) -> Endpoint:
        """Bring the part up on the port that it had, or find it running.

        Where it runs its own files say on which port: on the one that the checkout remembers a
        stranger may sit by now.
        """
        previous_port = self._port(part) or previous_port
        if previous_port is not None and (found := self._running(part, previous_port)):
            return found
        self.prepare()
        self.home.mkdir(parents=True, exist_ok=True)
        account = self.host.account("postgres" if part is Part.DATABASE else "mosquitto")
        self.home.chmod(0o755)
        if account is not None and part is Part.DATABASE:
            os.chown(self.home, account.uid, account.gid)
        # Between the choice of a port and listening on it no other checkout may choose.
        with locks.held(self.cache / "ports.lock", self.progress, "another checkout to start"):
            server = self._server(part)
            if server.process() is not None:
                server.down()  # it runs, but not on the port that we know
            port = ports.choose(part, previous_port)
            self.progress.say(f"starting the {part} on port {port} ({self.title})")
            version = server.up(port)
        return self._endpoint(part, port, version)

    def _running(self, part: Part, port: int) -> Endpoint | None:
        """The endpoint of a server that runs; a busy one is given time, not restarted for it."""
        if not self._exists():
            return None
        server = self._server(part)
        found: list[Endpoint] = []

        def asked() -> bool:
            if server.process() is None:
                return True
            if server.answers(port):
                with contextlib.suppress(StackError):  # it answers, but lacks role or database
                    found.append(self._endpoint(part, port, server.version()))
            return bool(found)

        processes.until(asked, SETTLE_S, poll_s=0.5)
        return found[0] if found else None

    def _port(self, part: Part) -> int | None:
        """The port of a server that runs, as its own files say."""
        if not self._exists():
            return None
        server = self._server(part)
        return server.port() if server.process() is not None else None

    def is_up(self, part: Part, endpoint: Endpoint) -> bool:
        """Whether the part answers."""
        return self._answers(part, endpoint.port)

    def down(self, part: Part) -> None:
        """Stop the part and keep its data."""
        if self._exists():
            self._server(part).down()

    def kill(self, part: Part) -> None:
        """End the part as a power cut would."""
        if self._exists():
            self._server(part).kill()

    def delete_data(self) -> None:
        """Remove this instance's home."""
        if self.home.exists():
            shutil.rmtree(self.home)

    def add_device(self, name: str, password: str) -> None:
        """Let a device in at the broker."""
        if not self._exists():
            raise StackError("There is no broker yet.", "Run `python3 deploy/stack up` first.")
        self._broker().add_device(name, password)

    def _exists(self) -> bool:
        return self.home.is_dir()

    def _answers(self, part: Part, port: int) -> bool:
        return self._exists() and self._server(part).answers(port)

    def _server(self, part: Part) -> Cluster | Broker:
        return self._cluster() if part is Part.DATABASE else self._broker()

    @functools.cached_property
    def credentials(self) -> Credentials:
        """The passwords, kept beside the data that they open."""
        return Credentials.kept_in(self.home / "credentials.json")

    def _cluster(self) -> Cluster:
        return Cluster(
            host=self.host,
            home=self.home,
            programs=self.postgres_programs(),
            account=self.host.account("postgres"),
            password=self.credentials.database,
            say=self.progress.say,
        )

    def _broker(self) -> Broker:
        return Broker(
            host=self.host,
            home=self.home,
            program=self.mosquitto_program(),
            account=self.host.account("mosquitto"),
            credentials=self.credentials,
            shipped=self.checkout.deploy / "mosquitto",
            say=self.progress.say,
        )

    def _endpoint(self, part: Part, port: int, version: str) -> Endpoint:
        secrets, where = self.credentials, f"{ports.LOOPBACK}:{port}"
        if part is Part.DATABASE:
            return Endpoint(
                f"postgresql://{ROLE}:{secrets.database}@{where}/{DATABASE}", port, version
            )
        return Endpoint(
            url=f"mqtt://{SERVICE_USER}:{secrets.broker}@{where}",
            port=port,
            version=version,
            simulator_url=f"mqtt://{SIMULATOR_USER}:{secrets.simulator}@{where}",
        )


class Local(Native):
    """The PostgreSQL and the mosquitto that are installed on this machine."""

    name = "local"
    title = "the programs installed on this machine"

    @property
    def host(self) -> Host:
        """This machine itself."""
        return Host(Path("/"))

    @property
    def home(self) -> Path:
        """In the checkout; as root elsewhere, since the servers' users may not be let in there."""
        if os.geteuid() == 0:
            return Path("/var/lib/hearthline") / self.checkout.instance
        return self.checkout.folder / "data"

    def why_not(self, part: Part) -> str | None:
        """None where the programs are there, else what is missing."""
        if part is Part.DATABASE:
            if self._postgres:
                return None
            return f"no PostgreSQL {OLDEST_POSTGRES} or newer with TimescaleDB is installed"
        return None if self._mosquitto else "no mosquitto is installed"

    def postgres_programs(self) -> str:
        """The newest PostgreSQL that has TimescaleDB."""
        return self._postgres or ""

    def mosquitto_program(self) -> str:
        """The installed mosquitto."""
        return self._mosquitto or ""

    @functools.cached_property
    def _postgres(self) -> str | None:
        return newest_postgres([found for tool in pg_configs() if (found := ask_pg_config(tool))])

    @functools.cached_property
    def _mosquitto(self) -> str | None:
        return shutil.which("mosquitto", path=":".join((os.environ.get("PATH", ""), *PLACES)))


def pg_configs() -> list[str]:
    """Every `pg_config` on this machine."""
    found = [str(path) for path in Path("/usr/lib/postgresql").glob("*/bin/pg_config")]
    found += [str(path) for path in Path("/usr").glob("pgsql-*/bin/pg_config")]
    on_path = shutil.which("pg_config")
    return found + ([on_path] if on_path else [])


def ask_pg_config(tool: str) -> tuple[int, str, Path] | None:
    """Major version, folder of programs and shared folder of one PostgreSQL."""
    done = subprocess.run(
        [tool, "--version", "--bindir", "--sharedir"], capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    version = re.search(r"\d+", lines[0]) if len(lines) == 3 else None
    return (int(version.group()), lines[1], Path(lines[2])) if version else None


def newest_postgres(installed: list[tuple[int, str, Path]]) -> str | None:
    """The programs of the newest installation that can serve as our database."""
    fit = [
        (major, programs)
        for major, programs, shared in installed
        if major >= OLDEST_POSTGRES
        and (shared / "extension" / "timescaledb.control").is_file()
        and (Path(programs) / "postgres").is_file()
    ]
    return max(fit)[1] if fit else None


class DebianTrixie(Native):
    """Debian 13's TimescaleDB and mosquitto, in a root of their own under the cache folder."""

    name = "debian"
    title = "a Debian 13 root under the cache folder"

    @functools.cached_property
    def _debian(self) -> DebianRoot:
        return DebianRoot(self.cache, self.progress)

    @property
    def host(self) -> Host:
        """The root."""
        return Host(self._debian.path)

    @property
    def home(self) -> Path:
        """Inside the root."""
        return self._debian.path / "srv" / "hearthline" / self.checkout.instance

    def why_not(self, part: Part) -> str | None:
        """None where the root is there or can be built, else what is in the way."""
        del part
        return self._debian.why_not()

    def prepare(self) -> None:
        """Build the root where it is missing."""
        self._debian.ensure()

    def postgres_programs(self) -> str:
        """PostgreSQL 17 in the root."""
        return "/usr/lib/postgresql/17/bin"

    def mosquitto_program(self) -> str:
        """Mosquitto in the root."""
        return "/usr/sbin/mosquitto"
