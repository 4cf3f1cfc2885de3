"""What a local heating rule can say: one version of it is a ``Policy``, all versions a ``Profile``.

Every variety of the rules on file is a field with a value, never an ``if`` in the analysis. Two
fields look alike and are not: ``excluded_hours`` count for nothing at all, while
``onsite_excluded_hours`` only forbid readings by an inspector then. Temperatures in °C,
differences in K; days and hours are local to ``timezone``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

Hours = tuple[tuple[int, int], ...]
"""Stretches of local clock hours, start inclusive and end exclusive."""

MonthDay = tuple[int, int]


class Judgement(StrEnum):
    """The unit of time over which a rule judges a dwelling for its refund."""

    DAY_MEAN = "day_mean"
    MONTH_MEAN = "month_mean"  # the mean of some readings speaks for the whole month
    CONTINUOUS_HOURS = "continuous_hours"  # only what lasted without interruption counts, whole


class FeeBase(StrEnum):
    """What the ratio of a refund is taken of."""

    WHOLE = "whole"
    AFTER_BASIC = "after_basic"  # after deducting the basic fee


class AreaBase(StrEnum):
    """The area whose fee is refunded."""

    DWELLING = "dwelling"
    ROOM = "room"  # the affected rooms alone


class Exclusion(StrEnum):
    """What on the customer's side takes the claim away."""

    RADIATOR_COVERED = "radiator_covered"
    WATER_DRAINED = "water_drained"
    SYSTEM_ALTERED = "system_altered"


class Matter(StrEnum):
    """What a promise is about."""

    COLD_ROOM = "cold_room"
    LEAK = "leak"


class Step(StrEnum):
    """How far the company must have come when a clock runs out."""

    ANSWER = "answer"
    VISIT = "visit"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class RefundStep:
    """Refund ``ratio`` of the fee below ``below_c`` °C, down to the next lower step.

    The end is open: at ``below_c`` exactly the step does not apply, unless ``including`` says so.
    """

    below_c: float
    ratio: float
    including: bool = False

    def reaches(self, level_c: float) -> bool:
        """Whether a temperature falls under this step (or a lower one)."""
        return level_c <= self.below_c if self.including else level_c < self.below_c


@dataclass(frozen=True, slots=True)
class OutageStep:
    """Refund ``ratio`` times the fee of the time without heat, once it lasted ``after``.

    The end is open (*longer than*), unless ``including`` says *at least*. ``own_fault`` steps
    apply only where the supplier is to blame; 2.0 is double.
    """

    after: timedelta
    ratio: float
    including: bool = False
    own_fault: bool = False

    def reaches(self, lasted: timedelta) -> bool:
        """Whether an outage was long enough for this step."""
        return lasted >= self.after if self.including else lasted > self.after


