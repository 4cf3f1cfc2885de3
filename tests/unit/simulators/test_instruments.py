"""What room sensors show of the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hearthline.domain.readings import LIMITS
from simulators import City, build, rand
from simulators.instruments import rooms as room_sensors
from simulators.instruments.rooms import CASE_LAG_S, NOISE_K
from simulators.states import Step
from tests.unit.simulators.conftest import HAMLET, scenario_of
from tests.unit.simulators.watching import (
    ANCHOR,
    Shown,
    Taken,
    bench_of,
    measured,
    shown,
    turning,
)

SUNNY = HAMLET.replace("12h, -16]]", "12h, -16]], cloud: 0.0")


@pytest.fixture(scope="module")
def city() -> City:
    """The hamlet without faults."""
    return build(scenario_of())


@pytest.fixture(scope="module")
def taken(city: City) -> Taken:
    """Six hours of its readings."""
    return measured(city, hours=6)


@pytest.fixture(scope="module")
def day(city: City) -> Shown:
    """A day of its readings."""
    return shown(city, hours=24)


# Sound sensors -----------------------------------------------------------------------------


def test_every_sensor_reads_once_an_interval_inside_the_step(taken: Taken) -> None:
    for step, rooms, _ in taken:
        assert sorted(rooms.sensor.tolist()) == list(range(52))
        assert ((rooms.at_s >= step.offset_s) & (rooms.at_s < step.offset_s + 1200)).all()


def test_samples_come_by_instant_and_then_by_sensor(taken: Taken) -> None:
    for _, rooms, _ in taken:
        order = np.lexsort((rooms.sensor, rooms.at_s))
        assert order.tolist() == list(range(52))


def test_a_sensor_samples_at_its_own_phase_whatever_the_length_of_a_step(
    hamlet: Callable[..., City],
) -> None:
    phase = hamlet().fleet.rooms.phase_s
    for step in ("5min", "10min", "20min"):
        short = build(scenario_of(base=_with_step(step)))
        at = [
            (s, t) for _, r, _ in measured(short, 2) for s, t in zip(r.sensor, r.at_s, strict=True)
        ]
        wanted = {(s, int(p) + 1200 * n) for s, p in enumerate(phase) for n in range(6)}
        assert len(at) == len(wanted)
        assert set(at) == wanted


def _with_step(step: str) -> str:
    return HAMLET.replace("step: 20min", f"step: {step}")


def test_room_sensors_are_within_half_a_kelvin_and_quantised(city: City, taken: Taken) -> None:
    for step, rooms, _ in taken[1:]:
        unit = city.fleet.rooms.unit[rooms.sensor]
        low = np.minimum(step.air_before_c, step.air_c)[unit]
        high = np.maximum(step.air_before_c, step.air_c)[unit]
        assert (rooms.temperature_c > low - 0.8).all()
        assert (rooms.temperature_c < high + 0.8).all()
        assert np.mean((rooms.temperature_c > low - 0.5) & (rooms.temperature_c < high + 0.5)) > 0.9
        tenths = np.round(rooms.temperature_c * 10)
        assert (rooms.temperature_c == tenths / 10).all()


def test_the_compiled_noise_is_that_of_rand(city: City) -> None:
    fleet = city.fleet.rooms
    still = measured(city, 1, lambda step: _everywhere(step, 21.0))
    damp = 5.0 * rand.normal(city.seed, "sensor/damp", fleet.unit)
    for step, rooms, _ in still:
        unit, at_s = fleet.unit[rooms.sensor], rooms.at_s
        noise = NOISE_K * rand.normal(city.seed, "sensor/noise", unit, at_s)
        wanted = 21.0 + fleet.bias_k[rooms.sensor].astype(float) + noise
        assert rooms.temperature_c.tolist() == (np.floor(wanted * 10 + 0.5) / 10).tolist()
        dry = 30.0 + 0.35 * (step.weather.outdoor_c + 20.0) - 1.2 * (21.0 - 22.0)
        wanted = dry + damp[rooms.sensor]
        wanted += rand.normal(city.seed, "sensor/noise", unit, at_s, 1)
        assert rooms.humidity_pct == pytest.approx(np.clip(wanted, 8, 90), abs=0.051)


def _everywhere(step: Step, before_c: float, after_c: float | None = None) -> Step:
    air = np.full(len(step.air_c), before_c)
    return replace(
        step, air_before_c=air, air_c=np.full_like(air, before_c if after_c is None else after_c)
    )


def test_a_case_lags_a_steady_rise_by_its_time_constant(city: City) -> None:
    """The rooms rise by 2 K an hour: the cases are 360 s behind, which is 0.2 K."""

    def rising(step: Step) -> Step:
        start = 18.0 + step.offset_s / 1800.0
        return _everywhere(step, start, start + step.seconds / 1800.0)

    behind = []
    for _, rooms, _ in measured(city, 6, rising)[6:]:
        behind.append(18.0 + rooms.at_s / 1800.0 - rooms.temperature_c)
    expected = CASE_LAG_S / 1800.0 - city.fleet.rooms.bias_k.mean()
    assert np.concatenate(behind).mean() == pytest.approx(expected, abs=0.02)


def test_a_window_opened_for_a_moment_shows_softened_and_late(city: City) -> None:
    def opened(step: Step) -> Step:
        return _everywhere(step, 22.0 if step.offset_s < 3600 else 18.0)

    seen = Shown.of(measured(city, 3, opened), 52).temperature_c.mean(axis=1)
    assert seen[2] == pytest.approx(22.0, abs=0.1)
    assert 18.5 < seen[3] < 21.5
    assert seen[4] == pytest.approx(18.0, abs=0.2)


def test_parts_read_side_by_side_give_the_same_bytes(
    city: City, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_sensors, "_SHARED_FROM", 10)
    for (_, one, _), (_, other, _) in zip(taken, measured(city, 6), strict=True):
        assert one.temperature_c.tobytes() == other.temperature_c.tobytes()
        assert one.humidity_pct.tobytes() == other.humidity_pct.tobytes()


def test_readings_do_not_depend_on_coverage(hamlet: Callable[..., City]) -> None:
    """A sensor of a small fleet shows what it shows in a large one."""
    few, all_ = hamlet(coverage=0.3), hamlet()
    assert 0 < len(few.fleet.rooms) < len(all_.fleet.rooms)
    seen, whole = shown(few).temperature_c, shown(all_).temperature_c
    assert (seen == whole[:, few.fleet.rooms.unit]).all()


def test_a_step_skipped_leaves_later_readings_as_they_are(city: City, taken: Taken) -> None:
    engine, state = city.start(ANCHOR)
    bench = bench_of(city)
    for index in range(9):
        step = engine.advance(state, index)
        if index < 8:
            bench.rooms.skip(step)
    assert bench.rooms.read(step).temperature_c.tolist() == taken[8][1].temperature_c.tolist()


def test_no_sensors_give_no_samples(hamlet: Callable[..., City]) -> None:
    assert [len(rooms.sensor) for _, rooms, _ in measured(hamlet(coverage=0.0), 1)] == [0, 0, 0]


def test_everything_lies_within_the_domains_limits(taken: Taken) -> None:
    for _, rooms, meters in taken:
        values = {
            **meters.quantities,
            "temperature_c": rooms.temperature_c,
            "humidity_pct": rooms.humidity_pct,
            "battery_pct": rooms.battery_pct,
        }
        for name, column in values.items():
            low, high = LIMITS[name]
            known = column[np.isfinite(column)]
            assert ((known >= low) & (known <= high)).all(), name


# Misplaced sensors -------------------------------------------------------------------------


def test_a_sensor_in_the_sun_follows_the_sun() -> None:
    bright = build(scenario_of(base=SUNNY))
    sun = turning(sensor_sun={7: 1.5})
    steps = measured(bright, 24, sun)
    extra = Shown.of(steps, 52).temperature_c - shown(bright, 24).temperature_c
    south = np.array([step.weather.south_wm2 for step, _, _ in steps])
    assert south.max() > 300.0
    assert np.delete(extra, 7, axis=1) == pytest.approx(0.0, abs=1e-9)
    assert extra[south == 0.0, 7][-5:] == pytest.approx(0.0, abs=0.1)
    assert np.corrcoef(extra[:, 7], south)[0, 1] > 0.97
    assert extra[:, 7].max() == pytest.approx(1.5 * south.max() / 100.0, rel=0.15)


def test_a_sensor_above_a_radiator_feels_its_water(city: City, day: Shown) -> None:
    near = turning(sensor_radiator={7: 0.1})
    steps = measured(city, 24, near)
    extra = Shown.of(steps, 52).temperature_c[:, 7] - day.temperature_c[:, 7]
    building = city.layout.unit_building[7]
    over = [
        (s.water.building_supply_c[building] + s.water.unit_return_c[7]) / 2.0 - s.air_c[7]
        for s, _, _ in steps
    ]
    assert np.mean(extra) == pytest.approx(0.1 * np.mean(over), rel=0.05)
    assert extra == pytest.approx(0.1 * np.array(over), abs=0.25)


def test_a_sensor_above_a_cold_radiator_feels_the_room(hamlet: Callable[..., City]) -> None:
    shut = hamlet("faults:\n  - {cause: valve_closed, place: H-S1-B01-E1-0302, onset: -60d}\n")
    unit = shut.unit_codes.index("H-S1-B01-E1-0302")
    near = shown(shut, 3, turning(sensor_radiator={unit: 0.2})).temperature_c
    assert near[:, unit].tolist() == shown(shut, 3).temperature_c[:, unit].tolist()


def test_a_sensor_on_a_balcony_reads_low_and_lower_when_it_is_colder(
    city: City, day: Shown
) -> None:
    steps = measured(city, 24, turning(sensor_outdoors={7: 0.08}))
    extra = Shown.of(steps, 52).temperature_c[:, 7] - day.temperature_c[:, 7]
    under = np.array([step.weather.outdoor_c - step.air_c[7] for step, _, _ in steps])
    assert extra == pytest.approx(0.08 * under, abs=0.15)
    slope = np.polyfit([step.weather.outdoor_c for step, _, _ in steps], extra, 1)[0]
    assert slope == pytest.approx(0.08, abs=0.03)


def test_swapped_sensors_each_follow_the_other_dwelling(hamlet: Callable[..., City]) -> None:
    cold, warm = "H-S1-B01-E1-0302", "H-S2-B01-E2-0201"
    shut = hamlet(f"faults:\n  - {{cause: valve_closed, place: {cold}, onset: -60d}}\n")
    a, b = shut.unit_codes.index(cold), shut.unit_codes.index(warm)
    steps = measured(shut, 12, turning(sensor_unit={a: b, b: a}))
    seen = Shown.of(steps, 52).temperature_c
    assert np.mean([step.air_c[b] - step.air_c[a] for step, _, _ in steps]) > 1.5
    for filed, hangs in ((a, b), (b, a)):
        true = np.array([(s.air_before_c[hangs] + s.air_c[hangs]) / 2.0 for s, _, _ in steps])
        off = seen[:, filed] - true
        assert abs(off.mean()) < 0.4
        assert off.std() < 0.25


# Sensors that do not say what they feel ----------------------------------------------------


def test_a_drifted_sensor_shows_its_offset(city: City, day: Shown) -> None:
    extra = shown(city, 24, turning(sensor_offset_k={7: -0.7, 8: 2.0})).temperature_c
    extra = extra - day.temperature_c
    assert extra[:, 7] == pytest.approx(-0.7, abs=0.051)
    assert extra[:, 8] == pytest.approx(2.0, abs=0.051)


def test_a_sensor_shows_no_more_than_its_range(city: City) -> None:
    seen = shown(city, 1, turning(sensor_offset_k={7: 80.0, 8: -90.0})).temperature_c
    assert seen[:, 7].tolist() == [60.0] * 3
    assert seen[:, 8].tolist() == [-40.0] * 3


STUCK = """
faults:
  - {cause: sensor_stuck, place: H-S1-B01-E1-0302, onset: 1h, severity: 17.3}
  - {cause: sensor_stuck, place: H-S1-B01-E1-0401, onset: 1h, end: 3h}
