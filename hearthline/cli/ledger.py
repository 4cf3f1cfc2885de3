"""``ledger``: the 台账 from files, back to files, checked, sampled, and devices moved in it."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from cyclopts import App, Parameter

from hearthline.cli.ledger_report import (
    reading_as_json,
    tell_findings,
    tell_left_out,
    tell_problems,
    tell_sample,
    tell_saved,
)
from hearthline.cli.output import emit, err, out, progress
from hearthline.clock import system_clock
from hearthline.errors import Invalid, NotFound
from hearthline.settings import Settings, load

if TYPE_CHECKING:
    from hearthline.domain.places import DeviceRole
    from hearthline.registry.reading import Reading
    from hearthline.registry.stock import Stock
    from hearthline.registry.tables import Tell

Language = Literal["en", "zh"]

LONG_FILE = 1_000_000  # bytes from which a progress bar is worth its place
XLSX_ROWS = 1_048_575


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(name="ledger", help="The ledger (台账): places, dwellings, devices.")
    group.command(import_, name="import")
    for command in (check, export, template, move):
        group.command(command)
    app.command(group)


def import_(
    *files: Path,
    partial: Annotated[
        bool, Parameter(help="Import the sound rows and say which were left out.")
    ] = False,
    dry_run: Annotated[bool, Parameter(help="Check everything, change nothing.")] = False,
    json: bool = False,
) -> int:
    """Import places, dwellings and devices from CSV or XLSX files, or folders of them.

    Everything is checked as a whole and every problem told; nothing is imported unless all is
    right, or --partial is given. Importing the same again changes nothing. Exit code 1 if nothing
    was imported because of problems.
    """
    from hearthline.storage import ledger as ledgers
    from hearthline.storage.database import connect

    settings = load()
    paths = list(_files(files))
    with connect(settings.require_database()) as connection, _all_kept():
        known = ledgers.load(connection)
        with _watching(paths) as tell:
            reading = _read(settings, paths, known, partial, tell)
            refused = bool(reading.problems) and not partial
            saved = None if refused else ledgers.save(connection, reading.ledger)
        if dry_run:
            connection.rollback()
    if json:
        emit(reading_as_json(reading, saved, dry_run=dry_run))
    else:
        tell_problems(reading.problems)
        tell_left_out(reading.left_out)
        tell_saved(reading, saved, dry_run=dry_run)
    return 1 if refused else 0


def _files(said: Sequence[Path]) -> Iterator[Path]:
    """The files that are named, and those in folders that are named."""
    if not said:
        raise Invalid("Which files?", "Name CSV or XLSX files, or a folder of them.")
    for path in said:
        if path.is_dir():
            inside = sorted(
                file
                for file in path.iterdir()
                if file.suffix.lower() in {".csv", ".tsv", ".txt", ".xlsx", ".xlsm"}
                and not file.name.startswith(("~$", "."))
            )
            if not inside:
                raise Invalid(f"{path} holds no CSV or XLSX file.", "Name another folder.")
            yield from inside
        elif path.is_file():
            yield path
        else:
            raise NotFound(f"There is no file {path}.", "Check the name.")


@contextmanager
def _watching(paths: Sequence[Path]) -> Iterator[Tell]:
    """A progress bar, where the files are long enough for one."""
    if sum(path.stat().st_size for path in paths) < LONG_FILE:
        yield lambda _done, _total, _text: None
        return
    with progress("Reading") as bar:
        yield bar


def _read(
    settings: Settings, paths: Sequence[Path], known: Any, partial: bool, tell: Tell
) -> Reading:
    from hearthline.registry.reading import read
    from hearthline.registry.tables import read_file
    from ingest.formats.profiles import load as load_profiles

    tables = [read_file(path.name, path.read_bytes(), tell) for path in paths]
    for file, path in zip(tables, paths, strict=True):
        for name in file.skipped:
            err.print(f"{path.name}: the sheet {name} is none of the ledger's and was not read.")
    return read(
        tables,
        _zone(settings),
        known=known,
        profiles=frozenset(load_profiles(settings.profiles)),
        partial=partial,
        tell=tell,
    )


@contextmanager
def _all_kept() -> Iterator[None]:
    """No search for garbage: of a million rows that all stay, it would take most of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _zone(settings: Settings) -> ZoneInfo:
    """The civil time of the company, in which its dates are."""
    return settings.rule().versions[0].zone()


