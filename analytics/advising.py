"""Balance advice's shell: the last days of a substation's meters and rooms → advice by circuit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

import numpy as np

from analytics import heat_words
from analytics.advice import DEFAULT_VALVE, Advice, Circuit, LeftOut, Turn, Valve, advise
from analytics.balancing import metered_places
from analytics.emission import Emitter, likely_emitter
from analytics.heat import MeterState, MeterWindow
from analytics.heatday import Dwellings
from analytics.metering import Metering
from analytics.surveying import Town
from hearthline.clock import floor
from hearthline.domain.findings import Cause
from hearthline.domain.places import DeviceRole, PlaceKind
from hearthline.errors import Invalid
from hearthline.storage import heat as storage
from hearthline.storage.database import Connection

HOUR = timedelta(hours=1)
WINDOW = timedelta(hours=48)
LONGEST = timedelta(days=14)
BROKEN = (
    Cause.STRAINER_CLOGGED,
    Cause.PIPES_SWAPPED,
    Cause.AIR_LOCK,
    Cause.VALVE_CLOSED,
    Cause.LEAK,
)
"""Causes that take a building's flow; they are repaired before anything is balanced."""


@dataclass(frozen=True, slots=True)
class StationAdvice:
    """Advice for every circuit of a substation, from one window of measured hours."""

    station: str
    start: datetime
    stop: datetime
    outdoor_c: float | None
    circuits: dict[str, Advice]


def station_advice(
    connection: Connection,
    code: str,
    now: datetime,
    *,
    window: timedelta = WINDOW,
    valve: Valve = DEFAULT_VALVE,
    emitter: Emitter | None = None,
) -> StationAdvice:
    """Which valves of a substation's buildings to turn, by what was measured until ``now``.

    Args:
        connection: an open connection.
        code: the substation.
        now: the end of the window, moved back to a full hour.
        window: how much is looked at; a day at least, so that noon and night are in it.
        valve: the balancing valves that turns are told for.
        emitter: what the dwellings have; None to read it from the supply temperature.

    Raises:
        Invalid: the window is shorter than a day or longer than two weeks.
        NotFound: there is no such substation.
    """
    if not timedelta(days=1) <= window <= LONGEST:
        raise Invalid("The window must hold one to 14 days.", "Leave it out for two days.")
    storage.zones(connection, code)
    stop = floor(now, HOUR)
    start = stop - window
    town = Town.at(connection, now)
    metering = Metering(
        town.layout, metered_places(connection, start, stop), window / timedelta(minutes=1)
    )
    outdoor_c, _ = storage.weather(connection, start, stop)
    look = _Look(
        metering,
        town.dwellings(connection, start, stop),
        storage.troubled(connection, BROKEN),
        outdoor_c,
        window / HOUR,
        emitter,
    )
    circuits = list(town.layout.of_kind(PlaceKind.CIRCUIT, code)) or [code]
    found = {circuit: advise(look.at(circuit), valve) for circuit in circuits}
    return StationAdvice(code, start, stop, outdoor_c, found)


