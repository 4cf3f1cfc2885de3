"""Which fault is behind a question, what it weighs, and a season seen by fewer sensors."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analytics.causes import features
from analytics.causes.lessons import ON_THE_WAY, SUPPLY, Teacher, answered, thinned
from analytics.causes.question import Question, Subject
from analytics.localise.ranking import Ranked
from analytics.memory import Rows, network_of
from analytics.offline import Incident
from analytics.scoring.truth import TrueFault, Truth
from analytics.scoring.winter import Winter
from hearthline.domain.findings import Cause, Finding
from hearthline.domain.places import DeviceKind
from hearthline.storage.analysis import Columns
from tests import builders

START = datetime(2026, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = 96
LEDGER = builders.town(builders.TownPlan(floors=3))
NETWORK = network_of(LEDGER, START)
ENTRANCE = "T-S1-B01-E1"
DWELLING = f"{ENTRANCE}-0201"
RULES: Ranked = [(Cause.VALVE_CLOSED, 0.6), (Cause.ENVELOPE, 0.4)]


def fault(cause: Cause, place: str, drop_k: float, onset_h: int = 24) -> TrueFault:
    units = np.arange(len(NETWORK.dwellings))[NETWORK.below(place)]
    drop = np.zeros((len(units), HOURS), np.float32)
    drop[:, onset_h:] = drop_k
    return TrueFault(
        cause, (place,), START + onset_h * HOUR, None, 1.0, False, units, drop,
        frozenset(units.tolist()),
    )  # fmt: skip


def truth(*faults: TrueFault) -> Truth:
    warm = np.full((len(NETWORK.dwellings), HOURS), 22.0, np.float32)
    return Truth(START, 20.0, warm, warm, faults)


def season(*faults: TrueFault) -> Winter:
    nothing = Columns(np.zeros(0, np.int64), np.zeros(0), {})
    rows = Rows(nothing, nothing, nothing, nothing)
    return Winter(
        "by-hand", 10_001, 1.0, START, START + HOURS * HOUR, 20.0, "Asia/Shanghai", LEDGER, rows,
        [], truth(*faults),
    )  # fmt: skip


def asked(place: str = DWELLING, at_h: int = 36) -> Question:
    subject = Subject.DWELLING if place == DWELLING else Subject.PLACE
    seen = dict.fromkeys(features.NAMES[subject], 1.0)
    return Question(subject, place, START + at_h * HOUR, seen)


def incident(place: str, number: int = 1, merged_into: int | None = None) -> Incident:
    found = Finding(START + 30 * HOUR, place, Cause.VALVE_CLOSED, 0.6, frozenset(), frozenset(), ())
    return Incident(number, found, found, set(), set(), set(), merged_into=merged_into)


def test_the_fault_that_cools_most_is_behind_a_cold_dwelling() -> None:
    """Of two in the same building."""
    faults = (fault(Cause.VALVE_CLOSED, DWELLING, 4.0), fault(Cause.AIR_LOCK, ENTRANCE, 0.5))
    assert Teacher(NETWORK, truth(*faults)).fault_behind(asked()) == 0


def test_a_nearer_fault_goes_before_one_that_does_a_little_more() -> None:
    """The dwelling's own valve, in an entrance that lacks flow."""
    faults = (fault(Cause.STRAINER_CLOGGED, "T-S1", 3.0), fault(Cause.VALVE_CLOSED, DWELLING, 2.0))
    assert Teacher(NETWORK, truth(*faults)).fault_behind(asked()) == 1


@pytest.mark.parametrize("at_h", [2, 95])
def test_nobody_is_to_blame_before_a_fault_strikes(at_h: int) -> None:
    """Nor for what is warm."""
    late = fault(Cause.VALVE_CLOSED, DWELLING, 4.0, onset_h=24)
    small = fault(Cause.ENVELOPE, DWELLING, 0.2, onset_h=0)
    teacher = Teacher(NETWORK, truth(late, small))
    assert teacher.fault_behind(asked(at_h=at_h)) == (None if at_h == 2 else 0)


def test_an_incident_weighs_one_however_long_it_is_asked_about() -> None:
    """Twenty hours of questions are one lesson."""
    heard = [(asked(at_h=32 + hour), RULES) for hour in range(20)]
    found = answered(
        season(fault(Cause.ENVELOPE, DWELLING, 3.0)), NETWORK, heard, [incident(DWELLING)]
    )
    lot = found[Subject.DWELLING]
    assert lot.weight.sum() == pytest.approx(1.0)
    assert set(lot.true.tolist()) == {SUPPLY.index(Cause.ENVELOPE)}
    assert lot.rules[0, SUPPLY.index(Cause.VALVE_CLOSED)] == pytest.approx(0.6)


def test_what_was_asked_on_the_way_to_another_place_weighs_little() -> None:
    """The dwelling's incident went over into the entrance's."""
    heard = [(asked(), RULES), (asked(ENTRANCE), RULES)]
    stood = [incident(DWELLING, 1, merged_into=2), incident(ENTRANCE, 2)]
    found = answered(season(fault(Cause.PIPES_SWAPPED, ENTRANCE, 5.0)), NETWORK, heard, stood)
    assert found[Subject.DWELLING].weight.sum() == pytest.approx(ON_THE_WAY)
    assert found[Subject.PLACE].weight.sum() == pytest.approx(1.0)


def test_a_question_without_a_fault_teaches_nothing() -> None:
    """Cold by nobody's doing."""
    found = answered(season(), NETWORK, [(asked(), RULES)], [incident(DWELLING)])
    assert [len(lot) for lot in found.values()] == [0, 0]


def test_a_season_seen_by_fewer_sensors_keeps_its_meters_and_its_numbers() -> None:
    """Rows follow their devices, whose numbers are those of the smaller ledger."""
    rooms = [d for d in LEDGER.devices if d.kind is DeviceKind.ROOM]
    device = np.arange(1, len(LEDGER.devices) + 1)
    whole = Columns(device, np.zeros(len(device)), {"mean_c": device.astype(np.float64)})
    rows = Rows(whole, whole, whole, whole)
    kept = frozenset({rooms[1].place})
    few = thinned(replace(season(), rows=rows), 0.04, kept)
    assert {d.place for d in few.ledger.devices if d.kind is DeviceKind.ROOM} == kept
    others = len(LEDGER.devices) - len(rooms)
    assert len(few.ledger.devices) == others + len([d for d in rooms if d.place in kept])
    named = [LEDGER.devices[int(n) - 1].uid for n in few.rows.room_hours.values["mean_c"]]
    assert named == [few.ledger.devices[int(n) - 1].uid for n in few.rows.room_hours.device]
