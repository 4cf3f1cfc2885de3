"""What the ledger's commands print: problems, findings, what was saved, the spot check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from hearthline.cli.output import emit, out

if TYPE_CHECKING:
    from hearthline.registry.findings import Finding
    from hearthline.registry.problems import Problem
    from hearthline.registry.reading import Reading
    from hearthline.registry.stock import Stock
    from hearthline.storage.ledger import Saved

SHOWN = 100
"""Problems that people are shown; ``--json`` gives all."""

SHOWN_OF_A_KIND = 10

_SHEETS = ("places", "units", "statuses", "contacts", "devices", "bindings")


def tell_problems(problems: Sequence[Problem]) -> None:
    """What is wrong with files, in both languages."""
    for problem in problems[:SHOWN]:
        out.print(f"[red]✘[/red] {escape(problem.en)}\n  {escape(problem.zh)}")
    if len(problems) > SHOWN:
        out.print(f"… and {len(problems) - SHOWN:,} more (--json shows all):")
        for kind, count in Counter(str(p.kind) for p in problems).most_common():
            out.print(f"  {count:>8,}  {kind}")


def tell_left_out(left_out: Sequence[Problem]) -> None:
    """Which rows were left out because of others."""
    for problem in left_out[:SHOWN]:
        out.print(f"[yellow]○[/yellow] {escape(problem.en)}\n  {escape(problem.zh)}")
    if len(left_out) > SHOWN:
        out.print(f"… and {len(left_out) - SHOWN:,} more rows that depend on them.")


def tell_saved(reading: Reading, saved: Saved | None, *, dry_run: bool) -> None:
    """What became of the rows."""
    if saved is None:
        rows = len({(p.file, p.sheet, p.row) for p in reading.problems})
        out.print(
            f"Nothing was imported: {len(reading.problems):,} problems in {rows:,} rows. "
            "Correct them, or use --partial to leave those rows out."
        )
        out.print("未导入任何数据：请更正以上问题，或使用 --partial 跳过有问题的行。")
        return
    for sheet in _SHEETS:
        tally = getattr(saved, sheet)
        if tally.new or tally.changed or tally.unchanged:
            out.print(
                f"{sheet:9} {tally.new:>9,} new {tally.changed:>9,} changed "
                f"{tally.unchanged:>9,} unchanged"
            )
    if saved.moved:
        out.print(f"{saved.moved:,} devices moved; their history is kept.")
    out_rows = _left_out_rows(reading)
    if out_rows:
        out.print(f"{out_rows:,} rows were left out. 共有 {out_rows:,} 行未导入。")
    if dry_run:
        out.print("Nothing was written (--dry-run). 未写入任何数据。")


def _left_out_rows(reading: Reading) -> int:
    told = (*reading.problems, *reading.left_out)
    return len({(p.file, p.sheet, p.row) for p in told if p.row is not None})


def reading_as_json(reading: Reading, saved: Saved | None, *, dry_run: bool) -> dict[str, Any]:
    """An import, for machines."""
    return {
        "imported": saved is not None and not dry_run,
        "dry_run": dry_run,
        "rows": {str(sheet): count for sheet, count in reading.rows.items()},
        "saved": None if saved is None else asdict(saved),
        "problems": [problem.as_dict() for problem in reading.problems],
        "left_out": [problem.as_dict() for problem in reading.left_out],
        "left_out_rows": 0 if saved is None else _left_out_rows(reading),
    }


_MARKS = {
    "error": "[red]✘[/red]",
    "warning": "[yellow]![/yellow]",
    "note": "[dim]·[/dim]",
}


def tell_findings(findings: Sequence[Finding], counts: Counter[str]) -> None:
    """What the check found, the worst first."""
    by_kind = Counter(finding.kind for finding in findings)
    shown: Counter[str] = Counter()
    for finding in findings:
        shown[finding.kind] += 1
        if finding.severity == "note" or shown[finding.kind] > SHOWN_OF_A_KIND:
            continue
        remedy, remedy_zh = finding.remedy
        out.print(f"{_MARKS[finding.severity]} {escape(finding.en)} → {escape(remedy)}")
        out.print(f"  {escape(finding.zh)} → {escape(remedy_zh)}")
    for kind, count in by_kind.items():
        out.print(f"{count:>9,}  {kind}")
    out.print(
        f"{counts['error']:,} errors, {counts['warning']:,} warnings, {counts['note']:,} notes"
        " (--json shows all)."
        if findings
        else "The ledger is sound. 台账无误。"
    )


def tell_sample(
    stock: Stock, findings: Sequence[Finding], codes: Sequence[str], week: str, *, json: bool
) -> None:
    """A week's dwellings, with all that is on file."""
    told: dict[str, list[Finding]] = {}
    for finding in findings:
        told.setdefault(finding.place, []).append(finding)
    rows = [_sheet_row(stock, code, told.get(code, ())) for code in codes]
    if json:
        emit({"week": week, "of": len(stock.units), "dwellings": rows})
        return
    out.print(
        f"Spot check of week {week}: {len(rows):,} of {len(stock.units):,} dwellings. "
        f"本周抽查 {len(rows):,} 户。"
    )
    for row in rows:
        line = (
            f"{row['code']}  {row['address']}  {row['address_zh']}  {row['area_m2']:g} m²  "
            f"floor {row['floor']}  {row['contact']} {row['phone']}  {' '.join(row['devices'])}"
        )
        out.print(escape(line.rstrip()))
        for sentence in row["findings"]:
            out.print(f"  ! {escape(sentence)}")


def _sheet_row(stock: Stock, code: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """All that is on file of a dwelling, for whoever stands at its door."""
    unit, contact = stock.units[code], stock.contacts.get(code)
    address, address_zh = stock.address(code)
    return {
        "code": code,
        "address": address,
        "address_zh": address_zh,
        "area_m2": unit.area_m2,
        "floor": unit.floor,
        "column": unit.column,
        "position": str(unit.position),
        "contact": contact.name if contact else "",
        "phone": contact.phone if contact else "",
        "devices": [device.uid for device in stock.bound.get(code, ())],
        "findings": [f"{finding.en} {finding.zh}" for finding in findings],
    }
