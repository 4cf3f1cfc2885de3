"""Where the heat went: balances of the network's three stages over windows of a day or more.

===============  =========================  ============================  =====================
stage            supplied                   delivered                     at the place
===============  =========================  ============================  =====================
transmission     source, primary meter      substations, primary meters   source
exchange         substation, primary meter  its secondary meters          substation
distribution     its secondary meters       buildings, branch meters      substation
===============  =========================  ============================  =====================

``loss = supplied − delivered − stored`` with ``stored = Σ ρ·c·V·ΔT_mean`` of the pipes between.
Five kilometres at 1 m/s are 83 minutes of delay, so shorter windows are refused. The rules:

1. A gap is never zero heat. A meter counts when it covers 95 % of its share of the window; the
   minutes it misses are filled with its own mean power, at a fifth of their heat in uncertainty.
2. ``coverage`` is the share of consumers whose meters count. Below 95 % there is no figure but a
   reason. What is missing above that is filled by heated area, at a third in uncertainty.
3. A meter that reports its return warmer than its supply has its pipes swapped: not valid.
4. Uncertainty is the error limit of a class 2 meter at its own ΔT (2 to 3 %), of every meter
   independently, with the fills and the storage term, as a root sum of squares.
5. Consumers above the supply by more than the uncertainty is no gain but a wrong meter.

The water content of the pipes is a parameter. Where nobody gave it, it is estimated as the
largest hourly flow times a mean residence time; the result says so (``pipe_estimated``), and the
storage term carries half of itself as uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

import numpy as np

from analytics import water
from analytics.heat import MIN_COVERAGE, MeterState, MeterWindow

MIN_WINDOW = timedelta(hours=23)  # a civil day, also the one that loses an hour to summer time

_SHARE_FILL_ERROR = 0.33
_ESTIMATED_PIPE_ERROR = 0.5
_GIVEN_PIPE_ERROR = 0.1


class BalanceStage(StrEnum):
    """Which part of the network a balance is drawn around."""

    TRANSMISSION = "transmission"  # 一次网
    EXCHANGE = "exchange"  # 换热站
    DISTRIBUTION = "distribution"  # 二次网


class BalanceReason(StrEnum):
    """Why a balance has no figure; NONE where it has one."""

    NONE = ""
    NO_SUPPLY_METER = "no_supply_meter"  # nothing measures what goes in
    NO_CONSUMER_METER = "no_consumer_meter"  # nothing measures what comes out
    WINDOW_TOO_SHORT = "window_too_short"  # under a day the delay of the pipes decides
    SUPPLY_GAP = "supply_gap"  # the supply's meter misses over 5 % of the time
    SUPPLY_REVERSED = "supply_reversed"  # the supply's meter has its pipes swapped
    COVERAGE_LOW = "coverage_low"  # under 95 % of the consumers have valid data
    STORAGE_UNKNOWN = "storage_unknown"  # no pipe temperature near an end of the window
    NEGATIVE_LOSS = "negative_loss"  # consumers took more than was supplied: a meter is wrong


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who takes heat out of a stage: its meters (none: not metered) and its heated area."""

    place: str
    meters: tuple[MeterWindow, ...]
    area_m2: float | None = None

    @property
    def valid(self) -> bool:
        """Whether every meter of it counts."""
        return bool(self.meters) and all(m.state is MeterState.VALID for m in self.meters)


@dataclass(frozen=True, slots=True)
class Pipes:
    """Water content of a stage's pipes, supply and return together.

    ``water_m3`` where the company knows it. Otherwise the largest hourly flow of the window, for
    want of the design flow, × ``residence_h``: exact for the mean time that water spends in the
    pipes at that flow (Little's law), and only as good as that guess. 1.5 h for a primary network
    some 5 km across, a quarter of an hour between a substation and its buildings, nothing inside
    a substation.
    """

    water_m3: float | None = None
    residence_h: float = 0.0

    def content_m3(self, flow_m3h: float) -> float:
        """Cubic metres of water between the meters at a flow."""
        return self.water_m3 if self.water_m3 is not None else flow_m3h * self.residence_h


DEFAULT_PIPES: dict[BalanceStage, Pipes] = {
    BalanceStage.TRANSMISSION: Pipes(residence_h=1.5),
    BalanceStage.EXCHANGE: Pipes(water_m3=0.0),
    BalanceStage.DISTRIBUTION: Pipes(residence_h=0.25),
}


@dataclass(frozen=True, slots=True)
class BalanceWindow:
    """A stage's balance over one window: figures, or the reason why there are none.

    Heats in kWh, make-up in m³. ``loss_kwh`` is ± ``uncertainty_kwh``, ``loss_share`` the loss
    over the heat supplied, ``coverage`` the share of consumers with valid data (0..1).
    ``supplied_kwh`` and ``delivered_kwh`` are given wherever they are sound by themselves, also
    when ``reason`` says why no loss follows from them.
    """

    place: str
    stage: BalanceStage
    start: datetime
    stop: datetime
    coverage: float
    reason: BalanceReason
    supplied_kwh: float | None = None
    delivered_kwh: float | None = None
    stored_kwh: float | None = None
    loss_kwh: float | None = None
    makeup_m3: float | None = None
    uncertainty_kwh: float | None = None
    pipe_m3: float | None = None
    pipe_estimated: bool = False

    @property
    def loss_share(self) -> float | None:
        """Loss over heat supplied, 0..1; None where there is no loss figure."""
        if self.loss_kwh is None or not self.supplied_kwh:
            return None
        return self.loss_kwh / self.supplied_kwh


