"""``outlook`` and ``placement``: dwellings without a sensor, the next two days, wasted heat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from hearthline.cli.output import emit, out, progress
from hearthline.clock import system_clock
from hearthline.errors import HearthlineError, Invalid, NotFound
from hearthline.settings import Settings, load

if TYPE_CHECKING:
    from analytics.outlook.placement import Place
    from hearthline.domain.network import Network
    from hearthline.storage.database import Connection, Row

SHOWN = 20
SHOWN_HOURS = (1, 3, 6, 12, 18, 24, 36, 48)
SKILL_DAYS = 14

Limit = Annotated[int, Parameter(help="Print at most so many.")]
Under = Annotated[str | None, Parameter(help="Only below this place (its code).")]


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(name="outlook", help="Estimates without sensors, the next 48 hours, wasted heat.")
    group.command(show)
    group.command(unit)
    group.command(waste)
    group.command(make)
    group.command(weather)
    group.command(skill)
    app.command(group)
    app.command(placement)


def show(*, under: Under = None, limit: Limit = SHOWN, json: bool = False) -> None:
    """The network in numbers, and the dwellings likeliest to fall below standard in 24 hours.

    Dwellings without a sensor are among them, with the chance that their estimate leaves.
    """
    from hearthline.storage import outlook
    from hearthline.storage.database import connect

    settings = load()
    with connect(settings.require_database()) as connection:
        run, totals = outlook.newest(connection), outlook.totals(connection)
        prefix = _prefix(connection, under)
        rows = outlook.units(connection, prefix=prefix, still_warm=True, limit=limit)
    if json:
        emit({"run": run, "totals": totals, "units": rows})
        return
    _say_run(run, totals, settings)
    _unit_table(rows, run, settings)


def unit(code: str, *, json: bool = False) -> None:
    """One dwelling: now, the last day, the hours ahead with their intervals, time to breach."""
    from hearthline.storage import outlook
    from hearthline.storage.database import connect

    settings = load()
    with connect(settings.require_database()) as connection:
        run, row = outlook.newest(connection), outlook.unit(connection, code)
    if row is None:
        raise NotFound(f"There is no outlook of a dwelling {code!r}.", "Codes: `ledger check`.")
    means, halves = outlook.ahead(row.pop("ahead"))
    hours = [
        {"at": run["at"] + timedelta(hours=h), "mean_c": mean, "half_k": half}
        for h, (mean, half) in enumerate(zip(means, halves, strict=True))
    ]
    if json:
        emit({"at": run["at"], "limit_c": run["limit_c"], **row, "ahead": hours})
        return
    for line in _unit_lines(row, hours, run, settings):
        out.print(line)


def waste(*, under: Under = None, limit: Limit = SHOWN, json: bool = False) -> None:
    """Heat that overheated dwellings wasted in the last day: stations, then dwellings."""
    from rich.markup import escape

    from hearthline.storage import outlook
    from hearthline.storage.database import connect

    with connect(load().require_database()) as connection:
        run = outlook.newest(connection)
        stations = outlook.places(connection, kind="substation")
        prefix = _prefix(connection, under)
        rows = outlook.units(connection, order=outlook.Order.WASTE, prefix=prefix, limit=limit)
    kept = [{k: v for k, v in row.items() if k != "ahead"} for row in stations]
    if json:
        emit({"at": run["at"], "upper_c": run["upper_c"], "substations": kept, "units": rows})
        return
    out.print(f"Wasted above {run['upper_c']:g} °C in the last 24 hours:")
    lines = [(row, row["code"]) for row in sorted(kept, key=lambda r: -r["waste_kwh"])]
    _table(
        ("place", "name", "mean °C", "kWh", "of its losses"),
        [
            (code, escape(row["name"]), f"{row['day_c']:.1f}", f"{row['waste_kwh']:,.0f}",
             f"{row['waste_share']:.1%}")
            for row, code in [*lines, *((row, row["code"]) for row in rows)]
        ],
    )  # fmt: skip


def make(*, json: bool = False) -> None:
    """Make the newest outlook now, without waiting for the worker."""
    from analytics.outlook import chore
    from hearthline.storage.database import Database

    settings = load()
    with Database(settings.require_database()) as database:
        made = chore.make(database, settings.rule(), system_clock(), again=True)
    if made is None:
        raise HearthlineError(
            "Nothing to look ahead from: no complete hour of rooms was analysed yet.",
            "Run `hearthline worker`; if one is running, it may be at it: try again in a minute.",
        )
    if json:
        emit({"at": made.at, "units": made.units, "measured": made.measured})
    else:
        out.print(f"Outlook as of {_at(made.at, settings)}: {made.units:,} dwellings, "
                  f"{made.measured:,} of them measured.")  # fmt: skip


def weather(
    file: Annotated[Path, Parameter(help="CSV or JSON: time, outdoor_c, wind_ms, solar_wm2.")],
    *,
    issued_at: Annotated[
        datetime | None, Parameter(help="When it was issued. Default: as the file says, or now.")
    ] = None,
    json: bool = False,
) -> None:
    """Take a weather forecast in; the next outlook uses it."""
    from analytics.outlook import weather_table
    from hearthline.storage import outlook
    from hearthline.storage.database import connect

    settings = load()
    zone = settings.rule().versions[0].zone()
    try:
        table = weather_table.read(file.read_text("utf-8"), zone)
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}.") from error
    issued = issued_at or table.issued_at or system_clock()
    issued = issued if issued.tzinfo else issued.replace(tzinfo=zone)
    with connect(settings.require_database()) as connection:
        kept = outlook.keep_weather(connection, [{**r, "issued_at": issued} for r in table.rows])
    last = table.rows[-1]["time"]
    if json:
        emit({"issued_at": issued, "points": kept, "until": last})
    else:
        out.print(f"{kept} hours of weather until {_at(last, settings)} are on file.")


def skill(*, days: int = SKILL_DAYS, json: bool = False) -> None:
    """How good the forecasts of the last days were, beside expecting the last day's mean again."""
    from hearthline.storage import outlook
    from hearthline.storage.database import connect

    with connect(load().require_database()) as connection:
        rows = outlook.skill(connection, system_clock() - timedelta(days=days))
    if json:
        emit({"days": days, "leads": rows})
        return
    if not rows:
        out.print("No forecast has come due yet: a sample is kept once a day.")
        return
    _table(
        ("hours ahead", "samples", "error K", "persistence K", "inside the 90 % interval"),
        [
            (str(r["lead_h"]), f"{r['samples']:,}", f"{r['error_k']:.2f}",
             f"{r['persistence_k']:.2f}", f"{r['covered']:.0%}")
            for r in rows
        ],
    )  # fmt: skip


