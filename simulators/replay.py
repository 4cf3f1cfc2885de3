"""Measured series published as device messages, and the ledger of the dwellings they are from.

Every file is one device. Rooms may speak any of the three formats; weather stations always speak
our own, since the other two have no word for the sky. Readings come in event-time order.
"""

from __future__ import annotations

import heapq
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from zlib import crc32

from hearthline.domain.places import (
    Device,
    DeviceKind,
    DeviceRole,
    HeatingStatus,
    Ledger,
    Place,
    PlaceKind,
    StatusPeriod,
    UnitFacts,
    UnitPosition,
)
from simulators import wire
from simulators.live import Clock, Progress, paced
from simulators.post import Message
from simulators.series import Rows, Sample, Series, all_series, dwelling_of, read

HEATED_SINCE = datetime(2000, 1, 1, tzinfo=UTC)
AREA_M2 = 80.0
GATEWAY = "replay-gateway"
_PROGRESS_EVERY = 1000


class Format(StrEnum):
    """Formats in which a room series can be published."""

    OWN = "own"
    CHIRPSTACK = "chirpstack"
    ZIGBEE2MQTT = "zigbee2mqtt"


@dataclass(slots=True)
class ReplayReport:
    """What was read and what was published."""

    rows: Rows = field(default_factory=Rows)
    messages: int = 0
    readings: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every row was published or is counted as bad."""
        return self.rows.rows == self.rows.good + sum(self.rows.bad.values())


@dataclass(frozen=True, slots=True)
class _Voice:
    """How one series speaks: its name on the wire, its topic and its uid."""

    series: Series
    style: Format
    site: str

    @property
    def eui(self) -> str:
        """The radio address made from the file's name."""
        return wire.dev_eui(crc32(self.series.name.encode()))

    @property
    def uid(self) -> str:
        """The device as the ledger calls it."""
        if self.style is Format.CHIRPSTACK:
            return f"chirpstack:{self.eui}"
        if self.style is Format.ZIGBEE2MQTT:
            return f"zigbee2mqtt:{self.series.name}"
        return f"own:{self.site}/{self.series.name}"

    def item(self, sample: Sample, frame: int, shift_s: int) -> bytes:
        """One sample of our own format as part of a gateway's batch."""
        ts = wire.iso(sample.at_s + shift_s, UTC)
        return wire.own_item(sample.quantities, ts, seq=frame, device=self.series.name)

    def message(self, sample: Sample, frame: int, shift_s: int) -> Message:
        """One sample as one message."""
        at_s = sample.at_s + shift_s
        if self.style is Format.OWN:
            topic = wire.own_topic(self.site, self.series.name, self.series.kind)
            payload = wire.own_item(sample.quantities, wire.iso(at_s, UTC), seq=frame)
            return Message(topic, payload, 1, at_s)
        temperature = sample.quantities["temperature_c"]
        humidity = sample.quantities.get("humidity_pct")
        if self.style is Format.CHIRPSTACK:
            payload = wire.chirpstack_up(
                self.eui,
                self.series.name,
                at_s,
                frame=frame,
                temperature_c=temperature,
                humidity_pct=humidity,
            )
            return Message(wire.chirpstack_topic(self.eui), payload, 1, at_s)
        payload = wire.zigbee_state(at_s, UTC, temperature, humidity)
        return Message(wire.zigbee_topic(self.series.name), payload, 1, at_s)


def _voice(series: Series, as_format: str, site: str) -> _Voice:
    spoken = Format(as_format) if series.kind is DeviceKind.ROOM else Format.OWN
    return _Voice(series, spoken, site)


def replay(
    files: Iterable[Path | str],
    *,
    as_format: str = "own",
    site: str = "measured",
    batch: int = 1,
    shift: timedelta | None = None,
    speed: float | None = None,
    clock: Clock | None = None,
    stop: threading.Event | None = None,
    report: ReplayReport | None = None,
    progress: Progress | None = None,
) -> Iterator[Message]:
    """Messages of measured series in event-time order.

    Args:
        files: series, or folders of them.
        as_format: ``own``, ``chirpstack`` or ``zigbee2mqtt`` for rooms.
        site: site in the topics of our own format.
        batch: our own format only: so many readings of one kind in one gateway message.
        shift: added to every instant, e.g. to let a winter end now.
        speed: event seconds per second; None publishes as fast as the caller takes messages.
        clock: for the pacing; tests pass their own.
        stop: ends a paced replay.
        report: filled while messages are taken.
        progress: called now and then with (messages, all, event time).

    Raises:
        SeriesError: a file is no series.
        ValueError: there is no such format.
    """
    books = report if report is not None else ReplayReport()
    voices = [_voice(series, as_format, site) for series in all_series(files)]
    shift_s = round((shift or timedelta(0)).total_seconds())
    samples = _merged(voices, books.rows)
    messages = _counted(_spoken(samples, shift_s, site, batch), books, progress)
    if speed is None:
        return messages
    return paced(messages, speed, clock=clock, stop=stop)


_Spoken = tuple[_Voice, Sample, int]


