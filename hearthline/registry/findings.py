"""What can be wrong in a ledger that is stored: kinds, severities, sentences and remedies.

One table, two languages: whoever puts it right reads what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hearthline.domain.words import Pair


class Severity(StrEnum):
    """An error misleads people or machines; a warning may; a note is only incomplete."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class FindingKind(StrEnum):
    """What a rule of the check has found."""

    DUPLICATE_ADDRESS = "duplicate_address"
    SHARED_PHONE = "shared_phone"
    SHARED_CONTACT = "shared_contact"
    BOUND_TWICE = "bound_twice"
    SAME_DEVICE = "same_device"
    DEVICE_NOWHERE = "device_nowhere"
    BOUND_TO_NOTHING = "bound_to_nothing"
    NO_PARENT = "no_parent"
    WRONG_LEVEL = "wrong_level"
    NO_ENTRANCE = "no_entrance"
    NOTHING_BELOW = "nothing_below"
    NO_FACTS = "no_facts"
    NO_CONTACT = "no_contact"
    NO_DEVICE = "no_device"
    CONTACT_WITHOUT_DWELLING = "contact_without_dwelling"
    AREA_UNBELIEVABLE = "area_unbelievable"
    AREA_UNLIKE_PEERS = "area_unlike_peers"
    PHONE_WRONG = "phone_wrong"
    PHONE_MISSING = "phone_missing"
    NAMES_DIFFER = "names_differ"
    CODE_NAME = "code_name"
    FLOOR_NAME = "floor_name"
    DOOR_MISFILED = "door_misfiled"


@dataclass(frozen=True, slots=True)
class Wording:
    """Severity, sentence and remedy of a kind."""

    severity: Severity
    sentence: Pair
    remedy: Pair


def _error(en: str, zh: str, remedy: str, remedy_zh: str) -> Wording:
    return Wording(Severity.ERROR, (en, zh), (remedy, remedy_zh))


def _warning(en: str, zh: str, remedy: str, remedy_zh: str) -> Wording:
    return Wording(Severity.WARNING, (en, zh), (remedy, remedy_zh))


def _note(en: str, zh: str, remedy: str, remedy_zh: str) -> Wording:
    return Wording(Severity.NOTE, (en, zh), (remedy, remedy_zh))


