"""Binary frames of vendors: bytes to named fields, by a layout that a profile gives.

A layout is data: where each part begins, what type it has, which raw values mean "none". What a
layout cannot say (several kinds of frame, lists, compression) a company writes as a function
``bytes -> mapping`` and names by an entry point in the group ``hearthline.frames``; a profile
refers to it as ``decoder``.

Types: ``u8`` to ``u64`` and ``i8`` to ``i64`` in steps of 8 bits, ``f32``, ``f64``, and ``bcd8``
to ``bcd64``: two decimal digits a byte, as in CJ/T 188 meters.
"""

from __future__ import annotations

import re
import struct
from base64 import b64decode
from binascii import Error as BadText
from binascii import crc_hqx
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, Literal

from hearthline.domain.readings import RejectReason
from ingest.formats.values import Refused

GROUP = "hearthline.frames"
DECIMALS = 9
"""A conversion leaves no more: 214 tenths are 21.4, not 21.400000000000002."""

TYPE = re.compile(r"(u|i|bcd)(8|16|24|32|40|48|56|64)|f32|f64")
Order = Literal["big", "little"]


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a frame: ``at`` bytes from its beginning, ``raw * scale + offset``.

    ``none`` are raw values that mean "none".
    """

    name: str
    at: int
    type: str
    order: Order = "big"
    none: tuple[float, ...] = ()
    scale: float = 1.0
    offset: float = 0.0

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return int(self.type.lstrip("uibcdf")) // 8


def crc16_ccitt_false(body: bytes) -> bytes:
    """CRC-16/CCITT-FALSE, the high byte first."""
    return crc_hqx(body, 0xFFFF).to_bytes(2, "big")


def crc16_modbus(body: bytes) -> bytes:
    """CRC-16/MODBUS, the low byte first, as on the bus."""
    crc = 0xFFFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def sum8(body: bytes) -> bytes:
    """The sum of all bytes modulo 256 (CJ/T 188, DL/T 645)."""
    return bytes([sum(body) & 0xFF])


CHECKS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc16-ccitt-false": crc16_ccitt_false,
    "crc16-modbus": crc16_modbus,
    "sum8": sum8,
}
"""Checksums that may end a frame, over all bytes before them."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A layout. ``starts`` are the bytes that a frame begins with; ``check`` names what ends it."""

    parts: tuple[Part, ...] = ()
    encoding: str = "base64"
    starts: bytes = b""
    length: int | None = None
    check: str | None = None
    decoder: str | None = None

    def fields(self, body: bytes) -> dict[str, Any]:
        """The named values of a frame; absent where its raw value means "none".

        Raises:
            Refused: MALFORMED where the bytes are no such frame, NEEDS_PROFILE where the decoder
                that the layout refers to is not installed.
        """
        if self.decoder is not None:
            return _by_decoder(self.decoder, body)
        self._examine(body)
        found: dict[str, Any] = {}
        for part in self.parts:
            raw = body[part.at : part.at + part.size]
            if len(raw) < part.size:
                continue  # an older firmware's shorter frame
            value = _value(part, raw)
            if value in part.none:
                continue
            if part.scale != 1.0 or part.offset != 0.0:
                value = round(value * part.scale + part.offset, DECIMALS)
            found[part.name] = value
        return found

    def _examine(self, body: bytes) -> None:
        if not body.startswith(self.starts):
            raise _broken(f"begins with {body[:4].hex()}, not {self.starts.hex()}")
        if self.length is not None and len(body) != self.length:
            raise _broken(f"has {len(body)} bytes, not {self.length}")
        if self.check is not None:
            size = len(CHECKS[self.check](b""))
            if CHECKS[self.check](body[:-size]) != body[-size:]:
                raise _broken(f"fails its {self.check}")


def _broken(how: str) -> Refused:
    return Refused(RejectReason.MALFORMED, f"the frame {how}")


def _value(part: Part, raw: bytes) -> float | int:
    if part.type.startswith("f"):
        mark = (">" if part.order == "big" else "<") + ("f" if part.size == 4 else "d")
        return float(struct.unpack(mark, raw)[0])
    if part.type.startswith("bcd"):
        digits = (raw if part.order == "big" else raw[::-1]).hex()
        if not digits.isdecimal():
            raise _broken(f"holds {digits} where {part.name} has decimal digits")
        return int(digits)
    return int.from_bytes(raw, part.order, signed=part.type.startswith("i"))


def unwrapped(text: Any, encoding: str = "base64") -> bytes:
    """The bytes of a frame that came as text in base64 or hexadecimal.

    Raises:
        Refused: MALFORMED where it is neither.
    """
    if isinstance(text, str):
        try:
            return bytes.fromhex(text) if encoding == "hex" else b64decode(text, validate=True)
        except (BadText, ValueError):
            pass
    raise Refused(RejectReason.MALFORMED, f"the frame is no {encoding}")


@lru_cache(maxsize=64)
def decoder(name: str) -> Callable[[bytes], Mapping[str, Any]] | None:
    """The installed decoder of a name, or None."""
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    return None if found is None else found.load()


def _by_decoder(name: str, body: bytes) -> dict[str, Any]:
    """A company's own code reads the frame: whatever it raises is the frame's dead letter."""
    try:
        read = decoder(name)
    except Exception as error:
        detail = f"the frame decoder {name!r} cannot be loaded: {type(error).__name__}: {error}"
        raise Refused(RejectReason.NEEDS_PROFILE, detail) from None
    if read is None:
        detail = f"the frame decoder {name!r} is not installed"
        raise Refused(RejectReason.NEEDS_PROFILE, detail)
    try:
        return {str(field): value for field, value in read(body).items()}
    except Exception as error:
        raise _broken(f"stopped the decoder {name!r}: {type(error).__name__}: {error}") from None