def balance(
    place: str,
    stage: BalanceStage,
    start: datetime,
    stop: datetime,
    *,
    supply: Sequence[MeterWindow],
    consumers: Sequence[Consumer],
    pipes: Pipes,
) -> BalanceWindow:
    """Balance one stage at one place over ``[start, stop)``."""
    valid = [consumer for consumer in consumers if consumer.valid]
    result = BalanceWindow(
        place,
        stage,
        start,
        stop,
        coverage=len(valid) / len(consumers) if consumers else 0.0,
        reason=BalanceReason.NONE,
        makeup_m3=_sum_or_none([meter.makeup_m3 for meter in supply]),
    )
    supply_sound = bool(supply) and all(m.state is MeterState.VALID for m in supply)
    if supply_sound:
        result = replace(result, supplied_kwh=sum(meter.filled_kwh for meter in supply))
    if (reason := _refusal(result, supply, consumers)) is not BalanceReason.NONE:
        return replace(result, reason=reason)
    return _figures(result, supply, consumers, valid, pipes)


def _refusal(
    so_far: BalanceWindow, supply: Sequence[MeterWindow], consumers: Sequence[Consumer]
) -> BalanceReason:
    """The first thing that stands in the way of a figure, most fundamental first."""
    states = {meter.state for meter in supply}
    tests = (
        (not supply, BalanceReason.NO_SUPPLY_METER),
        (not any(c.meters for c in consumers), BalanceReason.NO_CONSUMER_METER),
        (so_far.stop - so_far.start < MIN_WINDOW, BalanceReason.WINDOW_TOO_SHORT),
        (MeterState.GAP in states, BalanceReason.SUPPLY_GAP),
        (MeterState.REVERSED in states, BalanceReason.SUPPLY_REVERSED),
        (so_far.coverage < MIN_COVERAGE, BalanceReason.COVERAGE_LOW),
    )
    return next((reason for stands, reason in tests if stands), BalanceReason.NONE)


def _figures(
    so_far: BalanceWindow,
    supply: Sequence[MeterWindow],
    consumers: Sequence[Consumer],
    valid: Sequence[Consumer],
    pipes: Pipes,
) -> BalanceWindow:
    meters = [meter for consumer in valid for meter in consumer.meters]
    measured = sum(meter.filled_kwh for meter in meters)
    delivered = measured / _area_share(consumers, valid)
    content_m3 = pipes.content_m3(sum(meter.peak_m3h for meter in supply))
    estimated = pipes.water_m3 is None
    result = replace(so_far, delivered_kwh=delivered, pipe_m3=content_m3, pipe_estimated=estimated)
    stored = _stored(content_m3, [*supply, *meters])
    if stored is None:
        return replace(result, reason=BalanceReason.STORAGE_UNKNOWN)
    supplied = so_far.supplied_kwh or 0.0
    loss = supplied - delivered - stored
    uncertainty = sqrt(
        sum(meter.error_kwh**2 for meter in [*supply, *meters])
        + (_SHARE_FILL_ERROR * (delivered - measured)) ** 2
        + (stored * (_ESTIMATED_PIPE_ERROR if estimated else _GIVEN_PIPE_ERROR)) ** 2
    )
    result = replace(result, stored_kwh=stored, uncertainty_kwh=uncertainty)
    if loss < -uncertainty:
        return replace(result, reason=BalanceReason.NEGATIVE_LOSS)
    return replace(result, loss_kwh=loss)


def _area_share(consumers: Sequence[Consumer], valid: Sequence[Consumer]) -> float:
    """The valid consumers' share of the heat, by area where all areas are known."""
    if all(consumer.area_m2 for consumer in consumers):
        total = sum(consumer.area_m2 or 0.0 for consumer in consumers)
        return sum(consumer.area_m2 or 0.0 for consumer in valid) / total
    return len(valid) / len(consumers)


def _stored(content_m3: float, meters: Sequence[MeterWindow]) -> float | None:
    """Heat that the pipes took up, from the mean over the meters, weighted by their flow."""
    if content_m3 == 0.0:
        return 0.0
    seen = [(abs(m.volume_m3), m.start_c, m.stop_c) for m in meters]
    known = np.array([row for row in seen if row[1] is not None and row[2] is not None], float)
    if not known.size or not known[:, 0].sum():
        return None
    start_c, stop_c = np.average(known[:, 1:], axis=0, weights=known[:, 0])
    stored = water.stored_kwh(content_m3, float(start_c), float(stop_c))
    return stored if np.isfinite(stored) else None


def _sum_or_none(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def specific_index_w_m2(heat_kwh: float, area_m2: float, duration: timedelta) -> float:
    """Mean heat per heated area in W/m²: ``q = Q/(A·t)``."""
    return 1000.0 * heat_kwh / (area_m2 * (duration / timedelta(hours=1)))


def degree_factor(
    indoor_c: float, outdoor_c: float, *, standard_c: float, design_c: float
) -> float:
    """What a specific index is multiplied by to compare it at the design outdoor temperature.

    ``(T_in,std − T_out,design)/(T_in − T_out)`` with the *measured* room temperature.

    Raises:
        ValueError: it is as warm outdoors as indoors, where no index can be normalised.
    """
    if indoor_c - outdoor_c < 1.0:
        raise ValueError(f"{indoor_c} °C indoors and {outdoor_c} °C outdoors: nothing to normalise")
    return (standard_c - design_c) / (indoor_c - outdoor_c)