def _merged(voices: Sequence[_Voice], rows: Rows) -> Iterator[_Spoken]:
    """Samples of all files by time; two at one instant in the order of the files."""
    everything = [(voice, read(voice.series, rows)) for voice in voices]
    streams = [_stream(voice, samples) for voice, samples in everything]
    return heapq.merge(*streams, key=lambda spoken: spoken[1].at_s)


def _stream(voice: _Voice, samples: list[Sample]) -> Iterator[_Spoken]:
    return ((voice, sample, frame) for frame, sample in enumerate(samples))


def _spoken(samples: Iterator[_Spoken], shift_s: int, site: str, batch: int) -> Iterator[Message]:
    """Messages of samples; our own format in batches of one kind where that is wanted."""
    waiting: dict[DeviceKind, list[bytes]] = defaultdict(list)
    last_s = 0
    for voice, sample, frame in samples:
        last_s = sample.at_s + shift_s
        if batch <= 1 or voice.style is not Format.OWN:
            yield voice.message(sample, frame, shift_s)
            continue
        kind = voice.series.kind
        waiting[kind].append(voice.item(sample, frame, shift_s))
        if len(waiting[kind]) >= batch:
            yield _batch(site, kind, waiting.pop(kind), last_s)
    for kind, items in waiting.items():
        yield _batch(site, kind, items, last_s)


def _batch(site: str, kind: DeviceKind, items: list[bytes], due: int) -> Message:
    topic = wire.own_topic(site, GATEWAY, kind)
    return Message(topic, wire.own_array(items), len(items), due)


def _counted(
    messages: Iterator[Message], books: ReplayReport, progress: Progress | None
) -> Iterator[Message]:
    """The same messages, counted as they are taken."""
    for message in messages:
        books.messages += 1
        books.readings += message.readings
        if progress is not None and books.messages % _PROGRESS_EVERY == 0:
            text = datetime.fromtimestamp(message.due, UTC).isoformat(timespec="minutes")
            progress(books.messages, books.rows.good, text)
        yield message


def ledger_for(
    files: Iterable[Path | str],
    *,
    as_format: str = "own",
    site: str = "measured",
    root: str = "MEASURED",
) -> Ledger:
    """A small tree under which measured dwellings can be registered.

    One dwelling for all series of one dwelling (``R2_indoor1`` and ``R2_indoor2`` are both in
    ``R2``; a folder of rooms is one dwelling named like the folder). Radiator-mounted sensors are
    bound as room sensors too: they are the misplaced ones. Areas and floors are not in the files;
    80 m² on successive floors stand in.

    Raises:
        SeriesError: a file is no series.
    """
    voices = [_voice(series, as_format, site) for series in all_series(files)]
    rooms = [voice for voice in voices if voice.series.kind is DeviceKind.ROOM]
    dwellings = sorted({dwelling_of(voice.series) for voice in rooms})
    places = [*_trunk(root), *(_unit(root, code, at) for at, code in enumerate(dwellings, 1))]
    return Ledger(
        places=tuple(places),
        units=tuple(
            UnitFacts(code, AREA_M2, floor, 1, UnitPosition.MIDDLE)
            for floor, code in enumerate(dwellings, 1)
        ),
        statuses=tuple(StatusPeriod(code, HeatingStatus.ON, HEATED_SINCE) for code in dwellings),
        devices=tuple(_device(voice, root) for voice in voices),
    )


def _trunk(root: str) -> list[Place]:
    """Source to riser: one of each."""
    substation, building = f"{root}-S1", f"{root}-S1-B01"
    return [
        Place(root, PlaceKind.SOURCE, None, "Measured series", "实测数据"),
        Place(substation, PlaceKind.SUBSTATION, root, "Measured substation", "实测换热站", 1),
        Place(f"{substation}-C1", PlaceKind.CIRCUIT, substation, "Circuit 1", "一号环路", 1),
        Place(building, PlaceKind.BUILDING, f"{substation}-C1", "Measured building", "实测楼", 1),
        Place(f"{building}-E1", PlaceKind.ENTRANCE, building, "Entrance 1", "1单元", 1),
        Place(f"{building}-E1-R1", PlaceKind.RISER, f"{building}-E1", "Riser 1", "1号立管", 1),
    ]


def _unit(root: str, code: str, floor: int) -> Place:
    parent = f"{root}-S1-B01-E1-R1"
    return Place(code, PlaceKind.UNIT, parent, f"Dwelling {code}", f"住户{code}", floor)


def _device(voice: _Voice, root: str) -> Device:
    series = voice.series
    every = _interval(series)
    if series.kind is DeviceKind.WEATHER:
        return Device(voice.uid, series.kind, DeviceRole.WEATHER, root, None, every)
    return Device(voice.uid, series.kind, DeviceRole.ROOM, dwelling_of(series), None, every)


def _interval(series: Series) -> int:
    """Median spacing of a series' first samples, s."""
    instants = [sample.at_s for sample in read(series, Rows(), most=200)]
    gaps = sorted(later - earlier for earlier, later in pairwise(instants))
    return gaps[len(gaps) // 2] if gaps else 3600
