"""What is said at the door: which readings are doubtful, which cannot be kept, and when they were.

Nothing impossible is dropped: a reading beyond the limits is stored as it was said, under a flag
that keeps it out of everything that is computed. Refused, into a dead letter with its reason, is
only what has no place: no number, or no believable time.

The rules are the list ``CHECKS``, asked in order over a whole column at once.

**Clocks.** A device may be a little ahead; beyond the tolerance, or before the oldest accepted
instant, its clock is wrong. Where every reading of a device in a message has such a time, the
newest of them was measured just now and the others as long before it as the device says: they are
dated so and flagged CLOCK_WRONG. Where only some have, among believable ones, these are refused:
that is damage, not a clock. So are a device's memories (HISTORY) and retained messages, of which
nobody knows when they were measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from msgspec.structs import replace

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import LIMITS, PRINCIPAL, Quality, Reading, RejectReason
from hearthline.storage.columns import (
    Bools,
    Columns,
    Floats,
    Ints,
    KnownDevice,
    columns_of,
    instant,
    micros,
)
from ingest.formats.quantities import ESSENTIAL

AHEAD_AFTER = timedelta(seconds=1)
"""A clock this little ahead is ordinary jitter and not worth a flag."""

LOW_BATTERY_PCT = 10.0
UNSTORABLE = 1e37
"""Beyond what a float4 holds; no quantity of ours comes near."""

POWER_UP_C = 85.0
SENTINELS: dict[float, str] = {
    POWER_UP_C: "what a DS18B20 says at power-up",
    127.0: "0x7F, what a chip says for no value",
    127.5: "0xFF / 2, what a chip says for no value",
    -127.0: "what a DS18B20 library says when the probe is gone",
    255.0: "0xFF, what a chip says for no value",
    327.67: "0x7FFF / 100, what a chip says for no value",
    -327.68: "0x8000 / 100, what a chip says for no value",
    655.35: "0xFFFF / 100, what a chip says for no value",
    3276.7: "0x7FFF / 10, what a chip says for no value",
    -3276.8: "0x8000 / 10, what a chip says for no value",
    6553.5: "0xFFFF / 10, what a chip says for no value",
}
"""Temperatures that mean "none". In a room all are impossible. In a heat meter 85 and 127 °C are
not, and count as sentinels only where both of its probes say the same."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What acceptance depends on besides the reading."""

    oldest: datetime
    clock_tolerance: timedelta


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reading is not kept."""

    reason: RejectReason
    detail: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where readings come from, arrays of shape ``(n,)``: the number of their message in the
    batch, and whether the broker had kept it as retained."""

    message: Ints
    retained: Bools


Refusals = Iterator[tuple[int, Refusal]]
"""Rows that cannot be kept, with the reason."""

Check = Callable[[Columns, Origin, Rules], Refusals]


def judge(lot: Columns, origin: Origin, rules: Rules) -> dict[int, Refusal]:
    """Flag and date the readings of ``lot`` in place; the rows that cannot be kept, with why."""
    refused: dict[int, Refusal] = {}
    for check in CHECKS:
        for row, refusal in check(lot, origin, rules):
            refused.setdefault(row, refusal)
    return refused


def accept(
    readings: Sequence[Reading], received_at: datetime, rules: Rules, *, retained: bool = False
) -> list[Reading | Refusal]:
    """The readings of one message as they are to be stored, or why not; for tests and tools.

    Readings of one device share a clock, see above.
    """
    answers: list[Reading | Refusal] = list(readings)
    uids = {uid: n for n, uid in enumerate(dict.fromkeys(one.device_uid for one in readings))}
    for kind in {reading.kind for reading in readings}:
        rows = [n for n, reading in enumerate(readings) if reading.kind is kind]
        chosen = [readings[n] for n in rows]
        devices = [KnownDevice(uids[one.device_uid], kind, 1200) for one in chosen]
        lot = columns_of(kind, devices, chosen, received_at)
        origin = Origin(np.zeros(len(rows), np.int64), np.full(len(rows), retained))
        refused = judge(lot, origin, rules)
        for row, n in enumerate(rows):
            answers[n] = refused.get(row) or replace(
                readings[n], time=instant(lot.times[row]), quality=Quality(int(lot.quality[row]))
            )
    return answers


# ── checks ──────────────────────────────────────────────────────────────────────────────


def storable(lot: Columns, _origin: Origin, _rules: Rules) -> Refusals:
    """Every quantity is a number that a column can hold, and the essential one is there."""
    essential = ESSENTIAL[lot.kind]
    if essential is not None:
        for row in np.flatnonzero(np.isnan(lot.values[essential])):
            yield int(row), Refusal(RejectReason.NOT_A_NUMBER, f"{essential} is no number")
    for name, column in lot.values.items():
        for row in np.flatnonzero(np.abs(column) > UNSTORABLE):
            if np.isinf(column[row]):
                yield int(row), Refusal(RejectReason.NOT_A_NUMBER, f"{name} is {column[row]}")
            else:
                detail = f"{name} is {column[row]:g}, more than can be stored"
                yield int(row), Refusal(RejectReason.OUT_OF_RANGE, detail)