@dataclass(frozen=True, slots=True)
class ResponseClock:
    """A promise: ``step`` of ``matter`` is done ``within`` a time.

    ``first_day`` and ``last_day`` bound it to a part of the season, counted from 1; both
    inclusive, None for the season's end.
    """

    matter: Matter
    step: Step
    within: timedelta
    first_day: int = 1
    last_day: int | None = None

    def runs_on(self, season_day: int | None) -> bool:
        """Whether it binds on a day of the season; out of season only whole-season clocks do."""
        if season_day is None:
            return self.last_day is None
        return self.first_day <= season_day and (
            self.last_day is None or season_day <= self.last_day
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a company's rule.

    ``season`` is (month, day) to (month, day), inclusive, across the new year.

    *When is a dwelling cold:* ``threshold_c``, ``hysteresis_k``, ``open_after``, ``close_after``,
    ``lapse_after``, ``excluded_hours``; ``upper_c`` is where it counts as overheated.
    *What makes a verdict:* ``min_covered`` of a day measured; ``binds_from_c`` is the outdoor
    temperature (mean of a day) below which the rule binds nobody. In the first ``startup_days``
    of the season cold dwellings open no tickets; unless ``startup_judged`` no verdict is given
    then either.
    *What is refunded:* ``judged_by`` the mean of a day, of ``month_readings`` readings a month or
    in unbroken stretches; ``refunds`` in any order, empty where the rule on file names none; only
    once it lasted ``refund_after``; of ``fee_base`` and ``area_base``; not for ``exclusions``;
    ``outages`` for time without any heat; settled by ``settled_by``.
    *What is promised:* ``respond_within``, ``resolve_within``, and ``clocks`` where they differ
    by matter, step or part of the season.
    """

    code: str
    valid_from: date
    threshold_c: float
    timezone: str = "Asia/Shanghai"
    hysteresis_k: float = 0.3
    open_after: timedelta = timedelta(hours=4)
    close_after: timedelta = timedelta(hours=4)
    lapse_after: timedelta = timedelta(hours=24)
    upper_c: float | None = 26.0
    excluded_hours: Hours = ()
    onsite_excluded_hours: Hours = ()
    season: tuple[MonthDay, MonthDay] = ((10, 20), (4, 20))
    startup_days: int = 3  # the time constant of a building is 45 to 101 h
    startup_judged: bool = True
    min_covered: timedelta = timedelta(hours=12)
    binds_from_c: float | None = None
    judged_by: Judgement = Judgement.DAY_MEAN
    month_readings: int = 3
    refunds: tuple[RefundStep, ...] = ()
    refund_after: timedelta = timedelta(0)
    fee_base: FeeBase = FeeBase.WHOLE
    area_base: AreaBase = AreaBase.DWELLING
    exclusions: tuple[Exclusion, ...] = ()
    outages: tuple[OutageStep, ...] = ()
    settled_by: MonthDay | None = None
    respond_within: timedelta = timedelta(minutes=30)
    resolve_within: timedelta = timedelta(hours=24)
    clocks: tuple[ResponseClock, ...] = ()
    source: str = ""
    source_zh: str = ""

    def zone(self) -> ZoneInfo:
        """The civil time zone in which days and excluded hours are counted."""
        return ZoneInfo(self.timezone)

    def counts(self, local_hour: int) -> bool:
        """Whether a local clock hour counts towards compliance."""
        return not any(start <= local_hour < end for start, end in self.excluded_hours)

    def may_read_at(self, local_hour: int) -> bool:
        """Whether an inspector's reading in a local clock hour is valid."""
        excluded = (*self.excluded_hours, *self.onsite_excluded_hours)
        return not any(start <= local_hour < end for start, end in excluded)

    def in_season(self, day: date) -> bool:
        """Whether heating is owed on a local day."""
        return self.season_day(day) is not None

    def season_day(self, day: date) -> int | None:
        """Which day of the season a local day is, counted from 1; None out of season."""
        start, end = self.season
        today = (day.month, day.day)
        across = end < start
        if not (today >= start or today <= end if across else start <= today <= end):
            return None
        year = day.year if today >= start else day.year - 1
        return (day - date(year, *start)).days + 1

    def starting_up(self, day: date) -> bool:
        """Whether a local day is one of the first of the season (requirement 25)."""
        number = self.season_day(day)
        return number is not None and number <= self.startup_days

    def local_day(self, at: datetime) -> date:
        """The local civil day of an instant."""
        return at.astimezone(self.zone()).date()

    def within(self, step: Step, day: date, matter: Matter = Matter.COLD_ROOM) -> timedelta | None:
        """What is promised for a step on a local day; None where nothing is.

        Of several clocks the shortest counts. A cold room is always answered and resolved within
        ``respond_within`` and ``resolve_within`` where no clock says otherwise.
        """
        number = self.season_day(day)
        promised = [
            clock.within
            for clock in self.clocks
            if clock.matter is matter and clock.step is step and clock.runs_on(number)
        ]
        if promised:
            return min(promised)
        if matter is not Matter.COLD_ROOM:
            return None
        return {Step.ANSWER: self.respond_within, Step.RESOLVE: self.resolve_within}.get(step)


class DayVerdict(StrEnum):
    """The ledger's word on one dwelling and one local day."""

    COMPLIANT = "compliant"
    BELOW = "below"
    UNDETERMINED = "undetermined"  # too little was measured: missing is never cold
    HELD_BACK = "held_back"  # measured, but not owed: see the reason


class HoldReason(StrEnum):
    """Why a cold dwelling opens no ticket, or a verdict is not given."""

    NONE = "none"
    OUT_OF_SEASON = "out_of_season"
    HEATING_STOPPED = "heating_stopped"
    HEATING_RESTRICTED = "heating_restricted"
    VACANT = "vacant"
    MAINTENANCE = "maintenance"
    OUTDOOR_BELOW_BINDING = "outdoor_below_binding"  # colder than the rule is made for
    START_UP = "start_up"  # the first days of the season
    TOO_FEW_READINGS = "too_few_readings"
    SENSOR_UNTRUSTED = "sensor_untrusted"
    EXPLAINED = "explained"  # a known incident above it explains it
    WAITING_FOR_PEERS = "waiting_for_peers"  # group wait: siblings may fall too
    CALL_TO_CHECK = "call_to_check"  # somebody called, and nothing else says that it is cold
    CALLED_BUT_WARM = "called_but_warm"  # somebody called, and a trusted sensor reads warm


@dataclass(frozen=True, slots=True)
class Profile:
    """A city's rule by date; the last version valid on a day applies."""

    code: str
    name: str
    name_zh: str
    versions: tuple[Policy, ...] = field(default=())

    def on(self, day: date) -> Policy:
        """The version valid on a local day.

        Raises:
            LookupError: no version is valid yet on that day.
        """
        valid = [policy for policy in self.versions if policy.valid_from <= day]
        if not valid:
            raise LookupError(f"policy {self.code} has no version valid on {day}")
        return max(valid, key=lambda policy: policy.valid_from)

    def at(self, instant: datetime) -> Policy:
        """The version that binds at an instant, by its local day.

        Raises:
            LookupError: no version is valid yet on that day.
        """
        return self.on(instant.astimezone(self.versions[0].zone()).date())
