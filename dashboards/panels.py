"""Panels with our defaults, and the sheet that numbers them and lays them out.

Each function returns a builder of Grafana's SDK with title, query and unit set, so that a
dashboard adds only what is particular. A sheet fills rows of 24 columns from left to right;
ids and positions follow from the order, so the same code gives the same JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import barchart, common, dashboard, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as models

from dashboards.source import Format, PostgresQuery, source_ref
from dashboards.statements import Locale, statement

COLUMNS = 24
Pair = tuple[str, str]  # English, Chinese
Steps = Sequence[tuple[float | None, str]]  # from this value on, this colour

_UNIT = {"kelvin": "suffix: K", "flow": "suffix: m³/h", "cubic": "suffix: m³", "index": "Wm2"}


def unit_id(name: str) -> str:
    """Grafana's id of a unit, by our short name or as it is."""
    return _UNIT.get(name, name)


@dataclass(frozen=True, slots=True)
class Field:
    """How one column of a query is shown: its heading, unit, colours, link and texts."""

    column: str
    title: Pair
    unit: str | None = None
    decimals: int | None = None
    steps: Steps = ()
    texts: Mapping[str, Pair] = field(default_factory=dict)
    link: str | None = None
    width: int | None = None
    hidden: bool = False

    def properties(self, locale: Locale) -> list[models.DynamicConfigValue]:
        """The override's properties in Grafana's order of ids."""
        found: dict[str, object] = {"displayName": say(self.title, locale)}
        if self.unit:
            found["unit"] = unit_id(self.unit)
        if self.decimals is not None:
            found["decimals"] = self.decimals
        if self.steps:
            found["thresholds"] = thresholds(self.steps).build()
            found["color"] = {"mode": "thresholds"}
            found["custom.cellOptions"] = {"type": "color-text"}
        if self.texts:
            found["mappings"] = [mapping(self.texts, locale)]
        if self.link:
            found["links"] = [{"title": "${__value.text}", "url": self.link, "targetBlank": True}]
        if self.width:
            found["custom.width"] = self.width
        if self.hidden:
            found["custom.hidden"] = True
        return [models.DynamicConfigValue(key, value) for key, value in sorted(found.items())]


@dataclass(frozen=True, slots=True)
class Source:
    """One statement of one family in one language: what every panel is made from."""

    family: str
    locale: Locale

    def query(self, name: str, format_: Format) -> PostgresQuery:
        """The panel's only target."""
        return PostgresQuery(statement(self.family, name, self.locale), format_)

    def say(self, pair: Pair) -> str:
        """A text in the dashboard's language."""
        return say(pair, self.locale)


def say(pair: Pair, locale: Locale) -> str:
    """A text in one language."""
    return pair[0] if locale == "en" else pair[1]


def thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    """Colours from ascending values on; the first step starts at None, below everything."""
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=color) for value, color in steps])
    )


def mapping(texts: Mapping[str, Pair], locale: Locale) -> models.ValueMap:
    """Codes shown as words."""
    return models.ValueMap(
        options={
            code: models.ValueMappingResult(text=say(pair, locale), index=index)
            for index, (code, pair) in enumerate(texts.items())
        }
    )


def stats(source: Source, name: str, title: Pair, fields: Sequence[Field]) -> stat.Panel:
    """One row of figures side by side, the last value of every field."""
    panel = (
        stat.Panel()
        .title(source.say(title))
        .datasource(source_ref())
        .with_target(source.query(name, "table"))
        .no_value("—")
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/.*/"))
        .graph_mode(options.BigValueGraphMode.NONE)
        .color_mode(options.BigValueColorMode.VALUE)
        .text_mode(options.BigValueTextMode.VALUE_AND_NAME)
        .orientation(options.VizOrientation.AUTO)
    )
    for each in fields:
        properties = [
            p for p in each.properties(source.locale) if not p.id_val.startswith("custom")
        ]
        panel.override_by_name(each.column, properties)
    return panel


