"""Just enough protobuf to write messages: varints, lengths, fixed 32 and 64 bits.

Source: protobuf.dev, "Encoding".
"""

from __future__ import annotations

import struct
from functools import lru_cache

_FLOAT, _DOUBLE = struct.Struct("<f").pack, struct.Struct("<d").pack
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


@lru_cache
def _key(tag: int, kind: int) -> bytes:
    """What stands before every field."""
    return varint(tag << 3 | kind)


def varint(number: int) -> bytes:
    """A base-128 number, least significant seven bits first.

    Raises:
        ValueError: the number is negative.
    """
    if 0 <= number < 128:
        return bytes((number,))
    if number < 0:
        raise ValueError(f"an unsigned varint cannot hold {number}")
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def unsigned(tag: int, number: int) -> bytes:
    """A field of type uint32, uint64, bool or enum."""
    return _key(tag, _VARINT) + varint(number)


def nested(tag: int, content: bytes) -> bytes:
    """A field that is a message or bytes."""
    return _key(tag, _LENGTH) + varint(len(content)) + content


def text(tag: int, content: str) -> bytes:
    """A field of type string."""
    return nested(tag, content.encode())


def single(tag: int, number: float) -> bytes:
    """A field of type float."""
    return _key(tag, _FIXED32) + _FLOAT(number)


def double(tag: int, number: float) -> bytes:
    """A field of type double."""
    return _key(tag, _FIXED64) + _DOUBLE(number)
