"""paho's client with two short cuts: a socket that talks to the kernel in bursts, and PUBLISH.

paho reads a packet in four small pieces and writes each acknowledgement by itself. Every such call
gives Python's lock away, and where another thread computes it comes back milliseconds later. Here
a piece comes out of a buffer that is filled 64 KiB at a time, and what is written leaves together
when the loop says so.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

READ_BYTES = 65_536


class Burst:
    """A connected socket, plain or TLS, as paho uses one; ``flush`` sends what was written."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire
        self._in = b""
        self._at = 0
        self._out = bytearray()

    def recv(self, size: int) -> bytes:
        """At most ``size`` bytes; b"" where the other side has closed.

        Raises:
            BlockingIOError: nothing has come.
        """
        at = self._at
        if at >= len(self._in):
            self._in = self._wire.recv(READ_BYTES)
            at = 0
        self._at = at + size
        return self._in[at : at + size]

    def pending(self) -> int:
        """Bytes that have come and that ``select`` does not know of."""
        return max(0, len(self._in) - self._at)

    def send(self, data: bytes) -> int:
        """Take everything; it leaves with the next ``flush``."""
        self._out += data
        return len(data)

    def flush(self) -> bool:
        """Send as much as the kernel takes; whether that was all."""
        while self._out:
            try:
                sent = self._wire.send(self._out)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return False
            del self._out[:sent]
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)


Arrival = Callable[[bytes, bytes, int, bool, bool], None]
"""Called with topic, payload, packet identifier, DUP and RETAIN of a QoS 1 message."""


def leave(client: Client) -> None:
    """Disconnect in order and wait for paho's network thread.

    That thread ends by itself once disconnected, and takes its name off the client as it does:
    also between ``loop_stop``'s look at it and its wait, which then fails on a thread that is gone.
    """
    client.disconnect()
    with suppress(AttributeError):
        client.loop_stop()


class BurstClient(Client):
    """paho's client on a socket that talks in bursts.

    The two methods below stand in for private ones of paho. Should a later paho call them no more,
    everything works as before and slower; a test says so.
    """

    on_arrival: Arrival | None = None

    def _create_socket(self) -> Any:
        """Where paho makes its socket; it already knows wrapped ones, from WebSockets."""
        return Burst(super()._create_socket())

    def _handle_publish(self) -> Any:
        """Read a plain QoS 1 PUBLISH (MQTT 5, 3.3) without building paho's objects for it.

        Half of paho's time on a message goes into an empty set of properties. Whatever has some,
        or is of another QoS, takes paho's own way and comes out of ``on_message``.
        """
        header, packet = self._in_packet["command"], self._in_packet["packet"]
        end = 2 + int.from_bytes(packet[:2], "big")
        plain = header & 0x06 == 0x02 and len(packet) > end + 2 and packet[end + 2] == 0
        if not plain or self.on_arrival is None:
            return super()._handle_publish()
        mid = int.from_bytes(packet[end : end + 2], "big")
        dup, retain = bool(header & 0x08), bool(header & 0x01)
        self.on_arrival(bytes(packet[2:end]), bytes(packet[end + 3 :]), mid, dup, retain)
        return MQTTErrorCode.MQTT_ERR_SUCCESS