"""


def test_a_stuck_sensor_shows_its_value_or_the_last_it_read(hamlet: Callable[..., City]) -> None:
    stuck = hamlet(STUCK)
    seen = shown(stuck, hours=6).temperature_c
    low = seen[:, stuck.unit_codes.index("H-S1-B01-E1-0302")].tolist()
    frozen = seen[:, stuck.unit_codes.index("H-S1-B01-E1-0401")].tolist()
    assert low[3:] == [17.3] * 15
    assert min(low[:3]) > 20.0
    assert len(set(frozen[3:9])) == 1
    assert len(set(frozen[9:])) > 1


def test_a_sensor_that_sticks_again_keeps_a_new_value(hamlet: Callable[..., City]) -> None:
    twice = hamlet(
        "faults:\n"
        "  - {cause: sensor_stuck, place: H-S1-B01-E1-0401, onset: 1h, end: 2h}\n"
        "  - {cause: sensor_stuck, place: H-S1-B01-E1-0401, onset: 8h}\n"
    )
    unit = twice.unit_codes.index("H-S1-B01-E1-0401")
    seen, sound = (shown(one, 10).temperature_c[:, unit].tolist() for one in (twice, hamlet()))
    assert seen[:3] == sound[:3]
    assert seen[3:6] == [sound[3]] * 3
    assert seen[6:24] == sound[6:24]
    assert seen[24:] == [sound[24]] * 6


def test_a_dead_sensor_is_silent_and_the_others_are_not_disturbed(city: City, day: Shown) -> None:
    seen = shown(city, 24, turning(sensor_dead={7: True})).temperature_c
    assert np.isnan(seen[:, 7]).all()
    assert (np.delete(seen, 7, axis=1) == np.delete(day.temperature_c, 7, axis=1)).all()


# Batteries ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weak() -> tuple[City, Shown]:
    """The hamlet with a third of the batteries running down in three days, watched for four."""
    text = _with_step("20min").replace("history: 12h", "history: 3d")
    city = build(scenario_of("behaviour: {battery_low: 0.35}\n", base=text))
    return city, shown(city, hours=96)


def test_a_share_of_the_batteries_runs_down(weak: tuple[City, Shown]) -> None:
    city, seen = weak
    low = city.fleet.rooms.running_low
    assert 8 <= low.sum() <= 28
    assert np.isfinite(seen.temperature_c[:, ~low]).all()
    assert np.isnan(seen.temperature_c[-60:, low]).all()


def test_a_weak_battery_is_reported_falling_ever_more_rarely_then_silence(
    weak: tuple[City, Shown],
) -> None:
    city, seen = weak
    for sensor in np.flatnonzero(city.fleet.rooms.running_low):
        said = np.flatnonzero(np.isfinite(seen.battery_pct[:, sensor]))
        level, gaps = seen.battery_pct[said, sensor], np.diff(said)
        assert (np.diff(level) <= 0).all()
        assert level[-1] <= 4.0
        for high, low, steps in ((100.0, 10.5, 1), (9.0, 6.5, 2), (5.0, 3.5, 4)):
            between = gaps[(level[1:] < high) & (level[1:] > low)][1:]
            assert set(between.tolist()) <= {steps}
        assert gaps[-1] >= 4


def test_sound_batteries_drain_at_their_own_rates(weak: tuple[City, Shown]) -> None:
    fleet = weak[0].fleet.rooms
    drain = fleet.drain_pct_day[~fleet.running_low]
    assert drain.min() > 0.015
    assert drain.max() < 0.1
    assert len(set(drain.tolist())) == len(drain)