def within_limits(lot: Columns, _origin: Origin, _rules: Rules) -> Refusals:
    """What a reading is about, and what stands beside it, is possible."""
    for name, column in lot.values.items():
        low, high = LIMITS[name]
        impossible = (column < low) | (column > high)
        if impossible.any():
            about = name in PRINCIPAL[lot.kind]
            flag = Quality.OUT_OF_RANGE if about else Quality.BESIDE_OUT_OF_RANGE
            lot.quality[impossible] |= int(flag)
    yield from ()


def no_sentinels(lot: Columns, _origin: Origin, _rules: Rules) -> Refusals:
    """No temperature is what a chip says for "no value"."""
    if lot.kind is DeviceKind.METER:
        supply, back = lot.values["supply_c"], lot.values["return_c"]
        said = np.where(supply == back, supply, np.nan)
    else:
        said = lot.values["temperature_c" if lot.kind is DeviceKind.ROOM else "outdoor_c"]
    none = np.isin(said, _SENTINELS)
    if none.any():
        lot.quality[none] |= int(Quality.SENTINEL)
        lot.quality[said == POWER_UP_C] |= int(Quality.POWER_UP)
    yield from ()


_SENTINELS = np.array(list(SENTINELS))


def battery_lasts(lot: Columns, _origin: Origin, _rules: Rules) -> Refusals:
    """The battery is not near its end, after which values may drift."""
    battery = lot.values.get("battery_pct")
    if battery is not None:
        low = (battery <= LOW_BATTERY_PCT) & (battery >= 0)
        lot.quality[low] |= int(Quality.LOW_BATTERY)
    yield from ()


def believable_clock(lot: Columns, origin: Origin, rules: Rules) -> Refusals:
    """Measured after the oldest accepted instant and before it arrived, give or take."""
    oldest = micros([rules.oldest])[0]
    ahead = lot.times - lot.received
    early = lot.times < oldest
    late = ahead > rules.clock_tolerance // timedelta(microseconds=1)
    a_little = (ahead > AHEAD_AFTER // timedelta(microseconds=1)) & ~late
    lot.quality[a_little] |= int(Quality.CLOCK_AHEAD)
    wrong = early | late
    if wrong.any():
        yield from _wrong_clocks(lot, origin, wrong, oldest)


def _wrong_clocks(lot: Columns, origin: Origin, wrong: Bools, oldest: int) -> Refusals:
    """Date the readings of wrong clocks by their arrival, refuse those that cannot be dated."""
    groups: dict[tuple[int, int], list[int]] = {}
    for row in np.flatnonzero(np.isin(origin.message, origin.message[wrong])).tolist():
        groups.setdefault((int(origin.message[row]), int(lot.devices[row])), []).append(row)
    for rows in groups.values():
        bad = [row for row in rows if wrong[row]]
        live = [row for row in bad if not lot.quality[row] & int(Quality.HISTORY)]
        if len(bad) < len(rows) or not live or origin.retained[bad[0]]:
            yield from ((row, _untimely(lot, row)) for row in bad)
            continue
        shift = lot.received[bad[0]] - max(lot.times[row] for row in live)
        for row in bad:
            refusal = _untimely(lot, row)
            lot.times[row] += shift
            lot.quality[row] |= int(Quality.CLOCK_WRONG)
            if lot.times[row] < oldest or lot.times[row] > lot.received[row]:
                yield row, refusal


def _untimely(lot: Columns, row: int) -> Refusal:
    said, arrived = instant(lot.times[row]), instant(lot.received[row])
    if said > arrived:
        detail = f"measured at {said.isoformat()}, {said - arrived} after it arrived"
        return Refusal(RejectReason.IN_THE_FUTURE, detail)
    return Refusal(RejectReason.TOO_OLD, f"measured at {said.isoformat()}: no believable clock")


def dated_by_more_than_arrival(lot: Columns, origin: Origin, _rules: Rules) -> Refusals:
    """A retained message without a time was said before, nobody knows when."""
    guessed = (lot.quality & int(Quality.CLOCK_GUESSED)) != 0
    detail = "a retained message without a time: it was said before, nobody knows when"
    for row in np.flatnonzero(origin.retained & guessed):
        yield int(row), Refusal(RejectReason.BAD_TIME, detail)


CHECKS: tuple[Check, ...] = (
    storable,
    dated_by_more_than_arrival,
    believable_clock,
    within_limits,
    no_sentinels,
    battery_lasts,
)


def skews(lot: Columns) -> Floats:
    """How far clocks were ahead, in s, of the readings that show it."""
    return lot.skew_s[~np.isnan(lot.skew_s)]
