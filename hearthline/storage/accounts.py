"""People, sessions, machine keys, and answers kept for repeated requests.

Only hashes are stored: argon2id of a password, SHA-256 of a session cookie or a key (both are
256 random bits, so a fast hash is enough). An unknown login costs as much time as a wrong
password, so that logins cannot be guessed by the clock. Counting failed attempts is the web
layer's business.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg.types.json import Jsonb

from hearthline.domain.sentences import LOCALES
from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.storage.database import Connection
from hearthline.storage.queries import family

ROLES = ("operator", "agent", "crew", "engineer", "admin")
MIN_PASSWORD = 8
SESSION_LIFETIME = timedelta(hours=12)
ANSWERS_KEPT_FOR = timedelta(days=2)

_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Account:
    """A person at the desk, as far as a page needs to know."""

    id: int
    login: str
    name: str
    role: str
    locale: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an earlier request with the same idempotency key was answered."""

    status: int
    response: dict[str, Any]


def add_user(  # noqa: PLR0917 - an account has these fields, in this order
    connection: Connection, login: str, name: str, role: str, password: str, locale: str = "zh_CN"
) -> Account:
    """Add a person.

    Raises:
        Invalid: the login, role, language or password cannot be used.
        Conflict: the login is taken.
    """
    login = login.strip()
    if not login or len(login) > 64 or not login.isprintable() or " " in login:
        raise Invalid("A login has 1 to 64 printable characters and no spaces.")
    _check_role(role)
    if locale not in LOCALES:
        raise Invalid(f"There is no language {locale!r}.", f"Use one of {', '.join(LOCALES)}.")
    row = connection.execute(
        family("accounts")["add_account"],
        {
            "login": login,
            "name": name.strip() or login,
            "role": role,
            "password_hash": _hash_of(password),
            "locale": locale,
        },
    ).fetchone()
    if row is None:
        raise Conflict(f"There is already an account {login!r}.", "Choose another login.")
    return Account(**row)


def set_password(connection: Connection, login: str, password: str) -> None:
    """Change a password and end every session of that person.

    Raises:
        Invalid: the password is too short.
        NotFound: there is no such login.
    """
    _changed(connection, "set_password", {"login": login, "password_hash": _hash_of(password)})


def issue_password(connection: Connection, login: str, name: str, password: str) -> None:
    """Give a login a fresh password, making an operator of that name where there is none."""
    try:
        set_password(connection, login, password)
    except NotFound:
        add_user(connection, login, name, "operator", password)


def any_user(connection: Connection) -> bool:
    """Whether anybody can log in."""
    return connection.execute(family("accounts")["any_user"]).fetchone() is not None


def set_disabled(connection: Connection, login: str, disabled: bool) -> None:
    """Lock a person out (or in again) and end every session.

    Raises:
        NotFound: there is no such login.
    """
    _changed(connection, "set_disabled", {"login": login, "disabled": disabled})


def set_locale(connection: Connection, account: Account, locale: str) -> None:
    """Remember the language a person reads."""
    connection.execute(family("accounts")["set_locale"], {"id": account.id, "locale": locale})


def verify(connection: Connection, login: str, password: str) -> Account | None:
    """The person behind a login and password, or None."""
    row = connection.execute(family("accounts")["account_by_login"], {"login": login}).fetchone()
    stored = row["password_hash"] if row else _nobody()
    try:
        _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return None
    if row is None or row["disabled"]:
        return None
    if _hasher.check_needs_rehash(stored):
        values = {"login": login, "password_hash": _hasher.hash(password)}
        connection.execute(family("accounts")["set_password"], values)
    return Account(**{key: row[key] for key in ("id", "login", "name", "role", "locale")})


