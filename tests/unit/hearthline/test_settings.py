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


def test_no_secret_is_shown_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither when they are printed nor when one of them is wrong."""
    secrets = {
        "HEARTHLINE_DATABASE_URL": "postgresql://u:hush-1@h/d?sslpassword=hush-2",
        "HEARTHLINE_MQTT_URL": "mqtts://u:hush-3@h",
        "HEARTHLINE_MQTT_KEY_PASSWORD": "hush-4",
        "HEARTHLINE_SECRET": "hush-5",
        "HEARTHLINE_GRAFANA_TOKEN": "hush-6",
        "HEARTHLINE_GRAFANA_READER_PASSWORD": "hush-7",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    assert "hush" not in repr(settings) + str(settings)
    assert {"hush-1", "hush-3", "hush-4", "hush-5", "hush-6", "hush-7"} <= {*settings.secrets()}
    monkeypatch.setenv("HEARTHLINE_MQTT_URL", "http://u:hush-8@h")
    with pytest.raises(SettingsError) as caught:
        load()
    assert "HEARTHLINE_MQTT_URL='http://u:***@h' is wrong" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("share", ["a/b", "+", "#", ""])
def test_a_share_is_a_plain_name(share: str) -> None:
    """It stands as one level of a subscription (MQTT 5, 4.8.2)."""
    with pytest.raises(SettingsError, match="HEARTHLINE_MQTT_SHARE"):
        load(mqtt_share=share)


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is checked alike."""
    monkeypatch.setenv("HEARTHLINE_MQTT_SHARE", "environment")
    assert load(mqtt_share="line").mqtt_share == "line"


def test_local_time_is_read_in_the_policys_zone_unless_one_is_set() -> None:
    """A zone nobody knows is refused."""
    assert Settings(_env_file=None).device_zone().key == "Asia/Shanghai"
    assert Settings(_env_file=None, zone="Asia/Urumqi").device_zone().key == "Asia/Urumqi"
    with pytest.raises(SettingsError, match="name of a time zone"):
        load(zone="Mars/Olympus")
