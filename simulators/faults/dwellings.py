"""Faults of single dwellings: their valves, radiators, windows and walls, and what people do."""

from __future__ import annotations

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators.faults.registry import FaultKind, Moment, Struck, fault, span
from simulators.knobs import Knobs

_UNIT = (PlaceKind.UNIT,)
STOPPED, RESTRICTED, VACANT = UNHEATED = ("stopped", "restricted", "vacant")
"""Why a dwelling is unheated; the words of the ledger's statuses."""


@fault(
    FaultKind(
        Cause.VALVE_CLOSED,
        _UNIT,
        ("unit_valve",),
        meaning="share of the valve that is closed",
        severity=1.0,
        bounds=(0.0, 1.0),
        usual=(0.9, 1.0),
    )
)
def valve_closed(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """A dwelling's valve is shut or stuck though its heating is paid for."""
    knobs.unit_valve[struck.units] *= 1.0 - moment.much


@fault(
    FaultKind(
        Cause.ENVELOPE,
        _UNIT,
        ("unit_extra_loss",),
        meaning="extra loss as a share of the dwelling's own",
        severity=0.4,
        bounds=(0.0, 3.0),
        usual=(0.2, 1.0),
    )
)
def envelope(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Leaky windows, a wet roof, a bare gable: the colder it is outside, the colder the room."""
    knobs.unit_extra_loss[struck.units] += moment.much


@fault(
    FaultKind(
        Cause.NEIGHBOUR_UNHEATED,
        _UNIT,
        ("unit_valve", "unit_gains"),
        meaning="share of the dwelling's own heat that is shut off",
        severity=1.0,
        bounds=(0.0, 1.0),
        variants=UNHEATED,
        together=(1, 4),
        stops_heating=True,
    )
)
def neighbour_unheated(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Heating is off by request, for arrears, or nobody lives there; the neighbours pay."""
    knobs.unit_valve[struck.units] *= 1.0 - moment.much
    if moment.variant == VACANT:
        knobs.unit_gains[struck.units] *= 1.0 - moment.level


@fault(
    FaultKind(
        Cause.TURNED_DOWN,
        _UNIT,
        ("unit_night_valve",),
        meaning="share of the valve that is closed from 22 to 6 o'clock",
        severity=0.7,
        bounds=(0.0, 1.0),
        usual=(0.5, 0.9),
    )
)
def turned_down(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """A tenant lowers the valve every night: a regular dip, quickly recovered."""
    knobs.unit_night_valve[struck.units] *= 1.0 - moment.much


@fault(
    FaultKind(
        Cause.WINDOW_OPEN,
        _UNIT,
        ("unit_extra_loss",),
        meaning="extra loss as a share of the dwelling's own (1: loss ×2, a window ajar)",
        severity=1.0,
        bounds=(0.0, 10.0),
        usual=(1.0, 3.0),
        lasts=span("30min", "3h"),
    )
)
def window_open(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """A window stands ajar or open."""
    knobs.unit_extra_loss[struck.units] += moment.much


@fault(
    FaultKind(
        Cause.RADIATOR_COVERED,
        _UNIT,
        ("unit_emission",),
        meaning="share of the radiators' output that is lost",
        severity=0.4,
        bounds=(0.0, 1.0),
        usual=(0.2, 0.5),
    )
)
def radiator_covered(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Panelling, a sofa, a curtain: the flow is there, the heat stays in the water."""
    knobs.unit_emission[struck.units] *= 1.0 - moment.much
