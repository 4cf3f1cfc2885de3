"""``score``: simulate a winter, analyse it with the production core, compare with the truth."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from hearthline.cli.output import emit, out, progress
from hearthline.errors import Invalid
from hearthline.settings import load as load_settings

if TYPE_CHECKING:
    from analytics.scoring.winter import Winter

_ROWS = (
    ("unit-days", "unit_day", ("precision", "recall")),
    (
        "incidents",
        "incident",
        (
            "precision",
            "recall",
            "recall_tellable",
            "per_fault",
            "false_per_1000_unit_days",
            "place_exact",
            "place_within_one",
            "cause_top1",
            "cause_top2",
            "delay_h_median",
            "early_share",
        ),
    ),
    ("sensors", "sensor", ("precision", "recall", "recall_tellable")),
)


def register(app: App) -> None:
    """Add the command ``score``."""
    app.command(score)


def score(
    scenario: Annotated[str | None, Parameter(help="A name from simulate --list, or a file.")] = (
        None
    ),
    *,
    seed: Annotated[int | None, Parameter(help="Another winter of the scenario.")] = None,
    coverage: Annotated[float | None, Parameter(help="Share of dwellings with a sensor.")] = None,
    days: Annotated[float | None, Parameter(help="Event time; default: the history.")] = None,
    keep: Annotated[Path | None, Parameter(help="Keep what was simulated in FILE.npz.")] = None,
    from_: Annotated[
        Path | None, Parameter(name="--from", help="Analyse a kept FILE.npz; simulate nothing.")
    ] = None,
    incidents: Annotated[bool, Parameter(help="List every incident and every fault.")] = False,
    rules_only: Annotated[
        bool, Parameter(help="Rank causes by the rules alone; also HEARTHLINE_CAUSES=rules.")
    ] = False,
    json: bool = False,
) -> None:
    """How good the analysis is: simulate, analyse, compare with the truth; see docs/scoring.md."""
    if (scenario is None) == (from_ is None):
        raise Invalid("Name a scenario, or a kept winter with --from, and not both.")
    from analytics.causes import choice
    from analytics.scoring import listing
    from analytics.scoring.report import score as report_of
    from analytics.scoring.winter import keep as write
    from analytics.scoring.winter import load

    with progress("score") as bar:
        winter = load(from_) if from_ else _simulated(str(scenario), seed, coverage, days, bar)
        if keep is not None:
            write(winter, keep)
        judge = choice.named("rules" if rules_only else load_settings().causes)
        with choice.judging(judge):
            found = report_of(winter, bar)
    report = found.report
    if incidents:
        report |= {
            "incidents": listing.incidents(found, winter.truth),
            "fault_list": listing.faults(found, winter.truth),
        }
    if json:
        emit(report)
        return
    _tell(report)
    if incidents:
        _list(report["incidents"], report["fault_list"])


def _simulated(
    scenario: str, seed: int | None, coverage: float | None, days: float | None, bar: Any
) -> Winter:
    from hearthline.cli.city import the_simulator
    from hearthline.cli.simulate import Which
    from hearthline.cli.towns import build
    from hearthline.cli.winters import simulate

    the_simulator()
    length = None if days is None else timedelta(days=days)
    if length is not None and length < timedelta(days=1):
        raise Invalid("A score needs a day at least.", "Give --days 1 or more.")
    city = build(scenario, Which(seed=seed, coverage=coverage), length)
    return simulate(city, length or city.history, bar)


def _tell(report: dict[str, Any]) -> None:
    out.print(
        f"{report['scenario']}, seed {report['seed']}, {report['coverage']:.0%} of "
        f"{report['units']:,} dwellings sensed, {report['unit_days']:,} unit-days, "
        f"{report['faults']} faults that make a dwelling cold by themselves; "
        f"analysed in {report['analysed_s']:g} s."
    )
    table = Table("", "", "ours", "baseline")
    for title, part, names in _ROWS:
        for name in names:
            mine, theirs = (report[side][part][name] for side in ("ours", "baseline"))
            table.add_row(title, name.replace("_", " "), _number(mine), _number(theirs))
            title = ""  # noqa: PLW2901
    tickets = (report[side]["tickets_per_fault"] for side in ("ours", "baseline"))
    table.add_row("tickets", "per fault", *map(_number, tickets))
    out.print(table)
    matrix = Table("true cause", "said")
    for true, said in report["confusion"].items():
        matrix.add_row(true, ", ".join(f"{cause} {count}" for cause, count in said.items()))
    out.print(matrix)
    standing, mine = report["standing"], report["ours"]["incident"]
    out.print(
        f"Of {mine['count']} incidents {mine['right']} are about such a fault, "
        f"{mine['standing']} name rightly what people do for good, {mine['beside']} are neither "
        f"right nor wrong, {mine['false']} are false. Habits that make a dwelling cold: "
        f"{standing['cold']}, found {_number(standing['recall'])}, {standing['misnamed']} "
        f"incidents about habits by another name."
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _list(said: list[dict[str, Any]], true: list[dict[str, Any]]) -> None:
    """Every incident with what it was about, and every fault that counts, one a line."""
    for one in said:
        about = f"{one['true_cause']} {one['true_place']} {one['near']}" if one["near"] else ""
        out.print(
            f"{_short(one['opened_at'])} {one['verdict']:8} "
            f"{' '.join(one['causes'][:2]):38} {one['place']:22} "
            f"{one['cold']:4}/{one['members']:<4} {about}"
        )
    for fault in true:
        state = "" if fault["of_sensor"] else "found" if fault["found"] else "MISSED"
        first = f"first {_short(fault['first_cold_at'])}" if fault["first_cold_at"] else ""
        out.print(
            f"{_short(fault['onset_at'])} {_short(fault['end_at']):11} {fault['cause']:20} "
            f"{' '.join(fault['places'][:2]):36} {fault['severity']:6.2f} "
            f"{fault['cold']:4} cold {first:17} {state}"
        )


def _short(at: str | None) -> str:
    return f"{datetime.fromisoformat(at):%m-%d %H:%M}" if at else ""
