"""``bench``: measured figures, each beside a ceiling measured in the same run."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.table import Table

from hearthline.cli.output import emit, err, out, progress
from hearthline.settings import load

if TYPE_CHECKING:
    from analytics.bench import Measured


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(name="bench", help="Measured figures, each beside its ceiling.")
    group.command(ingest)
    group.command(analytics)
    group.command(simulator)
    app.command(group)


def ingest(
    *,
    messages: int = 50_000,
    rows: int = 500_000,
    latency_messages: int = 10_000,
    soak_messages: Annotated[int, Parameter(help="Messages of the long run; 0 for none.")] = (
        1_000_000
    ),
    rounds: Annotated[int, Parameter(help="Ceiling and run alternate so often.")] = 3,
    json: bool = False,
) -> None:
    """Messages and rows per second, latency at 1,000 messages/s, losses, two processes, memory."""
    from ingest.bench import measure

    settings = load()
    found = measure(
        settings,
        settings.simulator_mqtt_url or settings.require_mqtt(),
        messages=messages,
        rows=rows,
        latency_messages=latency_messages,
        soak_messages=soak_messages,
        rounds=rounds,
        progress=lambda step: err.print(f"measuring: {step} …"),
    )
    if json:
        emit(found)
        return
    for name, value in found.items():
        out.print(f"{name:28} {value:>14,.2f}")


def analytics(
    *,
    units: Annotated[
        tuple[int, ...], Parameter(help="Sizes to measure, in dwellings.", negative=())
    ] = (10_000, 100_000),
    hours: Annotated[int, Parameter(help="The stretch that is judged at once.")] = 48,
    processes: Annotated[int, Parameter(help="Workers side by side.")] = 2,
    scenario: Annotated[str, Parameter(help="The town that is copied.")] = "mixed-faults",
    seed: Annotated[int, Parameter(help="Which faults the copied town has.")] = 7,
    json: bool = False,
) -> None:
    """A city in the database, loaded and analysed by real workers: seconds and peak memory."""
    from analytics.bench import Town, measure
    from hearthline.cli.city import the_simulator
    from hearthline.cli.simulate import Which
    from hearthline.cli.towns import build
    from hearthline.cli.winters import heard

    settings = load()
    the_simulator()
    length = timedelta(hours=hours)
    city = build(scenario, Which(seed=seed), length)
    with progress("simulate") as bar:
        town = Town(*heard(city, length, bar))
    found = [
        measure(
            settings.require_database(),
            town,
            max(1, round(size / len(town.ledger.units))),
            settings.rule(),
            processes=processes,
            progress=lambda step: err.print(f"measuring: {step} …"),
        )
        for size in units
    ]
    if json:
        emit({"sizes": [asdict(one) for one in found]})
    else:
        out.print(_analysed(found))


def _analysed(found: list[Measured]) -> Table:
    table = Table(
        "dwellings", "districts", "load s", "cycle s", "ceiling s", "ratio", "units/s", "peak MB"
    )
    for one in found:
        table.add_row(
            f"{one.units:,}",
            f"{one.districts:,}",
            f"{one.load_s:.1f}",
            f"{one.cycle_s:.1f}",
            f"{one.ceiling_s:.1f}",
            f"{one.ratio:.2f}",
            f"{one.units_per_s:,.0f}",
            f"{one.peak_mb:,.0f}",
        )
    return table


def simulator(
    *,
    units: Annotated[
        tuple[int, ...], Parameter(help="Sizes to measure, in dwellings.", negative=())
    ] = (10_000, 100_000, 1_000_000),
    coverage: Annotated[float, Parameter(help="Share of dwellings with a sensor.")] = 1.0,
    unit_steps: Annotated[int, Parameter(help="Dwelling-steps to run at each size.")] = 40_000_000,
    json: bool = False,
) -> None:
    """Dwelling-steps per second (10 min, physics and instruments) and peak memory, by size."""
    from simulators.bench import measure

    found = measure(
        units,
        unit_steps=unit_steps,
        coverage=coverage,
        progress=lambda step: err.print(f"measuring: {step} …"),
    )
    if json:
        emit({"sizes": [asdict(one) for one in found]})
        return
    names = ("dwellings", "steps/s", "physics alone", "ceiling", "ratio", "peak MB", "built in")
    table = Table(*names)
    for one in found:
        table.add_row(
            f"{one.units:,}",
            f"{one.unit_steps_per_s / 1e6:.1f} M",
            f"{one.physics_only_per_s / 1e6:.1f} M",
            f"{one.ceiling_per_s / 1e6:.1f} M",
            f"{one.ratio:.2f}",
            f"{one.peak_mb:,.0f}",
            f"{one.build_s:.1f} s",
        )
    out.print(table)
