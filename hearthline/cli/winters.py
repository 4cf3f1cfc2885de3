"""A scenario simulated into memory: messages to rows, and the truth beside them, on all cores.

The simulator runs in this process, decoding and the runs of the truth in two others, so that a
winter takes as long as the slowest of the three.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from analytics import rolling
from analytics.memory import Intake, Rows, Said, joined, network_of, rows_of
from analytics.scoring.said import alarms
from analytics.scoring.truth import TrueFault, Truth
from analytics.scoring.winter import Winter
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceKind, Ledger
from hearthline.storage.columns import Columns

if TYPE_CHECKING:
    from analytics.offline import Progress
    from simulators import City
    from simulators.truth.alone import Effects

STEP = timedelta(hours=6)
AHEAD = 3
"""Blocks of messages that may wait to be decoded."""

_intakes: list[Intake] = []


def anchor_of(city: City) -> datetime:
    """Local midnight of the scenario's day, in the winter of 2025/26."""
    zone = ZoneInfo(city.scenario.timezone)
    number = city.scenario.weather.day_of_year
    year = 2025 if number > 200 else 2026
    day = date(year, 1, 1) + timedelta(days=number - 1)
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def simulate(city: City, length: timedelta, progress: Progress) -> Winter:
    """Run a city: its messages decoded and rolled up, and its truth."""
    from simulators.calls import of_town
    from simulators.truth import alone
    from simulators.truth.oddities import odd_sensors

    anchor = anchor_of(city)
    length -= length % timedelta(hours=1)
    ledger = city.ledger_at(anchor)
    network = network_of(ledger, anchor)
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, context) as truth_pool,
        ProcessPoolExecutor(1, context, initializer=_open, initargs=(ledger,)) as decoder,
    ):
        told = truth_pool.submit(alone.effects, city, anchor, length)
        lots = _messages(city, anchor, length, decoder, progress)
        rows = rows_of(lots)
        rooms = _rooms(lots)
        progress(1, 1, "waiting for the truth")
        effects = told.result()
    threshold_c = city.scenario.threshold_c
    raised = [] if rooms is None else alarms(rooms, network, threshold_c)
    return Winter(
        scenario=city.scenario.name,
        seed=city.seed,
        coverage=city.coverage,
        anchor=anchor,
        until=anchor + length,
        threshold_c=threshold_c,
        timezone=city.scenario.timezone,
        ledger=ledger,
        rows=rows,
        alarms=raised,
        truth=_truth(city, network, effects, odd_sensors(city, anchor)),
        complaints=of_town(city, anchor, effects.room_c),
    )


def heard(city: City, length: timedelta, progress: Progress) -> tuple[Ledger, Rows, datetime]:
    """What is heard of a city, without its truth: its ledger, its rows, and when they end."""
    anchor = anchor_of(city)
    ledger = city.ledger_at(anchor)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=_open, initargs=(ledger,)) as decoder:
        rows = rows_of(_messages(city, anchor, length, decoder, progress))
    return ledger, rows, anchor + length


def _messages(
    city: City,
    anchor: datetime,
    length: timedelta,
    decoder: ProcessPoolExecutor,
    progress: Progress,
) -> dict[DeviceKind, list[Columns]]:
    """Everything that a city publishes, decoded in another process."""
    import simulators

    lots: dict[DeviceKind, list[Columns]] = {}
    waiting: deque[Future[dict[DeviceKind, Columns]]] = deque()

    def gather() -> None:
        for kind, lot in waiting.popleft().result().items():
            lots.setdefault(kind, []).append(lot)

    hours = length / timedelta(hours=1)
    for block in simulators.run(city, anchor, anchor + length, STEP):
        said = [(m.topic, m.payload, m.due) for m in block.messages]
        waiting.append(decoder.submit(_take, said))
        while len(waiting) > AHEAD:
            gather()
        done = (block.until - anchor) / timedelta(hours=1)
        progress(done, hours, f"simulated to {block.until:%m-%d %H:%M}")
    while waiting:
        gather()
    return lots


def _open(ledger: Ledger) -> None:
    """Make the intake of a decoding process."""
    import gc

    gc.disable()  # nothing decoded has cycles, and there is a lot of it
    _intakes.append(Intake(ledger))


def _take(said: Sequence[tuple[str, bytes, float]]) -> dict[DeviceKind, Columns]:
    """Decode some messages, after those before them."""
    return _intakes[0].take(Said(*one) for one in said)


def _rooms(lots: dict[DeviceKind, list[Columns]]) -> Columns | None:
    """The usable room readings in order of sensor and time."""
    if DeviceKind.ROOM not in lots:
        return None
    rooms = joined(lots[DeviceKind.ROOM])
    return rolling.first_of_each(rooms[rooms.usable])


def _truth(city: City, network: Network, told: Effects, odd: frozenset[str]) -> Truth:
    """The simulator's truth in the order of the network's dwellings."""
    number = np.array([network.index[code] for code in city.unit_codes], np.int64)
    order = np.argsort(number)
    nobody, nothing = np.zeros(0, np.int64), np.zeros((0, len(told.room_c)), np.float32)
    faults = []
    for fault, one in enumerate(city.truth):
        effect = told.effects.get(fault)
        units = nobody if effect is None else number[effect.units]
        faults.append(
            TrueFault(
                cause=one.cause,
                places=one.places,
                onset_at=told.anchor + one.onset,
                end_at=None if one.end is None else told.anchor + one.end,
                severity=one.severity,
                habit=one.habit,
                units=units,
                drop_k=nothing if effect is None else np.ascontiguousarray(effect.drop_k.T),
                cold=frozenset() if effect is None else frozenset(units[effect.cold].tolist()),
                devices=one.devices,
            )
        )
    return Truth(
        told.anchor,
        city.scenario.threshold_c,
        np.ascontiguousarray(told.room_c[:, order].T),
        np.ascontiguousarray(told.twin_c[:, order].T),
        faults,
        odd,
    )