def check(
    *,
    sample: Annotated[
        str | None, Parameter(help="A share such as 10%: this week's dwellings to look at.")
    ] = None,
    week: Annotated[str | None, Parameter(help="Another week's sample, as 2026-W47.")] = None,
    seed: Annotated[int, Parameter(help="Another order of the dwellings.")] = 0,
    json: bool = False,
) -> int:
    """Look for duplicates, orphans, outliers and mismatches; exit code 1 if there are errors.

    With --sample, list instead the dwellings of the weekly spot check with all that is on file;
    ten weeks of 10 % see every dwelling once.
    """
    from hearthline.registry import sampling
    from hearthline.registry.checks import check as check_stock

    now = system_clock()
    settings = load()
    stock = _stock(settings, now)
    findings = check_stock(stock)
    if sample is not None:
        today = now.astimezone(_zone(settings)).date()
        number = sampling.parse_week(week) if week else sampling.week_of(today)
        codes = sampling.draw(stock.units, sampling.parse_share(sample), number, seed)
        tell_sample(stock, findings, codes, sampling.week_name(number), json=json)
        return 0
    counts = Counter(str(finding.severity) for finding in findings)
    if json:
        emit(
            {
                "ok": not counts["error"],
                "counts": dict(counts),
                "kinds": dict(Counter(str(finding.kind) for finding in findings)),
                "findings": [finding.as_dict() for finding in findings],
            }
        )
    else:
        tell_findings(findings, counts)
    return 1 if counts["error"] else 0


def _stock(settings: Settings, now: datetime) -> Stock:
    from hearthline.registry.stock import Stock
    from hearthline.storage import ledger as ledgers
    from hearthline.storage.database import connect

    with connect(settings.require_database()) as connection:
        return Stock(ledgers.load(connection), now, ledgers.unbound(connection, now))


def export(
    target: Annotated[Path, Parameter(help="A folder for CSV files, or a FILE.xlsx.")],
    *,
    language: Annotated[Language, Parameter(help="Of headers and words.")] = "en",
    json: bool = False,
) -> None:
    """Write the whole ledger to files that `ledger import` takes back without a change."""
    from hearthline.registry import writing
    from hearthline.storage import ledger as ledgers
    from hearthline.storage.database import connect

    settings = load()
    with connect(settings.require_database()) as connection:
        ledger = ledgers.load(connection)
    zone = _zone(settings)
    if target.suffix.lower() == ".xlsx":
        if max(len(ledger.places), len(ledger.devices), len(ledger.statuses)) > XLSX_ROWS:
            raise Invalid(
                "The ledger has more rows than a sheet of XLSX.", "Name a folder for CSV."
            )
        _write(target, writing.workbook(ledger, zone, language))
        files = [target]
    else:
        files = []
        for name, content in writing.csv_files(ledger, zone, language):
            _write(target / name, content)
            files.append(target / name)
    if json:
        emit({"files": [str(file) for file in files], "dwellings": len(ledger.units)})
    else:
        out.print(f"{len(ledger.units):,} dwellings written to {', '.join(map(str, files))}.")


def template(
    file: Path,
    *,
    language: Annotated[Language, Parameter(help="Of headers and notes.")] = "en",
) -> None:
    """Write an empty XLSX to fill in: headers, an example of each row, and notes."""
    from hearthline.registry import writing

    if file.suffix.lower() != ".xlsx":
        raise Invalid(f"{file} is no .xlsx.", "Name a FILE.xlsx.")
    _write(file, writing.template(language))
    out.print(f"Fill in {file}, then `hearthline ledger import {file} --dry-run`.")


def _write(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise Invalid(f"Cannot write {file}: {error.strerror}.", "Name another file.") from None


def move(
    device: Annotated[str, Parameter(help="Its uid, such as own:s01/room-0602.")],
    place: Annotated[str, Parameter(help="The code of the place where it hangs now.")],
    *,
    at: Annotated[
        str | None,
        Parameter(help="When, as 2026-01-10 or 2026-01-10 08:30; left out, now."),
    ] = None,
    role: Annotated[
        Literal["room", "primary", "secondary", "branch", "weather"] | None,
        Parameter(help="What it stands for there; left out, what it stood for."),
    ] = None,
    json: bool = False,
) -> None:
    """Bind a device to another place from a date on; its history stays where it was measured."""
    from hearthline.domain.places import DeviceRole
    from hearthline.storage import ledger as ledgers
    from hearthline.storage.database import connect

    settings = load()
    when = _instant(at, _zone(settings)) if at else system_clock()
    chosen: DeviceRole | None = DeviceRole(role) if role else None
    with connect(settings.require_database()) as connection:
        moved = ledgers.move(connection, device, place, when, chosen)
    if json:
        emit({"device": device, "place": place, "at": when.isoformat(), "moved": moved})
    elif moved:
        out.print(f"{device} hangs at {place} since {when:%Y-%m-%d %H:%M} UTC.")
    else:
        out.print(f"{device} hangs at {place} already; nothing was changed.")


def _instant(text: str, zone: ZoneInfo) -> datetime:
    from hearthline.registry.cells import Refused, instant

    try:
        return instant(zone)(text)
    except Refused:
        raise Invalid(f"{text!r} is no date.", "Write 2026-01-10 or 2026-01-10 08:30.") from None
