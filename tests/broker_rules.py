"""What both brokers' rule files say, read by a small evaluator each, and the cases to ask them.

Mosquitto: mosquitto.conf(5), acl_file; a user's own lines come before the patterns, and refusals
before permissions. EMQX 5: the file authorizer takes the first rule that fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
Action = Literal["publish", "receive"]
Case = tuple[str, Action, str]
Allows = Callable[[str, Action, str], bool]

PLATFORMS = ("chirpstack", "things-stack", "zigbee2mqtt", "wmbusmeters", "ctwing")
DEVICES = ("room-1", "edge-1")
USERS = ("hearthline", "simulator", *PLATFORMS, *DEVICES)

SPOKEN = (
    "hearthline/v1/north/{name}/room",
    "hearthline/v1/north/{name}/meter",
    "hearthline/v1/north/{name}/status",
    "hearthline/v1/service/{name}/status",
    "application/1/device/{name}/event/up",
    "v3/app@tenant/devices/{name}/up",
    "zigbee2mqtt/{name}",
    "tele/{name}/SENSOR",
    "tele/{name}/LWT",
    "wmbusmeters/{name}",
    "homie/5/{name}/air/temperature",
    "spBv1.0/north/NBIRTH/{name}",
    "spBv1.0/north/NDATA/{name}",
    "spBv1.0/north/NDEATH/{name}",
    "spBv1.0/north/NCMD/{name}",
    "spBv1.0/north/DBIRTH/{name}/r1",
    "spBv1.0/north/DDATA/{name}/r1",
    "spBv1.0/north/DDEATH/{name}/r1",
    "spBv1.0/north/DCMD/{name}/r1",
    "senml/north/{name}",
    "$sys/product/{name}/thing/property/post",
    "/sys/product/{name}/thing/event/property/post",
    "$oc/devices/{name}/sys/properties/report",
    "$oc/devices/{name}/sys/gateway/sub_devices/properties/report",
    "ctwing/{name}",
)
ELSEWHERE = ("north", "anything/else", "$share/g/hearthline/v1/north/room-1/room", "$other/room-1")
TOPICS = (*(one.format(name=name) for one in SPOKEN for name in DEVICES), *ELSEWHERE)


def cases() -> Iterator[Case]:
    """Every user with every topic, both ways."""
    for user, topic in product(USERS, TOPICS):
        yield user, "publish", topic
        if not topic.startswith("$share/"):  # nobody can receive on such a topic name
            yield user, "receive", topic


def fits(topic_filter: str, topic: str) -> bool:
    """Whether a topic filter matches a topic (MQTT 5, 4.7); `$` topics only where it says so."""
    if (topic_filter[0] == "$") != (topic[0] == "$"):
        return False
    wanted, given = topic_filter.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(given) or level not in ("+", given[place]):
            return False
    return len(wanted) == len(given)


def mosquitto(text: str) -> Allows:
    """The rules of an acl_file."""
    own: dict[str, list[tuple[str, str]]] = {}
    patterns: list[tuple[str, str]] = []
    user = ""
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "user":
            user = rest
        elif word in ("topic", "pattern"):
            access, _, topic = rest.partition(" ")
            (patterns if word == "pattern" else own.setdefault(user, [])).append((access, topic))
        else:
            assert not line or line.startswith("#"), line
    does = {"publish": ("write", "readwrite"), "receive": ("read", "readwrite")}

    def allows(name: str, action: Action, topic: str) -> bool:
        named = [(access, one.replace("%u", name)) for access, one in patterns]
        for rules in (own.get(name, []), named):
            met = {access for access, one in rules if fits(one, topic)}
            if "deny" in met:
                return False
            if met & {*does[action]}:
                return True
        return False

    return allows


@dataclass(frozen=True)
class _Rule:
    permit: bool
    who: str | None
    action: str | None
    topics: tuple[str, ...]


def emqx(text: str) -> Allows:
    """The rules of an EMQX acl.conf, as far as Erlang terms are used in ours."""
    plain = " ".join(line for line in text.splitlines() if not line.startswith("%%"))
    rules = [_emqx_rule(term) for term in re.findall(r"\{(?:allow|deny), .*?\}\.", plain)]
    assert len(rules) == len(re.findall(r"\}\.", plain))
    does = {"publish": "publish", "receive": "subscribe"}

    def allows(name: str, action: Action, topic: str) -> bool:
        for rule in rules:
            if rule.who not in (None, name) or rule.action not in (None, does[action]):
                continue
            topics = [one.replace("${username}", name) for one in rule.topics]
            if not topics or any(fits(one, topic) for one in topics):
                return rule.permit
        return False

    return allows


def _emqx_rule(term: str) -> _Rule:
    parsed = re.fullmatch(
        r'\{(allow|deny), (?:all|\{username, "([\w-]+)"\})(?:, (\w+),\s+\[(.*)\])?\}\.', term
    )
    assert parsed is not None, term
    verb, who, action, topics = parsed.groups()
    return _Rule(verb == "allow", who, action, tuple(re.findall(r'"([^"]+)"', topics or "")))


MOSQUITTO = mosquitto((DEPLOY / "mosquitto/acl.conf").read_text(encoding="utf-8"))
EMQX = emqx((DEPLOY / "emqx/acl.conf").read_text(encoding="utf-8"))
