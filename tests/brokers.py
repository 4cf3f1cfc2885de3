"""Mosquittos of the tests' own, with the settings, rules and certificates that we ship.

``shared_broker`` is what the tests of one process share; ``own_broker`` is one test's, with TLS.
Nobody else's session hears what is published there: on the development broker the session of a
demo that is not running would keep it all. The program is the development stack's: installed on
the machine, or inside its Debian root.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ingest.broker import Broker, Trust

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
sys.path.insert(0, str(DEPLOY))

from stack import processes  # noqa: E402
from stack.certificates import Authority  # noqa: E402
from stack.checkout import Checkout  # noqa: E402
from stack.credentials import (  # noqa: E402
    SERVICE_USER,
    SIMULATOR_USER,
    Credentials,
    with_user,
)
from stack.errors import StackError  # noqa: E402
from stack.model import Part  # noqa: E402
from stack.mosquitto import Broker as Mosquitto  # noqa: E402
from stack.mosquitto import with_directives  # noqa: E402
from stack.native import DebianTrixie, Local, Native  # noqa: E402
from stack.progress import Progress  # noqa: E402

HOME = "_test-"
"""What the folders of these brokers begin with; no checkout's does (see ``instance_name``)."""

STARTS = 3
WITHIN_S = 30.0
PASSWORD = "correct-horse"
TESTER = "tester"
TESTER_MAY_ALL = (
    f"\nuser {TESTER}\ntopic readwrite #\ntopic readwrite $sys/#\ntopic readwrite $oc/#\n"
)


@dataclass(frozen=True)
class OwnBroker:
    """Where it listens: plain, TLS with client certificates, TLS with passwords."""

    authority: Authority
    plain_port: int
    certificate_port: int
    password_port: int
    log: Path

    def plain(self, user: str, password: str = PASSWORD) -> Broker:
        """The loopback listener, by password."""
        return Broker.at(f"mqtt://{user}:{password}@127.0.0.1:{self.plain_port}")

    def secured(self, user: str, password: str = PASSWORD) -> Broker:
        """The TLS listener that takes passwords."""
        url = f"mqtts://{user}:{password}@localhost:{self.password_port}"
        return Broker.at(url, Trust(ca=self.authority.certificate))

    def certified(self, files: tuple[Path, Path] | None, host: str = "localhost") -> Broker:
        """The TLS listener that wants a certificate."""
        cert, key = files or (None, None)
        trust = Trust(self.authority.certificate, cert, key)
        return Broker.at(f"mqtts://{host}:{self.certificate_port}", trust)


@dataclass(frozen=True)
class SharedBroker:
    """Addresses with the accounts of the services, and of what stands in for every device."""

    mqtt_url: str
    simulator_mqtt_url: str


@contextmanager
def shared_broker() -> Iterator[SharedBroker]:
    """A running broker that is set up as the development stack's; it ends and leaves nothing."""
    native = native_way()
    native.prepare()
    end_orphans(native)
    home = native.home.parent / f"{HOME}{uuid4().hex[:10]}"
    home.mkdir(parents=True)
    home.chmod(0o755)
    broker = Mosquitto(
        host=native.host,
        home=home,
        program=native.mosquitto_program(),
        account=native.host.account("mosquitto"),
        credentials=Credentials.kept_in(home / "credentials.json"),
        shipped=DEPLOY / "mosquitto",
        say=native.progress.say,
    )
    with ExitStack() as leaving:
        leaving.callback(shutil.rmtree, home)
        leaving.callback(broker.down)
        where = f"127.0.0.1:{_started(broker)}"
        yield SharedBroker(
            f"mqtt://{SERVICE_USER}:{broker.credentials.broker}@{where}",
            f"mqtt://{SIMULATOR_USER}:{broker.credentials.simulator}@{where}",
        )


