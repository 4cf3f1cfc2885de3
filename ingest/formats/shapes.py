"""How messages look that come on topics of nobody: by the end of the topic, by the payload.

Bridges put a prefix before a topic, take a first slash or ``$`` away, or forward the payload
alone. Nothing here decides anything but which format a message resembles (for ``formats.guess``)
and how that format would have addressed it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hearthline.domain.places import DeviceKind
from ingest.formats.profiles import chosen, defaults
from ingest.formats.quantities import QUANTITIES
from ingest.formats.telling import name_of
from ingest.formats.values import Refused, document


class Shape(NamedTuple):
    """How a format's payload looks, and the topic that it would have come on, if it tells."""

    format: str
    fits: Callable[[dict[str, Any]], bool]
    address: Callable[[str, dict[str, Any]], str | None]


_MARKS = re.compile(
    r"\$sys/|/sys/|\$oc/devices/|application/|v3/|tele/|homie/|spBv1\.0/|wmbusmeters/|"
    r"zigbee2mqtt/|hearthline/v1/"
)
_BRIDGED = 8
"""Places in a topic that are tried as the beginning of a format's own."""


def ends(topic: str) -> list[str]:
    """Ends of a topic that may be a format's own, behind the prefix of a bridge."""
    found = [topic[match.start() :] for match in _MARKS.finditer(topic)][:_BRIDGED]
    bare = re.fullmatch(r"(?:.*/)?(sys/[^/]+/[^/]+/thing/.+)", topic)
    if bare is not None:
        found += [f"/{bare[1]}", f"${bare[1]}"]
    if (dollar := re.fullmatch(r"(?:.*/)?(oc/devices/.+)", topic)) is not None:
        found.append(f"${dollar[1]}")
    return found


def first_object(payload: bytes) -> dict[str, Any] | None:
    """The payload's JSON object, or the first one of its array."""
    try:
        said = document(payload)
    except Refused:
        return None
    if isinstance(said, list) and said:
        said = said[0]
    return said if isinstance(said, dict) else None


def _inner(said: Mapping[str, Any], *path: str) -> Any:
    value: Any = said
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _chirpstack(_topic: str, said: dict[str, Any]) -> str | None:
    device = name_of(_inner(said, "deviceInfo", "devEui"))
    app = name_of(_inner(said, "deviceInfo", "applicationId")) or "unknown"
    return None if device is None else f"application/{app}/device/{device}/event/up"


def _tts(_topic: str, said: dict[str, Any]) -> str | None:
    device = name_of(_inner(said, "end_device_ids", "device_id"))
    app = name_of(_inner(said, "end_device_ids", "application_ids", "application_id"))
    return None if device is None else f"v3/{app or 'unknown'}@ttn/devices/{device}/up"


def _wmbusmeters(_topic: str, said: dict[str, Any]) -> str | None:
    meter = name_of(said.get("id"))
    return None if meter is None else f"wmbusmeters/{meter}"


def _last_two(topic: str) -> tuple[str, str]:
    """Product and device as a bridge may have left them: the last two levels of the topic."""
    levels = [level for level in topic.split("/") if level] or ["unknown"]
    return (levels[-2] if len(levels) > 1 else "unknown"), levels[-1]


def _tasmota(topic: str, _said: dict[str, Any]) -> str | None:
    return f"tele/{_last_two(topic)[1]}/SENSOR"


def _zigbee(topic: str, _said: dict[str, Any]) -> str | None:
    return f"zigbee2mqtt/{_last_two(topic)[1]}"


def _alink(topic: str, _said: dict[str, Any]) -> str | None:
    return "/sys/{}/{}/thing/event/property/post".format(*_last_two(topic))


def _onenet(topic: str, _said: dict[str, Any]) -> str | None:
    return "$sys/{}/{}/thing/property/post".format(*_last_two(topic))


def _iotda(topic: str, said: dict[str, Any]) -> str | None:
    below = "gateway/sub_devices/" if "devices" in said else ""
    return f"$oc/devices/{_last_two(topic)[1]}/sys/{below}properties/report"


def _own(topic: str, said: dict[str, Any]) -> str | None:
    kind = next((one for one in DeviceKind if set(QUANTITIES[one]) & said.keys()), None)
    return None if kind is None else "hearthline/v1/{}/{}/{}".format(*_last_two(topic), kind)


def _has_sensor(said: dict[str, Any]) -> bool:
    """Tasmota nests sensors and writes their quantities with a capital."""
    parts = [value for value in said.values() if isinstance(value, dict)]
    return any("Temperature" in part or "Total_in" in part for part in parts)


SHAPES: tuple[Shape, ...] = (
    Shape("chirpstack", lambda said: _inner(said, "deviceInfo", "devEui") is not None, _chirpstack),
    Shape("tts", lambda said: _inner(said, "end_device_ids", "device_id") is not None, _tts),
    Shape("wmbusmeters", lambda said: said.get("_") == "telegram", _wmbusmeters),
    Shape(
        "alink",
        lambda said: (
            isinstance(said.get("params"), dict)
            and str(said.get("method")).startswith("thing.event.property")
        ),
        _alink,
    ),
    Shape("onenet", lambda said: isinstance(said.get("params"), dict) and "id" in said, _onenet),
    Shape(
        "iotda",
        lambda said: any(isinstance(said.get(name), list) for name in ("services", "devices")),
        _iotda,
    ),
    Shape("tasmota", lambda said: "Time" in said and _has_sensor(said), _tasmota),
    Shape("zigbee2mqtt", lambda said: "linkquality" in said, _zigbee),
    Shape("own", lambda said: "ts" in said and _own("", said) is not None, _own),
    Shape(
        "zigbee2mqtt",
        lambda said: chosen(defaults("zigbee2mqtt"), said) is not None,
        _zigbee,
    ),
)
"""How messages look, the telling shapes first; flat JSON with a known field comes last."""
