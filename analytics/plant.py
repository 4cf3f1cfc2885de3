"""What the meters of source, substations and branches say hour by hour: slow and common faults.

Each sign compares a meter with its own usual behaviour in such weather (``analytics.usual``) and
with what its fellows do, by the domain facts (sections 2 and 3):

=============  ===========================================================  =====================
sign           what is seen                                                 where
=============  ===========================================================  =====================
SOURCE_SHORT   primary supply under its schedule, valves open to the end    source
SUPPLY_LOW     secondary supply under its curve, valve not at its end       secondary meter
APPROACH_HIGH  primary return − secondary return grows: plates are dirty    substation
MAKEUP_HIGH    make-up over the usual, or pressure falling                  secondary meter
FLOW_LOW       less flow than usual though the pump lifts                   secondary or branch
FLOWS_SHIFTED  near branches take what the far ones lack                    secondary meter
=============  ===========================================================  =====================

What only all meters of a source tell (``read_network``: is it short? what do all supplies share?)
is read once; ``read_plant`` then reads any part of the network. A sign is entered after some hours
and left with hysteresis; hours that would feign another sign are blanked, and not learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.observed import MeterTable, Weather
from analytics.overall import Overall, Shared
from analytics.runs import above, below, extreme, last, row_runs, runs
from analytics.shifting import shifted
from analytics.signs import Sign, Signal
from analytics.stations import Circuit, circuits_of
from analytics.usual import (
    echo,
    latched,
    levels,
    median_of,
    ratios,
    regressors,
    residuals,
    sustained,
)
from hearthline.domain.network import Network
from hearthline.domain.places import DeviceRole

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
HOUR = timedelta(hours=1)

VALVE_OPEN_PCT = 97.0  # a control valve at its end: the station takes all it can get
SOURCE_SHORT_K, SOURCE_LEFT_K = -4.0, -2.0  # of the primary supply; its schedule spans some 60 K
SUPPLY_LOW_K, SUPPLY_LEFT_K = -2.0, -1.2  # a wrong curve is 3 to 10 K low (section 3)
APPROACH_GROWN_K, APPROACH_LEFT_K = 2.0, 1.2
APPROACH_FOULED_K = 7.5  # healthy 2–5 K, fouled 8–15 K (section 2)
MAKEUP_SHARE, MAKEUP_TIMES = 0.0013, 3.0  # of the circulation an hour; the limit is 1 % (section 1)
PRESSURE_LOST_KPA = 25.0  # some 2.5 m of water: the top floor begins to lack it
CIRCUIT_FLOW_LOW, CIRCUIT_FLOW_LEFT = 0.88, 0.94
BRANCH_FLOW_LOW, BRANCH_FLOW_LEFT = 0.955, 0.975  # heat meters repeat themselves within 0.5 %
STILL = 0.5  # of the usual flow
NO_FLOW_M3H = 0.02  # what a circuit's heat meter does not register any more
AFTER_H = 12  # hours for which a station recovers from a stop or a shortage

_SUPPLY_H, _SOURCE_H, _APPROACH_H, _MAKEUP_H, _FLOW_H = 3, 2, 12, 2, 4
_BRANCH_H = 6  # longer than a shift takes to be seen: that is told first


def read_network(table: MeterTable, weather: Weather, network: Network) -> Overall:
    """What only all meters of a source tell, source by source; of secondary ones, their supply."""
    signals: list[Signal] = []
    shared: dict[str, Shared] = {}
    places = [network.path_of[meter.place] for meter in table.meters]
    for source in network.roots() or [""]:
        path = network.path_of.get(source, "")
        part = table.only([row for row, place in enumerate(places) if place.startswith(path)])
        if part.hours and part.meters:
            circuits = circuits_of(part.meters, network)
            look = Look(part, weather, circuits, Shared.quiet(part.hours))
            signals += source_shortage(look, source)
            shared[source] = Shared(look.source_is_short, look.shared_supply_off_k)
    return Overall(table.start, signals, shared)


def read_plant(look: Look) -> list[Signal]:
    """The hourly signs of the places in a table, by the time they were established.

    Those of the source are in ``overall`` (``read_network``).
    """
    found = [signal for read in READERS for signal in read(look)]
    return sorted(found, key=lambda s: (s.since, s.place, s.sign))


class Look:
    """The table with what was usual of it; matrices are (circuits, hours) unless said otherwise."""

    def __init__(
        self, table: MeterTable, weather: Weather, circuits: Sequence[Circuit], shared: Shared
    ) -> None:
        self.table, self.circuits = table, circuits
        self.source_short, self.supply_off_k = shared.source_short, shared.supply_off_k
        self.outdoor_c = weather.outdoors(table.start, table.hours)
        self.weather = regressors(self.outdoor_c)
        self.rows = [circuit.secondary for circuit in self.circuits]

    def of_circuits(self, quantity: Floats) -> Floats:
        """A quantity of the secondary meters."""
        return quantity[self.rows]

    @cached_property
    def valve(self) -> Floats:
        """Each circuit's primary valve in %, NaN where it is not known."""
        nothing = np.full((1, self.table.hours), np.nan)
        padded = np.concatenate([self.table.valve_pct, nothing])
        return padded[[circuit.primary for circuit in self.circuits]]

    @cached_property
    def source_short_k(self) -> Floats:
        """Primary supply over its usual, median over all primary meters, (hours,)."""
        roles = [meter.role is DeviceRole.PRIMARY for meter in self.table.meters]
        supply = self.table.supply_c[np.flatnonzero(roles)]
        return median_of(residuals(supply, self.weather, lambda off: off < SOURCE_LEFT_K))

    @cached_property
    def valves_open(self) -> Floats:
        """Share of the known valves that are open to the end, (hours,); NaN: none is known."""
        known = ~np.isnan(self.table.valve_pct)
        count = known.sum(axis=0)
        opened = (known & (np.nan_to_num(self.table.valve_pct) >= VALVE_OPEN_PCT)).sum(axis=0)
        return np.where(count > 0, opened / np.maximum(count, 1), np.nan)

    @cached_property
    def supply_residual_k(self) -> Floats:
        """Secondary supplies over their usual, while water circulates."""
        supply = np.where(self.still, np.nan, self.of_circuits(self.table.supply_c))
        return residuals(supply, self.weather, lambda left: left < SUPPLY_LEFT_K)

    @cached_property
    def shared_supply_off_k(self) -> Floats:
        """What all secondary supplies share of that, (hours,); 0 where they are too few."""
        if len(self.circuits) < 4:
            return np.zeros(self.table.hours)
        shared: Floats = np.clip(np.nan_to_num(median_of(self.supply_residual_k)), -1.0, 1.0)
        return shared

    @cached_property
    def source_is_short(self) -> Bools:
        """Hours in which all primary meters say that the source is short, (hours,)."""
        off = self.source_short_k
        known = ~np.isnan(off)
        open_enough = np.isnan(self.valves_open) | (self.valves_open >= 0.5)
        enter = sustained((below(off, SOURCE_SHORT_K) & open_enough)[None], known[None], _SOURCE_H)
        held: Bools = latched(enter, (below(off, SOURCE_LEFT_K) | ~known)[None])[0]
        return held

    @cached_property
    def flow_ratio(self) -> Floats:
        """Flow over its usual of every meter, (meters, hours), at the speed of its pump now.

        By the affinity laws flow is proportional to speed; where a pump's speed is not known it
        is called constant.
        """
        flow = self.table.flow_m3h.copy()
        for circuit in self.circuits:
            speed = self.table.pump_hz[circuit.secondary]
            turning = np.where(speed > 1.0, speed, np.nan)
            if not np.isnan(turning).all():
                whole = np.where(np.isnan(turning), 1.0, turning / np.nanmedian(turning))
                flow[[circuit.secondary, *circuit.branches]] /= whole
        return ratios(flow)

    @cached_property
    def still(self) -> Bools:
        """Hours in or shortly after which hardly anything flowed."""
        nothing = below(self.of_circuits(self.table.flow_m3h) - NO_FLOW_M3H, 0.0)
        return echo(nothing | below(self.of_circuits(self.flow_ratio), STILL), AFTER_H)

    @cached_property
    def makeup_share(self) -> Floats:
        """Make-up over circulation."""
        flow, makeup = (
            self.of_circuits(self.table.flow_m3h),
            self.of_circuits(self.table.makeup_m3h),
        )
        share: Floats = np.divide(makeup, flow, out=np.full(flow.shape, np.nan), where=flow > 0)
        return share

    @cached_property
    def usual_makeup(self) -> Floats:
        """The usual share, at least what a sound circuit needs."""
        return np.fmax(levels(self.makeup_share), MAKEUP_SHARE)

    @cached_property
    def fallen_kpa(self) -> Floats:
        """By how much the static pressure lies under its usual."""
        pressure = self.of_circuits(self.table.return_kpa)
        return levels(pressure) - pressure

    @cached_property
    def leaking(self) -> Bools:
        """Hours in which a circuit loses water."""
        share, usual, fallen = self.makeup_share, self.usual_makeup, self.fallen_kpa
        much = above(share - MAKEUP_TIMES * usual, 0) | above(fallen, PRESSURE_LOST_KPA)
        still = above(share - 2.0 * usual, 0) | above(fallen, 0.6 * PRESSURE_LOST_KPA)
        known = ~np.isnan(share) | ~np.isnan(fallen)
        return latched(sustained(much, known, _MAKEUP_H), still | ~known)

    @cached_property
    def recovering(self) -> Bools:
        """Hours in or after a stop or a leak: what is measured then says little of curves."""
        return self.still | echo(self.leaking, AFTER_H)


