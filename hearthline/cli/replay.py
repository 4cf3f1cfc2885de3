"""``replay``: measured series as device messages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from hearthline.cli.city import register_ledger, the_simulator
from hearthline.cli.output import emit, out, progress, until_signalled
from hearthline.cli.sinks import Stopped, open_sink
from hearthline.errors import Invalid

Format = Literal["own", "chirpstack", "zigbee2mqtt"]


def replay(
    *files: Path,
    as_format: Annotated[Format, Parameter(name="--as", help="The wire format to speak.")] = "own",
    to: Annotated[str | None, Parameter(help="As for simulate.")] = None,
    site: Annotated[str, Parameter(help="The site's name in topics and codes.")] = "replay",
    batch: Annotated[int, Parameter(help="Own format only: readings in one gateway message.")] = 1,
    speed: Annotated[float | None, Parameter(help="As for simulate.")] = None,
    register: Annotated[bool, Parameter(help="Write a ledger for the files first.")] = False,
    json: bool = False,
) -> None:
    """Publish measured series (CSV) as device messages, in event-time order."""
    the_simulator()
    from simulators.replay import ReplayReport, ledger_for
    from simulators.replay import replay as messages_of
    from simulators.series import SeriesError

    if not files:
        raise Invalid("No file to replay.", "Name one CSV file or more, or a folder of them.")
    books = ReplayReport()
    try:
        if register:
            register_ledger(ledger_for(files, as_format=as_format, site=site))
        with (
            until_signalled() as stop,
            open_sink(to, stop) as sink,
            progress("replay") as bar,
        ):
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
                sink.send(message)
                if stop.is_set():
                    break
    except Stopped:
        pass
    except (SeriesError, OSError) as error:
        raise Invalid(f"{error}.") from None
    _report(books, json=json)


def _report(books: Any, *, json: bool) -> None:
    bad = {str(problem): count for problem, count in books.rows.bad.items()}
    if json:
        emit(
            {
                "rows": books.rows.rows,
                "messages": books.messages,
                "readings": books.readings,
                "bad": bad,
            }
        )
        return
    said = ", ".join(f"{count:,} {kind}" for kind, count in bad.items()) or "none"
    out.print(
        f"Published {books.readings:,} readings of {books.rows.rows:,} rows in "
        f"{books.messages:,} messages; bad rows: {said}."
    )
