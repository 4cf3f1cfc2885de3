"""The few words that every module of the stack shares. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What the stack brings up."""

    DATABASE = "database"
    BROKER = "broker"


class State(StrEnum):
    """How a part, or the stack as a whole, is doing."""

    RUNNING = "running"
    PARTLY = "partly running"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Endpoint:
    """A part that answers: where, and as what version.

    `simulator_url` is the broker's second account, allowed to write wherever devices write.
    """

    url: str
    port: int
    version: str
    simulator_url: str = ""


@dataclass(frozen=True)
class Chosen:
    """One part of the stack as it was brought up, kept in `stack.json`."""

    part: Part
    provider: str
    why: str
    endpoint: Endpoint


def overall(states: list[State]) -> State:
    """The state of the whole: running only where every part is."""
    if states and all(state is State.RUNNING for state in states):
        return State.RUNNING
    if any(state is State.RUNNING for state in states):
        return State.PARTLY
    return State.STOPPED
