"""Room sensors that are odd without any fault of the scenario: wrong clocks, flat batteries."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from simulators.city import City
from simulators.post import Post


def odd_sensors(city: City, anchor: datetime) -> frozenset[str]:
    """Uids of the room sensors whose clock is wrong, or whose battery will not last the run."""
    post = Post(city.scenario, city.fleet, city.seed, anchor, -1.0)
    odd = (post.clock_s != 0) | city.fleet.rooms.running_low
    return frozenset(city.fleet.rooms.identity(n).uid for n in np.flatnonzero(odd).tolist())
