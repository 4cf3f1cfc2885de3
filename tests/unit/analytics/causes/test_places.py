"""Why a riser or an entrance is cold: air, valves, dirt, joints, or one very cold dwelling."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.causes.places import Flow, entrance_weights, riser_weights
from analytics.causes.scene import Scene
from analytics.localise.ranking import normalised
from hearthline.domain.findings import Cause
from tests.unit.analytics.causes.buildings import FLOORS, UNITS, building, height, riser

SILENT_METER = Flow(metered=True)


def of_riser(scene: Scene) -> list[Cause]:
    here = np.zeros(UNITS, bool)
    here[riser(0)] = True
    return [cause for cause, _ in normalised(riser_weights(scene, here, 1.0, SILENT_METER))]


def of_entrance(scene: Scene, flow: Flow = SILENT_METER) -> list[Cause]:
    here = np.zeros(UNITS, bool)
    here[: 2 * FLOORS] = True
    return [cause for cause, _ in normalised(entrance_weights(scene, here, 1.0, flow))]


def along(form: np.ndarray, depth_k: float) -> dict[int, float]:
    return {unit: -depth_k * float(share) for unit, share in enumerate(form)}


@pytest.mark.parametrize(
    ("form", "depth_k", "cause"),
    [
        (0.28 + 0.72 * height(), 4.5, Cause.AIR_LOCK),
        (height() ** 1.5, 9.0, Cause.AIR_LOCK),
        (height(), 2.0, Cause.VERTICAL_IMBALANCE),
        (1.0 - height(), 2.5, Cause.VERTICAL_IMBALANCE),
    ],
)
def test_a_riser_is_told_by_its_floors_and_its_depth(
    form: np.ndarray, depth_k: float, cause: Cause
) -> None:
    """Air takes from all and most on top; valves only share badly, and no more than 3.7 K."""
    assert of_riser(building(along(form, depth_k)))[0] is cause


def test_one_very_cold_dwelling_with_chilled_neighbours_is_no_riser() -> None:
    """Those above and below it feel a third of it, the others nothing."""
    assert of_riser(building({3: -1.2, 4: -5.0, 5: -1.3}))[0] is Cause.VALVE_CLOSED


def test_a_riser_that_is_no_colder_than_the_other_of_its_entrance_lost_its_branch() -> None:
    """Dirt makes one riser cold after the other: all of the entrance tells."""
    cold = dict.fromkeys(range(2 * FLOORS), -4.0)
    assert set(of_riser(building(cold))[:2]) == {Cause.PIPES_SWAPPED, Cause.STRAINER_CLOGGED}


def test_an_entrance_with_one_cold_riser_has_air_in_it() -> None:
    """Its other riser feels a fifth of that through the walls."""
    cold = along(0.28 + 0.72 * height(), 5.0)
    cold |= {unit + FLOORS: 0.2 * off for unit, off in cold.items()}
    assert of_entrance(building(cold))[0] is Cause.AIR_LOCK


def test_an_entrance_that_is_cold_in_all_its_risers_lost_its_branch() -> None:
    """Whether or not the building's meter saw it: it is a fifth of its flow."""
    cold = dict.fromkeys(range(2 * FLOORS), -4.0)
    both = {Cause.PIPES_SWAPPED, Cause.STRAINER_CLOGGED}
    assert set(of_entrance(building(cold))[:2]) == both
    sudden, slow = Flow(True, short=True, fell_h=1.0), Flow(True, short=True, fell_h=40.0)
    assert of_entrance(building(cold), sudden)[0] is Cause.PIPES_SWAPPED
    assert of_entrance(building(cold), slow)[0] is Cause.STRAINER_CLOGGED
    assert of_entrance(building(cold), Flow(True, negative=True))[0] is Cause.PIPES_SWAPPED
