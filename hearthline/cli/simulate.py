"""``simulate``: publish a city without hardware, and keep what was true of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from hearthline.cli import towns
from hearthline.cli.city import register_ledger, the_simulator
from hearthline.cli.journey import Way, tell
from hearthline.cli.output import progress, until_signalled
from hearthline.cli.sinks import Stopped, open_sink
from hearthline.clock import system_clock
from hearthline.errors import Invalid

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from simulators import Message
    from simulators.runner import Run

DEFAULT = "town"
_SAY_EVERY = 500


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """Which town, beyond its scenario."""

    seed: Annotated[
        int | None, Parameter(help="Draw everything anew; default: the scenario's.")
    ] = None
    coverage: Annotated[float | None, Parameter(help="Share of dwellings with a sensor.")] = None
    units: Annotated[int | None, Parameter(help="Dwellings of a grown town, about.")] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Course:
    """How long, from when, how fast."""

    hours: Annotated[
        float | None, Parameter(help="Hours of event time; default: the scenario's history.")
    ] = None
    days: Annotated[float | None, Parameter(help="The same in days.")] = None
    start: Annotated[
        datetime | None, Parameter(help="Event time of the start; left out, it ends now.")
    ] = None
    speed: Annotated[
        float | None,
        Parameter(help="Event time per real time, 1 is live; left out, as fast as it goes."),
    ] = None

    def length(self) -> timedelta | None:
        """The length asked for, or None."""
        if self.hours is not None and self.days is not None:
            raise Invalid("Both --hours and --days were given.", "Give one of them.")
        length = timedelta(hours=self.hours or 0.0, days=self.days or 0.0)
        if (self.hours, self.days) == (None, None):
            return None
        if length <= timedelta(0):
            raise Invalid("The length must be positive.", "Give --hours or --days above 0.")
        return length


@Parameter(name="*")
@dataclass(frozen=True)
class Keep:
    """What to keep of the run beside its messages."""

    register: Annotated[bool, Parameter(help="Write the city's ledger to the database first.")] = (
        False
    )
    truth: Annotated[
        Path | None, Parameter(help="Write what was true: FILE.npz or FILE.parquet.")
    ] = None
    plot: Annotated[
        Path | None, Parameter(help="Draw what the run did: FILE.png, .svg or .pdf.")
    ] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Instead:
    """What to do instead of publishing."""

    list_: Annotated[bool, Parameter(name="--list", help="Show the scenarios.")] = False
    check: Annotated[str | None, Parameter(help="Check a scenario file; publish nothing.")] = None
    calibrate: Annotated[
        bool, Parameter(help="Compare a healthy town with measured dwellings.")
    ] = False


def simulate(
    scenario: Annotated[str | None, Parameter(help="A name from --list, or a YAML file.")] = None,
    *,
    to: Annotated[
        str | None,
        Parameter(help="mqtt://…, mqtts://…, jsonl:FILE, jsonl:- or none; default: the settings'."),
    ] = None,
    which: Which = Which(),
    course: Course = Course(),
    keep: Keep = Keep(),
    instead: Instead = Instead(),
    json: bool = False,
) -> None:
    """Publish a simulated city's messages; `docs/simulator.md` shows it all."""
    the_simulator()
    if instead.list_:
        towns.show_list(json=json)
    elif instead.check is not None:
        towns.show_check(instead.check, which, json=json)
    elif instead.calibrate:
        towns.show_calibration(scenario, which, course, json=json)
    else:
        _run(scenario or DEFAULT, to, which, course, keep, json=json)


def _run(
    scenario: str, to: str | None, which: Which, course: Course, keep: Keep, *, json: bool
) -> None:
    if json and to == "jsonl:-":
        raise Invalid("--json and --to jsonl:- both need standard output.", "Drop one of them.")
    _check_targets(keep)
    city = towns.build(scenario, which, course.length())
    length = course.length() or city.history
    begin = _begin(course.start, length)
    if keep.register:
        register_ledger(city.ledger_at(begin))
    way = Way(city, begin, length)
    _publish(way, scenario, to, course.speed)
    if not way.stopped:
        _keep(way, keep)
    tell(way, json=json)


def _begin(start: datetime | None, length: timedelta) -> datetime:
    if start is not None:
        return start if start.tzinfo else start.astimezone()
    return system_clock().replace(second=0, microsecond=0) - length


def _check_targets(keep: Keep) -> None:
    """Refuse a file that cannot be written before an hour of simulation, not after it."""
    from simulators.picture import PictureError, check_picture
    from simulators.truth.export import ExportError, check_path

    try:
        if keep.truth is not None:
            check_path(keep.truth)
        if keep.plot is not None:
            check_picture(keep.plot)
    except (ExportError, PictureError) as error:
        raise Invalid(f"{error}.") from None


def _publish(way: Way, title: str, to: str | None, speed: float | None) -> None:
    import simulators

    blocks = simulators.run(way.city, way.begin, way.begin + way.length)
    with until_signalled() as stop:
        with open_sink(to, stop) as sink, progress(title) as bar:
            hours = way.length / timedelta(hours=1)
            count = 0
            try:
                for count, message in enumerate(_messages(blocks, speed, stop), 1):
                    sink.send(message)
                    way.count(message)
                    if count % _SAY_EVERY == 0 or speed is not None:
                        bar(round(way.reached_s / 3600.0, 1), round(hours, 1), way.said(count))
                    if stop.is_set():
                        break
            except Stopped:
                pass
            bar(round(way.reached_s / 3600.0, 1), round(hours, 1), way.said(count))
        way.stopped = stop.is_set()
    way.took_s = time.monotonic() - way.began_s
    way.result = blocks.report.as_dict() | sink.books()


def _messages(blocks: Run, speed: float | None, stop: threading.Event) -> Iterator[Message]:
    """A block at a time in memory; at a speed, each message when it is due."""
    from simulators.live import paced

    messages = (message for block in blocks for message in block.messages)
    if speed is None:
        return messages
    if speed <= 0:
        raise Invalid(f"The speed {speed:g} is not positive.", "Take 1 for real time.")
    return paced(messages, speed, stop=stop)


def _keep(way: Way, keep: Keep) -> None:
    """Truth file and picture, from one survey of the city and its twin."""
    if keep.truth is None and keep.plot is None:
        return
    from contextlib import ExitStack

    from simulators.picture import Picture
    from simulators.truth.export import TruthWriter
    from simulators.truth.survey import survey

    length = max(way.length, timedelta(hours=1))
    with ExitStack() as stack, progress("truth") as bar:
        writer = keep.truth and stack.enter_context(
            TruthWriter(way.city, way.begin, length, keep.truth)
        )
        picture = Picture(way.city, way.begin) if keep.plot else None
        for hour in survey(way.city, way.begin, length, bar):
            if writer:
                writer.take(hour)
            if picture:
                picture.take(hour)
        if writer:
            way.result["truth"] = writer.finish().as_dict()
        if picture and keep.plot:
            picture.messages_per_hour(way.per_hour)
            way.result["plot"] = str(picture.draw(keep.plot))
