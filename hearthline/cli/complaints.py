"""``complaint``: what people say of their homes, put on file and listed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from hearthline.cli.maintenance import By
from hearthline.cli.output import emit, out
from hearthline.cli.strangers import ACTOR
from hearthline.clock import system_clock
from hearthline.domain.complaints import Channel
from hearthline.settings import Settings, load

if TYPE_CHECKING:
    from hearthline.storage.database import Row

LIST_AT_MOST = 50


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(name="complaint", help="Calls that a dwelling is cold: evidence for the analysis.")
    group.command(add)
    group.command(list_complaints, name="list")
    app.command(group)


def add(
    place: Annotated[str, Parameter(help="The code of the caller's dwelling.")],
    *,
    at: Annotated[datetime | None, Parameter(help="When, in local time. Default: now.")] = None,
    note: Annotated[str, Parameter(help="What was said.")] = "",
    channel: Annotated[Channel, Parameter(help="How it came in.")] = Channel.PHONE,
    caller: Annotated[str, Parameter(help="Who called.")] = "",
    by: By = ACTOR,
    json: bool = False,
) -> None:
    """Put a call on file: somebody says that a dwelling is cold.

    The next cycle weighs it: it opens a ticket, joins one, or is held back with a reason.
    """
    from hearthline.domain.complaints import Complaint
    from hearthline.storage import complaints
    from hearthline.storage.database import connect

    settings = load()
    now = system_clock()
    call = Complaint(place, _aware(at or now, settings), note, channel, caller, by)
    with connect(settings.require_database()) as connection, connection.transaction():
        row = complaints.add(connection, call, now)
    if json:
        emit(_plain(row))
    else:
        out.print(_line(row, settings), markup=False)


def list_complaints(
    place: Annotated[
        str | None, Parameter(help="Only calls of this place and what is below it.")
    ] = None,
    *,
    limit: Annotated[int, Parameter(help="Print at most so many.")] = LIST_AT_MOST,
    json: bool = False,
) -> None:
    """Calls on file, the newest first."""
    from hearthline.storage import complaints
    from hearthline.storage.database import connect

    settings = load()
    with connect(settings.require_database()) as connection:
        rows = complaints.listed(connection, place=place, limit=limit)
    if json:
        emit({"complaints": [_plain(row) for row in rows]})
        return
    if not rows:
        out.print("No call is on file.")
    for row in rows:
        out.print(_line(row, settings), markup=False)


def _aware(at: datetime, settings: Settings) -> datetime:
    if at.tzinfo is not None:
        return at
    return at.replace(tzinfo=settings.rule().versions[0].zone())


def _line(row: Row, settings: Settings) -> str:
    zone = settings.rule().versions[0].zone()
    who = f" {row['caller']}" if row["caller"] else ""
    return (
        f"{row['id']:>5}  {row['place']}  {row['at'].astimezone(zone):%Y-%m-%d %H:%M}  "
        f"{row['channel']}{who}: {row['note'] or '–'} ({row['taken_by']})"
    )


def _plain(row: Row) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
