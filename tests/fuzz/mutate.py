"""Damage to messages: bytes that flip, JSON that says something else, fields that change names."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from ingest.formats.profiles import builtin
from ingest.formats.quantities import QUANTITIES
from tests.fuzz.corpus import Seed

DEEP: Any = 1
for _ in range(60):
    DEEP = [DEEP]

NASTY: tuple[Any, ...] = (
    None, True, False, 0, -0.0, -1, 1, 85, 85.0, 127, 255, 65535, -127.0, 327.67, 6553.5, 1e6, -1e6,
    1e18, 1e37, 1e39, -1e300, 2**31, -(2**31), 2**53, 2**63, 2**64, 10**40, 1e-320,
    float("nan"), float("inf"), -float("inf"),
    "", " ", "NaN", "-Infinity", "95.2%", "21,5", "21.5 °C", "1e400", "0x10", "٣", "true", "null",
    "\x00", "\ud800", "\u202e", "2026-01-12T00:00:00Z", "2026-01-12T00:00:00", "20260112T000000Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z",
    1_768_176_000, 1_768_176_000_000, -1, 1e11, 253_402_300_800, "1768176000", "9" * 400,
    [], {}, [[]], [None], [{}], {"": None}, {"value": 20}, {"value": None, "unit": "°F"},
    {"value": 70, "unit": "°F", "time": "x"}, DEEP, "x" * 3000,
)  # fmt: skip
TOKENS = (
    b"NaN", b"-", b"1e9", b"1e999", b"null", b'"', b"[", b"]", b"{", b"}", b"\\u0000", b"85.0",
    b"\\ud800", b"\xff\xfe", b"\xef\xbb\xbf", b"Infinity", b",", b":", b"\x00", b"0" * 40,
)  # fmt: skip


def _names() -> tuple[str, ...]:
    names = {name for of in QUANTITIES.values() for name in of}
    names |= {
        source.field
        for profile in builtin().values()
        for sources in profile.quantities.values()
        for source in sources
    }
    names |= {"ts", "seq", "device", "time", "value", "unit", "history", "object", "params", "id"}
    names |= {"services", "properties", "n", "bn", "bt", "v", "u", "t", "Time", "timestamp", ""}
    return tuple(sorted(names))


NAMES = _names()


def mutated(chance: Random, seed: Seed, others: tuple[Seed, ...]) -> Seed:
    """A seed with one to four kinds of damage; now and then on another topic."""
    topic, payload = seed
    kinds = TO_BYTES if chance.random() < 0.35 else TO_JSON
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        damage = chance.choice(kinds)
        payload = damage(chance, payload, chance.choice(others).payload)
    if chance.random() < 0.05:
        topic = chance.choice(others).topic
    return Seed(topic, payload)


def flip_bits(chance: Random, payload: bytes, _other: bytes) -> bytes:
    """A few bytes changed."""
    changed = bytearray(payload)
    for _ in range(chance.randint(1, 3) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(chance: Random, payload: bytes, _other: bytes) -> bytes:
    """Truncated, or a piece taken out."""
    at = chance.randrange(len(payload) + 1)
    return payload[:at] + (payload[at + chance.randint(1, 12) :] if chance.random() < 0.5 else b"")


def double(chance: Random, payload: bytes, _other: bytes) -> bytes:
    """A piece said twice."""
    at = chance.randrange(len(payload) + 1)
    piece = payload[at : at + chance.randint(1, 24)]
    return payload[:at] + piece + payload[at:]


def insert(chance: Random, payload: bytes, _other: bytes) -> bytes:
    """A token where it does not belong."""
    at = chance.randrange(len(payload) + 1)
    return payload[:at] + chance.choice(TOKENS) + payload[at:]


def splice(chance: Random, payload: bytes, other: bytes) -> bytes:
    """A piece of another message."""
    at, there = chance.randrange(len(payload) + 1), chance.randrange(len(other) + 1)
    return payload[:at] + other[there : there + chance.randint(1, 40)] + payload[at:]


Place = tuple[Any, Any]
"""A container of a document, and the key or index in it."""


def _places(document: Any) -> list[Place]:
    """Every place in a document."""
    found: list[Place] = []
    open_ = [document]
    while open_:
        node = open_.pop()
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in items:
            found.append((node, key))
            if isinstance(value, dict | list):
                open_.append(value)
    return found


def _in_json(change: Callable[[Random, Any, Any], None]) -> Callable[[Random, bytes, bytes], bytes]:
    """Damage done to a place of a JSON document; what is no JSON loses a bit instead."""

    def damage(chance: Random, payload: bytes, other: bytes) -> bytes:
        try:
            document = json.loads(payload)
        except (ValueError, RecursionError):
            return flip_bits(chance, payload, other)
        if not isinstance(document, dict | list):
            return json.dumps(chance.choice(NASTY)).encode()
        places = _places(document)
        if places:
            change(chance, *chance.choice(places))
        return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace")

    return damage


def _nasty(chance: Random) -> Any:
    return deepcopy(chance.choice(NASTY))


def _swap(chance: Random, node: Any, key: Any) -> None:
    node[key] = _nasty(chance)


def _as_text(_chance: Random, node: Any, key: Any) -> None:
    node[key] = str(node[key])


def _scaled(chance: Random, node: Any, key: Any) -> None:
    value = node[key]
    if isinstance(value, int | float) and not isinstance(value, bool):
        node[key] = value * chance.choice((-1, 0.1, 10, 1000, 1e6, 1e-3)) + chance.choice((0, 0.5))


def _renamed(chance: Random, node: Any, key: Any) -> None:
    if isinstance(node, dict):
        node[chance.choice(NAMES)] = node.pop(key)


def _added(chance: Random, node: Any, key: Any) -> None:
    if isinstance(node, dict):
        node[chance.choice(NAMES)] = chance.choice((deepcopy(node[key]), _nasty(chance)))
    else:
        node.insert(chance.randrange(len(node) + 1), deepcopy(node[key]))


def _removed(_chance: Random, node: Any, key: Any) -> None:
    del node[key]


def _nested(chance: Random, node: Any, key: Any) -> None:
    value = node[key]
    node[key] = chance.choice(([value, value], {chance.choice(NAMES): value}, [value]))


Damage = Callable[[Random, bytes, bytes], bytes]

TO_BYTES: tuple[Damage, ...] = (flip_bits, cut, double, insert, splice)
TO_JSON: tuple[Damage, ...] = tuple(
    map(_in_json, (_swap, _swap, _as_text, _scaled, _renamed, _added, _removed, _nested))
)
