"""SenML: base name and base time once, relative times, one pack for a backlog."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from simulators.wire import RoomReading, senml

AT_S = 1_768_197_626
IDENTITY = senml.identify("hm", "H-S1-B01-E1-0302", 1, "GW")


def resolved(records: list[dict[str, Any]]) -> list[tuple[str, float, float]]:
    """(name, time, value) as RFC 8428, section 4.6, resolves them."""
    name, time, found = "", 0.0, []
    for record in records:
        name, time = record.get("bn", name), record.get("bt", time)
        found.append((name + record.get("n", ""), time + record.get("t", 0), record["v"]))
    return found


def test_a_reading_is_a_pack_that_begins_with_its_base() -> None:
    (said,) = senml.say(IDENTITY, RoomReading(AT_S, AT_S - 30, 1, 21.5, 40.0, 80.0), UTC)
    records = json.loads(said.payload)
    assert list(records[0]) == ["bn", "bt", "u", "v"]
    base = IDENTITY.name
    assert IDENTITY.uid == f"senml:{base}"
    assert resolved(records) == [
        (base, AT_S - 30, 21.5),
        (f"{base}_humidity", AT_S - 30, 40.0),
        (f"{base}_battery", AT_S - 30, 80.0),
    ]
    assert [record["u"] for record in records] == ["Cel", "%RH", "%EL"]


def test_a_backlog_counts_back_from_the_instant_of_sending() -> None:
    readings = [
        RoomReading(AT_S + at, AT_S + at + 60, 1, 20.0 + at / 1200, None, None)
        for at in range(0, 25 * 1200, 1200)
    ]
    said = senml.recall(IDENTITY, readings, AT_S + 30_000, UTC)
    assert [one.readings for one in said] == [20, 5]
    records = [record for one in said for record in json.loads(one.payload)]
    assert records[0]["bt"] == AT_S + 30_060
    assert all(-(2**28) < record["t"] < 0 for record in records)
    assert [time for _, time, _ in resolved(records)] == [one.stamp_s for one in readings]


def test_the_town_is_in_the_topic() -> None:
    assert IDENTITY.topic.startswith("senml/hm/10")
