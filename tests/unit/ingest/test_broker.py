"""Addresses, certificates, and why a connection fails."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from hearthline.errors import SettingsError
from hearthline.settings import Settings
from ingest.broker import Broker, Trust, reason_of

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "deploy"))

from stack.certificates import Authority

URL = "mqtts://ingest@broker.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA with certificates for ``one`` and ``two``."""
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.for_client("one")
    made.for_client("two")
    return made


def test_an_address_says_everything_but_the_certificates() -> None:
    """User and password may hold anything, percent-encoded."""
    broker = Broker.at("mqtts://a%40b:p%2Fq@broker.example")
    assert (broker.host, broker.port, broker.tls) == ("broker.example", 8883, True)
    assert (broker.user, broker.password) == ("a@b", "p/q")
    assert Broker.at("mqtt://h").port == 1883
    assert Broker.at("mqtt://h:18839").user is None


def test_no_secret_is_shown() -> None:
    """Not of the address, not of the key."""
    broker = Broker.at("mqtts://u:secret@h", Trust(key_password="hush"))
    assert "secret" not in repr(broker) + str(broker)
    assert "hush" not in repr(broker)


def test_the_settings_name_broker_and_certificates() -> None:
    """All of them reach the broker."""
    settings = Settings(
        _env_file=None,
        mqtt_url=URL,
        mqtt_ca="ca.pem",
        mqtt_cert="one.pem",
        mqtt_key="one.key",
        mqtt_key_password="hush",
    )
    assert Broker.of(settings).trust == Trust(
        Path("ca.pem"), Path("one.pem"), Path("one.key"), "hush"
    )


def test_tls_verifies_name_and_certificate_and_is_not_older_than_1_2(authority: Authority) -> None:
    """With the system's CAs and with one of our own."""
    for trust in (Trust(), Trust(ca=authority.certificate)):
        context = Broker.at(URL, trust).tls_context()
        assert context is not None
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_only_the_ca_that_was_named_is_trusted(authority: Authority) -> None:
    """The system's are out then."""
    context = Broker.at(URL, Trust(ca=authority.certificate)).tls_context()
    assert context is not None
    subjects = [dict(pair[0] for pair in one["subject"]) for one in context.get_ca_certs()]
    assert subjects == [{"commonName": "Hearthline devices"}]


def test_a_plain_connection_has_no_context() -> None:
    """There is nothing to verify."""
    assert Broker.at("mqtt://h").tls_context() is None


def test_certificates_for_a_plain_connection_are_a_mistake(authority: Authority) -> None:
    """Whoever sets them believes that TLS is spoken."""
    with pytest.raises(SettingsError, match="without TLS"):
        Broker.at("mqtt://h", Trust(ca=authority.certificate)).tls_context()


def _refused(trust: Trust) -> str:
    with pytest.raises(SettingsError) as caught:
        Broker.at(URL, trust).tls_context()
    assert caught.value.remedy
    return caught.value.sentence


def test_files_that_are_not_there_are_named(authority: Authority, tmp_path: Path) -> None:
    """With the setting that names them."""
    nowhere, there = tmp_path / "x.pem", authority.folder / "one.pem"
    assert _refused(Trust(ca=nowhere)) == f"HEARTHLINE_MQTT_CA={nowhere} is not a file."
    assert _refused(Trust(cert=nowhere)) == f"HEARTHLINE_MQTT_CERT={nowhere} is not a file."
    assert (
        _refused(Trust(cert=there, key=nowhere)) == f"HEARTHLINE_MQTT_KEY={nowhere} is not a file."
    )


def test_files_that_are_something_else_are_named(authority: Authority, tmp_path: Path) -> None:
    """A key is no CA, and rubbish is neither."""
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("hello")
    assert "holds no certificate" in _refused(Trust(ca=rubbish))
    assert "holds no certificate" in _refused(Trust(ca=authority.folder / "one.key"))
    assert "are not a certificate and its key" in _refused(Trust(cert=rubbish))


def test_a_key_must_belong_to_its_certificate(authority: Authority) -> None:
    """And needs one."""
    one, two = authority.folder / "one.pem", authority.folder / "two.key"
    assert "does not belong to the certificate" in _refused(Trust(cert=one, key=two))
    assert "without a certificate" in _refused(Trust(key=two))


def test_a_key_with_a_password_needs_it_and_never_asks(
    authority: Authority, tmp_path: Path
) -> None:
    """OpenSSL would read from the terminal."""
    cert, locked = authority.folder / "one.pem", tmp_path / "locked.key"
    plain = str(authority.folder / "one.key")
    command = ["openssl", "pkey", "-in", plain, "-aes256", "-passout", "pass:hush", "-out", locked]
    subprocess.run(command, check=True, capture_output=True)
    assert Broker.at(URL, Trust(None, cert, locked, "hush")).tls_context() is not None
    for wrong in (None, "", "hash"):
        assert "password does not open the key" in _refused(Trust(None, cert, locked, wrong))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(), "nothing listens there"),
        (socket.gaierror(-2, "Name or service not known"), "the broker's name does not resolve"),
        (TimeoutError(), "no answer in time"),
        (OSError(113, "No route to host"), "No route to host"),
        (OSError(), "OSError"),
    ],
)
def test_why_a_connection_fails_is_a_sentence(error: OSError, said: str) -> None:
    """Whatever failed."""
    assert reason_of(error) == said


def test_knocking_at_a_port_where_nobody_listens() -> None:
    """Both ways of speaking; and where somebody does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert Broker.at(f"mqtt://127.0.0.1:{port}").trouble() is None
    assert Broker.at(f"mqtt://127.0.0.1:{port}").trouble() == "nothing listens there"
    assert Broker.at(f"mqtts://127.0.0.1:{port}").trouble() == "nothing listens there"
