"""The monthly report: fifteen figures for every substation, each with the rows it was made of.

Pure. A figure is a row of ``ITEMS``: what it is called, its unit, the table it comes from, the
columns it reads, the formula, and the function that applies it. Nothing is filled in: a day
without a figure is left out and the figure says how many days it stands for. A figure that cannot
be given has a reason instead of a number. ``Figure.rows`` are exactly the rows that were used, so
adding them up by hand gives the figure again; ``statement`` (see ``hearthline.storage.heat``)
fetches the same from the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite, sqrt
from typing import Any

from analytics.imbalance import weighted_spread

Rows = Sequence[Mapping[str, Any]]
NO_ROWS = "no_rows"
DISTRIBUTION = "distribution"


@dataclass(frozen=True, slots=True)
class Zone:
    """A substation's rows of a month by table, and the days of the month that have begun."""

    id: int
    code: str
    name: str
    name_zh: str
    path: str
    first: date
    last: date
    tables: Mapping[str, Rows]

    @property
    def days(self) -> int:
        """Days of the month up to ``last``."""
        return (self.last - self.first).days + 1

    def rows(self, item: Item) -> list[Mapping[str, Any]]:
        """The rows an item is made of: those in which every column that it needs is known."""
        return [
            {name: row[name] for name in (*item.keys, *item.columns)}
            for row in self.tables[item.table]
            if item.wanted(row) and all(row[name] is not None for name in item.columns)
        ]


