"""The protobuf payload of Sparkplug B, as far as ingest needs it.

The schema is described here and compiled when the module is loaded: what it does not name
(templates, data sets, properties, metadata) is unknown to the parser and skipped by it, whatever
it holds. Names and texts are declared as bytes, which are the same on the wire: one broken
character must not cost the whole payload.

Source: Sparkplug 3.0, chapter 6; sparkplug_b.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from hearthline.domain.readings import RejectReason
from ingest.formats.values import Refused

Value = float | int | bool | str
_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "hearthline.sparkplug"
_METRIC: Mapping[str, tuple[int, int]] = {
    "name": (1, _Field.TYPE_BYTES),
    "alias": (2, _Field.TYPE_UINT64),
    "timestamp": (3, _Field.TYPE_UINT64),
    "datatype": (4, _Field.TYPE_UINT32),
    "is_historical": (5, _Field.TYPE_BOOL),
    "is_null": (7, _Field.TYPE_BOOL),
}
_VALUES: Mapping[str, tuple[int, int]] = {
    "int_value": (10, _Field.TYPE_UINT32),
    "long_value": (11, _Field.TYPE_UINT64),
    "float_value": (12, _Field.TYPE_FLOAT),
    "double_value": (13, _Field.TYPE_DOUBLE),
    "boolean_value": (14, _Field.TYPE_BOOL),
    "string_value": (15, _Field.TYPE_BYTES),
}
_PAYLOAD: Mapping[str, tuple[int, int]] = {
    "timestamp": (1, _Field.TYPE_UINT64),
    "metrics": (2, _Field.TYPE_MESSAGE),
    "seq": (3, _Field.TYPE_UINT64),
}
_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
"""The signed data types and their width: the wire has them as unsigned two's complement."""
_BOOLEAN = 11
_SINGLE = struct.Struct("<f")
REBIRTH = "Node Control/Rebirth"


class Metric(NamedTuple):
    """A metric: what stands on the wire, absent fields as None; ``value`` None where it is null."""

    name: str | None
    alias: int | None
    at_ms: int | None
    datatype: int | None
    historical: bool
    value: Value | None


class Payload(NamedTuple):
    """A payload: when it was made, and what is in it."""

    at_ms: int | None
    metrics: tuple[Metric, ...]


def _compiled() -> Any:
    """The message class of a payload, out of the tables above."""
    file = descriptor_pb2.FileDescriptorProto(
        name="hearthline/sparkplug.proto", package=_PACKAGE, syntax="proto2"
    )
    metric = file.message_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, (number, kind) in _METRIC.items():
        metric.field.add(name=name, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
    for name, (number, kind) in _VALUES.items():
        metric.field.add(
            name=name, number=number, type=kind, label=_Field.LABEL_OPTIONAL, oneof_index=0
        )
    payload = file.message_type.add(name="Payload")
    for name, (number, kind) in _PAYLOAD.items():
        field = payload.field.add(name=name, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
        if kind == _Field.TYPE_MESSAGE:
            field.label = _Field.LABEL_REPEATED
            field.type_name = f".{_PACKAGE}.Metric"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


_Message = _compiled()


def read(payload: bytes) -> Payload:
    """What a payload says.

    Raises:
        Refused: MALFORMED where it is no protobuf of this schema.
    """
    try:
        message = _Message.FromString(payload)
    except DecodeError as error:
        raise Refused(RejectReason.MALFORMED, f"not a Sparkplug B payload: {error}") from None
    at_ms = message.timestamp or None
    return Payload(at_ms, tuple(map(_metric, message.metrics)))


def rebirth(at_ms: int) -> bytes:
    """The payload of the command that asks an edge node for its births."""
    message = _Message(timestamp=at_ms)
    message.metrics.add(
        name=REBIRTH.encode(), timestamp=at_ms, datatype=_BOOLEAN, boolean_value=True
    )
    written: bytes = message.SerializeToString()
    return written


def _metric(metric: Any) -> Metric:
    datatype = metric.datatype or None
    return Metric(
        metric.name.decode("utf-8", "replace") or None,
        metric.alias if metric.HasField("alias") else None,
        metric.timestamp or None,
        datatype,
        metric.is_historical,
        None if metric.is_null else _value(metric, datatype),
    )


def _value(metric: Any, datatype: int | None) -> Value | None:
    """The value in Python's terms; None for what has none that we read."""
    which = metric.WhichOneof("value")
    if which is None:
        return None
    value = getattr(metric, which)
    if which == "float_value":
        return shortest(value)
    if which == "string_value":
        text: str = value.decode("utf-8", "replace")
        return text
    return signed(value, datatype) if which in {"int_value", "long_value"} else value


def signed(value: int, datatype: int | None) -> int:
    """An integer of a signed data type; encoders fill 8 and 16 bits or all 32 with its sign."""
    bits = _BITS.get(datatype or 0)
    if bits is None:
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def shortest(value: float) -> float:
    """The shortest decimal that is the same in single precision: 17.9, not 17.899999618530273."""
    try:
        wire = _SINGLE.pack(value)
        for digits in (6, 7, 8):
            short = float(f"{value:.{digits}g}")
            if _SINGLE.pack(short) == wire:
                return short
    except OverflowError:
        pass
    return value
