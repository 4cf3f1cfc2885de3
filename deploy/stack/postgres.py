"""One instance's PostgreSQL cluster with TimescaleDB, run without any service manager.

Durability stays on (fsync, synchronous_commit, full_page_writes): tests that kill the database
mean it. Speed comes from memory, rare checkpoints and the absence of sockets nobody uses. Where
dynamic shared memory lives is left to initdb, which tries what the root really offers.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stack import processes
from stack.errors import StackError, tail
from stack.files import write_private
from stack.host import Account, Host
from stack.ports import LOOPBACK
from stack.probes import Address, why_postgres_silent

ROLE = "hearthline"
DATABASE = "hearthline"
START_TIMEOUT_S = 120.0
ORPHANS_TIMEOUT_S = 20.0
GONE_S = 0.2  # between two looks for a postmaster that is not to be seen
MIB = 1024 * 1024
INCLUDE = "include 'hearthline.conf'"
VERSION_QUERY = (
    "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)"
    " || ', TimescaleDB ' || extversion || ' ('"
    " || CASE current_setting('timescaledb.license') WHEN 'timescale' THEN 'Community'"
    " ELSE 'Apache' END || ' edition)' FROM pg_extension WHERE extname = 'timescaledb'"
)


def memory_bytes() -> int:
    """The memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def background_jobs(library: Path) -> int:
    """How many TimescaleDB workers to allow, by what lies in PostgreSQL's library folder.

    The Apache edition has no jobs to run. Without workers it also keeps no session open in each
    database, which would stand in the way of `DROP DATABASE` and of templates.
    """
    apache = (library / "timescaledb.so").exists() and not [*library.glob("timescaledb-tsl-*.so")]
    return 0 if apache else 8


