"""Shapes of the network's reports: live numbers, balances, rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from api.troubles import Kind


class Trouble(BaseModel):
    """A part of Hearthline that stands still: what is cold may not be known."""

    kind: Kind
    judged_until: datetime | None = Field(
        description="How far the network, or the district, is judged."
    )
    place: str | None = Field(description="The district that was set aside.")
    name: str | None
    name_zh: str | None


class Pulse(BaseModel):
    """The network in a few numbers."""

    at: datetime
    threshold_c: float
    outdoor_c: float | None
    watched: int = Field(description="Dwellings with a room sensor.")
    measured: int = Field(description="Of these, heated and with a fresh, trusted reading.")
    below: int = Field(description="Of the measured ones, below standard now.")
    silent: int = Field(description="Sensors not heard of for three intervals.")
    open_tickets: int
    new_tickets: int
    compliance_today: float | None = Field(description="Share of judged dwelling-minutes, 0 to 1.")
    troubles: list[Trouble] = Field(description="What stands still; empty while all is well.")


class PolicyVersion(BaseModel):
    """One version of a company's rule."""

    code: str
    valid_from: date
    in_force: bool = Field(description="The version that applies today.")
    body: dict[str, Any]


class Policies(BaseModel):
    """All rules and versions."""

    items: list[PolicyVersion]


class Balance(BaseModel):
    """Heat in and out of one stage of one place; without figures ``reason`` says why."""

    place: str
    name: str
    name_zh: str
    stage: str = Field(description="transmission, exchange or distribution")
    day: date | None = None
    started_at: datetime
    stopped_at: datetime
    supplied_kwh: float | None
    delivered_kwh: float | None
    stored_kwh: float | None
    loss_kwh: float | None
    loss_share: float | None
    makeup_m3: float | None
    coverage: float = Field(description="Share of the consumers with valid figures, 0 to 1.")
    uncertainty_kwh: float | None = Field(description="± of the loss.")
    reason: str
    computed_at: datetime


class Balances(BaseModel):
    """Balances by local day, or of the newest 24 hours."""

    items: list[Balance]
