"""Build every dashboard in both languages as deterministic JSON: same code, same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from dashboards import heat_balance, room_temperatures
from dashboards.panels import Pair, Sheet, say
from dashboards.source import source_ref
from dashboards.statements import LOCALES, Locale, statement

CONSOLE = "http://127.0.0.1:8460"
TAG = "hearthline"
ALL_SUBSTATIONS = "SELECT code FROM place WHERE kind = 'substation'"


@dataclass(frozen=True, slots=True)
class Board:
    """What tells one dashboard from another."""

    uid: str
    title: Pair
    range: str
    sheet: Callable[[Locale], Sheet]
    substations: bool = False


BOARDS = (
    Board(heat_balance.UID, heat_balance.TITLE, "now-7d", heat_balance.sheet, substations=True),
    Board(room_temperatures.UID, room_temperatures.TITLE, "now-3d", room_temperatures.sheet),
)


def build(directory: Path | str, *, console: str = CONSOLE) -> list[Path]:
    """Write ``<uid>.json`` for every dashboard and language; returns the files in order.

    ``console`` is the address that links to tickets start with. Files of ours that no longer
    belong to a dashboard are not removed.
    """
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for model in models_of_all(console=console):
        path = target / f"{model['uid']}.json"
        text = json.dumps(model, ensure_ascii=False, indent=2, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")
        written.append(path)
    return written


def models_of_all(*, console: str = CONSOLE) -> list[dict[str, Any]]:
    """Grafana's model of every dashboard and language, as plain JSON data."""
    return [_plain(_model(board, locale, console)) for board in BOARDS for locale in LOCALES]


def _model(board: Board, locale: Locale, console: str) -> models.Dashboard:
    builder = (
        dashboard.Dashboard(say(board.title, locale))
        .uid(f"{board.uid}-{locale[:2]}")
        .description(" / ".join(board.title))
        .tags([TAG, f"{TAG}-{locale[:2]}"])
        .timezone("browser")
        .time(board.range, "now")
        .refresh("1m")
        .editable()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(_siblings(locale))
        .with_variable(_console(console, locale))
    )
    if board.substations:
        builder = builder.with_variable(_substations(locale))
    model = builder.build()
    model.panels = board.sheet(locale).panels
    return model


def _siblings(locale: Locale) -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink(say(("Dashboards", "看板"), locale))
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([f"{TAG}-{locale[:2]}"])
        .keep_time(True)
    )


def _console(address: str, locale: Locale) -> dashboard.ConstantVariable:
    address = address.rstrip("/")
    return (
        dashboard.ConstantVariable("console")
        .label(say(("Console", "控制台"), locale))
        .value(address)
    )


def _substations(locale: Locale) -> dashboard.QueryVariable:
    """All substations unless some are chosen; "all" is a subquery, not a list of thousands."""
    return (
        dashboard.QueryVariable("substation")
        .label(say(("Substation", "换热站"), locale))
        .datasource(source_ref())
        .query(statement(heat_balance.FAMILY, "substations", locale))
        .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
        .multi(True)
        .include_all(True)
        .all_value(ALL_SUBSTATIONS)
        .current(
            models.VariableOption(selected=True, text=say(("All", "全部"), locale), value="$__all")
        )
    )


def _plain(model: models.Dashboard) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(model, cls=JSONEncoder))
    return plain
