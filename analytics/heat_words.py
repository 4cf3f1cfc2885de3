"""What balance advice and the monthly report say, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from analytics.advice import AdviceReason, LeftOut, Turn

Pair = tuple[str, str]

ADVICE: Mapping[AdviceReason, Pair] = {
    AdviceReason.NONE: (
        "Turn the valves as told, then set the pump so that the circuit's flow is the total again; "
        "measure again once the rooms have settled, after three to five days.",
        "按下表调节各楼阀门，再调循环泵使环路总流量保持不变；三至五天室温稳定后重新测算。",
    ),
    AdviceReason.TOO_FEW_METERS: (
        "No advice: fewer than two buildings, or under 60 % of the area, have a sound meter.",
        "暂无建议：有效计量的楼栋不足两栋，或不足供热面积的60%。",
    ),
    AdviceReason.NOT_WORTH_IT: (
        "No valve needs turning: the buildings differ by no more than measuring errors explain, "
        "or no room would move by half a kelvin.",
        "无需调阀：楼栋差异未超出测量误差，或调节后室温变化不足0.5K。",
    ),
    AdviceReason.NO_WEATHER: (
        "No advice: no outdoor temperature was measured.",
        "暂无建议：缺少室外温度。",
    ),
    AdviceReason.NOT_HEATING: (
        "No advice: the circuit hardly heats; supply and return are almost equal.",
        "暂无建议：环路基本未供热，供回水温度几乎相同。",
    ),
}

LEFT_OUT: Mapping[LeftOut, Pair] = {
    LeftOut.NO_METER: ("its meter covers too little of the time", "热表缺失或缺数"),
    LeftOut.REVERSED: (
        "its meter shows the return warmer than the supply: pipes swapped, repair first",
        "回水高于供水：供回水接反，先整改",
    ),
    LeftOut.NO_FLOW: ("no water flows: repair first", "无流量，先检修"),
    LeftOut.OPEN_TICKET: (
        "an incident is open there: repair first, balance then",
        "有未办结故障：先处理，再平衡",
    ),
}

FIGURE: Mapping[str, Pair] = {
    "": ("", ""),
    "no_rows": ("nothing was measured", "无数据"),
    "measured": ("measured rooms", "实测室温"),
    "assumed": ("too few rooms measured: standard temperature assumed", "实测不足，按标准室温"),
    "no_heat": ("the meters cover too little", "热表缺数"),
    "no_weather": ("no outdoor temperature", "缺少室外温度"),
    "too_mild": ("too mild to normalise", "室外偏暖，不折算"),
    "no_supply_meter": ("nothing measures the supply", "无供热侧热表"),
    "no_consumer_meter": ("no building is metered", "楼栋无热表"),
    "window_too_short": ("the window is too short", "时段过短"),
    "supply_gap": ("gaps in the supply's meter", "供热侧热表缺数"),
    "supply_reversed": ("the supply's pipes are swapped", "供热侧接反"),
    "coverage_low": ("under 95 % of the buildings measured", "楼栋计量覆盖率低于95%"),
    "storage_unknown": ("pipe temperature unknown", "管网温度未知"),
    "negative_loss": ("more was taken than supplied: a meter is wrong", "用热大于供热，热表有误"),
}


def instruction(turn: Turn) -> Pair:
    """What a crew does at one building, and what comes of it."""
    aim = f"{turn.target_m3h:.2f} m³/h"
    if turn.reference or abs(turn.turns) < 0.05:
        act, act_zh = "leave the valve as it is", "阀门不动"
    elif turn.turns > 0.0:
        act, act_zh = f"close by {turn.turns:.1f} turns", f"关{turn.turns:.1f}圈"
    else:
        act, act_zh = f"open by {-turn.turns:.1f} turns", f"开{-turn.turns:.1f}圈"
    moves = f"{turn.gain_k:+.1f} K"
    return (
        f"{turn.building}: {act}, until its meter shows {aim} (now {turn.flow_m3h:.2f}); "
        f"rooms {turn.room_c:.1f} °C, {moves}.",
        f"{turn.building}：{act_zh}，至热表示数{aim}（现{turn.flow_m3h:.2f}）；"
        f"室温{turn.room_c:.1f}°C，预计{moves}。",
    )
