"""Logs: one line an event, and no secret in any of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from hearthline import telemetry

ADDRESS = "postgresql://u:pw-1@h:5432/d"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The logs of the test run are put back."""
    yield
    structlog.reset_defaults()
    logging.root.removeHandler(telemetry._FORWARD)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_has_event_level_time_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, one line each."""
    telemetry.configure("json")
    structlog.get_logger().warning("waiting", part="broker", since=Path("x"))
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["part"]) == ("waiting", "warning", "broker")
    assert str(line["timestamp"]).endswith("Z")


def test_passwords_in_addresses_and_named_fields_are_stars(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At any depth, in the event as in the fields; what is no secret stays."""
    telemetry.configure("json")
    structlog.get_logger().info(
        f"connecting to {ADDRESS}",
        urls=[ADDRESS, {"deep": ADDRESS}],
        key_password="pw-1",
        conninfo="host=h password=pw-1 dbname=d",
        topics=("a/b", "c"),
        token_count=3,
    )
    (line,) = lines(capsys)
    assert "pw-1" not in json.dumps(line)
    assert line["event"] == "connecting to postgresql://u:***@h:5432/d"
    assert line["conninfo"] == "host=h password=*** dbname=d"
    assert (line["topics"], line["token_count"]) == (["a/b", "c"], 3)


def test_known_secrets_are_stars_wherever_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    """As they are and percent-encoded; what is too short to be one is let alone."""
    telemetry.configure("json", hide=["hush/1", "x"])
    structlog.get_logger().info("it said hush/1 and hush%2F1", xs="xxx")
    (line,) = lines(capsys)
    assert (line["event"], line["xs"]) == ("it said *** and ***", "xxx")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_tracebacks_show_no_secret(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    """Neither in the message nor by printing local variables."""
    telemetry.configure(log_format, hide=["hush-1"])
    local = ADDRESS
    try:
        raise ValueError("no hush-1 for " + local)
    except ValueError:
        structlog.get_logger().exception("failed")
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "Traceback" in said
    assert "pw-1" not in said
    assert said.count("hush-1") == said.count('raise ValueError("no hush-1')


def test_what_libraries_warn_of_becomes_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Once, however often logging is set up."""
    telemetry.configure("json")
    telemetry.configure("json")
    logging.getLogger("library").warning("cannot reach %s", ADDRESS)
    logging.getLogger("library").info("not worth a line")
    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == (
        "cannot reach postgresql://u:***@h:5432/d",
        "library",
    )