def source_shortage(look: Look, source: str) -> Iterator[Signal]:
    """All that hangs on a source short of heat; one that nobody knows has no sign."""
    for run in runs(look.source_is_short) if source else ():
        values = {
            "short_k": -extreme(look.source_short_k, run, np.min),
            "open_pct": 100 * extreme(look.valves_open, run, np.max),
        }
        yield _signal(look, Sign.SOURCE_SHORT, source, run, values)


def supply_low(look: Look) -> Iterator[Signal]:
    """A circuit's curve is too low while its valve has room left."""
    supply = look.of_circuits(look.table.supply_c)
    off = look.supply_residual_k - look.supply_off_k
    known = ~np.isnan(off) & ~look.recovering & ~look.source_short
    room = ~above(look.valve, VALVE_OPEN_PCT)
    enter = sustained(below(off, SUPPLY_LOW_K) & room, known, _SUPPLY_H)
    held = latched(enter, below(off, SUPPLY_LEFT_K) | ~known)
    for at, run in row_runs(held):
        values = {
            "short_k": -extreme(off[at], run, np.median),
            "supply_c": last(supply[at], run),
            "valve_pct": last(look.valve[at], run),
            "outdoor_c": last(look.outdoor_c, run),
        }
        yield _signal(look, Sign.SUPPLY_LOW, look.circuits[at].place, run, values)


