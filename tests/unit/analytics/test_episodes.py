"""Persistence, hysteresis and gaps: when a dwelling is called cold, and for how long."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.episodes import (
    CloseReason,
    EpisodeKind,
    Excursion,
    Known,
    Persistence,
    Scan,
    reconcile,
    scan,
)

START = datetime(2026, 1, 12, tzinfo=UTC)
RULE = Persistence(open_hours=4, close_hours=4, lapse_hours=24, hysteresis_k=0.3)
GAP = float("nan")


def hour(count: int) -> datetime:
    return START + timedelta(hours=count)


def found(
    *levels: float,
    owed: list[bool] | None = None,
    counts: list[bool] | None = None,
    open_since: dict[int, datetime] | None = None,
) -> list[Excursion]:
    """Excursions of one dwelling with these hourly means against 20 °C."""
    n = len(levels)
    hours = Scan(
        START,
        np.array([levels]),
        np.array([owed or [True] * n]),
        np.full(n, 20.0),
        np.array(counts or [True] * n),
    )
    return scan(hours, RULE, open_since or {})


def test_a_single_low_hour_is_never_an_episode() -> None:
    """Healthy dwellings spend up to 2 % of the season below 20 °C."""
    assert found(21, 19, 21, 19, 19, 19, 21) == []


def test_four_hours_below_open_at_the_end_of_the_fourth() -> None:
    """It began with the first cold hour and opened when persistence was reached."""
    [cold] = found(21, 19.5, 19, 18, 19)
    assert (cold.began_at, cold.opened_at, cold.closed_at) == (hour(1), hour(5), None)
    assert cold.min_c == 18


def test_it_closes_after_four_hours_above_standard_plus_hysteresis() -> None:
    """20.1 °C is not warm yet; 20.3 °C is."""
    [cold] = found(19, 19, 19, 19, 20.1, 20.1, 20.3, 20.4, 20.5, 20.6, 21)
    assert (cold.closed_at, cold.reason) == (hour(10), CloseReason.WARM_AGAIN)


def test_flapping_around_the_standard_keeps_one_episode() -> None:
    """Three warm hours in a row are not four."""
    assert len(found(*[19] * 4, *[20.5, 20.5, 20.5, 19.9] * 5)) == 1


def test_missing_is_never_cold() -> None:
    """Gaps do not add up to persistence, and a long gap starts the count anew."""
    assert found(19, 19, 19, GAP, GAP, GAP, GAP, 19, 21) == []
    assert len(found(19, 19, 19, GAP, 19)) == 1


def test_a_day_without_readings_ends_it_for_want_of_knowledge() -> None:
    """The episode lapses with its reason; it does not count as warm."""
    [cold] = found(*[19] * 4, *[GAP] * 30)
    assert (cold.closed_at, cold.reason) == (hour(28), CloseReason.NO_READINGS)


def test_excluded_hours_are_passed_over() -> None:
    """Hours that do not count neither break nor complete the persistence."""
    counts = [True, True, False, False, True, True]
    [cold] = found(19, 19, 25, 25, 19, 19, counts=counts)
    assert cold.opened_at == hour(6)


def test_heat_not_owed_ends_it() -> None:
    """Heating stopped: no episode, and an open one ends with that reason."""
    [cold] = found(*[19] * 8, owed=[True] * 5 + [False] * 3)
    assert (cold.closed_at, cold.reason) == (hour(6), CloseReason.NOT_OWED)


def test_an_episode_from_before_the_window_goes_on() -> None:
    """It keeps its own beginning and closes when the room is warm."""
    since = START - timedelta(days=9)
    [cold] = found(19, 21, 21, 21, 21, open_since={0: since})
    assert (cold.opened_at, cold.closed_at) == (since, hour(5))


levels = st.lists(st.floats(15, 24) | st.just(GAP), min_size=1, max_size=90)


@given(levels, st.integers(1, 60))
def test_a_later_window_end_never_changes_what_was_opened(values: list[float], cut: int) -> None:
    """Excursions are decided by the past alone: hours to come move no opening."""
    before = {(e.unit, e.opened_at) for e in found(*values[:cut])}
    after = {(e.unit, e.opened_at) for e in found(*values)}
    assert before <= after


@given(levels)
def test_every_opening_has_its_four_cold_hours(values: list[float]) -> None:
    """No episode without ``open_hours`` known hours below the standard before it."""
    for cold in found(*values):
        stop = int((cold.opened_at - START) / timedelta(hours=1))
        first = int((cold.began_at - START) / timedelta(hours=1))
        run = [v for v in values[first:stop] if not np.isnan(v)]
        assert len(run) >= 4
        assert max(run) < 20


def excursion(opened: int, closed: int | None) -> Excursion:
    end = None if closed is None else hour(closed)
    return Excursion(0, hour(opened - 4), hour(opened), 18.0, end, None)


def test_reconciling_what_is_stored_changes_nothing() -> None:
    """An excursion that is known already is neither new nor closed."""
    changes = reconcile([excursion(5, None)], [Known(7, 0, hour(5), None)])
    assert (changes.new, changes.closed, changes.revoked) == ((), (), ())


def test_an_end_is_carried_to_the_stored_episode() -> None:
    """Open in the store, ended in the scan: closed, once."""
    ended = excursion(5, 20)
    assert reconcile([ended], [Known(7, 0, hour(5), None)]).closed == ((7, ended),)
    assert reconcile([ended], [Known(7, 0, hour(5), hour(20))]).closed == ()


def test_late_readings_revoke_an_episode_that_never_was() -> None:
    """Nothing overlaps it any more."""
    known = Known(7, 0, hour(5), None)
    assert reconcile([], [known]).revoked == (known,)


def test_two_excursions_are_two_episodes() -> None:
    """A new excursion never reuses the old episode."""
    again = excursion(40, None)
    changes = reconcile([excursion(5, 20), again], [Known(7, 0, hour(5), hour(20))])
    assert changes.new == (again,)


def test_an_episode_left_open_meets_one_excursion_only() -> None:
    """What came after it ended, seen in the same cycle, is news."""
    ended, again = excursion(5, 20), excursion(40, 50)
    changes = reconcile([ended, again], [Known(7, 0, hour(5), None)])
    assert changes.closed == ((7, ended),)
    assert changes.new == (again,)


def overheated(*levels: float, limit: float = 26.0) -> list[Excursion]:
    """Excursions of one dwelling above an upper limit."""
    n = len(levels)
    owed, counts = np.ones((1, n), bool), np.ones(n, bool)
    hours = Scan(START, np.array([levels]), owed, np.full(n, limit), counts, EpisodeKind.OVERHEATED)
    return scan(hours, RULE, {})


def test_overheated_is_the_same_scan_with_every_sign_turned() -> None:
    """Above 26 °C for four hours opens it; four hours at 25.7 °C or less end it."""
    [hot] = overheated(25, 26.5, 27, 28, 26.1, 25.8, 25.7, 25.6, 25, 25, 25)
    assert (hot.began_at, hot.opened_at, hot.closed_at) == (hour(1), hour(5), hour(10))
    assert (hot.kind, hot.min_c) == (EpisodeKind.OVERHEATED, 28)


def test_at_the_upper_limit_a_room_is_not_overheated() -> None:
    assert overheated(*[26.0] * 9) == []
    assert overheated(*[40.0] * 9, limit=GAP) == [], "a rule without a limit knows none"


@given(levels)
def test_turning_every_sign_turns_cold_into_overheated(values: list[float]) -> None:
    """Mirrored about the standard, the same hours open and close."""
    mirrored = [40.0 - value for value in values]
    cold, hot = found(*values), overheated(*mirrored, limit=20.0)
    assert [(e.opened_at, e.closed_at) for e in hot] == [(e.opened_at, e.closed_at) for e in cold]


def test_after_maintenance_the_persistence_counts_from_scratch() -> None:
    """Three cold hours before a window and three after it are not four in a row."""
    owed = [True] * 3 + [False] * 2 + [True] * 3
    assert found(*[19] * 8, owed=owed) == []
    [cold] = found(*[19] * 9, owed=[*owed, True])
    assert (cold.began_at, cold.opened_at) == (hour(5), hour(9))
