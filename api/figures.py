"""The live numbers that the API and every console page show, computed once for all of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from api import troubles
from api.parts import Parts
from hearthline.storage.database import Connection
from hearthline.storage.views import network

KEEP_S = 3.0


def pulse_of(parts: Parts, connection: Connection) -> dict[str, Any]:
    """The strip of live numbers; what is measured is at most ``KEEP_S`` old, tickets are fresh.

    ``compliance_today`` (室温合格率) is the share of judged dwelling-minutes at or above the
    standard since local midnight, 0 to 1; held-back dwellings do not count. ``troubles`` are what
    stands still (``api.troubles``).
    """

    def compute() -> dict[str, Any]:
        now = parts.clock()
        policy = parts.policy(connection)
        today = policy.local_day(now)
        days = {
            row["day"]: 1.0 - row["below_min"] / row["covered_min"]
            for row in network.compliance(connection, today - timedelta(days=1), today)
            if row["covered_min"]
        }
        return {
            **network.pulse(connection, now, policy.threshold_c),
            "at": now,
            "troubles": troubles.of(connection, now),
            "threshold_c": policy.threshold_c,
            "compliance_today": days.get(today),
            "compliance_yesterday": days.get(today - timedelta(days=1)),
        }

    return parts.keep("pulse", KEEP_S, compute) | network.open_tickets(connection)
