"""Balance advice: which buildings' valves to turn, and by how much, at constant total flow.

Return-temperature balancing: where emitters were sized for their rooms' losses, buildings whose
returns are equal have equally warm rooms, whatever their size. So each building's return is moved
towards the area-weighted mean, corrected in two ways: a steady emitter model (radiators or heated
floors) says what return belongs to which room, and where rooms are *measured* they speak too, each
witness by its weight. In steps:

1. The room of every building, from its return and from its measured rooms, by inverse variance.
2. Emitter size and heat loss of every building, so that its flow, return and room agree.
3. The one room temperature for which the flows that hold it add up to the present total.
4. Each building's new flow over its present one, and what its rooms settle at.
5. The turn of its balancing valve. Far valves stand open already, so nothing is opened: the
   building that needs most stays as it is, the others are throttled against it, and the pump is
   set so that the circuit's total flow stays what it was (proportional balancing).

The turn is where a crew begins; it has arrived when the building's meter shows the target flow.
Advice is given only when the differences exceed what the witnesses' errors can make, and when a
room would move by half a kelvin. After it has been carried out and the rooms have settled, measure
again: a second round removes what the first could not know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from analytics import emission, water
from analytics.emission import CP_J_KGK, Emitter
from analytics.imbalance import weighted_mean, weighted_spread
from analytics.water import BoolArray, FloatArray

GAINS_WM2 = 4.0
"""Heat of people, appliances and some sun, W per m² of floor."""
RETURN_SD_K = 0.6
"""Error of a room read from a return: a building's emitters fit its losses to 3 %, of the 26 K
between water and room, by their exponent."""
DWELLING_SD_K, INSTRUMENT_SD_K = 0.8, 0.2
"""How dwellings of one building differ, and what does not average out over its sensors."""
CERTAIN = 0.95
WORTH_K = 0.5
SAME_FLOW = 0.05  # a valve set by a meter's display stands within this of its target
LEAST_RATIO, MOST_RATIO = 0.4, 2.5
LEAST_BUILDINGS = 2
LEAST_AREA_SHARE = 0.6
_HALVINGS = 28


class AdviceReason(StrEnum):
    """Why there is no advice; NONE where there is."""

    NONE = ""
    TOO_FEW_METERS = "too_few_meters"  # under two buildings, or under 60 % of the area, measured
    NOT_WORTH_IT = "not_worth_it"  # in balance, or no more out of it than errors allow
    NO_WEATHER = "no_weather"  # no outdoor temperature in the window
    NOT_HEATING = "not_heating"  # supply hardly warmer than the return


class LeftOut(StrEnum):
    """Why a building takes no part in a balance."""

    NONE = ""
    NO_METER = "no_meter"
    REVERSED = "reversed"  # its meter's return is warmer than its supply
    NO_FLOW = "no_flow"
    OPEN_TICKET = "open_ticket"  # something else is wrong there: repair first, balance then


@dataclass(frozen=True, slots=True)
class Valve:
    """The balancing valve that turns are told for; a company's own makes replace it.

    Equal percentage: each turn multiplies the flow coefficient by the same factor, from
    1/``rangeability`` shut to 1 in ``turns``. ``authority`` is the valve's share of the building's
    pressure drop when it stands open as now.
    """

    turns: float = 4.0
    rangeability: float = 30.0
    authority: float = 0.5

    def resistance_ratio(self, branch_ratio: FloatArray) -> FloatArray:
        """How many times the valve's own resistance makes the whole branch's ``branch_ratio``."""
        rest = 1.0 - self.authority
        return np.asarray(np.maximum((branch_ratio - rest) / self.authority, 1e-3))

    def turns_for(self, resistance_ratio: FloatArray) -> FloatArray:
        """Turns towards shut (negative: open) that multiply its resistance."""
        per_turn = 2.0 * np.log(self.rangeability) / self.turns
        return np.asarray(np.log(resistance_ratio) / per_turn)

    def ratio_of(self, turns_shut: float) -> float:
        """Factor on the valve's resistance that some turns towards shut make."""
        return float(self.rangeability ** (2.0 * turns_shut / self.turns))


DEFAULT_VALVE = Valve()


