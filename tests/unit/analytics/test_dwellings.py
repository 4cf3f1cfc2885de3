"""Why one dwelling is cold, as far as its neighbours are to blame."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.localise.dwellings import unit_causes
from hearthline.domain.findings import Cause
from hearthline.domain.places import HeatingStatus
from tests.unit.analytics.test_diagnose import seen, town

HOME = "B1-E1-301"


def blamed(neighbour: str, usual_k: float) -> float:
    """The chance that a dwelling stopped a month ago chills one that lies 1.8 K off."""
    network = town({neighbour: HeatingStatus.STOPPED})
    offset, spread = np.zeros(len(network.dwellings)), np.full(len(network.dwellings), 0.4)
    offset[network.index[HOME]] = -1.8
    usual = np.zeros(len(offset))
    usual[network.index[HOME]] = usual_k
    snapshot = seen([HOME], network, offset_k=offset, spread_k=spread, usual_k=usual)
    ranked, _ = unit_causes(snapshot, HOME)
    return dict(ranked).get(Cause.NEIGHBOUR_UNHEATED, 0.0)


@pytest.mark.parametrize("neighbour", ["B1-E1-401", "B1-E1-302"])
def test_what_a_neighbour_stopped_long_ago_costs_is_usual_where_that_was_learnt(
    neighbour: str,
) -> None:
    """It explains a dwelling of which nothing is known better than one that changed since."""
    assert blamed(neighbour, usual_k=-0.4) < 0.5 * blamed(neighbour, usual_k=0.0)


def test_who_lies_two_walls_from_an_unheated_dwelling_is_chilled_by_less() -> None:
    """Nobody is blamed who is further away than that."""
    beside, beyond, far = (blamed(f"B1-E1-{floor}01", 0.0) for floor in (4, 5, 6))
    assert beside > beyond > far == 0.0
