"""When somebody must have been in touch, and when the cold must be over.

Clocks start at the event time at which a ticket opened and follow the company's policy
(requirement 3: contact within 30 min, a solution within 24 h).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hearthline.domain.policies import Policy, Step


@dataclass(frozen=True, slots=True)
class Due:
    """The two promises of a ticket, as instants."""

    respond_by: datetime
    resolve_by: datetime


def due(opened_at: datetime, policy: Policy) -> Due:
    """What is promised for a ticket that opened at ``opened_at``."""
    day = policy.local_day(opened_at)
    return Due(
        opened_at + (policy.within(Step.ANSWER, day) or policy.respond_within),
        opened_at + (policy.within(Step.RESOLVE, day) or policy.resolve_within),
    )