def placement(
    *,
    count: Annotated[int, Parameter(help="How many places are wanted.")] = 10,
    aim: Annotated[
        Literal["cold", "uncertainty"],
        Parameter(help="Leave fewer cold dwellings unnoticed, or know every dwelling better."),
    ] = "cold",
    under: Under = None,
    json: bool = False,
) -> None:
    """The next best places for room sensors, and what each gains.

    Each is chosen as if those above it hung already.
    """
    from analytics.outlook import chore
    from analytics.outlook.placement import Aim, choose
    from hearthline.storage import outlook
    from hearthline.storage.database import Database

    settings = load()
    if not 1 <= count <= 10_000:
        raise Invalid(f"{count} places?", "Ask for 1 to 10,000.")
    with Database(settings.require_database()) as database, database.transaction() as connection:
        run = outlook.newest(connection)
        _prefix(connection, under)
        seen, _ = chore.load(connection, run["at"])
    found = chore.estimates_of(seen)
    allowed = None if under is None else chore.below(seen.network, under)
    with progress("placing sensors") as update:
        places = choose(found, count, run["limit_c"], Aim(aim), allowed=allowed, progress=update)
    rows = _place_rows(places, seen.network)
    if json:
        emit({"at": run["at"], "aim": aim, "places": rows})
        return
    _table(
        ("", "dwelling", "where", "cold?", "± in its house", "known better", "of all doubt"),
        [
            (str(r["rank"]), str(r["code"]), str(r["label"]), f"{r['cold_chance']:.0%}",
             f"{r['before_k']:.2f} → {r['after_k']:.2f} K", f"{r['told']}", f"{r['share']:.2%}")
            for r in rows
        ],
    )  # fmt: skip


