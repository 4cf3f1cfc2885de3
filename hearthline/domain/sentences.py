"""The words that operators read for enums and evidence, in English and Chinese.

One table per enum, two languages a line, so that a missing translation is a failing test and
not an English word on a Chinese screen. Sentences carry the numbers; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hearthline.domain.findings import Cause, Evidence, EvidenceCode, Responsibility, TicketKind
from hearthline.domain.policies import DayVerdict, HoldReason

LOCALES = ("zh_CN", "en")
Pair = tuple[str, str]  # English, Chinese

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

EVIDENCE_SENTENCES: dict[EvidenceCode, Pair] = {
    EvidenceCode.COLD_SHARE: (
        "{cold} of {sensed} measured dwellings here are below {threshold_c:g} °C.",
        "此处{sensed}户测温住户中有{cold}户低于{threshold_c:g} °C。",
    ),
    EvidenceCode.SIBLINGS_WARM: (
        "Outside it, only {cold} of {sensed} measured dwellings of {parent} are cold.",
        "在此之外，{parent}的{sensed}户测温住户中仅{cold}户偏冷。",
    ),
    EvidenceCode.MEMBERS_NOT_COLD: (
        "{warm} of {sensed} measured dwellings here are not cold (yet).",
        "此处{sensed}户测温住户中有{warm}户（尚）不冷。",
    ),
    EvidenceCode.FLOW_STOPPED: (
        "Circulating flow fell from {before_m3h:.1f} to {flow_m3h:.1f} m³/h at {place}.",
        "{place}的循环流量由{before_m3h:.1f}降至{flow_m3h:.1f} m³/h。",
    ),
    EvidenceCode.FLOW_LOW: (
        "Flow is {ratio_pct:.0f} % of what this branch used to get ({before_m3h:.1f} → "
        "{flow_m3h:.1f} m³/h).",
        "该支路流量仅为原来的{ratio_pct:.0f} %（{before_m3h:.1f} → {flow_m3h:.1f} m³/h）。",
    ),
    EvidenceCode.RETURN_LOW: (
        "Return is {return_c:.1f} °C, {short_k:.1f} K below its peers: "
        "low flow, not poor emission.",
        "回水{return_c:.1f} °C，比同站低{short_k:.1f} K：属流量不足，而非散热不良。",
    ),
    EvidenceCode.FLOW_NORMAL: (
        "The meter at {place} shows normal flow ({flow_m3h:.1f} m³/h).",
        "{place}热表流量正常（{flow_m3h:.1f} m³/h）。",
    ),
    EvidenceCode.NO_METER: (
        "No meter below the station covers this place.",
        "该处没有站级以下的热表。",
    ),
    EvidenceCode.DELTA_NEGATIVE: (
        "The meter at {place} reads supply {supply_c:.1f} °C below return {return_c:.1f} °C.",
        "{place}热表显示供水{supply_c:.1f} °C低于回水{return_c:.1f} °C。",
    ),
    EvidenceCode.SOURCE_SHORT: (
        "The primary supply is up to {short_k:.0f} K under its schedule while {open_pct:.0f} % of "
        "the stations' valves stand open.",
        "一次网供水最多低于计划{short_k:.0f} K，而{open_pct:.0f} %的站阀门已全开。",
    ),
    EvidenceCode.SUPPLY_LOW: (
        "Supply at {place} is {short_k:.1f} K under its curve ({supply_c:.1f} °C), though its "
        "control valve has room left.",
        "{place}供水{supply_c:.1f} °C，低于曲线{short_k:.1f} K，而调节阀尚有余量。",
    ),
    EvidenceCode.APPROACH_HIGH: (
        "The exchanger at {place} leaves {approach_k:.1f} K between the returns; clean ones leave "
        "2 to 5 K.",
        "{place}换热器端差{approach_k:.1f} K，清洁时为2至5 K。",
    ),
    EvidenceCode.MAKEUP_HIGH: (
        "Make-up at {place} rose to {share_pct:.1f} % of the circulation an hour (usually "
        "{usual_pct:.1f} %); its pressure fell by up to {fallen_kpa:.0f} kPa.",
        "{place}补水升至每小时循环量的{share_pct:.1f} %（平时{usual_pct:.1f} %），"
        "压力最多下降{fallen_kpa:.0f} kPa。",
    ),
    EvidenceCode.FLOWS_SHIFTED: (
        "Below {place} one building gets {rise_pct:.0f} % more flow than usual, another "
        "{fall_pct:.0f} % less.",
        "{place}下有楼栋流量比平时多{rise_pct:.0f} %，另有楼栋少{fall_pct:.0f} %。",
    ),
    EvidenceCode.PLACE_OFF: (
        "Its {sensed} measured dwellings lie {off_k:.1f} K under their fellows "
        "(chance {chance_pct:.0f} %).",
        "该处{sensed}户测温住户比同环路住户低{off_k:.1f} K（可能性{chance_pct:.0f} %）。",
    ),
    EvidenceCode.WORST_ON_TOP: (
        "The higher the floor, the colder.",
        "楼层越高越冷。",
    ),
    EvidenceCode.WORST_AT_GROUND: (
        "The lower the floor, the colder.",
        "楼层越低越冷。",
    ),
    EvidenceCode.DWELLING_OFF: (
        "It lies {off_k:.1f} K under what is usual of it against its fellows.",
        "相对同环路住户，比其平时低{off_k:.1f} K。",
    ),
    EvidenceCode.NIGHT_DIP: (
        "Its nights lie {night_k:.1f} K under its days: a regular setback.",
        "夜间比白天低{night_k:.1f} K：有规律地调低。",
    ),
    EvidenceCode.FELL_FAST: (
        "It fell by {fell_k:.1f} K within two hours, {hours} h ago.",
        "{hours}小时前在两小时内下降了{fell_k:.1f} K。",
    ),
    EvidenceCode.DEEP_BELOW: (
        "Coldest dwelling: {place} at {min_c:.1f} °C.",
        "最冷住户：{place}，{min_c:.1f} °C。",
    ),
    EvidenceCode.NEIGHBOUR_STOPPED: (
        "{count} adjoining dwellings are unheated: {places}.",
        "有{count}户相邻住户未供暖：{places}。",
    ),
    EvidenceCode.NEIGHBOURS_WARM: (
        "Heated dwellings of the same riser average {mean_c:.1f} °C.",
        "同立管供暖住户平均{mean_c:.1f} °C。",
    ),
    EvidenceCode.SINCE_STATUS: (
        "The neighbour's heating has been off since {since}.",
        "邻户自{since}起停暖。",
    ),
    EvidenceCode.SENSOR_FLAT: (
        "The sensor has repeated {value_c:.1f} °C for {hours:.0f} h.",
        "传感器连续{hours:.0f}小时读数均为{value_c:.1f} °C。",
    ),
    EvidenceCode.PEERS_VARY: (
        "Sensors nearby moved by {range_k:.1f} K in the same time.",
        "同期附近传感器变化了{range_k:.1f} K。",
    ),
    EvidenceCode.BELOW_FOR: (
        "{place} has been below {threshold_c:g} °C for {hours:.0f} h.",
        "{place}已连续{hours:.0f}小时低于{threshold_c:g} °C。",
    ),
    EvidenceCode.SENSOR_JUMPED: (
        "{hours:.0f} h ago it moved by {step_k:+.1f} K against its neighbours between two readings "
        "and has stayed there; a room cannot change that fast and then stop.",
        "{hours:.0f}小时前，两次读数之间相对邻户突变{step_k:+.1f} K且保持不变；"
        "房间温度不可能如此骤变后停住。",
    ),
    EvidenceCode.SENSORS_EXCHANGED: (
        "{hours:.0f} h ago it and another sensor of the building took each other's level within an "
        "hour ({step_k:+.1f} K here).",
        "{hours:.0f}小时前，它与同楼另一传感器在一小时内互换了温度水平（此处{step_k:+.1f} K）。",
    ),
    EvidenceCode.SENSOR_BY_RADIATOR: (
        "It reads or swings {off_k:.1f} K above its neighbours, in the rhythm of the water.",
        "读数比邻户高出（或上摆）{off_k:.1f} K，且随供暖水温的节奏变化。",
    ),
    EvidenceCode.SENSOR_IN_SUN: (
        "It rises at once by {slope_k:.1f} K for every 100 W/m² of sun; its neighbours do not.",
        "日照每增加100 W/m²，读数立即升高{slope_k:.1f} K，邻户则不然。",
    ),
    EvidenceCode.SENSOR_OUTDOORS: (
        "It reads {off_k:.1f} K below its neighbours, just what its hourly response to the outdoor "
        "air explains.",
        "读数比邻户低{off_k:.1f} K，与其逐小时对室外温度的响应完全吻合。",
    ),
    EvidenceCode.SENSOR_DRIFTS: (
        "Against its neighbours it has wandered by {rate_k:+.2f} K a week for {days} days.",
        "相对邻户，{days}天来以每周{rate_k:+.2f} K的速度漂移。",
    ),
    EvidenceCode.SENSOR_SILENT: (
        "It has said nothing for {hours:.0f} h, though others of its gateway are heard.",
        "已{hours:.0f}小时无数据，而同网关其他设备正常。",
    ),
    EvidenceCode.BATTERY_LOW: (
        "Its battery was nearly empty when it last spoke.",
        "最后一次上报时电池电量已很低。",
    ),
    EvidenceCode.GATEWAY_SILENT: (
        "All {count} sensors of {place} fell silent together {hours:.0f} h ago.",
        "{place}的{count}个传感器自{hours:.0f}小时前同时中断。",
    ),
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


def responsibility_name(responsibility: str, locale: str) -> str:
    """Who has to act."""
    return _pick(RESPONSIBILITY_NAMES[Responsibility(responsibility)], locale)


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
