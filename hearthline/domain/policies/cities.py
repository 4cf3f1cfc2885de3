"""The rules of the cities on file, as data, each with its source.

Starting points: a company takes one, checks it against its own regulation, and brings it as a
file (``hearthline policy show CODE --file`` prints one). What a source does not say keeps the
default, and nothing is made up: where no refund ladder is known, none stands here. Seasons are the
usual schedule; authorities move them from year to year, which is a version of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from hearthline.domain.policies.model import (
    AreaBase,
    Exclusion,
    FeeBase,
    Judgement,
    Matter,
    OutageStep,
    Policy,
    Profile,
    RefundStep,
    ResponseClock,
    Step,
)

EVER = date(2000, 1, 1)
"""For rules whose first day is not on file."""

_HOUR = timedelta(hours=1)
_FOUR_MONTHS = ((11, 15), (3, 15))  # the usual schedule south of the north-east
_HALF_UNDER_18 = (RefundStep(14, 1.0), RefundStep(18, 0.5))
_THREE_STEPS = (RefundStep(14, 1.0), RefundStep(16, 0.5), RefundStep(18, 0.3))
_HEILONGJIANG = (RefundStep(16, 1.0), RefundStep(20, 0.5))
_HARBIN_CLOCKS = (
    ResponseClock(Matter.COLD_ROOM, Step.VISIT, 10 * _HOUR),
    ResponseClock(Matter.COLD_ROOM, Step.RESOLVE, 24 * _HOUR),
)


def _rule(code: str, threshold_c: float, source: str, source_zh: str, **says: Any) -> Policy:
    valid_from = says.pop("valid_from", EVER)
    return Policy(code, valid_from, threshold_c, source=source, source_zh=source_zh, **says)


_VERSIONS: tuple[tuple[str, str, tuple[Policy, ...]], ...] = (
    ("Heilongjiang province", "黑龙江省", (
        _rule("heilongjiang", 18,
              "Harbin, older rule: 18 °C; 16–18: 30 %, 14–16: 50 %, below 14: all of the day; "
              "on site within 10 h, fixed within 24 h",
              "哈尔滨原规定：18 ℃；16–18 ℃退当日30%，14–16 ℃退50%，低于14 ℃全退；"
              "10小时内上门，24小时内解决",
              refunds=_THREE_STEPS, clocks=_HARBIN_CLOCKS),
        _rule("heilongjiang", 20,
              "Heilongjiang heating regulation of 2021-10-29: 20 °C all day; 16–20: 50 %, below "
              "16: all of the day; readings on site only outside 10:00–14:00",
              "《黑龙江省城市供热条例》（2021-10-29）：全天20 ℃；16–20 ℃退当日50%，"
              "低于16 ℃全退；10:00–14:00不得入户测温",
              valid_from=date(2021, 10, 29), refunds=_HEILONGJIANG,
              onsite_excluded_hours=((10, 14),)),
    )),
    ("Harbin, older rule", "哈尔滨（原规定）", (
        _rule("harbin", 18,
              "Harbin, older rule: 18 °C; 16–18: 30 %, 14–16: 50 %, below 14: all of the day; "
              "on site within 10 h, fixed within 24 h",
              "哈尔滨原规定：18 ℃；16–18 ℃退当日30%，14–16 ℃退50%，低于14 ℃全退；"
              "10小时内上门，24小时内解决",
              refunds=_THREE_STEPS, clocks=_HARBIN_CLOCKS),
    )),
    ("Changchun", "长春", (
        _rule("changchun", 18,
              "Changchun: 18 °C day and night; by the mean of 3 readings 16–18: 30 %, 14–16: "
              "60 %, below 14: all of the month; an outage of 48 h or more by the supplier's "
              "fault: double",
              "长春：昼夜18 ℃；按三次测温平均值，16–18 ℃退当月30%，14–16 ℃退60%，"
              "低于14 ℃全退；因供热单位原因停热48小时及以上双倍退费",
              judged_by=Judgement.MONTH_MEAN, month_readings=3,
              refunds=(RefundStep(14, 1.0), RefundStep(16, 0.6), RefundStep(18, 0.3)),
              outages=(OutageStep(48 * _HOUR, 2.0, including=True, own_fault=True),)),
    )),
    ("Jilin city", "吉林市", (
        _rule("jilin", 18,
              "Jilin city 2021: 18 °C; fixed measuring points, visit within 24 h; the local "
              "refund ladder is not on file: enter it before refunds are computed",
              "吉林市（2021）：18 ℃；设固定测温点，24小时内上门；地方退费标准未收录，"
              "核算退费前须填写",
              valid_from=date(2021, 1, 1),
              clocks=(ResponseClock(Matter.COLD_ROOM, Step.VISIT, 24 * _HOUR),)),
    )),
    ("Tianjin", "天津", (
        _rule("tianjin", 18,
              "Tianjin: 18 °C; up to 2 K short: 10 %, 2 to 6 K: 50 %, over 6 K: all, per affected "
              "room and day, once unresolved for 24 h; not for covered radiators, drained water "
              "or an altered system",
              "天津：18 ℃；低2 ℃以内退10%，低2–6 ℃退50%，低6 ℃以上全退，按不达标房间和天数，"
              "24小时未解决起算；遮挡散热器、放水、擅自改动系统除外",
              refunds=(RefundStep(12, 1.0), RefundStep(16, 0.5), RefundStep(18, 0.1)),
              season=_FOUR_MONTHS, refund_after=24 * _HOUR, area_base=AreaBase.ROOM,
              exclusions=(Exclusion.RADIATOR_COVERED, Exclusion.WATER_DRAINED,
                          Exclusion.SYSTEM_ALTERED)),
    )),
    ("Jinan", "济南", (
        _rule("jinan", 18,
              "Jinan: 18 °C; 14–18: 50 %, below 14: all of the day",
              "济南：18 ℃；14–18 ℃退当日50%，低于14 ℃全退",
              season=_FOUR_MONTHS, refunds=_HALF_UNDER_18),
    )),
    ("Xi'an", "西安", (
        _rule("xian", 18,
              "Xi'an: 18 °C; 16–18: 20 %, 14–16: 50 %, below 14: all, after deducting the basic "
              "fee; settled by 30 June",
              "西安：18 ℃；扣除基本热费后，16–18 ℃退20%，14–16 ℃退50%，低于14 ℃全退；"
              "6月30日前结清",
              refunds=(RefundStep(14, 1.0), RefundStep(16, 0.5), RefundStep(18, 0.2)),
              season=_FOUR_MONTHS, fee_base=FeeBase.AFTER_BASIC, settled_by=(6, 30)),
    )),
    ("Luoyang", "洛阳", (
        _rule("luoyang", 18,
              "Luoyang: 18 °C; 14–18: 50 %, below 14: all, only after 48 h continuously low; an "
              "outage of more than 12 h is refunded",
              "洛阳：18 ℃；连续低温48小时后，14–18 ℃退50%，低于14 ℃全退；"
              "停热超过12小时退费",
              season=_FOUR_MONTHS, judged_by=Judgement.CONTINUOUS_HOURS, refunds=_HALF_UNDER_18,
              refund_after=48 * _HOUR, outages=(OutageStep(12 * _HOUR, 1.0),)),
    )),
    ("Qingdao", "青岛", (
        _rule("qingdao", 18,
              "Qingdao: 18 °C; leak 1 h; cold room 5 h in the first 10 days of the season, then "
              "2 h; no refund ladder on file",
              "青岛：18 ℃；漏水1小时；供热初期10天内室温问题5小时，之后2小时；退费标准未收录",
              startup_days=10, season=((11, 16), (4, 5)),
              clocks=(ResponseClock(Matter.LEAK, Step.VISIT, _HOUR),
                      ResponseClock(Matter.COLD_ROOM, Step.VISIT, 5 * _HOUR, last_day=10),
                      ResponseClock(Matter.COLD_ROOM, Step.VISIT, 2 * _HOUR, first_day=11))),
    )),
    ("Beijing", "北京", (
        _rule("beijing", 18,
              "Beijing: 18 °C; refund by affected room area × days × ratio from the report until "
              "compliant, the ratio is not on file; answer 1 h, at home 6 h, compliant 24 h",
              "北京：18 ℃；自报修起至达标止，按不达标房间面积×天数×比例退费，比例未收录；"
              "1小时内答复，6小时内入户，24小时内达标",
              season=_FOUR_MONTHS, area_base=AreaBase.ROOM,
              clocks=(ResponseClock(Matter.COLD_ROOM, Step.ANSWER, _HOUR),
                      ResponseClock(Matter.COLD_ROOM, Step.VISIT, 6 * _HOUR),
                      ResponseClock(Matter.COLD_ROOM, Step.RESOLVE, 24 * _HOUR))),
    )),
    ("18 °C everywhere", "通用18 °C", (
        _rule("standard-18", 18, "Jinan: 14–18: 50 %, below 14: all",
              "济南：14–18 ℃退50%，低于14 ℃全退", refunds=_HALF_UNDER_18),
    )),
    ("20 °C everywhere", "通用20 °C", (
        _rule("standard-20", 20, "Heilongjiang's ladder at 20 °C, without its date",
              "黑龙江省20 ℃退费标准，不限日期", refunds=_HEILONGJIANG),
    )),
)  # fmt: skip


def _by_code(
    rows: Iterable[tuple[str, str, tuple[Policy, ...]]],
) -> dict[str, Profile]:
    return {
        versions[0].code: Profile(versions[0].code, name, name_zh, versions)
        for name, name_zh, versions in rows
    }


PROFILES: dict[str, Profile] = _by_code(_VERSIONS)
"""Every rule that comes with the product, by code."""
