"""``strangers``: devices that the ledger does not have, and how they become its own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from hearthline.cli.output import emit, out, progress
from hearthline.clock import system_clock
from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe
from hearthline.payloads import pretty, readable
from hearthline.settings import Settings, load

if TYPE_CHECKING:
    from hearthline.storage.database import Row
    from hearthline.storage.strangers import Kept
    from ingest.adoption import Adopted
    from ingest.replaying import Replayed

LIST_AT_MOST = 100
ACTOR = "cli"
PRETTY_CHARS = 4_000  # of a message that is shown


def register(app: App) -> None:
    """Add the commands of this module."""
    strangers = App(name="strangers", help="Devices that the ledger does not have.")
    strangers.command(list_strangers, name="list")
    strangers.command(show)
    strangers.command(adopt)
    strangers.command(dismiss)
    app.command(strangers)


def list_strangers(
    *,
    kind: Annotated[DeviceKind | None, Parameter(help="Only what seems to be this.")] = None,
    format: Annotated[str | None, Parameter(help="Only this wire format.")] = None,
    text: Annotated[str | None, Parameter(help="Part of the uid, label, topic, gateway.")] = None,
    dismissed: Annotated[bool, Parameter(help="Those dismissed, instead of the others.")] = False,
    limit: Annotated[int, Parameter(help="Print at most so many.")] = LIST_AT_MOST,
    json: bool = False,
) -> None:
    """Who speaks and is in no ledger, heard last first, with what each seems to be."""
    from hearthline.storage.database import connect
    from hearthline.storage.views import strangers

    settings = load()
    wanted = strangers.Filter(dismissed, kind, format, text)
    with connect(settings.require_database()) as connection:
        counts = strangers.counts(connection)
        found = strangers.listed(connection, wanted, limit=limit)
    if json:
        emit({"counts": counts, "strangers": [_plain(row) for row in found]})
        return
    if not found:
        none = (
            "Nobody was dismissed." if dismissed else "Every device that speaks is in the ledger."
        )
        out.print("No stranger is like that." if kind or format or text else none)
        return
    _table(found, settings)
    total = counts["dismissed" if dismissed else "waiting"]
    if len(found) < total:
        out.print(f"{len(found):,} of {total:,} are shown; see --limit, --kind and --text.")
    out.print("Adopt one with `hearthline strangers adopt UID --place CODE --role ROLE`.")


def show(
    uid: str,
    *,
    messages: Annotated[int, Parameter(help="Show so many of its last messages.")] = 1,
    json: bool = False,
) -> None:
    """One stranger: what it seems to be and why, and what it said last."""
    from hearthline.storage.database import connect
    from hearthline.storage.views import strangers

    settings = load()
    with connect(settings.require_database()) as connection:
        row = strangers.one(connection, uid)
        kept = strangers.messages(connection, uid, messages)
        pace_s = strangers.pace_s(connection, uid)
    if json:
        emit({**_plain(row), "interval_s": pace_s, "last": [_message(one) for one in kept]})
        return
    for line in _lines(row, pace_s, settings):
        out.print(line)
    for one in kept:
        retained = ", retained" if one.retained else ""
        out.print(f"\n[bold]{_at(one.received_at, settings)}[/bold]{retained}")
        out.print(one.topic, markup=False)
        out.print(pretty(one.payload)[:PRETTY_CHARS], markup=False)
    if row["dismissed_at"]:
        out.print("\nIt was dismissed; take it back with `hearthline strangers dismiss --undo`.")


def adopt(
    uid: str,
    *,
    place: Annotated[str, Parameter(help="Code of the place at which it hangs.")],
    role: Annotated[DeviceRole, Parameter(help="What it stands for there.")],
    kind: DeviceKind | None = None,
    flow_pipe: Annotated[
        FlowPipe | None, Parameter(help="Heat meters: the pipe that holds the flow sensor.")
    ] = None,
    profile: Annotated[
        str | None, Parameter(help="How its messages are read; else its format's way.")
    ] = None,
    since: Annotated[
        datetime | None, Parameter(help="It hangs there since; else since its first message.")
    ] = None,
    interval: Annotated[
        int | None, Parameter(help="Seconds between its messages; else as heard.")
    ] = None,
    label: Annotated[str | None, Parameter(help="As people call it.")] = None,
    json: bool = False,
) -> None:
    """Put a stranger into the ledger and store everything that it said before."""
    from hearthline.storage.database import connect
    from hearthline.storage.tickets import audit
    from ingest.adoption import Wish, profiles_for
    from ingest.adoption import adopt as adopt_it
    from ingest.door import door_of

    settings = load()
    since = since.replace(tzinfo=settings.device_zone()) if since and not since.tzinfo else since
    wish = Wish(place, role, kind, flow_pipe, profile, since, interval, label)
    known, door = profiles_for(settings), door_of(settings)
    with connect(settings.require_database(), autocommit=True) as connection:
        from hearthline.storage.views import strangers

        total = strangers.one(connection, uid)["kept"]
        with progress("replay") as bar:

            def told(done: Replayed) -> None:
                bar(done.messages, total, f"{done.stored:,} readings")

            adopted = adopt_it(connection, uid, wish, door, known, progress=told)
        audit(connection, ACTOR, "stranger.adopt", uid, plain(adopted))
    if json:
        emit(plain(adopted))
        return
    device, done = adopted.device, adopted.replayed
    out.print(f"{uid} is now the {device.role} {device.kind} of {device.place}, since "
              f"{_at(device.valid_from, settings)}.", markup=False)  # fmt: skip
    said(done)


def said(done: Replayed) -> None:
    """Say what a replay came to."""
    out.print(
        f"{done.messages:,} messages decoded: {done.stored:,} readings stored, "
        f"{done.duplicates:,} were there already, {done.refused:,} refused."
    )
    if done.waiting:
        out.print(f"{done.waiting:,} wait until their device says the names of its values again.")
    if done.refused:
        out.print("See why with `hearthline dead-letters list`.")


def plain(adopted: Adopted) -> dict[str, Any]:
    """An adoption as JSON."""
    device, done = adopted.device, adopted.replayed
    return {
        "uid": device.uid,
        "kind": device.kind,
        "role": device.role,
        "place": device.place,
        "flow_pipe": device.flow_pipe,
        "profile": device.profile,
        "label": device.label,
        "expected_interval_s": device.expected_interval_s,
        "valid_from": device.valid_from.isoformat() if device.valid_from else None,
        **replayed(done),
    }


def replayed(done: Replayed) -> dict[str, int]:
    """A replay as JSON."""
    return {
        "messages": done.messages,
        "stored": done.stored,
        "duplicates": done.duplicates,
        "refused": done.refused,
        "waiting": done.waiting,
    }


def dismiss(
    uid: str,
    *,
    undo: Annotated[bool, Parameter(help="Keep its messages again.", negative="")] = False,
    json: bool = False,
) -> None:
    """Keep nothing of a stranger that is not ours: its messages are only counted from now on."""
    from hearthline.storage import strangers
    from hearthline.storage.database import connect
    from hearthline.storage.tickets import audit

    with connect(load().require_database()) as connection:
        if undo:
            strangers.welcome(connection, uid)
        else:
            strangers.dismiss(connection, uid, system_clock())
        audit(connection, ACTOR, "stranger.welcome" if undo else "stranger.dismiss", uid, {})
    if json:
        emit({"uid": uid, "dismissed": not undo})
    elif undo:
        out.print(f"{uid} is heard again.", markup=False)
    else:
        out.print(f"{uid} is dismissed; --undo takes it back.", markup=False)


def _table(found: list[Row], settings: Settings) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("device", no_wrap=True)  # to be copied from here
    for heading in ("label", "seems to be", "values", "messages", "last heard"):
        table.add_column(heading, overflow="fold")
    for row in found:
        table.add_row(
            escape(row["uid"]),
            escape(row["label"]),
            escape(_seems(row)),
            escape(_sample(row, 3)),
            f"{row['messages']:,}" + (f" ({row['kept']:,} kept)" if row["dropped"] else ""),
            _at(row["last_at"], settings),
        )
    out.print(table)


def _seems(row: Row) -> str:
    if row["kind"] is None:
        return f"{row['format'] or 'unknown'} device"
    role = "" if row["role"] in {None, row["kind"]} else f"{row['role']} "
    sure = row["guess"].get("confidence")
    return f"{role}{row['kind']}" + (f" ({sure:.0%})" if sure is not None else "")


def _sample(row: Row, most: int) -> str:
    sample = row["guess"].get("sample") or {}
    return ", ".join(f"{name} {value:g}" for name, value in list(sample.items())[:most]) or "–"


def _lines(row: Row, pace_s: float | None, settings: Settings) -> list[str]:
    from rich.markup import escape

    reasons = [reason["en"] for reason in row["guess"].get("reasons", ())]
    profile = row["guess"].get("profile")
    pace = "unknown" if pace_s is None else f"{pace_s:,.0f} s"
    lines = [
        f"[bold]{escape(row['uid'])}[/bold]  {escape(row['label'])}",
        f"  seems to be  {escape(_seems(row))}, {escape(_sample(row, 9))}",
        *(f"               {escape(reason)}" for reason in reasons),
        f"  gateway      {escape(row['gateway'] or 'unknown')}",
        f"  heard        {_at(row['first_at'], settings)} – {_at(row['last_at'], settings)}",
        f"  messages     {row['messages']:,}, of which {row['kept']:,} are kept",
        f"  interval     {pace}",
    ]
    return [*lines, f"  profile      try {escape(profile)}"] if profile else lines


def _at(at: datetime | None, settings: Settings) -> str:
    return f"{at.astimezone(settings.device_zone()):%Y-%m-%d %H:%M:%S}" if at else "ever"


def _plain(row: Row) -> dict[str, Any]:
    kept = ("uid", "format", "kind", "role", "label", "gateway", "topic", "first_at", "last_at",
            "messages", "kept", "dropped", "dismissed_at", "guess")  # fmt: skip
    return {name: row[name] for name in kept}


def _message(one: Kept) -> dict[str, Any]:
    return {
        "topic": one.topic,
        "payload": readable(one.payload),
        "received_at": one.received_at,
        "retained": one.retained,
    }
