"""``maintenance``: places that are worked on, where a cold dwelling is nobody's fault meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from hearthline.cli.output import emit, out
from hearthline.cli.strangers import ACTOR
from hearthline.clock import system_clock
from hearthline.settings import Settings, load

if TYPE_CHECKING:
    from hearthline.storage.database import Row

LIST_AT_MOST = 50

By = Annotated[str, Parameter(help="Who says so.")]


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(name="maintenance", help="Maintenance windows: work that explains cold dwellings.")
    group.command(add)
    group.command(list_windows, name="list")
    group.command(end)
    app.command(group)


def add(
    place: Annotated[str, Parameter(help="The code of a place; all below it is held back.")],
    *,
    until: Annotated[datetime, Parameter(help="When it ends, in local time.")],
    reason: Annotated[str, Parameter(help="What is being done.")],
    since: Annotated[
        datetime | None, Parameter(name="--from", help="When it begins. Default: now.")
    ] = None,
    by: By = ACTOR,
    json: bool = False,
) -> None:
    """Put a maintenance window on file; past days that it touches are judged again.

    Within it no dwelling below the place opens a ticket, and hours in it count towards no
    verdict. After it the persistence of the cold counts from scratch.
    """
    from hearthline.domain.maintenance import Window
    from hearthline.storage import maintenance
    from hearthline.storage.database import connect

    settings = load()
    now = system_clock()
    begins, ends = _aware(since or now, settings), _aware(until, settings)
    window = Window(place, begins, ends, reason, by)
    with connect(settings.require_database()) as connection:
        row = maintenance.add(connection, window, now)
    _said(row, settings, json=json)


def list_windows(
    place: Annotated[
        str | None, Parameter(help="Only windows at this place, above or below it.")
    ] = None,
    *,
    past: Annotated[bool, Parameter(name="--all", help="Past ones too.", negative="")] = False,
    limit: Annotated[int, Parameter(help="Print at most so many.")] = LIST_AT_MOST,
    json: bool = False,
) -> None:
    """Maintenance windows that are under way or to come, the newest first."""
    from hearthline.storage import maintenance
    from hearthline.storage.database import connect

    settings = load()
    since = None if past else system_clock()
    with connect(settings.require_database()) as connection:
        rows = maintenance.listed(connection, since=since, place=place, limit=limit)
    if json:
        emit({"windows": [_plain(row) for row in rows]})
        return
    if not rows:
        out.print("No maintenance window is on file." if past else "None under way or to come.")
    for row in rows:
        out.print(_line(row, settings), markup=False)


def end(number: int, *, by: By = ACTOR, json: bool = False) -> None:
    """End a window now, or call it off where it has not begun; it stays on file."""
    from hearthline.storage import maintenance
    from hearthline.storage.database import connect

    settings = load()
    with connect(settings.require_database()) as connection:
        row = maintenance.end(connection, number, system_clock(), by)
    _said(row, settings, json=json)


def _aware(at: datetime, settings: Settings) -> datetime:
    if at.tzinfo is not None:
        return at
    return at.replace(tzinfo=settings.rule().versions[0].zone())


def _said(row: Row, settings: Settings, *, json: bool) -> None:
    if json:
        emit(_plain(row))
    else:
        out.print(_line(row, settings), markup=False)


def _line(row: Row, settings: Settings) -> str:
    zone = settings.rule().versions[0].zone()
    since, until = (f"{row[name].astimezone(zone):%Y-%m-%d %H:%M}" for name in ("since", "until"))
    ended = f"; ended by {row['ended_by']}" if row["ended_by"] else ""
    return (
        f"{row['id']:>5}  {row['place']}  {since} – {until}  {row['reason']} "
        f"({row['added_by']}{ended})"
    )


def _plain(row: Row) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
