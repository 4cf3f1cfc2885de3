"""What a message seems to be that nobody expected: format, device, kind, role, and why.

For devices that the ledger does not have, and for topics that no format answers. A guess is for
people: it comes with its reasons in their words and a confidence, and nothing is stored by it.

A message on a strange topic is known by its shape (``formats.shapes``); where the shape or the
rest of the topic tells how the format would have addressed it, it is decoded as if it had come
there, for a uid and a sample. What a reading's values say of the device are the lists ``ROLES``
and ``DOUBTS``, asked in order; the first that holds counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from hearthline.domain.places import DeviceKind, DeviceRole, FlowPipe
from hearthline.domain.readings import Reading, Rejection, Sign
from ingest.formats import Registry
from ingest.formats.model import NO_CONTEXT, Decoded, Format
from ingest.formats.quantities import QUANTITIES
from ingest.formats.shapes import SHAPES, ends, first_object

BY_TOPIC, BY_CONTENT, BY_ADDRESS, BY_SHAPE = 0.95, 0.9, 0.85, 0.6
"""How sure a format is that was known so."""

WITHOUT_READING = 0.4
"""What is left of the confidence where the message has no reading."""


class Sentence(NamedTuple):
    """A reason, in both languages of the operators."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Guess:
    """What a message seems to be; ``confidence`` from 0 to 1 is that of format, kind and role.

    ``uid`` is the device as its format names it, ``sample`` its quantities in this message.
    ``profile`` is a device profile that would read it better than the default.
    """

    format: str | None = None
    uid: str | None = None
    kind: DeviceKind | None = None
    role: DeviceRole | None = None
    confidence: float = 0.0
    reasons: tuple[Sentence, ...] = ()
    sample: Mapping[str, float] = field(default_factory=dict)
    profile: str | None = None
    label: str | None = None
    gateway: str | None = None
    flow_pipe: FlowPipe | None = None


Sample = Mapping[str, float]


class Role(NamedTuple):
    """If a meter's sample is so, it has this role."""

    holds: Callable[[Sample], bool]
    role: DeviceRole
    share: float
    because: Sentence


def _of(name: str, sample: Sample) -> float:
    return sample.get(name, 0.0)


ROLES: tuple[Role, ...] = (
    Role(
        lambda said: _of("supply_c", said) > 85.0,
        DeviceRole.PRIMARY,
        0.9,
        Sentence(
            "Its supply is above 85 °C, the most that a secondary side carries.",
            "供水温度高于85°C，超过二次侧的上限。",
        ),
    ),
    Role(
        lambda said: max(_of("supply_kpa", said), _of("return_kpa", said)) > 1000.0,
        DeviceRole.PRIMARY,
        0.8,
        Sentence(
            "Its pressure is above 1 MPa, which only the primary side has.",
            "压力高于1 MPa，只有一次侧才有。",
        ),
    ),
    Role(
        lambda said: any(name in said for name in ("pump_hz", "makeup_m3")),
        DeviceRole.SECONDARY,
        0.85,
        Sentence(
            "It speaks of a circulation pump or of make-up water: a substation's secondary side.",
            "含有循环泵或补水数据：换热站二次侧。",
        ),
    ),
    Role(
        lambda said: abs(_of("flow_m3h", said)) > 5.0,
        DeviceRole.SECONDARY,
        0.7,
        Sentence(
            "Its flow is above 5 m³/h, more than a house or a dwelling takes.",
            "流量高于5 m³/h，超过一般楼栋或住户的用量。",
        ),
    ),
    Role(
        lambda said: abs(_of("power_kw", said)) > 150.0,
        DeviceRole.SECONDARY,
        0.7,
        Sentence(
            "Its power is above 150 kW, more than a house or a dwelling takes.",
            "功率高于150 kW，超过一般楼栋或住户的用量。",
        ),
    ),
    Role(
        lambda _said: True,
        DeviceRole.BRANCH,
        0.7,
        Sentence(
            "Flow and power are those of a house, an entrance or a dwelling.",
            "流量和功率与楼栋、单元或住户相符。",
        ),
    ),
)
"""Where a heat meter sits. Limits: GB 50736 for radiators (75/50 °C), CJJ 34 for networks."""


class Doubt(NamedTuple):
    """If a room's temperature is so, it is likely something else; ``profile`` would read it."""

    holds: Callable[[float], bool]
    kind: DeviceKind
    profile: str | None
    share: float
    because: Sentence


DOUBTS: tuple[Doubt, ...] = (
    Doubt(
        lambda said_c: 8.0 <= said_c <= 32.0,
        DeviceKind.ROOM,
        None,
        1.0,
        Sentence("Its temperature is that of a room.", "温度与室内相符。"),
    ),
    Doubt(
        lambda said_c: -50.0 <= said_c < 8.0,
        DeviceKind.WEATHER,
        "outdoor",
        0.6,
        Sentence(
            "It is colder than a heated room: perhaps it hangs outdoors.",
            "温度低于供暖房间：可能安装在室外。",
        ),
    ),
    Doubt(
        lambda said_c: 50.0 <= said_c <= 90.0,
        DeviceKind.ROOM,
        "room-fahrenheit",
        0.5,
        Sentence(
            "Its temperature would be that of a room in °F; or it is on a pipe.",
            "数值若为华氏度则与室内相符；也可能安装在管道上。",
        ),
    ),
    Doubt(
        lambda said_c: 80.0 <= said_c <= 320.0,
        DeviceKind.ROOM,
        "room-tenths",
        0.6,
        Sentence(
            "Its temperature would be that of a room in tenths of a degree.",
            "数值若以0.1°C为单位则与室内相符。",
        ),
    ),
    Doubt(
        lambda _said_c: True,
        DeviceKind.ROOM,
        None,
        0.4,
        Sentence("Its temperature is not that of a room.", "温度与室内不符。"),
    ),
)
"""What a temperature says of a device that calls itself a room's."""


