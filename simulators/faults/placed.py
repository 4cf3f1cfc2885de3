"""A fault of a scenario with everything resolved: where, from when to when, how much."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from hearthline.domain.findings import Cause
from simulators.faults.registry import REGISTRY, FaultKind, Moment, Struck
from simulators.layout import Layout
from simulators.scenario import FaultSpec, Scenario


@dataclass(frozen=True, slots=True)
class PlacedFault:
    """Offsets are seconds from the anchor; ``end_s`` may be infinite."""

    kind: FaultKind
    codes: tuple[str, ...]
    struck: Struck
    onset_s: float
    end_s: float
    ramp_s: float
    severity: float
    variant: str = ""

    @property
    def cause(self) -> Cause:
        """What the fault is called."""
        return self.kind.cause

    @property
    def onset(self) -> timedelta:
        """When it strikes, from the anchor."""
        return timedelta(seconds=self.onset_s)

    @property
    def end(self) -> timedelta | None:
        """When it is over, from the anchor; None if it stays."""
        return timedelta(seconds=self.end_s) if math.isfinite(self.end_s) else None

    def level(self, offset_s: float) -> float:
        """How much of it there is, 0 to 1."""
        if not self.onset_s <= offset_s < self.end_s:
            return 0.0
        return min((offset_s - self.onset_s) / self.ramp_s, 1.0) if self.ramp_s > 0 else 1.0

    def moment(self, level: float, since_s: float) -> Moment:
        """The fault at some level, some seconds after its onset."""
        return Moment(level, self.severity, since_s, self.variant)


def place_faults(
    scenario: Scenario, layout: Layout, specs: Iterable[FaultSpec] | None = None
) -> tuple[PlacedFault, ...]:
    """Resolve checked faults (by default those the scenario lists) against a town."""
    chosen = scenario.faults if specs is None else specs
    return tuple(_place(spec, scenario.source.capacity, layout) for spec in chosen)


def _place(spec: FaultSpec, capacity: float, layout: Layout) -> PlacedFault:
    kind = REGISTRY[spec.cause]
    found = [layout.lookup[code] for code in spec.places]
    places = np.array([index for _, index in found], dtype=np.intp)
    return PlacedFault(
        kind=kind,
        codes=spec.places,
        struck=Struck(found[0][0], places, layout, capacity),
        onset_s=spec.onset.total_seconds(),
        end_s=math.inf if spec.end is None else spec.end.total_seconds(),
        ramp_s=spec.ramp.total_seconds(),
        severity=kind.severity_of(spec.severity),
        variant=kind.variant_of(spec.variant),
    )
