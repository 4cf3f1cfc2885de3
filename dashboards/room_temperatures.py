"""The dashboard "Room temperatures / 室温": how many are cold, where, and what is done about it."""

from __future__ import annotations

from dashboards import words
from dashboards.heat_balance import TICKET_LINK
from dashboards.panels import Field, Sheet, Source, bars, course, rows, stats
from dashboards.statements import Locale

FAMILY = "room_temperatures"
UID = "hearthline-room-temperatures"
TITLE = ("Room temperatures", "室温")

_COLD_STEPS = ((None, "green"), (1, "red"))
_SHARE_STEPS = ((None, "green"), (0.02, "yellow"), (0.05, "red"))


def sheet(locale: Locale) -> Sheet:
    """All panels in one language."""
    source = Source(FAMILY, locale)
    page = Sheet()
    _overview(page, source)
    _where(page, source)
    _newest(page, source)
    _work(page, source)
    return page


def _overview(page: Sheet, source: Source) -> None:
    below = ("Below standard", "低于标准占比")
    page.add(
        stats(
            source,
            "today",
            ("Last measured hour", "最近一小时"),
            [
                Field("measured", ("Dwellings measured", "有效测温住户")),
                Field("share_below", below, "percentunit", 1, _SHARE_STEPS),
                Field("median_c", ("Median", "室温中位数"), "celsius", 1),
                Field("standard_c", ("Standard", "达标温度"), "celsius", 1),
                Field("cold_dwellings", ("In an episode", "持续低温住户"), steps=_COLD_STEPS),
                Field("open_incidents", ("Open incidents", "未结事件"), steps=_COLD_STEPS),
            ],
        ),
        24,
        4,
    )
    page.add(
        course(
            source,
            "share_below",
            ("Share of sensors below standard", "低于标准的测点占比"),
            "percentunit",
            [Field("share_below", below)],
        ).min(0),
        12,
        8,
    )
    page.add(
        course(
            source,
            "bands",
            ("Spread of room temperatures", "室温分布区间"),
            "celsius",
            [
                Field("p95_c", ("Warmest 5 %", "最热5%")),
                Field("median_c", ("Median", "中位数")),
                Field("p05_c", ("Coldest 5 %", "最冷5%")),
            ],
        ),
        12,
        8,
    )


def _where(page: Sheet, source: Source) -> None:
    page.add(
        bars(
            source,
            "distribution",
            ("Dwellings by temperature, last measured hour", "各温度段住户数（最近一小时）"),
            x="band",
            unit="short",
            fields=[Field("dwellings", ("Dwellings", "住户数"))],
        ),
        12,
        9,
    )
    page.add(
        rows(
            source,
            "buildings",
            ("Coldest buildings, last measured hour", "最冷楼栋（最近一小时）"),
            [
                Field("code", ("Code", "编号"), width=120),
                Field("building", ("Building", "楼栋")),
                Field("substation", ("Substation", "换热站")),
                Field("measured", ("Measured", "测温户数"), width=100),
                Field("below", ("Below", "低温户数"), steps=_COLD_STEPS, width=90),
                Field("mean_c", ("Mean", "平均"), "celsius", 1, width=90),
                Field("coldest_c", ("Coldest", "最低"), "celsius", 1, width=90),
            ],
        ),
        12,
        9,
    )


def _newest(page: Sheet, source: Source) -> None:
    page.add(
        rows(
            source,
            "coldest",
            ("Newest values, coldest first", "最新室温（由低到高）"),
            [
                Field("dwelling", ("Dwelling", "住户")),
                Field("substation", ("Substation", "换热站")),
                Field("temperature_c", ("Room", "室温"), "celsius", 1, width=90),
                Field("measured_at", ("Measured", "测量时间"), width=170),
                Field("cold_since", ("Cold since", "低温起始"), width=170),
                Field("held_back", ("Held back", "暂不开单原因"), texts=words.HOLDS),
                Field("number", ("Ticket", "工单号"), link=TICKET_LINK, width=170),
            ],
        ),
        16,
        10,
    )
    page.add(
        rows(
            source,
            "silent",
            ("Silent sensors", "失联测点"),
            [
                Field("substation", ("Substation", "换热站")),
                Field("sensors", ("Sensors", "测点数"), width=110),
                Field("silent", ("Silent", "失联"), steps=_COLD_STEPS, width=100),
            ],
        ),
        8,
        10,
        source.say(
            (
                "Nothing heard for three of their intervals. Missing is never cold.",
                "连续三个上报周期无数据。缺数不等于低温。",
            )
        ),
    )


def _work(page: Sheet, source: Source) -> None:
    page.add(
        rows(
            source,
            "open_incidents",
            ("Open incidents", "未结事件"),
            [
                Field("number", ("Ticket", "工单号"), link=TICKET_LINK, width=170),
                Field("opened_at", ("Opened", "发生时间"), width=170),
                Field("place", ("Place", "地点")),
                Field("cause", ("Likely cause", "可能原因"), texts=words.CAUSES),
                Field("confidence", ("Confidence", "置信度"), "percentunit", 0, width=110),
                Field("cold_dwellings", ("Cold", "低温户数"), steps=_COLD_STEPS, width=90),
                Field("affected", ("Affected", "影响户数"), width=100),
            ],
        ),
        16,
        9,
    )
    page.add(
        rows(
            source,
            "held_back",
            ("Cold without a ticket, and why", "低温但未开单的原因"),
            [
                Field("reason", ("Reason", "原因"), texts=words.HOLDS),
                Field("dwellings", ("Dwellings", "住户数"), width=110),
                Field("since", ("Since", "起始"), width=170),
            ],
        ),
        8,
        9,
    )
