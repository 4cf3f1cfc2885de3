"""What heat meters say at once: signs on a grid of five-minute slots.

A sign is a fact of the instruments that a heating engineer would act on, with the rule of thumb
of the domain facts (section 3). Here: circulation stopped; supply colder than return. What takes
hours to show is told by ``analytics.plant``.

Signs are judged from a window of slots and never from what was judged before, so that the same
rows give the same signs. A slot without readings keeps the last word for ``HOLD_SLOTS`` and is
then silent: a dead meter raises no alarm and clears none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analytics.robust import median
from hearthline.domain.findings import Cause

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SLOT = timedelta(minutes=5)
PER_HOUR = 12
HOLD_SLOTS = 6

STOPPED_SHARE = 0.15  # of the flow that circulated before
STOPPED_SLOTS = 2
NEGATIVE_K = -1.0  # supply minus return; class-2 pairs of probes are good to 0.3 K
NEGATIVE_SLOTS = PER_HOUR


class Sign(StrEnum):
    """What a meter can be seen to say."""

    FLOW_STOPPED = "flow_stopped"
    DELTA_NEGATIVE = "delta_negative"
    FLOW_LOW = "flow_low"
    FLOWS_SHIFTED = "flows_shifted"
    SOURCE_SHORT = "source_short"
    SUPPLY_LOW = "supply_low"
    APPROACH_HIGH = "approach_high"
    MAKEUP_HIGH = "makeup_high"


SIGNS_OF: Mapping[Cause, frozenset[Sign]] = {
    Cause.SOURCE_SHORTAGE: frozenset({Sign.SOURCE_SHORT}),
    Cause.CONTROL_CURVE: frozenset({Sign.SUPPLY_LOW}),
    Cause.PUMP_TRIP: frozenset({Sign.FLOW_STOPPED}),
    Cause.EXCHANGER_FOULED: frozenset({Sign.APPROACH_HIGH}),
    Cause.STRAINER_CLOGGED: frozenset({Sign.FLOW_LOW}),
    Cause.LEAK: frozenset({Sign.MAKEUP_HIGH}),
    Cause.PIPES_SWAPPED: frozenset({Sign.DELTA_NEGATIVE, Sign.FLOW_LOW}),
    Cause.HYDRAULIC_IMBALANCE: frozenset({Sign.FLOWS_SHIFTED}),
    Cause.VERTICAL_IMBALANCE: frozenset({Sign.FLOW_LOW}),
}
"""The signs by which a cause shows as long as it lasts."""


@dataclass(frozen=True, slots=True)
class MeterSlots:
    """Slot means of the meters of one station's secondary side, arrays (meters, slots), NaN = none.

    Row 0 is the station's own secondary meter; the others are branches. ``places`` names the
    place of each row, ``expected_m3h`` the flow its heated area would need at design.
    """

    start: datetime
    places: tuple[str, ...]
    expected_m3h: Floats
    flow_m3h: Floats
    supply_c: Floats
    return_c: Floats


@dataclass(frozen=True, slots=True)
class Signal:
    """A sign at a place from ``since`` to ``until`` (None: still there), with its numbers."""

    sign: Sign
    place: str
    since: datetime
    until: datetime | None
    values: Mapping[str, float] = field(default_factory=dict)

    def holds(self, at: datetime) -> bool:
        """Whether the sign is there at an instant."""
        return self.since <= at and (self.until is None or at < self.until)


def expected_flow(area_m2: float) -> float:
    """Circulating flow in m³/h that a heated area needs at design, a floor for "what is usual".

    45 W/m² at a temperature difference of 25 K (domain facts, section 1: network figures), with
    1.14 kWh/(m³·K).
    """
    return area_m2 * 0.045 / (1.14 * 25)


def read(slots: MeterSlots) -> list[Signal]:
    """All signs in a window, by the time they began."""
    before = np.fmax(_usual_flow(slots.flow_m3h), slots.expected_m3h[:, None])
    stopped = _sustained(slots.flow_m3h < STOPPED_SHARE * before, slots.flow_m3h, STOPPED_SLOTS)
    stopped[1:] = False  # only the station's meter tells whether the pump runs
    quiet = _hold(stopped[0])
    delta = slots.supply_c - slots.return_c
    negative = _sustained(delta < NEGATIVE_K, delta, NEGATIVE_SLOTS) & ~quiet
    signals = [
        *_signals(Sign.FLOW_STOPPED, stopped, slots, before),
        *_signals(Sign.DELTA_NEGATIVE, negative, slots, before),
    ]
    return sorted(signals, key=lambda s: (s.since, s.place, s.sign))


def _usual_flow(flow: Floats) -> Floats:
    """The flow each meter had when it last ran as usual: running maximum of its hourly medians."""
    hourly = _trailing_median(flow, PER_HOUR)
    filled = np.where(np.isnan(hourly), -np.inf, hourly)
    usual = np.maximum.accumulate(filled, axis=1)
    return np.where(np.isinf(usual), np.nan, usual)


def _trailing_median(series: Floats, width: int) -> Floats:
    pad = np.full((series.shape[0], width - 1), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([pad, series], axis=1), width, axis=1
    )
    return median(windows, axis=2)


def _sustained(condition: Bools, known_by: Floats, slots: int) -> Bools:
    """Where a condition has held for ``slots`` known slots in a row; gaps neither add nor end."""
    known = ~np.isnan(known_by)
    slot = np.arange(known.shape[1])
    last = np.maximum.accumulate(np.where(known, slot, -HOLD_SLOTS - 1), axis=1)
    begins_anew = (known & ~condition) | (slot - last > HOLD_SLOTS)
    held = np.cumsum(condition & known, axis=1)
    before = np.maximum.accumulate(np.where(begins_anew, held, 0), axis=1)
    return np.asarray(held - before >= slots)


def _hold(series: Bools) -> Bools:
    """A stop casts its shadow two slots back: the flow was falling before it was called a stop."""
    shadow = series.copy()
    for back in range(1, STOPPED_SLOTS + 1):
        shadow[:-back] |= series[back:]
    return shadow


def _signals(sign: Sign, mask: Bools, slots: MeterSlots, before: Floats) -> list[Signal]:
    found = []
    for row in np.flatnonzero(mask.any(axis=1)):
        edges = np.diff(np.concatenate([[False], mask[row], [False]]).astype(np.int8))
        starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        for first, stop in zip(starts, stops, strict=True):
            until = None if stop == mask.shape[1] else slots.start + (int(stop) + 1) * SLOT
            values = {
                "flow_m3h": _last(slots.flow_m3h[row, :stop]),
                "before_m3h": _last(before[row, : first + 1]),
                "supply_c": _last(slots.supply_c[row, :stop]),
                "return_c": _last(slots.return_c[row, :stop]),
            }
            at = slots.start + (int(first) + 1) * SLOT
            found.append(Signal(sign, slots.places[row], at, until, values))
    return found


def _last(series: Floats) -> float:
    known = series[~np.isnan(series)]
    return float(known[-1]) if len(known) else float("nan")