@dataclass(frozen=True, slots=True)
class _Look:
    """What was measured, to be laid out circuit by circuit."""

    metering: Metering
    dwellings: Dwellings
    troubled: Collection[str]
    outdoor_c: float | None
    hours: float
    emitter: Emitter | None

    def at(self, circuit: str) -> Circuit:
        """One circuit's buildings as columns."""
        buildings = list(self.metering.layout.of_kind(PlaceKind.BUILDING, circuit))
        rows = [self._building(building) for building in buildings]
        columns = np.array([row[:6] for row in rows], dtype=np.float64).reshape(-1, 6).T
        outdoor = float("nan") if self.outdoor_c is None else self.outdoor_c
        supply = columns[2][np.isfinite(columns[2])]
        emitter = self.emitter or Emitter.RADIATORS
        if self.emitter is None and supply.size and self.outdoor_c is not None:
            emitter = likely_emitter(float(np.median(supply)), self.outdoor_c)
        left_out = tuple(row[6] for row in rows)
        area, flow, supply_c, back, room, rooms = columns
        return Circuit(
            codes=tuple(buildings),
            area_m2=area,
            flow_m3h=flow,
            supply_c=supply_c,
            return_c=back,
            room_c=room,
            rooms=rooms,
            left_out=left_out,
            outdoor_c=outdoor,
            emitter=emitter,
        )

    def _building(self, code: str) -> tuple[Any, ...]:
        """(area, flow, supply, return, room, rooms, why it takes no part) of a building."""
        where, homes = self.dwellings.below[code], self.dwellings
        area, heated = homes.area_m2[where], homes.heated[where]
        known = heated & np.isfinite(homes.room_c[where])
        rooms = int(known.sum())
        weight = area[known]
        room = float(np.average(homes.room_c[where][known], weights=weight)) if rooms else np.nan
        meters = self.metering.covering(code, DeviceRole.BRANCH)
        flow, supply, back = self._water(meters)
        why = LeftOut.OPEN_TICKET if code in self.troubled else _left_out(meters, flow)
        return float(area[heated].sum()), flow, supply, back, room, rooms, why

    def _water(self, meters: tuple[MeterWindow, ...]) -> tuple[float, float, float]:
        """Flow in m³/h, supply and return in °C, of meters that all count."""
        sound = [m for m in meters if m.state is MeterState.VALID and m.supply_c is not None]
        if not sound or len(sound) < len(meters):
            return np.nan, np.nan, np.nan
        volume = np.array([m.volume_m3 / m.coverage for m in sound])
        if not volume.sum() > 0.0:
            return 0.0, np.nan, np.nan
        supply, back = (
            float(np.average(np.array([getattr(m, name) for m in sound], float), weights=volume))
            for name in ("supply_c", "return_c")
        )
        return float(volume.sum()) / self.hours, supply, back


def _left_out(meters: tuple[MeterWindow, ...], flow_m3h: float) -> LeftOut:
    states = {meter.state for meter in meters}
    if not meters or MeterState.GAP in states:
        return LeftOut.NO_METER
    if MeterState.REVERSED in states:
        return LeftOut.REVERSED
    return LeftOut.NONE if flow_m3h > 0.0 else LeftOut.NO_FLOW


def as_plain(found: StationAdvice) -> dict[str, Any]:
    """Advice for JSON, its sentences in both languages."""
    return {
        "station": found.station,
        "started_at": found.start.isoformat(),
        "stopped_at": found.stop.isoformat(),
        "outdoor_c": found.outdoor_c,
        "valve": asdict(DEFAULT_VALVE),
        "circuits": [_circuit(code, advice) for code, advice in found.circuits.items()],
    }


def _circuit(code: str, advice: Advice) -> dict[str, Any]:
    en, zh = heat_words.ADVICE[advice.reason]
    return {
        "circuit": code,
        "reason": str(advice.reason),
        "says": en,
        "says_zh": zh,
        "emitter": str(advice.emitter),
        "total_m3h": _rounded(advice.total_m3h, 2),
        "mean_return_c": _rounded(advice.mean_return_c, 2),
        "return_spread_k": _rounded(advice.return_spread_k, 2),
        "spread_k": _rounded(advice.spread_k, 2),
        "settled_spread_k": _rounded(advice.settled_spread_k, 2),
        "certainty": _rounded(advice.certainty, 3),
        "turns": [_turn(turn) for turn in advice.turns],
        "left_out": [
            {"building": building, "reason": str(why), "says": told[0], "says_zh": told[1]}
            for building, why in advice.left_out.items()
            for told in [heat_words.LEFT_OUT[why]]
        ],
    }


def _turn(turn: Turn) -> dict[str, Any]:
    en, zh = heat_words.instruction(turn)
    return {
        "building": turn.building,
        "flow_m3h": _rounded(turn.flow_m3h, 2),
        "target_m3h": _rounded(turn.target_m3h, 2),
        "flow_ratio": _rounded(turn.ratio, 3),
        "turns_shut": turn.turns,
        "reference": turn.reference,
        "return_c": _rounded(turn.return_c, 2),
        "target_return_c": _rounded(turn.target_return_c, 2),
        "room_c": _rounded(turn.room_c, 2),
        "uncertainty_k": _rounded(turn.uncertainty_k, 2),
        "rooms": turn.rooms,
        "gain_k": _rounded(turn.gain_k, 2),
        "says": en,
        "says_zh": zh,
    }


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if isfinite(value) else None
