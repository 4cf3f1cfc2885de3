"""Asks an address whether a PostgreSQL or an MQTT broker lives there, by a few bytes of protocol.

They need no driver, so they work before anything is installed. They refuse to log in to
PostgreSQL (SCRAM is a driver's business); the broker is asked with user and password, since its
CONNACK tells a wrong password apart from a wrong address.
"""

import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

TIMEOUT_S = 5.0
POSTGRES_SCHEMES = frozenset({"postgresql", "postgres"})
MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
SSL_REQUEST = struct.pack("!II", 8, 80877103)
CONNACK_REFUSALS = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not accept the client name",
    3: "it is not available",
    4: "it does not accept the user or password",
    5: "it does not authorise this user",
}


@dataclass(frozen=True)
class Address:
    """The parts of a URL that a probe needs."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: bool = False
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


def parse_database_url(url: str) -> Address | str:
    """The address in a PostgreSQL URL, or the sentence that says what is wrong with it."""
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError as error:
        return f"it is not a URL ({error})"
    if parts.scheme.partition("+")[0] not in POSTGRES_SCHEMES:
        return "it does not begin with postgresql://"
    return Address(parts.hostname or "localhost", port)


def parse_mqtt_url(url: str, environment: Mapping[str, str] | None = None) -> Address | str:
    """The address in an MQTT URL, or the sentence that says what is wrong with it.

    The certificates to connect with are those that the services are told of.
    """
    files = environment or {}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"it is not a URL ({error})"
    if parts.scheme not in MQTT_PORTS:
        return "it does not begin with mqtt:// or mqtts://"
    return Address(
        host=parts.hostname or "localhost",
        port=port or MQTT_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=parts.scheme == "mqtts",
        ca=files.get("HEARTHLINE_MQTT_CA") or None,
        cert=files.get("HEARTHLINE_MQTT_CERT") or None,
        key=files.get("HEARTHLINE_MQTT_KEY") or None,
    )


def why_postgres_silent(address: Address, timeout_s: float = TIMEOUT_S) -> str | None:
    """None where a PostgreSQL answers, else the reason why it does not count as one."""
    try:
        with socket.create_connection((address.host, address.port), timeout_s) as connection:
            connection.sendall(SSL_REQUEST)
            answer = connection.recv(1)
    except OSError as error:
        return f"no answer ({error})"
    return None if answer in (b"S", b"N") else "something answers, but not PostgreSQL"


def connect_packet(user: str, password: str, client_id: str) -> bytes:
    """An MQTT 3.1.1 CONNECT with a clean session."""

    def text(value: str) -> bytes:
        encoded = value.encode()
        return struct.pack("!H", len(encoded)) + encoded

    flags = 0x02 | (0x80 if user else 0) | (0x40 if user and password else 0)
    body = text("MQTT") + bytes((4, flags)) + struct.pack("!H", 10) + text(client_id)
    if user:
        body += text(user)
        if password:
            body += text(password)
    return b"\x10" + _remaining_length(len(body)) + body


def _remaining_length(length: int) -> bytes:
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)


def why_broker_silent(address: Address, timeout_s: float = TIMEOUT_S) -> str | None:
    """None where a broker lets this user in, else the reason why not."""
    try:
        with socket.create_connection((address.host, address.port), timeout_s) as plain:
            if not address.tls:
                return _greet(plain, address)
            context = ssl.create_default_context(cafile=address.ca)
            if address.cert:
                context.load_cert_chain(address.cert, address.key)
            with context.wrap_socket(plain, server_hostname=address.host) as secured:
                return _greet(secured, address)
    except OSError as error:
        return f"no answer ({error})"


def _greet(connection: socket.socket, address: Address) -> str | None:
    connection.sendall(connect_packet(address.user, address.password, "hearthline-probe"))
    answer = b""
    while len(answer) < 4:
        received = connection.recv(4 - len(answer))
        if not received:
            return "it closed the connection"
        answer += received
    connection.sendall(b"\xe0\x00")  # DISCONNECT
    if answer[:2] != b"\x20\x02":
        return "something answers, but not an MQTT broker"
    if answer[3] == 0:
        return None
    return CONNACK_REFUSALS.get(answer[3], f"it refused with code {answer[3]}")
