"""What was said: incidents and daily verdicts, in one shape for us and for the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.offline import Analysed, Incident, causes_of
from hearthline.domain.findings import Cause, TicketKind
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind
from hearthline.storage.columns import Columns

HOUR = timedelta(hours=1)
ALARM_AFTER_S = 2 * 3600
"""The baseline's patience."""
SILENT_S = 3600.0
"""A sensor that says nothing for longer ends its alarm: nobody knows."""


@dataclass(frozen=True)
class Said:
    """One incident as it was said, at its end; ``causes`` best first, ``cold`` all it ever held.

    ``merged``: it was found to be part of another one, and is a ticket but no incident.
    """

    kind: TicketKind
    place: str
    causes: tuple[Cause, ...]
    opened_at: datetime
    closed_at: datetime | None
    cold: frozenset[str]
    members: frozenset[str]
    device_uid: str | None = None
    merged: bool = False


@dataclass(frozen=True)
class SaidDay:
    """The word on a dwelling's local day: ``below`` the standard or not, over ``hours`` of the run.

    ``minutes`` (a value for each of ``hours``) is how long its sensor spoke in them.
    """

    code: str
    below: bool
    hours: NDArray[np.int64]
    minutes: NDArray[np.float64]


def ours(analysed: Analysed) -> list[Said]:
    """What our analysis said."""
    return [_said(one) for one in analysed.incidents]


def _said(one: Incident) -> Said:
    return Said(
        one.kind,
        one.last.place,
        causes_of(one.last),
        one.opened_at,
        one.closed_at,
        frozenset(one.cold),
        frozenset(one.members),
        one.first.device_uid,
        one.merged_into is not None,
    )


def alarms(readings: Columns, network: Network, threshold_c: float) -> list[Said]:
    """The baseline: one alarm per sensor that has been below the threshold for two hours.

    ``readings`` are usable and in order of device and time (see ``rolling.first_of_each``).
    """
    places = {i.id: i.place for i in network.instruments if i.kind is DeviceKind.ROOM}
    time_s = readings.times / 1e6
    below = readings.values["temperature_c"] < threshold_c
    new = np.ones(len(time_s), bool)
    new[1:] = (readings.devices[1:] != readings.devices[:-1]) | (np.diff(time_s) > SILENT_S)
    starts = np.flatnonzero(below & (new | ~np.r_[False, below[:-1]]))
    ends = np.flatnonzero(below & (np.r_[new[1:], True] | ~np.r_[below[1:], False]))
    raised = []
    for first, last in zip(starts, ends, strict=True):
        if time_s[last] - time_s[first] < ALARM_AFTER_S:
            continue
        place = places.get(int(readings.devices[first]))
        if place is not None:
            raised.append(_alarm(place, float(time_s[first]), float(time_s[last])))
    return sorted(raised, key=lambda one: (one.opened_at, one.place))


def _alarm(place: str, first_s: float, last_s: float) -> Said:
    from datetime import UTC

    cold = frozenset((place,))
    return Said(
        TicketKind.SUPPLY,
        place,
        (Cause.UNDETERMINED,),
        datetime.fromtimestamp(first_s + ALARM_AFTER_S, UTC),
        datetime.fromtimestamp(last_s, UTC),
        cold,
        cold,
    )


def alarm_days(days: Sequence[SaidDay], raised: Sequence[Said], start: datetime) -> list[SaidDay]:
    """The baseline's word on the same days: below where an alarm stood."""
    standing: dict[str, list[tuple[float, float]]] = {}
    for one in raised:
        first = (one.opened_at - start) / HOUR
        last = ((one.closed_at or one.opened_at) - start) / HOUR
        for code in one.cold:
            standing.setdefault(code, []).append((first, last))
    return [
        SaidDay(
            day.code,
            any(
                first < day.hours[-1] + 1 and last >= day.hours[0]
                for first, last in standing.get(day.code, ())
            ),
            day.hours,
            day.minutes,
        )
        for day in days
    ]
