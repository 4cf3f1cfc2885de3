"""Room sensors: what they feel through a step, and what they show at their own instants.

A sensor's case follows its surroundings with a time constant of minutes; at its instant it shows
the case's temperature, biased, noisy, within its range and in tenths. The work is proportional to
the sensors, not to what goes wrong with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import exp

import numpy as np
from numpy.typing import NDArray

from simulators import parallel, rand
from simulators.devices.fleet import RoomFleet
from simulators.instruments import kernels
from simulators.instruments.lies import Lies, noise
from simulators.instruments.rota import Rota, Round
from simulators.layout import Layout
from simulators.states import Step

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Index = NDArray[np.intp]

NOISE_K = 0.065
CASE_LAG_S = 360.0
"""Time constant of a sensor's case in still air, s."""
RANGE_C = (-40.0, 60.0)
_DAMPER_PCT_K = 1.2
_SHARED_FROM = 20_000
"""Sensors from which a second thread pays."""
_NONE = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class RoomSamples:
    """Readings in a step; ``sensor`` indexes the fleet, ``at_s`` is seconds from the anchor.

    They are written on sheets that are used again: valid until the next ``RoomSensors.read``.
    """

    sensor: Index
    at_s: NDArray[np.int_]
    temperature_c: Array
    humidity_pct: Array
    battery_pct: Array

    def __getitem__(self, which: slice | NDArray[np.bool_]) -> RoomSamples:
        """Some of the readings: a view for a slice, a copy for flags."""
        return RoomSamples(
            self.sensor[which],
            self.at_s[which],
            self.temperature_c[which],
            self.humidity_pct[which],
            self.battery_pct[which],
        )


