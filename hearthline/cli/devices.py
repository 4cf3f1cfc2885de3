"""``devices``: which of them speak, which do not, and what is doubtful about one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from hearthline.cli import certify
from hearthline.cli.output import emit, out
from hearthline.clock import system_clock
from hearthline.domain.liveness import Carried, State
from hearthline.domain.places import DeviceKind
from hearthline.settings import Settings, load

if TYPE_CHECKING:
    from hearthline.storage.views.devices import InFull, Shown

_MARKS = {
    State.ONLINE: "[green]●[/green]",
    State.LATE: "[yellow]●[/yellow]",
    State.OFFLINE: "[red]●[/red]",
    State.SAID_OFFLINE: "[red]○[/red]",
    State.NEVER: "[dim]○[/dim]",
}
LIST_AT_MOST = 200


def register(app: App) -> None:
    """Add the commands of this module."""
    devices = App(name="devices", help="Sensors, meters and gateways: alive, late, silent.")
    devices.command(list_devices, name="list")
    devices.command(show)
    devices.command(list_gateways, name="gateways")
    devices.command(certify.certify)
    devices.command(certify.list_certified, name="certified")
    app.command(devices)


def list_devices(
    *,
    state: Annotated[tuple[State, ...], Parameter(help="Only these.", negative="")] = (),
    gateway: Annotated[str | None, Parameter(help="Only what this gateway carried last.")] = None,
    kind: DeviceKind | None = None,
    text: Annotated[str | None, Parameter(help="Part of the uid, the label or the place.")] = None,
    limit: Annotated[int, Parameter(help="Print at most so many.")] = LIST_AT_MOST,
    json: bool = False,
) -> None:
    """Devices of the ledger as they stand now, by uid, and what is out as a whole."""
    from hearthline.storage import liveness
    from hearthline.storage.database import connect
    from hearthline.storage.views import devices

    settings, now = load(), system_clock()
    wanted = liveness.Wanted(states=state or None, gateway=gateway, kind=kind, text=text)
    with connect(settings.require_database()) as connection:
        outages = liveness.outages(liveness.gateways(connection, now))
        counts = liveness.counts(connection, now)
        found = devices.listed(connection, now, wanted, limit=limit, out=outages)
    if json:
        emit(
            {
                "counts": counts,
                "outages": [_carried(one, settings) for one in outages],
                "devices": [_plain(one, now, settings) for one in found],
            }
        )
        return
    _say_outages(outages, settings)
    out.print(" · ".join(f"{_MARKS[state]} {count:,} {state.value}" for state, count in
                         counts.items()))  # fmt: skip
    _table(found, now, settings)
    if len(found) == limit:
        out.print(f"… only the first {limit:,} are shown; see --limit, --state and --text.")


def show(uid: str, *, json: bool = False) -> None:
    """One device: values, habit, clock, battery, where it hangs, conflicts, flags of a week."""
    from hearthline.storage import liveness
    from hearthline.storage.database import connect
    from hearthline.storage.views import devices

    settings, now = load(), system_clock()
    with connect(settings.require_database()) as connection:
        outages = liveness.outages(liveness.gateways(connection, now))
        found = devices.in_full(connection, uid, now, out=outages)
    if json:
        emit(_in_full(found, now, settings))
        return
    for line in _lines(found, now, settings):
        out.print(line)


def list_gateways(*, json: bool = False) -> None:
    """Gateways with the devices they carried last; those that are out on top."""
    from hearthline.storage import liveness
    from hearthline.storage.database import connect

    settings, now = load(), system_clock()
    with connect(settings.require_database()) as connection:
        gateways = liveness.gateways(connection, now)
    outages = liveness.outages(gateways)
    if json:
        named = [one for one in gateways if one.name is not None]
        emit(
            {
                "outages": [_carried(one, settings) for one in outages],
                "gateways": [_carried(one, settings) for one in named],
            }
        )
        return
    _say_outages(outages, settings)
    for one in sorted(gateways, key=lambda g: (not g.out, g.name or "")):
        if one.name is not None:
            mark = "[red]✘[/red]" if one.out else "[green]✔[/green]"
            out.print(f"{mark} {one.name}  {one.devices:,} devices, {one.silent:,} silent, "
                      f"last heard {_at(one.heard_at, settings)}")  # fmt: skip
    if not any(one.name for one in gateways):
        out.print("No message has named a gateway yet.")


def _say_outages(outages: Iterable[Carried], settings: Settings) -> None:
    from hearthline.domain.liveness_words import outage_sentence

    for one in outages:
        out.print(f"[red]✘[/red] {outage_sentence(one, settings.device_zone(), 'en')}")


def _table(found: Iterable[Shown], now: datetime, settings: Settings) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("", "device", "place", "last value", "what there is to say"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(
            _MARKS[one.state],
            escape(one.row["uid"]),
            escape(one.row["place"] or "–"),
            escape(_values(one, 2)),
            escape(" ".join(one.sentences(now, settings.device_zone(), "en"))),
        )
    out.print(table)


def _values(shown: Shown, most: int) -> str:
    known = list(shown.values.items())
    return ", ".join(f"{name} {value:g}" for name, value in known[:most]) or "–"


def _lines(found: InFull, now: datetime, settings: Settings) -> Iterable[str]:
    from rich.markup import escape

    from hearthline.domain import liveness_words as words

    row, facts = found.shown.row, found.shown.facts
    yield f"{_MARKS[found.shown.state]} [bold]{escape(row['uid'])}[/bold] ({row['kind']}) " + (
        escape(row["label"])
    )
    for sentence in found.shown.sentences(now, settings.device_zone(), "en"):
        yield f"  {escape(sentence)}"
    learnt = words.duration(facts.habit.interval_s, "en") if facts.habit else "not learnt yet"
    skew = "unknown" if facts.skew_s is None else f"{facts.skew_s:+.0f} s"
    battery = "unknown" if facts.battery_pct is None else f"{facts.battery_pct:.0f} %"
    yield f"  last value   {escape(_values(found.shown, 9))}"
    yield f"  measured     {_at(facts.measured_at, settings)}"
    yield f"  seen         {_at(facts.heard_at, settings)}"
    yield f"  changed      {_at(facts.changed_at, settings)}"
    yield f"  interval     {learnt} (ledger: {words.duration(facts.expected_interval_s, 'en')})"
    yield f"  battery      {battery}"
    yield f"  clock skew   {skew}"
    yield f"  gateway      {escape(row['gateway'] or 'unknown')}"
    for one in found.bindings:
        until = _at(one["valid_to"], settings) if one["valid_to"] else "now"
        since = _at(one["valid_from"], settings) if one["valid_from"] else "ever"
        yield f"  bound to     {escape(one['place'])} as {one['role']}, {since} – {until}"
    for one in found.conflicts:
        yield (
            f"  conflict     {_at(one['time'], settings)}: kept {escape(str(one['kept']))}, "
            f"came {escape(str(one['came']))} ({one['count']} times)"
        )
    for flag, count in found.flags.items():
        yield f"  flag         {words.QUALITY_NAMES[flag][0]}: {count} of {len(found.points)}"


def _at(at: datetime | None, settings: Settings) -> str:
    return f"{at.astimezone(settings.device_zone()):%Y-%m-%d %H:%M:%S}" if at else "never"


def _carried(one: Carried, settings: Settings) -> dict[str, Any]:
    from hearthline.domain.liveness_words import outage_sentence

    sentences = {
        "sentence": outage_sentence(one, settings.device_zone(), "en"),
        "sentence_zh": outage_sentence(one, settings.device_zone(), "zh_CN"),
    }
    return {
        "gateway": one.name,
        "out": one.out,
        "devices": one.devices,
        "silent": one.silent,
        "together": one.together,
        "heard_at": one.heard_at,
        **(sentences if one.out else {}),
    }


def _plain(one: Shown, now: datetime, settings: Settings) -> dict[str, Any]:
    row = one.row
    kept = ("uid", "kind", "label", "profile", "place", "gateway", "measured_at", "changed_at",
            "battery_pct", "skew_s", "expected_interval_s", "interval_s",
            "offline_after_s")  # fmt: skip
    return {
        **{name: row[name] for name in kept},
        "seen_at": one.facts.heard_at,
        "state": one.state,
        "since": one.judged.since,
        "doubts": one.doubts,
        "silent_with_gateway": one.with_gateway,
        "values": one.values,
        "quality": int(one.facts.quality),
        "sentences": one.sentences(now, settings.device_zone(), "en"),
        "sentences_zh": one.sentences(now, settings.device_zone(), "zh_CN"),
    }


def _in_full(found: InFull, now: datetime, settings: Settings) -> dict[str, Any]:
    return {
        **_plain(found.shown, now, settings),
        "bindings": [
            {name: row[name] for name in ("place", "role", "valid_from", "valid_to")}
            for row in found.bindings
        ],
        "conflicts": [
            {name: row[name] for name in ("time", "kept", "came", "count", "last_at")}
            for row in found.conflicts
        ],
        "flags": {str(flag.name).lower(): count for flag, count in found.flags.items()},
        "readings": len(found.points),
    }
