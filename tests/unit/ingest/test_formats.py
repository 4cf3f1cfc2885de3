"""The registry, and what holds for every decoder: it never raises, it never loses an item."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.readings import LIMITS, RejectReason, RoomReading
from hearthline.errors import SettingsError
from ingest.acceptance import Refusal, Rules, accept
from ingest.formats import OURS, Format, Registry, registry
from ingest.formats.model import Decoded
from ingest.formats.quantities import QUANTITIES

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
RULES = Rules(datetime(2005, 1, 1, tzinfo=UTC), timedelta(minutes=10))
TOPICS = (
    "hearthline/v1/s/d/room",
    "hearthline/v1/s/d/meter",
    "hearthline/v1/s/d/weather",
    "hearthline/v1/s/d",
    "application/a/device/0102/event/up",
    "zigbee2mqtt/bed room/1",
    "zigbee2mqtt/bridge/state",
    "elsewhere/1",
)
KEYS = st.sampled_from(
    [
        *QUANTITIES,
        "ts",
        "device",
        "object",
        "history",
        "timestamp",
        "time",
        "temperature",
        "last_seen",
    ]
) | st.text(max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)
GOOD: tuple[tuple[str, Any], ...] = (
    (
        TOPICS[0],
        {
            "ts": "2026-01-10T11:40:00Z",
            "temperature_c": 21.4,
            "humidity_pct": 40,
            "battery_pct": 90,
        },
    ),
    (
        TOPICS[0],
        [{"ts": 1768045200, "temperature_c": 21.4}, {"ts": 1768046400, "temperature_c": "20"}],
    ),
    (
        TOPICS[1],
        {
            "ts": 1768045200000,
            "supply_c": 52.3,
            "return_c": 41.0,
            "flow_m3h": 0.07,
            "energy_kwh": 7173,
        },
    ),
    (TOPICS[2], {"ts": "2026-01-10T11:40:00+08:00", "outdoor_c": -12.5, "wind_ms": 3}),
    (
        TOPICS[4],
        {"time": "2026-01-10T11:40:00.775023242Z", "object": {"temperature": 20, "battery": 92}},
    ),
    (
        TOPICS[4],
        {
            "time": "2026-01-10T11:40:00Z",
            "object": {"history": [{"temperature": 2, "timestamp": 1665561758}]},
        },
    ),
    (TOPICS[5], {"temperature": 26.14, "last_seen": 1768042800000, "battery": None}),
)


def test_the_topic_chooses_the_format() -> None:
    registry = Registry()
    names = [found.name if (found := registry.find(topic)) else None for topic in TOPICS]
    assert names == ["own"] * 4 + ["chirpstack", "zigbee2mqtt", "zigbee2mqtt", None]


@pytest.mark.parametrize(
    ("topic_filter", "topic", "matches"),
    [
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("#", "x/y", True),
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a//c", True),
        ("a/+/c", "a/b/d/c", False),
        ("a.b", "axb", False),
    ],
)
def test_topic_filters_match_as_the_broker_matches(
    topic_filter: str, topic: str, matches: bool
) -> None:
    assert Format("f", (topic_filter,), lambda *_: Decoded()).matches(topic) is matches


def test_no_format_is_a_reason() -> None:
    decoded = Registry().decode("elsewhere/1", b"21.5", NOW)
    assert [r.reason for r in decoded.rejections] == [RejectReason.NO_FORMAT]


def test_a_companys_own_format_is_asked_first() -> None:
    reading = RoomReading("mine:1", NOW, 20.0)
    mine = Format("mine", ("hearthline/v1/s/#",), lambda *_: Decoded((reading,), (), (None,)))
    assert Registry((mine, *OURS)).decode(TOPICS[0], b"", NOW).readings == (reading,)


def test_a_decoder_that_raises_costs_its_message_only() -> None:
    broken = Format("broken", ("x",), lambda *_: 1 / 0)  # type: ignore[arg-type, return-value]
    (rejection,) = Registry((broken,)).decode("x", b"1", NOW).rejections
    assert rejection.reason is RejectReason.MALFORMED
    assert "broken" in rejection.detail


def test_installed_packages_add_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from ingest.formats import Decoded, Format\nMINE = Format('mine', ('x',), Decoded)\n"
    (tmp_path / "company_formats.py").write_text(code)
    package = tmp_path / "company-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: company\nVersion: 1.0\n")
    names = package / "entry_points.txt"
    names.write_text("[hearthline.formats]\nmine = company_formats:MINE\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert [one.name for one in registry().formats] == ["mine", *(one.name for one in OURS)]
    names.write_text("[hearthline.formats]\nmine = company_formats:Decoded\n")
    with pytest.raises(SettingsError, match="names no wire format"):
        registry()


@given(st.sampled_from(TOPICS), st.binary(max_size=200))
def test_any_bytes_come_out_as_readings_or_rejections(topic: str, payload: bytes) -> None:
    check(topic, payload)


@given(st.sampled_from(TOPICS), JSON)
def test_any_json_comes_out_as_readings_or_rejections(topic: str, said: Any) -> None:
    check(topic, json.dumps(said).encode())


def test_mutated_messages_never_yield_an_impossible_reading(request: pytest.FixtureRequest) -> None:
    chance = random.Random(request.config.getoption("randomly_seed", default=1))
    for topic, payload in mutations(chance, 20_000):
        check(topic, payload)


def mutations(chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Good messages with a few bytes changed, cut out, doubled, or exchanged between messages."""
    bodies = [(topic, json.dumps(said).encode()) for topic, said in GOOD]
    for _ in range(count):
        topic, body = chance.choice(bodies)
        changed = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(changed) or 1)
            other = chance.choice(bodies)[1]
            cut = chance.randrange(len(other))
            match chance.randrange(5):
                case 0:
                    changed[at : at + 1] = bytes([chance.randrange(256)])
                case 1:
                    del changed[at : at + chance.randint(1, 8)]
                case 2:
                    changed[at:at] = changed[at : at + chance.randint(1, 8)]
                case 3:
                    changed[at:at] = other[cut : cut + chance.randint(1, 12)]
                case _:
                    changed[at:at] = chance.choice(
                        (b"NaN", b"-", b"1e9", b"null", b'"', b"[", b"85.0")
                    )
        yield topic, bytes(changed)


def check(topic: str, payload: bytes) -> None:
    """No exception, every reading accompanied by its item, and nothing impossible accepted."""
    registry = Registry()
    found = registry.find(topic)
    decoded = (
        found.decode(topic, payload, NOW)
        if found is not None
        else registry.decode(topic, payload, NOW)
    )
    assert len(decoded.items) == len(decoded.readings)
    assert all(rejection.detail for rejection in decoded.rejections)
    for reading in decoded.readings:
        assert reading.time.tzinfo is UTC
        kept = accept(reading, NOW, RULES)
        if isinstance(kept, Refusal):
            continue
        assert RULES.oldest <= kept.time <= NOW + RULES.clock_tolerance
        for name in QUANTITIES[kept.kind]:
            value = getattr(kept, name)
            assert value is None or LIMITS[name][0] <= value <= LIMITS[name][1]
