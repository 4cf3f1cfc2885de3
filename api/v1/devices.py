"""Devices and gateways: which of them speak, since when not, and what is doubtful about one."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import cursors
from api.identity import Who
from api.parts import Parts, PartsOf
from api.problems import responses
from api.v1.models import Cursor, Limit, Page
from hearthline.domain import liveness_words
from hearthline.domain.liveness import Carried, Doubt, State
from hearthline.domain.places import DeviceKind, DeviceRole
from hearthline.storage import liveness
from hearthline.storage.database import Connection
from hearthline.storage.liveness import Wanted
from hearthline.storage.views import devices
from hearthline.storage.views.devices import InFull, Shown

router = APIRouter(tags=["devices"])

GATEWAYS_KEPT_S = 15.0  # one pass over every device serves all who ask
PLAIN = r"^[^\x00-\x1f]+$"

Uid = Annotated[
    str,
    Path(
        pattern=PLAIN,
        max_length=300,
        description="How the device names itself, prefixed by its format.",
        examples=["chirpstack:24e124136b502217"],
    ),
]
Name = Annotated[
    str | None,
    Query(pattern=PLAIN, max_length=200, description="Only what this gateway carried last."),
]
Part = Annotated[
    str | None,
    Query(
        pattern=PLAIN, max_length=100, alias="q", description="Part of uid, label or place code."
    ),
]
States = Annotated[list[State] | None, Query(description="Give it several times for several.")]


class Device(BaseModel):
    """A device as it stands now. Silence says nothing about heat: missing is never cold."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "uid": "chirpstack:24e124136b502217",
                "kind": "room",
                "label": "302 living room",
                "profile": None,
                "place": "HX-S1-B04-E2-0302",
                "gateway": "0016c001f153a14c",
                "state": "late",
                "since": "2025-11-22T00:40:02Z",
                "silent_with_gateway": False,
                "doubts": ["clock_ahead"],
                "measured_at": "2025-11-22T00:40:00Z",
                "seen_at": "2025-11-22T00:40:02Z",
                "changed_at": "2025-11-22T00:20:00Z",
                "values": {"temperature_c": 20.4, "humidity_pct": 38.0},
                "quality": 0,
                "battery_pct": 91.0,
                "skew_s": 28800.0,
                "expected_interval_s": 1200,
                "learnt_interval_s": 1200,
                "offline_after_s": 7200,
                "sentences": [
                    "Silent for 1 h, longer than usual.",
                    "Its clock is 8 h ahead: looks like local time sent as UTC.",
                ],
                "sentences_zh": [
                    "已1小时未上报，比平时久。",
                    "时钟超前8小时：疑似把本地时间当作UTC上报。",
                ],
            }
        }
    )

    uid: str
    kind: DeviceKind
    label: str
    profile: str | None
    place: str | None = Field(description="Where it hangs now.")
    gateway: str | None = Field(description="That carried its last message.")
    state: State
    since: datetime | None = Field(description="Last heard, or reported to be gone.")
    silent_with_gateway: bool = Field(description="Its gateway is out, or everything is.")
    doubts: list[Doubt]
    measured_at: datetime | None = Field(description="Event time of its newest reading.")
    seen_at: datetime | None = Field(description="Arrival of its last message.")
    changed_at: datetime | None = Field(description="When the value last became another one.")
    values: dict[str, float]
    quality: int = Field(description="Flags of the newest reading; see the readings of a unit.")
    battery_pct: float | None
    skew_s: float | None = Field(description="How far its clock is ahead; negative: behind.")
    expected_interval_s: int = Field(description="As the ledger has it.")
    learnt_interval_s: int | None = Field(description="As it really speaks.")
    offline_after_s: int | None = Field(description="The silence that means something, learnt.")
    sentences: list[str] = Field(description="In English.")
    sentences_zh: list[str]


class Devices(Page):
    """Devices by uid; ``counts`` are those of all devices by state."""

    counts: dict[State, int]
    items: list[Device]


class Binding(BaseModel):
    """Where a device hung, and from when to when; null: from ever, until now."""

    place: str
    role: DeviceRole
    valid_from: datetime | None
    valid_to: datetime | None


class Conflict(BaseModel):
    """Two values for one instant: what stayed, and what came last and did not."""

    time: datetime
    kept: dict[str, Any]
    came: dict[str, Any]
    count: int
    first_at: datetime
    last_at: datetime


class DeviceInFull(Device):
    """A device with its past."""

    bindings: list[Binding]
    conflicts: list[Conflict]
    readings: int = Field(description="Readings of the week before its newest one …")
    flags: dict[str, int] = Field(description="… and how many of them carry which flag.")