def _started(broker: Mosquitto) -> int:
    """The port on which it listens: a free one, or another where somebody was faster."""
    for _ in range(STARTS):
        (port,) = _free_ports(1)
        with suppress(StackError):
            broker.up(port)
            return port
        broker.down()
    raise AssertionError(f"no broker after {STARTS} attempts: {broker.log.read_text()}")


def end_orphans(native: Native) -> None:
    """End the brokers of runs that were killed: whoever started them is gone."""
    place = native.host.inside(native.home.parent / HOME)
    for process in list(processes.living()):
        _, ours, rest = process.command.partition(f"-c {place}")
        if ours and process.parent == 1:
            processes.terminate(process.pid)
            shutil.rmtree(native.home.parent / f"{HOME}{rest.split('/')[0]}", ignore_errors=True)


@contextmanager
def own_broker(scratch: Path, users: Sequence[str]) -> Iterator[OwnBroker]:
    """A running broker where ``users`` have ``PASSWORD``; it ends and leaves nothing."""
    native = native_way()
    native.prepare()
    account = native.host.account("mosquitto")
    with ExitStack() as leaving:
        home = native.home.parent / f"{HOME}{uuid4().hex[:10]}"
        home.mkdir(parents=True)
        leaving.callback(shutil.rmtree, home)
        authority = Authority(scratch / "authority")
        authority.for_broker(["localhost"])
        for source in (authority.certificate, *authority.for_broker(["localhost"])):
            shutil.copy(source, home / source.name)
        ports = _free_ports(3)
        inside = native.host.inside(home)
        (home / "mosquitto.conf").write_text(_configuration(inside, ports))
        (home / "acl.conf").write_text((DEPLOY / "mosquitto/acl.conf").read_text() + TESTER_MAY_ALL)
        passwords = ""
        for user in (*users, TESTER):
            passwords = with_user(passwords, user, PASSWORD)
        (home / "passwords").write_text(passwords)
        for path in (*home.iterdir(), home):
            native.host.own(path, account, 0o700 if path == home else 0o600)
        log = scratch / "mosquitto.log"
        argv = [native.mosquitto_program(), "-c", f"{inside}/mosquitto.conf"]
        with log.open("wb") as out:
            process = subprocess.Popen(
                native.host.command(argv, account), stdout=out, stderr=out, cwd="/"
            )
        leaving.callback(process.wait)
        leaving.callback(process.terminate)
        own = OwnBroker(authority, *ports, log)
        _wait_for(own.plain(TESTER), log)
        yield own


def native_way() -> Native:
    """The way in which this machine runs mosquitto without a container engine."""
    checkout, progress = Checkout(ROOT), Progress()
    ways = (Local(checkout, os.environ, progress), DebianTrixie(checkout, os.environ, progress))
    whys = {way.name: way.why_not(Part.BROKER) for way in ways}
    found = next((way for way in ways if whys[way.name] is None), None)
    assert found is not None, f"no mosquitto here: {whys}"
    return found


def _configuration(inside: str, ports: Sequence[int]) -> str:
    """The shipped settings with this broker's places and ports, and nothing else changed."""
    plain, certificate, password = ports
    text = with_directives(
        (DEPLOY / "mosquitto/mosquitto.conf").read_text(encoding="utf-8"),
        {
            "listener": f"{plain} 127.0.0.1",
            "persistence_location": f"{inside}/",
            "password_file": f"{inside}/passwords",
            "acl_file": f"{inside}/acl.conf",
        },
    )
    secured = (DEPLOY / "mosquitto/tls.conf").read_text(encoding="utf-8")
    secured = secured.replace("/mosquitto/certificates/", f"{inside}/")
    secured = secured.replace("listener 8883", f"listener {certificate} 127.0.0.1")
    return text + secured.replace("listener 8884", f"listener {password} 127.0.0.1")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as open_:
        taken = [open_.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in taken]


def _wait_for(broker: Broker, log: Path) -> None:
    deadline = time.monotonic() + WITHIN_S
    while broker.trouble():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
