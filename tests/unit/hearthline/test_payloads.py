"""Messages of devices as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.payloads import pretty, readable


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b'{"a": [1, 2]}', '{\n  "a": [\n    1,\n    2\n  ]\n}'),
        ('{"室温":21}'.encode(), '{\n  "室温": 21\n}'),
        (b"21.5", "21.5"),
        (rb'["\ud800"]', '[\n  "?"\n]'),
        (b"not json\nat all", "not json\nat all"),
        (b"\x00\x01\xfe", "00 01 fe"),
        (b"\xff" * 33, " ".join(["ff"] * 32) + "\nff"),
        (b"[" * 100_000, "[" * 100_000),
        (b"", ""),
    ],
)
def test_json_is_indented_text_stays_and_the_rest_is_hexadecimal(
    payload: bytes, shown: str
) -> None:
    assert pretty(payload) == shown


@given(st.binary())
def test_any_payload_can_be_shown(payload: bytes) -> None:
    for shown in (readable(payload), pretty(payload)):
        assert all(letter.isprintable() or letter.isspace() for letter in shown)
