"""Passwords of one instance: made once, kept beside its data, readable by the owner only.

Broker passwords are random and long, so the few PBKDF2 rounds that mosquitto uses are enough,
and devices that all come back at once after a power cut do not stall the broker.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from stack.files import write_private

SERVICE_USER = "hearthline"
SIMULATOR_USER = "simulator"
MOSQUITTO_ROUNDS = 101
MOSQUITTO_SALT_BYTES = 12


@dataclass(frozen=True)
class Credentials:
    """The three secrets that the stack makes."""

    database: str
    broker: str
    simulator: str

    @classmethod
    def kept_in(cls, path: Path) -> "Credentials":
        """The credentials in this file; made and kept there the first time."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            made = cls(new_password(), new_password(), new_password())
            write_private(path, json.dumps(asdict(made), indent=2) + "\n")
            return made


def new_password() -> str:
    """A random password that needs no quoting in a URL, a shell or a file."""
    return secrets.token_hex(16)


def mosquitto_hash(password: str, salt: bytes | None = None) -> str:
    """A password as mosquitto keeps it: PBKDF2 with HMAC-SHA512, its own `$7$` notation."""
    salt = salt or secrets.token_bytes(MOSQUITTO_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, MOSQUITTO_ROUNDS)
    encoded = (base64.b64encode(part).decode() for part in (salt, digest))
    return "$".join(("", "7", str(MOSQUITTO_ROUNDS), *encoded))


def matches(hashed: str, password: str) -> bool:
    """Whether a line's hash is that of the password."""
    try:
        _, kind, rounds, salt, digest = hashed.split("$")
        computed = hashlib.pbkdf2_hmac(
            "sha512", password.encode(), base64.b64decode(salt), int(rounds)
        )
        return kind == "7" and secrets.compare_digest(computed, base64.b64decode(digest))
    except ValueError:
        return False


def with_user(password_file: str, user: str, password: str) -> str:
    """The password file with this user's line set; unchanged where it already says so."""
    lines = [line for line in password_file.splitlines() if line.strip()]
    for index, line in enumerate(lines):
        name, _, hashed = line.partition(":")
        if name == user:
            if not matches(hashed, password):
                lines[index] = f"{user}:{mosquitto_hash(password)}"
            break
    else:
        lines.append(f"{user}:{mosquitto_hash(password)}")
    return "".join(line + "\n" for line in lines)
