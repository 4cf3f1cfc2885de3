"""A certificate authority for the broker and its devices, made with the machine's openssl.

For development and for companies without a PKI of their own. A folder holds `ca.pem`, `ca.key`
and, for every name, `NAME.pem` and `NAME.key`; keep it off the broker and back it up. A device's
certificate has its log-in name as common name and cannot pose as a broker, nor the other way
round (extended key usage).
"""

import ipaddress
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError, UsageError
from stack.mosquitto import check_certificate_name

CA_DAYS = 3650
DAYS = 730
BROKER = "broker"
TAKEN = {"ca": "authority", BROKER: "broker"}
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Authority:
    """The folder of one certificate authority."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """What devices and services trust."""
        return self.folder / "ca.pem"

    @property
    def key(self) -> Path:
        """What signs; whoever has it can be any device."""
        return self.folder / "ca.key"

    def ensure(self) -> None:
        """Make the authority unless it is there."""
        if self.certificate.is_file() and self.key.is_file():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        openssl(
            *("req", "-x509", *NEW_KEY, "-keyout", self.key, "-out", self.certificate),
            *("-days", CA_DAYS, "-subj", "/CN=Hearthline devices"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        self.key.chmod(0o600)

    def for_client(self, name: str, days: int = DAYS) -> tuple[Path, Path]:
        """A certificate to log in with, and its key: for a device, a platform or a service."""
        check_certificate_name(name)
        if name in TAKEN:
            raise UsageError(f"{name!r} would overwrite the certificate of the {TAKEN[name]}.")
        return self._issue(name, name, "extendedKeyUsage=clientAuth", days)

    def for_broker(self, hosts: Sequence[str], days: int = DAYS) -> tuple[Path, Path]:
        """The broker's certificate for all its names and addresses, and its key."""
        names = ",".join(alternative_name(host) for host in hosts)
        usage = f"extendedKeyUsage=serverAuth\nsubjectAltName={names}"
        return self._issue(BROKER, hosts[0], usage, days)

    def _issue(self, file: str, common_name: str, usage: str, days: int) -> tuple[Path, Path]:
        self.ensure()
        certificate, key = self.folder / f"{file}.pem", self.folder / f"{file}.key"
        with tempfile.TemporaryDirectory() as scratch:
            request, extensions = Path(scratch, "request"), Path(scratch, "extensions")
            extensions.write_text(
                f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n{usage}\n"
            )
            openssl("req", *NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={common_name}")
            key.chmod(0o600)
            openssl(
                *("x509", "-req", "-in", request, "-out", certificate, "-days", days),
                *("-CA", self.certificate, "-CAkey", self.key, "-extfile", extensions),
            )
        return certificate, key


def alternative_name(host: str) -> str:
    """A name or address as it stands in a certificate; UsageError where it is neither."""
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        if not HOST.fullmatch(host):
            raise UsageError(f"{host!r} is neither a host name nor an address.") from None
        return f"DNS:{host}"


def openssl(*words: object) -> None:
    """Run one openssl command; StackError with its own words where it fails."""
    try:
        done = subprocess.run(
            ["openssl", *map(str, words)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise StackError(
            "There is no openssl command on this machine.", "Install openssl and try again."
        ) from None
    if done.returncode:
        raise StackError(
            f"openssl {words[0]} ended with code {done.returncode}.",
            "Its own words follow.",
            done.stderr.strip(),
        )
