"""What only all that hangs on a source tells, for judging any part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.signs import Signal
from hearthline.domain.network import Network

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Shared:
    """What the meters of one source tell together, arrays (hours,).

    ``source_short`` are the hours in which it is short, ``supply_off_k`` by how much all secondary
    supplies lie over their usual: what all share is the weather's, not a curve's.
    """

    source_short: Bools
    supply_off_k: Floats

    @classmethod
    def quiet(cls, hours: int) -> Shared:
        """The source gives what it should, and nothing else is known."""
        return cls(np.zeros(hours, bool), np.zeros(hours))

    def plain(self) -> dict[str, Any]:
        """Lists and numbers."""
        return {
            "source_short": np.flatnonzero(self.source_short).tolist(),
            "supply_off_k": np.round(self.supply_off_k, 4).tolist(),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Shared:
        """What ``plain`` gave."""
        off = np.array(plain["supply_off_k"], np.float64)
        short = np.zeros(len(off), bool)
        short[np.array(plain["source_short"], np.int64)] = True
        return cls(short, off)


@dataclass(frozen=True)
class Overall:
    """What only all meters of a source together tell, hour by hour from ``start``.

    ``signals`` are the sources' signs; ``shared`` is the rest, by the source's code
    ("" for what hangs on one that nobody knows).
    """

    start: datetime
    signals: Sequence[Signal]
    shared: Mapping[str, Shared]

    @classmethod
    def quiet(cls, start: datetime) -> Overall:
        """Nothing is known of any source."""
        return cls(start, (), {})

    def plain(self) -> dict[str, Any]:
        """For keeping between the processes that judge a block: lists and numbers."""
        return {
            "start": self.start.isoformat(),
            "signals": msgspec.json.decode(msgspec.json.encode(list(self.signals))),
            "shared": {source: one.plain() for source, one in self.shared.items()},
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Overall:
        """What ``plain`` gave, after a way through JSON; an earlier version's shares nothing."""
        return cls(
            msgspec.convert(plain["start"], datetime),
            [msgspec.convert(_known(one), Signal) for one in plain["signals"]],
            {code: Shared.from_plain(one) for code, one in plain.get("shared", {}).items()},
        )

    def source_of(self, network: Network) -> str:
        """The source of a district, "" where nobody knows it."""
        return next((root for root in network.roots() if root in self.shared), "")

    def over(self, network: Network, start: datetime, hours: int) -> Shared:
        """What the source of a district shares, laid on other hours; False and 0 outside."""
        found = Shared.quiet(hours)
        known = self.shared.get(self.source_of(network))
        if known is not None:
            at = np.arange(hours) + int((start - self.start) / HOUR)
            inside = (at >= 0) & (at < len(known.source_short))
            found.source_short[inside] = known.source_short[at[inside]]
            found.supply_off_k[inside] = known.supply_off_k[at[inside]]
        return found


def _known(signal: Mapping[str, Any]) -> dict[str, Any]:
    """A signal as it was: JSON has no NaN, and says null."""
    nan = float("nan")
    values = {name: nan if value is None else value for name, value in signal["values"].items()}
    return {**signal, "values": values}
