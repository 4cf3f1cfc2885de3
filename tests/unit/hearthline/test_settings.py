"""Wrong settings: one sentence each, before anything starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from hearthline.errors import SettingsError
from hearthline.settings import Settings, load
from hearthline.telemetry import without_password


@pytest.fixture(autouse=True)
def fresh() -> None:
    load.cache_clear()


def test_every_wrong_setting_gets_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named as in the environment, with what would be right."""
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", "mysql://x")
    monkeypatch.setenv("HEARTHLINE_POLICY", "atlantis")
    monkeypatch.setenv("HEARTHLINE_PORT", "99999")
    with pytest.raises(SettingsError) as caught:
        load()
    said = str(caught.value)
    assert "HEARTHLINE_DATABASE_URL='mysql://x' is wrong" in said
    assert "must be one of heilongjiang" in said
    assert "HEARTHLINE_PORT" in said
    assert caught.value.exit_code == 2


def test_a_missing_address_says_what_to_set() -> None:
    """The remedy is part of the error."""
    bare = Settings(_env_file=None, database_url=None, mqtt_url=None)
    with pytest.raises(SettingsError, match="Set HEARTHLINE_DATABASE_URL"):
        bare.require_database()
    with pytest.raises(SettingsError, match="Set HEARTHLINE_MQTT_URL"):
        bare.require_mqtt()


def test_the_command_line_ends_with_code_two_and_no_traceback(tmp_path: Path) -> None:
    """One line on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "hearthline", "migrate"],
        env={"HEARTHLINE_DATABASE_URL": "nonsense", "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("hearthline: HEARTHLINE_DATABASE_URL='nonsense' is wrong")
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_a_sentence_too(tmp_path: Path) -> None:
    """With the way to help."""
    done = subprocess.run(
        [sys.executable, "-m", "hearthline", "freeze"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--help" in done.stderr


@pytest.mark.parametrize("command", [["migrate"], ["user", "add", "li.na"]])
def test_a_database_that_is_away_is_one_sentence(tmp_path: Path, command: list[str]) -> None:
    """Code 1, the reason, the way to a remedy, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "hearthline", *command],
        env={"HEARTHLINE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("hearthline: The database does not answer")
    assert "Traceback" not in done.stderr


def test_the_scenarios_are_listed(tmp_path: Path) -> None:
    """A line each."""
    done = subprocess.run(
        [sys.executable, "-m", "hearthline", "simulate", "--list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    assert {"town", "quiet-winter", "metropolis"} <= set(listed)


def test_passwords_are_never_shown() -> None:
    """Stars in their place, nothing changed where there is none."""
    assert without_password("postgresql://u:secret@h:5432/d") == "postgresql://u:***@h:5432/d"
    assert without_password("mqtt://h:1883") == "mqtt://h:1883"