def approach_high(look: Look) -> Iterator[Signal]:
    """An exchanger whose approach has grown, or is beyond what a clean one shows."""
    of_substation: dict[int, list[int]] = {}
    for at, circuit in enumerate(look.circuits):
        if circuit.primary >= 0:
            of_substation.setdefault(circuit.primary, []).append(at)
    members = list(of_substation.values())
    if not members:
        return
    back = look.of_circuits(look.table.return_c)
    mixed = np.stack([median_of(back[group]) for group in members])
    blank = np.stack([look.recovering[group].any(axis=0) for group in members])
    blank |= echo(look.source_short[None], AFTER_H)
    primary = look.table.return_c[list(of_substation)]
    steady = np.where(blank, np.nan, primary - mixed)
    off = residuals(steady, look.weather, lambda left: left > APPROACH_LEFT_K)
    high = above(off, APPROACH_GROWN_K) | above(steady, APPROACH_FOULED_K)
    stay = above(off, APPROACH_LEFT_K) | above(steady, 0.9 * APPROACH_FOULED_K)
    known = ~np.isnan(steady)
    held = latched(sustained(high, known, _APPROACH_H), stay | ~known)
    for at, run in row_runs(held):
        first = members[at][0]
        values = {
            "approach_k": last(steady[at], run),
            "usual_k": last(steady[at] - off[at], run),
            "valve_pct": last(look.valve[first], run),
        }
        yield _signal(look, Sign.APPROACH_HIGH, look.circuits[first].substation, run, values)


def makeup_high(look: Look) -> Iterator[Signal]:
    """A circuit that loses water."""
    makeup = look.of_circuits(look.table.makeup_m3h)
    for at, run in row_runs(look.leaking):
        values = {
            "makeup_m3h": extreme(makeup[at], run, np.max),
            "share_pct": 100 * extreme(look.makeup_share[at], run, np.max),
            "usual_pct": 100 * last(look.usual_makeup[at], run),
            "fallen_kpa": max(0.0, extreme(look.fallen_kpa[at], run, np.max)),
        }
        yield _signal(look, Sign.MAKEUP_HIGH, look.circuits[at].place, run, values)


