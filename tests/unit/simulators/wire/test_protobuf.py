"""Protobuf's wire encoding, against the examples of its documentation."""

from __future__ import annotations

import struct

import pytest

from simulators.wire import protobuf


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (150, "9601"), (2**64 - 1, "ff" * 9 + "01")],
)
def test_varints(number: int, written: str) -> None:
    assert protobuf.varint(number).hex() == written


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot hold -1"):
        protobuf.varint(-1)


def test_fields() -> None:
    assert protobuf.unsigned(1, 150).hex() == "089601"
    assert protobuf.text(2, "testing").hex() == "120774657374696e67"
    assert protobuf.nested(3, b"\x08\x96\x01").hex() == "1a03089601"
    assert protobuf.single(12, 18.5) == b"\x65" + struct.pack("<f", 18.5)
    assert protobuf.double(13, 18.5) == b"\x69" + struct.pack("<d", 18.5)
