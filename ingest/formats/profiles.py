"""Device profiles: which field of a message is which quantity, and which probe is the room.

A profile is data. Ours stand in ``profiles.yaml`` beside this module; a company adds its own in a
file that HEARTHLINE_PROFILES names, and the ledger gives devices their profile by its name. A
device without one is read by the default of its format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hearthline.domain.places import DeviceKind, FlowPipe
from ingest.formats.values import number


@dataclass(frozen=True, slots=True)
class Source:
    """A field of a message, and how its number becomes ours: ``said * scale + offset``."""

    field: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """How one model of device is read.

    ``quantities`` gives, for each of our quantities, the fields that may hold it; the first that
    is there with a value counts. ``flow_pipe`` is where a heat meter's flow sensor sits, ``probe``
    the name or address of the probe that hangs in the room where a device has several.
    """

    name: str
    kind: DeviceKind
    quantities: Mapping[str, tuple[Source, ...]]
    flow_pipe: FlowPipe | None = None
    probe: str | None = None
    fault_field: str | None = None
    fault_free: tuple[str, ...] = ()

    def read(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Our quantities from a message's fields; absent where not said.

        Values that need no arithmetic stay as they were said (perhaps a text such as "95.2%"),
        for ``formats.quantities.reading`` to judge.

        Raises:
            Refused: NOT_A_NUMBER where a value to be converted is none.
        """
        found: dict[str, Any] = {}
        for quantity, sources in self.quantities.items():
            for source in sources:
                value = said.get(source.field)
                if value is None or value == "":
                    continue
                found[quantity] = _converted(source, value)
                break
        return found


def _converted(source: Source, value: Any) -> Any:
    if source.scale == 1.0 and source.offset == 0.0:
        return value
    plain = number(source.field, value)
    return None if plain is None else plain * source.scale + source.offset