def open_session(
    connection: Connection,
    account: Account,
    *,
    now: datetime,
    lifetime: timedelta = SESSION_LIFETIME,
) -> str:
    """Start a session; returns the cookie's value, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    connection.execute(family("accounts")["forget_expired"], {"now": now})
    connection.execute(
        family("accounts")["open_session"],
        {
            "token_hash": _digest(token),
            "account_id": account.id,
            "now": now,
            "expires_at": now + lifetime,
        },
    )
    return token


def session_account(connection: Connection, token: str, *, now: datetime) -> Account | None:
    """The person behind a session cookie, or None when it ended."""
    values = {"token_hash": _digest(token), "now": now}
    row = connection.execute(family("accounts")["account_by_session"], values).fetchone()
    return Account(**row) if row else None


def end_session(connection: Connection, token: str) -> None:
    """Sign out."""
    connection.execute(family("accounts")["end_session"], {"token_hash": _digest(token)})


def add_key(connection: Connection, name: str, role: str = "operator") -> str:
    """Issue a machine key; it is shown once and stored nowhere.

    Raises:
        Invalid: the name or role cannot be used.
        Conflict: the name is taken.
    """
    if not name.strip() or len(name) > 64 or not name.isprintable():
        raise Invalid("A key's name has 1 to 64 printable characters.")
    _check_role(role)
    key = "hl_" + secrets.token_urlsafe(32)
    values = {"key_hash": _digest(key), "name": name, "role": role}
    if connection.execute(family("accounts")["add_key"], values).fetchone() is None:
        raise Conflict(f"There is already a key {name!r}.", "Choose another name.")
    return key


def key_owner(connection: Connection, key: str) -> tuple[str, str] | None:
    """Name and role behind a machine key, or None."""
    values = {"key_hash": _digest(key)}
    row = connection.execute(family("accounts")["key_by_hash"], values).fetchone()
    return (row["name"], row["role"]) if row else None


def disable_key(connection: Connection, name: str) -> None:
    """Withdraw a machine key.

    Raises:
        NotFound: there is no such key.
    """
    if connection.execute(family("accounts")["disable_key"], {"name": name}).fetchone() is None:
        raise NotFound(f"There is no key {name!r}.")


def claim(
    connection: Connection, actor: str, key: str, request: bytes, *, now: datetime
) -> Answer | None:
    """Take an idempotency key for a request, or find what it was answered before.

    The claim lives in the caller's transaction: if the work fails, the key is free again.

    Raises:
        Invalid: the key was used for another request.
    """
    sql = family("accounts")
    digest = hashlib.sha256(request).digest()
    connection.execute(sql["forget_requests"], {"before": now - ANSWERS_KEPT_FOR})
    values = {"actor": actor, "key": key, "request": digest}
    if connection.execute(sql["claim_request"], values).fetchone() is not None:
        return None
    row = connection.execute(sql["claimed_request"], values).fetchone()
    if row is None or bytes(row["request"]) != digest:
        raise Invalid(
            "This Idempotency-Key was used for another request.", "Send a new key with a new act."
        )
    return Answer(row["status"], row["response"])


def keep_answer(connection: Connection, actor: str, key: str, answer: Answer) -> None:
    """Keep what a claimed request was answered."""
    connection.execute(
        family("accounts")["answer_request"],
        {
            "actor": actor,
            "key": key,
            "status": answer.status,
            "response": Jsonb(answer.response),
        },
    )


def _changed(connection: Connection, statement: str, values: dict[str, Any]) -> None:
    row = connection.execute(family("accounts")[statement], values).fetchone()
    if row is None:
        raise NotFound(f"There is no account {values['login']!r}.")
    connection.execute(family("accounts")["end_sessions_of"], {"account_id": row["id"]})


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Invalid(f"There is no role {role!r}.", f"Use one of {', '.join(ROLES)}.")


def _hash_of(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise Invalid(f"A password has at least {MIN_PASSWORD} characters.")
    return _hasher.hash(password)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that no password meets, to be checked where there is no account."""
    return _hasher.hash(secrets.token_urlsafe(32))
