"""Loose JSON from devices: what is read, and what is refused with which reason."""

import json
import math
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.readings import RejectReason
from ingest.formats.values import Refused, document, encoded, instant, number

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (21, 21.0),
        (21.4, 21.4),
        ("21.4", 21.4),
        ("95.2%", 95.2),
        ("  -3.5 ", -3.5),
        ("21.4 °C", 21.4),
        ("+1e1", 10.0),
        (".5", 0.5),
        (None, None),
        ("", None),
    ],
)
def test_numbers_also_come_as_text(said: object, meant: float | None) -> None:
    assert number("x", said) == meant


@pytest.mark.parametrize(
    "said", [math.nan, math.inf, "NaN", "inf", "21,4", "warm", True, [], {}, 10**400, "٣", "70 F"]
)
def test_what_is_no_number_is_refused(said: object) -> None:
    with pytest.raises(Refused) as refused:
        number("x", said)
    assert refused.value.reason is RejectReason.NOT_A_NUMBER


@pytest.mark.parametrize(
    "said",
    [
        "2022-07-18T09:34:15.775023242+00:00",
        "2022-07-18T17:34:15.775023242+08:00",
        "2022-07-18t09:34:15.775023z",
        "20220718T093415.775023Z",
        1658136855.775023,
        1658136855775.023,
        1658136855775023,
        1658136855775023242,
        "1658136855.775023",
    ],
)
def test_an_instant_in_any_notation(said: object) -> None:
    expected = datetime(2022, 7, 18, 9, 34, 15, 775023, UTC)
    assert abs((instant("ts", said) - expected).total_seconds()) < 2e-6


@pytest.mark.parametrize(
    "said",
    [
        "2022-07-18T09:34:15",
        "2022-07-18",
        "yesterday",
        "",
        "0001-01-01T00:00:00+14:00",
        math.nan,
        math.inf,
        1e30,
        True,
        None,
        [],
        {},
    ],
)
def test_a_time_that_cannot_be_known_is_refused(said: object) -> None:
    with pytest.raises(Refused) as refused:
        instant("ts", said)
    assert refused.value.reason is RejectReason.BAD_TIME


def test_local_time_says_what_is_missing() -> None:
    with pytest.raises(Refused, match="without a zone"):
        instant("ts", "2022-07-18T09:34:15")


def test_nan_as_a_bare_word_does_not_spoil_the_document() -> None:
    first, second = document(b'[{"t": NaN}, {"t": 1}]')
    assert math.isnan(first["t"])
    assert second == {"t": 1}


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe", b"nan", b"[" * 100_000, b"{'a': 1}"])
def test_what_is_not_json_is_malformed(payload: bytes) -> None:
    with pytest.raises(Refused) as refused:
        document(payload)
    assert refused.value.reason is RejectReason.MALFORMED
    assert refused.value.detail


@given(ANYTHING)
def test_an_item_is_shown_as_it_was(item: object) -> None:
    shown = encoded(item)
    assert isinstance(shown, bytes)
    assert json.dumps(json.loads(shown)) == json.dumps(item)


@given(ANYTHING)
def test_reading_values_raises_nothing_but_refusals(item: object) -> None:
    for read in (number, instant):
        with suppress(Refused):
            read("x", item)
