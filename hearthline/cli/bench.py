"""``bench``: measured figures, each beside a ceiling measured in the same run."""

from __future__ import annotations

from cyclopts import App

from hearthline.cli.output import emit, err, out
from hearthline.settings import load


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(name="bench", help="Measured figures, each beside its ceiling.")
    group.command(ingest)
    app.command(group)


def ingest(
    *,
    messages: int = 50_000,
    rows: int = 500_000,
    latency_messages: int = 10_000,
    json: bool = False,
) -> None:
    """Messages and rows per second, latency at 1,000 messages/s, lost and duplicated readings."""
    from ingest.bench import measure

    settings = load()
    found = measure(
        settings,
        settings.simulator_mqtt_url or settings.require_mqtt(),
        messages=messages,
        rows=rows,
        latency_messages=latency_messages,
        progress=lambda step: err.print(f"measuring: {step} …"),
    )
    if json:
        emit(found)
        return
    for name, value in found.items():
        out.print(f"{name:28} {value:>14,.2f}")
