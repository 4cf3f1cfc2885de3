"""A simulated winter as analysis gets to see it, with its truth; kept in a file when asked.

A file holds the rows, the ledger and the truth, and needs no simulator to be read: whoever works on
the analysis simulates once and analyses again and again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.memory import Rows
from analytics.scoring.said import Said
from analytics.scoring.truth import TrueFault, Truth
from hearthline.domain.complaints import Complaint
from hearthline.domain.findings import Cause
from hearthline.domain.places import Ledger
from hearthline.errors import Invalid
from hearthline.storage.analysis import Columns

VERSION = 1
_TABLES = ("room_hours", "meter_hours", "meter_slots", "weather_hours")


@dataclass(frozen=True)
class Winter:
    """What was measured, said and true; ``alarms`` are the baseline's, ``complaints`` all calls."""

    scenario: str
    seed: int
    coverage: float
    anchor: datetime
    until: datetime
    threshold_c: float
    timezone: str
    ledger: Ledger
    rows: Rows
    alarms: Sequence[Said]
    truth: Truth
    complaints: Sequence[Complaint] = ()


class _Head(msgspec.Struct):
    """The small things of a winter, as JSON."""

    version: int
    scenario: str
    seed: int
    coverage: float
    anchor: datetime
    until: datetime
    threshold_c: float
    timezone: str
    ledger: Ledger
    alarms: list[Said]
    odd_devices: list[str]
    faults: list[_Fault]
    complaints: list[Complaint] = []  # a file of before people had telephones has none


class _Fault(msgspec.Struct):
    cause: Cause
    places: tuple[str, ...]
    onset_at: datetime
    end_at: datetime | None
    severity: float | None  # a number that is none has no JSON
    habit: bool
    cold: list[int]
    devices: tuple[str, ...]


def keep(winter: Winter, path: Path) -> None:
    """Write a winter to a file (numpy's ``.npz``)."""
    truth = winter.truth
    head = _Head(
        VERSION,
        winter.scenario,
        winter.seed,
        winter.coverage,
        winter.anchor,
        winter.until,
        winter.threshold_c,
        winter.timezone,
        winter.ledger,
        list(winter.alarms),
        sorted(truth.odd_devices),
        [
            _Fault(f.cause, f.places, f.onset_at, f.end_at, f.severity, f.habit, sorted(f.cold),
                   f.devices)
            for f in truth.faults
        ],
        list(winter.complaints),
    )  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {
        "head": np.frombuffer(msgspec.json.encode(head), np.uint8),
        "room_c": truth.room_c,
        "twin_c": truth.twin_c,
        "fault_units": np.concatenate([np.zeros(0, np.int64), *(f.units for f in truth.faults)]),
        "fault_sizes": np.array([len(f.units) for f in truth.faults], np.int64),
        "fault_drop_k": np.concatenate(
            [np.zeros((0, truth.hours), np.float16), *(f.drop_k for f in truth.faults)]
        ).astype(np.float16),
    }
    for name in _TABLES:
        table: Columns = getattr(winter.rows, name)
        arrays |= {f"{name}.device": table.device, f"{name}.at": table.at}
        arrays |= {f"{name}.{column}": values for column, values in table.values.items()}
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    part.replace(path)


def load(path: Path) -> Winter:
    """Read a kept winter.

    Raises:
        Invalid: there is no such file, or it is none of ours.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return _read({name: file[name] for name in file.files})
    except (OSError, BadZipFile, KeyError, ValueError, msgspec.MsgspecError) as error:
        raise Invalid(
            f"{path} cannot be read as a kept winter: {error}.",
            "Make it anew with `hearthline score SCENARIO --keep FILE`.",
        ) from None


def _read(arrays: Mapping[str, NDArray[Any]]) -> Winter:
    head = msgspec.json.decode(arrays["head"].tobytes(), type=_Head)
    if head.version != VERSION:
        raise ValueError(f"it has version {head.version}, not {VERSION}")
    edges = np.concatenate([[0], np.cumsum(arrays["fault_sizes"])]).tolist()
    drop = arrays["fault_drop_k"].astype(np.float32)
    faults = [
        TrueFault(
            one.cause, one.places, one.onset_at, one.end_at,
            float("nan") if one.severity is None else one.severity, one.habit,
            arrays["fault_units"][first:last], drop[first:last], frozenset(one.cold), one.devices,
        )
        for one, first, last in zip(head.faults, edges, edges[1:], strict=False)
    ]  # fmt: skip
    room, twin = arrays["room_c"], arrays["twin_c"]
    truth = Truth(head.anchor, head.threshold_c, room, twin, faults, frozenset(head.odd_devices))
    return Winter(
        head.scenario, head.seed, head.coverage, head.anchor, head.until, head.threshold_c,
        head.timezone, head.ledger, Rows(*(_table(arrays, name) for name in _TABLES)),
        head.alarms, truth, head.complaints,
    )  # fmt: skip


def _table(arrays: Mapping[str, NDArray[Any]], name: str) -> Columns:
    apart = {f"{name}.device", f"{name}.at"}
    values = {
        key.removeprefix(f"{name}."): column
        for key, column in arrays.items()
        if key.startswith(f"{name}.") and key not in apart
    }
    return Columns(arrays[f"{name}.device"], arrays[f"{name}.at"], values)
