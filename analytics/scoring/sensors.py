"""Sensor tickets beside the sensors and gateways that lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt

import numpy as np

from analytics.scoring.said import Said
from analytics.scoring.truth import TrueFault, Truth
from hearthline.domain.findings import Cause, TicketKind
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind

LEAST_ACTING = timedelta(hours=24)
"""A lie of less than a day need not be found."""
LEAST_DRIFT_K = 0.5
"""Nor a drift that has not come this far by the end of the run: it is within the instrument's
tolerance of 0.3 K and the dwelling's own scatter."""
WEEK = timedelta(days=7)

DAILY_K, DAILY_MEMORY = 0.33, 2.5
"""What people do moves a healthy dwelling's daily mean against its peers (standard deviation), and
by how much more the variance of a trend is since neighbouring days are alike."""
STANDS_OUT = 3.0
"""Standard errors that a drift must reach within the run before anybody could tell it."""


@dataclass(frozen=True)
class Lie:
    """One thing that must be found: a sensor, or the gateway of a building, by its fault."""

    fault: int
    device_uid: str | None
    place: str


@dataclass(frozen=True)
class SensorScore:
    """Lies that are to be found and were; tickets that are right, wrong, and neither.

    ``tellable`` are the lies that readings can tell at all (``is_tellable``). ``said`` is, per
    fault, the cause that the first ticket about it gave.
    """

    lies: Sequence[Lie]
    tellable: frozenset[int]
    found: frozenset[int]
    right: int
    wrong: int
    beside: int
    said: Mapping[int, Cause]


def score(network: Network, truth: Truth, said: Sequence[Said]) -> SensorScore:
    """Compare sensor tickets with the truth."""
    tickets = [one for one in said if one.kind is TicketKind.SENSOR and not one.merged]
    uid_at = {i.place: i.uid for i in network.instruments if i.kind is DeviceKind.ROOM}
    lies = lies_of(truth)
    found: set[int] = set()
    causes: dict[int, Cause] = {}
    right = wrong = beside = 0
    for ticket in tickets:
        named = _named(ticket, uid_at)
        told = [
            n for n, lie in enumerate(lies) if _tells(ticket, named, lie, truth.faults[lie.fault])
        ]
        if told or _any_lie(ticket, named, truth):
            right += 1
        elif named and named <= truth.odd_devices:
            beside += 1
        else:
            wrong += 1
        found.update(told)
        for n in told:
            causes.setdefault(lies[n].fault, ticket.causes[0])
    tellable = frozenset(
        n for n, lie in enumerate(lies) if is_tellable(truth.faults[lie.fault], truth, network)
    )
    return SensorScore(lies, tellable, frozenset(found), right, wrong, beside, causes)


def lies_of(truth: Truth) -> list[Lie]:
    """What must be found: what acts for a day within the run, drifts that come far enough."""
    lies: list[Lie] = []
    for number, fault in enumerate(truth.faults):
        if not fault.of_sensor or not _long_enough(fault, truth):
            continue
        if fault.cause is Cause.GATEWAY_OUTAGE:
            lies += [Lie(number, None, place) for place in fault.places]
        else:
            lies += [
                Lie(number, uid, place)
                for uid, place in zip(fault.devices, fault.places, strict=False)
            ]
    return lies


def _long_enough(fault: TrueFault, truth: Truth) -> bool:
    end = min(fault.end_at or truth.end, truth.end)
    if end - max(fault.onset_at, truth.start) < LEAST_ACTING:
        return False
    if fault.cause is Cause.SENSOR_DRIFT:
        return abs(fault.severity) * ((end - fault.onset_at) / WEEK) >= LEAST_DRIFT_K
    return True


def is_tellable(fault: TrueFault, truth: Truth, network: Network) -> bool:
    """Whether the readings of the run can tell a lie from what people do.

    A drift by its trend within the run, whatever it had come to before: its error follows from how
    daily means scatter. An exchange of two sensors by the step between the two rooms, so not one
    from before the run, nor one of rooms that are alike.
    """
    begins = max(fault.onset_at, truth.start)
    ends = min(fault.end_at or truth.end, truth.end)
    if fault.cause is Cause.SENSOR_DRIFT:
        days = (ends - begins) / timedelta(days=1)
        error_k_day = DAILY_K * sqrt(12.0 * DAILY_MEMORY / days**3)
        return abs(fault.severity) / 7.0 >= STANDS_OUT * error_k_day
    if fault.cause is Cause.SENSOR_SWAPPED:
        at = truth.hour(fault.onset_at)
        units = [network.index[place] for place in fault.places]
        rooms = truth.room_c[units, max(0, at - 3) : at + 3].mean(axis=1)
        return fault.onset_at > truth.start and float(np.ptp(rooms)) >= LEAST_DRIFT_K
    return True


def _named(ticket: Said, uid_at: Mapping[str, str]) -> frozenset[str]:
    """The sensors that a ticket is about."""
    if ticket.device_uid is not None and ticket.causes[0] is not Cause.SENSOR_SWAPPED:
        return frozenset((ticket.device_uid,))
    own = {ticket.device_uid} if ticket.device_uid is not None else set()
    at_places = {uid_at[code] for code in {*ticket.members, ticket.place} if code in uid_at}
    return frozenset(own | at_places)


def _tells(ticket: Said, named: frozenset[str], lie: Lie, fault: TrueFault) -> bool:
    """Whether a ticket tells a lie."""
    if not fault.to_blame(ticket.opened_at):
        return False
    if lie.device_uid is None:
        return ticket.causes[0] is Cause.GATEWAY_OUTAGE and ticket.place == lie.place
    return ticket.causes[0] is not Cause.GATEWAY_OUTAGE and lie.device_uid in named


def _any_lie(ticket: Said, named: frozenset[str], truth: Truth) -> bool:
    """Whether a ticket is about any fault of a sensor, however short or small."""
    for fault in truth.faults:
        if not fault.of_sensor or not fault.to_blame(ticket.opened_at):
            continue
        if fault.cause is Cause.GATEWAY_OUTAGE:
            if ticket.causes[0] is Cause.GATEWAY_OUTAGE and ticket.place in fault.places:
                return True
        elif ticket.causes[0] is not Cause.GATEWAY_OUTAGE and named & set(fault.devices):
            return True
    return False
