"""Bad messages: as many as asked for, each bad in its own way and in no other."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from simulators import wire
from simulators.post import mischief
from simulators.report import Kind
from simulators.scenario import BehaviourSpec

METER = wire.FORMATS[0].identify_meter("hm", "H-S1-B01-M1", 1)  # type: ignore[misc]
ANCHOR_S = 1_768_197_600


def test_as_many_strike_as_the_scenario_says() -> None:
    spec = BehaviourSpec(malformed_per_day=40, unknown_per_day=10)
    struck = [
        strike
        for offset_s in range(0, 20 * 86400, 300)
        for strike in mischief.strikes(spec, 5, offset_s, 300)
    ]
    counted = Counter(kind for kind, _ in struck)
    assert set(counted) == {Kind.MALFORMED, Kind.UNKNOWN_DEVICE}
    assert counted[Kind.MALFORMED] == pytest.approx(800, rel=0.15)
    assert counted[Kind.UNKNOWN_DEVICE] == pytest.approx(200, rel=0.3)


def test_a_truncated_message_is_no_json() -> None:
    said = mischief.spoilt(Kind.MALFORMED, 60, ANCHOR_S, METER)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        json.loads(said.payload)


def test_clocks_stand_in_1970_or_a_year_ahead() -> None:
    past = json.loads(mischief.spoilt(Kind.CLOCK_1970, 60, ANCHOR_S, METER).payload)
    ahead = json.loads(mischief.spoilt(Kind.CLOCK_AHEAD, 60, ANCHOR_S, METER).payload)
    assert past["ts"] < 1000
    assert ahead["ts"] == ANCHOR_S + 60 + 365 * 86400


def test_a_number_that_is_none_is_a_bare_word() -> None:
    payload = mischief.spoilt(Kind.NAN, 60, ANCHOR_S, METER).payload
    assert b":NaN," in payload
    assert METER.topic == "hearthline/v1/hm/H-S1-B01-M1/meter"


def test_a_stranger_is_in_nobodys_ledger() -> None:
    said = mischief.stranger("hm", 9, ANCHOR_S)
    assert said.topic == "hearthline/v1/hm/SPARE-2/room"
    assert json.loads(said.payload)["temperature_c"] == 21.4
