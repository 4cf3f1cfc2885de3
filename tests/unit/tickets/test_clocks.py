"""The two promises of a ticket."""

from datetime import UTC, datetime, timedelta

from hearthline.domain.policies import PROFILES
from tickets.clocks import due


def test_contact_within_half_an_hour_and_a_solution_within_a_day() -> None:
    """Requirement 3, as the default policy has it."""
    opened = datetime(2026, 1, 12, tzinfo=UTC)
    promised = due(opened, PROFILES["standard-18"].versions[0])
    assert promised.respond_by == opened + timedelta(minutes=30)
    assert promised.resolve_by == opened + timedelta(hours=24)
