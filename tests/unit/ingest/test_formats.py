"""The registry, and what holds for every decoder: it never raises, it never loses an item."""

import json
import re
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import RejectReason, RoomReading
from hearthline.errors import SettingsError
from ingest.formats import OURS, Format, Registry, registry
from ingest.formats.model import NO_CONTEXT, Decoded
from simulators import wire
from tests.fuzz.corpus import NOW, Corpus, Seed, corpus
from tests.fuzz.mutate import DEEP, NAMES, NASTY
from tests.fuzz.verdict import Broken, examined, run

TOPICS = (
    *("hearthline/v1/s/d/room", "hearthline/v1/s/d/meter", "hearthline/v1/s/d/weather"),
    *("hearthline/v1/s/d", "hearthline/v1/s/d/status"),
    *(f"application/a/device/0102/event/{name}" for name in ("up", "status", "join", "log")),
    *("zigbee2mqtt/bed room/1", "zigbee2mqtt/a/availability", "zigbee2mqtt/bridge/state"),
    *("v3/a@ttn/devices/d/up", "v3/a@ttn/devices/d/join"),
    *("tele/x/SENSOR", "tele/x/STATE", "tele/x/LWT", "homie/5/d/n/temperature", "homie/5/d/$state"),
    *("homie/5/d/$description", "wmbusmeters/1", "senml/x"),
    *(f"spBv1.0/g/{kind}/e/d" for kind in ("DBIRTH", "DDATA", "DDEATH")),
    *(f"spBv1.0/g/{kind}/e" for kind in ("NBIRTH", "NDATA", "NDEATH")),
    *(f"$sys/p/d/thing/{what}/post" for what in ("property", "pack", "history")),
    *("$sys/p/d/thing/sub/login", "$sys/p/d/dp/post/json", "/sys/p/d/thing/model/up_raw"),
    *(f"/sys/p/d/thing/event/property/{way}post" for way in ("", "batch/", "pack/", "history/")),
    *("$oc/devices/d/sys/properties/report", "ctwing/s/d", "elsewhere/1"),
    "$oc/devices/d/sys/gateway/sub_devices/properties/report",
)
FORMATS = Registry()
BARE = Corpus((), NO_CONTEXT)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), inner, max_size=6)
    ),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def known() -> Corpus:
    """Sound messages, made before the clock of a test runs."""
    return corpus()


def check(topic: str, payload: bytes, learnt: Corpus = BARE) -> Decoded | None:
    """What a format makes of a message, examined; None where no format reads it."""
    one = FORMATS.speaker(topic, payload)
    return None if one is None else examined(one, Seed(topic, payload), learnt)


def test_the_topic_chooses_the_format() -> None:
    registry = Registry()
    for one in wire.FORMATS:
        device = one.identify("town", "T-S1-B01-E1-0101", 1, "gw")
        found = registry.find(device.topic)
        assert found is not None
        assert found.name == one.name
    assert registry.find("elsewhere/1") is None


def test_content_chooses_where_no_topic_does() -> None:
    registry = Registry()
    pack = b'[{"bn":"urn:dev:ow:1","u":"Cel","v":20}]'
    for topic, name in (("elsewhere", "senml"), ("hearthline/v1/s/d/room", "own")):
        found = registry.speaker(topic, pack)
        assert found is not None
        assert found.name == name
    assert registry.speaker("elsewhere", b"20") is None
    assert Registry(()).speaker("elsewhere", pack) is None


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


@given(st.sampled_from([name for name in NAMES if name]), st.sampled_from(NASTY), st.data())
def test_any_value_may_stand_in_any_place(
    known: Corpus, name: str, value: Any, data: st.DataObject
) -> None:
    seed = data.draw(st.sampled_from(known.seeds))
    try:
        said = json.loads(seed.payload)
    except ValueError:
        said = None
    inner = said[0] if isinstance(said, list) and said else said
    if isinstance(inner, dict):
        for member in (inner, *inner.values()):
            if isinstance(member, dict):
                member[name] = deepcopy(value)
    check(seed.topic, json.dumps(said).encode("utf-8", "replace"), known)


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"9" * 5_000,
        json.dumps(DEEP).encode(),
        b"\x00" * 2_000,
        b"\xff" * 2_000,
    ],
    ids=["empty", "null", "open", "deep", "long number", "nested", "zeros", "ones"],
)
def test_the_worst_payloads_are_only_refused(topic: str, payload: bytes) -> None:
    decoded = check(topic, payload)
    assert decoded is None or not any(one.kind is DeviceKind.METER for one in decoded.readings)


def test_sound_messages_are_read(known: Corpus) -> None:
    """The corpus from which damage is made is sound itself, or damage would prove little."""
    outcomes = [check(seed.topic, seed.payload, known) for seed in known.seeds]
    spoke = [one for one in outcomes if one is not None and (one.readings or one.signs)]
    assert len(spoke) > 0.9 * len(outcomes)


def test_damaged_messages_never_yield_an_impossible_reading(
    known: Corpus, request: pytest.FixtureRequest
) -> None:
    """``python -m tests.fuzz`` does the same a million times."""
    seed = request.config.getoption("randomly_seed", default=1)
    tally = run(known, Random(seed), 20_000)
    assert tally.messages.keys() >= {one.name for one in OURS}
    assert tally.readings > 4_000


def test_the_fuzz_finds_a_decoder_that_raises_or_lies() -> None:
    raising = Format("raising", ("x",), lambda *_: {}["x"])  # type: ignore[arg-type, return-value]
    with pytest.raises(Broken, match="KeyError"):
        examined(raising, Seed("x", b"1"), BARE)
    wrong = RoomReading("lying:1", datetime(2026, 1, 1), float("nan"))  # noqa: DTZ001
    lying = Format("lying", ("x",), lambda *_: Decoded((wrong,)))
    with pytest.raises(Broken, match=re.escape("temperature_c is nan")):
        examined(lying, Seed("x", b"1"), BARE)