@dataclass(frozen=True, slots=True, eq=False)
class Circuit:
    """One circuit's buildings over a window of a day or more, columns of one length.

    m², m³/h, °C (flow-weighted means); ``room_c`` is the mean over ``rooms`` measured dwellings,
    NaN where none is; ``left_out`` says which take no part.
    """

    codes: tuple[str, ...]
    area_m2: FloatArray
    flow_m3h: FloatArray
    supply_c: FloatArray
    return_c: FloatArray
    room_c: FloatArray
    rooms: FloatArray
    left_out: tuple[LeftOut, ...]
    outdoor_c: float
    emitter: Emitter


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do at one building, and what comes of it.

    ``room_c`` as judged now from return and sensors, ``settled_c`` as it will settle at, ± their
    ``uncertainty_k``. ``turns`` is towards shut; 0 at the building that stays as it is.
    """

    building: str
    area_m2: float
    flow_m3h: float
    target_m3h: float
    return_c: float
    target_return_c: float
    room_c: float
    settled_c: float
    uncertainty_k: float
    rooms: int
    turns: float
    reference: bool

    @property
    def ratio(self) -> float:
        """Target flow over present flow."""
        return self.target_m3h / self.flow_m3h

    @property
    def gain_k(self) -> float:
        """By how much the rooms rise (negative: fall)."""
        return self.settled_c - self.room_c


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice for one circuit: turns, or the reason why there are none.

    ``spread_k`` is the area-weighted spread of rooms between the buildings, now and as predicted.
    """

    reason: AdviceReason
    emitter: Emitter
    total_m3h: float = 0.0
    mean_return_c: float = float("nan")
    spread_k: float = float("nan")
    settled_spread_k: float = float("nan")
    return_spread_k: float = float("nan")
    certainty: float = 0.0
    turns: tuple[Turn, ...] = ()
    left_out: dict[str, LeftOut] = field(default_factory=dict)


def advise(circuit: Circuit, valve: Valve = DEFAULT_VALVE) -> Advice:
    """The advice for a circuit; deterministic for given figures."""
    left_out = {c: why for c, why in zip(circuit.codes, circuit.left_out, strict=True) if why}
    taking = np.array([not why for why in circuit.left_out], dtype=bool)
    none = Advice(AdviceReason.NONE, circuit.emitter, left_out=left_out)
    if (reason := _refusal(circuit, taking)) is not AdviceReason.NONE:
        return _refused(none, reason)
    found = _Model.of(circuit, taking)
    flows = found.balanced()
    settled = found.settled(flows)
    certainty = found.certainty()
    figures = {
        "total_m3h": float(found.flow_m3h.sum()),
        "mean_return_c": weighted_mean(found.back_c, found.area),
        "spread_k": weighted_spread(found.room_c, found.area),
        "settled_spread_k": weighted_spread(settled, found.area),
        "return_spread_k": weighted_spread(found.back_c, found.area),
        "certainty": certainty,
    }
    moved = float(np.max(np.abs(settled - found.room_c)))
    worth = certainty >= CERTAIN and moved >= WORTH_K
    turns = _turns(found, flows, settled, valve) if worth else ()
    reason = AdviceReason.NONE if worth else AdviceReason.NOT_WORTH_IT
    return Advice(reason, circuit.emitter, **figures, turns=turns, left_out=left_out)


def _refused(none: Advice, reason: AdviceReason) -> Advice:
    return Advice(reason, none.emitter, left_out=none.left_out)


def _refusal(circuit: Circuit, taking: BoolArray) -> AdviceReason:
    area = circuit.area_m2
    if np.isnan(circuit.outdoor_c):
        return AdviceReason.NO_WEATHER
    if taking.sum() < LEAST_BUILDINGS or area[taking].sum() < LEAST_AREA_SHARE * area.sum():
        return AdviceReason.TOO_FEW_METERS
    supply, back = circuit.supply_c[taking], circuit.return_c[taking]
    if np.any(supply - back < 0.5) or np.any(back - circuit.outdoor_c < 5.0):
        return AdviceReason.NOT_HEATING
    return AdviceReason.NONE


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """A circuit's buildings as emitters and losses, columns of one length; SI but m³/h and m²."""

    codes: tuple[str, ...]
    area: FloatArray
    flow_m3h: FloatArray
    per_m3h: FloatArray  # kg/s in a m³/h, at the return's density
    supply_c: FloatArray
    back_c: FloatArray
    room_c: FloatArray
    sd_k: FloatArray
    rooms: FloatArray
    size: FloatArray
    loss_wk: FloatArray
    outdoor_c: float
    exponent: float

    @classmethod
    def of(cls, circuit: Circuit, taking: BoolArray) -> _Model:
        area, flow = circuit.area_m2[taking], circuit.flow_m3h[taking]
        supply, back = circuit.supply_c[taking], circuit.return_c[taking]
        per_m3h = water.density_kg_m3(back) / 3600.0
        heat_w = flow * per_m3h * CP_J_KGK * (supply - back)
        exponent = circuit.emitter.design.exponent
        gain = 1.0 + GAINS_WM2 * area / heat_w
        seen, rooms = circuit.room_c[taking], circuit.rooms[taking]
        fixed = {"outdoor_c": circuit.outdoor_c, "exponent": exponent}
        ratio = _ratio(seen, rooms, area, (supply, back, gain), **fixed)
        by_return = emission.room_balanced(supply, back, ratio, gain, **fixed)
        room, sd = _judged(by_return, seen, rooms)
        room = np.minimum(room, back - 0.5)
        return cls(
            codes=tuple(np.array(circuit.codes)[taking]),
            area=area,
            flow_m3h=flow,
            per_m3h=per_m3h,
            supply_c=supply,
            back_c=back,
            room_c=room,
            sd_k=sd,
            rooms=rooms,
            size=heat_w / emission.strength(supply, back, room, exponent),
            loss_wk=heat_w * gain / (room - circuit.outdoor_c),
            outdoor_c=circuit.outdoor_c,
            exponent=exponent,
        )

    def certainty(self) -> float:
        """How surely the rooms differ by more than their errors, 0 to 1.

        Chi-squared over the buildings, its distribution by Wilson and Hilferty's cube root.
        """
        weight = 1.0 / self.sd_k**2
        mean = float(np.average(self.room_c, weights=weight))
        excess = float((weight * (self.room_c - mean) ** 2).sum())
        free = len(self.codes) - 1
        width = 2.0 / (9.0 * free)
        return NormalDist().cdf(((excess / free) ** (1.0 / 3.0) - 1.0 + width) / width**0.5)

    def flows_for(self, room_c: float) -> FloatArray:
        """m³/h that hold one room temperature everywhere, within what a valve may change."""
        gains_w = GAINS_WM2 * self.area
        heat_w = np.maximum(self.loss_wk * (room_c - self.outdoor_c) - gains_w, 0.0)
        wanted = heat_w / self.size
        back = emission.return_for(
            self.supply_c, np.full(len(self.area), room_c), wanted, self.exponent
        )
        with np.errstate(invalid="ignore"):
            flow = heat_w / (CP_J_KGK * (self.supply_c - back) * self.per_m3h)
        flow = np.where(np.isnan(back), np.inf, flow)
        return np.clip(flow, LEAST_RATIO * self.flow_m3h, MOST_RATIO * self.flow_m3h)

    def balanced(self) -> FloatArray:
        """The flows (m³/h) for one room temperature that add up to the present total."""
        low = float(self.room_c.min()) - 1.0
        high = float(self.room_c.max()) + 1.0
        total = float(self.flow_m3h.sum())
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            if self.flows_for(middle).sum() < total:
                low = middle
            else:
                high = middle
        flows = self.flows_for((low + high) / 2.0)
        return np.asarray(flows * (total / flows.sum()))

    def settled(self, flow_m3h: FloatArray) -> FloatArray:
        """Rooms (°C) that flows hold in the end, the supply staying what it is."""
        return emission.settled_room(
            flow_m3h * self.per_m3h,
            self.supply_c,
            self.size,
            self.loss_wk,
            GAINS_WM2 * self.area,
            outdoor_c=self.outdoor_c,
            exponent=self.exponent,
        )


