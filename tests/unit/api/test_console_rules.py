"""The console's small decisions: colours, clocks, calendar, façade, steps, filters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console import colours
from api.console.buildings import facade, summary
from api.console.clocks import Urgency, running
from api.console.queue import Wish
from api.console.tickets import _acts, _steps, _told, whom_first
from api.console.units import calendar, neighbours, tally
from api.console.view import link, safe_next
from tickets.lifecycle import Action, State

NOW = datetime(2025, 12, 4, 20, 30, tzinfo=UTC)


@given(st.floats(-60, 60), st.sampled_from([16.0, 18.0, 20.0]))
def test_blue_is_exactly_what_is_below_the_standard(value: float, threshold: float) -> None:
    assert (colours.step(value, threshold) < 0) == (value - threshold < 0)


@given(st.floats(-60, 60), st.floats(-60, 60))
def test_a_warmer_room_never_has_a_colder_colour(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert colours.step(low, 20) <= colours.step(high, 20)


def test_the_legend_joins_up_and_is_open_at_both_ends() -> None:
    steps = colours.legend(20.0)
    assert [step for step, _low, _high in steps] == list(range(-5, 6))
    assert steps[0][1] is None
    assert steps[-1][2] is None
    assert all(one[2] == other[1] for one, other in pairwise(steps))


def ticket(state: str, due: timedelta | None, *, paused: bool = False) -> dict[str, Any]:
    return {"state": state, "due_at": None if due is None else NOW + due, "paused": paused}


@pytest.mark.parametrize(
    ("row", "promise", "urgency"),
    [
        (ticket("new", timedelta(minutes=25)), "respond", Urgency.CALM),
        (ticket("new", timedelta(minutes=9)), "respond", Urgency.SOON),
        (ticket("new", timedelta(seconds=-1)), "respond", Urgency.OVER),
        (ticket("in_progress", timedelta(hours=3)), "resolve", Urgency.CALM),
        (ticket("in_progress", timedelta(minutes=90)), "resolve", Urgency.SOON),
        (ticket("in_progress", timedelta(hours=-1), paused=True), "resolve", Urgency.PAUSED),
        (ticket("replied", None), "", Urgency.NONE),
    ],
)
def test_a_clock_says_which_promise_runs_and_how_urgent_it_is(
    row: dict[str, Any], promise: str, urgency: Urgency
) -> None:
    clock = running(row, NOW)
    assert (clock.promise, clock.urgency) == (promise, urgency)


def test_a_calendar_has_whole_weeks_that_end_today() -> None:
    today = date(2025, 12, 4)
    day = {"day": date(2025, 12, 1), "verdict": "below"}
    weeks = calendar([day], today)
    assert weeks[0][0][0].weekday() == 0
    assert weeks[-1][-1][0] == today
    assert all(len(week) == 7 for week in weeks[:-1])
    assert weeks[-1][0] == (date(2025, 12, 1), day)
    assert tally([day, day]) == {"below": 2}


def unit(code: str, floor: int, col: int, **other: Any) -> dict[str, Any]:
    plain = {"temperature_c": 21.0, "status": "on", "grade": None, "ticket": None}
    return {"code": code, "path": f"B/E{(col + 1) // 2}/{code}/", "floor": floor, "col": col,
            **plain, **other}  # fmt: skip


def test_a_facade_starts_at_the_top_left_and_parts_its_entrances() -> None:
    units = [unit(f"{f}{c}", f, c) for c in (1, 2, 3, 4) for f in (1, 2, 3)]
    doors = [{"code": f"E{n}", "path": f"B/E{n}/"} for n in (1, 2)]
    drawn = facade(doors, units)
    assert drawn.floors == [3, 2, 1]
    assert [cell["code"] for cell in drawn.cells[:4]] == ["31", "32", "33", "34"]
    assert [cell["track"] for cell in drawn.cells[:4]] == [1, 2, 4, 5]
    assert drawn.tracks.split().count("var(--gap)") == 1
    assert [(door["first"], door["last"]) for door in drawn.entrances] == [(1, 2), (4, 5)]


def test_a_facade_of_nothing_is_empty() -> None:
    assert facade([], []).cells == []


def test_a_buildings_summary_leaves_out_stopped_untrusted_and_silent_dwellings() -> None:
    units = [
        unit("a", 1, 1, temperature_c=17.0, ticket="1"),
        unit("b", 1, 2, temperature_c=22.0),
        unit("c", 1, 3, temperature_c=9.0, status="stopped"),
        unit("d", 1, 4, temperature_c=9.0, grade="C"),
        unit("e", 2, 1, temperature_c=None),
    ]
    told = summary(units, 20.0)
    assert told == {"units": 5, "measured": 2, "below": 1, "min_c": 17.0, "mean_c": 19.5,
                    "tickets": ["1"]}  # fmt: skip


def test_neighbours_share_a_wall_or_a_slab() -> None:
    own = unit("22", 2, 2)
    inside = [unit(f"{f}{c}", f, c) for f in (1, 2, 3) for c in (1, 2, 3)]
    found = neighbours(own, inside)
    assert {side: other["code"] for side, other in found.items()} == {
        "above": "32",
        "below": "12",
        "left": "21",
        "right": "23",
    }


def test_the_next_step_of_the_chain_comes_first() -> None:
    assert _acts(State.IN_PROGRESS, paused=False)[0] is Action.REPLY
    assert _acts(State.IN_PROGRESS, paused=True)[0] is Action.RESUME
    assert _acts(State.MERGED, paused=False) == []


def test_the_stepper_shows_who_reached_each_step_and_forgets_steps_undone() -> None:
    log = [{"kind": kind, "at": NOW} for kind in
           ("opened", "dispatched", "started", "replied", "relapsed")]  # fmt: skip
    steps = _steps(State.IN_PROGRESS, log)
    assert [stands for _step, _event, stands in steps] == ["done", "done", "now", "ahead", "ahead"]
    assert steps[3][1] is None
    closed = _steps(State.CLOSED, log)
    assert {stands for _step, _event, stands in closed} == {"done"}


def test_a_filter_in_the_address_leaves_out_defaults() -> None:
    assert Wish().address() == "/console"
    assert Wish(state="new", overdue=True, q="1号楼").address() == (
        "/console?state=new&overdue=1&q=1%E5%8F%B7%E6%A5%BC"
    )


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/console/network?x=1", "/console/network?x=1"),
        ("//evil.example/console", "/console"),
        ("http:/console", "/console"),
        ("/console\\..\\x", "/console"),
        ("/console\n", "/console"),
        ("", "/console"),
    ],
)
def test_the_way_back_stays_inside(asked: str, led: str) -> None:
    assert safe_next(asked) == led


def test_addresses_quote_any_code() -> None:
    assert link("unit", "3号楼 1-1#?%") == "/console/units/3%E5%8F%B7%E6%A5%BC%201-1%23%3F%25"


def member(code: str, temperature_c: float | None, **other: Any) -> dict[str, Any]:
    plain = {"cold_since": NOW, "warm_since": None, "status": "on", "vulnerable": False}
    return {"path": code, "temperature_c": temperature_c, **plain, **other}


def test_whom_to_call_first_is_cold_vulnerable_and_coldest() -> None:
    rows = [
        member("stopped", 9.0, status="stopped"),
        member("affected", 21.0, cold_since=None),
        member("warm again", 20.5, warm_since=NOW),
        member("silent", None),
        member("cold", 17.0),
        member("colder", 16.0),
        member("old lady", 18.0, vulnerable=True),
    ]
    ordered = [row["path"] for row in sorted(rows, key=whom_first)]
    assert ordered[:4] == ["old lady", "colder", "cold", "silent"]
    assert ordered[-1] == "affected"


def test_a_run_of_joining_dwellings_is_told_once() -> None:
    kinds = ["opened", "members_joined", "members_joined", "noted", "members_joined"]
    log = [{"kind": kind, "seq": seq} for seq, kind in enumerate(kinds, 1)]
    assert [(event["seq"], times) for event, times in _told(log)] == [
        (5, 1),
        (4, 1),
        (3, 2),
        (1, 1),
    ]
