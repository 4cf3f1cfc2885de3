"""Balance advice tried out: a town out of balance is measured, told, turned and measured again.

What is measured passes instruments, wire formats, ingest's decoding, rollups and heat; what is
turned are the simulated valves and the pump, as a crew would by the station's flow meter.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.advice import DEFAULT_VALVE, Advice, AdviceReason, LeftOut
from analytics.advising import station_advice
from analytics.balancing import balance_chore
from analytics.imbalance import weighted_spread
from hearthline.cli import app, heat
from hearthline.domain.findings import Cause
from hearthline.storage.database import Database
from simulators.testing import ANCHOR, Town, small_city
from tests import builders, simulated

DAY = timedelta(hours=24)
STATION = "T-S1"
HOUSES = ("2x5", "2x4", "2x6", "2x5", "1x6", "2x5")


def town(
    severity: float, *, heating: str = "radiators", seed: int = 4, coverage: float = 1.0
) -> Town:
    """Six buildings on one main, far ones last; readings hourly, meters every twenty minutes."""
    own = {"own": 1.0, "chirpstack": 0.0, "zigbee2mqtt": 0.0}
    made = small_city(list(HOUSES), outdoor_c=-12.0, heating=heating, seed=seed)
    made = made.with_instruments(room_every="1h", mix=own, coverage=coverage)
    if severity:
        made = made.with_fault("hydraulic_imbalance", STATION, onset="-60d", severity=severity)
    return made


@dataclass(frozen=True)
class Truth:
    """What was really so in a town's first day, by building, and the pump's flow in kg/s."""

    room_c: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    pump_kgs: float

    @property
    def spread_k(self) -> float:
        return weighted_spread(self.room_c, self.area_m2)


def true(made: Town) -> Truth:
    city = made.city
    engine, state = city.start(made.anchor)
    tree, area = city.layout.tree, city.layout.area_m2
    building = tree.entrance_building[tree.riser_entrance[tree.unit_riser]]
    steps = [engine.advance(state, n) for n in range(int(DAY.total_seconds()) // engine.seconds)]
    air = np.mean([step.air_c for step in steps], axis=0)
    total = np.bincount(building, area)
    room = np.bincount(building, air * area) / total
    return Truth(room, total, float(np.mean([step.flows.pump.sum() for step in steps])))


def advice(made: Town, database: Database) -> Advice:
    """By what the instruments say of the town's first day, in a database of its own."""
    stop = ANCHOR + DAY
    with database.transaction() as connection:
        for table in ("meter_reading", "room_reading", "weather_reading", "room_hour", "meter_hour",
                      "weather_hour", "heat_hour", "latest"):  # fmt: skip
            connection.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]  # noqa: S608
        simulated.live_through(connection, made.city, ANCHOR, stop)
    balance_chore(database, stop)
    with database.transaction() as connection:
        return station_advice(connection, STATION, stop, window=DAY).circuits[f"{STATION}-C1"]


def turned(made: Town, told: Advice, total_kgs: float) -> Town:
    """The valves turned as told, then the pump set to the total flow that was there before."""
    for turn in told.turns:
        made = made.with_setting(turn.building, valve=DEFAULT_VALVE.ratio_of(turn.turns))
    return made.with_setting(STATION, pump=total_kgs / true(made).pump_kgs)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("heating", "coverage"), [("radiators", 0.2), ("floor", 1.0)])
def test_two_rounds_of_advice_lift_the_far_trim_the_near_and_keep_the_flow(
    database: Database, heating: str, coverage: float
) -> None:
    made = town(0.95, heating=heating, coverage=coverage)
    before = true(made)
    told = advice(made, database)
    assert told.reason is AdviceReason.NONE
    assert str(told.emitter) == heating
    assert told.spread_k == pytest.approx(before.spread_k, abs=0.25)
    assert sum(turn.target_m3h for turn in told.turns) == pytest.approx(told.total_m3h, rel=1e-6)
    assert all(turn.turns >= 0.0 for turn in told.turns)
    once = turned(made, told, before.pump_kgs)
    after = true(once)
    assert after.pump_kgs == pytest.approx(before.pump_kgs, rel=0.002)
    assert after.room_c[-1] > before.room_c[-1] + 0.4
    assert after.room_c[0] < before.room_c[0] - 0.4
    assert after.spread_k < 0.5 * before.spread_k
    predicted = np.array([turn.gain_k for turn in told.turns])
    assert np.abs(predicted - (after.room_c - before.room_c)).max() < 0.75
    again = advice(once, database)
    if again.turns:
        after = true(turned(once, again, before.pump_kgs))
        again = advice(turned(once, again, before.pump_kgs), database)
    assert again.reason is AdviceReason.NOT_WORTH_IT
    assert after.spread_k < 0.3


@pytest.mark.parametrize("seed", [11, 12])
def test_a_town_in_balance_is_left_alone(database: Database, seed: int) -> None:
    told = advice(town(0.0, seed=seed, coverage=0.2), database)
    assert told.reason is AdviceReason.NOT_WORTH_IT
    assert told.turns == ()


@pytest.fixture
def at_command(database: Database, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The command line on the test's own database; its settings are read anew."""
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", database.url)
    return monkeypatch


def test_what_is_broken_is_repaired_before_it_is_balanced(
    database: Database, at_command: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = town(0.95).with_fault("pipes_swapped", "T-S1-B02", onset="-60d")
    with database.transaction() as connection:
        simulated.live_through(connection, made.city, ANCHOR, ANCHOR + DAY)
        cold = [code for code in made.dwellings if code.startswith("T-S1-B03")]
        builders.ticket(connection, made.ledger, "T-S1-B03", cold, at=ANCHOR + DAY,
                        cause=Cause.STRAINER_CLOGGED)  # fmt: skip
    balance_chore(database, ANCHOR + DAY)
    at_command.setattr(heat, "system_clock", lambda: ANCHOR + DAY)
    said = _saying(capsys)
    plain = json.loads(said("--json"))
    (circuit,) = plain["circuits"]
    left = {row["building"]: row["reason"] for row in circuit["left_out"]}
    assert left == {"T-S1-B02": LeftOut.REVERSED, "T-S1-B03": LeftOut.OPEN_TICKET}
    assert [turn["building"] for turn in circuit["turns"]][:1] == ["T-S1-B01"]
    told = said()
    assert "close by" in told
    assert "until its meter shows" in told
    assert "先整改" in said("--language", "zh")


def _saying(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def said(*words: str) -> str:
        app(["advise", "balance", STATION, "--hours", "24", *words], exit_on_error=False,
            result_action="return_value")  # fmt: skip
        return capsys.readouterr().out

    return said
