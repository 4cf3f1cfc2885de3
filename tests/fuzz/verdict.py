"""What must hold for every message, sound or damaged: the checks of the fuzz run.

Decoders are called directly, so that an exception is an exception. What they give is then judged
by ``ingest.acceptance`` in batches, as ingest does, and looked at again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite
from random import Random

import msgspec
import numpy as np

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import LIMITS, PRINCIPAL, Quality, Reading
from hearthline.storage.columns import KINDS, KnownDevice, columns_of
from ingest.acceptance import Origin, Rules, judge
from ingest.formats import Registry
from ingest.formats.model import Decoded, Format
from ingest.formats.quantities import ESSENTIAL, QUANTITIES
from tests.fuzz.corpus import NOW, Corpus, Seed
from tests.fuzz.mutate import mutated

RULES = Rules(datetime(2005, 1, 1, tzinfo=UTC), timedelta(minutes=10))
BATCH = 512


class Broken(AssertionError):
    """A message for which something does not hold; its text has all that repeats it."""


@dataclass(slots=True)
class Tally:
    """What came of the messages."""

    messages: Counter[str] = field(default_factory=Counter)
    readings: int = 0
    flagged: int = 0
    refused: int = 0
    rejections: Counter[str] = field(default_factory=Counter)
    signs: int = 0

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.messages += other.messages
        self.readings += other.readings
        self.flagged += other.flagged
        self.refused += other.refused
        self.rejections += other.rejections
        self.signs += other.signs


def run(corpus: Corpus, chance: Random, count: int) -> Tally:
    """Decode ``count`` damaged messages.

    Raises:
        Broken: something does not hold for one of them.
    """
    tally, registry = Tally(), Registry()
    batch: list[tuple[int, Seed, Reading]] = []
    for number in range(count):
        seed = mutated(chance, chance.choice(corpus.seeds), corpus.seeds)
        one = registry.speaker(seed.topic, seed.payload)
        tally.messages[one.name if one else "none"] += 1
        if one is None:
            continue
        decoded = examined(one, seed, corpus)
        tally.signs += len(decoded.signs)
        tally.rejections.update(rejection.reason for rejection in decoded.rejections)
        batch += [(number, seed, reading) for reading in decoded.readings]
        if len(batch) >= BATCH:
            _judged(batch, tally)
            batch.clear()
    _judged(batch, tally)
    return tally


def examined(one: Format, seed: Seed, corpus: Corpus) -> Decoded:
    """The outcome of a decoder, if it is what an outcome must be.

    Raises:
        Broken: it is not, or the decoder raised.
    """
    try:
        decoded = one.decode(seed.topic, seed.payload, NOW, corpus.context)
        said = "; ".join(complaints(decoded, seed))
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    if said:
        raise Broken(f"{one.name}: {said}\n  topic {seed.topic!r}\n  payload {seed.payload!r}")
    return decoded


def complaints(decoded: Decoded, seed: Seed) -> Iterable[str]:
    """What is wrong with an outcome."""
    for number, reading in enumerate(decoded.readings):
        yield from _about_reading(reading)
        decoded.item(number, seed.payload)
    for sign in decoded.signs:
        yield from _about_name(sign.device_uid)
        yield from _about_time(sign.time)
        for name in ("battery_pct", "humidity_pct"):
            value = getattr(sign, name)
            if value is not None and not LIMITS[name][0] <= value <= LIMITS[name][1]:
                yield f"a sign's {name} is {value}"
    for rejection in decoded.rejections:
        if not rejection.detail or not isinstance(rejection.payload, bytes):
            yield f"a rejection without a reason: {rejection}"
    msgspec.json.encode(decoded.learnt)


def _about_reading(reading: Reading) -> Iterable[str]:
    yield from _about_name(reading.device_uid)
    yield from _about_time(reading.time)
    if type(reading) is not KINDS[reading.kind]:
        yield f"{reading!r} is no reading"
    if not isinstance(reading.quality, Quality):
        yield f"its quality is {reading.quality!r}"
    if reading.seq is not None and (type(reading.seq) is not int or not 0 <= reading.seq < 1 << 63):
        yield f"its seq is {reading.seq!r}"
    values = {name: getattr(reading, name) for name in QUANTITIES[reading.kind]}
    for name, value in values.items():
        if value is not None and (type(value) is not float or not isfinite(value)):
            yield f"{name} is {value!r}"
    essential = ESSENTIAL[reading.kind]
    needed = [values[essential]] if essential else list(values.values())
    if all(value is None for value in needed):
        yield "it says nothing"


def _about_name(uid: str) -> Iterable[str]:
    if not isinstance(uid, str) or not uid.partition(":")[2]:
        yield f"the uid is {uid!r}"
    elif not uid.isprintable():
        yield f"the uid is not printable: {uid!r}"


def _about_time(at: datetime) -> Iterable[str]:
    if not isinstance(at, datetime) or at.tzinfo is not UTC:
        yield f"the time is {at!r}"


def _judged(batch: list[tuple[int, Seed, Reading]], tally: Tally) -> None:
    """Judge readings by kind, and see that nothing impossible stays unflagged.

    Raises:
        Broken: something does.
    """
    for kind in DeviceKind:
        rows = [row for row in batch if row[2].kind is kind]
        if not rows:
            continue
        numbers = {uid: n for n, uid in enumerate({reading.device_uid for _, _, reading in rows})}
        devices = [KnownDevice(numbers[one.device_uid], kind, 1200) for _, _, one in rows]
        lot = columns_of(kind, devices, [reading for _, _, reading in rows], NOW)
        messages = np.array([number for number, _, _ in rows], np.int64)
        refused = judge(lot, Origin(messages, np.zeros(len(rows), bool)), RULES)
        kept = np.ones(len(rows), bool)
        kept[list(refused)] = False
        for name, (low, high) in ((name, LIMITS[name]) for name in QUANTITIES[kind]):
            flag = Quality.OUT_OF_RANGE if name in PRINCIPAL[kind] else Quality.BESIDE_OUT_OF_RANGE
            column = lot.values[name]
            impossible = kept & ~np.isnan(column) & ~((column >= low) & (column <= high))
            unflagged = impossible & (lot.quality & int(flag) == 0)
            if unflagged.any():
                _, seed, reading = rows[int(np.flatnonzero(unflagged)[0])]
                raise Broken(f"{name} is not flagged: {reading}\n  {seed!r}")
        tolerance = RULES.clock_tolerance // timedelta(microseconds=1)
        late = kept & (lot.times > lot.received + tolerance)
        if late.any():
            _, seed, reading = rows[int(np.flatnonzero(late)[0])]
            raise Broken(f"kept from the future: {reading}\n  {seed!r}")
        tally.readings += int(kept.sum())
        tally.refused += len(refused)
        tally.flagged += int((kept & (lot.quality != 0)).sum())
