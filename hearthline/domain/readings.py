"""What devices say, in SI-near units with the unit in the name; and why a message is refused.

A reading is a fact at an instant (event time, aware UTC). A quantity that a device did not
send is None, never 0: a missing value is not a measurement. Readings are made by the hundred
thousand a second, hence structs of msgspec: a frozen dataclass takes ten times as long to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag, StrEnum

import msgspec

from hearthline.domain.places import DeviceKind, FlowPipe


class Quality(IntFlag):
    """Flags stored with a reading that is not beyond doubt. None of them deletes it."""

    GOOD = 0
    HISTORY = 1  # delivered later than measured, from the device's own memory
    CLOCK_GUESSED = 2  # the device sent no time: the time of arrival stands in
    CLOCK_AHEAD = 4  # event time a little in the future, within tolerance
    SENTINEL = 8  # a value that the chip uses to say "no value"
    LOW_BATTERY = 16
    OUT_OF_RANGE = 32  # what the reading is about lies beyond what physics allows
    BESIDE_OUT_OF_RANGE = 64  # a quantity beside it does (humidity, battery, pressure, wind)
    CLOCK_WRONG = 128  # the device's clock was impossibly wrong: dated by its arrival
    REPEATED = 256  # the same sequence number as the reading before, at another time
    DEVICE_FAULT = 512  # the device itself reported an error with it
    POWER_UP = 1024  # 85.0 °C, what a DS18B20 says before its first conversion

    @property
    def usable(self) -> bool:
        """Whether values may enter means, verdicts and balances."""
        return not self & UNUSABLE


UNUSABLE = Quality.OUT_OF_RANGE | Quality.SENTINEL | Quality.POWER_UP
"""A reading with one of these is kept as it was said and enters nothing that is computed."""


class RoomReading(msgspec.Struct, frozen=True, gc=False):
    """Air of a dwelling: °C, % relative humidity, % battery."""

    device_uid: str
    time: datetime
    temperature_c: float
    humidity_pct: float | None = None
    battery_pct: float | None = None
    quality: Quality = Quality.GOOD
    seq: int | None = None
    kind = DeviceKind.ROOM


class MeterReading(msgspec.Struct, frozen=True, gc=False):
    """A heat meter: °C, m³/h, kW, kWh and m³ (counters), kPa, % and Hz of its valve and pump."""

    device_uid: str
    time: datetime
    supply_c: float | None = None
    return_c: float | None = None
    flow_m3h: float | None = None
    power_kw: float | None = None
    energy_kwh: float | None = None
    volume_m3: float | None = None
    supply_kpa: float | None = None
    return_kpa: float | None = None
    valve_pct: float | None = None
    pump_hz: float | None = None
    makeup_m3: float | None = None
    quality: Quality = Quality.GOOD
    seq: int | None = None
    kind = DeviceKind.METER


class WeatherReading(msgspec.Struct, frozen=True, gc=False):
    """Outdoors: °C, m/s, W/m² global radiation, % relative humidity."""

    device_uid: str
    time: datetime
    outdoor_c: float
    wind_ms: float | None = None
    solar_wm2: float | None = None
    humidity_pct: float | None = None
    quality: Quality = Quality.GOOD
    seq: int | None = None
    kind = DeviceKind.WEATHER


Reading = RoomReading | MeterReading | WeatherReading
"""``seq`` is the device's own counter of its messages, where it has one; it is not stored."""


class Sign(msgspec.Struct, frozen=True):
    """What a message says about a device beside measurements; None where it says nothing.

    ``online`` is what a birth, a last will or an availability message claims, ``gateway`` the
    gateway, bridge or edge node that carried the message, ``label`` how people named the device,
    ``flow_pipe`` where a heat meter says that its flow sensor sits.
    ``battery_pct`` and ``humidity_pct`` stand here only where they come without a temperature.
    """

    device_uid: str
    time: datetime
    online: bool | None = None
    gateway: str | None = None
    battery_pct: float | None = None
    humidity_pct: float | None = None
    label: str | None = None
    flow_pipe: FlowPipe | None = None


class RejectReason(StrEnum):
    """Why a message, or one reading of it, became a dead letter."""

    NO_FORMAT = "no_format"  # no decoder knows this topic
    MALFORMED = "malformed"  # not JSON, or not the shape of its format
    NO_QUANTITY = "no_quantity"  # nothing in it that we store
    NOT_A_NUMBER = "not_a_number"  # NaN, infinity, or text where a number belongs
    OUT_OF_RANGE = "out_of_range"  # beyond what physics or the instrument allows
    BAD_TIME = "bad_time"  # a time that cannot be read
    TOO_OLD = "too_old"  # before the oldest accepted instant, e.g. 1970
    IN_THE_FUTURE = "in_the_future"  # further ahead than a clock may be
    UNKNOWN_DEVICE = "unknown_device"  # no such device in the ledger: quarantined
    WRONG_KIND = "wrong_kind"  # the ledger says meter, the message says room
    UNKNOWN_ALIAS = "unknown_alias"  # a Sparkplug alias whose birth nobody has seen: quarantined
    NEEDS_PROFILE = "needs_profile"  # a vendor's frame that only a device profile can read


@dataclass(frozen=True, slots=True)
class Rejection:
    """One refused message or part of one, with what an engineer needs to see why.

    ``payload`` is the part at fault; ``message`` the whole payload where that is more, so that
    it can be decoded again after a fix. ``retained`` says that the broker had kept the message, so
    that nobody knows when it was said.
    """

    topic: str
    payload: bytes
    reason: RejectReason
    detail: str
    device_uid: str | None = None
    message: bytes | None = None
    retained: bool = False


PRINCIPAL: dict[DeviceKind, tuple[str, ...]] = {
    DeviceKind.ROOM: ("temperature_c",),
    DeviceKind.METER: (
        "supply_c", "return_c", "flow_m3h", "power_kw", "energy_kwh", "volume_m3", "makeup_m3",
    ),
    DeviceKind.WEATHER: ("outdoor_c",),
}  # fmt: skip
"""What a reading is about. An impossible value here makes it unusable, beside it only doubtful."""

# Physical limits (low, high) by quantity; outside them a value is flagged, never computed with.
# Sources: instrument ranges of room sensors (EN 60751 class limits are wider), EN 1434-1 heat
# meter ranges to 180 °C, and world weather records.
LIMITS: dict[str, tuple[float, float]] = {
    "temperature_c": (-40.0, 60.0),
    "humidity_pct": (0.0, 100.0),
    "battery_pct": (0.0, 100.0),
    "supply_c": (-20.0, 180.0),
    "return_c": (-20.0, 180.0),
    "flow_m3h": (-20_000.0, 20_000.0),
    "power_kw": (-2_000_000.0, 2_000_000.0),
    "energy_kwh": (-1e12, 1e12),
    "volume_m3": (-1e10, 1e10),
    "supply_kpa": (-100.0, 4_000.0),
    "return_kpa": (-100.0, 4_000.0),
    "valve_pct": (0.0, 100.0),
    "pump_hz": (0.0, 120.0),
    "makeup_m3": (0.0, 1e9),
    "outdoor_c": (-60.0, 60.0),
    "wind_ms": (0.0, 90.0),
    "solar_wm2": (0.0, 1_500.0),
}
