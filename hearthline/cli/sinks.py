"""Where ``simulate`` and ``replay`` send their messages: a broker, lines of JSON, or nowhere.

A slow broker holds the sender back; one that is away is waited for, until a signal ends the wait.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, Self

from hearthline.cli.output import err
from hearthline.errors import Invalid, PartAway
from hearthline.settings import load

if TYPE_CHECKING:
    from simulators import Message

CONNECT_WITHIN_S = 5.0
FLUSH_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.2


class Stopped(Exception):
    """A signal ended the run while a message still waited for the broker."""


class Sink(Protocol):
    """Takes messages; a context manager whose end waits until all of them are safe."""

    def send(self, message: Message) -> None:
        """Take one message, however long that takes.

        Raises:
            Stopped: a signal came while it waited.
        """
        ...

    def books(self) -> dict[str, Any]:
        """What became of the messages, as far as the other side said."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_error: object) -> None: ...


def open_sink(to: str | None, stop: threading.Event) -> Sink:
    """The sink that ``--to`` names: ``mqtt[s]://…``, ``jsonl:FILE``, ``jsonl:-`` or ``none``.

    Left out, it is the broker of the settings.

    Raises:
        Invalid: it names none of these, or the file cannot be written.
        SettingsError: it was left out and the settings name no broker.
    """
    if to == "none":
        return Nowhere()
    if to is not None and to.startswith("jsonl:"):
        return Lines(to.removeprefix("jsonl:"))
    if to is not None and not to.startswith(("mqtt://", "mqtts://")):
        raise Invalid(
            f"Cannot publish to {to!r}.", "Write mqtt://…, mqtts://…, jsonl:FILE, jsonl:- or none."
        )
    settings = load()
    return Broker(to or settings.simulator_mqtt_url or settings.require_mqtt(), stop)


class Nowhere:
    """Drops every message: for truth files, pictures and timing."""

    def send(self, message: Message) -> None:
        """Drop it."""

    def books(self) -> dict[str, Any]:
        """Nothing to tell."""
        return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return None


class Lines:
    """Lines of JSON in a file, or on standard output for ``-``."""

    def __init__(self, name: str) -> None:
        from simulators.transport import to_jsonl

        self._write = to_jsonl
        self._name = name
        self._stream = sys.stdout if name == "-" else _opened(name)
        self._lines = 0

    def send(self, message: Message) -> None:
        """Write it."""
        self._lines += self._write([message], self._stream)

    def books(self) -> dict[str, Any]:
        """How many lines are where."""
        return {"file": self._name, "lines": self._lines}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._name == "-":
            self._stream.flush()
        else:
            self._stream.close()


def _opened(name: str) -> IO[str]:
    try:
        return Path(name).open("w", encoding="utf-8")
    except OSError as error:
        raise Invalid(f"Cannot write {name}: {error.strerror}.", "Name another file.") from None


class Broker:
    """A broker over MQTT 5 at QoS 1."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        from simulators.transport import Publisher

        try:
            self._publisher = Publisher(url)
        except ValueError as error:
            raise Invalid(f"{error}.", "Write mqtt://user:password@host:1883.") from None
        self._stop, self._over = stop, threading.Event()
        self._watch = threading.Thread(target=self._close_when_told, daemon=True)

    def send(self, message: Message) -> None:
        """Hand it over; blocks while too many are unacknowledged or the broker is away."""
        from simulators.transport import BrokerRefused, PublisherClosed

        try:
            self._publisher.publish(message)
        except PublisherClosed:
            raise Stopped from None
        except BrokerRefused as refused:
            raise _refusal(refused) from None

    def books(self) -> dict[str, Any]:
        """What the broker answered."""
        books = self._publisher.books
        return {
            "broker": str(self._publisher.address),
            "sent": books.sent,
            "acknowledged": books.acked,
            "refused": books.refused,
        }

    def __enter__(self) -> Self:
        from simulators.transport import BrokerRefused

        self._watch.start()
        try:
            if not self._publisher.wait_connected(CONNECT_WITHIN_S):
                err.print(f"Waiting for the broker at {self._publisher.address} …")
            while not self._publisher.wait_connected(_LOOK_EVERY_S):
                if self._stop.is_set():
                    raise PartAway(f"No broker answered at {self._publisher.address}.")
        except BrokerRefused as refused:
            self.__exit__()
            raise _refusal(refused) from None
        except PartAway:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        from simulators.transport import BrokerRefused

        self._over.set()
        self._watch.join()
        with suppress(BrokerRefused):
            while not self._stop.is_set() and not self._publisher.flush(_LOOK_EVERY_S):
                pass
        self._publisher.close(FLUSH_WITHIN_S)

    def _close_when_told(self) -> None:
        """A signal must also end a send that waits for a broker that is away."""
        while not self._over.wait(_LOOK_EVERY_S):
            if self._stop.is_set():
                self._publisher.close(FLUSH_WITHIN_S)
                return


def _refusal(refused: Exception) -> PartAway:
    text = str(refused)
    return PartAway(f"{text[:1].upper()}{text[1:]}.", "Check user and password in the address.")
