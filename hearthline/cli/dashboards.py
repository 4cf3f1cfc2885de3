"""``dashboards build`` and ``dashboards publish``: Grafana as code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from hearthline.cli.output import emit, out
from hearthline.errors import SettingsError
from hearthline.settings import load


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(name="dashboards", help="Grafana dashboards, built and published from code.")
    group.command(build)
    group.command(publish)
    app.command(group)


def build(
    directory: Path,
    *,
    console: Annotated[
        str, Parameter(help="The console's address, for links to tickets.")
    ] = "http://127.0.0.1:8460",
    json: bool = False,
) -> None:
    """Write every dashboard as a JSON file that Grafana can provision."""
    from dashboards.build import build as build_all

    files = build_all(directory, console=console)
    if json:
        emit({"files": [str(file) for file in files]})
    else:
        for file in files:
            out.print(file)
        out.print(f"{len(files)} dashboards written.")


def publish(*, json: bool = False) -> None:
    """Create or renew folder, data source and dashboards in a running Grafana."""
    settings = load()
    if settings.grafana_url is None or settings.grafana_token is None:
        raise SettingsError(
            "No Grafana is configured.",
            "Set HEARTHLINE_GRAFANA_URL and HEARTHLINE_GRAFANA_TOKEN (a service account's token).",
        )
    from dashboards.publish import publish as publish_all

    done = publish_all(settings)
    if json:
        emit({"dashboards": done})
    else:
        for address in done:
            out.print(address)
        out.print(f"{len(done)} dashboards are in Grafana.")
