"""The sheets of a ledger and their columns, in English and Chinese, with what people call them.

A header is matched whatever its case, width, spaces and unit in brackets: ``面积（㎡）`` is
``面积``. Words for levels, roles and the like stand here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hearthline.domain.places import (
    DeviceKind,
    DeviceRole,
    FlowPipe,
    HeatingStatus,
    PlaceKind,
    UnitPosition,
)


class Sheet(StrEnum):
    """The tables that make a ledger, in the order in which they are read."""

    PLACES = "places"
    UNITS = "units"
    STATUSES = "statuses"
    CONTACTS = "contacts"
    DEVICES = "devices"


SHEET_NAMES: dict[Sheet, tuple[str, ...]] = {
    Sheet.PLACES: ("位置", "places", "place", "network", "管网", "地点", "位置表", "网络"),
    Sheet.UNITS: ("住户", "units", "unit", "dwellings", "用户", "户", "住户表", "房屋"),
    Sheet.STATUSES: ("状态", "statuses", "status", "供热状态", "用热状态", "状态表", "报停"),
    Sheet.CONTACTS: ("联系人", "contacts", "contact", "联系方式", "收费", "联系人表"),
    Sheet.DEVICES: ("设备", "devices", "device", "sensors", "meters", "设备表", "仪表", "传感器"),
}
"""What a sheet may be called; the first is its name in Chinese."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its Chinese name, other names, and an example for the template.

    A ``key`` column names the row; a ``needed`` one must be there for a row to be new.
    """

    name: str
    zh: str
    example: str | float | int
    also: tuple[str, ...] = ()
    key: bool = False
    needed: bool = False


def _key(name: str, zh: str, example: str, *also: str) -> Column:
    return Column(name, zh, example, also, key=True, needed=True)


def _needed(name: str, zh: str, example: str | float, *also: str) -> Column:
    return Column(name, zh, example, also, needed=True)


def _maybe(name: str, zh: str, example: str | float, *also: str) -> Column:
    return Column(name, zh, example, also)


_NAMES = (
    _maybe("name", "名称", "602", "room", "房号", "门牌号", "室号"),
    _maybe("name_zh", "中文名称", "602室", "chinese_name"),
)
_CODE = ("id", "no", "编号", "代码")

COLUMNS: dict[Sheet, tuple[Column, ...]] = {
    Sheet.PLACES: (
        _key("code", "编码", "S01-B03", *_CODE, "place", "位置编码"),
        _needed("kind", "级别", "building", "type", "level", "类型", "类别"),
        _maybe("parent", "上级编码", "S01-C1", "parent_code", "上级", "所属", "父级"),
        _maybe("name", "名称", "House 3", "名字"),
        _maybe("name_zh", "中文名称", "3号楼", "chinese_name"),
        _maybe("seq", "序号", 3, "order", "顺序", "排序"),
        _maybe("latitude", "纬度", 45.75, "lat"),
        _maybe("longitude", "经度", 126.65, "lon", "lng"),
    ),
    Sheet.UNITS: (
        _key("code", "编码", "S01-B03-E1-0602", *_CODE, "unit", "住户编码", "户号", "用户编号"),
        _needed("parent", "上级编码", "S01-B03-E1", "parent_code", "entrance", "riser", "上级",
                "单元编码", "立管编码", "所属"),
        *_NAMES,
        _needed("area_m2", "面积", 82.5, "area", "供热面积", "建筑面积", "使用面积"),
        _needed("floor", "楼层", 6, "storey", "层", "所在楼层"),
        _needed("column", "列号", 2, "col", "door", "列", "户列", "门位"),
        _maybe("position", "户型位置", "middle", "户位置", "端部", "朝位"),
        _maybe("warranty_until", "保修期至", "2027-04-15", "warranty", "保修截止", "质保期至"),
        _maybe("vulnerable", "特殊人群", "no", "重点用户", "弱势", "特殊用户"),
        _maybe("seq", "序号", 6, "order", "顺序"),
        _maybe("latitude", "纬度", "", "lat"),
        _maybe("longitude", "经度", "", "lon", "lng"),
        _maybe("status", "供热状态", "on", "状态", "用热状态"),
        _maybe("status_from", "状态起始", "2025-10-15", "status_since", "状态开始日期"),
        _maybe("contact", "联系人", "王女士", "contact_name", "户主", "姓名", "业主"),
        _maybe("phone", "电话", "13800001234", "telephone", "mobile", "手机", "联系电话", "手机号"),
    ),
    Sheet.STATUSES: (
        _key("code", "编码", "S01-B03-E1-0602", *_CODE, "unit", "住户编码", "户号", "用户编号"),
        _needed("status", "供热状态", "stopped", "状态", "用热状态"),
        _maybe("valid_from", "生效日期", "2025-10-15", "from", "since", "起始日期", "开始日期"),
        _maybe("valid_to", "失效日期", "", "to", "until", "截止日期", "结束日期"),
    ),
    Sheet.CONTACTS: (
        _key("code", "编码", "S01-B03-E1-0602", *_CODE, "unit", "住户编码", "户号", "用户编号"),
        _maybe("name", "姓名", "王女士", "contact", "联系人", "户主", "业主", "名称"),
        _maybe("phone", "电话", "13800001234", "telephone", "mobile", "手机", "联系电话", "手机号"),
    ),
    Sheet.DEVICES: (
        _key("uid", "设备编号", "own:s01/room-0602", "device", "设备", "设备号", "id"),
        _needed("kind", "设备类型", "room", "type", "类型"),
        _needed("place", "位置编码", "S01-B03-E1-0602", "place_code", "编码", "安装位置", "位置"),
        _maybe("role", "用途", "room", "角色"),
        _maybe("flow_pipe", "流量计位置", "", "pipe", "流量管", "安装管道"),
        _maybe("interval_s", "上报间隔", 1200, "expected_interval_s", "interval", "间隔"),
        _maybe("height_m", "安装高度", 1.4, "height", "高度"),
        _maybe("profile", "型号配置", "", "model", "型号", "配置"),
        _maybe("label", "标签", "", "备注", "说明"),
        _maybe("valid_from", "生效日期", "", "from", "since", "安装日期", "起始日期"),
        _maybe("valid_to", "失效日期", "", "to", "until", "拆除日期", "截止日期"),
    ),
}  # fmt: skip

Words = Mapping[StrEnum, tuple[str, ...]]  # the first is the Chinese one that exports write

PLACE_KINDS: dict[PlaceKind, tuple[str, ...]] = {
    PlaceKind.SOURCE: ("热源", "热源厂", "plant", "电厂"),
    PlaceKind.SUBSTATION: ("换热站", "热力站", "station"),
    PlaceKind.CIRCUIT: ("环路", "回路", "分区", "机组", "zone"),
    PlaceKind.BUILDING: ("楼栋", "楼", "楼宇", "house"),
    PlaceKind.ENTRANCE: ("单元", "楼门", "stairwell"),
    PlaceKind.RISER: ("立管", "stack"),
    PlaceKind.UNIT: ("住户", "户", "dwelling", "flat"),
}
POSITIONS: dict[UnitPosition, tuple[str, ...]] = {
    UnitPosition.TOP: ("顶层", "顶", "顶楼"),
    UnitPosition.GROUND: ("底层", "底", "一层", "首层"),
    UnitPosition.GABLE: ("边户", "山墙", "边", "端户", "end"),
    UnitPosition.MIDDLE: ("中间户", "中间", "中", "中户"),
}
STATUSES: dict[HeatingStatus, tuple[str, ...]] = {
    HeatingStatus.ON: ("供热", "正常", "用热", "在供", "开通"),
    HeatingStatus.STOPPED: ("报停", "停供", "停热", "停暖"),
    HeatingStatus.RESTRICTED: ("限供", "欠费限供", "欠费"),
    HeatingStatus.VACANT: ("空置", "空房", "无人"),
}
DEVICE_KINDS: dict[DeviceKind, tuple[str, ...]] = {
    DeviceKind.ROOM: ("室温", "室温传感器", "室温计", "温度计", "sensor"),
    DeviceKind.METER: ("热量表", "热表", "heat_meter"),
    DeviceKind.WEATHER: ("气象", "气象站", "室外温度"),
}
ROLES: dict[DeviceRole, tuple[str, ...]] = {
    DeviceRole.ROOM: ("室温", "室内"),
    DeviceRole.PRIMARY: ("一次侧", "一次网", "一次"),
    DeviceRole.SECONDARY: ("二次侧", "二次网", "二次"),
    DeviceRole.BRANCH: ("分支", "楼栋", "楼表", "户表"),
    DeviceRole.WEATHER: ("气象", "室外"),
}
PIPES: dict[FlowPipe, tuple[str, ...]] = {
    FlowPipe.SUPPLY: ("供水", "供水管", "供", "进水"),
    FlowPipe.RETURN: ("回水", "回水管", "回"),
}


class Answer(StrEnum):
    """Yes or no."""

    YES = "yes"
    NO = "no"


ANSWERS: dict[Answer, tuple[str, ...]] = {
    Answer.YES: ("是", "有", "y", "true", "1", "√", "✓"),
    Answer.NO: ("否", "无", "n", "false", "0", "×"),
}

_BRACKETS = re.compile(r"[(\[【（].*?[)\]】）]")
_LOOSE = re.compile(r"[\s_\-*:：.]+")


def folded(text: str) -> str:
    """A header or word without case, width, spaces, marks and what stands in brackets."""
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    return _LOOSE.sub("", _BRACKETS.sub("", plain))


def sheet_called(name: str) -> Sheet | None:
    """The sheet of that name, whatever numbers and other words stand around it."""
    plain = folded(name)
    inside = [
        (len(known), plain.rfind(known), sheet)
        for sheet, names in SHEET_NAMES.items()
        for known in map(folded, names)
        if plain == known or (len(known) > 1 and known in plain)
    ]
    return max(inside, key=lambda found: found[:2])[2] if inside else None


def columns_called(sheet: Sheet) -> dict[str, Column]:
    """The columns of a sheet by every folded name they may have; names of their own go first."""
    found: dict[str, Column] = {}
    for column in COLUMNS[sheet]:
        found[folded(column.name)] = found[folded(column.zh)] = column
    for column in COLUMNS[sheet]:
        for name in column.also:
            found.setdefault(folded(name), column)
    return found
