"""Who is due when."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.instruments.rota import Rota

PHASES = np.array([900, 0, 299, 300, 601, 0, 1199], dtype=np.int32)


def due(offset_s: int, seconds: int, every_s: int = 1200) -> list[tuple[int, int]]:
    """(instant, device) of everything due in a step."""
    rota = Rota.of(PHASES % every_s, every_s)
    return [
        (int(rota.phase_s[place]) + turn.since_s, int(rota.order[place]))
        for turn in rota.rounds(offset_s, seconds)
        for place in range(turn.first, turn.last)
    ]


@pytest.mark.parametrize("every_s", [300, 700, 1200])
@pytest.mark.parametrize("seconds", [60, 300, 600, 1000, 3600])
def test_steps_of_any_length_find_every_instant_once_in_order(every_s: int, seconds: int) -> None:
    found = [
        pair for step in range(21_000 // seconds) for pair in due(step * seconds, seconds, every_s)
    ]
    end = 21_000 // seconds * seconds
    wanted = sorted(
        (int(phase) % every_s + turn * every_s, device)
        for device, phase in enumerate(PHASES)
        for turn in range(end // every_s + 1)
        if int(phase) % every_s + turn * every_s < end
    )
    assert found == wanted


def test_instants_before_the_anchor_are_on_the_same_grid() -> None:
    assert due(-1200, 1200) == [(at - 1200, device) for at, device in due(0, 1200)]


def test_devices_of_one_phase_come_by_number() -> None:
    assert due(0, 1) == [(0, 1), (0, 5)]


def test_a_step_in_which_nobody_is_due_has_no_rounds() -> None:
    assert due(1, 200) == []


def test_what_is_due_is_all_rounds_together() -> None:
    rota = Rota.of(PHASES % 300, 300)
    device, at_s = rota.due(600, 700)
    assert list(zip(at_s.tolist(), device.tolist(), strict=True)) == due(600, 700, 300)
