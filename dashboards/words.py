"""What codes in the database read as on a dashboard, English and Chinese.

Causes and hold reasons come from the domain's own table, so that Grafana, the console and a
ticket say the same; the rest is only shown here.
"""

from __future__ import annotations

from collections.abc import Mapping

from analytics.balance import BalanceReason, BalanceStage
from hearthline.domain.sentences import CAUSE_NAMES, HOLD_NAMES
from tickets.lifecycle import State

Pair = tuple[str, str]

CAUSES: Mapping[str, Pair] = {cause.value: pair for cause, pair in CAUSE_NAMES.items()}
HOLDS: Mapping[str, Pair] = {reason.value: pair for reason, pair in HOLD_NAMES.items() if pair[0]}

STAGES: Mapping[str, Pair] = {
    BalanceStage.TRANSMISSION: ("Primary network", "一次网"),
    BalanceStage.EXCHANGE: ("Substation", "换热站"),
    BalanceStage.DISTRIBUTION: ("Secondary network", "二次网"),
}

REASONS: Mapping[str, Pair] = {
    BalanceReason.NO_SUPPLY_METER: ("Nothing measures the heat supplied", "供热侧没有热量表"),
    BalanceReason.NO_CONSUMER_METER: ("Nothing measures the heat delivered", "用热侧没有热量表"),
    BalanceReason.WINDOW_TOO_SHORT: (
        "Under a day: the delay of the pipes decides",
        "不足一天，管网滞后占主导",
    ),
    BalanceReason.SUPPLY_GAP: (
        "The supply's meter misses more than 5 % of the time",
        "供热侧热量表缺数超过5%",
    ),
    BalanceReason.SUPPLY_REVERSED: (
        "The supply's meter reads its return warmer than its supply",
        "供热侧热量表供回水接反",
    ),
    BalanceReason.COVERAGE_LOW: (
        "Under 95 % of the consumers have valid data",
        "有效计量的用户不足95%",
    ),
    BalanceReason.STORAGE_UNKNOWN: (
        "No pipe temperature near an end of the window",
        "时段两端缺少管网温度",
    ),
    BalanceReason.NEGATIVE_LOSS: (
        "More delivered than supplied beyond the meters' error: a meter is wrong",
        "用热超过供热且超出计量误差，有热量表不准",
    ),
}

STATES: Mapping[str, Pair] = {
    State.NEW: ("New", "新建"),
    State.DISPATCHED: ("Dispatched", "已派单"),
    State.IN_PROGRESS: ("In progress", "处理中"),
    State.REPLIED: ("Replied", "已回复"),
    State.CLOSED: ("Closed", "已办结"),
    State.MERGED: ("Merged", "已合并"),
}
