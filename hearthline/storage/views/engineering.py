"""What engineers look at: the rules in force."""

from __future__ import annotations

from datetime import date

from hearthline.domain.policies import PROFILES, Policy, Profile
from hearthline.domain.policies.files import from_plain
from hearthline.storage.database import Connection, Row
from hearthline.storage.views.statements import statement


def policies(connection: Connection) -> list[Row]:
    """Every rule and version: ``code``, ``valid_from``, ``body``."""
    return connection.execute(statement("views_network", "policies")).fetchall()


def policy_on(connection: Connection, code: str, day: date, given: Profile | None = None) -> Policy:
    """The version of a rule that is valid on a local day; ``given`` where none is on file.

    Raises:
        LookupError: no version is valid on that day.
    """
    values = {"code": code, "day": day}
    row = connection.execute(statement("views_network", "policy_on"), values).fetchone()
    return policy_of(row) if row else (given or PROFILES[code]).on(day)


def policy_of(row: Row) -> Policy:
    """A stored rule as the domain's policy; what it does not say keeps its default."""
    return from_plain({**row["body"], "code": row["code"], "valid_from": row["valid_from"]})
