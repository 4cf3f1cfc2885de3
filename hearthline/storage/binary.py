"""Columns as the bytes of PostgreSQL's binary formats, packed by numpy instead of one by one.

A row is a field count and, for each field, its length and its value, all big-endian; a NULL is the
length -1 and no value. Rows with the same fields NULL have the same layout, so each such group is
one structured array. Source: PostgreSQL documentation, COPY, "Binary Format".

An array parameter has a header (dimensions, whether NULLs occur, element type, length, first index)
and then, as above, each element's length and value. Source: ``array_recv`` in PostgreSQL's
``src/backend/utils/adt/arrayfuncs.c``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import adapters
from psycopg.adapt import Dumper
from psycopg.pq import Format

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
    codes = pattern[:1] if (pattern == pattern[:1]).all() else np.unique(pattern)
    for code in codes:
        nulls = frozenset(n for bit, n in enumerate(nullable) if code >> bit & 1)
        chosen = None if len(codes) == 1 else np.flatnonzero(pattern == code)
        yield _packed(fields, wires, nulls, chosen)


def _packed(
    fields: Sequence[Field],
    wires: tuple[str, ...],
    nulls: frozenset[int],
    chosen: NDArray[Any] | None,
) -> bytes:
    """Some rows, or all, in which the same fields are NULL."""
    layout = _layout(wires, nulls)
    packed = np.empty(len(fields[0].values) if chosen is None else len(chosen), layout)
    packed["count"] = len(fields)
    for n, field in enumerate(fields):
        if n in nulls:
            packed[f"length{n}"] = -1
        else:
            packed[f"length{n}"] = layout[f"value{n}"].itemsize
            packed[f"value{n}"] = field.values if chosen is None else field.values[chosen]
    return packed.tobytes()


@dataclass(frozen=True, slots=True)
class Packed:
    """A parameter, packed; in SQL it needs its cast: ``%(ids)b::int[]``, ``%(said)b::jsonb``."""

    packed: bytes


def document(json: bytes) -> Packed:
    """A jsonb: a version, 1, and the text. Source: ``jsonb_recv`` in ``adt/jsonb.c``."""
    return Packed(b"\x01" + json)


def array(wire: str, values: NDArray[Any], null: Bools | None = None) -> Packed:
    """An array of numbers: ``>i2`` smallint, ``>i4`` int, ``>i8`` bigint, ``>f8`` float8."""
    return _array(_TYPES[wire], Field(wire, values, null))


def instants(micros: NDArray[np.int64], null: Bools | None = None) -> Packed:
    """An array of timestamptz from microseconds since 1970."""
    return _array(_TIMESTAMPTZ, Field(">i8", micros - POSTGRES_EPOCH_US, null))


_TYPES = {">i2": 21, ">i4": 23, ">i8": 20, ">f8": 701}
_TIMESTAMPTZ = 1184
"""Object identifiers of PostgreSQL's types, fixed in its ``pg_type.dat``."""


def _array(oid: int, field: Field) -> Packed:
    layout = np.dtype([("length", ">i4"), ("value", field.wire)])
    elements = np.empty(len(field.values), layout)
    elements["length"] = layout["value"].itemsize
    elements["value"] = field.values
    packed = elements.view(np.uint8)
    if field.null is not None:
        elements["length"][field.null] = -1
        kept = np.ones((len(elements), layout.itemsize), bool)
        kept[field.null, layout["length"].itemsize :] = False
        packed = packed[kept.ravel()]
    header = struct.pack(">iiIii", 1, field.null is not None, oid, len(elements), 1)
    return Packed(header + packed.tobytes())


class _PackedDumper(Dumper):
    """Hands an ``Packed`` to psycopg as it is."""

    format = Format.BINARY

    def dump(self, obj: Packed) -> bytes:
        return obj.packed


adapters.register_dumper(Packed, _PackedDumper)


@lru_cache(maxsize=512)
def _layout(wires: tuple[str, ...], nulls: frozenset[int]) -> np.dtype[Any]:
    parts: list[tuple[str, str]] = [("count", ">i2")]
    for n, wire in enumerate(wires):
        parts.append((f"length{n}", ">i4"))
        if n not in nulls:
            parts.append((f"value{n}", wire))
    return np.dtype(parts)
