"""paho's client on a socket that talks in bursts: nothing is lost at whatever byte a piece ends."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from ingest.wire import Burst, BurstClient


class Pieces:
    """A socket that gives what came in pieces, and keeps what is sent."""

    def __init__(self, comes: list[bytes]) -> None:
        self.comes, self.sent = comes, b""

    def recv(self, _size: int) -> bytes:
        if not self.comes:
            raise BlockingIOError
        return self.comes.pop(0)

    def send(self, data: bytes) -> int:
        self.sent += bytes(data)
        return len(data)

    def close(self) -> None:
        pass


class Ear(BurstClient):
    """A client on such a socket that notes what arrives, and by which way."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id="ear", protocol=MQTTv5)
        self.pieces = Pieces(list(pieces))
        self._sock = Burst(self.pieces)
        self.quick: list[tuple[bytes, bytes, int, bool, bool]] = []
        self.slow: list[bytes] = []
        self.on_arrival = lambda *told: self.quick.append(told)
        self.on_message = lambda _client, _data, message: self.slow.append(message.payload)
        self.on_socket_register_write = self.on_socket_unregister_write = lambda *_: None

    def hear(self) -> None:
        """Read all that has come."""
        while self.pieces.comes or self._sock.pending():
            self.loop_read()


def length(size: int) -> bytes:
    """A length as MQTT writes it."""
    written = bytearray()
    while True:
        size, digit = divmod(size, 128)
        written.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(written)


def publish(
    topic: bytes, payload: bytes, mid: int, header: int = 0x32, properties: bytes = b""
) -> bytes:
    """A PUBLISH packet of QoS 1."""
    told = length(len(properties)) + properties
    body = len(topic).to_bytes(2, "big") + topic + mid.to_bytes(2, "big") + told + payload
    return bytes([header]) + length(len(body)) + body


PACKETS = st.lists(
    st.tuples(
        st.binary(min_size=1, max_size=20),
        st.binary(max_size=10) | st.sampled_from([b"x" * 130, b"y" * 20_000]),
        st.integers(1, 65_535),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(PACKETS, st.data())
def test_every_message_arrives_once_and_whole_wherever_it_is_cut(packets, data) -> None:
    wire = b"".join(
        publish(topic, payload, mid, 0x32 | 0x08 * dup | 0x01 * retain)
        for topic, payload, mid, dup, retain in packets
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    bounds = [0, *cuts, len(wire)]
    pieces = [wire[a:b] for a, b in pairwise(bounds)]
    ear = Ear(*filter(None, pieces))
    ear.hear()
    assert (ear.quick, ear.slow) == (packets, [])


def test_a_message_with_properties_takes_pahos_way_in_its_turn() -> None:
    expires = b"\x02\x00\x00\x00\x09"
    wire = publish(b"a", b"1", 1) + publish(b"a", b"2", 2, properties=expires)
    ear = Ear(wire + publish(b"a", b"3", 3))
    ear.hear()
    assert [told[1] for told in ear.quick] == [b"1", b"3"]
    assert ear.slow == [b"2"]


def test_a_plain_message_that_has_come_whole_costs_none_of_pahos_calls(monkeypatch) -> None:
    ear = Ear(publish(b"a", b"1", 1) * 3)
    ear.loop_read()  # fills the buffer, and reads the first by paho's way
    monkeypatch.setattr(Ear, "_packet_read", None)
    ear.loop_read()
    ear.loop_read()
    assert len(ear.quick) == 3


@pytest.mark.parametrize(
    "wire",
    [
        b"\x32",
        b"\x32\x80",
        b"\x32\xff\xff\xff\x7f",
        b"\x32\x01\x00",
        b"\x32\x05\x00\x09abc",
        b"\x30\x04\x00\x01ab",
        b"\xd0\x00",
    ],
)
def test_what_is_no_whole_plain_message_is_left_in_the_buffer(wire: bytes) -> None:
    burst = Burst(Pieces([b"x" + wire]))
    assert burst.recv(1) == b"x"
    assert burst.publish() is None
    assert burst.pending() == len(wire)


def test_acknowledgements_leave_together_and_in_order() -> None:
    ear = Ear()
    ear.acknowledge([1, 258])
    ear.acknowledge([])
    assert ear.pieces.sent == b""
    assert ear._sock.flush()
    assert ear.pieces.sent == b"\x40\x02\x00\x01\x40\x02\x01\x02"


def test_nothing_is_acknowledged_where_there_is_no_connection() -> None:
    client = BurstClient(CallbackAPIVersion.VERSION2, client_id="ear", protocol=MQTTv5)
    client.acknowledge([1])
    assert client.socket() is None
