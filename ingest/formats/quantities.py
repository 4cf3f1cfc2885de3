"""From named quantities to a domain reading: one table that says what each kind consists of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import (
    MeterReading,
    Quality,
    Reading,
    RejectReason,
    RoomReading,
    WeatherReading,
)
from ingest.formats.values import Refused, number

_CLASSES: dict[DeviceKind, type[Reading]] = {
    DeviceKind.ROOM: RoomReading,
    DeviceKind.METER: MeterReading,
    DeviceKind.WEATHER: WeatherReading,
}
_ALWAYS = ("device_uid", "time", "quality", "seq")

QUANTITIES: dict[DeviceKind, tuple[str, ...]] = {
    kind: tuple(name for name in of.__struct_fields__ if name not in _ALWAYS)
    for kind, of in _CLASSES.items()
}
"""The quantities of each kind, by the names that our own wire format uses."""

ESSENTIAL: dict[DeviceKind, str | None] = {
    DeviceKind.ROOM: "temperature_c",
    DeviceKind.METER: None,  # any one will do
    DeviceKind.WEATHER: "outdoor_c",
}
"""The quantity without which a reading of this kind says nothing."""


def reading(  # noqa: PLR0917 - a record's fields
    kind: DeviceKind,
    device_uid: str,
    time: datetime,
    said: Mapping[str, Any],
    quality: Quality = Quality.GOOD,
    seq: int | None = None,
) -> Reading:
    """The reading that an item's named values make; what it does not name is None.

    Raises:
        Refused: NOT_A_NUMBER, or NO_QUANTITY where the essential one is missing.
    """
    values = {name: number(name, said.get(name)) for name in QUANTITIES[kind]}
    essential = ESSENTIAL[kind]
    if essential is not None and values[essential] is None:
        raise Refused(RejectReason.NO_QUANTITY, f"no {essential}")
    if essential is None and all(value is None for value in values.values()):
        raise Refused(RejectReason.NO_QUANTITY, f"none of {', '.join(values)}")
    # Essential quantities were just found to be there, which the type checker cannot follow.
    return _CLASSES[kind](device_uid=device_uid, time=time, quality=quality, seq=seq, **values)  # type: ignore[arg-type]