class Gateway(BaseModel):
    """A gateway and the devices it carried last."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "0016c001f153a14c",
                "out": True,
                "devices": 118,
                "silent": 118,
                "together": 117,
                "heard_at": "2025-11-22T00:40:02Z",
                "sentence": "Gateway 0016c001f153a14c is out: 117 of its 118 devices fell silent "
                "together, last heard 2025-11-22 08:40.",
                "sentence_zh": "网关0016c001f153a14c离线：所带118台设备中有117台同时失联，"
                "最后上报2025-11-22 08:40。",
            }
        }
    )

    name: str | None = Field(description="Null: all devices there are.")
    out: bool
    devices: int
    silent: int
    together: int = Field(description="Of the silent ones, those that fell silent together.")
    heard_at: datetime | None
    sentence: str = Field(description="In English; empty unless it is out.")
    sentence_zh: str


class Gateways(Page):
    """Gateways by name; ``outages`` are all that is out, on every page."""

    outages: list[Gateway]
    items: list[Gateway]


@router.get("/devices", responses=responses(401, 422))
def list_devices(
    request: Request,
    response: Response,
    parts: PartsOf,
    _who: Who,
    *,
    state: States = None,
    gateway: Name = None,
    kind: DeviceKind | None = None,
    text: Part = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Devices:
    """Devices of the ledger as they stand now, by uid."""
    key = cursors.decode(cursor, str)
    now = parts.clock()
    wanted = Wanted(states=state or None, gateway=gateway, kind=kind, text=text)
    with parts.transaction() as connection:
        out = liveness.outages(gateways_now(parts, connection))
        found = devices.listed(
            connection, now, wanted, after=str(key[0]) if key else None, limit=limit, out=out
        )
        counts = counts_now(parts, connection)
    last = (found[-1].row["uid"],) if found else ()
    following = cursors.page(request, response, found, limit, last)
    items = [Device(**_device(one, parts)) for one in found]
    return Devices(items=items, counts=counts, next=following)


@router.get("/devices/{uid:path}", responses=responses(401, 404, 422))
def one_device(uid: Uid, parts: PartsOf, _who: Who) -> DeviceInFull:
    """One device: its habit, clock and battery, where it hangs, conflicting values, flags."""
    with parts.transaction() as connection:
        out = liveness.outages(gateways_now(parts, connection))
        found = devices.in_full(connection, uid, parts.clock(), out=out)
    return _in_full(found, parts)


@router.get("/gateways", responses=responses(401, 422))
def list_gateways(
    request: Request,
    response: Response,
    parts: PartsOf,
    _who: Who,
    *,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Gateways:
    """Gateways with the devices they carried last, by name, and all that is out."""
    key = cursors.decode(cursor, str)
    with parts.transaction() as connection:
        known = gateways_now(parts, connection)
    named = sorted((one for one in known if one.name is not None), key=_name)
    first = bisect_right(named, str(key[0]), key=_name) if key else 0
    page = named[first : first + limit]
    following = cursors.page(request, response, page, limit, (_name(page[-1]),) if page else ())
    return Gateways(
        items=[_gateway(one, parts) for one in page],
        outages=[_gateway(one, parts) for one in liveness.outages(known)],
        next=following,
    )


def gateways_now(parts: Parts, connection: Connection) -> list[Carried]:
    """What each gateway's devices say together, computed now and then for everybody."""
    return parts.keep(
        "gateways", GATEWAYS_KEPT_S, lambda: liveness.gateways(connection, parts.clock())
    )


def counts_now(parts: Parts, connection: Connection) -> dict[State, int]:
    """Devices by state, computed now and then for everybody."""
    return parts.keep(
        "device_counts", GATEWAYS_KEPT_S, lambda: liveness.counts(connection, parts.clock())
    )


def _name(carried: Carried) -> str:
    return carried.name or ""


def _device(one: Shown, parts: Parts) -> dict[str, Any]:
    row, now, zone = one.row, parts.clock(), parts.settings.device_zone()
    same = ("uid", "kind", "label", "profile", "place", "gateway", "measured_at", "changed_at",
            "battery_pct", "skew_s", "expected_interval_s", "offline_after_s")  # fmt: skip
    return {
        **{name: row[name] for name in same},
        "state": one.state,
        "since": one.judged.since,
        "silent_with_gateway": one.with_gateway,
        "doubts": list(one.doubts),
        "seen_at": one.facts.heard_at,
        "values": one.values,
        "quality": int(one.facts.quality),
        "learnt_interval_s": row["interval_s"],
        "sentences": one.sentences(now, zone, "en"),
        "sentences_zh": one.sentences(now, zone, "zh_CN"),
    }


def _in_full(found: InFull, parts: Parts) -> DeviceInFull:
    return DeviceInFull(
        **_device(found.shown, parts),
        bindings=[
            Binding(**{name: row[name] for name in Binding.model_fields}) for row in found.bindings
        ],
        conflicts=[
            Conflict(**{name: row[name] for name in Conflict.model_fields})
            for row in found.conflicts
        ],
        readings=len(found.points),
        flags={str(flag.name).lower(): count for flag, count in found.flags.items()},
    )


def _gateway(one: Carried, parts: Parts) -> Gateway:
    zone = parts.settings.device_zone()
    said = {
        locale: liveness_words.outage_sentence(one, zone, locale) if one.out else ""
        for locale in ("en", "zh_CN")
    }
    return Gateway(
        name=one.name,
        out=one.out,
        devices=one.devices,
        silent=one.silent,
        together=one.together,
        heard_at=one.heard_at,
        sentence=said["en"],
        sentence_zh=said["zh_CN"],
    )