@dataclass(slots=True)
class RoomSensors:
    """All room sensors of a town and what they remember, [sensors] or [turns] of the rota."""

    fleet: RoomFleet
    seed: int
    lies: Lies
    _rota: Rota
    _unit: NDArray[np.int32]  # [turns]
    _constants: tuple[Single, Single, Single, Single]  # [turns], as `kernels.shown` wants them
    _state: np.uint64
    _was: Single
    _now: Single
    _felt: Single
    _sheets: Array = field(default_factory=lambda: np.empty((3, 0)))
    _at_s: NDArray[np.int_] = field(default_factory=_NONE.copy)
    _sensors: Index = field(default_factory=_NONE.copy)
    _started: bool = False

    @classmethod
    def of(cls, fleet: RoomFleet, layout: Layout, seed: int, every_s: int) -> RoomSensors:
        """Sensors that have not felt anything yet; some dwellings are damper than others."""
        rota = Rota.of(fleet.phase_s, every_s)
        unit = fleet.unit[rota.order].astype(np.int32)
        damp = 5.0 * rand.normal(seed, "sensor/damp", unit)
        was, now, felt = (np.zeros(len(fleet), dtype=np.float32) for _ in range(3))
        return cls(
            fleet=fleet,
            seed=seed,
            lies=Lies(fleet, layout, rota),
            _rota=rota,
            _unit=unit,
            _constants=(
                fleet.bias_k[rota.order],
                damp.astype(np.float32),
                fleet.battery_pct[rota.order],
                fleet.drain_pct_day[rota.order],
            ),
            _state=rand.state(seed, "sensor/noise"),
            _was=was,
            _now=now,
            _felt=felt,
        )

    def read(self, step: Step) -> RoomSamples:
        """The samples due in a step, by instant and then sensor; nothing of the step is kept."""
        self._follow(step)
        rounds = list(self._rota.rounds(step.offset_s, step.seconds))
        samples = self._sheet(rounds)
        silent, start = [np.zeros(0, dtype=np.intp)], 0
        for turn in rounds:
            part = samples[start : start + turn.last - turn.first]
            self._fill(step, turn, part)
            self._correct(step, turn, part)
            silent.append(start + self._silent(step, turn, part))
            start += len(part.sensor)
        return self._without(samples, np.concatenate(silent))

    def _without(self, samples: RoomSamples, gone: Index) -> RoomSamples:
        """The samples without some rows (ascending), closed up on their own sheets."""
        if not len(gone):
            return samples
        sensor = self._sensors[: len(samples.sensor)]
        sensor[:] = samples.sensor
        columns = (
            sensor,
            samples.at_s,
            samples.temperature_c,
            samples.humidity_pct,
            samples.battery_pct,
        )
        for column in columns:
            kernels.close_up(gone, column)
        return RoomSamples(*columns)[: len(sensor) - len(gone)]

    def skip(self, step: Step) -> None:
        """Let a step pass without reading, except what stuck sensors will need to remember."""
        if step.knobs.sensor_stuck.any():
            self.read(step)
        else:
            self._follow(step)

    def _follow(self, step: Step) -> None:
        """Let every case follow what is around it."""
        self.lies.heed(step.knobs)
        before, after = step.air_before_c, step.air_c
        if len(self.fleet) < len(after):
            before, after = before[self.fleet.unit], after[self.fleet.unit]
        misplaced = self.lies.misplaced
        around = self.lies.surroundings(step) if len(misplaced) else None
        if not self._started:
            self._now[:] = before
            if around is not None:
                self._now[misplaced] = around[0]
            self._started = True
        lag = CASE_LAG_S / step.seconds
        keep = round(exp(-1.0 / lag), 9)
        self._was, self._now = self._now, self._was
        was, now = self._was, self._now

        def go_on(part: tuple[int, int]) -> None:
            of = slice(*part)
            kernels.follow(was[of], now[of], before[of], after[of], lag, keep)

        parallel.each(_parts(len(was)), go_on)
        if around is not None:
            there = np.empty(len(misplaced), dtype=np.float32)
            kernels.follow(was[misplaced], there, *around, lag, keep)
            now[misplaced] = there

    def _sheet(self, rounds: list[Round]) -> RoomSamples:
        """Room for the samples of some rounds; fresh memory would cost as much as the readings."""
        count = sum(turn.last - turn.first for turn in rounds)
        if self._sheets.shape[1] < count:
            self._sheets = np.empty((3, count + count // 16))
            self._at_s = np.empty(count + count // 16, dtype=np.int_)
            self._sensors = np.empty(count + count // 16, dtype=np.intp)
        sensor = [self._rota.order[turn.first : turn.last] for turn in rounds]
        start = 0
        for turn in rounds:
            phase_s = self._rota.phase_s[turn.first : turn.last]
            np.add(phase_s, turn.since_s, out=self._at_s[start : start + len(phase_s)])
            start += len(phase_s)
        return RoomSamples(
            sensor[0] if len(sensor) == 1 else np.concatenate([_NONE, *sensor]),
            self._at_s[:count],
            *(sheet[:count] for sheet in self._sheets),
        )

    def _fill(self, step: Step, turn: Round, samples: RoomSamples) -> None:
        """What the sensors of a round show if none of them lies."""
        ahead = step.offset_s - turn.since_s
        kernels.at_turns(self._was, self._now, self.fleet.phase_s, ahead, step.seconds, self._felt)
        dry = 30.0 + 0.35 * (step.weather.outdoor_c + 20.0) + 22.0 * _DAMPER_PCT_K
        parts = _parts(len(samples.sensor))
        parallel.each(parts, lambda part: self._part(samples, turn, dry, slice(*part)))

    def _part(self, samples: RoomSamples, turn: Round, dry_pct: float, part: slice) -> None:
        """Fill a part of a round's samples; parts may be filled at the same time."""
        due = slice(turn.first, turn.last)
        bias, damp, full, drain = self._constants
        kernels.shown(
            samples.sensor[part],
            self._rota.phase_s[due][part],
            self._unit[due][part],
            bias[due][part],
            damp[due][part],
            full[due][part],
            drain[due][part],
            self._felt,
            turn.since_s,
            self._state,
            NOISE_K,
            dry_pct,
            _DAMPER_PCT_K,
            samples.temperature_c[part],
            samples.humidity_pct[part],
            samples.battery_pct[part],
        )

    def _correct(self, step: Step, turn: Round, samples: RoomSamples) -> None:
        """Write what drifted and stuck sensors show over what they feel."""
        wrong = self.lies.wrong
        run = wrong.within(turn.first, turn.last)
        sensor, row = wrong.sensor[run], wrong.turn[run] - turn.first
        if not len(row):
            return
        felt = self._felt[sensor].astype(np.float64) + self.fleet.bias_k[sensor]
        honest = felt + NOISE_K * noise(self.seed, self.fleet.unit[sensor], samples.at_s[row])
        said = np.clip(self.lies.said(step.knobs, sensor, honest), *RANGE_C)
        samples.temperature_c[row] = np.floor(said * 10.0 + 0.5) / 10.0

    def _silent(self, step: Step, turn: Round, samples: RoomSamples) -> Index:
        """Rows of the sensors that leave out this reading, or are dead."""
        faint = self.lies.faint
        run = faint.within(turn.first, turn.last)
        row = faint.turn[run] - turn.first
        if not len(row):
            return row
        at_s = samples.at_s[row]
        return row[self.lies.silent(step.knobs, faint.sensor[run], at_s, turn.since_s)]


def _parts(count: int) -> list[tuple[int, int]]:
    """A run of sensors cut evenly for the processors, or left whole where it is short."""
    parts = parallel.processors() if count >= _SHARED_FROM else 1
    edges = [count * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))
