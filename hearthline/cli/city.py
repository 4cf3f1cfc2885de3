"""A city without hardware: ``simulate`` and ``replay``, and what both do with their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyclopts import App

from hearthline.cli.output import err
from hearthline.errors import Invalid
from hearthline.settings import load

if TYPE_CHECKING:
    from hearthline.domain.places import Ledger


def register(app: App) -> None:
    """Add the commands ``simulate`` and ``replay``."""
    from hearthline.cli.replay import replay
    from hearthline.cli.simulate import simulate

    app.command(simulate)
    app.command(replay)


def the_simulator() -> Any:
    """The package ``simulators``.

    Raises:
        Invalid: what it computes with is not installed.
    """
    try:
        import simulators
        import simulators.city  # the package itself imports nothing until asked
    except ModuleNotFoundError as missing:
        raise not_installed("The simulator", missing) from None
    return simulators


def not_installed(what: str, missing: ModuleNotFoundError) -> Exception:
    """One sentence with the remedy for a package of the extra; our own modules are our bug."""
    package = (missing.name or "").partition(".")[0]
    if package in {"", "simulators", "hearthline"}:
        return missing
    return Invalid(
        f"{what} needs {package}, which is not installed.",
        "Run `pip install 'hearthline[simulator]'`.",
    )


def register_ledger(ledger: Ledger) -> None:
    """Write places, dwellings and devices to the database, so that ingest knows them."""
    from hearthline.storage import ledger as ledgers
    from hearthline.storage.database import connect

    with connect(load().require_database()) as connection:
        ledgers.save(connection, ledger)
    err.print(f"Ledger: {len(ledger.units):,} dwellings, {len(ledger.devices):,} devices.")
