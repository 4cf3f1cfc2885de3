"""Is a simulated healthy town like measured dwellings? Its readings beside measured ranges.

The town's own messages are measured, instruments and all, the way the dwellings were: hourly and
ten-minute readings of healthy rooms, two sensors in one dwelling (a second run in which pairs of
sensors hang in each other's dwelling), and sensors mounted on radiators. Every quantity is taken
per dwelling. The ranges come from four dwellings, or four rooms: of a population just like theirs
three in five would lie between the lowest and the highest of four. So the median dwelling must lie
inside, and at least half of all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hearthline.domain.findings import Cause
from simulators.city import City, build
from simulators.post import Message
from simulators.runner import run
from simulators.scenario import FaultSpec, FormatMix, Scenario
from simulators.truth.survey import Progress, utc_anchor

Array = NDArray[np.float64]

ANCHOR = datetime(2026, 1, 5, tzinfo=UTC)
EVERY = timedelta(minutes=10)
PER_HOUR, PER_DAY = 6, 144
HALF = 0.5
"""Of the dwellings, that must lie inside a measured range; (n − 1)/(n + 1) is expected of n = 4."""
PAIRED_SHARE, RADIATOR_SHARE = 0.2, 0.2
"""Of the dwellings, in the second run."""
DROP_K, DROP_READINGS = 1.0, 3
"""A window-like drop: at least this much within this many readings of ten minutes."""
MEASURED_WEEKS = 7
LEAST = timedelta(days=7)
_BLOCK = timedelta(hours=1)

_DWELLINGS = "TRH-database, 4 Finnish dwellings, hourly, Nov 2010 to Jul 2012"
_FLAT = "Open Smart Home Data (Fraunhofer IBP), 4 rooms of a German flat, about 10 min, 2017"


@dataclass(frozen=True, slots=True)
class Measured:
    """The range that a quantity spans over measured dwellings or rooms, and where it is from."""

    quantity: str
    unit: str
    low: float
    high: float
    source: str


MEASURED = {
    "mean": Measured("room mean", "°C", 20.9, 23.3, _DWELLINGS),
    "sd": Measured("room sd", "K", 0.7, 1.0, _DWELLINGS),
    "swing_median": Measured("daily swing, median", "K", 1.0, 1.4, _DWELLINGS),
    "swing_p90": Measured("daily swing, p90", "K", 1.9, 2.9, _DWELLINGS),
    "slope": Measured("slope against outdoor", "K/K", 0.02, 0.09, _DWELLINGS),
    "hour_step_sd": Measured("hour-to-hour step, sd", "K", 0.15, 0.30, _DWELLINGS),
    "hour_step_p999": Measured("hour-to-hour step, p99.9", "K", 0.8, 3.2, _DWELLINGS),
    "ten_step_sd": Measured("ten-minute step, sd", "K", 0.11, 0.19, _FLAT),
    "pair_bias": Measured("two sensors in a dwelling, bias", "K", -0.3, 0.6, _DWELLINGS),
    "pair_sd": Measured("two sensors in a dwelling, sd", "K", 0.07, 0.40, _DWELLINGS),
    "radiator_mean": Measured("on radiator minus room, mean", "K", -0.2, 1.2, _FLAT),
    "radiator_p95": Measured("on radiator minus room, p95", "K", 1.4, 6.1, _FLAT),
    "radiator_max": Measured("on radiator minus room, max", "K", -np.inf, 16.0, _FLAT),
    "drops": Measured("drops ≥ 1 K in 30 min, in 7 weeks", "", 3.0, 14.0, _FLAT),
    "drop_max": Measured("deepest such drop", "K", -np.inf, 2.5, _FLAT),
    "below_20": Measured("hours below 20 °C", "%", -np.inf, 2.0, _DWELLINGS),
}
"""What the quantities are measured at; bathrooms (ten-minute step 0.35 K, drops to 6.1 K) apart."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Readings every ten minutes, °C: [readings, dwellings], outdoors [readings], and pairs of
    sensors in the same dwelling and of radiator and room, [readings, pairs].
    """

    room_c: Array
    outdoor_c: Array
    pair_c: tuple[Array, Array]
    radiator_c: tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison: 5 %, median and 95 % of the dwellings beside the range."""

    measured: Measured
    p5: float
    median: float
    p95: float
    inside: float

    @property
    def quantity(self) -> str:
        """What is compared."""
        return self.measured.quantity

    @property
    def ok(self) -> bool:
        """Whether the median dwelling and half of all lie in the measured range."""
        return self.measured.low <= self.median <= self.measured.high and self.inside >= HALF

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; an open end of a range is None."""
        low = self.measured.low
        return {
            "quantity": self.quantity,
            "unit": self.measured.unit,
            "p5": round(self.p5, 4),
            "median": round(self.median, 4),
            "p95": round(self.p95, 4),
            "inside_pct": round(100.0 * self.inside, 1),
            "measured": [low if np.isfinite(low) else None, self.measured.high],
            "source": self.measured.source,
            "ok": self.ok,
        }


# What is measured: pure functions of readings, one number per dwelling -------------------------


def quantities(seen: Observed) -> dict[str, Array]:
    """Every quantity of ``MEASURED``, one number per dwelling or pair."""
    hourly = seen.room_c[::PER_HOUR]
    swing = daily_swing(hourly)
    hour_step = np.diff(hourly, axis=0)
    count, deepest = drops(seen.room_c)
    weeks = len(seen.room_c) / (7.0 * PER_DAY)
    pair = (seen.pair_c[1] - seen.pair_c[0])[::PER_HOUR]
    above = seen.radiator_c[1] - seen.radiator_c[0]
    return {
        "mean": hourly.mean(axis=0),
        "sd": hourly.std(axis=0),
        "swing_median": np.median(swing, axis=0),
        "swing_p90": np.quantile(swing, 0.9, axis=0),
        "slope": slope(hourly, seen.outdoor_c[::PER_HOUR]),
        "hour_step_sd": hour_step.std(axis=0),
        "hour_step_p999": np.quantile(np.abs(hour_step), 0.999, axis=0),
        "ten_step_sd": np.diff(seen.room_c, axis=0).std(axis=0),
        "pair_bias": pair.mean(axis=0),
        "pair_sd": pair.std(axis=0),
        "radiator_mean": above.mean(axis=0),
        "radiator_p95": np.quantile(above, 0.95, axis=0),
        "radiator_max": above.max(axis=0),
        "drops": count * MEASURED_WEEKS / weeks,
        "drop_max": deepest,
        "below_20": 100.0 * (hourly < 20.0).mean(axis=0),
    }


def daily_swing(hourly_c: Array) -> Array:
    """Highest minus lowest of each whole day, [days, dwellings]."""
    days = len(hourly_c) // 24
    by_day = hourly_c[: days * 24].reshape(days, 24, -1)
    return np.asarray(by_day.max(axis=1) - by_day.min(axis=1))


def slope(room_c: Array, outdoor_c: Array) -> Array:
    """K of room per K outdoors, by least squares, per dwelling; 0 where outdoors never changes."""
    outdoor = outdoor_c - outdoor_c.mean()
    spread = float((outdoor**2).sum())
    if spread == 0.0:
        return np.zeros(room_c.shape[1])
    return np.asarray((outdoor[:, None] * (room_c - room_c.mean(axis=0))).sum(axis=0) / spread)


def drops(room_c: Array) -> tuple[Array, Array]:
    """How many window-like drops, and the deepest, K, per dwelling; a long drop counts once."""
    fell = room_c[:-DROP_READINGS] - room_c[DROP_READINGS:]
    deep = fell >= DROP_K - 1e-9
    begins = deep.copy()
    begins[1:] &= ~deep[:-1]
    return begins.sum(axis=0).astype(float), np.where(deep, fell, 0.0).max(axis=0)


def compare(seen: Observed) -> list[Row]:
    """Every quantity beside its measured range, in the order of ``MEASURED``."""
    found, rows = quantities(seen), []
    for name, measured in MEASURED.items():
        values = found[name]
        p5, median, p95 = np.quantile(values, (0.05, 0.5, 0.95)).tolist()
        within = (values >= measured.low) & (values <= measured.high)
        rows.append(Row(measured, p5, median, p95, float(within.mean())))
    return rows


def table(rows: list[Row]) -> str:
    """The comparison as text for a terminal."""
    head = ("quantity", "5 %", "median", "95 %", "measured", "inside", "")
    lines = [_line(*head)]
    for row in rows:
        low, high = row.measured.low, row.measured.high
        span = f"{low:g} to {high:g}" if np.isfinite(low) else f"at most {high:g}"
        lines.append(
            _line(
                f"{row.quantity} {f'[{row.measured.unit}]' if row.measured.unit else ''}".strip(),
                f"{row.p5:.2f}",
                f"{row.median:.2f}",
                f"{row.p95:.2f}",
                span,
                f"{row.inside:.0%}",
                "ok" if row.ok else "OUTSIDE",
            )
        )
    sources = sorted({row.measured.source for row in rows})
    return "\n".join([*lines, "", "measured: " + "; ".join(sources) + ".", ""])


def _line(name: str, *cells: str) -> str:
    widths = (8, 8, 8, 14, 8, 9)
    right = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{name:38}{right}".rstrip()


# How it is measured: two runs of the town, read from its messages ------------------------------


def observe(
    city: City, anchor: datetime, length: timedelta, progress: Progress | None = None
) -> Observed:
    """Run a healthy town, then part of it with other sensors, and gather their readings.

    Raises:
        ValueError: the length is under a week, or the town has faults or too few dwellings.
    """
    if length < LEAST:
        raise ValueError(f"a calibration needs {LEAST.days} days or more, got {length}")
    if city.scenario.faults or city.scenario.drawn_faults:
        raise ValueError(f"scenario {city.scenario.name} has faults; take a healthy one")
    start = utc_anchor(anchor)
    codes = city.unit_codes
    if len(codes) < 20:
        raise ValueError(f"a calibration needs 20 dwellings or more, got {len(codes)}")
    paired, mounted = _chosen(codes)
    second = max(length / 4, LEAST)
    total = (length + second) / timedelta(hours=1)
    scenario = _instrumented(city.scenario)
    reading = _Reading(city.seed, start, total, progress)
    rooms, outdoor = reading.of(scenario, length)
    other, _ = reading.of(_with_sensor_faults(scenario, paired, mounted), second)
    here = [code for pair in paired for code in pair]
    there = [code for pair in paired for code in reversed(pair)]
    return Observed(
        room_c=_columns(rooms, codes),
        outdoor_c=np.array(outdoor[: min(map(len, rooms.values()))]),
        pair_c=_beside(rooms, here, other, there),
        radiator_c=_beside(rooms, mounted, other, mounted),
    )


def _chosen(codes: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs of dwellings whose sensors hang in each other's, and ones with radiator sensors."""
    pairs = max(int(len(codes) * PAIRED_SHARE / 2), 2)
    mounted = max(int(len(codes) * RADIATOR_SHARE), 2)
    spread = np.unique(np.linspace(0, len(codes) - 1, 2 * pairs + mounted).astype(int))
    chosen = [codes[at] for at in spread]
    return list(zip(chosen[: 2 * pairs : 2], chosen[1 : 2 * pairs : 2], strict=True)), chosen[
        2 * pairs :
    ]


