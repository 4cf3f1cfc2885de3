"""What ``simulate`` says of towns without publishing them: the list, a check, a calibration."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hearthline.cli.city import not_installed
from hearthline.cli.output import emit, out, progress
from hearthline.errors import HearthlineError, Invalid

if TYPE_CHECKING:
    from hearthline.cli.simulate import Course, Which
    from simulators import City, Scenario

REFERENCE = "healthy"
_FAULTS_SHOWN = 30


class OutsideMeasured(HearthlineError):
    """The simulated town is not like the measured dwellings."""


def build(name: str, which: Which, length: timedelta | None) -> City:
    """The city that the command line asks for.

    Raises:
        Invalid: with every problem of the scenario, or of what the options change in it.
    """
    import simulators

    try:
        scenario = _sized(simulators.load(name), which.units, length)
        return simulators.build(scenario, seed=which.seed, coverage=which.coverage)
    except (simulators.ScenarioError, ValueError) as error:
        raise Invalid(str(error)) from None


def _sized(scenario: Scenario, units: int | None, length: timedelta | None) -> Scenario:
    """The scenario, stretched where another size or length is asked for."""
    if units is None:
        return scenario
    from simulators.scenario.file import resize

    days = length / timedelta(days=1) if length else None
    return resize(scenario, units=units, days=days)


def show_list(*, json: bool) -> None:
    """One line for each scenario that comes with the package."""
    import simulators

    summaries = simulators.scenarios()
    if json:
        emit({"scenarios": [asdict(summary) for summary in summaries]})
        return
    for one in summaries:
        size = f"{one.units:>9,} dwellings, {one.faults:>6,} faults, {_days(one.history):>7}"
        out.print(f"{one.name:18} {size}  {one.title}  {one.title_zh}")


def _days(length: timedelta) -> str:
    """A length as people say it: 3 d, or 36 h where it is no whole number of days."""
    days = length / timedelta(days=1)
    return f"{days:g} d" if days == int(days) else f"{length / timedelta(hours=1):g} h"


def show_check(name: str, which: Which, *, json: bool) -> None:
    """Say every problem of a scenario (exit code 2), or what its town would be."""
    city = build(name, which, None)
    found = _described(city)
    if json:
        emit(found)
        return
    out.print(
        f"{name} is right: {found['title']}. {found['substations']:,} substations, "
        f"{found['buildings']:,} buildings, {found['dwellings']:,} dwellings; "
        f"{found['room_sensors']:,} room sensors and {found['meters']:,} heat meters, about "
        f"{found['readings_a_day']:,} readings a day; {_days(city.history)} of history; "
        f"{len(city.faults):,} faults."
    )
    for fault in found["faults"][:_FAULTS_SHOWN]:
        lasts = f" until {fault['end_h']:g} h" if fault["end_h"] is not None else ""
        where = ", ".join(fault["places"])
        out.print(f"  {fault['cause']:20} from {fault['onset_h']:g} h{lasts}  {where}")
    if len(found["faults"]) > _FAULTS_SHOWN:
        out.print(f"  … and {len(found['faults']) - _FAULTS_SHOWN:,} more (--json shows all)")


def _described(city: City) -> dict[str, Any]:
    from hearthline.domain.places import PlaceKind

    spec, fleet, hour = city.scenario.instruments, city.fleet, timedelta(hours=1)
    day = timedelta(days=1)
    readings = len(fleet.rooms) * (day / spec.room_every)
    readings += len(fleet.meters) * (day / spec.meter_every) + day / spec.weather_every
    return {
        "name": city.scenario.name,
        "title": city.scenario.title,
        "title_zh": city.scenario.title_zh,
        "substations": len(city.layout.codes[PlaceKind.SUBSTATION]),
        "buildings": len(city.layout.codes[PlaceKind.BUILDING]),
        "dwellings": city.layout.units,
        "room_sensors": len(fleet.rooms),
        "meters": len(fleet.meters),
        "readings_a_day": round(readings),
        "history_h": city.history / hour,
        "faults": [
            {
                "cause": str(fault.cause),
                "places": list(fault.places),
                "onset_h": fault.onset / hour,
                "end_h": fault.end / hour if fault.end is not None else None,
                "severity": fault.severity,
            }
            for fault in city.truth
        ],
    }


def show_calibration(name: str | None, which: Which, course: Course, *, json: bool) -> None:
    """Compare a healthy town with measured dwellings.

    Raises:
        OutsideMeasured: a quantity lies outside its measured range.
    """
    try:
        from simulators import calibration
    except ModuleNotFoundError as missing:
        raise not_installed("Calibration", missing) from None

    city = build(name or REFERENCE, which, course.length())
    length = course.length() or city.history
    anchor = course.start or calibration.ANCHOR
    with progress("calibrate") as bar:
        try:
            observed = calibration.observe(city, anchor.astimezone(), length, bar)
        except ValueError as error:
            raise Invalid(f"{error}.") from None
    rows = calibration.compare(observed)
    if json:
        emit({"units": city.layout.units, "days": length / timedelta(days=1), **_as_json(rows)})
    else:
        out.print(calibration.table(rows))
    outside = [row.quantity for row in rows if not row.ok]
    if outside:
        raise OutsideMeasured(f"Outside the measured range: {', '.join(outside)}.")


def _as_json(rows: list[Any]) -> dict[str, Any]:
    return {"ok": all(row.ok for row in rows), "quantities": [row.as_dict() for row in rows]}