def _ratio(
    seen_c: FloatArray,
    rooms: FloatArray,
    area: FloatArray,
    water_: tuple[FloatArray, FloatArray, FloatArray],
    *,
    outdoor_c: float,
    exponent: float,
) -> float:
    """Emitter size over heat loss, common to the circuit: from measured rooms, or design.

    Where nobody measures rooms the mean is taken as 20 °C: the advice is about differences.
    """
    supply, back, gain = water_
    room = np.where(rooms > 0, seen_c, np.nan)
    weights = np.where(rooms > 0, area * np.sqrt(rooms), 0.0)
    if not weights.any():
        room, weights = np.full(len(area), 20.0), area
    room = np.minimum(room, back - 0.5)
    each = (room - outdoor_c) / (gain * emission.strength(supply, back, room, exponent))
    return float(np.exp(weighted_mean(np.log(each), weights)))


def _judged(
    by_return: FloatArray, seen_c: FloatArray, rooms: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Rooms by both witnesses, each by its inverse variance, and the standard deviation left."""
    heard = (rooms > 0) & np.isfinite(seen_c)
    variance = DWELLING_SD_K**2 / np.maximum(rooms, 1.0) + INSTRUMENT_SD_K**2
    of_seen = np.where(heard, 1.0 / variance, 0.0)
    of_return = 1.0 / RETURN_SD_K**2
    total = of_seen + of_return
    room = (of_seen * np.where(heard, seen_c, 0.0) + of_return * by_return) / total
    return room, 1.0 / np.sqrt(total)


def _turns(model: _Model, flows: FloatArray, settled: FloatArray, valve: Valve) -> tuple[Turn, ...]:
    ratio = flows / model.flow_m3h
    reference = int(np.argmax(ratio))
    branch = (ratio[reference] / ratio) ** 2
    turns = valve.turns_for(valve.resistance_ratio(branch))
    turns = np.where(ratio >= ratio[reference] * (1.0 - SAME_FLOW), 0.0, turns)
    heat_w = model.loss_wk * (settled - model.outdoor_c) - GAINS_WM2 * model.area
    target_return = model.supply_c - heat_w / (CP_J_KGK * flows * model.per_m3h)
    return tuple(
        Turn(
            building=model.codes[at],
            area_m2=float(model.area[at]),
            flow_m3h=float(model.flow_m3h[at]),
            target_m3h=float(flows[at]),
            return_c=float(model.back_c[at]),
            target_return_c=float(target_return[at]),
            room_c=float(model.room_c[at]),
            settled_c=float(settled[at]),
            uncertainty_k=float(model.sd_k[at]),
            rooms=int(model.rooms[at]),
            turns=round(float(turns[at]), 2),
            reference=at == reference,
        )
        for at in range(len(flows))
    )