def _instrumented(scenario: Scenario) -> Scenario:
    """Every dwelling measured every ten minutes, in one format, nothing lost or late."""
    instruments = msgspec.structs.replace(
        scenario.instruments,
        coverage=1.0,
        mix=FormatMix(own=1.0, chirpstack=0.0, zigbee2mqtt=0.0),
        building_meters=0.0,
        entrance_meters=(),
        room_every=EVERY,
        weather_every=EVERY,
        gateway_every=EVERY,
        meter_every=timedelta(hours=1),
    )
    behaviour = type(scenario.behaviour)()
    return msgspec.structs.replace(scenario, instruments=instruments, behaviour=behaviour)


def _with_sensor_faults(
    scenario: Scenario, paired: list[tuple[str, str]], mounted: list[str]
) -> Scenario:
    """The same town, whose sensors hang elsewhere: rooms are as they were."""
    always = timedelta(days=-30)
    swapped = tuple(
        FaultSpec(cause=Cause.SENSOR_SWAPPED, place=pair, onset=always) for pair in paired
    )
    radiators = tuple(
        FaultSpec(cause=Cause.SENSOR_MISPLACED, variant="radiator", place=code, onset=always)
        for code in mounted
    )
    return msgspec.structs.replace(scenario, faults=(*scenario.faults, *swapped, *radiators))


