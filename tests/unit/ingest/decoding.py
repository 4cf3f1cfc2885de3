"""What holds for every decoder, whatever it is given, and the inputs to try it with."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from ingest.formats import Context, Decoded, Format
from ingest.formats.quantities import QUANTITIES
from ingest.formats.values import document

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([10**400, -(2**63), "95.2%", "21.4", "1e999", "nan", "", "°F", 1768045200000]),
)


def json_of(*keys: str) -> st.SearchStrategy[Any]:
    """Any JSON whose objects often have some of these keys."""
    names = st.sampled_from(keys) | st.text(max_size=6)
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=8),
        max_leaves=25,
    )


def deep(depth: int) -> bytes:
    """An array in an array in an array."""
    return b"[" * depth + b"]" * depth


def sound(format_: Format, topic: str, payload: bytes, context: Context | None = None) -> Decoded:
    """What a decoder made of a message, after a look whether it may be handed on."""
    decoded = format_.decode(topic, payload, NOW, context or Context())
    for number, reading in enumerate(decoded.readings):
        assert reading.time.tzinfo is UTC
        assert reading.device_uid.startswith(f"{format_.name}:")
        assert reading.device_uid.isprintable()
        decoded.item(number, payload)
        values = [getattr(reading, name) for name in QUANTITIES[reading.kind]]
        assert all(value is None or math.isfinite(value) for value in values)
        assert any(value is not None for value in values)
    for sign in decoded.signs:
        assert sign.time.tzinfo is UTC
        words = (sign.device_uid, sign.gateway, sign.label)
        assert all(word is None or word.isprintable() for word in words)
        assert all(
            value is None or math.isfinite(value) for value in (sign.battery_pct, sign.humidity_pct)
        )
    assert all(rejection.detail for rejection in decoded.rejections)
    assert "\\u0000" not in json.dumps(dict(decoded.learnt))
    if decoded.learnt:
        sound_again = format_.decode(topic, payload, NOW, Context(memory=decoded.learnt))
        assert len(sound_again.readings) == len(decoded.readings)
    return decoded


def said(body: Any) -> bytes:
    """JSON as a device sends it; NaN and Infinity as bare words."""
    return json.dumps(body).encode()


def learning(format_: Format, messages: Iterable[tuple[str, bytes]]) -> Context:
    """What is known after some messages."""
    memory: dict[str, Any] = {}
    for topic, payload in messages:
        decoded = format_.decode(topic, payload, NOW, Context(memory=memory))
        lessons = document(json.dumps(dict(decoded.learnt)).encode())
        memory.update(lessons)
    return Context(memory=memory)
