"""Where the broker is, who we are to it, and how we know that it is the right one.

A pure value until asked for its TLS context. ``mqtts://`` always verifies the broker's name and
certificate: there is no setting that switches it off. What goes wrong while connecting is told by
``trouble``, which knocks once itself: MQTT libraries drop the reason of a failed handshake, and
under TLS 1.3 a missing client certificate shows only after the handshake.
"""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hearthline.errors import SettingsError
from hearthline.settings import Settings

KNOCK_S = 3.0
ALERT_S = 1.0
"""How long a broker may take to say that it wants a client certificate."""

_CERTIFICATE_TROUBLE = {
    9: "the broker's certificate is not valid yet; compare the clocks",
    10: "the broker's certificate has expired; renew it",
    18: "the broker's certificate is signed by itself; name its CA in HEARTHLINE_MQTT_CA",
    19: "the broker's certificate comes from an unknown CA; name that CA in HEARTHLINE_MQTT_CA",
    20: "the broker's certificate comes from an unknown CA; name that CA in HEARTHLINE_MQTT_CA",
    21: "the broker's certificate comes from an unknown CA; name that CA in HEARTHLINE_MQTT_CA",
    62: "the broker's certificate is for another name than HEARTHLINE_MQTT_URL says",
    64: "the broker's certificate is for another address than HEARTHLINE_MQTT_URL says",
}
"""OpenSSL's verification results (x509_vfy.h) that have a remedy."""

_ALERTS = {
    "CERTIFICATE_REQUIRED": "the broker wants a client certificate; set HEARTHLINE_MQTT_CERT",
    "HANDSHAKE_FAILURE": "the broker ends the handshake; perhaps it wants a client certificate "
    "(HEARTHLINE_MQTT_CERT)",
    "CERTIFICATE_EXPIRED": "the broker says that our client certificate has expired; renew it",
    "CERTIFICATE_REVOKED": "the broker says that our client certificate was revoked",
    "UNKNOWN_CA": "the broker does not know the CA of our client certificate",
    "BAD_CERTIFICATE": "the broker does not accept our client certificate",
    "UNSUPPORTED_CERTIFICATE": "the broker does not accept this kind of client certificate",
    "WRONG_VERSION_NUMBER": "no TLS is spoken at this port; use mqtt:// or the TLS port",
    "UNEXPECTED_EOF_WHILE_READING": "it hangs up; perhaps it speaks no TLS at this port",
    "PROTOCOL_VERSION": "the broker speaks no TLS 1.2 or newer",
}
"""What OpenSSL calls the alerts that brokers send, by the end of their names."""

