"""What a run published, to the last reading, so that a receiver's books can be balanced.

Every published reading is exactly one of: good (first copy of a valid reading), a duplicate of
one, or bad. So ``readings == good + duplicates + sum(bad.values())``, and a receiver must end
with ``good`` rows, ``sum(bad.values())`` dead letters, and ``duplicates`` ignored.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a published reading is."""

    GOOD = "good"
    DUPLICATE = "duplicate"
    MALFORMED = "malformed"
    CLOCK_1970 = "clock_1970"
    CLOCK_AHEAD = "clock_ahead"
    NAN = "nan"
    UNKNOWN_DEVICE = "unknown_device"


@dataclass(slots=True)
class Report:
    """Counts of one run; ``lost`` never left the device, ``held`` waits in a gateway."""

    messages: int = 0
    readings: int = 0
    good: int = 0
    duplicates: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    held: int = 0

    def count(self, kind: Kind, readings: int) -> None:
        """Note one published message of ``readings`` readings."""
        self.messages += 1
        self.readings += readings
        if kind is Kind.GOOD:
            self.good += readings
        elif kind is Kind.DUPLICATE:
            self.duplicates += readings
        else:
            self.bad[str(kind)] += readings

    @property
    def dead_letters(self) -> int:
        """Readings that a receiver must refuse and keep."""
        return sum(self.bad.values())

    @property
    def balanced(self) -> bool:
        """Whether every reading is accounted for."""
        return self.readings == self.good + self.duplicates + self.dead_letters

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "messages": self.messages,
            "readings": self.readings,
            "good": self.good,
            "duplicates": self.duplicates,
            "bad": dict(sorted(self.bad.items())),
            "lost": self.lost,
            "held": self.held,
        }
