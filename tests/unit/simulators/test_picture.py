"""The picture of a run: what is on it, whatever the file format, and when it says no."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from simulators import City
from simulators.picture import Picture, PictureError, check_picture, fault_bars
from simulators.truth.survey import survey

FAULTS = """
faults:
  - {cause: pump_trip, place: H-S2, onset: 2h, end: 6h}
  - {cause: valve_closed, place: [H-S1-B01-E1-0101, H-S1-B01-E1-0201], onset: -3d}
  - {cause: sensor_stuck, place: H-S1-B02-E1-0101, onset: 1h, severity: 15}
  - {cause: pump_trip, place: H-S1, onset: 40h}
"""
HOURS = 8


@pytest.fixture
def city(hamlet: Callable[..., City]) -> City:
    return hamlet(FAULTS)


@pytest.fixture
def picture(city: City, anchor: datetime) -> Picture:
    made = Picture(city, anchor)
    for hour in survey(city, anchor, timedelta(hours=HOURS)):
        made.take(hour)
    made.messages_per_hour({hour: 100 + hour for hour in range(HOURS)})
    return made


def test_every_hour_is_kept_as_a_few_numbers(picture: Picture, anchor: datetime) -> None:
    rooms = picture.series("rooms_c")
    assert rooms.shape == (HOURS, 5)
    assert (np.diff(rooms, axis=1) >= 0).all()
    assert (picture.series("cold") >= picture.series("twin_cold")).all()
    assert picture.series("cold")[-1] > 0
    assert (picture.series("source_kw") > 0).all()
    assert picture.series("supply_c").shape[0] == HOURS
    assert picture.messages.tolist() == [100 + hour for hour in range(HOURS)]
    assert picture.hours[0] == datetime(2026, 1, 12, 11, 0)  # noqa: DTZ001 - local, 10:30 to 11:30


@pytest.mark.parametrize(
    ("name", "begins"), [("p.png", b"\x89PNG"), ("p.svg", b"<?xml"), ("p.pdf", b"%PDF")]
)
def test_it_is_drawn_the_same_each_time(
    picture: Picture, tmp_path: Path, name: str, begins: bytes
) -> None:
    digests = set()
    for _ in range(2):
        content = picture.draw(tmp_path / name).read_bytes()
        assert content.startswith(begins)
        digests.add(hashlib.sha256(content).hexdigest())
    assert len(digests) == 1


def test_it_names_weather_rooms_faults_plant_and_messages(picture: Picture, tmp_path: Path) -> None:
    drawn = picture.draw(tmp_path / "p.svg").read_text(encoding="utf-8")
    for words in (
        "Outdoor temperature",
        "True room temperatures",
        "standard 20 °C",
        "Dwellings below the standard",
        "pump trip  H-S2",
        "valve closed  H-S1-B01-E1-0101 +1",
        "Heat from the source",
        "Secondary supply",
        "Messages per hour",
        "Asia/Shanghai",
    ):
        assert words in drawn


def test_a_bar_lasts_from_onset_to_end_and_faults_to_come_have_none(city: City) -> None:
    trip, valve, stuck = fault_bars(city.truth, HOURS)
    assert (trip.spans_h, trip.onsets_h) == (((2.0, 6.0),), (2.0,))
    assert (valve.spans_h, valve.onsets_h) == (((0.0, float(HOURS)),), ())
    assert stuck.of_sensor
    assert not trip.of_sensor


def test_many_faults_become_one_bar_for_each_cause(hamlet: Callable[..., City]) -> None:
    places = [f"H-S1-B01-E{entrance}-0{floor}01" for entrance in (1, 2) for floor in range(1, 7)]
    lines = "".join(
        f"  - {{cause: window_open, place: {place}, onset: 1h}}\n" for place in places
    ) + "".join(f"  - {{cause: sensor_stuck, place: {place}, onset: 2h}}\n" for place in places[:4])
    bars = fault_bars(hamlet("faults:\n" + lines).truth, HOURS)
    assert [bar.label for bar in bars] == ["sensor stuck (4)", "window open (12)"]
    assert [bar.spans_h for bar in bars] == [((2.0, 8.0),), ((1.0, 8.0),)]
    assert [bar.onsets_h for bar in bars] == [(2.0,), (1.0,)]


def test_a_town_without_faults_can_be_drawn(
    hamlet: Callable[..., City], anchor: datetime, tmp_path: Path
) -> None:
    city = hamlet()
    picture = Picture(city, anchor)
    picture.take(next(survey(city, anchor, timedelta(hours=1))))
    assert "none" in picture.draw(tmp_path / "p.svg").read_text(encoding="utf-8")


def test_errors_say_what_to_do(city: City, anchor: datetime, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"ends in \.png, \.svg, \.pdf, got 'p\.gif'"):
        check_picture(tmp_path / "p.gif")
    with pytest.raises(PictureError, match="make it first"):
        check_picture(tmp_path / "nowhere" / "p.png")
    with pytest.raises(PictureError, match="simulate an hour or more"):
        Picture(city, anchor).draw(tmp_path / "p.png")
