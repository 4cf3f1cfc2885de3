"""Which meters belong together: a secondary circuit with its primary side and its branches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hearthline.domain.network import Instrument, Network
from hearthline.domain.places import DeviceRole, PlaceKind


@dataclass(frozen=True, slots=True)
class Circuit:
    """Rows of a list of meters: one secondary circuit, -1 where it has no primary meter.

    ``place`` is where the secondary meter hangs (a substation, or one of its circuits);
    ``branches`` are the meters of whole buildings below it.
    """

    substation: str
    place: str
    primary: int
    secondary: int
    branches: tuple[int, ...]


def circuits_of(meters: Sequence[Instrument], network: Network) -> list[Circuit]:
    """Every secondary circuit with a meter of its own."""
    kind = {meter.place: network.nodes[meter.place].kind for meter in meters}
    primary: dict[str, int] = {}
    branches = []
    for row, meter in enumerate(meters):
        if meter.role is DeviceRole.PRIMARY and kind[meter.place] is PlaceKind.SUBSTATION:
            primary.setdefault(meter.place, row)
        if meter.role is DeviceRole.BRANCH and kind[meter.place] is PlaceKind.BUILDING:
            branches.append((network.path_of[meter.place], row))
    found = []
    for row, meter in enumerate(meters):
        if meter.role is DeviceRole.SECONDARY:
            substation = network.ancestor(meter.place, PlaceKind.SUBSTATION) or meter.place
            here = network.path_of[meter.place]
            below = tuple(branch for path, branch in branches if path.startswith(here))
            mains = primary.get(substation, -1)
            found.append(Circuit(substation, meter.place, mains, row, below))
    return found


def shifted(circuit: Circuit, rows: int) -> Circuit:
    """The same circuit in a list of meters before which so many others stand."""
    return Circuit(
        circuit.substation,
        circuit.place,
        circuit.primary + rows if circuit.primary >= 0 else -1,
        circuit.secondary + rows,
        tuple(row + rows for row in circuit.branches),
    )
