"""How a crew has set a town by hand: balancing valves of buildings, speed of circulation pumps.

A setting is no fault: it holds from the beginning, in the twin without faults too, and the truth
does not list it. Advice on balancing is tried out with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from hearthline.domain.places import PlaceKind
from simulators.knobs import Knobs
from simulators.layout import Layout
from simulators.scenario import SettingSpec

VALVES = (PlaceKind.BUILDING,)
PUMPS = (PlaceKind.SUBSTATION, PlaceKind.CIRCUIT)


def turned(knobs: Knobs, settings: Iterable[SettingSpec], layout: Layout) -> Knobs:
    """The knobs with every setting applied; several for one place multiply."""
    valve, speed = knobs.building_valve.copy(), knobs.pump_speed.copy()
    for setting in settings:
        kind, index = layout.lookup[setting.place]
        if kind is PlaceKind.BUILDING:
            valve[index] *= setting.valve
        elif kind is PlaceKind.CIRCUIT:
            speed[index] *= setting.pump
        else:
            speed[np.flatnonzero(layout.circuit_substation == index)] *= setting.pump
    return replace(knobs, building_valve=valve, pump_speed=speed)