WORDINGS: dict[FindingKind, Wording] = {
    FindingKind.DUPLICATE_ADDRESS: _error(
        "{place} and {other} have the same address {name}",
        "{place} 与 {other} 地址相同：{name}",
        "Look at the doors and correct the wrong one's name.",
        "现场核对门牌，更正错误的一户。",
    ),
    FindingKind.SHARED_PHONE: _warning(
        "the phone {phone} is on file for {count} dwellings: {places}",
        "电话 {phone} 登记在 {count} 户名下：{places}",
        "Ask for each dwelling's own number.",
        "逐户核实电话号码。",
    ),
    FindingKind.SHARED_CONTACT: _warning(
        "{place} and {other} have the same fee record ({name}, {phone})",
        "{place} 与 {other} 的收费档案相同（{name}，{phone}）",
        "Find out whose record it is; one dwelling, one house, one fee record.",
        "核实档案归属：一户一房一档。",
    ),
    FindingKind.BOUND_TWICE: _error(
        "the device is bound to {place} and {other} at the same time",
        "设备同时绑定在 {place} 和 {other}",
        "Find it and end the other binding: `hearthline ledger move`.",
        "找到设备，结束错误的绑定：`hearthline ledger move`。",
    ),
    FindingKind.SAME_DEVICE: _error(
        "{device} and {other} are the same device by its number",
        "{device} 与 {other} 的设备号相同",
        "Keep the one that reports and remove the other.",
        "保留有上报的一条，删除另一条。",
    ),
    FindingKind.DEVICE_NOWHERE: _warning(
        "the device is bound to no place",
        "设备未绑定任何位置",
        "Bind it: `hearthline ledger move`, or import it with its place.",
        "绑定位置：`hearthline ledger move`，或带位置重新导入。",
    ),
    FindingKind.BOUND_TO_NOTHING: _error(
        "the device is bound to {place}, which the ledger does not have",
        "设备绑定的 {place} 不在台账中",
        "Import the place, or bind the device elsewhere.",
        "导入该位置，或改绑设备。",
    ),
    FindingKind.NO_PARENT: _error(
        "the place above, {other}, does not exist",
        "上级位置 {other} 不存在",
        "Import the place with a right parent.",
        "更正上级编码后重新导入。",
    ),
    FindingKind.WRONG_LEVEL: _error(
        "the level {kind} stands below {parent_kind} ({other})",
        "{kind_zh}位于{parent_kind_zh}（{other}）之下",
        "Import the place with a right parent.",
        "更正上级编码后重新导入。",
    ),
    FindingKind.NO_ENTRANCE: _warning(
        "no entrance stands above the dwelling",
        "住户上级中没有单元",
        "Add the entrance and import the dwelling below it.",
        "补充单元并将住户归入其下。",
    ),
    FindingKind.NOTHING_BELOW: _warning(
        "the {kind} has nothing below it",
        "{kind_zh}下没有任何位置",
        "Add what it serves, or remove it.",
        "补充其下位置，或删除。",
    ),
    FindingKind.NO_FACTS: _error(
        "the dwelling has neither area nor floor",
        "住户没有面积和楼层",
        "Import it on the sheet units.",
        "在“住户”表中补充后导入。",
    ),
    FindingKind.NO_CONTACT: _note(
        "the dwelling has no contact",
        "住户没有联系人",
        "Ask at the next visit or payment.",
        "下次上门或缴费时登记。",
    ),
    FindingKind.NO_DEVICE: _note(
        "the dwelling has no room sensor",
        "住户没有室温设备",
        "Nothing, where it is not to be measured.",
        "不要求测温的住户可忽略。",
    ),
    FindingKind.CONTACT_WITHOUT_DWELLING: _error(
        "a fee record belongs to no dwelling",
        "收费档案没有对应住户",
        "Find its dwelling; one dwelling, one house, one fee record.",
        "查找对应住户：一户一房一档。",
    ),
    FindingKind.AREA_UNBELIEVABLE: _error(
        "an area of {area} m² is not believable",
        "面积 {area} m² 不合理",
        "Correct it by the property deed.",
        "按产权证更正。",
    ),
    FindingKind.AREA_UNLIKE_PEERS: _warning(
        "an area of {area} m² where {count} like it in the building have about {usual} m²",
        "面积 {area} m²，而同楼 {count} 户同类住户约 {usual} m²",
        "Compare with the property deed.",
        "对照产权证核实。",
    ),
    FindingKind.PHONE_WRONG: _error(
        "the phone {phone} has {digits} digits{short}",
        "电话 {phone} 为 {digits} 位{short_zh}",
        "Ask the customer, or look at the bank record.",
        "向用户核实，或查对缴费记录。",
    ),
    FindingKind.PHONE_MISSING: _note(
        "the contact {name} has no phone number",
        "联系人 {name} 没有电话",
        "Ask at the next visit or payment.",
        "下次上门或缴费时登记。",
    ),
    FindingKind.NAMES_DIFFER: _error(
        "is called {name} in English and {other} in Chinese",
        "英文名称为 {name}，中文名称为 {other}",
        "Look at the door and correct the wrong name.",
        "现场核对门牌，更正名称。",
    ),
    FindingKind.CODE_NAME: _error(
        "the code ends in {other}, but the room number is {name}",
        "编码尾号为 {other}，房号却是 {name}",
        "Look at the door: notices may go to the wrong one.",
        "现场核对门牌：通知可能送错门。",
    ),
    FindingKind.FLOOR_NAME: _error(
        "room {name} is filed on floor {floor}",
        "房号 {name} 登记在 {floor} 层",
        "Look at the door and correct the room number or the floor.",
        "现场核对门牌，更正房号或楼层。",
    ),
    FindingKind.DOOR_MISFILED: _error(
        "{name} is filed, but no other floor has such a door, and {other} is missing",
        "登记为 {name}，其他楼层没有此门，而 {other} 缺失",
        "Look at the door: {other} is probably filed as {name}.",
        "现场核对门牌：{other} 可能误登为 {name}。",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, at a place or with a device."""

    kind: FindingKind
    place: str = ""
    device: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return WORDINGS[self.kind].severity

    @property
    def en(self) -> str:
        """The sentence in English."""
        return f"{self._subject}: {self._said(WORDINGS[self.kind].sentence[0])}."

    @property
    def zh(self) -> str:
        """The sentence in Chinese."""
        return f"{self._subject}：{self._said(WORDINGS[self.kind].sentence[1])}。"

    @property
    def remedy(self) -> Pair:
        """What to do, in English and Chinese."""
        en, zh = WORDINGS[self.kind].remedy
        return self._said(en), self._said(zh)

    @property
    def _subject(self) -> str:
        return self.device or self.place

    def _said(self, text: str) -> str:
        return text.format(**{"place": self.place, "device": self.device, **self.facts})

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        remedy, remedy_zh = self.remedy
        return {
            "kind": str(self.kind),
            "severity": str(self.severity),
            "place": self.place,
            "device": self.device,
            "en": self.en,
            "zh": self.zh,
            "remedy": remedy,
            "remedy_zh": remedy_zh,
        }
