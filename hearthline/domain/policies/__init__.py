"""Local heating rules as versioned data: thresholds, persistence, refund ladders, clocks.

A rule of a city is configuration per company, valid from a date; none is hard-coded in the
analysis. ``PROFILES`` holds starting points with their source; a company copies and edits one
(``hearthline.domain.policies.files`` reads and checks it).
"""

from hearthline.domain.policies.cities import PROFILES
from hearthline.domain.policies.model import (
    AreaBase,
    DayVerdict,
    Exclusion,
    FeeBase,
    HoldReason,
    Judgement,
    Matter,
    OutageStep,
    Policy,
    Profile,
    RefundStep,
    ResponseClock,
    Step,
)
from hearthline.domain.policies.refunds import Refund, RefundReason

__all__ = [
    "PROFILES",
    "AreaBase",
    "DayVerdict",
    "Exclusion",
    "FeeBase",
    "HoldReason",
    "Judgement",
    "Matter",
    "OutageStep",
    "Policy",
    "Profile",
    "Refund",
    "RefundReason",
    "RefundStep",
    "ResponseClock",
    "Step",
]
