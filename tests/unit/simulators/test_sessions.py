"""Sessions: greetings at the right instants, wills for those that fall silent, plain numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.post.sessions import RENEWED_S, WILL_AFTER_S, Change, Sessions, sessions_of
from simulators.post.windows import Calendar, Spells

STEP_S, ROOM_S, HOURS = 300, 1200, 60


def sessions(share: float = 0.0, length_s: int = 7200, *, renewed: bool = True) -> Sessions:
    gateway = np.array([4, 4, 9, 4, 9])
    phase_s = np.array([600, 30, 0, 600, 1199])
    outages = Calendar(Spells(2, "test/outage", share, length_s), np.arange(10))
    return sessions_of(1, gateway, phase_s, ROOM_S, outages, renewed=renewed)


def changes(of: Sessions, down: tuple[int, int] | None = None) -> list[Change]:
    found: list[Change] = []
    for offset_s in range(0, HOURS * 3600, STEP_S):
        cut = np.zeros(2, dtype=bool)
        if down is not None:
            cut[0] = down[0] <= offset_s < down[1]
        found += of.changes(offset_s, STEP_S, cut)
    return sorted(found, key=lambda change: (change.due, change.hello))


def test_devices_sit_on_their_edge_node_in_the_order_of_their_phases() -> None:
    of = sessions()
    assert of.keys.tolist() == [4, 9]
    assert of.members(0) == [1, 0, 3]
    assert of.members(1) == [2, 4]
    assert of.slot.tolist() == [1, 0, 0, 2, 1]


def test_everybody_greets_at_the_anchor_and_then_every_few_hours() -> None:
    found = changes(sessions())
    hellos = [change.due for change in found if change.hello and change.group == 0]
    assert hellos[0] == 0
    assert 0 < hellos[1] < RENEWED_S
    assert set(np.diff(hellos[1:]).tolist()) == {RENEWED_S}


def test_a_will_carries_the_number_of_the_greeting_that_it_ends() -> None:
    number: dict[int, int] = {}
    for change in changes(sessions(0.9), down=(30_000, 60_000)):
        if change.hello:
            assert number.get(change.group) is None
            number[change.group] = change.session
        else:
            assert number.pop(change.group) == change.session


def test_a_gateway_that_a_fault_silences_is_mourned_and_greets_when_it_is_back() -> None:
    of = sessions(renewed=False)
    found = [change for change in changes(of, down=(6000, 9000)) if change.group == 0]
    assert [(change.due, change.hello) for change in found] == [
        (0, True),
        (6000 + WILL_AFTER_S, False),
        (9000, True),
    ]


def test_a_gateway_that_is_down_from_the_start_greets_when_it_is_repaired() -> None:
    of = sessions(renewed=False)
    found = [change for change in changes(of, down=(0, 9000)) if change.group == 0]
    assert [(change.due, change.hello) for change in found] == [(9000, True)]


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_numbers_run_on_without_gap_through_every_session(share: float) -> None:
    of = sessions(share)
    starts = {change.due for change in changes(of) if change.hello and change.group == 0}
    member = np.array([0, 1, 3])
    at_s = np.arange(0, HOURS * 3600, ROOM_S)[:, None] + of.phase_s[member]
    device, at_s = np.broadcast_to(member, at_s.shape).ravel(), at_s.ravel()
    order = np.lexsort((of.slot[device], at_s))
    device, at_s = device[order], at_s[order]
    due = of.outages.end_of(of.keys[of.group[device]], at_s)
    sent = due < HOURS * 3600
    device, at_s, due = device[sent], at_s[sent], due[sent]
    turns = of.turns(device, at_s, due)
    for before, after, began in zip(turns[:-1], turns[1:], _begun(due, starts)[1:], strict=True):
        assert after == (4 if began else before + 1)
    assert turns[0] == 4  # after the greetings of the node and its three devices


def _begun(due: NDArray[np.int_], starts: set[int]) -> list[bool]:
    """Whether a session began since the message before."""
    last, found = -1, []
    for at in due.tolist():
        found.append(any(last < start <= at for start in starts))
        last = at
    return found