def settings(port: int, memory: int, jobs: int) -> dict[str, str]:
    """PostgreSQL's settings for a machine with this much memory and so many background jobs."""
    shared_mib = max(128, min(1024, memory // MIB // 16))
    cached_mib = max(256, memory // MIB // 4)
    return {
        "listen_addresses": f"'{LOOPBACK}'",
        "port": str(port),
        "unix_socket_directories": "''",
        "max_connections": "200",
        "password_encryption": "'scram-sha-256'",
        "shared_preload_libraries": "'timescaledb'",
        "timescaledb.telemetry_level": "'off'",
        "timescaledb.max_background_workers": str(jobs),
        "max_worker_processes": "24",
        "max_locks_per_transaction": "256",
        "shared_buffers": f"{shared_mib}MB",
        "effective_cache_size": f"{cached_mib}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "256MB",
        "huge_pages": "off",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_wal_size": "2GB",
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "log_line_prefix": "'%m [%p] %d %a '",
        "log_min_duration_statement": "5s",
    }


def render(values: dict[str, str]) -> str:
    """Settings as a configuration file."""
    lines = (f"{name} = {value}\n" for name, value in values.items())
    return "# Written by the development stack at every start.\n" + "".join(lines)


@dataclass(frozen=True)
class Cluster:
    """One cluster: `home` holds its data and log, `programs` is PostgreSQL's bin folder."""

    host: Host
    home: Path
    programs: str
    account: Account | None
    password: str
    say: Callable[[str], None]

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "pgdata"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "postgres.log"

    def process(self) -> processes.Process | None:
        """The postmaster, if it lives."""
        marker = f" -D {self.host.inside(self.data)}"
        return processes.find(
            lambda command: f"{command} ".find(marker + " ") > 0 and "postgres" in command
        )

    def answers(self, port: int) -> bool:
        """Whether our own postmaster lives and lets clients in on this port."""
        process = self.process()
        return (
            process is not None
            and processes.serves(process, port, self.port())
            and why_postgres_silent(Address(LOOPBACK, port)) is None
        )

    def up(self, port: int) -> str:
        """Initialise where needed, start, see to role and database; gives the versions."""
        self._initialise()
        jobs = background_jobs(self.host.outside(self.programs).parent / "lib")
        values = settings(port, memory_bytes(), jobs)
        write_private(self.data / "hearthline.conf", render(values))
        self.host.own(self.data / "hearthline.conf", self.account, 0o600)
        self._drop_stale_pid_file()
        self._start()
        if DATABASE not in self.query("SELECT datname FROM pg_database", "postgres").split():
            self.query(f"CREATE DATABASE {DATABASE}", "postgres")
        self.query("CREATE EXTENSION IF NOT EXISTS timescaledb")
        return self.version()

    def version(self) -> str:
        """PostgreSQL's and TimescaleDB's version in a few words."""
        return self.query(VERSION_QUERY)

    def query(self, statement: str, database: str = DATABASE) -> str:
        """Run one statement by psql and give back its bare answer."""
        port = self.port()
        argv = [
            f"{self.programs}/psql",
            "-h",
            LOOPBACK,
            "-p",
            str(port),
            "-U",
            ROLE,
            "-d",
            database,
        ]
        argv += ["--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", statement]
        # PGOPTIONS: notices ("extension already exists") would mix with the answer.
        environment = {"PGPASSWORD": self.password, "PGOPTIONS": "-c client_min_messages=error"}
        done = self.host.run(argv, self.account, environment=environment)
        if done.returncode:
            raise StackError(
                f"The database refused {statement[:40]!r}: {done.stdout.strip()}.",
                "If its password was lost, `python3 deploy/stack stop --delete-data` begins anew.",
                tail(self.log),
            )
        return done.stdout.strip()

    def down(self) -> None:
        """Stop it in order; open sessions are cut, nothing committed is lost."""
        if not (process := self.process()):
            return
        processes.send(process.pid, signal.SIGINT)  # PostgreSQL's "fast" shutdown
        if not processes.until(lambda: self.process() is None, START_TIMEOUT_S):
            raise StackError(
                f"The database (process {process.pid}) has not stopped within two minutes.",
                "`python3 deploy/stack kill database` ends it; it recovers at the next start.",
                tail(self.log),
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if process := self.process():
            family = {process.pid, *processes.children(process.pid)}
            processes.kill(family | set(processes.working_in(self.data)))

    def _initialise(self) -> None:
        """Make the data directory aside and move it into place, so that it is whole or absent."""
        if self.data.exists():
            return
        self.say("initialising a database cluster")
        fresh = self.home / "pgdata.new"
        self.host.run(["rm", "-rf", self.host.inside(fresh)], None)
        # Not by standard input: a bare root has no /proc, and so no /dev/stdin.
        secret = self.home / "initdb.password"
        write_private(secret, self.password + "\n")
        self.host.own(secret, self.account, 0o600)
        argv = [f"{self.programs}/initdb", "-D", self.host.inside(fresh), f"--username={ROLE}"]
        argv += [f"--pwfile={self.host.inside(secret)}", "--auth=scram-sha-256", "--data-checksums"]
        argv += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
        done = self.host.run(argv, self.account)
        secret.unlink()
        if done.returncode:
            raise StackError(
                f"initdb could not make a database cluster in {fresh}.",
                "See its words below; free disk space and folder permissions are the usual causes.",
                done.stdout.strip(),
            )
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(f"\n{INCLUDE}\n")
        fresh.rename(self.data)

    def _drop_stale_pid_file(self) -> None:
        """Remove a pid file whose number is taken, though no server of this cluster lives.

        PostgreSQL itself removes one whose number is free. It stops short at one that a zombie
        still holds, or that was reused for another instance's server. Children that outlived
        their postmaster do count as living: they work in the data directory, and end by
        themselves within a moment.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists() or self.process() is not None:
            return
        if not processes.until(lambda: not processes.working_in(self.data), ORPHANS_TIMEOUT_S):
            raise StackError(
                f"Processes of a database that was killed still work in {self.data}.",
                "End them, and run the command again.",
                tail(self.log),
            )
        first = pid_file.read_text(encoding="utf-8").partition("\n")[0].strip()
        if first.isdigit() and processes.is_taken(int(first)):
            pid_file.unlink()

    def _start(self) -> None:
        if self.process() is None:
            self.log.touch()
            self.host.own(self.log, self.account, 0o640)
            argv = [f"{self.programs}/postgres", "-D", self.host.inside(self.data)]
            self.host.start(argv, self.account, self.log)
        port = self.port()
        if not processes.until(lambda: self._ready_or_dead(port), START_TIMEOUT_S):
            raise StackError(
                "The database runs but has let nobody in for two minutes.",
                "It may still be recovering; run the command again to go on waiting.",
                tail(self.log),
            )
        if self.process() is None:
            raise StackError(
                "The database ended right after its start.",
                f"Its log is {self.log}.",
                tail(self.log),
            )

    def _ready_or_dead(self, port: int) -> bool:
        if not self.answers(port):  # also where a stranger answers on this port
            return self._gone()
        argv = [f"{self.programs}/pg_isready", "-q", "-h", LOOPBACK, "-p", str(port), "-U", ROLE]
        return self.host.run(argv, self.account).returncode == 0

    def _gone(self) -> bool:
        """Whether the postmaster has ended: nobody is to be seen, twice."""
        if self.process() is None:
            time.sleep(GONE_S)
            return self.process() is None
        return False

    def port(self) -> int:
        """The port in the settings that the server was, or will be, started with."""
        text = (self.data / "hearthline.conf").read_text(encoding="utf-8")
        return next(
            int(line.split("=")[1]) for line in text.splitlines() if line.startswith("port")
        )
