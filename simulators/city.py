"""A city: a scenario built with a seed and a coverage, its ledger and its faults.

Nothing here depends on when the city is run; an anchor enters with ``run`` and ``ledger_at``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from hearthline.domain.findings import Cause
from hearthline.domain.places import Ledger, PlaceKind
from simulators import checks, ledgers, scenario_file
from simulators.engine import Engine, State
from simulators.faults import PlacedFault
from simulators.fleet import Fleet, equip
from simulators.layout import Index, Layout, lay_out
from simulators.model import Model, make
from simulators.scenario import Problem, Scenario, ScenarioError, ScenarioSummary

LONG_AGO = datetime(2020, 10, 20, tzinfo=UTC)
"""Since when dwellings are heated, and stand stopped where no anchor says since when."""
_KEPT_STATES = 4


@dataclass(frozen=True, slots=True)
class FaultTruth:
    """One fault as the simulator knows it; offsets are from the anchor.

    ``places`` are where it sits (for a stopped neighbour: the stopped dwellings), ``reach`` the
    dwellings it can make cold (at or below the places, and up to two party walls away, without
    stopped ones); ``devices`` the room sensors that lie, for faults of sensors.
    """

    cause: Cause
    places: tuple[str, ...]
    onset: timedelta
    end: timedelta | None
    ramp: timedelta
    severity: float
    reach: frozenset[str]
    devices: tuple[str, ...] = ()


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
        return tuple(self._true(fault) for fault in self.faults)

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
        return Engine(self.scenario, self.seed, self.layout, self.model, faults, anchor)

    def start(self, anchor: datetime, *, with_faults: bool = True) -> tuple[Engine, State]:
        """An engine, and the town in equilibrium at the anchor (computed once)."""
        engine = self.engine(anchor, with_faults=with_faults)
        key = (anchor, with_faults)
        if key not in self._settled:
            if len(self._settled) >= _KEPT_STATES:
                self._settled.clear()
            self._settled[key] = engine.spin_up()
        return engine, self._settled[key].copy()

    def _true(self, fault: PlacedFault) -> FaultTruth:
        return FaultTruth(
            cause=fault.cause,
            places=fault.codes,
            onset=fault.onset,
            end=fault.end,
            ramp=timedelta(seconds=fault.ramp_s),
            severity=fault.severity,
            reach=frozenset(self.unit_codes[unit] for unit in self.reach(fault)),
            devices=self._lying(fault),
        )

    def reach(self, fault: PlacedFault) -> Index:
        """Indices of the dwellings that a fault can make cold."""
        if fault.kind.of_sensor:
            return np.zeros(0, dtype=np.intp)
        hit = np.zeros(self.layout.units, dtype=bool)
        hit[fault.struck.units] = True
        for _ in range(2):
            hit = hit | hit[self.layout.neighbours].any(axis=0)
        for other in self.faults:
            if other.kind.stops_heating:
                hit[other.struck.units] = False
        return np.flatnonzero(hit)

    def _lying(self, fault: PlacedFault) -> tuple[str, ...]:
        if not fault.kind.of_sensor:
            return ()
        struck = set(fault.codes)
        return tuple(d.uid for d in self.fleet.rooms.devices if d.place in struck)


def scenarios() -> list[ScenarioSummary]:
    """The scenarios that come with the package, by name."""
    found = []
    for name in scenario_file.shipped():
        scenario = load(name)
        found.append(
            ScenarioSummary(
                name=scenario.name,
                title=scenario.title,
                title_zh=scenario.title_zh,
                units=lay_out(scenario, scenario.seed).units,
                faults=len(scenario.faults),
                history=scenario.history,
            )
        )
    return found


def load(name_or_path: str | Path) -> Scenario:
    """Read and check a scenario.

    Raises:
        ScenarioError: lists every problem of the file, each with its line.
    """
    scenario, lines = scenario_file.read(name_or_path)
    check(scenario, lines)
    return scenario


def check(scenario: Scenario, lines: checks.Lines | None = None) -> Layout:
    """Check a scenario against its own town.

    Raises:
        ScenarioError: lists every problem.
    """
    problems = checks.check_shape(scenario, lines or {})
    if problems:
        raise ScenarioError(scenario.name, problems)
    town = lay_out(scenario, scenario.seed)
    problems = checks.check_places(scenario, town, lines or {})
    if problems:
        raise ScenarioError(scenario.name, problems)
    return town


def build(scenario: Scenario, *, seed: int | None = None, coverage: float | None = None) -> City:
    """Build the city of a scenario; ``seed`` and ``coverage`` replace the scenario's.

    Raises:
        ScenarioError: the scenario does not fit its town, or the coverage is no share.
    """
    number = scenario.seed if seed is None else seed
    share = scenario.instruments.coverage if coverage is None else coverage
    if not 0.0 <= share <= 1.0:
        problem = Problem("coverage", f"must lie between 0 and 1, got {share:g}")
        raise ScenarioError(scenario.name, [problem])
    town = lay_out(scenario, number)
    problems = checks.check_places(scenario, town, {})
    if problems:
        raise ScenarioError(scenario.name, problems)
    return City(
        scenario=scenario,
        seed=number,
        coverage=share,
        layout=town,
        model=make(scenario, town, number),
        fleet=equip(scenario, town, number, share),
        faults=checks.place_faults(scenario, town),
    )
