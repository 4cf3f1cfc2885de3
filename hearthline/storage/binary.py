"""Columns as the bytes of PostgreSQL's binary COPY, rows packed by numpy instead of one by one.

A row is a field count and, for each field, its length and its value, all big-endian; a NULL is the
length -1 and no value. Rows with the same fields NULL have the same layout, so each such group is
one structured array. Source: PostgreSQL documentation, COPY, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearthline.storage.columns import Bools

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
POSTGRES_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its numpy type on the wire (``>i8``, ``>f4`` …), its values, which are NULL."""

    wire: str
    values: NDArray[Any]
    null: Bools | None = None


def rows(fields: Sequence[Field]) -> bytes:
    """All rows with header and trailer, ready for ``COPY … FROM STDIN (FORMAT BINARY)``."""
    return b"".join([HEADER, *_groups(fields), TRAILER])


def _groups(fields: Sequence[Field]) -> Iterable[bytes]:
    """The rows, those with the same fields NULL together."""
    wires = tuple(field.wire for field in fields)
    nullable = [n for n, field in enumerate(fields) if field.null is not None]
    pattern = np.zeros(len(fields[0].values), np.int64)
    for bit, n in enumerate(nullable):
        pattern |= np.asarray(fields[n].null, np.int64) << bit
    for code in np.unique(pattern):
        nulls = frozenset(n for bit, n in enumerate(nullable) if code >> bit & 1)
        chosen = np.flatnonzero(pattern == code)
        yield _packed(fields, wires, nulls, chosen)


def _packed(
    fields: Sequence[Field], wires: tuple[str, ...], nulls: frozenset[int], chosen: NDArray[Any]
) -> bytes:
    layout = _layout(wires, nulls)
    packed = np.empty(len(chosen), layout)
    packed["count"] = len(fields)
    for n, field in enumerate(fields):
        if n in nulls:
            packed[f"length{n}"] = -1
        else:
            packed[f"length{n}"] = layout[f"value{n}"].itemsize
            packed[f"value{n}"] = field.values[chosen]
    return packed.tobytes()


@lru_cache(maxsize=512)
def _layout(wires: tuple[str, ...], nulls: frozenset[int]) -> np.dtype[Any]:
    parts: list[tuple[str, str]] = [("count", ">i2")]
    for n, wire in enumerate(wires):
        parts.append((f"length{n}", ">i4"))
        if n not in nulls:
            parts.append((f"value{n}", wire))
    return np.dtype(parts)
