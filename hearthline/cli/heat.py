"""``report month`` and ``advise balance``: the heat balance for people and machines."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.markup import escape

from hearthline.cli.output import emit, err, out
from hearthline.clock import system_clock
from hearthline.errors import Invalid
from hearthline.settings import load

if TYPE_CHECKING:
    from analytics.monthly import ZoneReport

Language = Literal["en", "zh"]
_CHINESE = "zh"
_TRACED_ROWS = 40  # of a figure, shown to people; --json has all


def register(app: App) -> None:
    """Add the commands of this module."""
    reports = App(name="report", help="Reports for a company's own books.")
    reports.command(month)
    app.command(reports)
    advice = App(name="advise", help="What to do about what was found.")
    advice.command(balance)
    app.command(advice)


def month(
    month: Annotated[str, Parameter(help="As 2026-01.")],
    *,
    zone: Annotated[str | None, Parameter(help="One substation's code; left out, all.")] = None,
    trace: Annotated[bool, Parameter(help="Also the rows behind every figure.")] = False,
    csv: Annotated[bool, Parameter(help="A table on standard output, a line per zone.")] = False,
    xlsx: Annotated[
        Path | None, Parameter(help="Write a workbook: figures, and where each is from.")
    ] = None,
    language: Language = "en",
    json: bool = False,
) -> None:
    """Fifteen figures of a month for every substation, each with the rows it was made of.

    A figure that cannot be given says why. With --trace or --json every figure names its table,
    rows, formula and the statement that fetches them.
    """
    from analytics import reporting
    from hearthline.registry.sheets import csv_text
    from hearthline.storage.database import connect

    settings = load()
    with connect(settings.require_database()) as connection:
        today = settings.rule().versions[0].local_day(system_clock())
        zones = reporting.month_report(connection, month, today, zone)
    if json:
        plain = [reporting.as_plain(each, rows=trace) for each in zones]
        emit({"month": month, "zones": plain})
    elif csv:
        sys.stdout.write(csv_text(*reporting.wide(zones)))
    elif xlsx is None:
        for each in zones:
            _tell(each, trace=trace, chinese=language == _CHINESE)
    if xlsx is not None:
        _write(xlsx, zones)
        err.print(f"{len(zones):,} zones written to {xlsx}.")


def _tell(report: ZoneReport, *, trace: bool, chinese: bool) -> None:
    from analytics import reporting
    from analytics.heat_words import FIGURE

    plain = reporting.as_plain(report, rows=trace)
    name = plain["name_zh"] if chinese else plain["name"]
    out.print(
        escape(f"{plain['zone']}  {name}  {plain['first_day']} – {plain['last_day']}"), style="bold"
    )
    for item in plain["items"]:
        told = FIGURE.get(item["reason"] or item["note"], (item["reason"], item["reason"]))
        title = item["title_zh"] if chinese else item["title"]
        days = f"{item['trace']['days']}/{item['trace']['of_days']} d"
        value = _figure(item["value"], item["unit"], item["uncertainty"])
        out.print(escape(f"  {title:36} {value:>24}  {days:>9}  {told[1 if chinese else 0]}"))
        if trace:
            _tell_trace(item["trace"])


def _figure(value: float | None, unit: str, uncertainty: float | None) -> str:
    if value is None:
        return "–"
    scale, spelt = {"share": (100.0, " %"), "1": (1.0, "")}.get(unit, (1.0, f" {unit}"))
    around = "" if uncertainty is None else f" ± {scale * uncertainty:,.4g}"
    return f"{scale * value:,.5g}{around}{spelt}"


def _tell_trace(trace: dict[str, Any]) -> None:
    out.print(escape(f"      = {trace['formula']}"), style="dim")
    out.print(escape(f"      {trace['rows']:,} rows: {trace['statement']}"), style="dim")
    for row in trace["values"][:_TRACED_ROWS]:
        cells = "  ".join(f"{name}={_cell(value)}" for name, value in row.items())
        out.print(escape(f"        {cells}"), style="dim")
    if len(trace["values"]) > _TRACED_ROWS:
        out.print(f"        … and {len(trace['values']) - _TRACED_ROWS:,} more (--json has all)")


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _write(file: Path, zones: Sequence[ZoneReport]) -> None:
    from analytics import reporting
    from hearthline.registry.sheets import workbook

    sheets = {"report": reporting.wide(zones), "sources": reporting.long(zones)}
    try:
        file.write_bytes(workbook(sheets))
    except OSError as error:
        raise Invalid(f"Cannot write {file}: {error.strerror}.", "Name another file.") from None


def balance(
    station: Annotated[str, Parameter(help="A substation's code.")],
    *,
    hours: Annotated[int, Parameter(help="How many hours are looked at; 24 to 336.")] = 48,
    emitter: Annotated[
        Literal["radiators", "floor"] | None,
        Parameter(help="What the dwellings have; left out, read from the supply temperature."),
    ] = None,
    language: Language = "en",
    json: bool = False,
) -> None:
    """Which buildings' valves to turn by how much, at constant total flow, and what it changes.

    Turns are told for equal-percentage valves of four turns; a valve stands right when the
    building's own meter shows the target flow. No advice where it is not worth a crew's way.
    """
    from analytics.advising import as_plain, station_advice
    from analytics.emission import Emitter
    from hearthline.storage.database import connect

    with connect(load().require_database()) as connection:
        found = station_advice(
            connection,
            station,
            system_clock(),
            window=timedelta(hours=hours),
            emitter=Emitter(emitter) if emitter else None,
        )
    plain = as_plain(found)
    if json:
        emit(plain)
        return
    out.print(escape(f"{plain['station']}  {plain['started_at']} – {plain['stopped_at']}"))
    for circuit in plain["circuits"]:
        _tell_circuit(circuit, "says_zh" if language == _CHINESE else "says")


def _tell_circuit(circuit: dict[str, Any], says: str) -> None:
    figures = (
        f"{circuit['total_m3h']} m³/h, return {circuit['mean_return_c']} °C "
        f"± {circuit['return_spread_k']} K, rooms ± {circuit['spread_k']} K"
    )
    out.print(escape(f"{circuit['circuit']} ({circuit['emitter']}): {figures}"), style="bold")
    out.print(escape(f"  {circuit[says]}"))
    told: Iterable[str] = [turn[says] for turn in circuit["turns"]]
    for line in told:
        out.print(escape(f"  {line}"))
    if circuit["turns"]:
        out.print(f"  ± {circuit['spread_k']} K → ± {circuit['settled_spread_k']} K")
    for left in circuit["left_out"]:
        out.print(escape(f"  {left['building']}: {left[says]}"), style="dim")
