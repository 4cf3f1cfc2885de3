"""Everything that was measured in a stretch of time, laid out as matrices: what analysis looks at.

Pure. A cell without rows is NaN, never zero. Rooms are looked at for days, meters and weather for
weeks (their own past tells what is usual), the newest meter readings in slots of minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.overall import Overall
from analytics.signs import MeterSlots
from analytics.window import RoomWindow
from hearthline.domain.network import Instrument, Network

Floats = NDArray[np.float64]
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class MeterTable:
    """Hourly means of heat meters, each (meters, hours) from ``start`` on; rows as ``meters``.

    °C, m³/h, kW, %, Hz and kPa; ``makeup_m3h`` is what the make-up counter gained in the hour.
    """

    start: datetime
    meters: tuple[Instrument, ...]
    supply_c: Floats
    return_c: Floats
    flow_m3h: Floats
    power_kw: Floats
    valve_pct: Floats
    pump_hz: Floats
    supply_kpa: Floats
    return_kpa: Floats
    makeup_m3h: Floats

    @property
    def hours(self) -> int:
        """Columns of every matrix."""
        return int(self.supply_c.shape[1])

    @classmethod
    def stacked(cls, tables: Sequence[MeterTable]) -> MeterTable:
        """Tables of the same hours one below the other."""
        names = [name for name, value in vars(tables[0]).items() if isinstance(value, np.ndarray)]
        return cls(
            tables[0].start,
            tuple(meter for table in tables for meter in table.meters),
            **{name: np.concatenate([vars(table)[name] for table in tables]) for name in names},
        )

    def only(self, rows: Sequence[int]) -> MeterTable:
        """The same hours of some of the meters."""
        if len(rows) == len(self.meters):
            return self
        named = {one.name: getattr(self, one.name) for one in fields(self)}
        some: dict[str, Any] = {
            name: value[rows] for name, value in named.items() if isinstance(value, np.ndarray)
        }
        return replace(self, meters=tuple(self.meters[row] for row in rows), **some)


@dataclass(frozen=True)
class Weather:
    """Hourly means of the weather from ``start`` on, each (hours,): °C, m/s, W/m²."""

    start: datetime
    outdoor_c: Floats
    wind_ms: Floats
    solar_wm2: Floats

    def outdoors(self, start: datetime, hours: int) -> Floats:
        """Outdoor temperature on other hours, (hours,) from ``start``; NaN where it has none."""
        return on_hours(self.outdoor_c, self.start, start, hours)


def on_hours(values: Floats, begins: datetime, start: datetime, hours: int) -> Floats:
    """Hours from ``begins`` on laid on ``hours`` from ``start`` on; NaN where they have none.

    The last axis of ``values`` is hours; the others are kept.
    """
    found = np.full((*values.shape[:-1], hours), np.nan)
    shift = round((start - begins) / HOUR)
    first, last = max(0, -shift), min(hours, values.shape[-1] - shift)
    if first < last:
        found[..., first:last] = values[..., first + shift : last + shift]
    return found


@dataclass(frozen=True)
class Observed:
    """What was measured, up to an instant.

    ``past_c`` is (dwellings, days): daily means of the civil days before the rooms' first hour,
    oldest first, as the compliance ledger has them, so that each dwelling has a past of its own.
    ``overall`` is what only the whole network tells, where ``network`` is a part of it.
    """

    network: Network
    rooms: RoomWindow
    meters: MeterTable
    stations: Sequence[MeterSlots]
    weather: Weather
    past_c: Floats
    overall: Overall
