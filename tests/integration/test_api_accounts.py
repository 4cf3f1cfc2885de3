"""Accounts and keys: what is stored, what is refused, what ends a session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.storage import accounts
from hearthline.storage.accounts import Answer
from hearthline.storage.database import Connection

NOW = datetime(2025, 12, 4, 2, 0, tzinfo=UTC)
PASSWORD = "minus-thirty"


def test_a_password_is_stored_as_argon2_and_checked(connection: Connection) -> None:
    added = accounts.add_user(connection, " ann ", "Ann", "crew", PASSWORD, "en")
    row = connection.execute("SELECT password_hash FROM account").fetchone()
    assert row is not None
    assert row["password_hash"].startswith("$argon2id$")
    assert accounts.verify(connection, "ann", PASSWORD) == added
    assert accounts.verify(connection, "ann", "wrong") is None
    assert accounts.verify(connection, "nobody", PASSWORD) is None


@pytest.mark.parametrize(
    ("login", "role", "password", "locale"),
    [
        ("", "operator", PASSWORD, "en"),
        ("two words", "operator", PASSWORD, "en"),
        ("a\x00b", "operator", PASSWORD, "en"),
        ("ann", "emperor", PASSWORD, "en"),
        ("ann", "operator", "short", "en"),
        ("ann", "operator", PASSWORD, "tlh"),
    ],
)
def test_what_cannot_be_an_account_is_refused_with_a_sentence(
    connection: Connection, login: str, role: str, password: str, locale: str
) -> None:
    with pytest.raises(Invalid):
        accounts.add_user(connection, login, "Ann", role, password, locale)


def test_a_login_is_given_once(connection: Connection) -> None:
    accounts.add_user(connection, "ann", "Ann", "operator", PASSWORD)
    with pytest.raises(Conflict, match="already an account 'ann'"):
        accounts.add_user(connection, "ann", "Anna", "operator", PASSWORD)


def test_a_disabled_account_and_a_new_password_end_sessions(connection: Connection) -> None:
    ann = accounts.add_user(connection, "ann", "Ann", "operator", PASSWORD)
    for end in (
        lambda: accounts.set_password(connection, "ann", "another-one"),
        lambda: accounts.set_disabled(connection, "ann", True),
    ):
        token = accounts.open_session(connection, ann, now=NOW)
        assert accounts.session_account(connection, token, now=NOW) == ann
        end()
        assert accounts.session_account(connection, token, now=NOW) is None
    assert accounts.verify(connection, "ann", "another-one") is None
    with pytest.raises(NotFound):
        accounts.set_password(connection, "bob", PASSWORD)


def test_a_session_lasts_its_lifetime_and_its_cookie_is_stored_nowhere(
    connection: Connection,
) -> None:
    ann = accounts.add_user(connection, "ann", "Ann", "operator", PASSWORD)
    token = accounts.open_session(connection, ann, now=NOW)
    last = NOW + accounts.SESSION_LIFETIME - timedelta(seconds=1)
    assert accounts.session_account(connection, token, now=last) == ann
    assert accounts.session_account(connection, token, now=last + timedelta(seconds=1)) is None
    accounts.open_session(connection, ann, now=last + timedelta(minutes=1))
    rows = connection.execute("SELECT token_hash FROM session").fetchall()
    assert len(rows) == 1
    assert token.encode() not in bytes(rows[0]["token_hash"])


def test_a_key_is_shown_once_and_can_be_withdrawn(connection: Connection) -> None:
    key = accounts.add_key(connection, "hotline", "agent")
    assert accounts.key_owner(connection, key) == ("hotline", "agent")
    assert accounts.key_owner(connection, key + "x") is None
    with pytest.raises(Conflict):
        accounts.add_key(connection, "hotline")
    with pytest.raises(Invalid):
        accounts.add_key(connection, "other", "emperor")
    accounts.disable_key(connection, "hotline")
    assert accounts.key_owner(connection, key) is None
    with pytest.raises(NotFound):
        accounts.disable_key(connection, "nobody")


def test_an_idempotency_key_belongs_to_one_request_of_one_actor_for_two_days(
    connection: Connection,
) -> None:
    assert accounts.claim(connection, "ann", "k", b"one", now=NOW) is None
    accounts.keep_answer(connection, "ann", "k", Answer(201, {"version": 2}))
    assert accounts.claim(connection, "ann", "k", b"one", now=NOW) == Answer(201, {"version": 2})
    assert accounts.claim(connection, "bob", "k", b"one", now=NOW) is None
    with pytest.raises(Invalid, match="used for another request"):
        accounts.claim(connection, "ann", "k", b"two", now=NOW)
    later = datetime.now(UTC) + timedelta(days=3)
    assert accounts.claim(connection, "ann", "k", b"two", now=later) is None
