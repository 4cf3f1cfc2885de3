"""The words that operators read for enums and evidence, in English and Chinese.

One table per enum, two languages a line, so that a missing translation is a failing test and
not an English word on a Chinese screen. Sentences carry the numbers; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hearthline.domain.complaints import Channel
from hearthline.domain.evidence_words import EVIDENCE_SENTENCES
from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Responsibility, TicketKind
from hearthline.domain.policies import DayVerdict, HoldReason
from hearthline.domain.words import Pair

LOCALES = ("zh_CN", "en")

CAUSE_NAMES: dict[Cause, Pair] = {
    Cause.SOURCE_SHORTAGE: ("Source short of capacity", "热源出力不足"),
    Cause.CONTROL_CURVE: ("Control curve too low", "供温曲线偏低"),
    Cause.PUMP_TRIP: ("Circulation pump tripped", "循环泵跳停"),
    Cause.EXCHANGER_FOULED: ("Heat exchanger fouled", "换热器结垢"),
    Cause.STRAINER_CLOGGED: ("Strainer clogged", "除污器堵塞"),
    Cause.LEAK: ("Leak", "管网失水"),
    Cause.PIPES_SWAPPED: ("Supply and return pipes swapped", "供回水管接反"),
    Cause.AIR_LOCK: ("Air lock in a riser", "立管气堵"),
    Cause.VALVE_CLOSED: ("Dwelling valve closed or stuck", "入户阀门关闭或卡死"),
    Cause.HYDRAULIC_IMBALANCE: ("Hydraulic imbalance", "水力失调"),
    Cause.VERTICAL_IMBALANCE: ("Vertical imbalance", "垂直失调"),
    Cause.ENVELOPE: ("Poor envelope (top, gable, leaky)", "围护结构差（顶层、山墙、漏风）"),
    Cause.NEIGHBOUR_UNHEATED: ("Unheated neighbours", "邻户停暖"),
    Cause.TURNED_DOWN: ("Turned down by the tenant", "用户自行调低"),
    Cause.WINDOW_OPEN: ("Window open", "开窗"),
    Cause.RADIATOR_COVERED: ("Radiator covered", "散热器被遮挡"),
    Cause.SENSOR_MISPLACED: ("Sensor misplaced", "测温点位置不当"),
    Cause.SENSOR_STUCK: ("Sensor stuck", "传感器数值卡死"),
    Cause.SENSOR_DRIFT: ("Sensor drifting", "传感器漂移"),
    Cause.SENSOR_MOVED: ("Sensor moved or knocked", "传感器被移动或碰撞"),
    Cause.SENSOR_BATTERY: ("Sensor battery flat", "传感器电池耗尽"),
    Cause.SENSOR_SWAPPED: ("Sensor swapped with another dwelling", "传感器与别户装反"),
    Cause.GATEWAY_OUTAGE: ("Gateway out", "网关离线"),
    Cause.UNDETERMINED: ("Cause not yet determined", "原因待查"),
}

FIRST_ACTIONS: dict[Cause, Pair] = {
    Cause.SOURCE_SHORTAGE: (
        "Call the plant for more output; trim overheated stations meanwhile.",
        "联系热源厂提高出力，同时压减过热站。",
    ),
    Cause.CONTROL_CURVE: (
        "Check the outdoor sensor and raise the supply set-point to the curve.",
        "检查室外温度传感器，将供温调回曲线。",
    ),
    Cause.PUMP_TRIP: (
        "Send the station crew: reset or change over the circulation pump, then watch the flow.",
        "派站内班组：复位或切换备用循环泵，并观察流量。",
    ),
    Cause.EXCHANGER_FOULED: (
        "Plan cleaning of the exchanger; switch to the spare one if there is one.",
        "安排换热器清洗，有备用的先切换。",
    ),
    Cause.STRAINER_CLOGGED: (
        "Send a crew to clean the strainer at the building inlet and compare Δp before and after.",
        "派人清洗楼栋入口除污器，对比清洗前后压差。",
    ),
    Cause.LEAK: (
        "Find and isolate the leak; phone the owner of the flat at once.",
        "查漏并隔离，立即电话通知业主。",
    ),
    Cause.PIPES_SWAPPED: (
        "Send a crew to the entrance: compare pipe temperatures and exchange supply and return.",
        "派人到单元入口：核对供回水管温度，调换接反的管道。",
    ),
    Cause.AIR_LOCK: ("Vent the riser at its top.", "在立管顶部排气。"),
    Cause.VALVE_CLOSED: (
        "Phone the customer, then check the dwelling valve and its core.",
        "先致电用户，再上门检查入户阀及阀芯。",
    ),
    Cause.HYDRAULIC_IMBALANCE: (
        "Throttle the near buildings, open the far ones; follow the balancing advice.",
        "关小近端、开大远端，按平衡建议调节。",
    ),
    Cause.VERTICAL_IMBALANCE: (
        "Balance the riser valves floor by floor.",
        "逐层调节立管阀门。",
    ),
    Cause.ENVELOPE: (
        "Inspect windows, roof and gable; refer to the property company.",
        "检查门窗、屋面和山墙，转物业处理。",
    ),
    Cause.NEIGHBOUR_UNHEATED: (
        "Explain to the customer; offer the stopped neighbour a frost-protection flow.",
        "向用户解释，并建议停暖邻户保留防冻流量。",
    ),
    Cause.TURNED_DOWN: (
        "Phone the customer about the thermostat or valve.",
        "致电用户了解温控或阀门情况。",
    ),
    Cause.WINDOW_OPEN: ("Phone the customer about open windows.", "致电用户确认是否开窗。"),
    Cause.RADIATOR_COVERED: (
        "Ask the customer to uncover the radiator.",
        "请用户移开散热器遮挡物。",
    ),
    Cause.SENSOR_MISPLACED: (
        "Move the sensor to 1.4 m on an inner wall.",
        "将传感器移到内墙1.4 m高处。",
    ),
    Cause.SENSOR_STUCK: (
        "Change the sensor; take a certified reading on the same visit.",
        "更换传感器，同时做一次认证测温。",
    ),
    Cause.SENSOR_DRIFT: ("Compare with a certified instrument.", "用认证仪表比对。"),
    Cause.SENSOR_MOVED: (
        "Ask the customer whether it was moved; put it back at 1.4 m on an inner wall.",
        "询问用户是否移动过，将其装回内墙1.4 m高处。",
    ),
    Cause.SENSOR_BATTERY: ("Change the battery.", "更换电池。"),
    Cause.SENSOR_SWAPPED: ("Check which sensor hangs where.", "核对传感器与住户的对应关系。"),
    Cause.GATEWAY_OUTAGE: (
        "Restart the gateway; check its power and uplink.",
        "重启网关，检查电源和网络。",
    ),
    Cause.UNDETERMINED: (
        "Phone one of the cold dwellings, then survey on site from the inlet upwards.",
        "先致电其中一户核实，再从入口起逐级现场勘查。",
    ),
}

WARRANTY_ACTION: Pair = (
    "Under warranty: call in the developer, and stay with it until it is warm.",
    "质保期内：通知开发商处理，并跟踪至室温恢复。",
)
"""Said before the first action where the developer answers for the cause."""

RESPONSIBILITY_NAMES: dict[Responsibility, Pair] = {
    Responsibility.COMPANY: ("Heating company", "供热企业"),
    Responsibility.CUSTOMER: ("Customer", "用户"),
    Responsibility.DEVELOPER: ("Developer (warranty)", "开发商（质保期）"),
    Responsibility.PROPERTY: ("Property company", "物业"),
    Responsibility.SENSOR: ("Instrument technician", "仪表维护"),
    Responsibility.UNKNOWN: ("To be found out", "待定"),
}

KIND_NAMES: dict[TicketKind, Pair] = {
    TicketKind.SUPPLY: ("Supply", "供热"),
    TicketKind.SENSOR: ("Sensor", "测温设备"),
}

CHANNEL_NAMES: dict[Channel, Pair] = {
    Channel.PHONE: ("Phone", "电话"),
    Channel.COUNTER: ("Counter", "柜台"),
    Channel.WEB: ("Web", "网站"),
    Channel.WECHAT: ("WeChat", "微信"),
    Channel.HOTLINE: ("City hotline 12345", "12345热线"),
    Channel.MEDIA: ("Media", "媒体"),
}

HOLD_NAMES: dict[HoldReason, Pair] = {
    HoldReason.NONE: ("", ""),
    HoldReason.OUT_OF_SEASON: ("Out of the heating season", "非供暖期"),
    HoldReason.HEATING_STOPPED: ("Heating stopped on request", "已报停"),
    HoldReason.HEATING_RESTRICTED: ("Restricted for arrears", "欠费限供"),
    HoldReason.VACANT: ("Vacant", "空置"),
    HoldReason.MAINTENANCE: ("Maintenance under way", "检修中"),
    HoldReason.OUTDOOR_BELOW_BINDING: (
        "Colder outdoors than the standard is made for",
        "室外温度低于规定的适用温度",
    ),
    HoldReason.START_UP: ("Start-up: the season's first days", "供热初期升温阶段"),
    HoldReason.TOO_FEW_READINGS: ("Too few readings", "测点数据不足"),
    HoldReason.SENSOR_UNTRUSTED: ("Its sensor is not trusted", "传感器不可信"),
    HoldReason.EXPLAINED: ("Explained by an open incident", "已有事件可解释"),
    HoldReason.WAITING_FOR_PEERS: ("Waiting for its neighbours to tell", "等待同区住户数据"),
    HoldReason.CALL_TO_CHECK: (
        "One call and no sensor: call back, ask for a reading",
        "仅有一次来电且无测温：请回电核实或上门测温",
    ),
    HoldReason.CALLED_BUT_WARM: ("Called, but its sensor reads warm", "来电报冷，但测温正常"),
}

CHAIN_BREAKS: dict[str, Pair] = {
    "content_changed": ("it does not say what was sealed", "内容与封存时不一致"),
    "line_missing": ("a line is missing here", "此处缺少一行记录"),
    "out_of_place": ("it does not follow the line before it", "与上一行记录不相衔接"),
    "end_missing": ("the chain's last lines are missing", "链尾的记录缺失"),
    "end_unknown": ("the chain's recorded end is not this one", "链尾与登记不符"),
    "anchor_broken": ("the anchor was changed, or one is missing", "锚点被改动或缺失"),
    "day_changed": (
        "what was sealed that day is not what its anchor says",
        "当日封存的记录与锚点不符",
    ),
}

VERDICT_NAMES: dict[DayVerdict, Pair] = {
    DayVerdict.COMPLIANT: ("Compliant", "合格"),
    DayVerdict.BELOW: ("Below standard", "不达标"),
    DayVerdict.UNDETERMINED: ("Undetermined", "无法判定"),
    DayVerdict.HELD_BACK: ("Held back", "暂不判定"),
}

TICKET_WORDS: dict[str, Pair] = {
    # states: the chain 投诉 → 派单 → 处理 → 回复 → 回访
    "new": ("New", "待派单"),
    "dispatched": ("Dispatched", "已派单"),
    "in_progress": ("In progress", "处理中"),
    "replied": ("Replied", "已回复"),
    "closed": ("Closed", "已回访"),
    "merged": ("Merged", "已并单"),
    # actions
    "dispatch": ("Dispatch", "派单"),
    "start": ("Start work", "开始处理"),
    "pause": ("Pause", "暂停"),
    "resume": ("Resume", "恢复"),
    "reply": ("Reply", "回复"),
    "call_back": ("Follow-up call", "回访"),
    "reopen": ("Reopen", "重开"),
    "note": ("Add note", "备注"),
    # events
    "opened": ("Opened", "立单"),
    "widened": ("Scope widened", "范围扩大"),
    "members_joined": ("More dwellings joined", "新增受影响住户"),
    "recovered": ("Rooms warm again", "室温已恢复"),
    "relapsed": ("Cold again", "再次偏冷"),
    "started": ("Work started", "开始处理"),
    "paused": ("Paused", "已暂停"),
    "resumed": ("Resumed", "已恢复处理"),
    "called_back": ("Follow-up call made", "已回访"),
    "reopened": ("Reopened", "已重开"),
    "noted": ("Note", "备注"),
    "revised": ("Revised by late readings", "迟到数据修正"),
    # pause reasons
    "waiting_for_customer": ("Waiting for the customer", "等待用户"),
    "waiting_for_part": ("Waiting for a part", "等待配件"),
    "no_access": ("No access", "无法入户"),
    "second_visit": ("Second visit agreed", "约定二次上门"),
    "temporary_fix": ("Temporary fix in place", "已临时处理"),
}


def _pick(pair: Pair, locale: str) -> str:
    return pair[1] if locale.startswith("zh") else pair[0]


def cause_name(cause: str, locale: str) -> str:
    """Name of a cause."""
    return _pick(CAUSE_NAMES[Cause(cause)], locale)


def first_action(cause: str, locale: str) -> str:
    """What to do first about a cause."""
    return _pick(FIRST_ACTIONS[Cause(cause)], locale)


def recommended_action(cause: str, responsibility: str, locale: str) -> str:
    """What to do first about a cause, given who has to act on it."""
    action = first_action(cause, locale)
    if responsibility != Responsibility.DEVELOPER:
        return action
    between = "" if locale.startswith("zh") else " "
    return _pick(WARRANTY_ACTION, locale) + between + action


def responsibility_name(responsibility: str, locale: str) -> str:
    """Who has to act."""
    return _pick(RESPONSIBILITY_NAMES[Responsibility(responsibility)], locale)


def channel_name(channel: str, locale: str) -> str:
    """How a complaint came in."""
    return _pick(CHANNEL_NAMES[Channel(channel)], locale)


def kind_name(kind: str, locale: str) -> str:
    """Supply or sensor."""
    return _pick(KIND_NAMES[TicketKind(kind)], locale)


def hold_reason_name(reason: str, locale: str) -> str:
    """Why a cold dwelling has no ticket of its own."""
    return _pick(HOLD_NAMES[HoldReason(reason)], locale)


def chain_break_name(reason: str, locale: str) -> str:
    """How a chain of verdicts is broken."""
    return _pick(CHAIN_BREAKS[str(reason)], locale)


def verdict_name(verdict: str, locale: str) -> str:
    """The ledger's word on a day."""
    return _pick(VERDICT_NAMES[DayVerdict(verdict)], locale)


def ticket_word(word: str, locale: str) -> str:
    """A state, action, event or pause reason of the ticket's life-cycle."""
    return _pick(TICKET_WORDS[word], locale)


state_name = action_name = event_name = ticket_word


def evidence_sentence(evidence: Evidence | Mapping[str, Any], locale: str) -> str:
    """One piece of evidence as a sentence with its numbers.

    A value given as ``{"en": …, "zh": …}`` (a place name) is shown in the reader's language.
    """
    if isinstance(evidence, Evidence):
        code, values = evidence.code, evidence.values
    else:
        code, values = EvidenceCode(evidence["code"]), evidence["values"]
    language = "zh" if locale.startswith("zh") else "en"
    shown = {
        key: value.get(language) or value.get("en") if isinstance(value, Mapping) else value
        for key, value in values.items()
    }
    return _pick(EVIDENCE_SENTENCES[code], locale).format(**shown)
