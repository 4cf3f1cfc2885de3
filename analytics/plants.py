"""What the meters of several networks say, read as one: a sign is a circuit's, wherever it hangs.

The tables of many circuits cost little more than those of one; networks of one source share that
and the weather, and nothing else that a sign looks at, so that each sign is what it would be if its
network were read alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from analytics.observed import MeterTable, Observed
from analytics.plant import Look, read_plant
from analytics.signs import Signal, read
from analytics.stations import Circuit, circuits_of, shifted


def signals(seen: Sequence[Observed]) -> list[list[Signal]]:
    """What the meters of each network say, and those of all networks together, by time.

    ``seen`` are parts of one city: they share weather and ``overall``.
    """
    found: list[list[Signal]] = [
        [signal for station in one.stations for signal in read(station)] for one in seen
    ]
    alike: dict[tuple[datetime, int, str], list[int]] = {}
    for at, one in enumerate(seen):
        if one.meters.hours and one.meters.meters:
            source = one.overall.source_of(one.network)
            alike.setdefault((one.meters.start, one.meters.hours, source), []).append(at)
    for those in alike.values():
        for at, told in zip(those, _hourly([seen[at] for at in those]), strict=True):
            found[at] += told
    return [
        sorted([*told, *one.overall.signals], key=lambda s: (s.since, s.place))
        for one, told in zip(seen, found, strict=True)
    ]


def _hourly(seen: Sequence[Observed]) -> list[list[Signal]]:
    """The hourly signs of each network; all tables are of the same hours, below one source."""
    circuits: list[Circuit] = []
    owner: dict[str, int] = {}
    rows = 0
    for number, one in enumerate(seen):
        for circuit in circuits_of(one.meters.meters, one.network):
            circuits.append(shifted(circuit, rows))
            branches = [one.meters.meters[row].place for row in circuit.branches]
            owner |= dict.fromkeys((circuit.substation, circuit.place, *branches), number)
        rows += len(one.meters.meters)
    table = MeterTable.stacked([one.meters for one in seen])
    found: list[list[Signal]] = [[] for _ in seen]
    shared = seen[0].overall.over(seen[0].network, table.start, table.hours)
    for signal in read_plant(Look(table, seen[0].weather, circuits, shared)):
        found[owner[signal.place]].append(signal)
    return found
