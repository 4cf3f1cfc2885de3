"""The built dashboards are sound as Grafana reads them, in both languages, and always the same."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import words
from dashboards.build import ALL_SUBSTATIONS, BOARDS, build, models_of_all
from dashboards.heat_balance import TICKET_LINK
from dashboards.source import SOURCE_TYPE, SOURCE_UID
from dashboards.statements import FAMILIES, LOCALES, family, statement

Model = dict[str, Any]
MODELS: dict[str, Model] = {model["uid"]: model for model in models_of_all()}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
KNOWN_MACROS = {"__timeFilter", "__timeGroup", "__timeFrom", "__timeTo"}


def panels(model: Model) -> list[Model]:
    return [panel for panel in model["panels"] if panel["type"] != "row"]


def targets(model: Model) -> list[Model]:
    return [target for panel in panels(model) for target in panel["targets"]]


@pytest.fixture(params=sorted(MODELS))
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]


def test_every_dashboard_comes_in_every_language() -> None:
    assert set(MODELS) == {f"{board.uid}-{locale[:2]}" for board in BOARDS for locale in LOCALES}


def test_grafanas_own_schema_reads_it_without_loss(model: Model) -> None:
    """Options and field settings of every panel type, as the SDK for Grafana 11.6 knows them."""
    register_default_plugins()
    assert json.loads(json.dumps(Dashboard.from_json(model), cls=JSONEncoder)) == model


def test_panel_ids_are_unique_and_positive(model: Model) -> None:
    ids = [panel["id"] for panel in model["panels"]]
    assert len(set(ids)) == len(ids)
    assert min(ids) > 0


def test_panels_lie_in_24_columns_without_overlap(model: Model) -> None:
    areas = [panel["gridPos"] for panel in model["panels"]]
    for area in areas:
        assert area["x"] >= 0
        assert area["x"] + area["w"] <= 24
        assert area["w"] > 0
        assert area["h"] > 0
    for one, other in combinations(areas, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


def test_every_row_of_panels_is_full(model: Model) -> None:
    widths: dict[int, int] = {}
    for panel in model["panels"]:
        area = panel["gridPos"]
        widths[area["y"]] = widths.get(area["y"], 0) + area["w"]
    assert set(widths.values()) == {24}


def test_every_target_is_a_complete_query(model: Model) -> None:
    assert targets(model)
    for target in targets(model):
        assert target["refId"]
        assert target["format"] in {"table", "time_series"}
        assert target["datasource"] == {"type": SOURCE_TYPE, "uid": SOURCE_UID}
        assert target["rawQuery"] is True
        assert target["rawSql"].strip()


def test_panels_point_at_the_same_source(model: Model) -> None:
    for panel in panels(model):
        assert panel["datasource"] == {"type": SOURCE_TYPE, "uid": SOURCE_UID}
        assert panel["title"]


def test_queries_use_only_macros_and_variables_that_exist(model: Model) -> None:
    variables = {variable["name"] for variable in model["templating"]["list"]}
    for target in targets(model):
        assert "[[" not in target["rawSql"]
        names = set(re.findall(r"\$(\w+)", target["rawSql"]))
        assert names <= KNOWN_MACROS | variables | {"__interval"}


def test_time_series_group_or_filter_by_the_dashboards_range(model: Model) -> None:
    for target in targets(model):
        if target["format"] == "time_series":
            assert "$__timeFilter(" in target["rawSql"]
            assert '"time"' in target["rawSql"]
            assert "ORDER BY 1" in target["rawSql"]


def test_a_macros_arguments_hold_no_bracket() -> None:
    """Grafana cuts a macro's arguments at the first closing bracket."""
    for group in FAMILIES:
        for sql in family(group).values():
            for arguments in re.findall(r"\$__\w+\(([^)]*)\)", sql):
                assert "(" not in arguments


def test_tickets_are_linked_to_the_console(model: Model) -> None:
    links = [
        link["url"]
        for panel in panels(model)
        for override in panel["fieldConfig"]["overrides"]
        for item in override["properties"]
        if item["id"] == "links"
        for link in item["value"]
    ]
    assert links
    assert set(links) == {TICKET_LINK}
    console = next(v for v in model["templating"]["list"] if v["name"] == "console")
    assert console["type"] == "constant"


def test_all_substations_are_a_subquery_and_not_a_list() -> None:
    variable = next(
        v
        for v in MODELS["hearthline-heat-balance-en"]["templating"]["list"]
        if v["name"] == "substation"
    )
    assert variable["allValue"] == ALL_SUBSTATIONS
    assert variable["datasource"]["uid"] == SOURCE_UID
    assert variable["current"]["value"] == "$__all"


def texts(node: Any) -> list[str]:
    """Every text of a model that a person reads."""
    if isinstance(node, list):
        return [text for each in node for text in texts(each)]
    if not isinstance(node, dict):
        return []
    if node.get("id") == "displayName":
        return [str(node["value"]).replace("${__field.labels.metric}", "").strip()]
    shown = [node[key] for key in ("title", "label", "text") if isinstance(node.get(key), str)]
    return shown + [text for value in node.values() for text in texts(value)]


def test_titles_are_in_the_dashboards_language() -> None:
    for uid, model in MODELS.items():
        for text in texts(model):
            if text in {"${__value.text}", ""}:
                continue
            assert bool(CHINESE.search(text)) == uid.endswith("-zh"), (uid, text)


def test_both_languages_have_the_same_panels() -> None:
    for board in BOARDS:
        english, chinese = (panels(MODELS[f"{board.uid}-{locale[:2]}"]) for locale in LOCALES)
        assert [p["gridPos"] for p in english] == [p["gridPos"] for p in chinese]
        assert [p["title"] for p in english] != [p["title"] for p in chinese]


def test_every_code_reads_as_words() -> None:
    for table in (words.CAUSES, words.HOLDS, words.STAGES, words.REASONS, words.STATES):
        for english, chinese in table.values():
            assert english
            assert CHINESE.search(chinese)


def test_every_reason_of_a_balance_has_words() -> None:
    from analytics.balance import BalanceReason, BalanceStage

    assert set(words.REASONS) == set(BalanceReason) - {BalanceReason.NONE}
    assert set(words.STAGES) == set(BalanceStage)


def test_names_from_the_database_are_in_the_language_too() -> None:
    assert "p.name_zh" not in statement("heat_balance", "substation_power", "en")
    assert "p.name_zh" in statement("heat_balance", "substation_power", "zh_CN")


def test_the_same_code_gives_the_same_bytes(tmp_path: Path) -> None:
    first = build(tmp_path / "first")
    second = build(tmp_path / "second")
    assert [p.name for p in first] == [p.name for p in second]
    assert [p.name for p in first] == [f"{uid}.json" for uid in MODELS]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert json.loads(one.read_text(encoding="utf-8"))["uid"] == one.stem


def test_uids_fit_grafana() -> None:
    assert all(len(uid) <= 40 for uid in MODELS)


def test_the_console_address_is_a_parameter(tmp_path: Path) -> None:
    (first, *_) = build(tmp_path, console="https://heat.example/")
    variables = json.loads(first.read_text(encoding="utf-8"))["templating"]["list"]
    assert {"https://heat.example"} == {v["query"] for v in variables if v["name"] == "console"}
