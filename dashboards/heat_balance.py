"""The dashboard "Network heat balance / 全网热平衡": where the heat goes and what that does.

Top to bottom: the newest 24 hours as figures, with the reason where there is none; supply against
delivery and the loss with its limits; every substation's heat, index, temperatures and flow; and
at the end who is cold and which tickets say why, linked to the console.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.models import common as options

from dashboards import words
from dashboards.panels import (
    Field,
    Sheet,
    Source,
    bars,
    course,
    daily,
    paired,
    rows,
    stats,
    thresholds,
)
from dashboards.statements import Locale

FAMILY = "heat_balance"
UID = "hearthline-heat-balance"
TITLE = ("Network heat balance", "全网热平衡")
TICKET_LINK = "${console}/console/tickets/${__data.fields.number}"

_LOSS_STEPS = ((None, "green"), (0.08, "yellow"), (0.12, "red"))
_COVERAGE_STEPS = ((None, "red"), (0.95, "green"))
_DEGREE_STEPS = ((None, "red"), (0.9, "green"), (1.2, "yellow"))
_COLD_STEPS = ((None, "green"), (1, "red"))
_APPROACH_STEPS = ((None, "green"), (5, "yellow"), (8, "red"))
_SUPPLIED = ("Supplied", "供热量")
_DELIVERED = ("Delivered to substations", "换热站用热量")


def sheet(locale: Locale) -> Sheet:
    """All panels in one language."""
    source = Source(FAMILY, locale)
    page = Sheet()
    _network(page, source)
    _power(page, source)
    _days(page, source)
    _limits(page, source)
    _refusals(page, source)
    _substations(page, source)
    _hydraulics(page, source)
    _evenness(page, source)
    _consequences(page, source)
    return page


def _network(page: Sheet, source: Source) -> None:
    page.heading(source.say(("The whole network", "全网")))
    figures = (
        Field("supplied_kwh", _SUPPLIED, "kwatth", 1),
        Field("delivered_kwh", _DELIVERED, "kwatth", 1),
        Field("loss_kwh", ("Lost", "热损失"), "kwatth", 1),
        Field("uncertainty_kwh", ("± uncertainty of the loss", "损失不确定度 ±"), "kwatth", 1),
        Field("loss_share", ("Share lost", "热损失率"), "percentunit", 1, _LOSS_STEPS),
        Field(
            "coverage",
            ("Substations measured", "换热站计量覆盖率"),
            "percentunit",
            0,
            _COVERAGE_STEPS,
        ),
        Field("makeup_m3", ("Make-up water", "补水量"), "cubic", 1),
    )
    title = ("Newest 24 hours", "最近24小时")
    page.add(
        stats(source, "running", title, figures),
        21,
        4,
        source.say(
            (
                "Loss = supplied − delivered − stored in the pipes. Under 95 % coverage there is "
                "no figure; the table of refusals says why.",
                "热损失=供热量−用热量−管网蓄热。覆盖率低于95%不给出数值，原因见下表。",
            )
        ),
    )
    outdoor = Field("outdoor_c", ("Outdoors", "室外温度"), "celsius", 1)
    page.add(stats(source, "running_temperature", ("Outdoors", "室外"), [outdoor]), 3, 4)


def _power(page: Sheet, source: Source) -> None:
    page.add(
        course(
            source,
            "power",
            ("Heat supplied and delivered", "供热与用热功率"),
            "kwatt",
            [Field("supplied_kw", _SUPPLIED), Field("delivered_kw", _DELIVERED)],
        ),
        16,
        8,
        source.say(
            (
                "An hour in which a substation's meter is silent has no sum. Between the two "
                "lines lies the loss, and for some hours the delay of the pipes.",
                "任一换热站缺数的小时不合计。两线之差为热损失，短时还含管网滞后。",
            )
        ),
    )
    heat = Field("heat_kwh", ("Heat", "热量"), "kwatth", 1)
    page.add(
        bars(
            source,
            "breakdown",
            ("Where the heat went, newest 24 hours", "热量去向（最近24小时）"),
            x="what",
            unit="kwatth",
            fields=[heat],
            horizontal=True,
        ),
        8,
        8,
    )


def _days(page: Sheet, source: Source) -> None:
    page.add(
        daily(
            source,
            "days",
            ("Heat by day", "逐日热量"),
            "kwatth",
            [
                Field("supplied_kwh", _SUPPLIED),
                Field("delivered_kwh", _DELIVERED),
                Field("stored_kwh", ("Stored in the pipes", "管网蓄热")),
                Field("loss_kwh", ("Lost", "热损失")),
            ],
        ),
        12,
        8,
    )


def _limits(page: Sheet, source: Source) -> None:
    share = course(
        source,
        "loss_share",
        ("Share lost by day, with its limits", "逐日热损失率及上下限"),
        "percentunit",
        [
            Field("loss_share", ("Share lost", "热损失率")),
            Field("at_least", ("At least", "下限")),
            Field("at_most", ("At most", "上限")),
        ],
    )
    page.add(share.interval("1d").show_points(options.VisibilityMode.ALWAYS), 6, 8)
    measured = course(
        source,
        "coverage",
        ("Coverage by day", "逐日计量覆盖率"),
        "percentunit",
        [Field(stage, pair) for stage, pair in words.STAGES.items()],
    )
    page.add(
        measured.interval("1d")
        .min(0)
        .max(1)
        .show_points(options.VisibilityMode.ALWAYS)
        .thresholds(thresholds(_COVERAGE_STEPS)),
        6,
        8,
    )


def _refusals(page: Sheet, source: Source) -> None:
    page.add(
        rows(
            source,
            "refusals",
            ("Balances without a figure, and why", "无法给出平衡结果的环节及原因"),
            [
                Field("place", ("Place", "地点"), width=180),
                Field("stage", ("Stage", "环节"), texts=words.STAGES, width=150),
                Field("reason", ("Reason", "原因"), texts=words.REASONS),
                Field("coverage", ("Coverage", "覆盖率"), "percentunit", 0, width=110),
                Field("stopped_at", ("Up to", "截至"), width=180),
            ],
        ),
        24,
        6,
    )


def _substations(page: Sheet, source: Source) -> None:
    page.heading(source.say(("Substations", "换热站")))
    page.add(
        course(source, "substation_power", ("Heat by substation", "各站供热功率"), "kwatt"), 12, 8
    )
    page.add(
        course(source, "specific_index", ("Specific index", "单位面积热指标"), "index"),
        12,
        8,
        source.say(
            (
                "Heat into the substation per heated area of all dwellings below it.",
                "换热站供热量除以其下全部住户供热面积。",
            )
        ),
    )
    both = [Field("supply_c", ("supply", "供水")), Field("return_c", ("return", "回水"))]
    page.add(
        paired(
            source, "primary_temperatures", ("Primary temperatures", "一次网温度"), "celsius", both
        ),
        12,
        8,
    )
    page.add(
        paired(
            source,
            "secondary_temperatures",
            ("Secondary temperatures", "二次网温度"),
            "celsius",
            both,
        ),
        12,
        8,
    )


def _hydraulics(page: Sheet, source: Source) -> None:
    page.add(_approach(source), 8, 8, source.say(
        (
            "Primary return less secondary return: 2–5 K is healthy, 8–15 K a fouled exchanger.",
            "一次回水与二次回水之差：2–5 K正常，8–15 K提示换热器结垢。",
        )
    ))  # fmt: skip
    page.add(course(source, "flow", ("Flow", "流量"), "flow"), 8, 8)
    page.add(
        course(
            source,
            "outdoor",
            ("Outdoor temperature", "室外温度"),
            "celsius",
            [Field("outdoor_c", ("Outdoors", "室外温度"))],
        ),
        8,
        8,
    )
    page.add(daily(source, "makeup", ("Make-up water by day", "逐日补水量"), "cubic"), 24, 6)


def _approach(source: Source) -> timeseries.Panel:
    title = ("Exchanger approach", "换热器端差")
    return (
        course(source, "approach", title, "kelvin")
        .thresholds(thresholds(_APPROACH_STEPS))
        .axis_soft_min(0)
        .axis_soft_max(10)
    )


def _evenness(page: Sheet, source: Source) -> None:
    page.heading(source.say(("Balance and signatures", "平衡与能耗特征")))
    off = daily(
        source, "signature", ("Heat against its signature", "热量偏离能耗特征"), "percentunit"
    )
    page.add(
        off,
        8,
        8,
        source.say(
            (
                "A day's heat less what the place used at such weather in the 60 days before. "
                "A healthy station scatters by 8 %; nothing under 25 % is called.",
                "当日热量与此前60天同等天气用热之差。正常站日残差约8%，25%以内不判异常。",
            )
        ),
    )
    both = [Field("return_k", ("returns", "回水")), Field("room_k", ("rooms", "室温"))]
    title = ("Spread between buildings", "楼栋间离散")
    page.add(paired(source, "spreads", title, "kelvin", both).interval("1d"), 8, 8)
    page.add(
        rows(
            source,
            "uneven",
            ("Buildings, newest day", "各楼栋（最近一日）"),
            [
                Field("building", ("Building", "楼栋")),
                Field("balance_degree", ("Flow / design", "水力平衡度"), None, 2, _DEGREE_STEPS),
                Field("return_c", ("Return", "回水"), "celsius", 1),
                Field("room_c", ("Rooms", "室温"), "celsius", 1),
                Field("vertical_k", ("Spread of floors", "层间离散"), "kelvin", 1),
                Field("index_w_m2", ("Index", "热指标"), "index", 1),
            ],
        ),
        8,
        8,
    )


def _consequences(page: Sheet, source: Source) -> None:
    page.heading(source.say(("Who is cold", "受影响住户")))
    page.add(
        rows(
            source,
            "substation_table",
            ("Substations, newest 24 hours", "各换热站（最近24小时）"),
            [
                Field("code", ("Code", "编号"), width=110),
                Field("substation", ("Substation", "换热站")),
                Field("heat_kwh", ("Heat", "供热量"), "kwatth", 1),
                Field("index_w_m2", ("Index", "热指标"), "index", 1),
                Field("exchange_loss", ("Lost inside", "站内损失率"), "percentunit", 1),
                Field("distribution_loss", ("Lost on the way", "二次网损失率"), "percentunit", 1),
                Field(
                    "coverage",
                    ("Buildings measured", "楼栋计量覆盖率"),
                    "percentunit",
                    0,
                    _COVERAGE_STEPS,
                ),
                Field("makeup_m3", ("Make-up", "补水量"), "cubic", 2),
                Field("dwellings", ("Dwellings", "住户数")),
                Field("cold_dwellings", ("Cold dwellings", "低温住户"), steps=_COLD_STEPS),
                Field("open_tickets", ("Open tickets", "未办结工单"), steps=_COLD_STEPS),
            ],
        ),
        24,
        8,
    )
    page.add(
        rows(source, "open_tickets", ("Open tickets", "未办结工单"), ticket_fields()),
        24,
        9,
    )


def ticket_fields() -> list[Field]:
    """Columns of a table of tickets; the number leads to the ticket in the console."""
    return [
        Field("number", ("Ticket", "工单号"), link=TICKET_LINK, width=170),
        Field("opened_at", ("Opened", "开单时间"), width=180),
        Field("place", ("Place", "地点")),
        Field("cause", ("Likely cause", "可能原因"), texts=words.CAUSES),
        Field("cold_dwellings", ("Cold dwellings", "低温住户"), steps=_COLD_STEPS, width=130),
        Field("state", ("State", "状态"), texts=words.STATES, width=120),
        Field("resolve_by", ("Due", "办结时限"), width=180),
    ]
