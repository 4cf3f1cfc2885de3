"""What only the whole network tells, for judging any part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.signs import Signal

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Overall:
    """What only all meters together tell, hour by hour from ``start``.

    ``signals`` are the source's signs, ``source_short`` (hours,) the hours in which it is short,
    and ``supply_off_k`` (hours,) by how much all secondary supplies lie over their usual: what all
    share is the weather's, not a curve's.
    """

    start: datetime
    signals: Sequence[Signal]
    source_short: Bools
    supply_off_k: Floats

    @classmethod
    def quiet(cls, start: datetime, hours: int) -> Overall:
        """Nothing is known of the whole network."""
        return cls(start, (), np.zeros(hours, bool), np.zeros(hours))

    def plain(self) -> dict[str, Any]:
        """For keeping between the processes that judge a block: lists and numbers."""
        return {
            "start": self.start.isoformat(),
            "signals": msgspec.json.decode(msgspec.json.encode(list(self.signals))),
            "source_short": np.flatnonzero(self.source_short).tolist(),
            "supply_off_k": np.round(self.supply_off_k, 4).tolist(),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Overall:
        """What ``plain`` gave, after a way through JSON."""
        off = np.array(plain["supply_off_k"], np.float64)
        short = np.zeros(len(off), bool)
        short[np.array(plain["source_short"], np.int64)] = True
        return cls(
            msgspec.convert(plain["start"], datetime),
            [msgspec.convert(_known(one), Signal) for one in plain["signals"]],
            short,
            off,
        )

    def over(self, start: datetime, hours: int) -> tuple[Bools, Floats]:
        """``source_short`` and ``supply_off_k`` laid on other hours; False and 0 outside."""
        first = int((start - self.start) / HOUR)
        short, off = np.zeros(hours, bool), np.zeros(hours)
        at = np.arange(hours) + first
        known = (at >= 0) & (at < len(self.source_short))
        short[known], off[known] = self.source_short[at[known]], self.supply_off_k[at[known]]
        return short, off


def _known(signal: Mapping[str, Any]) -> dict[str, Any]:
    """A signal as it was: JSON has no NaN, and says null."""
    nan = float("nan")
    values = {name: nan if value is None else value for name, value in signal["values"].items()}
    return {**signal, "values": values}
