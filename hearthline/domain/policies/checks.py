"""What can be wrong with a policy whose fields are all of the right kind: a list of checks.

Each check looks at one policy and yields the field concerned and a sentence; together they make
sure that a rule says one thing only and that the analysis can follow it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hearthline.domain.policies.model import MonthDay, Policy

Complaint = tuple[str, str]
"""A field of the policy, and what is wrong with it."""

COLDEST_C, WARMEST_C = 5.0, 30.0  # no rule for rooms that people live in lies outside
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
LEAP = 2024  # a year that has every month and day


def complaints(policy: Policy) -> list[Complaint]:
    """Everything that is wrong with a policy; empty when it is sound."""
    return [found for check in CHECKS for found in check(policy)]


def _threshold(policy: Policy) -> Iterator[Complaint]:
    if not COLDEST_C <= policy.threshold_c <= WARMEST_C:
        yield "threshold_c", f"a standard between {COLDEST_C:g} and {WARMEST_C:g} °C is expected"
    if policy.upper_c is not None and not policy.threshold_c < policy.upper_c <= 2 * WARMEST_C:
        yield "upper_c", f"it must lie above threshold_c and not above {2 * WARMEST_C:g} °C"
    if not 0 <= policy.hysteresis_k <= 5:
        yield "hysteresis_k", "a difference of 0 to 5 K is expected"
    if policy.binds_from_c is not None and not -60 <= policy.binds_from_c <= 15:
        yield "binds_from_c", "an outdoor temperature between -60 and 15 °C is expected"


def _timezone(policy: Policy) -> Iterator[Complaint]:
    try:
        ZoneInfo(policy.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "timezone", f"{policy.timezone!r} is no time zone; e.g. Asia/Shanghai"


def _durations(policy: Policy) -> Iterator[Complaint]:
    for name in ("open_after", "close_after", "lapse_after"):
        if not HOUR <= getattr(policy, name) <= 30 * DAY:
            yield name, "between one hour and 30 days is expected"
    for name in ("respond_within", "resolve_within"):
        if getattr(policy, name) <= timedelta(0):
            yield name, "a time above zero is expected"
    if policy.refund_after < timedelta(0):
        yield "refund_after", "it cannot be negative"
    if policy.startup_days < 0:
        yield "startup_days", "it cannot be negative"
    if policy.month_readings < 1:
        yield "month_readings", "at least one reading is expected"


def _hours(policy: Policy) -> Iterator[Complaint]:
    for name in ("excluded_hours", "onsite_excluded_hours"):
        stretches = sorted(getattr(policy, name))
        if any(not 0 <= start < end <= 24 for start, end in stretches):
            yield name, "stretches of clock hours are expected, e.g. [[10, 14]], up to 24"
        elif any(first[1] > second[0] for first, second in pairwise(stretches)):
            yield name, "stretches overlap"
    left = 24 - sum(max(0, end - start) for start, end in policy.excluded_hours)
    if not timedelta(0) < policy.min_covered <= left * HOUR:
        yield "min_covered", f"a time above zero and within the {left} hours that count is expected"


def _dates(policy: Policy) -> Iterator[Complaint]:
    for one in policy.season:
        if not _is_day(one):
            yield "season", f"{list(one)} is no month and day"
    if policy.settled_by is not None and not _is_day(policy.settled_by):
        yield "settled_by", f"{list(policy.settled_by)} is no month and day"


def _is_day(said: MonthDay) -> bool:
    try:
        date(LEAP, *said)
    except ValueError:
        return False
    return said != (2, 29)


def _ladder(policy: Policy) -> Iterator[Complaint]:
    steps = sorted(policy.refunds, key=lambda step: step.below_c)
    for step in steps:
        if not 0 <= step.ratio <= 1:
            yield "refunds", f"below {step.below_c:g} °C: a ratio from 0 to 1 is expected"
        above = not step.below_c <= policy.threshold_c  # so that NaN is refused too
        if above or (step.including and step.below_c == policy.threshold_c):
            yield "refunds", f"a step reaches {step.below_c:g} °C, where the standard is met"
    for lower, upper in pairwise(steps):
        if lower.below_c == upper.below_c:
            yield "refunds", f"two steps end at {lower.below_c:g} °C"
        elif lower.ratio < upper.ratio:
            yield "refunds", f"colder than {lower.below_c:g} °C refunds less than warmer"


def _outages(policy: Policy) -> Iterator[Complaint]:
    for step in policy.outages:
        if step.after < timedelta(0) or not 0 < step.ratio <= 10:
            yield "outages", "a duration, and a ratio above zero and not above 10, are expected"


def _clocks(policy: Policy) -> Iterator[Complaint]:
    for clock in policy.clocks:
        if clock.within <= timedelta(0):
            yield "clocks", "within: a time above zero is expected"
        if clock.first_day < 1 or (clock.last_day is not None and clock.last_day < clock.first_day):
            yield "clocks", "days of the season count from 1, and the last is not before the first"


def _source(policy: Policy) -> Iterator[Complaint]:
    if not policy.source.strip():
        yield "source", "say where the rule stands: a verdict is worth what its rule is worth"


CHECKS: tuple[Callable[[Policy], Iterator[Complaint]], ...] = (
    _threshold,
    _timezone,
    _durations,
    _hours,
    _dates,
    _ladder,
    _outages,
    _clocks,
    _source,
)