def flows(look: Look) -> Iterator[Signal]:
    """Circuits and branches that get less flow than usual, and flow shifted between branches."""
    own = look.of_circuits(look.flow_ratio)
    blank = below(own, 0.3) | echo(look.leaking, AFTER_H)
    yield from _low_circuits(look, own, blank)
    went = np.zeros(own.shape, bool)
    levels_of: list[Floats] = []
    for at, circuit in enumerate(look.circuits):
        branches = look.flow_ratio[list(circuit.branches)]
        went[at], level = shifted(branches, own[at], blank[at])
        levels_of.append(branches / level)
    for at, run in row_runs(went):
        now = [last(ratio, run) for ratio in levels_of[at]]
        values = {
            "rise_pct": 100 * (float(np.nanmax(now)) - 1.0),
            "fall_pct": 100 * (1.0 - float(np.nanmin(now))),
            "branches": float(len(now)),
        }
        yield _signal(look, Sign.FLOWS_SHIFTED, look.circuits[at].place, run, values)
    yield from _low_branches(look, blank | echo(went, AFTER_H))


READERS: tuple[Callable[[Look], Iterator[Signal]], ...] = (
    supply_low,
    approach_high,
    makeup_high,
    flows,
)


def _low_circuits(look: Look, ratio: Floats, blank: Bools) -> Iterator[Signal]:
    """Circuits that lost flow though their pump lifts as much as ever, or more."""
    lift = look.of_circuits(look.table.supply_kpa - look.table.return_kpa)
    lifts = ~below(lift - 0.97 * levels(lift), 0.0)
    known = ~np.isnan(ratio) & ~blank
    enter = sustained(below(ratio, CIRCUIT_FLOW_LOW) & lifts, known, _FLOW_H)
    for at, run in row_runs(latched(enter, below(ratio, CIRCUIT_FLOW_LEFT) | ~known)):
        circuit = look.circuits[at]
        if not _one_branch_explains(look, circuit, run):
            values = _flow_values(look, circuit.secondary, run) | {"lift_kpa": last(lift[at], run)}
            yield _signal(look, Sign.FLOW_LOW, circuit.place, run, values)


def _one_branch_explains(look: Look, circuit: Circuit, run: tuple[int, int]) -> bool:
    """Whether one branch lost as much flow as its circuit did."""

    def lost(row: int) -> float:
        values = _flow_values(look, row, run)
        return values["before_m3h"] - values["flow_m3h"]

    worst = max((lost(row) for row in circuit.branches), default=0.0)
    return worst >= 0.7 * lost(circuit.secondary)


def _low_branches(look: Look, blank: Bools) -> Iterator[Signal]:
    """Branches that lost flow that their fellows did not lose."""
    for at, circuit in enumerate(look.circuits):
        rows = list(circuit.branches)
        if not rows:
            continue
        ratio = look.flow_ratio[rows] / np.fmin(look.flow_ratio[circuit.secondary], 1.0)
        known = ~np.isnan(ratio) & ~blank[at]
        enter = sustained(below(ratio, BRANCH_FLOW_LOW), known, _BRANCH_H)
        back = look.table.return_c[rows]
        peers = median_of(back)
        for branch, run in row_runs(latched(enter, below(ratio, BRANCH_FLOW_LEFT) | ~known)):
            values = _flow_values(look, rows[branch], run) | {
                "return_c": last(back[branch], run),
                "peers_return_c": last(peers, run),
            }
            place = look.table.meters[rows[branch]].place
            yield _signal(look, Sign.FLOW_LOW, place, run, values)


def _flow_values(look: Look, row: int, run: tuple[int, int]) -> dict[str, float]:
    """Flow now and before, its ratio in %, and how many hours it took to fall."""
    ratio, (first, until) = look.flow_ratio[row], run
    now, flow = last(ratio, run), last(look.table.flow_m3h[row], run)
    whole = np.flatnonzero(~below(ratio[: first + 1], 1.0 - 0.25 * (1.0 - min(now, 0.99))))
    began = int(whole[-1]) + 1 if len(whole) else 0
    low = np.flatnonzero(below(ratio[began:until], 1.0 - 0.75 * (1.0 - min(now, 0.99))))
    return {
        "ratio_pct": 100 * now,
        "flow_m3h": flow,
        "before_m3h": flow / max(now, 1e-3),
        "fell_h": float(low[0]) if len(low) else float(until - began),
    }


def _signal(
    look: Look, sign: Sign, place: str, run: tuple[int, int], values: Mapping[str, float]
) -> Signal:
    first, until = run
    ended = None if until == look.table.hours else look.table.start + (until + 1) * HOUR
    return Signal(sign, place, look.table.start + (first + 1) * HOUR, ended, dict(values))
