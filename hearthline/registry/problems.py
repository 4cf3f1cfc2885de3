"""What can be wrong with a row of a ledger file, in the words of whoever has to put it right.

A table gives each kind of problem its sentence in English and Chinese; ``{value}`` is what the
cell says and the other names are the problem's own facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hearthline.domain.words import Pair


class ProblemKind(StrEnum):
    """Why a row, a column or a file cannot be imported."""

    UNREADABLE_FILE = "unreadable_file"
    UNKNOWN_SHEET = "unknown_sheet"
    MISSING_COLUMN = "missing_column"
    DOUBLE_COLUMN = "double_column"
    EMPTY = "empty"
    BAD_CODE = "bad_code"
    BAD_NUMBER = "bad_number"
    OUT_OF_RANGE = "out_of_range"
    BAD_DATE = "bad_date"
    BAD_WORD = "bad_word"
    BAD_PHONE = "bad_phone"
    BAD_UID = "bad_uid"
    PERIOD_BACKWARDS = "period_backwards"
    DUPLICATE_CODE = "duplicate_code"
    DUPLICATE_DEVICE = "duplicate_device"
    DUPLICATE_CONTACT = "duplicate_contact"
    UNIT_AMONG_PLACES = "unit_among_places"
    UNKNOWN_PARENT = "unknown_parent"
    NO_PARENT = "no_parent"
    PARENT_OF_SOURCE = "parent_of_source"
    LOOP = "loop"
    WRONG_LEVEL = "wrong_level"
    NO_ENTRANCE = "no_entrance"
    KIND_CHANGED = "kind_changed"
    UNKNOWN_PLACE = "unknown_place"
    NOT_A_UNIT = "not_a_unit"
    UNKNOWN_PROFILE = "unknown_profile"
    NO_FLOW_PIPE = "no_flow_pipe"
    ROLE_UNFIT = "role_unfit"
    ROLE_UNSAID = "role_unsaid"
    DEVICE_DIFFERS = "device_differs"
    DEVICE_ELSEWHERE = "device_elsewhere"
    OVERLAPPING_BINDING = "overlapping_binding"
    OVERLAPPING_STATUS = "overlapping_status"
    DEPENDS = "depends"


SENTENCES: dict[ProblemKind, Pair] = {
    ProblemKind.UNREADABLE_FILE: ("the file cannot be read: {why}", "文件无法读取：{why_zh}"),
    ProblemKind.UNKNOWN_SHEET: (
        "the sheet is none of places, units, statuses, contacts, devices, and its columns do not "
        "tell which",
        "工作表不是位置、住户、状态、联系人、设备之一，从列名也无法判断",
    ),
    ProblemKind.MISSING_COLUMN: ("the column {column} is missing", "缺少“{column_zh}”列"),
    ProblemKind.DOUBLE_COLUMN: (
        "the column {column} is there twice",
        "“{column_zh}”列重复出现",
    ),
    ProblemKind.EMPTY: ("nothing is written here", "此处为空"),
    ProblemKind.BAD_CODE: (
        "a code holds no slash and at most 80 characters",
        "编码不能含斜杠，且不超过80个字符",
    ),
    ProblemKind.BAD_NUMBER: ("this is no {whole}number", "不是{whole_zh}数"),
    ProblemKind.OUT_OF_RANGE: (
        "must lie between {least} and {most}",
        "应在 {least} 与 {most} 之间",
    ),
    ProblemKind.BAD_DATE: (
        "this is no date; write 2025-10-15 or 2025-10-15 08:30",
        "不是日期，请写成 2025-10-15 或 2025-10-15 08:30",
    ),
    ProblemKind.BAD_WORD: ("must be one of {words}", "应为以下之一：{words_zh}"),
    ProblemKind.BAD_PHONE: (
        "{digits} digits are no phone number: a mobile has 11, a landline 10 to 12 with its area "
        "code",
        "{digits} 位数字不是电话号码：手机应为11位，固定电话连区号应为10至12位",
    ),
    ProblemKind.BAD_UID: (
        "a device is named by its format and its own name, such as own:site/device or "
        "chirpstack:24e124…",
        "设备编号由格式和设备名组成，如 own:站点/设备 或 chirpstack:24e124…",
    ),
    ProblemKind.PERIOD_BACKWARDS: ("ends before it begins ({since})", "结束早于开始（{since}）"),
    ProblemKind.DUPLICATE_CODE: (
        "this code is already used in {other}",
        "该编码已在 {other} 使用",
    ),
    ProblemKind.DUPLICATE_DEVICE: (
        "this device with the same period is already in {other}",
        "同一设备的相同时段已在 {other}",
    ),
    ProblemKind.DUPLICATE_CONTACT: (
        "this dwelling already has a contact in {other}",
        "该住户的联系人已在 {other}",
    ),
    ProblemKind.UNIT_AMONG_PLACES: (
        "dwellings belong on the sheet units, with area and floor",
        "住户应写在“住户”表中，并填写面积和楼层",
    ),
    ProblemKind.UNKNOWN_PARENT: ("there is no such place above it", "上级位置不存在"),
    ProblemKind.NO_PARENT: (
        "only a source stands by itself; everything else needs the place above it",
        "只有热源没有上级，其他位置必须填写上级",
    ),
    ProblemKind.PARENT_OF_SOURCE: ("a source has nothing above it", "热源没有上级"),
    ProblemKind.LOOP: ("the place is its own ancestor: {loop}", "位置是自己的上级：{loop}"),
    ProblemKind.WRONG_LEVEL: (
        "the level {kind} cannot stand below {parent_kind}",
        "{kind_zh}不能位于{parent_kind_zh}之下",
    ),
    ProblemKind.NO_ENTRANCE: (
        "no entrance stands above this dwelling",
        "该住户的上级中没有单元",
    ),
    ProblemKind.KIND_CHANGED: (
        "the ledger has this code with the level {known}",
        "台账中该编码是{known_zh}",
    ),
    ProblemKind.UNKNOWN_PLACE: ("there is no such place", "位置不存在"),
    ProblemKind.NOT_A_UNIT: ("the place is no dwelling", "该位置不是住户"),
    ProblemKind.UNKNOWN_PROFILE: ("there is no such device profile", "设备型号配置不存在"),
    ProblemKind.NO_FLOW_PIPE: (
        "a heat meter must say which pipe holds its flow sensor: supply or return",
        "热量表必须注明流量传感器装在供水管还是回水管",
    ),
    ProblemKind.ROLE_UNFIT: (
        "no role of a {kind} device at the level {place_kind}",
        "{kind_zh}在{place_kind_zh}不能担任此用途",
    ),
    ProblemKind.ROLE_UNSAID: (
        "say whether the meter is on the primary or the secondary side",
        "请注明热量表在一次侧还是二次侧",
    ),
    ProblemKind.DEVICE_DIFFERS: (
        "says otherwise of the same device than {other}",
        "与 {other} 对同一设备的说明不一致",
    ),
    ProblemKind.DEVICE_ELSEWHERE: (
        "the device is bound to {known}; give the date of its move in valid_from",
        "设备现绑定在 {known}；请在“生效日期”填写移装日期",
    ),
    ProblemKind.OVERLAPPING_BINDING: (
        "the period overlaps another of the same device: {other}",
        "时段与同一设备的另一绑定重叠：{other}",
    ),
    ProblemKind.OVERLAPPING_STATUS: (
        "the period overlaps another of the same dwelling: {other}",
        "时段与同一住户的另一状态重叠：{other}",
    ),
    ProblemKind.DEPENDS: (
        "depends on {on}, which is left out",
        "依赖未导入的 {on}",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what is written there, why not, and what may be meant.

    ``row`` is counted as a spreadsheet does, the headers being row 1; None is the whole sheet.
    """

    kind: ProblemKind
    file: str
    sheet: str = ""
    row: int | None = None
    column: str = ""
    column_zh: str = ""
    value: str = ""
    nearest: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """File, sheet and row."""
        return place_of(self.file, self.sheet, self.row)

    @property
    def en(self) -> str:
        """The whole sentence in English."""
        said = f" {self.column}" if self.column else ""
        said += f" {self.value!r}" if self.value else ""
        hint = f"; perhaps {self.nearest!r} is meant" if self.nearest else ""
        return f"{self.where}{said}: {self._reason(0)}{hint}."

    @property
    def zh(self) -> str:
        """The whole sentence in Chinese."""
        said = f"“{self.column_zh}”列" if self.column_zh else ""
        said += f"“{self.value}”" if self.value else ""
        hint = f"；是否应为“{self.nearest}”" if self.nearest else ""
        where = place_of(self.file, self.sheet, self.row, chinese=True)
        return f"{where} {said}：{self._reason(1)}{hint}。"

    def _reason(self, language: int) -> str:
        facts = {"column": self.column, "column_zh": self.column_zh, **self.facts}
        return SENTENCES[self.kind][language].format(**facts)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": str(self.kind),
            "file": self.file,
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "value": self.value,
            "nearest": self.nearest,
            "en": self.en,
            "zh": self.zh,
        }


def place_of(file: str, sheet: str, row: int | None, *, chinese: bool = False) -> str:
    """How a row is named: ``units.xlsx, units, row 5``."""
    number = "" if row is None else (f"第{row}行" if chinese else f"row {row}")
    return ("，" if chinese else ", ").join(part for part in (file, sheet, number) if part)
