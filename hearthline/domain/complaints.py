"""What people say of their homes: a call that it is cold, and how far a call is to be believed.

A call is an observation, not a truth: some who are cold never phone, and a few who are warm do.
The table below says how often, so that analysis can weigh a call beside what sensors say; the
simulated households phone by a model of their own (``simulators.calls``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Channel(StrEnum):
    """How a complaint came in (requirement 35: one queue for all of them)."""

    PHONE = "phone"
    COUNTER = "counter"
    WEB = "web"
    WECHAT = "wechat"
    HOTLINE = "hotline"  # the city's, 12345
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Complaint:
    """Somebody said at ``at`` that the dwelling ``place`` is cold.

    ``caller`` is who called, as they gave it; ``by`` who took the call.
    """

    place: str
    at: datetime
    note: str = ""
    channel: Channel = Channel.PHONE
    caller: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class CallRules:
    """How a call counts. All chances are of a household, over ``counts_for``.

    Attributes:
        counts_for: for how long after its last call a dwelling without a trusted sensor is taken
            for cold. Who is still cold calls again within three days more likely than not.
        repeat_within: calls of one dwelling within it are repeats; the week is the one in which
            repeat complaints are counted (requirement 32).
        apart: calls closer to each other than this are one call: somebody was put through again.
        warm_a_day: calls a day from a home that is not cold. In a northern city 5 to 10 % of
            households call in a season of 150 days, and two in five of those requests are found to
            be on the customer's side (requirement 19), most of them with a warm room: 3 % a season.
        cold: the chance that somebody below a fault calls, and how likely each is: a new or a mild
            fault makes few call, a deep one that lasts makes half of them.
        warm_again: the chance that somebody who called from a warm home calls once more within
            ``repeat_within``: who is told that the rooms are warm rarely insists. From a cold home
            it follows from ``cold``: six in ten on average.
        beside_unheated: the chance that a heated dwelling beside an unheated one is cold: it lies
            1 to 3 K under its fellows (domain facts, section 3), which stand 1 to 3 K above the
            standard.
        sure: a crew is sent where nine in ten find it cold; below that the agent calls back.
    """

    counts_for: timedelta
    repeat_within: timedelta
    apart: timedelta
    warm_a_day: float
    cold: Mapping[float, float]
    warm_again: float
    beside_unheated: float
    sure: float

    @property
    def warm(self) -> float:
        """The chance that a household that is not cold calls within ``counts_for``."""
        return self.warm_a_day * (self.counts_for / timedelta(days=1))


RULES = CallRules(
    counts_for=timedelta(hours=72),
    repeat_within=timedelta(days=7),
    apart=timedelta(hours=6),
    warm_a_day=2e-4,
    cold={0.05: 0.3, 0.2: 0.4, 0.5: 0.3},
    warm_again=0.15,
    beside_unheated=0.3,
    sure=0.9,
)
