"""From a temperature to money: which share of which fee is given back, by a policy's own words.

Pure, and in decimal where it is money. A level is compared as the ledger keeps it, to a
thousandth of a kelvin (``comparable``), so that the noise of floating point decides nothing at
the edges of a ladder. A ratio of ``None`` means that the rule on file names no ladder: that is
not the same as nothing to refund.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import pairwise

from hearthline.domain.policies.model import (
    AreaBase,
    Exclusion,
    FeeBase,
    Judgement,
    Policy,
)

CENT = Decimal("0.01")
DECIMALS = 3


class RefundReason(StrEnum):
    """Why a refund is what it is."""

    BELOW = "below"  # below the standard: the ladder's ratio
    COMPLIANT = "compliant"
    NO_LADDER = "no_ladder"  # the rule on file does not say how much
    TOO_FEW_READINGS = "too_few_readings"
    NOT_LONG_ENOUGH = "not_long_enough"  # the cold has not lasted as the rule asks
    CUSTOMER_SIDE = "customer_side"  # an exclusion was found
    OUTAGE = "outage"


@dataclass(frozen=True, slots=True)
class Refund:
    """``ratio`` of the fee of one unit of time (0 to 1, or more for outages), and why."""

    ratio: float | None
    reason: RefundReason


def comparable(level_c: float) -> float:
    """A level as it is compared with a standard: to the millikelvin."""
    return round(level_c, DECIMALS)


def is_below(policy: Policy, level_c: float) -> bool:
    """Whether a level is below the standard; the standard itself is reached by equality."""
    return comparable(level_c) < policy.threshold_c


def ladder_ratio(policy: Policy, level_c: float) -> float | None:
    """The ladder's ratio at a level: that of the lowest step it falls under, 0 above them all."""
    if not policy.refunds:
        return None
    level = comparable(level_c)
    under = [step for step in policy.refunds if step.reaches(level)]
    return min(under, key=lambda step: (step.below_c, not step.including)).ratio if under else 0.0


def day_refund(
    policy: Policy,
    mean_c: float | None,
    cold_for: timedelta = timedelta(0),
    found: Collection[Exclusion] = (),
) -> Refund:
    """The refund of one local day.

    ``mean_c`` is the mean of the day's counted hours, None where too little was measured;
    ``cold_for`` how long the cold had lasted at the end of that day (for CONTINUOUS_HOURS: how
    long the whole unbroken stretch lasted to which the day belongs); ``found`` is what was found
    on the customer's side.
    """
    if mean_c is None:
        return Refund(0.0, RefundReason.TOO_FEW_READINGS)
    return _refund(policy, mean_c, cold_for, found)


def month_refund(
    policy: Policy, readings_c: Sequence[float], found: Collection[Exclusion] = ()
) -> Refund:
    """The refund of a month by the mean of its readings; fewer than the rule asks for say nothing.

    Of more readings than ``month_readings`` all count.
    """
    if len(readings_c) < policy.month_readings:
        return Refund(0.0, RefundReason.TOO_FEW_READINGS)
    mean_c = sum(readings_c) / len(readings_c)
    return _refund(policy, mean_c, policy.refund_after, found)


def _refund(
    policy: Policy, mean_c: float, cold_for: timedelta, found: Collection[Exclusion]
) -> Refund:
    if not is_below(policy, mean_c):
        return Refund(0.0, RefundReason.COMPLIANT)
    if set(found) & set(policy.exclusions):
        return Refund(0.0, RefundReason.CUSTOMER_SIDE)
    if cold_for < policy.refund_after:
        return Refund(0.0, RefundReason.NOT_LONG_ENOUGH)
    ratio = ladder_ratio(policy, mean_c)
    return Refund(ratio, RefundReason.NO_LADDER if ratio is None else RefundReason.BELOW)


def outage_refund(policy: Policy, lasted: timedelta, *, own_fault: bool) -> Refund:
    """The refund of time without any heat: the highest ratio of the steps that it reaches."""
    if not policy.outages:
        return Refund(None, RefundReason.NO_LADDER)
    ratios = [
        step.ratio
        for step in policy.outages
        if step.reaches(lasted) and (own_fault or not step.own_fault)
    ]
    if not ratios:
        return Refund(0.0, RefundReason.NOT_LONG_ENOUGH)
    return Refund(max(ratios), RefundReason.OUTAGE)


@dataclass(frozen=True, slots=True)
class ColdDay:
    """A judged day: the ledger's mean (None: undetermined or held back)."""

    day: date
    mean_c: float | None


def period_refunds(
    policy: Policy, days: Iterable[ColdDay], found: Collection[Exclusion] = ()
) -> dict[date, Refund]:
    """The refund of every day of a stretch of days, with the persistence that the rule asks for.

    Under DAY_MEAN with a persistence, the first days of the cold pay for it (*once unresolved for
    24 h*: counting starts then). Under CONTINUOUS_HOURS a stretch that is long enough counts from
    its first day. A day without a verdict breaks a stretch: missing is never cold. MONTH_MEAN
    rules are judged by ``month_refund``; here their days say only which were below.
    """
    ordered = sorted(days, key=lambda cold: cold.day)
    lasted = _lasted(policy, ordered)
    whole = policy.judged_by is Judgement.CONTINUOUS_HOURS
    return {
        cold.day: day_refund(policy, cold.mean_c, stretch if whole else so_far, found)
        for cold, (so_far, stretch) in zip(ordered, lasted, strict=True)
    }


def _lasted(policy: Policy, days: Sequence[ColdDay]) -> list[tuple[timedelta, timedelta]]:
    """For each day: how long it had been cold *before* that day, and its whole stretch's length."""
    runs: list[list[int]] = []
    cold = [d.mean_c is not None and is_below(policy, d.mean_c) for d in days]
    follows = [False, *(b.day - a.day == timedelta(days=1) for a, b in pairwise(days))]
    for at, is_cold in enumerate(cold):
        if is_cold and runs and follows[at] and runs[-1][-1] == at - 1:
            runs[-1].append(at)
        elif is_cold:
            runs.append([at])
    lasted = [(timedelta(0), timedelta(0))] * len(days)
    for run in runs:
        for number, at in enumerate(run):
            lasted[at] = (timedelta(days=number), timedelta(days=len(run)))
    return lasted


def amount(
    policy: Policy,
    refund: Refund,
    fee: Decimal,
    *,
    basic_fee: Decimal = Decimal(0),
    area_share: float = 1.0,
) -> Decimal | None:
    """Money to give back for one unit of time, to the cent; None where the rule names no ladder.

    ``fee`` is the heat fee of that unit (day or month) for the dwelling, ``basic_fee`` the part
    of it that the rule of Xi'an deducts first, ``area_share`` the affected rooms' share of the
    dwelling's area (used only where the rule goes by rooms).
    """
    if refund.ratio is None:
        return None
    base = fee - basic_fee if policy.fee_base is FeeBase.AFTER_BASIC else fee
    share = area_share if policy.area_base is AreaBase.ROOM else 1.0
    due = max(base, Decimal(0)) * Decimal(str(refund.ratio)) * Decimal(str(share))
    return due.quantize(CENT, ROUND_HALF_UP)


def settle_by(policy: Policy, season_ends: datetime | date) -> date | None:
    """The date by which the refunds of a season must be settled; None where nothing is said."""
    if policy.settled_by is None:
        return None
    ended = season_ends.date() if isinstance(season_ends, datetime) else season_ends
    due = date(ended.year, *policy.settled_by)
    return due if due >= ended else date(ended.year + 1, *policy.settled_by)