@dataclass(slots=True)
class _Reading:
    """Runs towns and gathers what their sensors say; one bar for all runs."""

    seed: int
    start: datetime
    total_h: float
    progress: Progress | None
    _done_h: float = 0.0

    def of(
        self, scenario: Scenario, length: timedelta
    ) -> tuple[dict[str, list[float]], list[float]]:
        """Readings of every dwelling's sensor and of the weather station, in order, °C."""
        rooms: dict[str, list[float]] = defaultdict(list)
        outdoor: list[float] = []
        city = build(scenario, seed=self.seed)
        for block in run(city, self.start, self.start + length, _BLOCK):
            for message in block.messages:
                _note(message, rooms, outdoor)
            self._done_h += _BLOCK / timedelta(hours=1)
            if self.progress is not None:
                self.progress(round(self._done_h), round(self.total_h), f"{block.until:%m-%d}")
        return rooms, outdoor


def _note(message: Message, rooms: dict[str, list[float]], outdoor: list[float]) -> None:
    """Put down what a message of our own format says."""
    kind = message.topic.rpartition("/")[2]
    if kind == "room":
        for reading in msgspec.json.decode(message.payload):
            rooms[reading["device"].removesuffix("-T1")].append(reading["temperature_c"])
    elif kind == "weather":
        outdoor.append(msgspec.json.decode(message.payload)["outdoor_c"])


def _columns(readings: dict[str, list[float]], codes: list[str]) -> Array:
    """Readings side by side, [readings, dwellings], as many as the shortest has."""
    length = min(len(readings[code]) for code in codes)
    return np.array([readings[code][:length] for code in codes]).T


def _beside(
    one: dict[str, list[float]], at: list[str], other: dict[str, list[float]], there: list[str]
) -> tuple[Array, Array]:
    """Two sets of readings of the same rooms, cut to one length."""
    first, second = _columns(one, at), _columns(other, there)
    length = min(len(first), len(second))
    return first[:length], second[:length]
