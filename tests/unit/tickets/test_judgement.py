"""What an incident says of its cause when it is judged again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hearthline.domain.findings import Cause, Finding
from tickets.judgement import judgement
from tickets.merging import OpenIncident

T0 = datetime(2026, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACE = "B1-E1-301"


def said(
    at: datetime, *ranked: tuple[Cause, float], place: str = PLACE, proven: bool = False
) -> Finding:
    return Finding(
        at=at,
        place=place,
        cause=ranked[0][0],
        confidence=ranked[0][1],
        cold=frozenset({PLACE}),
        affected=frozenset({PLACE}),
        evidence=(),
        ranked=ranked,
        proven=proven,
    )


def standing(*ranked: tuple[Cause, float], hours: float) -> OpenIncident:
    first = said(T0, *ranked)
    return OpenIncident(
        id=1,
        kind=first.kind,
        cause=first.cause,
        place=PLACE,
        confidence=first.confidence,
        opened_at=T0,
        ranked=tuple(first.ranked),
        judged_at=T0 + hours * HOUR,
    )


VALVE, WALL = (Cause.VALVE_CLOSED, 0.6), (Cause.ENVELOPE, 0.4)
OTHERWISE = (Cause.ENVELOPE, 0.95), (Cause.VALVE_CLOSED, 0.05)


def test_one_odd_hour_does_not_turn_a_diagnosis() -> None:
    """However sure it is of itself."""
    told = judgement(standing(VALVE, WALL, hours=20), said(T0 + 21 * HOUR, *OTHERWISE))
    assert told is not None
    assert told.cause is Cause.VALVE_CLOSED
    assert dict(told.ranked)[Cause.ENVELOPE] == pytest.approx(0.4 + 0.55 / 21, abs=0.001)


def test_what_shows_for_a_day_does() -> None:
    """The past counts for no more than a day, however long it was."""
    old = standing(VALVE, WALL, hours=200)
    told = judgement(old, said(T0 + 224 * HOUR, *OTHERWISE))
    assert told is not None
    assert (told.cause, told.confidence) == (Cause.ENVELOPE, pytest.approx(0.675))


def test_a_cause_that_is_new_begins_with_its_share() -> None:
    """And one that is told no more fades."""
    told = judgement(standing(VALVE, WALL, hours=1), said(T0 + 2 * HOUR, (Cause.AIR_LOCK, 1.0)))
    assert told is not None
    assert dict(told.ranked) == {
        Cause.AIR_LOCK: 0.5,
        Cause.VALVE_CLOSED: 0.3,
        Cause.ENVELOPE: 0.2,
    }


def test_what_meters_prove_is_no_matter_of_means() -> None:
    """It stands until something surer comes, and takes over at once if it is surer."""
    swapped = standing((Cause.PIPES_SWAPPED, 0.92), hours=5)
    assert judgement(swapped, said(T0 + 6 * HOUR, (Cause.STRAINER_CLOGGED, 0.55))) is None
    sure = said(T0 + 6 * HOUR, (Cause.PIPES_SWAPPED, 0.92), proven=True)
    assert judgement(standing(VALVE, WALL, hours=5), sure) == sure


def test_a_finding_elsewhere_leaves_the_incident_as_it_was() -> None:
    """Its dwellings may join; its cause is of another place."""
    beside = said(T0 + HOUR, (Cause.AIR_LOCK, 0.9), place="B1-E1-401")
    assert judgement(standing(VALVE, WALL, hours=1), beside) is None


def test_who_was_undetermined_takes_the_first_reason_that_is_surer() -> None:
    """Not knowing is no judgement that counts in a mean."""
    unknown = standing((Cause.UNDETERMINED, 0.4), hours=10)
    found = said(T0 + 11 * HOUR, *OTHERWISE)
    assert judgement(unknown, found) == found


def test_an_hour_that_tells_nothing_does_not_unsay_a_cause() -> None:
    """Neither does it stay untold once something is told."""
    nothing = (Cause.UNDETERMINED, 0.4), (Cause.ENVELOPE, 0.15)
    mild = (Cause.VALVE_CLOSED, 0.35), (Cause.ENVELOPE, 0.3)
    assert judgement(standing(*mild, hours=3), said(T0 + 4 * HOUR, *nothing)) is None
    told = judgement(standing(*nothing, hours=3), said(T0 + 4 * HOUR, *mild))
    assert told is not None
    assert told.cause is Cause.VALVE_CLOSED


def test_rooms_do_not_overrule_a_meters_sign_however_sure_they_are() -> None:
    """A sign that speaks for itself stands at its place until another sign is surer."""
    sign, rooms = (Cause.PIPES_SWAPPED, 0.92), (Cause.VERTICAL_IMBALANCE, 0.99)
    assert judgement(standing(sign, hours=3), said(T0 + 4 * HOUR, rooms)) is None
    assert judgement(standing(sign, hours=3), said(T0 + 4 * HOUR, rooms, proven=True)) is not None
