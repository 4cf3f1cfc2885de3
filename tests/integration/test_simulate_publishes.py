"""The simulator's way out to a real broker: the page's example, and the command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hearthline.cli import app
from hearthline.errors import PartAway
from tests.conftest import Stack

PAGE = Path(__file__).resolve().parents[2] / "docs/simulator.md"
ADDRESS = "mqtt://127.0.0.1:1883"


def test_the_example_on_the_page_publishes_to_a_real_broker(stack: Stack) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python broker\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert ADDRESS in example
    exec(example.replace(ADDRESS, stack.simulator_mqtt_url), {})  # noqa: S102 - our own page


def test_the_command_says_that_everything_was_acknowledged(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["simulate", "town", "--to", stack.simulator_mqtt_url, "--hours", "0.5", "--json"]
    app(run, exit_on_error=False, print_error=False, result_action="return_none")
    told = json.loads(capsys.readouterr().out)
    assert told["sent"] == told["acknowledged"] == told["messages"] > 0
    assert told["refused"] == 0


def test_a_broker_that_refuses_is_an_error_with_a_remedy(stack: Stack) -> None:
    host = stack.simulator_mqtt_url.rpartition("@")[2]
    run = ["simulate", "town", "--to", f"mqtt://nobody:wrong@{host}", "--hours", "0.5"]
    with pytest.raises(PartAway, match="Check user and password"):
        app(run, exit_on_error=False, print_error=False, result_action="return_none")
