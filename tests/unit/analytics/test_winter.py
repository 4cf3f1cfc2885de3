"""A kept winter keeps what people said; one of before people had telephones is still read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from analytics.memory import rows_of
from analytics.scoring.truth import Truth
from analytics.scoring.winter import Winter, keep, load
from hearthline.domain.complaints import Channel, Complaint
from tests import builders

START = datetime(2026, 1, 5, tzinfo=UTC)
CALLS = [
    Complaint("T-S1-B01-E1-0101", START + timedelta(hours=9), "It is cold."),
    Complaint("T-S1-B01-E1-0102", START + timedelta(hours=11), channel=Channel.WECHAT),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A winter of a day in which nothing was measured and two households called."""
    ledger = builders.town(builders.TownPlan(1, 1))
    rooms = np.full((len(ledger.units), 24), 21.0, np.float32)
    truth = Truth(START, 20.0, rooms, rooms, [])
    until = START + timedelta(days=1)
    path = tmp_path / "winter.npz"
    keep(
        Winter("tiny", 1, 0.0, START, until, 20.0, "UTC", ledger, rows_of({}), [], truth, CALLS),
        path,
    )
    return path


def test_calls_are_kept_with_a_winter(file: Path) -> None:
    assert list(load(file).complaints) == CALLS


def test_a_winter_without_calls_is_still_read(file: Path) -> None:
    """Files are kept for long."""
    with np.load(file) as kept:
        arrays = dict(kept)
    head = json.loads(arrays["head"].tobytes())
    del head["complaints"]
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    np.savez(file, allow_pickle=False, **arrays)
    winter = load(file)
    assert list(winter.complaints) == []
    assert winter.scenario == "tiny"
