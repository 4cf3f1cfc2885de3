"""What heat meters say about the pipes: signs, on a grid of five-minute slots.

A sign is a fact of the instruments that a heating engineer would act on, with the rule of thumb
of the domain facts (section 3): circulation stopped; supply colder than return; a branch that
gets much less flow than it used to while its return runs cold.

Signs are judged from a window of slots and never from what was judged before, so that the same
rows give the same signs. A slot without readings keeps the last word for ``HOLD_SLOTS`` and is
then silent: a dead meter raises no alarm and clears none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SLOT = timedelta(minutes=5)
PER_HOUR = 12
HOLD_SLOTS = 6

STOPPED_SHARE = 0.15  # of the flow that circulated before
STOPPED_SLOTS = 2
NEGATIVE_K = -1.0  # supply minus return; class-2 pairs of probes are good to 0.3 K
NEGATIVE_SLOTS = PER_HOUR
LOW_SHARE = 0.72  # of the share of the station's flow that the branch used to get
LOW_SLOTS = 2 * PER_HOUR
RETURN_SHORT_K = 2.0  # low flow cools the water further than at the branch's peers


class Sign(StrEnum):
    """What a meter can be seen to say."""

    FLOW_STOPPED = "flow_stopped"
    DELTA_NEGATIVE = "delta_negative"
    FLOW_LOW = "flow_low"


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
    flow_m3h: float
    before_m3h: float
    supply_c: float
    return_c: float
    peers_return_c: float

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
    low = _low_branches(slots, quiet)
    signals = [
        *_signals(Sign.FLOW_STOPPED, stopped, slots, before),
        *_signals(Sign.DELTA_NEGATIVE, negative, slots, before),
        *_signals(Sign.FLOW_LOW, low, slots, before),
    ]
    return sorted(signals, key=lambda s: (s.since, s.place, s.sign))


def _usual_flow(flow: Floats) -> Floats:
    """The flow each meter had when it last ran as usual: running maximum of its hourly medians."""
    hourly = _trailing_median(flow, PER_HOUR)
    filled = np.where(np.isnan(hourly), -np.inf, hourly)
    usual = np.maximum.accumulate(filled, axis=1)
    return np.where(np.isinf(usual), np.nan, usual)


def _low_branches(slots: MeterSlots, quiet: Bools) -> Bools:
    """Branches whose share of the station's flow fell, with a return colder than their peers'."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(quiet, np.nan, slots.flow_m3h / slots.flow_m3h[0])
    usual = _usual_flow(share)
    short = _peer_return(slots) - slots.return_c
    low = (share < LOW_SHARE * usual) & (short > RETURN_SHORT_K)
    low[0] = False
    return _sustained(low, share, LOW_SLOTS)


def _peer_return(slots: MeterSlots) -> Floats:
    """Median return of the branches, (slots,); one row broadcast over all."""
    branches = slots.return_c[1:]
    peers = np.full(slots.return_c.shape[1], np.nan)
    if len(branches):
        known = ~np.isnan(branches).all(axis=0)
        peers[known] = np.nanmedian(branches[:, known], axis=0)
    return peers


def _trailing_median(series: Floats, width: int) -> Floats:
    pad = np.full((series.shape[0], width - 1), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([pad, series], axis=1), width, axis=1
    )
    known = ~np.isnan(windows).all(axis=2)
    median = np.full(series.shape, np.nan)
    median[known] = np.nanmedian(windows[known], axis=1)
    return median


def _sustained(condition: Bools, known_by: Floats, slots: int) -> Bools:
    """Where a condition has held for ``slots`` known slots in a row; gaps neither add nor end."""
    count = np.zeros(condition.shape[0], np.int64)
    gap = np.zeros(condition.shape[0], np.int64)
    result = np.zeros(condition.shape, bool)
    for slot in range(condition.shape[1]):
        known = ~np.isnan(known_by[:, slot])
        gap = np.where(known, 0, gap + 1)
        count = np.where(known, np.where(condition[:, slot], count + 1, 0), count)
        count[gap > HOLD_SLOTS] = 0
        result[:, slot] = count >= slots
    return result


def _hold(series: Bools) -> Bools:
    """A stop casts its shadow two slots back: the flow was falling before it was called a stop."""
    shadow = series.copy()
    for back in range(1, STOPPED_SLOTS + 1):
        shadow[:-back] |= series[back:]
    return shadow


def _signals(sign: Sign, mask: Bools, slots: MeterSlots, before: Floats) -> list[Signal]:
    peers = _peer_return(slots)
    found = []
    for row in np.flatnonzero(mask.any(axis=1)):
        edges = np.diff(np.concatenate([[False], mask[row], [False]]).astype(np.int8))
        starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        for first, stop in zip(starts, stops, strict=True):
            until = None if stop == mask.shape[1] else slots.start + (int(stop) + 1) * SLOT
            found.append(
                Signal(
                    sign,
                    slots.places[row],
                    slots.start + (int(first) + 1) * SLOT,
                    until,
                    _last(slots.flow_m3h[row, :stop]),
                    _last(before[row, : first + 1]),
                    _last(slots.supply_c[row, :stop]),
                    _last(slots.return_c[row, :stop]),
                    _last(peers[:stop]),
                )
            )
    return found


def _last(series: Floats) -> float:
    known = series[~np.isnan(series)]
    return float(known[-1]) if len(known) else float("nan")
