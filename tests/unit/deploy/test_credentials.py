"""Passwords: made once, kept privately, in the notation that mosquitto reads."""

import stat

from stack.credentials import Credentials, matches, mosquitto_hash, new_password, with_user

# Made by mosquitto_passwd 2.0.21 for the password "secret".
REFERENCE = (
    "$7$101$DX+bDgojvbyJ8tqQ$wNAooGqbnzfCWEKjJ9ybYybE9tP4Qpa/"
    "kcMZChfxZ2Mg2zTwO4tSjKuYDe3fZmDJkHcBRgdSxA470LFtCaiSpg=="
)


def test_credentials_are_made_once_and_kept(tmp_path):
    path = tmp_path / "home" / "credentials.json"
    assert Credentials.kept_in(path) == Credentials.kept_in(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_file_is_made_anew(tmp_path):
    path = tmp_path / "credentials.json"
    path.write_text('{"database": "only this"}')
    assert Credentials.kept_in(path).broker


def test_passwords_need_no_quoting_and_do_not_repeat():
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(password.isalnum() and len(password) == 32 for password in made)


def test_a_hash_of_mosquittos_own_making_is_understood():
    assert matches(REFERENCE, "secret")
    assert not matches(REFERENCE, "Secret")


def test_our_hash_has_the_shape_of_mosquittos():
    ours, theirs = mosquitto_hash("secret").split("$"), REFERENCE.split("$")
    assert [len(field) for field in ours] == [len(field) for field in theirs]
    assert ours[:3] == theirs[:3]


def test_rubbish_matches_nothing():
    assert not matches("", "secret")
    assert not matches("$7$x$y$z", "secret")


def test_a_user_is_added_once_and_others_stay():
    first = with_user("", "a", "one")
    second = with_user(first, "b", "two")
    assert second.startswith(first)
    assert with_user(second, "a", "one") == second


def test_a_new_password_replaces_the_old_line_only():
    before = with_user(with_user("", "a", "one"), "b", "two")
    after = with_user(before, "a", "three")
    assert matches(after.splitlines()[0].partition(":")[2], "three")
    assert after.splitlines()[1] == before.splitlines()[1]
