"""The public face: what the package's documentation shows works as shown."""

from __future__ import annotations

import doctest
import subprocess
import sys

import simulators


def test_the_example_in_the_documentation_works() -> None:
    result = doctest.testmod(simulators)
    assert result.attempted > 3
    assert result.failed == 0


def test_everything_announced_is_there() -> None:
    assert all(hasattr(simulators, name) for name in simulators.__all__)


def test_simulating_in_memory_loads_no_mqtt_client() -> None:
    code = "import sys, simulators; print('paho' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
