"""What speaks for and against a finding, as sentences: one of every code, in both languages."""

from __future__ import annotations

from hearthline.domain.findings import EvidenceCode
from hearthline.domain.words import Pair

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
    EvidenceCode.SENSOR_UNFELT: (
        "It has read {off_k:.1f} K below its peers for {days} days, since it was first heard; the "
        "dwellings beyond its walls feel nothing of it. A reading on site settles it.",
        "自首次上报以来{days}天，读数一直比同类邻户低{off_k:.1f} K，而隔墙住户毫无受冷迹象；"
        "需上门测温核实。",
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
    EvidenceCode.DWELLING_CALLED: (
        "{place} called that it is cold: {count} times within a week, last {hours:.0f} h ago.",
        "{place}来电报冷：一周内{count}次，最近一次在{hours:.0f}小时前。",
    ),
    EvidenceCode.DWELLINGS_CALLED: (
        "{count} dwellings without a trusted sensor called that it is cold, the last one "
        "{hours:.0f} h ago: {places}.",
        "有{count}户无可信测温的住户来电报冷，最近一次在{hours:.0f}小时前：{places}。",
    ),
    EvidenceCode.COLD_CALLED: (
        "{count} of the dwellings measured cold called as well, the last one {hours:.0f} h ago: "
        "{places}.",
        "测温偏冷的住户中有{count}户也来电报冷，最近一次在{hours:.0f}小时前：{places}。",
    ),
    EvidenceCode.CALLERS_WARM: (
        "{count} dwellings here called though their sensors read warm.",
        "此处有{count}户来电报冷，但测温正常。",
    ),
    EvidenceCode.OTHERS_SILENT: (
        "{count} other dwellings without a sensor here have not called.",
        "此处另有{count}户无测温的住户未来电。",
    ),
    EvidenceCode.NOT_MEASURED: (
        "Nobody has measured it: the call is all there is.",
        "尚无测温数据，仅有来电反映。",
    ),
}
