"""Local heating rules as versioned data: thresholds, persistence, refund ladders, clocks.

A rule of a city is configuration per company, valid from a date; none is hard-coded in the
analysis. ``PROFILES`` holds starting points with their source; a company copies and edits one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class RefundStep:
    """Refund ``ratio`` of the fee below ``below_c`` °C (down to the next lower step)."""

    below_c: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a company's rule.

    Temperatures in °C, ``hysteresis_k`` in K. ``excluded_hours`` are local clock hours (start
    inclusive, end exclusive) in which readings do not count. ``season`` is (month, day) to
    (month, day), inclusive, across the new year.
    """

    code: str
    valid_from: date
    threshold_c: float
    timezone: str = "Asia/Shanghai"
    hysteresis_k: float = 0.3
    open_after: timedelta = timedelta(hours=4)
    close_after: timedelta = timedelta(hours=4)
    lapse_after: timedelta = timedelta(hours=24)
    excluded_hours: tuple[tuple[int, int], ...] = ()
    season: tuple[tuple[int, int], tuple[int, int]] = ((10, 20), (4, 20))
    min_covered: timedelta = timedelta(hours=12)
    refunds: tuple[RefundStep, ...] = ()
    respond_within: timedelta = timedelta(minutes=30)
    resolve_within: timedelta = timedelta(hours=24)
    source: str = ""

    def zone(self) -> ZoneInfo:
        """The civil time zone in which days and excluded hours are counted."""
        return ZoneInfo(self.timezone)

    def counts(self, local_hour: int) -> bool:
        """Whether a local clock hour counts towards compliance."""
        return not any(start <= local_hour < end for start, end in self.excluded_hours)

    def in_season(self, day: date) -> bool:
        """Whether heating is owed on a local day."""
        start, end = self.season
        today = (day.month, day.day)
        if start <= end:
            return start <= today <= end
        return today >= start or today <= end

    def local_day(self, at: datetime) -> date:
        """The local civil day of an instant."""
        return at.astimezone(self.zone()).date()


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
    TOO_FEW_READINGS = "too_few_readings"
    SENSOR_UNTRUSTED = "sensor_untrusted"
    EXPLAINED = "explained"  # a known incident above it explains it
    WAITING_FOR_PEERS = "waiting_for_peers"  # group wait: siblings may fall too


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


_EVER = date(2000, 1, 1)

PROFILES: dict[str, Profile] = {
    profile.code: profile
    for profile in (
        Profile(
            "heilongjiang",
            "Heilongjiang province",
            "黑龙江省",
            (
                Policy(
                    code="heilongjiang",
                    valid_from=_EVER,
                    threshold_c=18.0,
                    refunds=(RefundStep(14, 1.0), RefundStep(16, 0.5), RefundStep(18, 0.3)),
                    source="Harbin, older rule: 18 °C; 16–18: 30 %, 14–16: 50 %, below 14: all",
                ),
                Policy(
                    code="heilongjiang",
                    valid_from=date(2021, 10, 29),
                    threshold_c=20.0,
                    refunds=(RefundStep(16, 1.0), RefundStep(20, 0.5)),
                    source="Heilongjiang heating regulation of 2021-10-29: 20 °C all day",
                ),
            ),
        ),
        Profile(
            "standard-18",
            "18 °C everywhere",
            "通用18°C",
            (
                Policy(
                    code="standard-18",
                    valid_from=_EVER,
                    threshold_c=18.0,
                    refunds=(RefundStep(14, 1.0), RefundStep(18, 0.5)),
                    source="Jinan: 14–18: 50 %, below 14: all",
                ),
            ),
        ),
        Profile(
            "standard-20",
            "20 °C everywhere",
            "通用20°C",
            (
                Policy(
                    code="standard-20",
                    valid_from=_EVER,
                    threshold_c=20.0,
                    refunds=(RefundStep(16, 1.0), RefundStep(20, 0.5)),
                    source="Heilongjiang's ladder at 20 °C, without its date",
                ),
            ),
        ),
    )
}
