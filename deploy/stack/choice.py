"""The choice policy: which provider brings up a part. Pure, apart from what providers answer.

In this order: a configured address; the provider that holds this checkout's data from last time;
then the list as it stands. Each provider that is passed over says why, and those sentences are
the answer where none is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stack.errors import StackError, UsageError
from stack.model import Part
from stack.providers import Provider

CONFIGURED = "configured"


@dataclass(frozen=True)
class Choice:
    """The provider for a part and a sentence that says why it, and not one before it."""

    provider: Provider
    why: str


def in_order(providers: Sequence[Provider], previous: str | None) -> list[Provider]:
    """Providers as they are asked: a configured address, last time's, the others."""

    def rank(provider: Provider) -> int:
        return 0 if provider.name == CONFIGURED else 1 if provider.name == previous else 2

    return sorted(providers, key=rank)


def only(providers: Sequence[Provider], wanted: str | None) -> list[Provider]:
    """All providers, or the one that was asked for by name."""
    if wanted is None:
        return list(providers)
    named = [provider for provider in providers if provider.name == wanted]
    if not named:
        names = ", ".join(provider.name for provider in providers)
        raise UsageError(f"There is no provider {wanted!r}; there are {names}.")
    return named


def choose(providers: Sequence[Provider], part: Part, previous: str | None = None) -> Choice:
    """The first provider that can bring up this part; StackError where none can."""
    passed_over: list[tuple[Provider, str]] = []
    for provider in in_order(providers, previous):
        reason = provider.why_not(part)
        if reason is None:
            return Choice(provider, _why(provider, previous, passed_over))
        passed_over.append((provider, reason))
    raise StackError(nothing_works(part, passed_over), REMEDY)


def _why(provider: Provider, previous: str | None, passed_over: list[tuple[Provider, str]]) -> str:
    if provider.name == CONFIGURED:
        return provider.title
    if provider.name == previous:
        return f"{provider.title}, which holds this checkout's data"
    reasons = "; ".join(f"{other.name}: {reason}" for other, reason in passed_over)
    return f"{provider.title} ({reasons})" if reasons else provider.title


def nothing_works(part: Part, passed_over: list[tuple[Provider, str]]) -> str:
    """The paragraph for a machine where nothing can be brought up."""
    tried = "; ".join(f"{provider.title}: {reason}" for provider, reason in passed_over)
    return f"No way was found to bring up the {part} on this machine. Tried in this order: {tried}."


REMEDY = (
    "Do one of these: set HEARTHLINE_DATABASE_URL and HEARTHLINE_MQTT_URL to servers that you"
    " have; start Docker; install PostgreSQL 14 or newer with TimescaleDB, and mosquitto; or run"
    " the command as root on Debian or Ubuntu."
)
