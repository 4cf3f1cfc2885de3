"""Truth as parquet: ``X.parquet`` (rooms), ``X-days``, ``X-faults`` and ``X-calls.parquet``.

Rooms and days are long tables, a row per dwelling and hour or day, written a few hours at a time.
Needs pyarrow; ``simulators.truth.export`` says so where it is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hearthline.domain.complaints import Complaint
from simulators.truth.export import Day, Frame
from simulators.truth.survey import NOTHING, Hour

_ROWS_HELD = 1 << 20

_CODES = pa.dictionary(pa.int32(), pa.string())
_INSTANT = pa.timestamp("s", tz="UTC")
ROOMS = pa.schema(
    [("at", _INSTANT), ("unit", _CODES), ("room_c", pa.float32()), ("twin_c", pa.float32())]
)
DAYS = pa.schema(
    [
        ("date", pa.date32()),
        ("unit", _CODES),
        ("hours", pa.int16()),
        ("mean_c", pa.float32()),
        ("min_c", pa.float32()),
        ("below_min", pa.float32()),
        ("fault", pa.int32()),
    ]
)
CALLS = pa.schema([("at", _INSTANT), ("unit", pa.string())])
FAULTS = pa.schema(
    [
        ("fault", pa.int32()),
        ("cause", pa.string()),
        ("variant", pa.string()),
        ("places", pa.list_(pa.string())),
        ("onset_at", _INSTANT),
        ("end_at", _INSTANT),
        ("ramp_s", pa.float64()),
        ("severity", pa.float64()),
        ("devices", pa.list_(pa.string())),
        ("cold_units", pa.list_(pa.string())),
    ]
)


class ParquetShelf:
    """Four files of one run; they appear when all are complete."""

    def __init__(self, frame: Frame, path: Path) -> None:
        self._frame = frame
        stem = path.with_suffix("")
        others = [Path(f"{stem}-{name}.parquet") for name in ("days", "faults", "calls")]
        self._paths = [path, *others]
        self._parts = [one.with_name(one.name + ".part") for one in self._paths]
        self._codes = pa.array(frame.city.unit_codes)
        self._every = np.arange(frame.city.layout.units, dtype=np.int32)
        about = self._about()
        self._rooms = pq.ParquetWriter(self._parts[0], ROOMS.with_metadata(about))
        self._days = pq.ParquetWriter(self._parts[1], DAYS.with_metadata(about))
        self._held: list[Hour] = []
        self._calls: list[Complaint] = []

    def rooms(self, hour: Hour) -> None:
        """Take one hour."""
        self._held.append(hour)
        if len(self._held) * len(self._every) >= _ROWS_HELD:
            self._flush()

    def day(self, day: Day) -> None:
        """Take one day."""
        units = len(self._every)
        columns = [
            pa.array([day.date] * units, pa.date32()),
            self._units(1),
            pa.array(np.full(units, day.hours, np.int16)),
            pa.array(day.mean_c),
            pa.array(day.min_c),
            pa.array(day.below_min),
            pa.array(day.fault, mask=day.fault == NOTHING),
        ]
        self._days.write_table(pa.table(columns, schema=DAYS))

    def calls(self, calls: Sequence[Complaint]) -> None:
        """Take who phoned in one hour."""
        self._calls += calls

    def finish(self, cold_units: dict[int, NDArray[np.intp]]) -> list[Path]:
        """Write the faults and give the files their names."""
        self._flush()
        self._rooms.close()
        self._days.close()
        rows = [self._fault(n, cold_units.get(n)) for n in range(len(self._frame.city.truth))]
        table = pa.Table.from_pylist(rows, FAULTS.with_metadata(self._about()))
        pq.write_table(table, self._parts[2])
        said = [{"at": one.at, "unit": one.place} for one in self._calls]
        pq.write_table(
            pa.Table.from_pylist(said, CALLS.with_metadata(self._about())), self._parts[3]
        )
        for part, path in zip(self._parts, self._paths, strict=True):
            part.replace(path)
        return self._paths

    def discard(self) -> None:
        """Leave nothing behind."""
        self._rooms.close()
        self._days.close()
        for part in self._parts:
            part.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._held:
            return
        starts = [int(hour.starts_at.timestamp()) for hour in self._held]
        seconds = np.repeat(np.array(starts, dtype="M8[s]"), len(self._every))
        columns = [
            pa.array(seconds).cast(_INSTANT),
            self._units(len(self._held)),
            pa.array(np.concatenate([hour.room_c for hour in self._held])),
            pa.array(np.concatenate([hour.twin_c for hour in self._held])),
        ]
        self._rooms.write_table(pa.table(columns, schema=ROOMS))
        self._held.clear()

    def _units(self, times: int) -> Any:
        return pa.DictionaryArray.from_arrays(np.tile(self._every, times), self._codes)

    def _fault(self, number: int, cold: NDArray[np.intp] | None) -> dict[str, Any]:
        city, anchor = self._frame.city, self._frame.anchor
        one = city.truth[number]
        codes = city.unit_codes
        return {
            "fault": number,
            "cause": str(one.cause),
            "variant": one.variant or None,
            "places": list(one.places),
            "onset_at": anchor + one.onset,
            "end_at": anchor + one.end if one.end is not None else None,
            "ramp_s": one.ramp.total_seconds(),
            "severity": one.severity,
            "devices": list(one.devices),
            "cold_units": [codes[unit] for unit in ([] if cold is None else cold.tolist())],
        }

    def _about(self) -> dict[str, str]:
        city = self._frame.city
        return {
            "scenario": city.scenario.name,
            "seed": str(city.seed),
            "timezone": city.scenario.timezone,
            "threshold_c": f"{city.scenario.threshold_c:g}",
            "anchor": _iso(self._frame.anchor),
        }


def _iso(at: datetime) -> str:
    return at.isoformat()