def _place_rows(places: Sequence[Place], network: Network) -> list[dict[str, Any]]:
    """Chosen places, first choice first, as they are printed."""
    dwellings = network.dwellings
    return [
        {
            "rank": rank,
            "code": dwellings[place.unit].code,
            "label": network.label(dwellings[place.unit].code)["en"],
            "label_zh": network.label(dwellings[place.unit].code)["zh"],
            "share": round(place.share, 5),
            "before_k": round(place.before_k, 2),
            "after_k": round(place.after_k, 2),
            "told": place.told,
            "cold_chance": round(place.doubt, 3),
        }
        for rank, place in enumerate(places, start=1)
    ]


def _prefix(connection: Connection, under: str | None) -> str | None:
    from hearthline.storage.views import places

    return None if under is None else str(places.place(connection, under)["path"])


def _say_run(run: Row, totals: Row, settings: Settings) -> None:
    unseen = run["units"] - run["measured"]
    out.print(f"As of {_at(run['at'], settings)}; standard {run['limit_c']:g} °C.")
    out.print(
        f"{run['units']:,} dwellings, {run['measured']:,} measured; {unseen:,} are estimated, "
        f"to ±{totals['half_k']:.1f} K (90 %)."
    )
    out.print(
        f"Below standard on the last day: about {totals['cold_now']:,.0f}, of them "
        f"{totals['cold_unseen']:,.0f} without a sensor. Within 24 h: {totals['cold_24h']:,.0f}, "
        f"within 48 h: {totals['cold_48h']:,.0f}."
    )
    out.print(
        f"Overheated (above {run['upper_c']:g} °C): {totals['overheated']:,}; "
        f"{totals['waste_kwh']:,.0f} kWh wasted in 24 h."
    )
    told, wanted = run["forecast_h"], len(run["outdoor_c"])
    if told < wanted:
        out.print(
            f"[yellow]Weather: a forecast for {told} of {wanted} hours; "
            "for the others the last day is repeated, with wide errors. "
            "See `hearthline outlook weather`.[/yellow]"
        )


def _unit_table(rows: Sequence[Row], run: Row, settings: Settings) -> None:
    from rich.markup import escape

    _table(
        ("dwelling", "name", "", "now °C", "within 24 h", "48 h", "as likely as not at"),
        [
            (
                row["code"],
                escape(row["name"]),
                "measured" if row["measured"] else "estimated",
                f"{row['now_c']:.1f} ± {row['now_half_k']:.1f}",
                f"{row['chance_24h']:.0%}",
                f"{row['chance_48h']:.0%}",
                _at(run["at"] + timedelta(hours=row["breach_h"]), settings)
                if row["breach_h"]
                else "–",
            )
            for row in rows
        ],
    )


def _unit_lines(
    row: Row, hours: Sequence[dict[str, Any]], run: Row, settings: Settings
) -> Iterable[str]:
    how = "measured" if row["measured"] else "estimated from its neighbours"
    yield f"[bold]{row['code']}[/bold] ({how}), as of {_at(run['at'], settings)}"
    yield f"  last hour    {row['now_c']:.1f} ± {row['now_half_k']:.1f} °C"
    yield f"  last day     {row['day_c']:.1f} ± {row['day_half_k']:.1f} °C"
    yield f"  time const.  {row['tau_h']:.0f} h among its neighbours"
    yield (
        f"  below {run['limit_c']:g} °C  within 24 h: {row['chance_24h']:.0%}, "
        f"within 48 h: {row['chance_48h']:.0%}"
    )
    if row["breach_h"]:
        breach = run["at"] + timedelta(hours=row["breach_h"])
        yield f"  breach       as likely as not by {_at(breach, settings)}"
    yield f"  wasted       {row['waste_kwh']:.1f} kWh in 24 h ({row['waste_share']:.0%})"
    for hour in SHOWN_HOURS:
        point = hours[hour - 1]
        yield f"  {_at(point['at'], settings)}  {point['mean_c']:5.1f} ± {point['half_k']:.1f} °C"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _at(at: datetime, settings: Settings) -> str:
    return f"{at.astimezone(settings.device_zone()):%m-%d %H:%M}"
