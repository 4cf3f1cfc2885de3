"""Truth as one ``.npz`` of plain arrays: no pickle, the same bytes from the same run.

The large arrays lie in unnamed temporary files until the end, row after row, since a zip file can
take only one entry at a time.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hearthline import __version__
from hearthline.domain.complaints import Complaint
from simulators.truth.export import Day, Frame
from simulators.truth.survey import Hour

_CHUNK_BYTES = 1 << 22
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date a zip can hold: bytes must not tell the time


class _Rows:
    """An array [rows, units] that grows in a temporary file."""

    def __init__(self, rows: int, units: int, dtype: Any, folder: Path) -> None:
        self.shape = (rows, units)
        self.dtype = np.dtype(dtype)
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115

    def add(self, row: NDArray[Any]) -> None:
        self._file.write(np.ascontiguousarray(row, dtype=self.dtype).tobytes())

    def store(self, out: IO[bytes]) -> None:
        """Write the array as ``.npy`` and give the space back."""
        head = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": self.shape,
        }
        np.lib.format.write_array_header_1_0(out, head)
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK_BYTES):
            out.write(chunk)
        self.close()

    def close(self) -> None:
        self._file.close()


class NpzShelf:
    """Arrays of one run; the file appears when it is complete."""

    def __init__(self, frame: Frame, path: Path) -> None:
        self._frame, self._path = frame, path
        self._hour_starts: list[int] = []
        self._dates: list[str] = []
        self._day_hours: list[int] = []
        self._calls: list[Complaint] = []
        units, folder = frame.city.layout.units, path.parent

        def rows(count: int, dtype: Any) -> _Rows:
            return _Rows(count, units, dtype, folder)

        self._rows = {
            "room_c": rows(frame.hours, "<f4"),
            "twin_c": rows(frame.hours, "<f4"),
            "day_mean_c": rows(frame.days, "<f4"),
            "day_min_c": rows(frame.days, "<f4"),
            "day_below_min": rows(frame.days, "<f4"),
            "day_fault": rows(frame.days, "<i4"),
        }

    def rooms(self, hour: Hour) -> None:
        """Take one hour."""
        self._hour_starts.append(int(hour.starts_at.timestamp()))
        self._rows["room_c"].add(hour.room_c)
        self._rows["twin_c"].add(hour.twin_c)

    def day(self, day: Day) -> None:
        """Take one day."""
        self._dates.append(day.date.isoformat())
        self._day_hours.append(day.hours)
        self._rows["day_mean_c"].add(day.mean_c)
        self._rows["day_min_c"].add(day.min_c)
        self._rows["day_below_min"].add(day.below_min)
        self._rows["day_fault"].add(day.fault)

    def calls(self, calls: Sequence[Complaint]) -> None:
        """Take who phoned in one hour."""
        self._calls += calls

    def finish(self, cold_units: dict[int, NDArray[np.intp]]) -> list[Path]:
        """Write everything beside the target, then give it its name."""
        small = self._about() | self._faults(cold_units) | self._called()
        part = self._path.with_name(self._path.name + ".part")
        try:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for name, array in small.items():
                    with archive.open(_entry(name), "w") as out:
                        _store(out, array)
                for name, rows in self._rows.items():
                    with archive.open(_entry(name), "w", force_zip64=True) as out:
                        rows.store(out)
            part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)
        return [self._path]

    def discard(self) -> None:
        """Leave nothing behind."""
        for rows in self._rows.values():
            rows.close()

    def _about(self) -> dict[str, NDArray[Any]]:
        city = self._frame.city
        return {
            "version": np.array(__version__),
            "scenario": np.array(city.scenario.name),
            "seed": np.array(city.seed),
            "timezone": np.array(city.scenario.timezone),
            "threshold_c": np.array(city.scenario.threshold_c),
            "anchor": np.array(self._frame.anchor.isoformat()),
            "units": _texts(city.unit_codes),
            "hour_starts": np.array(self._hour_starts, dtype="<i8").astype("<M8[s]"),
            "dates": np.array(self._dates, dtype="<M8[D]"),
            "day_hours": np.array(self._day_hours, dtype="<i4"),
        }

    def _called(self) -> dict[str, NDArray[Any]]:
        """Columns of [calls]: the number of the dwelling, and when it phoned."""
        number = {code: at for at, code in enumerate(self._frame.city.unit_codes)}
        seconds = np.array([int(one.at.timestamp()) for one in self._calls], dtype="<i8")
        return {
            "call_unit": np.array([number[one.place] for one in self._calls], dtype="<i4"),
            "call_at": seconds.astype("<M8[s]"),
        }

    def _faults(self, cold_units: dict[int, NDArray[np.intp]]) -> dict[str, NDArray[Any]]:
        """Columns of [faults]; lists are one array of items and where each fault's begin."""
        truth = self._frame.city.truth
        never = float("inf")
        cold = [cold_units.get(number, np.zeros(0, np.intp)) for number in range(len(truth))]
        seconds = [one.end.total_seconds() if one.end is not None else never for one in truth]
        return {
            "fault_cause": _texts([str(one.cause) for one in truth]),
            "fault_variant": _texts([one.variant for one in truth]),
            "fault_onset_s": np.array([one.onset.total_seconds() for one in truth], dtype="<f8"),
            "fault_end_s": np.array(seconds, dtype="<f8"),
            "fault_ramp_s": np.array([one.ramp.total_seconds() for one in truth], dtype="<f8"),
            "fault_severity": np.array([one.severity for one in truth], dtype="<f8"),
            "fault_places": _texts([place for one in truth for place in one.places]),
            "fault_places_start": _starts([one.places for one in truth]),
            "fault_devices": _texts([device for one in truth for device in one.devices]),
            "fault_devices_start": _starts([one.devices for one in truth]),
            "fault_cold_units": np.concatenate([np.zeros(0, np.intp), *cold]).astype("<i4"),
            "fault_cold_units_start": _starts(cold),
        }


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _store(out: IO[bytes], array: NDArray[Any]) -> None:
    whole = io.BytesIO()
    np.lib.format.write_array(whole, array, allow_pickle=False)
    out.write(whole.getbuffer())


def _texts(texts: Sequence[str]) -> NDArray[np.str_]:
    return np.array(texts, dtype=f"<U{max(map(len, texts), default=1) or 1}")


def _starts(lists: Sequence[Any]) -> NDArray[np.int64]:
    """Where each list begins in the array of all items, and where the last one ends."""
    return np.cumsum([0, *map(len, lists)], dtype="<i8")
