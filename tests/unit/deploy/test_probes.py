"""Whether a PostgreSQL or a broker lives at an address, asked by a few bytes."""

import socket
import threading
from contextlib import contextmanager

import pytest
from stack import probes
from stack.probes import Address, parse_database_url, parse_mqtt_url


@contextmanager
def answering(answer: bytes):
    """A server that gives one fixed answer to whatever it is told."""
    heard = []

    def serve():
        connection, _ = server.accept()
        with connection:
            heard.append(connection.recv(1024))
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], heard
        thread.join(5)


def test_an_mqtt_address_is_taken_apart():
    assert parse_mqtt_url("mqtt://a:p%40ss@broker.local:1884") == Address(
        "broker.local", 1884, "a", "p@ss"
    )


def test_ports_default_to_those_of_the_protocol():
    assert parse_mqtt_url("mqtts://broker") == Address("broker", 8883, tls=True)
    assert parse_database_url("postgresql://h/d") == Address("h", 5432)


@pytest.mark.parametrize("url", ["http://broker", "broker:1883", "mqtt://h:port", ""])
def test_what_is_no_mqtt_address_is_told(url):
    assert isinstance(parse_mqtt_url(url), str)


@pytest.mark.parametrize("url", ["mysql://h/d", "h:5432", "postgresql://h:x/d"])
def test_what_is_no_database_address_is_told(url):
    assert isinstance(parse_database_url(url), str)


def test_a_driver_suffix_in_a_database_address_does_no_harm():
    assert parse_database_url("postgresql+psycopg://h:7/d") == Address("h", 7)


@pytest.mark.parametrize("answer", [b"S", b"N"])
def test_a_postgres_is_known_by_its_answer_about_tls(answer):
    with answering(answer) as (port, heard):
        assert probes.why_postgres_silent(Address("127.0.0.1", port)) is None
    assert heard == [probes.SSL_REQUEST]


def test_something_else_is_not_taken_for_a_postgres():
    with answering(b"HTTP/1.1 400") as (port, _):
        reason = probes.why_postgres_silent(Address("127.0.0.1", port))
    assert reason == "something answers, but not PostgreSQL"


def test_a_closed_port_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "no answer" in str(probes.why_postgres_silent(Address("127.0.0.1", port)))
    assert "no answer" in str(probes.why_broker_silent(Address("127.0.0.1", port)))


def test_a_connect_packet_carries_user_and_password():
    packet = probes.connect_packet("me", "secret", "probe")
    assert packet[0] == 0x10
    assert packet[1] == len(packet) - 2
    assert packet[2:12] == b"\x00\x04MQTT\x04\xc2\x00\x0a"
    assert packet.endswith(b"\x00\x05probe\x00\x02me\x00\x06secret")


def test_a_long_packet_spells_its_length_in_two_bytes():
    packet = probes.connect_packet("u", "p" * 200, "c")
    length = (packet[1] & 0x7F) + 128 * packet[2]
    assert length == len(packet) - 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"\x20\x02\x00\x00", None),
        (b"\x20\x02\x00\x05", "it does not authorise this user"),
        (b"\x20\x02\x00\x63", "it refused with code 99"),
        (b"HTTP", "something answers, but not an MQTT broker"),
        (b"", "it closed the connection"),
    ],
)
def test_a_broker_tells_whether_it_lets_us_in(answer, reason):
    with answering(answer) as (port, _):
        assert probes.why_broker_silent(Address("127.0.0.1", port, "u", "p")) == reason


def test_a_brokers_certificates_are_those_of_the_services():
    files = {"HEARTHLINE_MQTT_CA": "/x/ca.pem", "HEARTHLINE_MQTT_CERT": "", "OTHER": "y"}
    address = parse_mqtt_url("mqtts://broker.example", files)
    assert (address.ca, address.cert, address.key) == ("/x/ca.pem", None, None)
