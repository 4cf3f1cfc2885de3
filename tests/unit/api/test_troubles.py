"""What stands still is told, so that silence does not pass for warm homes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.troubles import LATE, Kind, Trouble, read
from hearthline.storage.analysis import WHOLE, of_district

NOW = datetime(2026, 1, 14, 4, tzinfo=UTC)
ALIVE = {"ingest": timedelta(seconds=4), "worker": timedelta(seconds=1)}
FRESH = {WHOLE: NOW - timedelta(minutes=70)}
DEAD = timedelta(minutes=5)


def test_while_all_is_well_nothing_is_said() -> None:
    assert list(read(ALIVE, FRESH, [], NOW)) == []
    assert list(read(ALIVE, {}, [], NOW)) == []  # nothing to judge yet


@pytest.mark.parametrize("dead", [{"ingest": DEAD}, {"worker": DEAD}, {"ingest": timedelta.max}])
def test_a_service_without_a_heartbeat_is_told(dead: dict[str, timedelta]) -> None:
    kinds = {"ingest": Kind.INGEST_AWAY, "worker": Kind.ANALYSIS_AWAY}
    expected = [Trouble(kinds[name], FRESH[WHOLE]) for name in dead]
    assert list(read(ALIVE | dead, FRESH, [], NOW)) == expected
    left = {name: age for name, age in ALIVE.items() if name not in dead}
    assert list(read(left, FRESH, [], NOW)) == expected


def test_an_analysis_that_runs_and_is_behind_is_told_with_how_far_it_is() -> None:
    just, over = NOW - LATE, NOW - LATE - timedelta(minutes=1)
    assert list(read(ALIVE, {WHOLE: just}, [], NOW)) == []
    assert list(read(ALIVE, {WHOLE: over}, [], NOW)) == [Trouble(Kind.ANALYSIS_LATE, over)]


def test_a_district_that_was_set_aside_is_told_with_where_it_stands() -> None:
    stands = NOW - timedelta(hours=9)
    row = {"code": "S3", "name": "Third Street", "name_zh": "三街"}
    found = list(read(ALIVE, FRESH | {of_district("S3"): stands}, [row], NOW))
    assert found == [Trouble(Kind.DISTRICT_ASIDE, stands, "S3", "Third Street", "三街")]
