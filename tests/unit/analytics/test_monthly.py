"""The monthly report's list of figures, and the month it speaks of."""

from __future__ import annotations

from datetime import date

import pytest

from analytics.advice import AdviceReason, LeftOut
from analytics.balance import BalanceReason
from analytics.heat_words import ADVICE, FIGURE, LEFT_OUT
from analytics.heatday import Basis
from analytics.monthly import ITEMS, Zone, month_days, report
from hearthline.storage import heat


def zone(**tables: list[dict[str, object]]) -> Zone:
    every = {"balance_day": [], "heat_day": [], "heat_day_buildings": [], "unit_day": []}
    return Zone(7, "T-S1", "One", "一号站", "T/T-S1/", date(2026, 1, 1), date(2026, 1, 31),
                every | tables)  # fmt: skip


def test_there_are_fifteen_figures_each_with_both_titles_and_a_formula() -> None:
    assert len(ITEMS) == len({item.key for item in ITEMS}) == 15
    for item in ITEMS:
        assert all((item.title, item.title_zh, item.formula, item.columns)), item.key


def test_the_statement_of_every_figure_names_its_keys_and_columns() -> None:
    place = {"id": 7, "path": "T/T-S1/"}
    for item in ITEMS:
        names = (*item.keys, *item.columns)
        told = heat.trace_statement(item.table, names, place, date(2026, 1, 1), date(2026, 1, 31))
        assert all(name in told for name in names), item.key
        assert "BETWEEN '2026-01-01' AND '2026-01-31'" in told


def test_a_quote_in_a_code_stays_inside_its_text() -> None:
    place = {"id": 7, "path": "T'/S'/"}
    told = heat.trace_statement("unit_day", ["day"], place, date(2026, 1, 1), date(2026, 1, 2))
    assert "LIKE 'T''/S''/%'" in told


def test_one_decimal_error_is_found_in_the_rows_behind_the_figure() -> None:
    columns = {name for item in ITEMS if item.table == "heat_day" for name in item.columns}
    same = {**dict.fromkeys(columns, 1.0), "heat_kwh": 1000.0, "normal_basis": "measured"}
    days = [{"day": date(2026, 1, n), **same} for n in (1, 2, 3)]
    days[1]["heat_kwh"] = 10_000.0
    figure = report(zone(heat_day=days)).figures[0]
    assert figure.value == 12_000.0
    assert [row["heat_kwh"] for row in figure.rows] == [1000.0, 10_000.0, 1000.0]


def test_a_zone_with_nothing_measured_has_reasons_only() -> None:
    found = report(zone())
    assert all(figure.value is None and figure.reason == "no_rows" for figure in found.figures)


def test_the_reason_is_the_commonest_of_the_rows_without_a_figure() -> None:
    row = {"stage": "distribution", "supplied_kwh": None, "loss_kwh": None, "uncertainty_kwh": None,
           "makeup_m3": None, "coverage": 0.4}  # fmt: skip
    rows = [
        row | {"day": n, "reason": why}
        for n, why in enumerate(["supply_gap"] + ["coverage_low"] * 2)
    ]
    loss = next(f for f in report(zone(balance_day=rows)).figures if f.item.key == "loss_share")
    assert loss.reason == "coverage_low"


@pytest.mark.parametrize(
    ("month", "today", "last"),
    [
        ("2026-01", date(2026, 3, 1), date(2026, 1, 31)),
        ("2024-02", date(2026, 3, 1), date(2024, 2, 29)),
        ("2026-01", date(2026, 1, 9), date(2026, 1, 8)),
    ],
)
def test_a_month_ends_with_its_last_finished_day(month: str, today: date, last: date) -> None:
    assert month_days(month, today) == (date(last.year, last.month, 1), last)


@pytest.mark.parametrize("month", ["2026-13", "january", "2026-02", "2026-1", "", "2026-01-01"])
def test_what_is_no_month_or_lies_ahead_is_refused(month: str) -> None:
    with pytest.raises(ValueError, match=r"day|month|format|range"):
        month_days(month, date(2026, 1, 9))


def test_every_reason_has_words_in_both_languages() -> None:
    assert set(ADVICE) == set(AdviceReason)
    assert set(LEFT_OUT) == set(LeftOut) - {LeftOut.NONE}
    assert {str(reason) for reason in (*BalanceReason, *Basis)} <= set(FIGURE)
    for words in (ADVICE, LEFT_OUT, FIGURE):
        for key, (en, zh) in words.items():
            assert bool(en) == bool(zh), key