@dataclass(frozen=True, slots=True)
class Item:
    """One figure of the report.

    ``table`` is where its rows are from (``heat_day_buildings``: ``heat_day`` of the buildings
    below; ``unit_day``: summed by day), ``keys`` and ``columns`` what of them; ``of`` applies the
    formula to the rows and gives value and uncertainty.
    """

    key: str
    title: str
    title_zh: str
    unit: str
    table: str
    columns: tuple[str, ...]
    formula: str
    of: Callable[[Rows, Zone], tuple[float | None, float | None]]
    keys: tuple[str, ...] = ("day",)
    wanted: Callable[[Mapping[str, Any]], bool] = lambda _row: True
    prefer: Callable[[Mapping[str, Any]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of one zone: a value (± uncertainty where known), or the reason why there is none.

    ``days`` are those it stands for, ``note`` what else must be known to read it.
    """

    item: Item
    value: float | None
    uncertainty: float | None
    reason: str
    note: str
    days: int
    rows: Rows


@dataclass(frozen=True, slots=True)
class ZoneReport:
    """All figures of one zone, in the order of ``ITEMS``."""

    zone: Zone
    figures: tuple[Figure, ...]


def report(zone: Zone) -> ZoneReport:
    """The fifteen figures of a zone."""
    return ZoneReport(zone, tuple(_figure(item, zone) for item in ITEMS))


def month_days(month: str, today: date) -> tuple[date, date]:
    """First and last day of ``YYYY-MM``, the last not after yesterday.

    Raises:
        ValueError: it is no month, or no day of it is over.
    """
    first = date.fromisoformat(f"{month}-01")
    if first >= today:
        raise ValueError(f"no day of {month} is over")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    last = min(last, today - timedelta(days=1))
    return first, last


def _figure(item: Item, zone: Zone) -> Figure:
    rows, note = zone.rows(item), ""
    if item.prefer is not None:
        better = [row for row in rows if item.prefer(row)]
        note = "measured" if better else "assumed"
        rows = better or rows
    if not rows:
        return Figure(item, None, None, _reason(item, zone), "", 0, ())
    value, uncertainty = item.of(rows, zone)
    days = len({row["day"] for row in rows})
    reason = NO_ROWS if value is None else ""
    return Figure(item, value, uncertainty, reason, note, days, rows)


def _reason(item: Item, zone: Zone) -> str:
    """Why there is no figure: the commonest reason of the rows that have none."""
    column = {"balance_day": "reason", "heat_day": "normal_basis"}.get(item.table)
    told = Counter(
        row[column]
        for row in zone.tables[item.table]
        if column and (item.table != "balance_day" or row["stage"] == DISTRIBUTION)
    )
    for reason, _ in told.most_common():
        if reason not in {"", "measured", "assumed"}:
            return str(reason)
    return NO_ROWS


# The formulas ------------------------------------------------------------------------------------

Value = tuple[float | None, float | None]


def _sum(column: str) -> Callable[[Rows, Zone], Value]:
    return lambda rows, _zone: (float(sum(row[column] for row in rows)), None)


def _mean(column: str, weight: str | None = None) -> Callable[[Rows, Zone], Value]:
    def mean(rows: Rows, _zone: Zone) -> Value:
        weights = [row[weight] if weight else 1.0 for row in rows]
        total = sum(weights)
        if not total:
            return None, None
        return sum(row[column] * w for row, w in zip(rows, weights, strict=True)) / total, None

    return mean


def _ratio(over: Callable[[Mapping[str, Any]], float], under: Callable[[Mapping[str, Any]], float],
           scale: float = 1.0) -> Callable[[Rows, Zone], Value]:  # fmt: skip
    def ratio(rows: Rows, _zone: Zone) -> Value:
        below = sum(under(row) for row in rows)
        return (scale * sum(over(row) for row in rows) / below, None) if below else (None, None)

    return ratio


def _loss(rows: Rows, _zone: Zone) -> Value:
    supplied = sum(row["supplied_kwh"] for row in rows)
    if not supplied:
        return None, None
    error = sqrt(sum(row["uncertainty_kwh"] ** 2 for row in rows))
    return sum(row["loss_kwh"] for row in rows) / supplied, error / supplied


def _makeup(rows: Rows, zone: Zone) -> Value:
    """Make-up over circulated water of the same days."""
    volume = {row["day"]: row["volume_m3"] for row in zone.tables["heat_day"]}
    both = [(row["makeup_m3"], volume.get(row["day"])) for row in rows]
    known = [(made, moved) for made, moved in both if moved]
    moved_m3 = sum(moved for _, moved in known)
    return (sum(made for made, _ in known) / moved_m3, None) if moved_m3 else (None, None)


def _coverage(rows: Rows, zone: Zone) -> Value:
    """A day without a balance is a day that nobody measured."""
    return sum(row["coverage"] for row in rows) / zone.days, None


def _degree_spread(rows: Rows, _zone: Zone) -> Value:
    by_building: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_building.setdefault(row["building"], []).append(row)
    means = [_average(inside, "balance_degree") for inside in by_building.values()]
    areas = [_average(inside, "area_m2") for inside in by_building.values()]
    spread = weighted_spread(means, areas)
    return (spread, None) if isfinite(spread) else (None, None)


def _average(rows: Iterable[Mapping[str, Any]], column: str) -> float:
    values = [float(row[column]) for row in rows]
    return sum(values) / len(values)


def _distribution(row: Mapping[str, Any]) -> bool:
    return bool(row["stage"] == DISTRIBUTION)


ITEMS: tuple[Item, ...] = (
    Item(
        "heat_supplied", "Heat supplied", "供热量", "kWh",
        "heat_day", ("heat_kwh",), "Σ heat_kwh", _sum("heat_kwh"),
    ),
    Item(
        "index_raw", "Specific index", "单位面积热指标", "W/m²",
        "heat_day", ("heat_kwh", "area_m2", "hours"), "1000·Σ heat_kwh / Σ (area_m2·hours)",
        _ratio(lambda r: r["heat_kwh"], lambda r: r["area_m2"] * r["hours"], 1000.0),
    ),
    Item(
        "index_normal", "Specific index, normalised", "折算热指标", "W/m²",
        "heat_day", ("normal_w_m2", "hours", "normal_basis"),
        "Σ (normal_w_m2·hours) / Σ hours, on days of measured rooms where there are any",
        _mean("normal_w_m2", "hours"), prefer=lambda r: bool(r["normal_basis"] == "measured"),
    ),
    Item(
        "loss_share", "Lost in the secondary network", "二次网热损失率", "share",
        "balance_day", ("supplied_kwh", "loss_kwh", "uncertainty_kwh"),
        "Σ loss_kwh / Σ supplied_kwh ± √Σ uncertainty_kwh² / Σ supplied_kwh",
        _loss, keys=("day", "stage"), wanted=_distribution,
    ),
    Item(
        "makeup_share", "Make-up over circulation", "补水率", "share",
        "balance_day", ("makeup_m3",),
        "Σ makeup_m3 / Σ volume_m3 (heat_day of the same days)",
        _makeup, keys=("day", "stage"), wanted=_distribution,
    ),
    Item(
        "coverage", "Buildings measured", "楼栋计量覆盖率", "share",
        "balance_day", ("coverage",), "Σ coverage / days of the month",
        _coverage, keys=("day", "stage"), wanted=_distribution,
    ),
    Item(
        "degree_spread", "Spread of balance degrees", "水力平衡度离散", "1",
        "heat_day_buildings", ("balance_degree", "area_m2"),
        "√(Σ area·(degree − mean)² / Σ area) over buildings' mean balance_degree",
        _degree_spread, keys=("building", "day"),
    ),
    Item(
        "return_spread", "Spread of return temperatures", "回水温度离散", "K",
        "heat_day", ("return_spread_k",), "mean of return_spread_k", _mean("return_spread_k"),
    ),
    Item(
        "room_mean", "Mean room temperature", "平均室温", "°C",
        "heat_day", ("room_c", "rooms"), "Σ (room_c·rooms) / Σ rooms", _mean("room_c", "rooms"),
    ),
    Item(
        "room_spread", "Spread of rooms between buildings", "楼栋间室温离散", "K",
        "heat_day", ("horizontal_k",), "mean of horizontal_k", _mean("horizontal_k"),
    ),
    Item(
        "compliance", "Compliance rate", "室温合格率", "share",
        "unit_day", ("below_min", "covered_min"), "1 − Σ below_min / Σ covered_min",
        _ratio(lambda r: r["covered_min"] - r["below_min"], lambda r: r["covered_min"]),
    ),
    Item(
        "unit_days_below", "Dwelling-days below standard", "不达标户日", "days",
        "unit_day", ("below", "judged"), "number of verdicts 'below'", _sum("below"),
    ),
    Item(
        "overheating_waste", "Heat wasted in overheated rooms", "过热浪费热量", "kWh",
        "heat_day", ("waste_share", "heat_kwh", "overheated_share"), "Σ (waste_share·heat_kwh)",
        lambda rows, _zone: (sum(r["waste_share"] * r["heat_kwh"] for r in rows), None),
    ),
    Item(
        "approach", "Exchanger approach", "换热器端差", "K",
        "heat_day", ("approach_k", "heat_kwh"), "Σ (approach_k·heat_kwh) / Σ heat_kwh",
        _mean("approach_k", "heat_kwh"),
    ),
    Item(
        "curve_gap", "Supply above its usual curve", "供温偏离曲线", "K",
        "heat_day", ("curve_gap_k",), "mean of curve_gap_k", _mean("curve_gap_k"),
    ),
)  # fmt: skip
"""The fifteen figures a zone, in the order of the report."""
