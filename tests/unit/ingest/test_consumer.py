"""The small pure parts of the MQTT shell."""

import pytest
from paho.mqtt.client import MQTTMessage

from ingest.consumer import raw_topic, topic_of
from ingest.wire import Burst


class Pieces:
    """A socket that gives and takes in given pieces."""

    def __init__(self, comes: list[bytes], takes: int) -> None:
        self.comes, self.takes, self.sent = comes, takes, b""

    def recv(self, _size: int) -> bytes:
        if not self.comes:
            raise BlockingIOError
        return self.comes.pop(0)

    def send(self, data: bytes) -> int:
        if self.takes == 0:
            raise BlockingIOError
        taken = bytes(data[: self.takes])
        self.takes -= len(taken)
        self.sent += taken
        return len(taken)

    def fileno(self) -> int:
        return 7


@pytest.mark.parametrize("topic", [b"a/\xff", "a/三".encode()])
def test_a_topic_is_known_by_its_bytes(topic: bytes) -> None:
    assert raw_topic(MQTTMessage(topic=topic)) == topic


def test_a_topic_that_is_not_utf8_is_shown_escaped() -> None:
    assert topic_of(b"a/\xff") == "a/\\xff"
    assert topic_of("a/三".encode()) == "a/三"


def test_a_burst_gives_what_has_come_piece_by_piece() -> None:
    wire = Burst(Pieces([b"abc", b"d", b""], 0))
    assert [wire.recv(2), wire.pending(), wire.recv(2), wire.recv(9)] == [b"ab", 1, b"c", b"d"]
    assert wire.pending() == 0
    assert wire.recv(1) == b""
    with pytest.raises(BlockingIOError):
        wire.recv(1)


def test_a_burst_keeps_what_the_kernel_does_not_take_yet() -> None:
    socket = Pieces([], 4)
    wire = Burst(socket)
    assert wire.send(b"abc") == wire.send(b"def") == 3
    assert not wire.flush()
    socket.takes = 100
    assert wire.flush()
    assert (socket.sent, wire.fileno()) == (b"abcdef", 7)
