"""Several networks' meters read as one say what each of them says alone."""

from dataclasses import fields

import numpy as np
import pytest

from analytics.observed import MeterTable, Observed, Weather
from analytics.overall import Overall
from analytics.plant import read_network
from analytics.plants import signals
from analytics.signs import Sign, Signal
from analytics.window import HOUR, room_window
from hearthline.domain.places import DeviceRole
from hearthline.storage.analysis import Columns
from tests.unit.analytics.test_plant import HOURS, NETWORK, OUTDOOR, START, changed, plant

WEATHER = Weather(START, OUTDOOR, *(np.full(HOURS, np.nan) for _ in range(2)))
NAMES = [f.name for f in fields(MeterTable) if f.name not in ("start", "meters")]
NO_ROWS = Columns(
    np.zeros(0, np.int64),
    np.zeros(0),
    {name: np.zeros(0) for name in ("mean_c", "min_c", "max_c", "n", "covered_min")},
)


def ill() -> MeterTable:
    """Two stations with faults of their own, one with a clogged branch, and a sound one."""
    table = changed(plant(), "supply_c", "S1", DeviceRole.SECONDARY, lambda v: v - 6.0)
    table = changed(table, "return_c", "S2", DeviceRole.PRIMARY, lambda v: v + 8.0)
    return changed(table, "flow_m3h", "S3-B2", DeviceRole.BRANCH, lambda v: v * 0.7)


def district(table: MeterTable, overall: Overall, code: str, first: int = 0) -> Observed:
    """A station with its rows of the table from an hour on."""
    part = NETWORK.part(code)
    rows = [at for at, meter in enumerate(table.meters) if meter in part.instruments]
    mine = MeterTable(
        table.start + first * HOUR,
        tuple(table.meters[row] for row in rows),
        **{name: getattr(table, name)[rows, first:] for name in NAMES},
    )
    rooms = room_window(NO_ROWS, part, START, START)
    return Observed(part, rooms, mine, [], WEATHER, np.zeros((0, 28)), overall)


def same(one: list[Signal], other: list[Signal]) -> bool:
    """Whether the signs are the same, their numbers to what arithmetic leaves."""

    def plain(told: list[Signal]) -> list[tuple[object, ...]]:
        return [(s.sign, s.place, s.since, s.until, list(s.values)) for s in told]

    numbers = [[list(s.values.values()) for s in told] for told in (one, other)]
    return plain(one) == plain(other) and all(
        a == pytest.approx(b, nan_ok=True) for a, b in zip(*numbers, strict=True)
    )


@pytest.mark.parametrize("late", [0, 24])
def test_each_network_gets_its_own_signs_whoever_is_read_with_it(late: int) -> None:
    table = ill()
    overall = read_network(table, WEATHER, NETWORK)
    first, *others = NETWORK.districts()
    seen = [
        district(table, overall, first, late),
        *(district(table, overall, code) for code in others),
    ]

    together = signals(seen)

    assert all(same(told, signals([one])[0]) for told, one in zip(together, seen, strict=True))
    assert [{s.sign for s in told} for told in together] == [
        {Sign.SUPPLY_LOW},
        {Sign.APPROACH_HIGH},
        {Sign.FLOW_LOW},
        set(),
    ]
