"""Lying sensors and cold dwellings of the simulated city, and those of measured homes.

What the town's sensors said is judged as the product would; the simulator's truth says who lied.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import simulators
from analytics.trust import NOTHING_AROUND, SensorHours, Surroundings, TrustReason, daily, judge
from analytics.trust.model import GRADE_C, HOUR, NUMBER
from hearthline.domain.findings import Cause
from simulators.city import City, build
from simulators.instruments import Bench
from simulators.scenario import FaultSpec

ANCHOR = datetime(2026, 1, 12, tzinfo=UTC)
DAYS = 9
MEASURED = Path(
    os.environ.get("HEARTHLINE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")
)


def observed(city: City, days: int) -> tuple[SensorHours, Surroundings]:
    """What a town's sensors and its weather station say, hour by hour."""
    rooms, layout, every = city.fleet.rooms, city.layout, city.scenario.instruments
    bench = Bench.of(
        city.fleet,
        layout,
        city.seed,
        int(every.room_every.total_seconds()),
        int(every.meter_every.total_seconds()),
    )
    engine, state = city.start(ANCHOR)
    shape, per_hour = (len(rooms), days * 24), 3600 // engine.seconds
    total, count = np.zeros(shape), np.zeros(shape, np.int64)
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    outdoor, sun = np.zeros(shape[1]), np.zeros(shape[1])
    supply = np.zeros((len(layout.circuit_substation), shape[1]))
    for index in range(shape[1] * per_hour):
        step, hour = engine.advance(state, index), index // per_hour
        said = bench.rooms.read(step)
        heard = ~step.knobs.gateway_down[rooms.gateway[said.sensor]]
        at = (said.sensor[heard], np.minimum(said.at_s[heard] // 3600, shape[1] - 1))
        np.add.at(total, at, said.temperature_c[heard])
        np.add.at(count, at, 1)
        np.minimum.at(low, at, said.temperature_c[heard])
        np.maximum.at(high, at, said.temperature_c[heard])
        outdoor[hour] += step.weather.outdoor_c / per_hour
        sun[hour] += step.weather.solar_wm2 / per_hour
        supply[:, hour] += step.water.secondary_supply_c / per_hour
    silent = count == 0
    mean = np.where(silent, np.nan, total / np.maximum(count, 1))
    low, high = np.where(silent, np.nan, low), np.where(silent, np.nan, high)
    building = layout.unit_building[rooms.unit].astype(np.int64)
    around = Surroundings(
        outdoor_c=outdoor,
        solar_wm2=sun,
        supply_c=supply[layout.unit_circuit[rooms.unit]],
        gateway=building,
        entrance=layout.unit_entrance[rooms.unit].astype(np.int64),
    )
    return SensorHours(ANCHOR, mean, low, high, count, building), around


def spec(
    cause: Cause,
    place: str,
    hours: float,
    severity: float | None = None,
    variant: str | None = None,
) -> FaultSpec:
    """A fault for good from an hour on."""
    onset = timedelta(hours=hours)
    return FaultSpec(cause=cause, place=place, onset=onset, severity=severity, variant=variant)


@pytest.mark.timeout(120)
def test_lies_are_told_and_cold_is_not_called_a_lie() -> None:
    """Five lies and three real troubles in one small town: five sensors of grade C, no sixth."""
    plain = build(simulators.load("healthy"), seed=23)
    code = plain.unit_codes
    lies = {
        code[8]: (spec(Cause.SENSOR_MISPLACED, code[8], -1000, 3.0, variant="sun"), "sun"),
        code[20]: (
            spec(Cause.SENSOR_MISPLACED, code[20], -1000, 4.0, variant="radiator"),
            "radiator",
        ),
        code[33]: (spec(Cause.SENSOR_MOVED, code[33], 60.0, -2.4), "moved"),
        code[47]: (spec(Cause.SENSOR_STUCK, code[47], 40.0, 20.1), "stuck"),
        code[60]: (spec(Cause.SENSOR_BATTERY, code[60], 70.0), "silent"),
    }
    heat = [
        spec(Cause.VALVE_CLOSED, code[75], 50.0, 0.95),
        spec(Cause.WINDOW_OPEN, code[90], 100.0, 2.0),
        spec(Cause.RADIATOR_COVERED, code[100], 80.0, 0.5),
    ]
    faults = (*(fault for fault, _ in lies.values()), *heat)
    city = build(simulators.load("healthy"), seed=23, faults=faults)
    sensors, around = observed(city, DAYS)
    trust = judge(sensors, around, daily(sensors, around))
    told = {
        city.fleet.rooms.place(row): trust.why(row, DAYS * 24 - 1)[1].value
        for row in np.flatnonzero(trust.grade[:, -1] == GRADE_C).tolist()
    }
    assert told == {place: reason for place, (_, reason) in lies.items()}
    honest = [row for row in range(len(trust.grade)) if city.fleet.rooms.place(row) not in lies]
    assert trust.usable[honest].all()


def flat_series() -> dict[str, np.ndarray]:
    """Readings of a flat's rooms and radiators, (readings, 2): Unix seconds and °C."""
    found = sorted((MEASURED / "flat").glob("*.csv"))
    measured = {path.stem: np.loadtxt(path) for path in found if "Outdoor" not in path.stem}
    return measured or _made()


def _made() -> dict[str, np.ndarray]:
    """Without the folder of measurements, series of the same shape: radiators come and go."""
    rng = np.random.default_rng(9)
    at = ANCHOR.timestamp() + np.arange(0, 90 * 86400, 600.0)
    hour = (at / 3600.0) % 24.0
    series = {}
    for number in range(6):
        level = 20.5 + 0.2 * number + 0.4 * np.sin(2 * np.pi * (hour - 9) / 24)
        level += np.repeat(rng.normal(0, 0.25, 90), 144) + rng.normal(0, 0.05, len(at))
        heats = ((hour > 6) & (hour < 8)) | ((hour > 17) & (hour < 19))
        name = f"Room{number}" + ("_Thermostat" if number < 2 else "")
        series[name] = np.stack([at, level + (4.0 * heats if number < 2 else 0.0)], axis=1)
    return series


def test_sensors_on_radiators_of_a_measured_flat_are_graded_down() -> None:
    """And those in its rooms are not: never for what they say, only while they are silent."""
    series = flat_series()
    start = min(values[0, 0] for values in series.values()) // 86400 * 86400
    hours = int((max(values[-1, 0] for values in series.values()) - start) // 3600) + 1
    shape = (len(series), hours)
    total, count = np.zeros(shape), np.zeros(shape, np.int64)
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    for row, values in enumerate(series.values()):
        hour = ((values[:, 0] - start) // 3600).astype(np.int64)
        np.add.at(total[row], hour, values[:, 1])
        np.add.at(count[row], hour, 1)
        np.minimum.at(low[row], hour, values[:, 1])
        np.maximum.at(high[row], hour, values[:, 1])
    silent = count == 0
    mean, low, high = (
        np.where(silent, np.nan, each) for each in (total / np.maximum(count, 1), low, high)
    )
    sensors = SensorHours(
        datetime.fromtimestamp(start, UTC), mean, low, high, count, np.zeros(shape[0], np.int64)
    )
    trust = judge(sensors, NOTHING_AROUND, daily(sensors))
    silence = np.isin(
        trust.reason, [NUMBER[r] for r in (TrustReason.SILENT, TrustReason.GATEWAY_OUT)]
    )
    lying = (trust.grade == GRADE_C) & ~silence
    for row, name in enumerate(series):
        if "Thermostat" in name:
            assert lying[row].sum() > 30 * 24, name
            assert trust.reason[row, lying[row]].tolist().count(NUMBER[TrustReason.RADIATOR]) > 700
        else:
            assert not lying[row].any(), name
            assert trust.usable[row].all(), name
    assert hours * HOUR > timedelta(days=80)
