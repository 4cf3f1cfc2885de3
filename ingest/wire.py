"""paho's client with two short cuts: a socket that talks to the kernel in bursts, and PUBLISH.

paho reads a packet in four small pieces and writes each acknowledgement by itself. Every such call
gives Python's lock away, and where another thread computes it comes back milliseconds later. Here
a piece comes out of a buffer that is filled 256 KiB at a time, and what is written leaves together
when the loop says so. A plain PUBLISH that lies whole in the buffer is not cut into pieces at all.
"""

from __future__ import annotations

import ssl
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

READ_BYTES = 262_144
PLAIN = 0x32
"""The first byte of a PUBLISH of QoS 1 (MQTT 5, 3.3.1), without DUP and RETAIN."""

DUP, RETAIN = 0x08, 0x01
BUT_DUP_RETAIN = 0xF6
PUBACK = struct.Struct(">HH")
"""Type and length, then the packet identifier: nothing more is success (MQTT 5, 3.4.2.1)."""


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

    def publish(self) -> tuple[bytes, bytes, int, bool, bool] | None:
        """Take a plain PUBLISH of QoS 1 that lies whole in the buffer, else None.

        Topic, payload, packet identifier, DUP and RETAIN, of one without properties (MQTT 5, 3.3).
        To be asked only between packets.
        """
        data, at = self._in, self._at
        if len(data) - at < 2 or data[at] & BUT_DUP_RETAIN != PLAIN:
            return None
        length, start = data[at + 1], at + 2
        if length & 0x80:
            length, start = _length(data, at + 1)
        end = start + length
        topic_ends = start + 2 + int.from_bytes(data[start : start + 2], "big")
        body = topic_ends + 3
        if end > len(data) or body > end or data[topic_ends + 2]:
            return None
        self._at = end
        mid = data[topic_ends] << 8 | data[topic_ends + 1]
        header = data[at]
        topic, payload = data[start + 2 : topic_ends], data[body:end]
        return topic, payload, mid, bool(header & DUP), bool(header & RETAIN)

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


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A length of several bytes and where it ends (MQTT 5, 1.5.5); longer than all if it is cut."""
    value = 0
    for n, byte in enumerate(data[at : at + 4]):
        value |= (byte & 0x7F) << 7 * n
        if not byte & 0x80:
            return value, at + n + 1
    return len(data), at + 4


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

    Two of the methods below stand in for private ones of paho, and ``loop_read`` asks a private
    field whether a packet is under way. Should a later paho have them no more, everything works as
    before and slower; a test says so.
    """

    on_arrival: Arrival | None = None

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read a packet; a plain PUBLISH without paho's help."""
        wire: Any = self.socket()
        if wire is not None and self.on_arrival is not None and self._between_packets():
            told = wire.publish()
            if told is not None:
                self.on_arrival(*told)
                return MQTTErrorCode.MQTT_ERR_SUCCESS
        return super().loop_read(max_packets)

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Acknowledge messages of QoS 1, all at once; they leave with the next flush."""
        wire: Any = self.socket()
        if wire is not None and mids:
            wire.send(b"".join([PUBACK.pack(0x4002, mid) for mid in mids]))

    def _between_packets(self) -> bool:
        under_way: Any = getattr(self, "_in_packet", None)
        return bool(under_way) and under_way.get("command") == 0

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
        dup, retain = bool(header & DUP), bool(header & RETAIN)
        self.on_arrival(bytes(packet[2:end]), bytes(packet[end + 3 :]), mid, dup, retain)
        return MQTTErrorCode.MQTT_ERR_SUCCESS
