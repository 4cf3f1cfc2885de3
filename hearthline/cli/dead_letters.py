"""``dead-letters``: what was refused, why, and decoding it again after a fix."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from hearthline.cli.output import emit, out, progress
from hearthline.cli.strangers import ACTOR, PRETTY_CHARS, replayed, said
from hearthline.clock import system_clock
from hearthline.domain.readings import RejectReason
from hearthline.errors import Invalid
from hearthline.payloads import pretty, readable
from hearthline.settings import Settings, load

if TYPE_CHECKING:
    from hearthline.storage.database import Row
    from hearthline.storage.dead_letters import Filter
    from ingest.replaying import Replayed

LIST_AT_MOST = 50
SHOWN_CHARS = 60

Reason = Annotated[RejectReason | None, Parameter(help="Only those refused for this reason.")]
Device = Annotated[str | None, Parameter(help="Only those of the device with this uid.")]
Since = Annotated[datetime | None, Parameter(help="Only those that came again since then.")]
Everything = Annotated[bool, Parameter(name="--all", help="Every letter.", negative="")]


def register(app: App) -> None:
    """Add the commands of this module."""
    letters = App(name="dead-letters", help="Messages that could not become readings.")
    letters.command(list_letters, name="list")
    letters.command(show)
    letters.command(replay)
    letters.command(purge)
    app.command(letters)


def list_letters(
    *,
    reason: Reason = None,
    device: Device = None,
    since: Since = None,
    limit: Annotated[int, Parameter(help="Print at most so many.")] = LIST_AT_MOST,
    json: bool = False,
) -> None:
    """Refused messages, the newest first, and how many there are by reason."""
    from hearthline.storage import dead_letters
    from hearthline.storage.database import connect

    settings = load()
    wanted = _filter(settings, reason=reason, device=device, since=since)
    with connect(settings.require_database()) as connection:
        groups = dead_letters.groups(connection)
        found = dead_letters.listed(connection, wanted, limit=limit)
    if json:
        counted = {row["reason"]: row["messages"] for row in groups}
        emit({"counts": counted, "dead_letters": [_plain(row) for row in found]})
        return
    if not groups:
        out.print("Nothing was refused.")
        return
    for row in groups:
        out.print(f"{row['messages']:>9,}  {row['reason']} ({row['kinds']:,} different)")
    out.print()
    _table(found, settings)
    if len(found) == limit:
        out.print(f"… only the first {limit:,} are shown; see --limit, --reason and --device.")


def show(number: int, *, json: bool = False) -> None:
    """One refused message: why, and all that is kept of it."""
    from hearthline.storage import dead_letters
    from hearthline.storage.database import connect

    settings = load()
    with connect(settings.require_database()) as connection:
        row = dead_letters.one(connection, number)
    if json:
        message = row["message"]
        whole = {"message": None if message is None else readable(bytes(message))}
        emit({**_plain(row), **whole})
        return
    out.print(f"{row['reason']}: {row['detail']}", markup=False)
    out.print(f"  device    {row['device_uid'] or 'unknown'}", markup=False)
    out.print(f"  topic     {row['topic']}", markup=False)
    out.print(f"  came      {row['count']:,} times, {_at(row['first_at'], settings)} – "
              f"{_at(row['last_at'], settings)}")  # fmt: skip
    if row["retained"]:
        out.print("  retained  by the broker: nobody knows when it was said")
    if not row["whole"]:
        out.print("  It was too large to be kept whole, so it cannot be decoded again.")
    out.print(pretty(bytes(row["payload"]))[:PRETTY_CHARS], markup=False)


def replay(
    *numbers: int,
    reason: Reason = None,
    device: Device = None,
    since: Since = None,
    everything: Everything = False,
    json: bool = False,
) -> None:
    """Decode refused messages again: after a new profile, a ledger's correction, an update.

    What can be stored now is stored as of when it came and leaves the list; what cannot stays,
    with today's reason.
    """
    from hearthline.storage import dead_letters
    from hearthline.storage.database import connect
    from hearthline.storage.tickets import audit
    from ingest.door import door_of
    from ingest.replaying import replay_dead_letters

    settings = load()
    _some(numbers, reason, device, since, everything)
    wanted = _filter(settings, numbers, reason, device, since)
    door = door_of(settings)
    with connect(settings.require_database(), autocommit=True) as connection:
        for number in numbers:
            dead_letters.one(connection, number)
        count = dead_letters.how_many(connection, wanted)
        with progress("replay") as bar:

            def told(done: Replayed) -> None:
                bar(done.messages, count["replayable"], f"{done.stored:,} readings")

            done = replay_dead_letters(connection, wanted, door, progress=told)
        body = {**_said_filter(wanted), **replayed(done)}
        audit(connection, ACTOR, "dead_letters.replay", "", body)
    cut = count["letters"] - count["replayable"]
    if json:
        emit({**replayed(done), "cut": cut})
        return
    said(done)
    if cut:
        out.print(f"{cut:,} letters are not whole and were left alone.")


def purge(
    *numbers: int,
    reason: Reason = None,
    device: Device = None,
    older_than: Annotated[
        timedelta | None, Parameter(help="Only those that last came so long ago, e.g. 7d.")
    ] = None,
    everything: Everything = False,
    json: bool = False,
) -> None:
    """Delete refused messages for good. They go by themselves after 90 days."""
    from hearthline.storage import dead_letters
    from hearthline.storage.database import connect
    from hearthline.storage.tickets import audit

    settings = load()
    _some(numbers, reason, device, older_than, everything)
    wanted = _filter(settings, numbers, reason, device, None)
    before = system_clock() - older_than if older_than is not None else None
    with connect(settings.require_database()) as connection:
        gone = dead_letters.clear(connection, wanted, before)
        body = {**_said_filter(wanted), "deleted": gone}
        audit(connection, ACTOR, "dead_letters.purge", "", body)
    if json:
        emit({"deleted": gone})
    else:
        out.print(f"{gone:,} dead letters deleted.")


def _some(*said: object) -> None:
    if not any(said):
        raise Invalid(
            "Which dead letters?", "Give their numbers, --reason, --device, a time, or --all."
        )


def _filter(
    settings: Settings,
    numbers: tuple[int, ...] = (),
    reason: RejectReason | None = None,
    device: str | None = None,
    since: datetime | None = None,
) -> Filter:
    from hearthline.storage.dead_letters import Filter

    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=settings.device_zone())
    return Filter(reason, device, since, numbers or None)


def _said_filter(wanted: Filter) -> dict[str, Any]:
    return {
        "reason": wanted.reason,
        "device": wanted.device,
        "since": wanted.since.isoformat() if wanted.since else None,
        "ids": list(wanted.ids) if wanted.ids else None,
    }


def _table(found: list[Row], settings: Settings) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("id", "reason", "why", "device or topic", "message", "times", "last"):
        table.add_column(heading, overflow="fold")
    for row in found:
        text = readable(bytes(row["payload"]))
        table.add_row(
            str(row["id"]),
            row["reason"],
            escape(row["detail"]),
            escape(row["device_uid"] or row["topic"]),
            escape(text[:SHOWN_CHARS] + ("…" if len(text) > SHOWN_CHARS else "")),
            f"{row['count']:,}",
            _at(row["last_at"], settings),
        )
    out.print(table)


def _at(at: datetime, settings: Settings) -> str:
    return f"{at.astimezone(settings.device_zone()):%Y-%m-%d %H:%M:%S}"


def _plain(row: Row) -> dict[str, Any]:
    kept = ("id", "reason", "detail", "topic", "device_uid", "count", "first_at", "last_at",
            "whole", "retained")  # fmt: skip
    return {**{name: row[name] for name in kept}, "payload": readable(bytes(row["payload"]))}
