"""``simulate`` and ``replay``: a city without hardware, and measured series as device messages."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from hearthline.cli.output import emit, err, out, progress, until_signalled
from hearthline.clock import system_clock
from hearthline.domain.places import Ledger
from hearthline.errors import Invalid, PartAway
from hearthline.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulators import Message

Format = Literal["own", "chirpstack", "zigbee2mqtt"]


def register(app: App) -> None:
    """Add the commands of this module."""
    app.command(simulate)
    app.command(replay)


def simulate(
    scenario: Annotated[str, Parameter(help="A name from --list, or a YAML file.")] = "town",
    *,
    list_: Annotated[bool, Parameter(name="--list", help="Show the scenarios.")] = False,
    to: Annotated[
        str | None, Parameter(help="mqtt://…, or jsonl:FILE (jsonl:- for standard output).")
    ] = None,
    hours: Annotated[float, Parameter(help="How much to publish, in hours of event time.")] = 72.0,
    start: Annotated[
        datetime | None, Parameter(help="Event time of the start; left out, it ends now.")
    ] = None,
    speed: Annotated[
        float | None, Parameter(help="Event time per real time; left out, as fast as it goes.")
    ] = None,
    seed: int | None = None,
    coverage: Annotated[float | None, Parameter(help="Share of dwellings with a sensor.")] = None,
    register_ledger: Annotated[
        bool, Parameter(name="--register", help="Write the city's ledger to the database first.")
    ] = False,
    json: bool = False,
) -> None:
    """Publish a simulated city's messages."""
    import simulators
    from simulators.live import paced

    if list_:
        _list(simulators.scenarios(), json=json)
        return
    try:
        city = simulators.build(simulators.load(scenario), seed=seed, coverage=coverage)
    except (simulators.ScenarioError, ValueError) as error:
        raise Invalid(str(error)) from None
    span = timedelta(hours=hours)
    begin = _aware(start) if start else system_clock().replace(second=0, microsecond=0) - span
    if register_ledger:
        _register(city.ledger_at(begin))
    blocks = simulators.run(city, begin, begin + span)
    with until_signalled() as stop, _Sink(to) as send, progress(scenario) as bar:
        messages: Iterator[Message] = (m for block in blocks for m in block.messages)
        if speed is not None:
            messages = paced(messages, speed, stop=stop)
        for count, message in enumerate(messages, 1):
            send(message)
            if count % 500 == 0:
                at = datetime.fromtimestamp(message.due, begin.tzinfo)
                bar((at - begin) / timedelta(hours=1), hours, f"{count:,} messages")
            if stop.is_set():
                break
    _report(blocks.report.as_dict(), json=json)


def replay(
    *files: Path,
    as_format: Annotated[Format, Parameter(name="--as", help="The wire format to speak.")] = "own",
    to: Annotated[str | None, Parameter(help="As for simulate.")] = None,
    site: Annotated[str, Parameter(help="The site's name in topics and codes.")] = "replay",
    batch: Annotated[int, Parameter(help="Own format only: readings in one gateway message.")] = 1,
    speed: Annotated[float | None, Parameter(help="As for simulate.")] = None,
    register_ledger: Annotated[
        bool, Parameter(name="--register", help="Write a ledger for the files first.")
    ] = False,
    json: bool = False,
) -> None:
    """Publish measured series (CSV) as device messages, in event-time order."""
    from simulators.replay import ReplayReport, ledger_for
    from simulators.replay import replay as messages_of
    from simulators.series import SeriesError

    if not files:
        raise Invalid("No file to replay.", "Name one CSV file or more, or a folder of them.")
    books = ReplayReport()
    try:
        if register_ledger:
            _register(ledger_for(files, as_format=as_format, site=site))
        with until_signalled() as stop, _Sink(to) as send, progress("replay") as bar:
            run = messages_of(
                files,
                as_format=as_format,
                site=site,
                batch=batch,
                speed=speed,
                stop=stop,
                report=books,
                progress=bar,
            )
            for message in run:
                send(message)
                if stop.is_set():
                    break
    except (SeriesError, OSError) as error:
        raise Invalid(f"{error}.") from None
    rows = books.rows
    bad = {str(problem): count for problem, count in rows.bad.items()}
    result = {"rows": rows.rows, "messages": books.messages, "readings": books.readings, "bad": bad}
    _report(result, json=json)


def _list(summaries: list[Any], *, json: bool) -> None:
    if json:
        emit({"scenarios": [asdict(summary) for summary in summaries]})
        return
    for one in summaries:
        size = f"{one.units:,} dwellings, {one.faults} faults"
        out.print(f"{one.name:12} {size:28} {one.title}  {one.title_zh}")


def _register(ledger: Ledger) -> None:
    from hearthline.storage import ledger as ledgers
    from hearthline.storage.database import connect

    with connect(load().require_database()) as connection:
        ledgers.save(connection, ledger)
    err.print(f"Ledger: {len(ledger.units):,} dwellings, {len(ledger.devices):,} devices.")


class _Sink:
    """Where messages go; a context manager that yields ``send(message)`` and flushes at its end."""

    def __init__(self, to: str | None) -> None:
        settings = load()
        self._to = to or settings.simulator_mqtt_url or settings.require_mqtt()
        self._close: Callable[[], object] = lambda: None

    def __enter__(self) -> Callable[[Message], object]:
        from simulators.transport import BrokerRefused, Publisher, to_jsonl

        if self._to.startswith("jsonl:"):
            name = self._to.removeprefix("jsonl:")
            stream = sys.stdout if name == "-" else Path(name).open("w", encoding="utf-8")
            self._close = stream.flush if name == "-" else stream.close
            return lambda message: to_jsonl([message], stream)
        try:
            publisher = Publisher(self._to)
            if not publisher.wait_connected(5):
                err.print(f"Waiting for the broker at {publisher.address} …")
                publisher.wait_connected()
        except BrokerRefused as refused:
            raise PartAway(f"{refused}.", "Check the user and password in the address.") from None
        except ValueError as error:
            raise Invalid(f"{error}.") from None
        self._close = publisher.close
        return publisher.publish

    def __exit__(self, *_error: object) -> None:
        self._close()


def _report(report: dict[str, Any], *, json: bool) -> None:
    if json:
        emit(report)
        return
    bad = report.get("bad") or {}
    said = ", ".join(f"{count:,} {kind}" for kind, count in bad.items()) if bad else "none"
    out.print(
        f"Published {report['readings']:,} readings in {report['messages']:,} messages; "
        f"{report.get('duplicates', 0):,} duplicates; bad: {said}."
    )


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.astimezone()
