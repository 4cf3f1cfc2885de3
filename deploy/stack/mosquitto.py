"""A mosquitto broker that belongs to one instance, run without any service manager.

`deploy/mosquitto/mosquitto.conf` is a whole, working file, the one that the compose file mounts;
here only the lines that name places are exchanged, so what is documented is what runs.
"""

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stack import processes
from stack.credentials import SERVICE_USER, SIMULATOR_USER, Credentials, with_user
from stack.errors import StackError, UsageError, tail
from stack.files import read_or_empty, write_private
from stack.host import Account, Host
from stack.ports import LOOPBACK
from stack.probes import Address, why_broker_silent

START_TIMEOUT_S = 20.0
MAX_LOG_CHARACTERS = 1_000_000
DEVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED = frozenset({SERVICE_USER, SIMULATOR_USER})
DEVELOPMENT_GRANT = f"""
# Added by the development stack only: its one address serves `simulate` and `replay` too.
user {SERVICE_USER}
topic readwrite #
topic readwrite $sys/#
topic readwrite $oc/#
"""


def with_directives(text: str, values: Mapping[str, str]) -> str:
    """A mosquitto configuration with these directives set: in place, or at its end."""
    lines, left = [], dict(values)
    for line in text.splitlines():
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        lines.append(f"{word} {left.pop(word)}" if word in left else line)
    lines += [f"{name} {value}" for name, value in left.items()]
    return "\n".join(lines) + "\n"


def check_certificate_name(name: str) -> None:
    """Refuse names that could not stand as one level of a topic."""
    if not DEVICE_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no device name: letters, digits, '.', '_' and '-', at most 64 of them."
        )


def check_device_name(name: str) -> None:
    """Refuse names that could not stand as one level of a topic, or that belong to services."""
    check_certificate_name(name)
    if name in RESERVED:
        raise UsageError(f"{name!r} is a service account, not a device.")


@dataclass(frozen=True)
class Broker:
    """One instance's broker: `home/broker` holds its settings, passwords, retained data and log."""

    host: Host
    home: Path
    program: str
    account: Account | None
    credentials: Credentials
    shipped: Path
    say: Callable[[str], None]

    @property
    def folder(self) -> Path:
        """Where everything of this broker lives."""
        return self.home / "broker"

    @property
    def configuration(self) -> Path:
        """The settings that it runs with; its path is also how its process is known."""
        return self.folder / "mosquitto.conf"

    @property
    def log(self) -> Path:
        """The broker's log."""
        return self.folder / "mosquitto.log"

    def process(self) -> processes.Process | None:
        """The broker's process, if it lives."""
        marker = f"-c {self.host.inside(self.configuration)}"
        return processes.find(lambda command: command.endswith(marker))

    def answers(self, port: int) -> bool:
        """Whether our own broker lives and lets the service account in on this port."""
        process = self.process()
        return (
            process is not None
            and processes.serves(process, port, self.port())
            and self._why_silent(port) is None
        )

    def up(self, port: int) -> str:
        """Write what it runs with, start it, wait until it lets us in; gives the version."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.host.own(self.folder, self.account, 0o700)
        self._write("acl.conf", (self.shipped / "acl.conf").read_text() + DEVELOPMENT_GRANT)
        self._write("mosquitto.conf", self._render(port))
        passwords = read_or_empty(self.folder / "passwords")
        passwords = with_user(passwords, SERVICE_USER, self.credentials.broker)
        self._write("passwords", with_user(passwords, SIMULATOR_USER, self.credentials.simulator))
        self._write("mosquitto.log", read_or_empty(self.log)[-MAX_LOG_CHARACTERS:])
        argv = [self.program, "-c", self.host.inside(self.configuration)]
        self.host.start(argv, self.account, self.log)
        if not processes.until(lambda: self.answers(port), START_TIMEOUT_S):
            raise StackError(
                f"The broker does not let its own user in: {self._why_silent(port)}.",
                f"Its log is {self.log}.",
                tail(self.log),
            )
        return self.version()

    def version(self) -> str:
        """The broker's name and version."""
        first = self.host.run([self.program, "-h"], self.account).stdout.partition("\n")[0]
        return first.replace(" version", "")

    def down(self) -> None:
        """Stop it in order; it writes its queues and retained messages to disk first."""
        if process := self.process():
            processes.terminate(process.pid)

    def kill(self) -> None:
        """End it as a power cut would."""
        if process := self.process():
            processes.kill([process.pid])

    def add_device(self, name: str, password: str) -> None:
        """Let a device in with this password, at once where the broker runs."""
        check_device_name(name)
        if not self.folder.is_dir():
            raise StackError("There is no broker yet.", "Run `python3 deploy/stack up` first.")
        passwords = read_or_empty(self.folder / "passwords")
        self._write("passwords", with_user(passwords, name, password))
        if process := self.process():
            processes.send(process.pid, signal.SIGHUP)
            self._wait_for(Address(LOOPBACK, self.port() or 0, name, password))

    def _wait_for(self, address: Address) -> None:
        """Wait until the broker has read its password file again."""
        if not processes.until(lambda: why_broker_silent(address) is None, START_TIMEOUT_S):
            raise StackError(
                f"The broker does not let {address.user} in with its new password.",
                f"Its log is {self.log}.",
                tail(self.log),
            )

    def port(self) -> int | None:
        """The port in the settings that the broker runs with."""
        lines = read_or_empty(self.configuration).splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("listener ")), None)

    def _render(self, port: int) -> str:
        folder = self.host.inside(self.folder)
        return with_directives(
            (self.shipped / "mosquitto.conf").read_text(encoding="utf-8"),
            {
                "listener": f"{port} {LOOPBACK}",
                "persistence_location": f"{folder}/",
                "password_file": f"{folder}/passwords",
                "acl_file": f"{folder}/acl.conf",
            },
        )

    def _write(self, name: str, text: str) -> None:
        write_private(self.folder / name, text)
        self.host.own(self.folder / name, self.account, 0o600)

    def _why_silent(self, port: int) -> str | None:
        return why_broker_silent(
            Address(LOOPBACK, port, SERVICE_USER, self.credentials.broker), timeout_s=2.0
        )
