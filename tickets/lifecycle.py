"""The life of a ticket as two tables: which event leads where, and which act is allowed when.

The chain is 投诉 → 派单 → 处理 → 回复 → 回访 (complaint, dispatch, handling, reply, follow-up
call) and no step is skipped. Everything about a ticket is a fold over its events, so the log can
always be replayed and a clock computed again.

Rules in prose:

* A machine's event (opened, widened, members joined, recovered, relapsed, revised) never moves a
  ticket along the chain; only people do. The one exception: rooms that turn cold again after the
  reply send the ticket back to handling, because the reply was wrong.
* A ticket closes by the follow-up call alone, and only when the rooms are warm again or a
  certified reading says so. A dissatisfied customer sends it back to handling.
* A merged ticket is over; its complaint lives on in the other one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from hearthline.errors import Conflict, Invalid


class State(StrEnum):
    """Where a ticket stands in the chain."""

    NEW = "new"
    DISPATCHED = "dispatched"
    IN_PROGRESS = "in_progress"
    REPLIED = "replied"
    CLOSED = "closed"
    MERGED = "merged"


class EventKind(StrEnum):
    """What can happen to a ticket."""

    OPENED = "opened"
    WIDENED = "widened"
    MEMBERS_JOINED = "members_joined"
    RECOVERED = "recovered"
    RELAPSED = "relapsed"
    REVISED = "revised"
    MERGED = "merged"
    DISPATCHED = "dispatched"
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    REPLIED = "replied"
    CALLED_BACK = "called_back"
    REOPENED = "reopened"
    NOTED = "noted"


class Action(StrEnum):
    """What a person can do, as the console's buttons name it."""

    DISPATCH = "dispatch"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    REPLY = "reply"
    CALL_BACK = "call_back"
    REOPEN = "reopen"
    NOTE = "note"


class PauseReason(StrEnum):
    """Why work stands still; a clock stops only for one of these (requirement 11)."""

    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    WAITING_FOR_PART = "waiting_for_part"
    NO_ACCESS = "no_access"
    SECOND_VISIT = "second_visit"
    TEMPORARY_FIX = "temporary_fix"


EVENT_OF: dict[Action, EventKind] = {
    Action.DISPATCH: EventKind.DISPATCHED,
    Action.START: EventKind.STARTED,
    Action.PAUSE: EventKind.PAUSED,
    Action.RESUME: EventKind.RESUMED,
    Action.REPLY: EventKind.REPLIED,
    Action.CALL_BACK: EventKind.CALLED_BACK,
    Action.REOPEN: EventKind.REOPENED,
    Action.NOTE: EventKind.NOTED,
}

# (state, event) → state. What is not here, and not in ANYWHERE, is not allowed.
MOVES: dict[tuple[State, EventKind], State] = {
    (State.NEW, EventKind.DISPATCHED): State.DISPATCHED,
    (State.DISPATCHED, EventKind.DISPATCHED): State.DISPATCHED,  # handed to another crew
    (State.DISPATCHED, EventKind.STARTED): State.IN_PROGRESS,
    (State.IN_PROGRESS, EventKind.DISPATCHED): State.DISPATCHED,
    (State.IN_PROGRESS, EventKind.PAUSED): State.IN_PROGRESS,
    (State.IN_PROGRESS, EventKind.RESUMED): State.IN_PROGRESS,
    (State.IN_PROGRESS, EventKind.REPLIED): State.REPLIED,
    (State.REPLIED, EventKind.CALLED_BACK): State.CLOSED,
    (State.REPLIED, EventKind.RELAPSED): State.IN_PROGRESS,
    (State.REPLIED, EventKind.REOPENED): State.IN_PROGRESS,
    (State.CLOSED, EventKind.REOPENED): State.IN_PROGRESS,
}

# Events that leave the state as it is, in every state but the ends.
ANYWHERE = frozenset(
    {
        EventKind.WIDENED,
        EventKind.MEMBERS_JOINED,
        EventKind.RECOVERED,
        EventKind.RELAPSED,
        EventKind.REVISED,
        EventKind.NOTED,
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a ticket's log. ``at`` is event time, aware UTC."""

    kind: EventKind
    at: datetime
    actor: str
    reason: str = ""
    note: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ticket stands after its events; ``version`` counts them."""

    state: State = State.NEW
    paused: PauseReason | None = None
    recovered_at: datetime | None = None
    assignee: str | None = None
    version: int = 0


def allowed(state: State, *, paused: bool) -> tuple[Action, ...]:
    """What a person may do now, in the order of the chain."""
    if state is State.MERGED:
        return ()
    acts = [
        action
        for action, kind in EVENT_OF.items()
        if (state, kind) in MOVES and (action is not Action.CALL_BACK or not paused)
    ]
    hidden = Action.PAUSE if paused else Action.RESUME
    blocked = {hidden, Action.REPLY} if paused else {hidden}
    return (*(action for action in acts if action not in blocked), Action.NOTE)


def advance(standing: Standing, event: Event) -> Standing:
    """The standing after one more event.

    Raises:
        Conflict: the event is not allowed from here.
        Invalid: it lacks what it must carry (a pause without a reason, say).
    """
    standing = replace(standing, version=standing.version + 1)
    match event.kind:
        case EventKind.OPENED:
            return standing
        case EventKind.MERGED:
            return replace(standing, state=State.MERGED)
        case EventKind.RECOVERED:
            standing = replace(standing, recovered_at=event.at)
        case EventKind.RELAPSED | EventKind.REOPENED:
            standing = replace(standing, recovered_at=None)
        case EventKind.PAUSED:
            standing = replace(standing, paused=_pause_reason(event))
        case EventKind.RESUMED | EventKind.DISPATCHED:
            standing = replace(standing, paused=None)
    if event.kind is EventKind.DISPATCHED:
        standing = replace(standing, assignee=str(event.body.get("assignee") or event.actor))
    return replace(standing, state=_next(standing, event))


def fold(events: Iterable[Event]) -> Standing:
    """The standing that a log amounts to."""
    standing = Standing()
    for event in events:
        standing = advance(standing, event)
    return standing


def _next(standing: Standing, event: Event) -> State:
    move = MOVES.get((standing.state, event.kind))
    if move is None:
        if event.kind in ANYWHERE and standing.state is not State.MERGED:
            return standing.state
        raise Conflict(
            f"A ticket that is {standing.state} cannot be {event.kind}.",
            "Reload the ticket: somebody may have moved it meanwhile.",
        )
    if event.kind is EventKind.CALLED_BACK:
        return _after_call(standing, event)
    return move


def _after_call(standing: Standing, event: Event) -> State:
    """Closing needs a satisfied customer and proof that the rooms are warm."""
    if not isinstance(event.body.get("satisfied"), bool):
        raise Invalid("A follow-up call records whether the customer is satisfied.")
    if not event.body["satisfied"]:
        return State.IN_PROGRESS
    if standing.recovered_at is None and event.body.get("certified_c") is None:
        raise Conflict(
            "The rooms are not warm yet, so the ticket cannot be closed.",
            "Wait for the readings to recover, or give a certified reading (certified_c).",
        )
    return State.CLOSED


def _pause_reason(event: Event) -> PauseReason:
    try:
        return PauseReason(event.reason)
    except ValueError:
        reasons = ", ".join(PauseReason)
        raise Invalid("A pause needs a reason.", f"Give one of: {reasons}.") from None
