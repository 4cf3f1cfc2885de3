"""Faults: what can go wrong, as knobs turned on the arrays of the town.

``registry`` says what a kind of fault is; ``network``, ``dwellings`` and ``sensors`` hold the
kinds; ``placed`` and ``board`` put a scenario's faults into a town and time; ``conflicts`` knows
which of them contradict each other; ``drawing`` draws them by seed.
"""

from simulators.faults import dwellings, network, sensors
from simulators.faults.board import FaultBoard
from simulators.faults.drawing import draw
from simulators.faults.placed import PlacedFault, place_faults
from simulators.faults.registry import REGISTRY, FaultKind, Moment, Struck, fault
from simulators.knobs import Knobs

__all__ = [
    "REGISTRY",
    "FaultBoard",
    "FaultKind",
    "Knobs",
    "Moment",
    "PlacedFault",
    "Struck",
    "draw",
    "dwellings",
    "fault",
    "network",
    "place_faults",
    "sensors",
]
