"""Topic filters: which covers which, and what to subscribe to."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats import OURS, Registry
from ingest.formats.model import Decoded, Format
from ingest.formats.topics import covers, union


@pytest.mark.parametrize(
    ("one", "other", "is_so"),
    [
        ("#", "a/b", True),
        ("#", "$sys/a", False),
        ("+/a", "$sys/a", False),
        ("$sys/#", "$sys/+/x", True),
        ("a/#", "a", True),
        ("a/#", "a/#", True),
        ("a/+", "a/#", False),
        ("a/+", "a/b", True),
        ("a/b", "a/+", False),
        ("a/+/c", "a/b/+", False),
        ("a/+", "a/b/c", False),
        ("a/b/c", "a/b", False),
    ],
)
def test_a_filter_covers_another(one: str, other: str, is_so: bool) -> None:
    assert covers(one, other) is is_so


LEVEL = st.sampled_from(["a", "b", "$s", "+", ""])
FILTER = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(LEVEL, min_size=1, max_size=3),
    st.sampled_from([[], ["#"]]),
)
TOPIC = st.lists(st.sampled_from(["a", "b", "$s", ""]), min_size=1, max_size=4).map("/".join)


def broker_matches(topic_filter: str, topic: str) -> bool:
    """As MQTT 5 says it, section 4.7: a wildcard first matches no topic that begins with $."""
    if topic.startswith("$") and topic_filter[:1] in {"+", "#"}:
        return False
    pattern = re.escape(topic_filter).replace(r"\\+", "[^/]*").replace(r"\\#", "#")
    pattern = pattern.replace(r"\+", "[^/]*").replace("/\\#", "(/.*)?").replace(r"\#", ".*")
    return re.fullmatch(pattern, topic) is not None


@given(FILTER, FILTER, TOPIC)
def test_what_is_covered_is_heard(one: str, other: str, topic: str) -> None:
    if covers(one, other) and broker_matches(other, topic):
        assert broker_matches(one, topic)


@given(st.lists(FILTER, max_size=5), TOPIC)
def test_the_union_hears_what_each_filter_hears(filters: list[str], topic: str) -> None:
    heard = any(broker_matches(one, topic) for one in filters)
    assert any(broker_matches(one, topic) for one in union(filters)) is heard


def test_every_format_is_subscribed_to_once() -> None:
    filters = Registry().filters
    assert len(filters) == len(set(filters))
    for one in OURS:
        for topic in one.topics:
            assert any(covers(wide, topic) for wide in filters)
    assert not any(covers(a, b) for a in filters for b in filters if a != b)


def test_a_company_format_widens_what_is_heard() -> None:
    mine = Format("mine", ("hearthline/#", "x"), lambda *_: Decoded())
    filters = Registry((mine, *OURS)).filters
    assert "hearthline/#" in filters
    assert "hearthline/v1/#" not in filters
