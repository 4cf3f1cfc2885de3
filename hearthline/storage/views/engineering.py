"""What engineers look at: the rules in force."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from typing import Any

from hearthline.domain.policies import PROFILES, Policy, RefundStep
from hearthline.storage.database import Connection, Row
from hearthline.storage.views.statements import statement

_DURATIONS = ("open_after", "close_after", "lapse_after", "min_covered", "respond_within",
              "resolve_within")  # fmt: skip


def policies(connection: Connection) -> list[Row]:
    """Every rule and version: ``code``, ``valid_from``, ``body``."""
    return connection.execute(statement("views_network", "policies")).fetchall()


def policy_on(connection: Connection, code: str, day: date) -> Policy:
    """The version of a rule that is valid on a local day.

    Raises:
        LookupError: no version is valid on that day.
    """
    values = {"code": code, "day": day}
    row = connection.execute(statement("views_network", "policy_on"), values).fetchone()
    return policy_of(row) if row else PROFILES[code].on(day)


def policy_of(row: Row) -> Policy:
    """A stored rule as the domain's policy; what it does not say keeps its default."""
    known = {field.name for field in fields(Policy)}
    body: dict[str, Any] = {key: value for key, value in row["body"].items() if key in known}
    body |= {key: timedelta(seconds=body[key]) for key in _DURATIONS if key in body}
    if "refunds" in body:
        body["refunds"] = tuple(RefundStep(**step) for step in body["refunds"])
    if "excluded_hours" in body:
        body["excluded_hours"] = tuple((start, stop) for start, stop in body["excluded_hours"])
    if "season" in body:
        first, last = body["season"]
        body["season"] = ((first[0], first[1]), (last[0], last[1]))
    return Policy(**{**body, "code": row["code"], "valid_from": row["valid_from"]})