_SOCKET_TROUBLE: dict[type[OSError], str] = {
    socket.gaierror: "the broker's name does not resolve",
    ConnectionRefusedError: "nothing listens there",
    ConnectionResetError: "it hangs up; perhaps it speaks no TLS at this port, or nothing else",
    TimeoutError: "no answer in time",
}


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom we trust and what we show: files in PEM form; no CA means the system's."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    key_password: str | None = field(default=None, repr=False)

    @property
    def empty(self) -> bool:
        """Whether nothing was said."""
        return self.ca is None and self.cert is None and self.key is None


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are to it."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None = field(repr=False)
    trust: Trust = field(default_factory=Trust)

    @classmethod
    def at(cls, url: str, trust: Trust | None = None) -> Broker:
        """The broker that an ``mqtt://`` or ``mqtts://`` address names."""
        parts = urlsplit(url)
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or (8883 if tls else 1883),
            tls=tls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            trust=trust or Trust(),
        )

    @classmethod
    def of(cls, settings: Settings) -> Broker:
        """The broker of the settings, with their certificates.

        Raises:
            SettingsError: no broker is configured.
        """
        password = settings.mqtt_key_password
        trust = Trust(
            ca=settings.mqtt_ca,
            cert=settings.mqtt_cert,
            key=settings.mqtt_key,
            key_password=password.get_secret_value() if password else None,
        )
        return cls.at(settings.require_mqtt(), trust)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext | None:
        """What to connect with; None for a plain connection.

        Raises:
            SettingsError: a file is missing, is not what it should be, or does not fit another;
                or certificates are named for a plain connection.
        """
        trust = self.trust
        if not self.tls:
            if not trust.empty:
                raise SettingsError(
                    "Certificates are set for a broker that is spoken to without TLS.",
                    "Write mqtts:// in HEARTHLINE_MQTT_URL, or leave the HEARTHLINE_MQTT_CA, "
                    "_CERT and _KEY settings out.",
                )
            return None
        context = _trusting(trust.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _show(context, trust)
        return context

    def trouble(self, timeout_s: float = KNOCK_S) -> str | None:
        """Knock once; one sentence saying why TCP or TLS fails, None where they do not.

        Whether the broker then accepts user and password is for MQTT to say.

        Raises:
            SettingsError: as ``tls_context``.
        """
        context = self.tls_context()
        try:
            with socket.create_connection((self.host, self.port), timeout_s) as plain:
                if context is not None:
                    with context.wrap_socket(plain, server_hostname=self.host) as secured:
                        _await_alert(secured)
        except OSError as error:
            return reason_of(error)
        return None


def reason_of(error: OSError) -> str:
    """Why a connection failed, in a sentence without full stop."""
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _CERTIFICATE_TROUBLE.get(error.verify_code)
        return known or f"the broker's certificate does not verify: {error.verify_message or error}"
    if isinstance(error, ssl.SSLError):
        return _of_handshake(error)
    for kind, sentence in _SOCKET_TROUBLE.items():
        if isinstance(error, kind):
            return sentence
    return error.strerror or str(error) or type(error).__name__


def _of_handshake(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    for ending, sentence in _ALERTS.items():
        if reason.endswith(ending):
            return sentence
    return f"TLS fails: {reason.lower().replace('_', ' ') or error}"


def _await_alert(secured: ssl.SSLSocket) -> None:
    """Wait a moment for the alert that TLS 1.3 sends after the handshake."""
    secured.settimeout(ALERT_S)
    try:
        if secured.recv(1) == b"":
            raise ConnectionResetError("the broker closes the connection after the handshake")
    except TimeoutError:
        return  # it waits for our CONNECT: all is well


def _trusting(ca: Path | None) -> ssl.SSLContext:
    if ca is None:
        return ssl.create_default_context()
    _must_be_there(ca, "HEARTHLINE_MQTT_CA")
    try:
        return ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        raise SettingsError(
            f"HEARTHLINE_MQTT_CA={ca} holds no certificate.",
            "It must be the PEM file of the CA that signed the broker's certificate.",
        ) from None


def _show(context: ssl.SSLContext, trust: Trust) -> None:
    """Load our own certificate and key, where we have them."""
    if trust.cert is None:
        if trust.key is not None:
            raise SettingsError(
                "HEARTHLINE_MQTT_KEY is set without a certificate.",
                "Set HEARTHLINE_MQTT_CERT to the certificate of this key.",
            )
        return
    _must_be_there(trust.cert, "HEARTHLINE_MQTT_CERT")
    if trust.key is not None:
        _must_be_there(trust.key, "HEARTHLINE_MQTT_KEY")
    try:
        # A password that is empty rather than None keeps OpenSSL from asking on the terminal.
        context.load_cert_chain(trust.cert, trust.key, trust.key_password or "")
    except (ssl.SSLError, ValueError) as error:
        raise _unfit(trust, error) from None


def _unfit(trust: Trust, error: ssl.SSLError | ValueError) -> SettingsError:
    """Why certificate and key cannot be used together."""
    key = trust.key or trust.cert
    reason = getattr(error, "reason", None) or ""
    if reason == "KEY_VALUES_MISMATCH":
        return SettingsError(
            f"The key {key} does not belong to the certificate {trust.cert}.",
            "Set HEARTHLINE_MQTT_KEY to the key that the certificate was made for.",
        )
    if "ENCRYPTED" in Path(key or "").read_text(encoding="ascii", errors="replace"):
        return SettingsError(
            f"The password does not open the key {key}.",
            "Set HEARTHLINE_MQTT_KEY_PASSWORD to the password that it was made with.",
        )
    return SettingsError(
        f"{trust.cert} and {key} are not a certificate and its key in PEM form.",
        "Check HEARTHLINE_MQTT_CERT and HEARTHLINE_MQTT_KEY.",
    )


def _must_be_there(path: Path, name: str) -> None:
    if not path.is_file():
        raise SettingsError(
            f"{name}={path} is not a file.", "Correct the path, or mount the folder it is in."
        )
    if not os.access(path, os.R_OK):
        raise SettingsError(
            f"{name}={path} cannot be read.", "Let the service's user read it (chown, chmod 400)."
        )
