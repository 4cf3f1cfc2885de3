"""A city: a scenario built with a seed and a coverage, its ledger and its faults.

Nothing here depends on when the city is run; an anchor enters with ``run`` and ``ledger_at``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from hearthline.domain.findings import Cause
from hearthline.domain.places import Ledger, PlaceKind
from simulators import ledgers
from simulators.devices.fleet import Fleet, equip
from simulators.engine import Engine
from simulators.faults import FaultBoard, PlacedFault, draw, place_faults
from simulators.faults.drawing import how_many
from simulators.faults.habits import SINCE as HABITS_SINCE
from simulators.layout import Index, Layout, lay_out
from simulators.model import Model, make
from simulators.scenario import FaultSpec, Scenario, ScenarioError, ScenarioSummary, checks
from simulators.scenario import file as scenario_file
from simulators.states import State

LONG_AGO = datetime(2020, 10, 20, tzinfo=UTC)
"""Since when dwellings are heated, and stand stopped where no anchor says since when."""
_KEPT_STATES = 4


@dataclass(frozen=True, slots=True)
class FaultTruth:
    """One fault as the simulator knows it; offsets are from the anchor.

    ``places`` are where it sits (for a stopped neighbour: the stopped dwellings), ``reach`` the
    dwellings it can make cold (at or below the places, and up to two party walls away, without
    stopped ones); ``devices`` the room sensors that lie, for faults of sensors. ``habit``: people
    do it for good (the scenario's ``people``), it is a circumstance and no fault.
    """

    cause: Cause
    variant: str
    places: tuple[str, ...]
    onset: timedelta
    end: timedelta | None
    ramp: timedelta
    severity: float
    reach: frozenset[str]
    devices: tuple[str, ...] = ()
    habit: bool = False


@dataclass(frozen=True)
class City:
    """A town ready to be run any number of times."""

    scenario: Scenario
    seed: int
    coverage: float
    layout: Layout
    model: Model
    fleet: Fleet
    faults: tuple[PlacedFault, ...]
    _settled: dict[tuple[datetime, bool], State] = field(default_factory=dict, compare=False)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger with statuses dated long ago; see ``ledger_at`` for exact dates."""
        return self.ledger_at(None)

    def ledger_at(self, anchor: datetime | None) -> Ledger:
        """Places, units, statuses and devices; stops are dated by the anchor if one is given."""
        stops = ledgers.stops(self.faults, self.layout, anchor, LONG_AGO)
        return ledgers.ledger(
            self.scenario,
            self.layout,
            self.fleet,
            seed=self.seed,
            stops=stops,
            heated_since=LONG_AGO,
        )

    @cached_property
    def truth(self) -> tuple[FaultTruth, ...]:
        """Every fault with its cause, places, times and reach, in the scenario's order."""
        return tuple(self._true(number, fault) for number, fault in enumerate(self.faults))

    @property
    def unit_codes(self) -> list[str]:
        """Codes of the dwellings in the order of every [units] array."""
        return self.layout.codes[PlaceKind.UNIT]

    @property
    def history(self) -> timedelta:
        """How long the published history is."""
        return self.scenario.history

    def engine(self, anchor: datetime, *, with_faults: bool = True) -> Engine:
        """The physics of this city from an anchor; without faults it is the truth's twin."""
        faults = self.faults if with_faults else ()
        board = FaultBoard(self.layout, faults, self.scenario.settings)
        return Engine(self.scenario, self.seed, self.layout, self.model, board, anchor)

    def start(self, anchor: datetime, *, with_faults: bool = True) -> tuple[Engine, State]:
        """An engine, and the town in equilibrium at the anchor (computed once)."""
        engine = self.engine(anchor, with_faults=with_faults)
        key = (anchor, with_faults)
        if key not in self._settled:
            if len(self._settled) >= _KEPT_STATES:
                self._settled.clear()
            self._settled[key] = engine.spin_up()
        return engine, self._settled[key].copy()

    def _true(self, number: int, fault: PlacedFault) -> FaultTruth:
        return FaultTruth(
            cause=fault.cause,
            variant=fault.variant,
            places=fault.codes,
            onset=fault.onset,
            end=fault.end,
            ramp=timedelta(seconds=fault.ramp_s),
            severity=fault.severity,
            reach=frozenset(self.unit_codes[unit] for unit in self.reach(fault)),
            devices=self._lying(fault),
            habit=number >= len(self.scenario.faults) and fault.onset == HABITS_SINCE,
        )

    def reach(self, fault: PlacedFault) -> Index:
        """Indices of the dwellings that a fault can make cold."""
        if fault.kind.of_sensor:
            return np.zeros(0, dtype=np.intp)
        hit = fault.struck.units
        for _ in range(2):
            hit = np.union1d(hit, self.layout.touched_by(hit))
        return hit[~self._unheated[hit]]

    @cached_property
    def _unheated(self) -> NDArray[np.bool_]:
        """Dwellings whose heating somebody stopped at some time, [units]."""
        stopped = np.zeros(self.layout.units, dtype=bool)
        for fault in self.faults:
            if fault.kind.stops_heating:
                stopped[fault.struck.units] = True
        return stopped

    def _lying(self, fault: PlacedFault) -> tuple[str, ...]:
        """Uids of the sensors that a fault of sensors makes lie, or silences."""
        if not fault.kind.of_sensor:
            return ()
        rooms = self.fleet.rooms
        carried = (rooms.of_unit(int(unit)) for unit in fault.struck.units)
        return tuple(rooms.identity(sensor).uid for sensor in carried if sensor is not None)


def scenarios() -> list[ScenarioSummary]:
    """The scenarios that come with the package, by name."""
    found = []
    for name in scenario_file.shipped():
        scenario = load(name)
        units = lay_out(scenario, scenario.seed).units
        drawn = scenario.drawn_faults
        found.append(
            ScenarioSummary(
                name=scenario.name,
                title=scenario.title,
                title_zh=scenario.title_zh,
                units=units,
                faults=len(scenario.faults) + (how_many(drawn, units) if drawn else 0),
                history=scenario.history,
            )
        )
    return found


def load(name_or_path: str | Path) -> Scenario:
    """Read and check a scenario.

    Raises:
        ScenarioError: lists every problem of the file, each with its line.
    """
    return checks.sound(scenario_file.look_at(name_or_path))


def build(
    scenario: Scenario,
    *,
    seed: int | None = None,
    coverage: float | None = None,
    faults: tuple[FaultSpec, ...] | None = None,
) -> City:
    """Build the city of a scenario; ``seed``, ``coverage``, ``faults`` replace the scenario's.

    Faults left to chance (``drawn_faults``, ``people``) are drawn here, by the seed.

    Raises:
        ScenarioError: the scenario does not fit its town, or the coverage is no share.
    """
    number = scenario.seed if seed is None else seed
    share = scenario.instruments.coverage if coverage is None else coverage
    if not 0.0 <= share <= 1.0:
        raise checks.no_share("coverage", scenario.name, share)
    if faults is not None:
        scenario = msgspec.structs.replace(scenario, faults=faults, drawn_faults=None)
    town = lay_out(scenario, number)
    problems = checks.check_places(scenario, town, {})
    if problems:
        raise ScenarioError(scenario.name, problems)
    fleet = equip(scenario, town, number, share)
    wanted = (*scenario.faults, *draw(scenario, town, number, fleet.rooms.unit))
    return City(
        scenario=scenario,
        seed=number,
        coverage=share,
        layout=town,
        model=make(scenario, town, number),
        fleet=fleet,
        faults=place_faults(scenario, town, wanted),
    )
