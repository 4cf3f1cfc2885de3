"""Faults of the network: source, substations, circuits, buildings, entrances, risers."""

from __future__ import annotations

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators.faults.registry import FaultKind, Moment, Struck, fault, span
from simulators.knobs import Knobs

_STATION = (PlaceKind.SUBSTATION, PlaceKind.CIRCUIT)
_LEAST_FLOW = 1e-3
_SWAPPED_TOP, _SWAPPED_GROUND = 0.5, 0.8
_LOCKED_GROUND = 0.5
_VALVE_PER_K = 0.31


@fault(
    FaultKind(
        Cause.SOURCE_SHORTAGE,
        (PlaceKind.SOURCE,),
        ("source_capacity",),
        meaning="share of the town's design heat that the source can still bring",
        severity=0.65,
        bounds=(0.0, 2.0),
        usual=(0.6, 0.8),
        ramp=span("1h", "8h"),
        lasts=span("12h", "3d"),
    )
)
def source_shortage(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """A boiler is out: beyond what is left, the primary supply sags below its schedule."""
    left = min(moment.severity / struck.source_capacity, 1.0)
    knobs.source_capacity *= 1.0 - moment.level * (1.0 - left)


@fault(
    FaultKind(
        Cause.CONTROL_CURVE,
        _STATION,
        ("curve_offset_k",),
        meaning="K by which the secondary supply is held below its curve",
        severity=6.0,
        bounds=(0.0, 40.0),
        usual=(3.0, 10.0),
        lasts=span("1d", "10d"),
    )
)
def control_curve(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """The curve is set too low, or its outdoor sensor hangs in the sun."""
    knobs.curve_offset_k[struck.circuits] -= moment.much


@fault(
    FaultKind(
        Cause.PUMP_TRIP,
        _STATION,
        ("pump_speed",),
        meaning="share of the flow that still moves by itself",
        severity=0.03,
        bounds=(0.0, 1.0),
        usual=(0.0, 0.06),
        ramp=span("0min", "10min"),
        lasts=span("3h", "18h"),
        hides=True,
    )
)
def pump_trip(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """The circulation pump runs out; a little water still circulates by its own weight."""
    knobs.pump_speed[struck.circuits] *= 1.0 - (1.0 - moment.severity) * moment.level


@fault(
    FaultKind(
        Cause.EXCHANGER_FOULED,
        _STATION,
        ("exchanger_fouling_k",),
        meaning="K added to the approach (primary return − secondary return) at design load",
        severity=9.0,
        bounds=(0.0, 40.0),
        usual=(6.0, 12.0),  # dirt also narrows the way: from about 9 K on rooms suffer in frost
        ramp=span("7d", "21d"),
    )
)
def exchanger_fouled(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Scale on the plates: the same heat needs hotter or more primary water."""
    knobs.exchanger_fouling_k[struck.circuits] += moment.much


@fault(
    FaultKind(
        Cause.STRAINER_CLOGGED,
        (PlaceKind.BUILDING, PlaceKind.ENTRANCE, PlaceKind.SUBSTATION),
        ("building_resistance", "entrance_resistance", "circuit_resistance"),
        meaning="times the resistance of the branch it sits in, fully clogged",
        severity=9.0,
        bounds=(1.0, 1000.0),
        usual=(7.0, 25.0),
        ramp=span("12h", "7d"),
        hides=True,
    )
)
def strainer_clogged(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Dirt in a strainer multiplies the resistance of the whole branch behind it."""
    times = round(moment.severity**moment.level, 6)
    if struck.kind is PlaceKind.SUBSTATION:
        knobs.circuit_resistance[struck.circuits] *= times
    elif struck.kind is PlaceKind.BUILDING:
        knobs.building_resistance[struck.places] *= times
    else:
        knobs.entrance_resistance[struck.places] *= times


@fault(
    FaultKind(
        Cause.LEAK,
        _STATION,
        ("leak_m3h",),
        meaning="m³/h lost from the secondary side, shared among the circuits struck",
        severity=0.5,
        bounds=(0.0, 200.0),
        usual=(0.6, 1.8),
        by_size=True,
        ramp=span("10min", "1d"),
        lasts=span("6h", "36h"),
    )
)
def leak(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Water runs out: make-up rises, pressure falls, the top floors lose flow."""
    knobs.leak_m3h[struck.circuits] += moment.much / max(len(struck.circuits), 1)


@fault(
    FaultKind(
        Cause.PIPES_SWAPPED,
        (PlaceKind.ENTRANCE, PlaceKind.BUILDING),
        (
            "building_resistance",
            "building_swapped",
            "entrance_resistance",
            "entrance_swapped",
            "unit_emission",
        ),
        meaning="share of the flow that still gets through the wrong way round",
        severity=0.35,
        bounds=(0.0, 1.0),
        usual=(0.25, 0.45),
        hides=True,
    )
)
def pipes_swapped(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Supply and return joined the wrong way: poor circulation, and radiators fed from below.

    The floors that used to be reached first are now reached last, so the top gives off least.
    """
    times = 1.0 / max(moment.severity, _LEAST_FLOW) ** 2
    if struck.kind is PlaceKind.BUILDING:
        knobs.building_resistance[struck.places] *= times
        knobs.building_swapped[struck.places] = True
    else:
        knobs.entrance_resistance[struck.places] *= times
        knobs.entrance_swapped[struck.places] = True
    fed = _SWAPPED_GROUND - (_SWAPPED_GROUND - _SWAPPED_TOP) * struck.height
    knobs.unit_emission[struck.units] *= fed


@fault(
    FaultKind(
        Cause.AIR_LOCK,
        (PlaceKind.RISER,),
        ("unit_valve",),
        meaning="share of the flow that the air holds back at the top; half of it at the ground",
        severity=0.95,
        bounds=(0.0, 1.0),
        usual=(0.8, 1.0),
        ramp=span("0h", "6h"),
        lasts=span("1d", "7d"),
        hides=True,
    )
)
def air_lock(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Air gathers at the top of a riser: one stack cold, worst on top, until it is vented."""
    share = _LOCKED_GROUND + (1.0 - _LOCKED_GROUND) * struck.height
    knobs.unit_valve[struck.units] *= 1.0 - moment.much * share


@fault(
    FaultKind(
        Cause.HYDRAULIC_IMBALANCE,
        _STATION,
        ("balance_lost",),
        meaning="share of the throttling of near buildings' valves that is gone",
        severity=0.9,
        bounds=(0.0, 1.0),
        usual=(0.7, 1.0),
    )
)
def hydraulic_imbalance(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Somebody opened the near buildings' valves: they take what the far ones lack."""
    lost = knobs.balance_lost[struck.circuits]
    knobs.balance_lost[struck.circuits] = 1.0 - (1.0 - lost) * (1.0 - moment.much)


@fault(
    FaultKind(
        Cause.VERTICAL_IMBALANCE,
        (PlaceKind.BUILDING, PlaceKind.RISER),
        ("unit_valve",),
        meaning="K between ground and top floor on a day at −10 °C",
        severity=2.5,
        bounds=(0.0, 8.0),
        usual=(1.5, 4.0),
        variants=("ground_cold", "top_cold"),
        hides=True,
    )
)
def vertical_imbalance(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Valves along a riser do not fit each other: flow is graded from floor to floor.

    With the worst floor at 1/(1 + 0.31 K) of its valve, ground and top of an eleven-storey riser
    differ by about 1.1, 2.5 and 3.7 K where the severity is 1, 2.5 and 4 K.
    """
    short = struck.height if moment.variant == "top_cold" else 1.0 - struck.height
    knobs.unit_valve[struck.units] /= 1.0 + _VALVE_PER_K * moment.much * short
