"""Where and when heat is owed, and if not, why: one small number for every dwelling and hour.

Pure. The reasons are a list (``REASONS``); of several that apply the first in the list is told.
Whole hours are held back, since the hour is the atom of compliance: a window of ten minutes takes
its hour. Three decisions:

*After a window the persistence counts from scratch.* A room that cooled while the pumps stood
still needs time to come back; what is cold for ``open_after`` after that is a fault of its own.

*The outdoor binding value is compared with the mean of 24 hours*, because a design outdoor
temperature is defined for daily means (GB 50736-2012, 4.1.2). Where less than half of them were
measured nothing is known, and heat stays owed.

*Start-up holds back tickets, not verdicts*, unless the policy says so: the standard is owed from
the first day, but then half of all calls are "not on yet" (requirement 25).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.signs import Signal
from hearthline.domain.maintenance import Window
from hearthline.domain.network import Network
from hearthline.domain.places import HeatingStatus
from hearthline.domain.policies import HoldReason, Policy, Profile

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Reasons = NDArray[np.int8]

HOUR = timedelta(hours=1)
DAY_HOURS = 24
LONGEST_YEAR = 366
KNOWN_HOURS = 12  # of the last 24, below which nothing is said of the outdoors

REASONS: tuple[HoldReason, ...] = (
    HoldReason.NONE,
    HoldReason.OUT_OF_SEASON,
    HoldReason.HEATING_STOPPED,
    HoldReason.HEATING_RESTRICTED,
    HoldReason.VACANT,
    HoldReason.MAINTENANCE,
    HoldReason.OUTDOOR_BELOW_BINDING,
    HoldReason.START_UP,
)
"""What the numbers mean; 0 is *heat is owed*. The earlier reason wins."""

NUMBER: Mapping[HoldReason, int] = {reason: number for number, reason in enumerate(REASONS)}

STATUS_REASON: Mapping[HeatingStatus, HoldReason] = {
    HeatingStatus.STOPPED: HoldReason.HEATING_STOPPED,
    HeatingStatus.RESTRICTED: HoldReason.HEATING_RESTRICTED,
    HeatingStatus.VACANT: HoldReason.VACANT,
}


def reasons(
    network: Network,
    policies: Sequence[Policy],
    windows: Iterable[Window],
    outdoor_mean_c: Floats | None,
    start: datetime,
) -> Reasons:
    """Why heat is not owed, as (dwellings, hours) indices into ``REASONS``; 0 where it is.

    ``policies`` has one a hour from ``start`` on (``policies_by_hour``), ``outdoor_mean_c`` the
    mean outdoor temperature of 24 h in °C for the same hours (``day_means``; NaN or None where
    not known). Dwellings are in the network's order. Cost: one pass over the matrix, and one
    slice a status and window.
    """
    found = np.zeros((len(network.dwellings), len(policies)), np.int8)
    days = _days(policies, start)
    cold = _too_cold(policies, outdoor_mean_c)
    starting = [policy.starting_up(day) for policy, day in zip(policies, days, strict=True)]
    summer = [not policy.in_season(day) for policy, day in zip(policies, days, strict=True)]
    # Painted from the weakest reason to the strongest.
    found[:, np.array(starting, bool)] = NUMBER[HoldReason.START_UP]
    found[:, cold] = NUMBER[HoldReason.OUTDOOR_BELOW_BINDING]
    for window in windows:
        if window.place in network.nodes and window.until > window.since:
            hours = _hours(start, len(policies), window.since, window.until)
            found[network.below(window.place), hours] = NUMBER[HoldReason.MAINTENANCE]
    _paint_statuses(found, network, start)
    found[:, np.array(summer, bool)] = NUMBER[HoldReason.OUT_OF_SEASON]
    return found


def _days(policies: Sequence[Policy], start: datetime) -> list[date]:
    return [policy.local_day(start + hour * HOUR) for hour, policy in enumerate(policies)]


def _paint_statuses(found: Reasons, network: Network, start: datetime) -> None:
    for code, periods in network.statuses.items():
        unit = network.index.get(code)
        for period in periods if unit is not None else ():
            reason = STATUS_REASON.get(period.status)
            if reason is not None:
                hours = _hours(start, found.shape[1], period.since, period.until)
                found[unit, hours] = NUMBER[reason]


def _hours(start: datetime, count: int, since: datetime, until: datetime | None) -> slice:
    """The hours of a window that a stretch of time touches."""
    first = max(0, int((since - start) // HOUR))
    last = count if until is None else min(count, -int((start - until) // HOUR))
    return slice(first, max(first, last))


def _too_cold(policies: Sequence[Policy], outdoor_mean_c: Floats | None) -> Bools:
    """Hours before which 24 h were colder outdoors, on the mean, than the rule binds."""
    binding = np.array(
        [-np.inf if p.binds_from_c is None else p.binds_from_c for p in policies], np.float64
    )
    if outdoor_mean_c is None or np.isneginf(binding).all():
        return np.zeros(len(policies), bool)
    with np.errstate(invalid="ignore"):
        colder: Bools = outdoor_mean_c < binding
    return colder


def day_means(hourly: Floats) -> Floats:
    """The mean of the 24 hours that end with each hour, (hours,); NaN where half are unknown.

    At the beginning of a series shorter stretches of at least twelve known hours count.
    """
    known = ~np.isnan(hourly)
    total = _trailing(np.where(known, hourly, 0.0))
    count = _trailing(known.astype(np.float64))
    means: Floats = np.full(len(hourly), np.nan)
    np.divide(total, count, out=means, where=count >= KNOWN_HOURS)
    return means


def _trailing(series: Floats) -> Floats:
    summed = np.concatenate([np.zeros(1), np.cumsum(series)])
    before = np.maximum(np.arange(1, len(summed)) - DAY_HOURS, 0)
    trailing: Floats = summed[1:] - summed[before]
    return trailing


def policies_by_hour(profile: Profile, start: datetime, hours: int) -> list[Policy]:
    """The version of a rule that binds in each hour, by its local day.

    Raises:
        LookupError: no version is valid yet on one of those days.
    """
    zone = profile.versions[0].zone()
    of_day: dict[date, Policy] = {}
    found = []
    for hour in range(hours):
        day = (start + hour * HOUR).astimezone(zone).date()
        if day not in of_day:
            of_day[day] = profile.on(day)
        found.append(of_day[day])
    return found


def heeded(
    signals: Iterable[Signal],
    profile: Profile,
    windows: Sequence[Window] = (),
    path_of: Mapping[str, str] | None = None,
) -> list[Signal]:
    """The meters' signs while heat is due, as if those from before had begun with it.

    Out of season pumps stand and pipes are emptied and filled, in the first days all is below its
    curve, and works stop what they work on. What still shows when that is over is told then.
    ``path_of`` are the paths of places by code; without it works hold back nothing.
    """
    zone = profile.versions[0].zone()
    first_due = _FirstDue(profile)
    found = []
    for sign in signals:
        since = _after_works(sign, windows, path_of or {})
        day = since.astimezone(zone).date()
        if first_due[day] != day:
            since = datetime.combine(first_due[day], time.min, zone).astimezone(since.tzinfo)
        if since == sign.since:
            found.append(sign)
        elif sign.until is None or since < sign.until:
            found.append(replace(sign, since=since))
    return found


def due_on(profile: Profile, instants: Iterable[datetime]) -> list[bool]:
    """Whether heat was due at instants, past the start-up: what people say before is "not yet"."""
    zone = profile.versions[0].zone()
    first_due = _FirstDue(profile)
    days = (at.astimezone(zone).date() for at in instants)
    return [first_due[day] == day for day in days]


def _after_works(sign: Signal, windows: Sequence[Window], path_of: Mapping[str, str]) -> datetime:
    """When a sign began, or when the works at its place or above it ended that it began in."""
    since = sign.since
    path = path_of.get(sign.place, "")
    for window in sorted(windows, key=lambda one: one.since):
        above = path_of.get(window.place)
        if above and path.startswith(above) and window.since <= since < window.until:
            since = window.until
    return since


class _FirstDue(dict[date, date]):
    """The first local day from one on that is in a season and past its start-up.

    Of before any rule was valid, the first one tells.
    """

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self._profile = profile
        self._earliest = min(policy.valid_from for policy in profile.versions)

    def __missing__(self, day: date) -> date:
        self[day] = self._from(day)
        return self[day]

    def _from(self, day: date) -> date:
        for later in range(LONGEST_YEAR):
            at = day + timedelta(days=later)
            policy = self._profile.on(max(at, self._earliest))
            if policy.in_season(at) and not policy.starting_up(at):
                return at
        return day


def for_verdicts(found: Reasons, policies: Sequence[Policy]) -> Reasons:
    """The same matrix for the compliance ledger, which judges start-up where the rule says so."""
    judged = np.array([policy.startup_judged for policy in policies], bool)
    starting = (found == NUMBER[HoldReason.START_UP]) & judged[np.newaxis, :]
    return np.where(starting, np.int8(0), found)


def held(network: Network, column: Reasons, below: Bools) -> dict[str, HoldReason]:
    """Dwellings that are cold without heat being owed, with the reason of each.

    ``column`` is one hour of ``reasons``, ``below`` whether a dwelling's last known level lies
    under the standard; both (dwellings,).
    """
    units = np.flatnonzero(below & (column > 0))
    return {network.dwellings[int(unit)].code: REASONS[int(column[unit])] for unit in units}


def instants(found: Reasons, start: datetime) -> list[datetime]:
    """When the reason of any dwelling changed: both ends of every window, status and season.

    What is held back is to be judged again at each.
    """
    changed = np.flatnonzero((found[:, 1:] != found[:, :-1]).any(axis=0))
    return [start + (int(hour) + 1) * HOUR for hour in changed]
