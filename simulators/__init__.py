"""A heating town without hardware: physics, faults, instruments and messages, from a scenario.

    >>> from datetime import UTC, datetime, timedelta
    >>> import simulators
    >>> city = simulators.build(simulators.load("town"), coverage=0.2)
    >>> start = datetime(2026, 1, 12, tzinfo=UTC)
    >>> run = simulators.run(city, start, start + timedelta(hours=1))
    >>> for block in run:
    ...     for message in block.messages:
    ...         topic, payload = message.topic, message.payload
    >>> run.report.balanced
    True

Same seed and same start → same bytes, whatever the block size. ``run(…, publish_from=t)`` goes on
where a run that stopped at ``t`` left. ``trace`` gives the true temperatures. Publishing to a
broker is in ``simulators.transport``, pacing in ``simulators.live``, measured series in
``simulators.replay``. Importing this package imports nothing: each name is fetched when it is
used, so that a run in memory needs no broker, and replaying a file no compiler.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.city import City, FaultTruth, build, load, scenarios
    from simulators.post import Message
    from simulators.report import Report
    from simulators.runner import Block, Run, run
    from simulators.scenario import Scenario, ScenarioError, ScenarioSummary
    from simulators.truth import Trace, trace

__all__ = [
    "Block",
    "City",
    "FaultTruth",
    "Message",
    "Report",
    "Run",
    "Scenario",
    "ScenarioError",
    "ScenarioSummary",
    "Trace",
    "build",
    "load",
    "run",
    "scenarios",
    "trace",
]

_HOME = {
    "city": ("City", "FaultTruth", "build", "load", "scenarios"),
    "post": ("Message",),
    "report": ("Report",),
    "runner": ("Block", "Run", "run"),
    "scenario": ("Scenario", "ScenarioError", "ScenarioSummary"),
    "truth": ("Trace", "trace"),
}


def __getattr__(name: str) -> Any:
    """Fetch one of the names above from where it lives."""
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
