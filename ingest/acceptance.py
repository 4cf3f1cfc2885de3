"""Which readings are kept, which are kept with a flag, and which are refused with a reason.

The rules are the list ``CHECKS``, asked in order; the first refusal ends it, flags add up. Values
that a chip uses to say "no value" come first: an auxiliary one (battery 255) is taken out and
flagged rather than costing the temperature beside it. Refusing means a dead letter, never silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from msgspec.structs import replace

from hearthline.domain.readings import (
    LIMITS,
    MeterReading,
    Quality,
    Reading,
    RejectReason,
    RoomReading,
    WeatherReading,
)
from ingest.formats.quantities import QUANTITIES

AHEAD_AFTER = timedelta(seconds=1)
"""A clock this little ahead is ordinary jitter and not worth a flag."""

LOW_BATTERY_PCT = 10.0

NO_VALUE: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("battery_pct", (255.0,)),  # LoRaWAN DevStatusAns: not able to measure
    ("humidity_pct", (255.0, 127.5, 6553.5)),  # 0xFF, 0xFF / 2, 0xFFFF / 10
)
"""Values of auxiliary quantities that mean "none"."""

SENTINELS: dict[float, str] = {
    85.0: "what a DS18B20 says at power-up",
    127.0: "0x7F, what a chip says for no value",
    127.5: "0xFF / 2, what a chip says for no value",
    -127.0: "what a DS18B20 library says when the probe is gone",
    327.67: "0x7FFF / 100, what a chip says for no value",
    -327.68: "0x8000 / 100, what a chip says for no value",
    655.35: "0xFFFF / 100, what a chip says for no value",
    3276.7: "0x7FFF / 10, what a chip says for no value",
    6553.5: "0xFFFF / 10, what a chip says for no value",
}
"""Temperatures that mean "none". Most lie beyond the limits; in a meter some do not."""


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


_LIMITS = {
    kind: tuple((name, *LIMITS[name]) for name in names) for kind, names in QUANTITIES.items()
}

Check = Callable[[Reading, datetime, Rules], Quality | Refusal]


def accept(reading: Reading, received_at: datetime, rules: Rules) -> Reading | Refusal:
    """The reading as it is to be stored, with its flags, or why it is not."""
    if not isinstance(reading, MeterReading):
        reading = without_no_values(reading)
    quality = reading.quality
    for check in CHECKS:
        answer = check(reading, received_at, rules)
        if answer is Quality.GOOD:
            continue
        if isinstance(answer, Refusal):
            return answer
        quality |= answer
    return reading if quality == reading.quality else replace(reading, quality=quality)


def without_no_values(reading: RoomReading | WeatherReading) -> Reading:
    """The reading without auxiliary values that mean "none", flagged where there were any."""
    gone: dict[str, Any] = {}
    for name, values in NO_VALUE:
        if getattr(reading, name, None) in values:
            gone[name] = None
    if not gone:
        return reading
    return replace(reading, quality=reading.quality | Quality.SENTINEL, **gone)


def within_limits(reading: Reading, _received_at: datetime, _rules: Rules) -> Quality | Refusal:
    """Every quantity is finite and possible."""
    for name, low, high in _LIMITS[reading.kind]:
        value = getattr(reading, name)
        if value is not None and not low <= value <= high:
            if not isfinite(value):
                return Refusal(RejectReason.NOT_A_NUMBER, f"{name} is {value}")
            meant = f": {SENTINELS[value]}" if value in SENTINELS else ""
            detail = f"{name} is {value:g}, possible is {low:g} to {high:g}{meant}"
            return Refusal(RejectReason.OUT_OF_RANGE, detail)
    return Quality.GOOD


def not_too_old(reading: Reading, _received_at: datetime, rules: Rules) -> Quality | Refusal:
    """Measured after the oldest accepted instant: a clock at 1970 was never set."""
    if reading.time < rules.oldest:
        detail = f"measured at {reading.time.isoformat()}, before {rules.oldest.isoformat()}"
        return Refusal(RejectReason.TOO_OLD, detail)
    return Quality.GOOD


def not_in_the_future(reading: Reading, received_at: datetime, rules: Rules) -> Quality | Refusal:
    """Measured before it arrived, give or take what a clock may be wrong; flagged when ahead."""
    ahead = reading.time - received_at
    if ahead > rules.clock_tolerance:
        detail = f"measured at {reading.time.isoformat()}, {ahead} after it arrived"
        return Refusal(RejectReason.IN_THE_FUTURE, detail)
    return Quality.CLOCK_AHEAD if ahead > AHEAD_AFTER else Quality.GOOD


def sentinel(reading: Reading, _received_at: datetime, _rules: Rules) -> Quality | Refusal:
    """A possible temperature that is more likely a chip's "no value": kept, flagged."""
    if not isinstance(reading, MeterReading):
        return Quality.GOOD
    suspect = reading.supply_c in SENTINELS or reading.return_c in SENTINELS
    return Quality.SENTINEL if suspect else Quality.GOOD


def low_battery(reading: Reading, _received_at: datetime, _rules: Rules) -> Quality | Refusal:
    """A battery near its end, after which values may drift."""
    battery = getattr(reading, "battery_pct", None)
    return Quality.GOOD if battery is None or battery > LOW_BATTERY_PCT else Quality.LOW_BATTERY


CHECKS: tuple[Check, ...] = (within_limits, not_too_old, not_in_the_future, sentinel, low_battery)
