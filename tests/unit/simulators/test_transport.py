"""The publisher against a broker of fifty lines that can go away, be slow, or say no."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from simulators import Message
from simulators.transport import Address, BrokerRefused, Publisher, PublisherClosed, to_jsonl


class Broker:
    """Just enough MQTT 5: CONNECT, PUBLISH at QoS 1, PINGREQ. ``kept`` are acknowledged topics."""

    def __init__(self, port: int = 0, *, connack: int = 0, drop_after: int | None = None) -> None:
        self.connack, self.drop_after = connack, drop_after
        self.kept: list[str] = []
        self._server = socket.create_server(("127.0.0.1", port))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream:
                try:
                    self._talk(client, stream)
                except (OSError, EOFError):
                    continue

    def _talk(self, client: socket.socket, stream: io.BufferedReader) -> None:
        while True:
            kind, body = self._packet(stream)
            if kind >> 4 == 1:
                client.sendall(bytes([0x20, 3, 0, self.connack, 0]))
            elif kind >> 4 == 3:
                length = int.from_bytes(body[:2], "big")
                if self.drop_after is not None and len(self.kept) >= self.drop_after:
                    self.drop_after = None
                    return
                self.kept.append(body[2 : 2 + length].decode())
                client.sendall(bytes([0x40, 2]) + body[2 + length : 4 + length])
            elif kind >> 4 == 12:
                client.sendall(bytes([0xD0, 0]))
            elif kind >> 4 == 14:
                return

    @staticmethod
    def _packet(stream: io.BufferedReader) -> tuple[int, bytes]:
        head = stream.read(1)
        if not head:
            raise EOFError
        length, shift = 0, 0
        while True:
            byte = stream.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return head[0], stream.read(length)


@pytest.fixture
def broker() -> Iterator[Broker]:
    one = Broker()
    yield one
    one.close()


def messages(count: int) -> list[Message]:
    return [Message(f"t/{number}", b"x" * 20, 1, 0) for number in range(count)]


def test_everything_is_acknowledged_at_the_end(broker: Broker) -> None:
    publisher = Publisher(f"mqtt://127.0.0.1:{broker.port}", in_flight=20)
    assert publisher.publish_all(messages(300)) == 300
    books = publisher.close()
    assert books.complete
    assert (books.sent, books.acked, books.refused) == (300, 300, 0)
    assert broker.kept == [f"t/{number}" for number in range(300)]


def test_a_context_manager_flushes(broker: Broker) -> None:
    with Publisher(f"mqtt://127.0.0.1:{broker.port}") as publisher:
        publisher.publish(messages(1)[0])
    assert publisher.books.complete


def test_a_connection_that_breaks_loses_nothing() -> None:
    broker = Broker(drop_after=50)
    publisher = Publisher(f"mqtt://127.0.0.1:{broker.port}", in_flight=30)
    publisher.publish_all(messages(120))
    books = publisher.close(timeout_s=15)
    broker.close()
    assert books.complete
    assert set(broker.kept) == {f"t/{number}" for number in range(120)}


def test_a_broker_that_is_not_there_yet_is_waited_for_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "simulators.transport")
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    publisher = Publisher(f"mqtt://127.0.0.1:{port}", in_flight=10)
    assert not publisher.wait_connected(timeout_s=0.3)
    publisher.publish(messages(1)[0])
    broker = Broker(port)
    books = publisher.close(timeout_s=15)
    broker.close()
    assert books.complete
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"no broker answers at mqtt://127.0.0.1:{port}; waiting for it",
        f"connected to the broker at mqtt://127.0.0.1:{port}",
    ]


def test_a_broker_that_says_no_is_an_error_and_not_waited_for() -> None:
    broker = Broker(connack=134)
    publisher = Publisher(f"mqtt://user:wrong@127.0.0.1:{broker.port}")
    with pytest.raises(BrokerRefused, match="refuses: Bad user name or password"):
        publisher.wait_connected(timeout_s=10)
    with pytest.raises(BrokerRefused):
        publisher.publish(messages(1)[0])
    publisher.close(timeout_s=0.1)
    broker.close()


def test_closing_without_a_broker_reports_what_is_open(caplog: pytest.LogCaptureFixture) -> None:
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    publisher = Publisher(f"mqtt://127.0.0.1:{port}")
    publisher.publish_all(messages(3))
    books = publisher.close(timeout_s=0.3)
    assert (books.sent, books.acked) == (3, 0)
    assert not books.complete
    assert "3 messages are not acknowledged" in caplog.text


def test_closing_frees_a_thread_that_waits_for_a_place() -> None:
    broker = Broker(drop_after=0)
    broker.close()
    publisher = Publisher(f"mqtt://127.0.0.1:{broker.port}", in_flight=1)
    publisher.publish(messages(1)[0])
    caught: list[BaseException] = []

    def publish() -> None:
        try:
            publisher.publish(messages(1)[0])
        except PublisherClosed as error:
            caught.append(error)

    waiting = threading.Thread(target=publish)
    waiting.start()
    books = publisher.close(timeout_s=0.1)
    waiting.join(timeout=5)
    assert len(caught) == 1
    assert (books.sent, books.acked) == (1, 0)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker", Address("broker", 1883, False, None, None)),
        ("mqtts://broker", Address("broker", 8883, True, None, None)),
        ("mqtt://me:p%40ss@broker:99", Address("broker", 99, False, "me", "p@ss")),
    ],
)
def test_addresses_are_read_from_urls(url: str, expected: Address) -> None:
    assert Address.parse(url) == expected


def test_an_address_shows_no_password() -> None:
    assert "secret" not in str(Address.parse("mqtt://me:secret@broker"))


@pytest.mark.parametrize("url", ["broker:1883", "http://broker", "mqtt://", ""])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected mqtt://"):
        Address.parse(url)


def test_lines_of_json_hold_topic_payload_and_instant() -> None:
    out = io.StringIO()
    sent = [Message("t/1", b'{"a":1}', 1, 7), Message("t/2", b"\xff", 1, 8)]
    assert to_jsonl(sent, out) == 2
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines[0] == {"due": 7, "topic": "t/1", "payload": '{"a":1}'}
    assert lines[1] == {"due": 8, "topic": "t/2", "payload_base64": "/w=="}


def test_an_address_names_its_certificates_and_shows_no_password() -> None:
    """As parameters; what is not named is left to the system."""
    address = Address.parse("mqtts://u:hush@h?ca=/x/ca.pem&cert=/x/c.pem&key=/x/c.key&other=1")
    assert (address.ca, address.cert, address.key) == ("/x/ca.pem", "/x/c.pem", "/x/c.key")
    assert "hush" not in repr(address) + str(address)
    assert Address.parse("mqtts://h").ca is None
    with pytest.raises(ValueError, match="expected mqtt") as caught:
        Address.parse("http://u:hush@h")
    assert "hush" not in str(caught.value)


def test_a_certificate_that_cannot_be_used_is_said_at_once() -> None:
    """Not after a minute of waiting."""
    with pytest.raises(BrokerRefused, match=r"cannot use the certificates /x/ca\.pem"):
        Publisher("mqtts://127.0.0.1:1?ca=/x/ca.pem")
