"""Staking out: distances, circuits, and grown towns on the map."""

from __future__ import annotations

import math

import pytest

from simulators import grounds
from simulators.scenario import CircuitSpec, GrownTownSpec, SourceSpec, SubstationSpec
from simulators.scenario.file import parse

SOURCE = SourceSpec(code="X", name="Plant", latitude=45.0, longitude=126.0)


def test_a_shape_is_entrances_floors_and_doors() -> None:
    assert grounds.shape_of("3x7") == (3, 7, 2)
    assert grounds.shape_of("1x30x6").dwellings == 180


def test_a_pipe_is_as_long_as_said_or_13_times_the_way_on_the_map() -> None:
    north = SubstationSpec(name="N", latitude=45.01, longitude=126.0)
    east = SubstationSpec(name="E", latitude=45.0, longitude=126.01)
    metres = 1.3 * 1113.2
    assert grounds.distance_m(SOURCE, north) == pytest.approx(metres, abs=1.0)
    shorter = metres * math.cos(math.radians(45.0))
    assert grounds.distance_m(SOURCE, east) == pytest.approx(shorter, abs=1.0)
    told = SubstationSpec(name="T", latitude=45.0, longitude=126.0, distance_m=4321.0)
    assert grounds.distance_m(SOURCE, told) == 4321.0
    beside = SubstationSpec(name="B", latitude=45.0, longitude=126.0)
    assert grounds.distance_m(SOURCE, beside) == 100.0


def test_buildings_listed_under_a_substation_make_one_circuit() -> None:
    plain = SubstationSpec(name="N", latitude=45.0, longitude=126.0, buildings=("2x5",))
    (circuit,) = grounds.circuits_of(plain)
    assert circuit.buildings == ("2x5",)
    two = (CircuitSpec(name="a", buildings=("2x5",)), CircuitSpec(name="b", buildings=("2x6",)))
    listed = SubstationSpec(name="N", latitude=45.0, longitude=126.0, circuits=two)
    assert grounds.circuits_of(listed) == two


def test_grown_stations_lie_around_the_source_without_touching(hamlet_text: str) -> None:
    scenario, _ = parse(hamlet_text)
    spec = GrownTownSpec(dwellings=30_000, per_substation=600)
    grown = list(grounds._grown_town(spec, scenario.source, 5, 0))
    places = [(s.latitude * 111_320.0, s.longitude * 111_320.0 * 0.7) for s in grown]
    nearest = [min(math.dist(one, other) for other in places if other is not one) for one in places]
    assert len(grown) > 40
    assert min(nearest) > 300.0
    assert max(grounds.distance_m(scenario.source, station) for station in grown) < 8000.0
