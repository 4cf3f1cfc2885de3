"""The chain 投诉 → 派单 → 处理 → 回复 → 回访, event by event."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.errors import Conflict, Invalid
from tickets.lifecycle import (
    EVENT_OF,
    Action,
    Event,
    EventKind,
    Standing,
    State,
    advance,
    allowed,
    fold,
)

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


def event(kind: EventKind, **fields: object) -> Event:
    return Event(kind, fields.pop("at", NOON), "li", **fields)  # type: ignore[arg-type]


def handled(*more: Event) -> Standing:
    """A ticket that was opened, dispatched, worked on and replied to, and what came after."""
    chain = (EventKind.OPENED, EventKind.DISPATCHED, EventKind.STARTED, EventKind.REPLIED)
    return fold([*(event(kind) for kind in chain), *more])


def test_the_chain_is_walked_step_by_step() -> None:
    """Opened, dispatched, in progress, replied: each event moves one step."""
    standing = Standing()
    seen = []
    for kind in (EventKind.OPENED, EventKind.DISPATCHED, EventKind.STARTED, EventKind.REPLIED):
        standing = advance(standing, event(kind))
        seen.append(standing.state)
    assert seen == [State.NEW, State.DISPATCHED, State.IN_PROGRESS, State.REPLIED]
    assert standing.version == 4


def test_no_step_is_skipped() -> None:
    """A new ticket cannot be replied to."""
    with pytest.raises(Conflict, match="cannot be replied"):
        fold([event(EventKind.OPENED), event(EventKind.REPLIED)])


def test_a_follow_up_call_closes_only_when_rooms_are_warm() -> None:
    """Without recovery or certified reading the call is refused; with either it closes."""
    call = event(EventKind.CALLED_BACK, body={"satisfied": True})
    with pytest.raises(Conflict, match="not warm yet"):
        handled(call)
    assert handled(event(EventKind.RECOVERED), call).state is State.CLOSED
    certified = event(EventKind.CALLED_BACK, body={"satisfied": True, "certified_c": 20.4})
    assert handled(certified).state is State.CLOSED


def test_a_dissatisfied_customer_sends_it_back() -> None:
    """The call that records dissatisfaction reopens the work, warm or not."""
    call = event(EventKind.CALLED_BACK, body={"satisfied": False})
    assert handled(event(EventKind.RECOVERED), call).state is State.IN_PROGRESS


def test_a_call_records_satisfaction() -> None:
    """Neither yes nor no is no follow-up call."""
    with pytest.raises(Invalid, match="satisfied"):
        handled(event(EventKind.RECOVERED), event(EventKind.CALLED_BACK))


def test_rooms_that_turn_cold_after_the_reply_reopen_the_work() -> None:
    """A relapse takes back the recovery and the reply."""
    standing = handled(event(EventKind.RECOVERED), event(EventKind.RELAPSED))
    assert (standing.state, standing.recovered_at) == (State.IN_PROGRESS, None)


def test_a_pause_needs_a_reason_code() -> None:
    """Free text is no reason; a known one pauses, and nothing but resuming replies."""
    opened = [event(EventKind.OPENED), event(EventKind.DISPATCHED), event(EventKind.STARTED)]
    with pytest.raises(Invalid, match="needs a reason"):
        fold([*opened, event(EventKind.PAUSED, reason="lunch")])
    paused = fold([*opened, event(EventKind.PAUSED, reason="no_access")])
    acts = allowed(paused.state, paused=paused.paused is not None)
    assert Action.RESUME in acts
    assert Action.REPLY not in acts


def test_a_merged_ticket_is_over() -> None:
    """Nobody can act on it, and the machine cannot either."""
    merged = fold([event(EventKind.OPENED), event(EventKind.MERGED)])
    assert allowed(merged.state, paused=False) == ()
    with pytest.raises(Conflict):
        advance(merged, event(EventKind.RECOVERED))


@given(st.lists(st.sampled_from(sorted(Action)), max_size=12))
def test_what_is_allowed_is_accepted_and_counts(actions: list[Action]) -> None:
    """Any walk through offered actions keeps a lawful standing with a version per event."""
    standing, taken = fold([event(EventKind.OPENED), event(EventKind.RECOVERED)]), 2
    for action in actions:
        if action not in allowed(standing.state, paused=standing.paused is not None):
            continue
        body = {"satisfied": True, "certified_c": 20.0}
        standing = advance(standing, event(EVENT_OF[action], reason="no_access", body=body))
        taken += 1
    assert standing.version == taken
    assert standing.state is not State.MERGED


def test_recovery_remembers_when() -> None:
    """The instant of recovery is kept for the proof."""
    later = NOON + timedelta(hours=3)
    assert handled(event(EventKind.RECOVERED, at=later)).recovered_at == later
