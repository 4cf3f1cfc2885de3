"""Measuring a simulated town as dwellings were measured, and the verdict."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from simulators import calibration
from simulators.calibration import (
    MEASURED,
    Array,
    Observed,
    Row,
    compare,
    drops,
    observe,
    slope,
    table,
)
from simulators.testing import small_city

DAYS = 14


def seen(room_c: np.ndarray, outdoor_c: np.ndarray | None = None) -> Observed:
    outdoor = np.linspace(-15.0, -5.0, len(room_c)) if outdoor_c is None else outdoor_c
    return Observed(room_c, outdoor, (room_c, room_c + 0.1), (room_c, room_c + 0.5))


def flat(level_c: float = 22.0, dwellings: int = 4) -> np.ndarray:
    return np.full((DAYS * calibration.PER_DAY, dwellings), level_c)


def test_the_slope_of_a_line_is_found() -> None:
    outdoor = np.linspace(-20.0, 0.0, 50)
    rooms = np.stack([21.0 + 0.05 * outdoor, 22.0 - 0.02 * outdoor], axis=1)
    assert slope(rooms, outdoor) == pytest.approx([0.05, -0.02])
    assert slope(rooms, np.full(50, 3.0)).tolist() == [0.0, 0.0]


def test_a_drop_of_a_kelvin_in_half_an_hour_counts_once() -> None:
    room = flat(dwellings=2)
    room[100:112, 0] -= 1.6
    room[500:, 0] -= 0.9
    count, deepest = drops(room)
    assert count.tolist() == [1.0, 0.0]
    assert deepest == pytest.approx([1.6, 0.0])


def test_drops_are_counted_as_in_seven_weeks() -> None:
    room = flat()
    room[100:103] -= 2.0
    assert calibration.quantities(seen(room))["drops"].tolist() == [7 / 2] * 4


def test_swing_mean_and_steps_are_those_of_a_known_day() -> None:
    minutes = np.arange(DAYS * calibration.PER_DAY) * 10
    day = 21.0 + 0.6 * np.sin(2 * math.pi * minutes / 1440)
    found = calibration.quantities(seen(np.stack([day, day + 1.0], axis=1)))
    assert found["mean"] == pytest.approx([21.0, 22.0])
    assert found["swing_median"] == pytest.approx([1.2, 1.2])
    assert found["sd"] == pytest.approx([0.6 / math.sqrt(2)] * 2)
    assert found["below_20"].tolist() == [0.0, 0.0]
    assert found["pair_bias"] == pytest.approx([0.1, 0.1])
    assert found["radiator_max"] == pytest.approx([0.5, 0.5])


def test_every_quantity_is_compared_with_its_range() -> None:
    rows = compare(seen(flat()))
    assert [row.measured for row in rows] == list(MEASURED.values())
    by_name = {row.quantity: row for row in rows}
    assert by_name["room mean"].ok
    assert not by_name["room sd"].ok
    assert by_name["hours below 20 °C"].ok


def test_the_median_dwelling_and_half_of_all_must_be_inside() -> None:
    def mean_of(room: Array) -> Row:
        return next(row for row in compare(seen(room)) if row.quantity == "room mean")

    room = flat(dwellings=100)
    room[:, :40] = 10.0
    assert mean_of(room).ok
    assert mean_of(room).inside == pytest.approx(0.6)
    room[:, 60:75] = 30.0
    assert mean_of(room).median == pytest.approx(22.0)
    assert not mean_of(room).ok


def test_the_table_and_the_plain_values_say_the_verdict() -> None:
    rows = compare(seen(flat()))
    text = table(rows)
    assert "20.9 to 23.3" in text
    assert "at most 16" in text
    assert "OUTSIDE" in text
    assert "TRH-database" in text
    plain = rows[0].as_dict()
    assert (plain["quantity"], plain["measured"], plain["ok"]) == ("room mean", [20.9, 23.3], True)
    assert rows[-1].as_dict()["measured"] == [None, 2.0]


def test_a_town_is_observed_through_its_own_messages() -> None:
    town = small_city(["2x6", "1x4"], daily_swing_k=5.0, step_min=10)
    found = observe(town.city, town.anchor, timedelta(days=7))
    week = 7 * calibration.PER_DAY
    assert found.room_c.shape[1] == len(town.dwellings)
    assert abs(len(found.room_c) - week) <= 2
    assert len(found.outdoor_c) == len(found.room_c)
    assert 18.0 < found.room_c.mean() < 25.0
    pair = calibration.quantities(found)
    assert np.abs(pair["pair_bias"]).max() < 1.0
    assert np.median(pair["radiator_mean"]) > 0.3


def test_what_cannot_be_calibrated_is_refused() -> None:
    town = small_city(["2x6", "1x4"])
    with pytest.raises(ValueError, match="7 days or more"):
        observe(town.city, town.anchor, timedelta(days=2))
    faulty = town.with_fault("pump_trip", "T-S1")
    with pytest.raises(ValueError, match="take a healthy one"):
        observe(faulty.city, town.anchor, timedelta(days=7))
    with pytest.raises(ValueError, match="20 dwellings"):
        observe(small_city(["1x4"]).city, town.anchor, timedelta(days=7))
