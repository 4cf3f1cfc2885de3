"""The chain of verdicts: whatever is altered, removed, added or reordered breaks it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from analytics.chain import (
    START,
    Anchor,
    Break,
    BreakReason,
    Days,
    Digest,
    End,
    anchor,
    check_anchors,
    content,
    number,
    sealed,
    walk,
)

FIRST = date(2026, 1, 12)
Lines = list[dict[str, Any]]


def line(day: int, **says: Any) -> dict[str, Any]:
    row = {
        "code": "T-1", "day": FIRST + timedelta(days=day), "covered_min": 1440.0,
        "below_min": 180.0, "mean_c": 19.533, "min_c": 17.25, "verdict": "below",
        "reason": "none", "policy_code": "heilongjiang", "policy_from": date(2021, 10, 29),
        "judged_at": datetime(2026, 2, 1, 3, 4, 5, 678, tzinfo=UTC), "revision": 1,
        "sealed_on": FIRST + timedelta(days=day + 1),
    }  # fmt: skip
    return {**row, **says}


def chained(count: int = 6, code: str = "T-1") -> Lines:
    lines, prev = [], START
    for at in range(count):
        one = line(at, code=code)
        hash_ = sealed(one, at + 1, prev)
        lines.append({**one, "link": at + 1, "prev": prev, "hash": hash_})
        prev = hash_
    return lines


def end(lines: Lines) -> End:
    return End(lines[-1]["link"], lines[-1]["hash"])


def test_a_whole_chain_is_sound() -> None:
    lines = chained()
    assert list(walk("T-1", lines, end(lines))) == []


ALTERED: list[tuple[str, Any]] = [
    ("covered_min", 1439.0), ("below_min", 0.0), ("mean_c", 20.533), ("mean_c", None),
    ("min_c", 17.250002), ("verdict", "compliant"), ("reason", "vacant"), ("code", "T-2"),
    ("policy_code", "standard-18"), ("policy_from", date(2000, 1, 1)), ("revision", 2),
    ("day", FIRST), ("judged_at", datetime(2026, 2, 1, 3, 4, 5, 679, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), ALTERED)
def test_every_column_of_a_line_is_covered(column: str, value: Any) -> None:
    """The altered line is named, and no other."""
    lines = chained()
    lines[2] = {**lines[2], column: value}
    assert list(walk("T-1", lines, end(lines))) == [
        Break(BreakReason.CONTENT_CHANGED, "T-1", lines[2]["day"], 3)
    ]


def rehashed(lines: Lines) -> Lines:
    """Line 3 altered and given the hash that fits it."""
    changed = {**lines[2], "mean_c": 20.5}
    return [*lines[:2], {**changed, "hash": sealed(changed, 3, changed["prev"])}, *lines[3:]]


FORGED: list[tuple[str, Callable[[Lines], Lines], list[tuple[BreakReason, int]]]] = [
    ("altered with a fitting hash", rehashed, [(BreakReason.OUT_OF_PLACE, 4)]),
    ("one removed", lambda ls: ls[:2] + ls[3:], [(BreakReason.LINE_MISSING, 3)]),
    ("the first removed", lambda ls: ls[1:], [(BreakReason.LINE_MISSING, 1)]),
    ("the last removed", lambda ls: ls[:-1], [(BreakReason.END_MISSING, 6)]),
    ("all removed", lambda ls: ls[:0], [(BreakReason.END_MISSING, 1)]),
    ("two exchanged", lambda ls: [ls[0], {**ls[2], "link": 2}, {**ls[1], "link": 3}, *ls[3:]],
     [(BreakReason.OUT_OF_PLACE, 2), (BreakReason.CONTENT_CHANGED, 2),
      (BreakReason.OUT_OF_PLACE, 3), (BreakReason.CONTENT_CHANGED, 3),
      (BreakReason.OUT_OF_PLACE, 4)]),
]  # fmt: skip


@pytest.mark.parametrize(("_name", "forge", "breaks"), FORGED)
def test_forgeries_are_named(
    _name: str, forge: Callable[[Lines], Lines], breaks: list[tuple[BreakReason, int]]
) -> None:
    lines = chained()
    found = list(walk("T-1", forge(lines), end(lines)))
    assert [(one.reason, one.link) for one in found] == breaks


def test_a_chain_beyond_its_recorded_end_or_without_one_is_told() -> None:
    lines = chained()
    for recorded in (None, end(lines[:-1]), End(6, START)):
        [found] = walk("T-1", lines, recorded)
        assert found.reason is BreakReason.END_UNKNOWN


def anchored(*chains: Lines) -> list[Anchor]:
    """An anchor for every day but the last, which is still open."""
    days = filled(*chains)
    anchors: list[Anchor] = []
    for day in sorted(days.of)[:-1]:
        anchors.append(anchor(day, days.of[day], anchors[-1].hash if anchors else START))
    return anchors


def filled(*chains: Lines) -> Days:
    days = Days()
    for lines in chains:
        for one in lines:
            days.add(one)
    return days


def test_anchors_cover_what_was_sealed_on_their_day() -> None:
    chains = chained(code="T-1"), chained(code="T-2")
    assert list(check_anchors(anchored(*chains), filled(*chains))) == []


def test_a_chain_rewritten_to_its_end_is_betrayed_by_the_anchor() -> None:
    """Sound in itself, with a recorded end that fits; the day it was sealed on does not."""
    honest = chained(5)
    forged, prev = [], START
    for at, one in enumerate(honest):
        changed = {**one, "mean_c": 21.0} if at == 2 else one
        hash_ = sealed(changed, at + 1, prev)
        forged.append({**changed, "prev": prev, "hash": hash_})
        prev = hash_
    assert list(walk("T-1", forged, end(forged))) == []
    found = list(check_anchors(anchored(honest), filled(forged)))
    assert (found[0].reason, found[0].day) == (BreakReason.DAY_CHANGED, honest[2]["sealed_on"])


def test_a_dwelling_removed_with_all_its_lines_is_missed() -> None:
    chains = chained(code="T-1"), chained(code="T-2")
    found = list(check_anchors(anchored(*chains), filled(chains[0])))
    assert {one.reason for one in found} == {BreakReason.DAY_CHANGED}


def test_anchors_are_a_chain_too() -> None:
    lines = chained()
    anchors = anchored(lines)
    [gone, day] = check_anchors([anchors[0], *anchors[2:]], filled(lines))
    assert gone.reason is day.reason is BreakReason.ANCHOR_BROKEN
    bent = Anchor(anchors[1].day, 7, *(getattr(anchors[1], n) for n in ("digest", "prev", "hash")))
    assert BreakReason.ANCHOR_BROKEN in {
        one.reason for one in check_anchors([anchors[0], bent, *anchors[2:]], filled(lines))
    }


def test_a_line_added_to_an_anchored_day_is_found() -> None:
    lines = chained()
    extra = {**chained(code="T-9")[0]}
    found = list(check_anchors(anchored(lines), filled(lines, [extra])))
    assert [(one.reason, one.day) for one in found] == [
        (BreakReason.DAY_CHANGED, extra["sealed_on"])
    ]


def test_anybody_can_recompute_a_hash_from_the_rows() -> None:
    """SHA-256 over the hash before, the number as eight bytes, and a JSON array of texts."""
    said = content(line(0, min_c=None))
    assert json.loads(said) == [
        "hearthline-unit-day-1", "T-1", "2026-01-12", "1440.0", "180.0", "19.533", None, "below",
        "none", "heilongjiang", "2021-10-29", "2026-02-01T03:04:05.000678+00:00", "1",
    ]  # fmt: skip
    by_hand = hashlib.sha256(START + (7).to_bytes(8, "big") + said).digest()
    assert sealed(line(0, min_c=None), 7, START) == by_hand


@pytest.mark.parametrize("value", [19.533, 0.1, 1 / 3, 1439.6666, -24.2])
def test_a_number_says_the_same_before_and_after_it_was_stored(value: float) -> None:
    """As the float the ledger computes, and as the four bytes that come back."""
    stored = float(np.float32(value))
    assert number(value) == number(stored)
    assert number(float(np.nextafter(np.float32(value), np.float32(99)))) != number(value)


def test_a_digest_counts_what_it_covers() -> None:
    digest = Digest()
    digest.add("T-1", 1, START)
    assert digest.links == 1
    assert digest.done() != Digest().done()