def guess(
    topic: str,
    payload: bytes,
    received_at: datetime,
    formats: Registry,
    uid: str | None = None,
) -> Guess:
    """What a message seems to be; with ``uid`` what that one of its devices seems to be.

    Pure, never raises; where nothing is known the guess is empty but for a reason.
    """
    found = _recognised(topic, payload, formats)
    if found is None:
        unknown = Sentence(
            "Neither its topic nor its content is that of a known format.",
            "主题和内容都不属于已知格式。",
        )
        return Guess(reasons=(unknown,))
    one, address, sure, because = found
    decoded = Decoded()
    if address is not None:
        try:
            decoded = one.decode(address, payload, received_at, NO_CONTEXT)
        except Exception:  # a company's decoder
            decoded = Decoded()
    return _judged(one.name, sure, because, decoded, uid)


Recognised = tuple[Format, str | None, float, Sentence]
"""A format, the topic to decode a message under, how sure that is and why."""


def _recognised(topic: str, payload: bytes, formats: Registry) -> Recognised | None:
    """How a message is known: by topic, content, the end of its topic, or its shape."""
    one = formats.find(topic)
    if one is not None:
        return one, topic, BY_TOPIC, _because(one.name, "its topic is", "主题")
    one = formats.speaker(topic, payload)
    if one is not None:
        return one, topic, BY_CONTENT, _because(one.name, "its content is", "内容")
    for part in ends(topic):
        one = formats.find(part)
        if one is not None:
            return one, part, BY_ADDRESS, _because(one.name, "the end of its topic is", "主题后段")
    named = {one.name: one for one in formats.formats}
    said = first_object(payload)
    for shape in SHAPES if said is not None else ():
        if shape.format in named and shape.fits(said or {}):
            one = named[shape.format]
            because = _because(one.name, "its content has the shape", "内容结构")
            return one, shape.address(topic, said or {}), BY_SHAPE, because
    return None


def _because(name: str, en: str, zh: str) -> Sentence:
    return Sentence(f"It is {name}: {en} of that format.", f"格式为{name}：{zh}符合该格式。")


def _judged(name: str, sure: float, because: Sentence, decoded: Decoded, uid: str | None) -> Guess:
    """What the outcome of decoding says of a device."""
    reading = _first(decoded.readings, uid)
    sign = _first(decoded.signs, uid)
    rejection = _first(decoded.rejections, uid)
    device = uid or _uid(reading) or _uid(sign) or _uid(rejection)
    base = Guess(
        name,
        device,
        confidence=sure,
        reasons=(because,),
        label=None if sign is None else sign.label,
        gateway=decoded.gateway if sign is None or sign.gateway is None else sign.gateway,
        flow_pipe=None if sign is None else sign.flow_pipe,
    )
    if reading is not None:
        return _with_role(base, reading)
    if rejection is not None:
        why = Sentence(
            f"Its measurement could not be read: {rejection.detail}.",
            f"测量值无法读取：{rejection.detail}。",
        )
    else:
        why = Sentence("It has no measurement that we store.", "其中没有我们存储的测量值。")
    return replace(base, confidence=sure * WITHOUT_READING, reasons=(because, why))


def _first(among: Any, uid: str | None) -> Any:
    """The first of some readings, signs or rejections that is about a device, or about any."""
    return next((one for one in among if uid is None or one.device_uid == uid), None)


def _uid(of: Reading | Sign | Rejection | None) -> str | None:
    return None if of is None else of.device_uid


def _with_role(base: Guess, reading: Reading) -> Guess:
    """Kind and role by what a reading holds."""
    sample = {
        name: value
        for name in QUANTITIES[reading.kind]
        if (value := getattr(reading, name)) is not None
    }
    kind, profile = reading.kind, None
    if kind is DeviceKind.METER:
        rule = next(one for one in ROLES if one.holds(sample))
        role, share, because = rule.role, rule.share, rule.because
    elif kind is DeviceKind.ROOM:
        doubt = next(one for one in DOUBTS if one.holds(sample["temperature_c"]))
        kind, profile, share, because = doubt.kind, doubt.profile, doubt.share, doubt.because
        role = DeviceRole(kind.value)
    else:
        role, share = DeviceRole.WEATHER, 0.9
        because = Sentence("It measures outdoors.", "测量室外气象。")
    return replace(
        base,
        kind=kind,
        role=role,
        confidence=round(base.confidence * share, 3),
        reasons=(*base.reasons, because),
        sample=sample,
        profile=profile,
    )
