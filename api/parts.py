"""What every endpoint needs of the running application, and the rule that is in force now."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from api.attempts import Attempts
from api.live import Live
from hearthline.clock import Clock, system_clock
from hearthline.domain.policies import Policy
from hearthline.settings import Settings
from hearthline.storage.database import Connection, Database
from hearthline.storage.views import engineering

Value = TypeVar("Value")


@dataclass(slots=True)
class Parts:
    """Settings, database, clock and live news of one application."""

    settings: Settings
    database: Database
    live: Live
    clock: Clock = system_clock
    attempts: Attempts = field(default_factory=Attempts)
    _kept: dict[str, tuple[datetime, Any]] = field(default_factory=dict)

    def transaction(self) -> AbstractContextManager[Connection]:
        """A connection whose work commits at the end of the block."""
        return self.database.transaction()

    def policy(self, connection: Connection) -> Policy:
        """The company's rule as of today, by the rule's own calendar."""
        rule = self.settings.rule()
        today = self.clock().date()
        policy = engineering.policy_on(connection, rule.code, today, rule)
        local = policy.local_day(self.clock())
        if local == today:
            return policy
        return engineering.policy_on(connection, rule.code, local, rule)

    def keep(self, key: str, seconds: float, compute: Callable[[], Value]) -> Value:
        """A figure that many screens ask for at once, computed at most every ``seconds``."""
        now = self.clock()
        kept = self._kept.get(key)
        if kept is not None and 0 <= (now - kept[0]).total_seconds() < seconds:
            value: Value = kept[1]
            return value
        fresh = compute()
        self._kept[key] = (now, fresh)
        return fresh


def parts_of(request: Request) -> Parts:
    """The parts of the application that serves this request."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(parts_of)]
