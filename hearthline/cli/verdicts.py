"""``verdicts``: whether the compliance ledger still says what was sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from hearthline.cli.output import emit, out, progress
from hearthline.settings import load

if TYPE_CHECKING:
    from analytics.auditing import Audit
    from analytics.chain import Break

TOLD = 20  # breaks that people are shown


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(name="verdicts", help="The compliance ledger: verdicts by dwelling and day.")
    group.command(verify)
    app.command(group)


def verify(
    *,
    expect: Annotated[
        str | None,
        Parameter(help="The hash of an anchor that was written down before; it must be there."),
    ] = None,
    json: bool = False,
) -> int:
    """Walk the chains of all verdicts and name the first broken line.

    Every verdict is sealed some hours after its day into its dwelling's chain; once a day an
    anchor covers all that was sealed the day before. Prints the newest anchor's hash: kept
    elsewhere and given with --expect, it proves that nothing before it was rewritten. Exit code 1
    if anything is broken.
    """
    from analytics.auditing import audit
    from hearthline.storage.database import connect

    with connect(load().require_database()) as connection, progress("Walking") as bar:
        found = audit(connection, expect, lambda done, of: bar(done, of, "dwellings"))
    if json:
        emit(_plain(found))
    else:
        _tell(found, expect)
    return 0 if found.sound else 1


def _plain(found: Audit) -> dict[str, Any]:
    return {
        "sound": found.sound,
        "dwellings": found.dwellings,
        "lines": found.lines,
        "anchors": found.anchors,
        "newest_anchor": _newest(found),
        "expected_found": found.expected_found,
        "broken": found.broken,
        "first": _one(found.breaks[0]) if found.breaks else None,
        "breaks": [_one(one) for one in found.breaks],
    }


def _newest(found: Audit) -> dict[str, str] | None:
    if found.newest is None:
        return None
    day, hash_ = found.newest
    return {"day": day.isoformat(), "hash": hash_}


def _one(broken: Break) -> dict[str, Any]:
    from hearthline.domain.sentences import chain_break_name

    return {
        "reason": str(broken.reason),
        "says": chain_break_name(broken.reason, "en"),
        "says_zh": chain_break_name(broken.reason, "zh_CN"),
        "dwelling": broken.code,
        "day": broken.day.isoformat() if broken.day else None,
        "line": broken.link,
    }


def _tell(found: Audit, expect: str | None) -> None:
    out.print(f"{found.lines:,} lines of {found.dwellings:,} dwellings, {found.anchors:,} anchors.")
    for number, broken in enumerate(map(_one, found.breaks[:TOLD])):
        where = f"{broken['dwelling'] or 'anchor'}, line {broken['line']}, day {broken['day']}"
        if broken["dwelling"] is None:
            where = f"anchor of {broken['day']}"
        out.print(f"✘ {'first: ' if not number else ''}{where}: {broken['says']}", markup=False)
        out.print(f"  {broken['says_zh']}", markup=False)
    if found.broken > TOLD:
        out.print(f"… and {found.broken - TOLD:,} more; see --json.")
    if expect is not None and not found.expected_found:
        out.print("✘ No anchor has the expected hash: the ledger was rewritten before it.")
        out.print("  没有与所给哈希一致的锚点：此前的台账已被改写。")
    if found.sound:
        out.print("Nothing was altered since it was sealed.")
    if found.newest is not None:
        day, hash_ = found.newest
        out.print(f"Newest anchor, {day}: {hash_}")
