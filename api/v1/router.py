"""All of ``/api/v1`` in one router."""

from __future__ import annotations

from fastapi import APIRouter

from api.v1 import (
    certified,
    complaints,
    dead_letters,
    devices,
    heat,
    maintenance,
    network,
    outlook,
    places,
    strangers,
    tickets,
    units,
)

TAGS = [
    {"name": "units", "description": "Dwellings, their temperature and their verdicts."},
    {"name": "places", "description": "The tree from the heat source to the dwelling."},
    {"name": "tickets", "description": "From complaint to follow-up call, one per cause."},
    {"name": "balance", "description": "Where the heat goes."},
    {"name": "network", "description": "The whole in a few numbers."},
    {"name": "devices", "description": "Sensors, meters and gateways: alive, late, silent."},
    {"name": "complaints", "description": "Calls that a dwelling is cold: evidence."},
    {"name": "maintenance", "description": "Work that explains cold dwellings below it."},
    {"name": "outlook", "description": "Dwellings without a sensor, the next two days, waste."},
    {"name": "rules", "description": "Local heating rules by version."},
    {"name": "engineering", "description": "What was refused, and why."},
    {"name": "service", "description": "Health and metrics."},
]

router = APIRouter(prefix="/api/v1")
for part in (units, places, tickets, network, devices, strangers, dead_letters, maintenance, heat):
    router.include_router(part.router)
router.include_router(certified.router)
router.include_router(complaints.router)
router.include_router(outlook.router)
