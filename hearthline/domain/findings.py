"""What analysis concludes: causes, responsibilities, evidence, findings.

A finding says *one* thing explains a set of cold dwellings (or is about to make them cold).
Its key (place, cause family) decides whether it is news or more of a known incident.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Cause(StrEnum):
    """Why dwellings are cold; the labels the simulator uses for its truth as well."""

    SOURCE_SHORTAGE = "source_shortage"
    CONTROL_CURVE = "control_curve"
    PUMP_TRIP = "pump_trip"
    EXCHANGER_FOULED = "exchanger_fouled"
    STRAINER_CLOGGED = "strainer_clogged"
    LEAK = "leak"
    PIPES_SWAPPED = "pipes_swapped"
    AIR_LOCK = "air_lock"
    VALVE_CLOSED = "valve_closed"
    HYDRAULIC_IMBALANCE = "hydraulic_imbalance"
    VERTICAL_IMBALANCE = "vertical_imbalance"
    ENVELOPE = "envelope"
    NEIGHBOUR_UNHEATED = "neighbour_unheated"
    TURNED_DOWN = "turned_down"
    WINDOW_OPEN = "window_open"
    RADIATOR_COVERED = "radiator_covered"
    SENSOR_MISPLACED = "sensor_misplaced"
    SENSOR_STUCK = "sensor_stuck"
    SENSOR_DRIFT = "sensor_drift"
    SENSOR_MOVED = "sensor_moved"
    SENSOR_BATTERY = "sensor_battery"
    SENSOR_SWAPPED = "sensor_swapped"
    GATEWAY_OUTAGE = "gateway_outage"
    UNDETERMINED = "undetermined"


class Responsibility(StrEnum):
    """Who has to act (requirement 19)."""

    COMPANY = "company"
    CUSTOMER = "customer"
    DEVELOPER = "developer"
    PROPERTY = "property"
    SENSOR = "sensor"
    UNKNOWN = "unknown"


class TicketKind(StrEnum):
    """Supply tickets send a crew; sensor tickets send an instrument technician."""

    SUPPLY = "supply"
    SENSOR = "sensor"


@dataclass(frozen=True, slots=True)
class CauseFacts:
    """What follows from a cause before anybody looked: who acts, what kind of ticket.

    Under a building's warranty somebody else may have to act (``domain.responsibility``).
    """

    responsibility: Responsibility
    ticket: TicketKind = TicketKind.SUPPLY


CAUSES: dict[Cause, CauseFacts] = {
    Cause.SOURCE_SHORTAGE: CauseFacts(Responsibility.COMPANY),
    Cause.CONTROL_CURVE: CauseFacts(Responsibility.COMPANY),
    Cause.PUMP_TRIP: CauseFacts(Responsibility.COMPANY),
    Cause.EXCHANGER_FOULED: CauseFacts(Responsibility.COMPANY),
    Cause.STRAINER_CLOGGED: CauseFacts(Responsibility.COMPANY),
    Cause.LEAK: CauseFacts(Responsibility.COMPANY),
    Cause.PIPES_SWAPPED: CauseFacts(Responsibility.PROPERTY),
    Cause.AIR_LOCK: CauseFacts(Responsibility.COMPANY),
    Cause.VALVE_CLOSED: CauseFacts(Responsibility.CUSTOMER),
    Cause.HYDRAULIC_IMBALANCE: CauseFacts(Responsibility.COMPANY),
    Cause.VERTICAL_IMBALANCE: CauseFacts(Responsibility.COMPANY),
    Cause.ENVELOPE: CauseFacts(Responsibility.PROPERTY),
    Cause.NEIGHBOUR_UNHEATED: CauseFacts(Responsibility.CUSTOMER),
    Cause.TURNED_DOWN: CauseFacts(Responsibility.CUSTOMER),
    Cause.WINDOW_OPEN: CauseFacts(Responsibility.CUSTOMER),
    Cause.RADIATOR_COVERED: CauseFacts(Responsibility.CUSTOMER),
    Cause.SENSOR_MISPLACED: CauseFacts(Responsibility.SENSOR, TicketKind.SENSOR),
    Cause.SENSOR_STUCK: CauseFacts(Responsibility.SENSOR, TicketKind.SENSOR),
    Cause.SENSOR_DRIFT: CauseFacts(Responsibility.SENSOR, TicketKind.SENSOR),
    Cause.SENSOR_MOVED: CauseFacts(Responsibility.SENSOR, TicketKind.SENSOR),
    Cause.SENSOR_BATTERY: CauseFacts(Responsibility.SENSOR, TicketKind.SENSOR),
    Cause.SENSOR_SWAPPED: CauseFacts(Responsibility.SENSOR, TicketKind.SENSOR),
    Cause.GATEWAY_OUTAGE: CauseFacts(Responsibility.SENSOR, TicketKind.SENSOR),
    Cause.UNDETERMINED: CauseFacts(Responsibility.UNKNOWN),
}


class EvidenceCode(StrEnum):
    """The sentence templates of evidence; texts live in the console's message catalogue."""

    COLD_SHARE = "cold_share"
    SIBLINGS_WARM = "siblings_warm"
    MEMBERS_NOT_COLD = "members_not_cold"
    FLOW_STOPPED = "flow_stopped"
    FLOW_LOW = "flow_low"
    RETURN_LOW = "return_low"
    FLOW_NORMAL = "flow_normal"
    NO_METER = "no_meter"
    DELTA_NEGATIVE = "delta_negative"
    SOURCE_SHORT = "source_short"
    SUPPLY_LOW = "supply_low"
    APPROACH_HIGH = "approach_high"
    MAKEUP_HIGH = "makeup_high"
    FLOWS_SHIFTED = "flows_shifted"
    PLACE_OFF = "place_off"
    WORST_ON_TOP = "worst_on_top"
    WORST_AT_GROUND = "worst_at_ground"
    DWELLING_OFF = "dwelling_off"
    NIGHT_DIP = "night_dip"
    FELL_FAST = "fell_fast"
    DEEP_BELOW = "deep_below"
    NEIGHBOUR_STOPPED = "neighbour_stopped"
    NEIGHBOURS_WARM = "neighbours_warm"
    SINCE_STATUS = "since_status"
    SENSOR_FLAT = "sensor_flat"
    PEERS_VARY = "peers_vary"
    BELOW_FOR = "below_for"
    SENSOR_JUMPED = "sensor_jumped"
    SENSORS_EXCHANGED = "sensors_exchanged"
    SENSOR_BY_RADIATOR = "sensor_by_radiator"
    SENSOR_IN_SUN = "sensor_in_sun"
    SENSOR_OUTDOORS = "sensor_outdoors"
    SENSOR_DRIFTS = "sensor_drifts"
    SENSOR_UNFELT = "sensor_unfelt"
    SENSOR_SILENT = "sensor_silent"
    BATTERY_LOW = "battery_low"
    GATEWAY_SILENT = "gateway_silent"
    DWELLING_CALLED = "dwelling_called"
    DWELLINGS_CALLED = "dwellings_called"
    COLD_CALLED = "cold_called"
    CALLERS_WARM = "callers_warm"
    OTHERS_SILENT = "others_silent"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence for (or, with ``against``, counter to) a finding, as code and numbers."""

    code: EvidenceCode
    values: dict[str, Any] = field(default_factory=dict)
    against: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause at one place at one instant, with all that supports and contradicts it.

    ``cold`` are the dwellings now in an episode, ``affected`` all those it explains or will
    make cold. ``ranked`` holds (cause, probability), best first. ``common`` is whether several
    buildings share the place, ``proven`` whether a meter's sign says so by itself, ``apart``
    whether it stands out from what a common cause does to its fellows.
    """

    at: datetime
    place: str
    cause: Cause
    confidence: float
    cold: frozenset[str]
    affected: frozenset[str]
    evidence: tuple[Evidence, ...]
    ranked: tuple[tuple[Cause, float], ...] = ()
    device_uid: str | None = None
    common: bool = False
    proven: bool = False
    apart: bool = False

    @property
    def kind(self) -> TicketKind:
        """Whether a heating crew or an instrument technician is sent."""
        return CAUSES[self.cause].ticket
