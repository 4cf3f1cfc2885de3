"""What operators read about devices and gateways, in English and Chinese.

Sentences carry their numbers; what they say is decided in ``hearthline.domain.liveness``.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from hearthline.domain.liveness import ZONE_SLACK_S, Carried, Doubt, Facts, Judged, State
from hearthline.domain.readings import Quality
from hearthline.domain.words import Pair

STATE_NAMES: dict[State, Pair] = {
    State.ONLINE: ("Online", "在线"),
    State.LATE: ("Late", "迟报"),
    State.OFFLINE: ("Offline", "离线"),
    State.SAID_OFFLINE: ("Signed off", "已下线"),
    State.NEVER: ("Never heard", "从未上报"),
}

STATE_SENTENCES: dict[State, Pair] = {
    State.ONLINE: ("Heard {ago} ago.", "{ago}前有上报。"),
    State.LATE: ("Silent for {ago}, longer than usual.", "已{ago}未上报，比平时久。"),
    State.OFFLINE: ("Offline: silent for {ago}.", "离线：已{ago}未上报。"),
    State.SAID_OFFLINE: (
        "It, or its gateway, reported it offline {ago} ago.",
        "{ago}前设备或网关报告其下线。",
    ),
    State.NEVER: ("In the ledger, but never heard.", "台账中有，但从未上报。"),
}

DOUBT_NAMES: dict[Doubt, Pair] = {
    Doubt.BATTERY_LOW: ("Battery low", "电量低"),
    Doubt.CLOCK_AHEAD: ("Clock ahead", "时钟超前"),
    Doubt.CLOCK_BEHIND: ("Clock behind", "时钟滞后"),
    Doubt.VALUE_FLAT: ("Value does not move", "数值不变"),
    Doubt.VALUE_UNUSABLE: ("Impossible value", "数值不可能"),
    Doubt.INTERVAL_DIFFERS: ("Interval differs", "上报周期不符"),
}

DOUBT_SENTENCES: dict[Doubt, Pair] = {
    Doubt.BATTERY_LOW: ("The battery is low{battery}.", "电池电量低{battery}。"),
    Doubt.CLOCK_AHEAD: ("Its clock is {skew} ahead{why}.", "时钟超前{skew}{why}。"),
    Doubt.CLOCK_BEHIND: ("Its clock is {skew} behind{why}.", "时钟滞后{skew}{why}。"),
    Doubt.VALUE_FLAT: ("The value has not moved for {flat}.", "数值已{flat}没有变化。"),
    Doubt.VALUE_UNUSABLE: (
        "Its last value is beyond what is possible; it enters no figure.",
        "最新数值超出可能范围，不参与任何计算。",
    ),
    Doubt.INTERVAL_DIFFERS: (
        "It speaks every {habit}; the ledger says every {ledger}.",
        "实际每{habit}上报一次，台账为每{ledger}一次。",
    ),
}

QUALITY_NAMES: dict[Quality, Pair] = {
    Quality.HISTORY: ("from the device's memory", "设备补传"),
    Quality.CLOCK_GUESSED: ("dated by arrival", "按到达时间"),
    Quality.CLOCK_AHEAD: ("a little in the future", "时间略超前"),
    Quality.SENTINEL: ("the chip's “no value”", "芯片无效值"),
    Quality.LOW_BATTERY: ("battery low", "电量低"),
    Quality.OUT_OF_RANGE: ("beyond physics", "超出物理范围"),
    Quality.BESIDE_OUT_OF_RANGE: ("a value beside it is beyond physics", "附带数值超出范围"),
    Quality.CLOCK_WRONG: ("clock impossibly wrong, dated by arrival", "时钟错误，按到达时间"),
    Quality.REPEATED: ("same number at another time", "序号重复"),
    Quality.DEVICE_FAULT: ("the device reports a fault", "设备报故障"),
    Quality.POWER_UP: ("power-up value of the chip", "芯片上电值"),
}

OUTAGE: Pair = (
    "Gateway {name} is out: {silent} of its {devices} devices fell silent together, "
    "last heard {heard}.",
    "网关{name}离线：所带{devices}台设备中有{silent}台同时失联，最后上报{heard}。",
)
OUTAGE_OF_ALL: Pair = (
    "Nothing arrives: {silent} of all {devices} devices fell silent together, last heard {heard}. "
    "Look at the broker, the line and the ingest before any device.",
    "全网无数据：{devices}台设备中有{silent}台同时失联，最后上报{heard}。"
    "请先检查消息服务器、网络线路和接入服务，不要先查设备。",
)
WITH_GATEWAY: Pair = ("Silent with its gateway {name}.", "随网关{name}一起失联。")

_LOCAL_AS_UTC: Pair = (": looks like local time sent as UTC", "：疑似把本地时间当作UTC上报")
_UTC_AS_LOCAL: Pair = (": looks like UTC sent as local time", "：疑似把UTC当作本地时间上报")
_WHOLE_HOURS: Pair = (": looks like a wrong time zone", "：疑似时区设置错误")
EXACT_BELOW = 10  # of ten hours or more nobody wants the minutes
_UNITS: tuple[tuple[float, Pair], ...] = (
    (86_400.0, ("d", "天")),
    (3_600.0, ("h", "小时")),
    (60.0, ("min", "分钟")),
    (1.0, ("s", "秒")),
)


def pick(pair: Pair, locale: str) -> str:
    """The words in a language."""
    return pair[1] if locale.startswith("zh") else pair[0]


def duration(seconds: float, locale: str) -> str:
    """A length of time in its greatest unit, and the next one where it matters: ``1 h 20 min``."""
    left = float(round(abs(seconds)))
    index = next((i for i, (unit_s, _) in enumerate(_UNITS) if left >= unit_s), len(_UNITS) - 1)
    parts: list[str] = []
    for unit_s, words in _UNITS[index : index + 2]:
        count, left = divmod(left, unit_s)
        if count or not parts:
            parts.append(f"{count:.0f} {pick(words, locale)}")
        if count >= EXACT_BELOW:
            break
    text = " ".join(parts)
    return text.replace(" ", "") if locale.startswith("zh") else text


def state_sentence(judged: Judged, now: datetime, locale: str) -> str:
    """Whether a device speaks, and since when not."""
    silence_s = (now - judged.since).total_seconds() if judged.since else 0.0
    ago = duration(max(silence_s, 0.0), locale)
    return pick(STATE_SENTENCES[judged.state], locale).format(ago=ago)


def doubt_sentence(doubt: Doubt, facts: Facts, zone: tzinfo, locale: str) -> str:
    """One doubt with its figures; ``zone`` is the one that devices with local time live in."""
    skew_s = facts.skew_s or 0.0
    battery = "" if facts.battery_pct is None else f"{facts.battery_pct:.0f} %"
    flat = facts.measured_at - facts.changed_at if facts.measured_at and facts.changed_at else None
    return pick(DOUBT_SENTENCES[doubt], locale).format(
        battery=_in_brackets(battery, locale),
        skew=duration(skew_s, locale),
        why=clock_reason(skew_s, facts.measured_at, zone, locale),
        flat=duration(flat.total_seconds() if flat else 0.0, locale),
        habit=duration(facts.habit.interval_s if facts.habit else 0.0, locale),
        ledger=duration(facts.expected_interval_s, locale),
    )


def _in_brackets(text: str, locale: str) -> str:
    if not text:
        return ""
    return f"（{text}）" if locale.startswith("zh") else f" ({text})"


def clock_reason(skew_s: float, at: datetime | None, zone: tzinfo, locale: str) -> str:
    """Why a clock may be wrong by just as much; empty where nothing suggests itself."""
    offset = at.astimezone(zone).utcoffset() if at is not None else None
    offset_s = (offset or timedelta()).total_seconds()
    if offset_s and abs(skew_s - offset_s) <= ZONE_SLACK_S:
        return pick(_LOCAL_AS_UTC, locale)
    if offset_s and abs(skew_s + offset_s) <= ZONE_SLACK_S:
        return pick(_UTC_AS_LOCAL, locale)
    hours = round(skew_s / 3600)
    if 1 <= abs(hours) <= 14 and abs(skew_s - hours * 3600) <= ZONE_SLACK_S:
        return pick(_WHOLE_HOURS, locale)
    return ""


def outage_sentence(carried: Carried, zone: tzinfo, locale: str) -> str:
    """One finding for a gateway that is out, or for everything."""
    heard = carried.heard_at.astimezone(zone) if carried.heard_at else None
    return pick(OUTAGE_OF_ALL if carried.name is None else OUTAGE, locale).format(
        name=carried.name,
        silent=carried.together,
        devices=carried.devices,
        heard=f"{heard:%Y-%m-%d %H:%M}" if heard else "–",
    )


def flags(quality: int, locale: str) -> list[str]:
    """The flags of a reading in words."""
    return [pick(words, locale) for flag, words in QUALITY_NAMES.items() if quality & flag]