def course(
    source: Source, name: str, title: Pair, unit: str, fields: Sequence[Field] = ()
) -> timeseries.Panel:
    """Lines over time. With a ``metric`` column, one series per metric and value column."""
    panel = (
        timeseries.Panel()
        .title(source.say(title))
        .datasource(source_ref())
        .with_target(source.query(name, "time_series"))
        .unit(unit_id(unit))
        .interval("1h")
        .no_value("—")
        .line_width(1)
        .fill_opacity(5)
        .show_points(options.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(options.LegendDisplayMode.LIST)
            .placement(options.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(options.TooltipDisplayMode.MULTI)
            .sort(options.SortOrder.DESCENDING)
        )
    )
    for each in fields:
        panel.override_by_name(each.column, each.properties(source.locale))
    return panel


def paired(
    source: Source, name: str, title: Pair, unit: str, fields: Sequence[Field]
) -> timeseries.Panel:
    """Several values per metric: a series is called "metric heading"; the second one is dashed."""
    panel = course(source, name, title, unit)
    for index, each in enumerate(fields):
        heading = "${__field.labels.metric} " + source.say(each.title)
        properties = [models.DynamicConfigValue("displayName", heading)]
        if index:
            dash = {"fill": "dash", "dash": [6, 4]}
            properties.append(models.DynamicConfigValue("custom.lineStyle", dash))
        panel.override_by_regexp(f"/^{each.column}/", properties)
    return panel


def daily(
    source: Source, name: str, title: Pair, unit: str, fields: Sequence[Field] = ()
) -> timeseries.Panel:
    """Bars, one group a local day."""
    return (
        course(source, name, title, unit, fields)
        .interval("1d")
        .draw_style(options.GraphDrawStyle.BARS)
        .bar_alignment(options.BarAlignment.AFTER)
        .bar_width_factor(0.7)
        .fill_opacity(60)
    )


def rows(source: Source, name: str, title: Pair, fields: Sequence[Field]) -> table.Panel:
    """A table."""
    panel = (
        table.Panel()
        .title(source.say(title))
        .datasource(source_ref())
        .with_target(source.query(name, "table"))
        .no_value("—")
        .show_header(True)
        .cell_height(options.TableCellHeight.SM)
        .filterable(True)
    )
    for each in fields:
        panel.override_by_name(each.column, each.properties(source.locale))
    return panel


def bars(
    source: Source,
    name: str,
    title: Pair,
    *,
    x: str,
    unit: str,
    fields: Sequence[Field],
    horizontal: bool = False,
) -> barchart.Panel:
    """Bars over categories, one per row."""
    panel = (
        barchart.Panel()
        .title(source.say(title))
        .datasource(source_ref())
        .with_target(source.query(name, "table"))
        .unit(unit_id(unit))
        .no_value("—")
        .x_field(x)
        .orientation(
            options.VizOrientation.HORIZONTAL if horizontal else options.VizOrientation.VERTICAL
        )
        .show_value(options.VisibilityMode.AUTO)
        .bar_width(0.9)
        .fill_opacity(70)
        .legend(
            common.VizLegendOptions()
            .show_legend(False)
            .display_mode(options.LegendDisplayMode.LIST)
            .placement(options.LegendPlacement.BOTTOM)
            .calcs([])
        )
    )
    for each in fields:
        properties = [
            p for p in each.properties(source.locale) if not p.id_val.startswith("custom")
        ]
        panel.override_by_name(each.column, properties)
    return panel


class Sheet:
    """Lays panels out in rows of 24 columns and numbers them from 1."""

    def __init__(self) -> None:
        self.panels: list[models.Panel | models.RowPanel] = []
        self._x = self._y = self._height = 0

    def heading(self, title: str) -> None:
        """A heading across the sheet, above what follows."""
        self._break()
        row = dashboard.Row(title).id(len(self.panels) + 1).build()
        row.grid_pos = models.GridPos(x=0, y=self._y, w=COLUMNS, h=1)
        self.panels.append(row)
        self._y += 1

    def add(self, panel: Builder[models.Panel], width: int, height: int, about: str = "") -> None:
        """The next panel to the right, or in a new row where it does not fit."""
        if self._x + width > COLUMNS:
            self._break()
        built = panel.build()
        built.id_val = len(self.panels) + 1
        built.grid_pos = models.GridPos(x=self._x, y=self._y, w=width, h=height)
        if about:
            built.description = about
        self.panels.append(built)
        self._x += width
        self._height = max(self._height, height)

    def _break(self) -> None:
        self._y += self._height
        self._x = self._height = 0
