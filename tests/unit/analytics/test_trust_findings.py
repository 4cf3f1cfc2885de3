"""What becomes of grade C: a finding with a cause, a place, numbers in two languages."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from analytics.trust import NOTHING_AROUND, Trust, TrustReason, judge
from analytics.trust.certified import certified_hours, corrections
from analytics.trust.findings import RANKED, SAYINGS, findings
from analytics.trust.model import GRADE_C, NUMBER
from hearthline.domain.certified import Certified, correction
from hearthline.domain.findings import CAUSES, Cause, TicketKind
from hearthline.domain.network import Dwelling, Instrument, Network, Node
from hearthline.domain.places import DeviceKind, DeviceRole, PlaceKind
from hearthline.domain.sentences import LOCALES, evidence_sentence
from tests.unit.analytics.rooms import START, breathing, knocked, shown

AT = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture
def network() -> Network:
    """One building of eight dwellings with a sensor each."""
    nodes = [Node(0, "T", PlaceKind.SOURCE, "T/", "Plant", "热源厂")]
    nodes.append(Node(1, "T-B1", PlaceKind.BUILDING, "T/T-B1/", "House 1", "1号楼"))
    codes = [f"T-B1-{floor}0{column}" for floor in (1, 2, 3, 4) for column in (1, 2)]
    nodes += [
        Node(2 + n, code, PlaceKind.UNIT, f"T/T-B1/{code}/", code, code)
        for n, code in enumerate(codes)
    ]
    dwellings = [Dwelling(code, 80.0, int(code[-3]), int(code[-1])) for code in codes]
    sensors = [
        Instrument(n, f"own:t/{code}", DeviceKind.ROOM, DeviceRole.ROOM, code, None, 1200)
        for n, code in enumerate(codes)
    ]
    return Network({node.code: node for node in nodes}, dwellings, sensors, {})


def rooms(network: Network) -> list[Instrument]:
    return [i for i in network.instruments if i.kind is DeviceKind.ROOM]


def judged(reason: TrustReason, measure: float, rows: int, guilty: list[int]) -> Trust:
    """A judgement in which some sensors are C for a reason since hour 10 of 48."""
    shape = (rows, 48)
    grade, why = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
    grade[guilty, 10:], why[guilty, 10:] = GRADE_C, NUMBER[reason]
    return Trust(
        grade,
        why,
        np.full(shape, 10, np.int32),
        np.full(shape, measure, np.float32),
        grade == 0,
        np.full(shape, 30),
        np.full(shape, 1.1),
    )


@pytest.mark.parametrize("reason", list(SAYINGS))
def test_every_reason_has_a_sensor_cause_and_sentences(
    reason: TrustReason, network: Network
) -> None:
    sensors = rooms(network)
    found = findings(judged(reason, -1.7, len(sensors), [3]), sensors, network, AT, 40)
    assert len(found) == 1
    finding = found[0]
    assert finding.kind is TicketKind.SENSOR
    assert (finding.device_uid, finding.place) == (sensors[3].uid, sensors[3].place)
    assert finding.cold == frozenset()
    assert finding.at == AT
    assert sum(share for _, share in finding.ranked) == pytest.approx(1.0)
    assert finding.confidence == max(share for _, share in finding.ranked)
    for locale in LOCALES:
        for piece in finding.evidence:
            assert "{" not in evidence_sentence(piece, locale)


def test_a_silent_gateway_is_one_finding_at_its_building(network: Network) -> None:
    sensors = rooms(network)
    trust = judged(TrustReason.GATEWAY_OUT, 30.0, len(sensors), list(range(len(sensors))))
    found = findings(trust, sensors, network, AT, 40)
    assert [f.cause for f in found] == [Cause.GATEWAY_OUTAGE]
    assert found[0].place == "T-B1"
    assert found[0].device_uid is None
    assert len(found[0].affected) == len(sensors)
    assert str(len(sensors)) in evidence_sentence(found[0].evidence[0], "en")


def test_a_knocked_sensor_is_told_with_its_step(network: Network) -> None:
    """From readings to the sentence."""
    sensors = rooms(network)
    hours = knocked(shown(breathing(len(sensors), 96)), 2, 40, -2.0)
    found = findings(judge(hours, NOTHING_AROUND), sensors, network, AT, 95)
    assert [(f.cause, f.device_uid) for f in found] == [(Cause.SENSOR_MOVED, sensors[2].uid)]
    assert "56 h ago it moved by -" in evidence_sentence(found[0].evidence[0], "en")


def test_nothing_is_found_before_the_window_begins(network: Network) -> None:
    sensors = rooms(network)
    trust = judged(TrustReason.SUN, 0.5, len(sensors), [1])
    assert findings(trust, sensors, network, AT, -1) == []
    assert findings(trust, sensors, network, AT, 5) == []


def test_every_sensor_cause_is_somebody_s_first_cause() -> None:
    """No kind of sensor fault is left without a reason that leads to it."""
    first = {ranked[0][0] for ranked in RANKED.values()}
    assert first == {cause for cause, facts in CAUSES.items() if facts.ticket is TicketKind.SENSOR}


def test_corrections_hold_from_a_certified_reading_on() -> None:
    """The last one on file holds; other devices' are passed over."""
    readings = [
        Certified(11, START.replace(hour=5), 20.0, 18.8),
        Certified(11, START.replace(hour=20), 20.0, 19.0),
        Certified(99, START, 20.0, 22.0),
    ]
    offset = corrections([10, 11], readings, START, 24)
    assert (offset[0] == 0.0).all()
    assert (offset[1, :5] == 0.0).all()
    assert offset[1, 5:20] == pytest.approx(-1.2)
    assert offset[1, 20:] == pytest.approx(-1.0)
    hours = certified_hours([10, 11], readings, START)
    assert np.isnan(hours[0])
    assert hours[1] == 20.0


def test_a_difference_within_tolerance_corrects_nothing() -> None:
    assert correction(20.2, 20.0) == 0.0
    assert correction(18.9, 20.0) == pytest.approx(-1.1)
