"""Messages that no receiver should store: truncated, misdated, not numbers, from strangers.

All speak our own format. At most one of each kind is made in a step, by its instant alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hearthline.domain.places import DeviceKind
from simulators import rand, wire
from simulators.post.windows import DAY_S
from simulators.report import Kind
from simulators.scenario import BehaviourSpec

_YEAR_S = 365 * DAY_S


def strikes(
    spec: BehaviourSpec, seed: int, offset_s: int, seconds: int
) -> Iterator[tuple[Kind, int]]:
    """Which kinds of bad message a step brings, and when (seconds from the anchor)."""
    rates = (
        (Kind.MALFORMED, spec.malformed_per_day),
        (Kind.CLOCK_1970, spec.clock_1970_per_day),
        (Kind.CLOCK_AHEAD, spec.clock_ahead_per_day),
        (Kind.NAN, spec.nan_per_day),
        (Kind.UNKNOWN_DEVICE, spec.unknown_per_day),
    )
    for kind, rate in rates:
        stream = f"post/{kind}"
        if rand.chance(seed, stream, offset_s) < rate * seconds / DAY_S:
            yield kind, offset_s + int(seconds * rand.chance(seed, stream + "/at", offset_s))


def spoilt(kind: Kind, due: int, anchor_s: int, meter: wire.Identity) -> wire.Said:
    """A bad message as if from a meter of our own format; ``due`` counts from the anchor."""
    unix_s = anchor_s + due
    quantities = {"supply_c": 61.2, "return_c": 44.9, "flow_m3h": 3.1}
    if kind is Kind.CLOCK_1970:
        return wire.Said(meter.topic, wire.own_item(quantities, 40 + due % 900))
    if kind is Kind.CLOCK_AHEAD:
        return wire.Said(meter.topic, wire.own_item(quantities, unix_s + _YEAR_S))
    whole = wire.own_item(quantities, unix_s)
    if kind is Kind.NAN:
        return wire.Said(meter.topic, whole.replace(b"61.2", b"NaN"))
    return wire.Said(meter.topic, whole[: len(whole) // 2])


def stranger(site: str, number: int, unix_s: int) -> wire.Said:
    """A good reading of a room sensor that is in nobody's ledger."""
    topic = wire.own_topic(site, f"SPARE-{number % 7}", DeviceKind.ROOM)
    return wire.Said(topic, wire.own_item({"temperature_c": 21.4}, unix_s))


def pick(meters: Sequence[int], seed: int, due: int) -> int:
    """One of the meters, by the instant."""
    return meters[int(rand.bits(seed, "post/spoilt", due)[0]) % len(meters)]
