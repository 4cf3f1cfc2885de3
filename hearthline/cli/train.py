"""``train``: make the model of causes anew from simulated seasons, and print what it gains."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from hearthline.cli.output import emit, out, progress
from hearthline.errors import HearthlineError

if TYPE_CHECKING:
    from analytics.causes.lessons import Examples
    from analytics.causes.model import Stored
    from analytics.causes.question import Subject
    from analytics.causes.recipe import Part, Recipe, Seasons
    from analytics.offline import Progress

_MEASURES = ("top1", "top2", "log_loss", "brier", "calibration_error")


class NotTheSame(HearthlineError):
    """Training again made another model than the one that is stored."""


def register(app: App) -> None:
    """Add the command ``train``."""
    app.command(train)


def train(
    *,
    recipe: Annotated[
        Path | None, Parameter(help="Seasons to learn from (YAML); default: the one that ships.")
    ] = None,
    to: Annotated[
        Path | None, Parameter(name="--out", help="Where to write; default: the model in use.")
    ] = None,
    check: Annotated[
        bool, Parameter(help="Write nothing; train again and compare with the stored model.")
    ] = False,
    json: bool = False,
) -> None:
    """Learn from simulated seasons which cause is likely, and print what that gains.

    Simulates the recipe's seasons, analyses them with the production core, takes the simulator's
    truth for answers, and fits, calibrates and measures on three different lots of seasons. See
    docs/causes.md.
    """
    from analytics.causes import recipe as recipes
    from analytics.causes.model import STORED, load
    from analytics.causes.training import differences, train, written

    target = to or STORED
    before = load(target).stored if check else None
    if before is not None and recipe is None:
        steps = recipes.checked(recipes.of_plain(before.recipe))
    else:
        steps = recipes.read(recipe or recipes.SHIPPED)
    with progress("train") as bar:
        stored = train(steps, _lots(steps, bar))
    found = {"model": str(target), **_summary(stored)}
    if before is not None:
        found["differences"] = differences(before, stored)
    else:
        target.write_bytes(written(stored))
    if json:
        emit(found)
    else:
        _tell(found, check=check)
    if found.get("differences"):
        raise NotTheSame(
            f"Training again does not give {target}: {'; '.join(found['differences'])}.",
            "Train without --check to store the new model.",
        )


def _lots(recipe: Recipe, bar: Progress) -> Any:
    """The examples of every season of a recipe, by subject and by what they are for."""
    from analytics.causes.lessons import Examples
    from analytics.causes.question import Subject
    from analytics.causes.recipe import Part
    from analytics.causes.training import Lot

    told: dict[tuple[Subject, Part], list[Examples]] = {}
    seasons = recipe.all_seasons()
    for number, (season, seed, part) in enumerate(seasons, 1):
        title = f"season {number} of {len(seasons)}"

        def said(done: float, total: float | None, text: str = "", title: str = title) -> None:
            bar(done, total, f"{title}: {text}")

        for subject, examples in _season(season, seed, recipe.coverages, said):
            told.setdefault((subject, part), []).append(examples)
    return {
        subject: Lot(**{str(part): Examples.joined(told[subject, part]) for part in Part})
        for subject in Subject
    }


def _season(
    season: Seasons, seed: int, coverages: list[float], bar: Progress
) -> list[tuple[Subject, Examples]]:
    """One season simulated once, and analysed as each coverage sees it."""
    from analytics.causes.lessons import examples_of, thinned
    from hearthline.cli.city import the_simulator
    from hearthline.cli.simulate import Which
    from hearthline.cli.towns import build
    from hearthline.cli.winters import simulate
    from hearthline.domain.places import DeviceKind

    the_simulator()
    length = timedelta(days=season.days)

    def which(coverage: float) -> Which:
        return Which(seed=seed, coverage=coverage, units=season.dwellings)

    most = max(coverages)
    winter = simulate(build(season.scenario, which(most), length), length, bar)
    found = []
    for coverage in coverages:
        seen = winter
        if coverage < most:
            devices = build(season.scenario, which(coverage), length).ledger_at(winter.anchor)
            sensed = {d.place for d in devices.devices if d.kind is DeviceKind.ROOM}
            seen = thinned(winter, coverage, frozenset(sensed))
        found += list(examples_of(seen, bar).items())
    return found


def _summary(stored: Stored) -> dict[str, Any]:
    """What is printed of a model."""
    return {
        "examples": stored.examples,
        "examples_sha256": stored.examples_sha256,
        "made_with": stored.made_with,
        "causes": {str(subject): table.counts for subject, table in stored.tables.items()},
        "temperature": {
            str(subject): table.temperature for subject, table in stored.tables.items()
        },
        "gain": stored.measured,
    }


def _tell(found: dict[str, Any], *, check: bool) -> None:
    for subject, gain in found["gain"].items():
        out.print(f"{subject}: {found['examples'][subject]:,} examples", style="bold")
        table = Table("on seasons held out", "", *(n.replace("_", " ") for n in _MEASURES))
        rows = {
            "all": gain,
            **{f"{float(c):.0%} sensed": g for c, g in gain["by_coverage"].items()},
        }
        for title, row in rows.items():
            for who in ("rules", "model"):
                numbers = (_number(row[who].get(name)) for name in _MEASURES)
                table.add_row(title if who == "rules" else "", who, *numbers)
        out.print(table)
        bins = Table("chance of the first cause", "said", "right", "faults")
        for one in gain["model"].get("reliability", ()):
            edges = f"{one['from']:.1f} to {one['from'] + 0.1:.1f}"
            bins.add_row(edges, f"{one['said']:.2f}", f"{one['right']:.2f}", f"{one['weight']:g}")
        out.print(bins)
    if check and not found["differences"]:
        out.print(f"Training again gives {found['model']}.")
    elif not check:
        out.print(f"Wrote {found['model']}.")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
