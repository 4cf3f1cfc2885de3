"""Faults of room sensors and gateways: the rooms are fine, the readings are not."""

from __future__ import annotations

from hearthline.domain.findings import Cause
from hearthline.domain.places import PlaceKind
from simulators.faults.registry import NOTHING_TO_SET, FaultKind, Moment, Struck, fault, span
from simulators.knobs import Knobs

_UNIT = (PlaceKind.UNIT,)
_WEEK_S = 7.0 * 86400.0
RADIATOR, SUN, BALCONY = MISPLACED = ("radiator", "sun", "balcony")
"""Where a sensor hangs that should not hang there."""

# What a misplaced sensor feels when its severity is 1 K, on a day at −10 °C.
_WATER_OVER_ROOM_K = 26.0
_SUN_100_WM2 = 5.0  # clear winter noon on the south front
_ROOM_OVER_OUTDOORS_K = 32.0


@fault(
    FaultKind(
        Cause.SENSOR_MISPLACED,
        _UNIT,
        ("sensor_radiator", "sensor_sun", "sensor_outdoors"),
        meaning="K by which it errs on a day at −10 °C (sun: at a clear noon)",
        severity=1.2,
        bounds=(0.0, 20.0),
        usual=(1.0, 3.0),
        variants=MISPLACED,
        of_sensor=True,
    )
)
def sensor_misplaced(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Above a radiator, in the sun, or on a balcony or an outer wall."""
    if moment.variant == SUN:
        knobs.sensor_sun[struck.units] += moment.much / _SUN_100_WM2
    elif moment.variant == BALCONY:
        knobs.sensor_outdoors[struck.units] += moment.much / _ROOM_OVER_OUTDOORS_K
    else:
        knobs.sensor_radiator[struck.units] += moment.much / _WATER_OVER_ROOM_K


@fault(
    FaultKind(
        Cause.SENSOR_STUCK,
        _UNIT,
        ("sensor_stuck", "sensor_value"),
        meaning="°C it shows for ever; without it, the value it read last",
        severity=float("nan"),
        bounds=(-40.0, 60.0),
        of_sensor=True,
    )
)
def sensor_stuck(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """A room sensor repeats one value; the room itself is fine."""
    knobs.sensor_stuck[struck.units] = True
    knobs.sensor_value[struck.units] = moment.severity


@fault(
    FaultKind(
        Cause.SENSOR_DRIFT,
        _UNIT,
        ("sensor_offset_k",),
        meaning="K a week by which it drifts, from its onset on; negative: it reads ever lower",
        severity=-0.2,
        bounds=(-5.0, 5.0),
        usual=(0.05, 0.3),
        signed=True,
        of_sensor=True,
        grows=True,
    )
)
def sensor_drift(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """An ageing sensor wanders off, slowly and for good."""
    knobs.sensor_offset_k[struck.units] += moment.much * moment.since_s / _WEEK_S


@fault(
    FaultKind(
        Cause.SENSOR_MOVED,
        _UNIT,
        ("sensor_offset_k",),
        meaning="K by which its level jumps",
        severity=-1.5,
        bounds=(-15.0, 15.0),
        usual=(1.0, 3.0),
        signed=True,
        of_sensor=True,
    )
)
def sensor_moved(knobs: Knobs, struck: Struck, moment: Moment) -> None:
    """Somebody moved or knocked it: from one reading to the next its level is another."""
    knobs.sensor_offset_k[struck.units] += moment.much


@fault(
    FaultKind(
        Cause.SENSOR_BATTERY,
        _UNIT,
        ("sensor_dead",),
        meaning=NOTHING_TO_SET,
        of_sensor=True,
    )
)
def sensor_battery(knobs: Knobs, struck: Struck, moment: Moment) -> None:  # noqa: ARG001
    """Its battery is flat: it says nothing any more."""
    knobs.sensor_dead[struck.units] = True


@fault(
    FaultKind(
        Cause.SENSOR_SWAPPED,
        _UNIT,
        ("sensor_unit",),
        meaning=NOTHING_TO_SET,
        count=(2, 2),
        together=(2, 2),
        of_sensor=True,
    )
)
def sensor_swapped(knobs: Knobs, struck: Struck, moment: Moment) -> None:  # noqa: ARG001
    """Two sensors hang in each other's dwelling: each tracks the wrong riser."""
    knobs.sensor_unit[struck.units] = struck.units[::-1]


@fault(
    FaultKind(
        Cause.GATEWAY_OUTAGE,
        (PlaceKind.BUILDING,),
        ("gateway_down",),
        meaning=NOTHING_TO_SET,
        lasts=span("2h", "2d"),
        of_sensor=True,
        hides=True,
    )
)
def gateway_outage(knobs: Knobs, struck: Struck, moment: Moment) -> None:  # noqa: ARG001
    """A building's gateway passes nothing on: gaps aligned in time, nobody is cold."""
    knobs.gateway_down[struck.places] = True
