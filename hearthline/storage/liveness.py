"""Signs of life, learnt intervals, and what both say of every device and gateway.

Signs are noted in the transaction that stores a batch; what they mean is judged when somebody
looks (``hearthline.domain.liveness``), so a device falls silent without anybody writing it down.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec

from hearthline.domain import liveness as rules
from hearthline.domain.liveness import Carried, Facts, Gaps, Habit, State
from hearthline.domain.places import DeviceKind
from hearthline.domain.readings import Quality, Sign
from hearthline.errors import NotFound
from hearthline.storage import analysis
from hearthline.storage.database import Connection, Row
from hearthline.storage.dead_letters import printable
from hearthline.storage.queries import family
from hearthline.storage.views.statements import statement

BITE = 200
"""Devices whose habit is learnt in one transaction: some hundred thousand readings are read."""

LOOK_AGAIN = timedelta(minutes=5)
"""When nothing was left to learn, nobody looks for so long: looking reads every device."""

PROGRESS = "habits"
POINTS = 5_000


class _Told(msgspec.Struct):
    """What the signs of one device say together."""

    online: bool | None = None
    online_at: datetime | None = None
    gateway: str | None = None
    battery_pct: float | None = None
    humidity_pct: float | None = None


def note_signs(
    connection: Connection, signs: Sequence[tuple[int, Sign]], seen_at: datetime
) -> None:
    """Keep what messages said about devices, in the connection's open transaction.

    ``signs`` are pairs of a device's id and a sign of it, in any order; ``seen_at`` is when the
    batch arrived. Whether a device is online is decided by the newest sign that says so.
    """
    if not signs:
        return
    told: dict[int, _Told] = {}
    for device_id, sign in sorted(signs, key=lambda pair: pair[1].time):
        _take(told.setdefault(device_id, _Told()), sign)
    connection.execute(
        family("liveness")["note_signs"],
        {"device_ids": list(told), "seen_at": seen_at, **_columns(told.values())},
    )


def _take(told: _Told, sign: Sign) -> None:
    """Lay a newer sign over what was told before; what it does not say stays."""
    if sign.online is not None:
        told.online, told.online_at = sign.online, sign.time
    if sign.gateway is not None:
        told.gateway = sign.gateway
    if sign.battery_pct is not None:
        told.battery_pct = sign.battery_pct
    if sign.humidity_pct is not None:
        told.humidity_pct = sign.humidity_pct


def _columns(told: Iterable[_Told]) -> dict[str, list[object]]:
    told = list(told)
    return {
        "online": list(map(attrgetter("online"), told)),
        "online_at": list(map(attrgetter("online_at"), told)),
        "gateways": [None if one.gateway is None else printable(one.gateway, 512) for one in told],
        "battery_pct": list(map(attrgetter("battery_pct"), told)),
        "humidity_pct": list(map(attrgetter("humidity_pct"), told)),
    }


def learn_habits(connection: Connection, now: datetime, limit: int = BITE) -> int:
    """Learn how often devices speak, from what they stored; how many devices were looked at.

    Which are due is in the data: never learnt, or learnt a day ago and heard since. Several
    workers may do it at once; they write the same.
    """
    looked = analysis.progress(connection, PROGRESS)
    if looked is not None and timedelta() <= now - looked < LOOK_AGAIN:
        return 0
    due = connection.execute(
        family("liveness")["due"],
        {
            "now": now,
            "enough": rules.GAPS_AT_LEAST,
            "again": rules.LEARN_AGAIN,
            "soon": rules.LEARN_SOON,
            "limit": limit,
        },
    ).fetchall()
    if due:
        _save_habits(connection, due, _gaps(connection, due), now)
    if len(due) < limit:
        analysis.set_progress(connection, PROGRESS, now)
    return len(due)


def _gaps(connection: Connection, due: Sequence[Row]) -> dict[int, Gaps]:
    rows = connection.execute(
        family("liveness")["gaps"],
        {
            "device_ids": [row["device_id"] for row in due],
            "kinds": [row["kind"] for row in due],
            "newest": [row["newest"] for row in due],
            "since": min(row["newest"] for row in due) - rules.LOOK_BACK,
            "look_back": rules.LOOK_BACK,
            "most": rules.READINGS_AT_MOST,
            "burst_s": rules.BURST_S,
        },
        prepare=False,  # a generic plan cannot know how little of the time is looked at
    )
    return {r["device_id"]: Gaps(r["count"], r["median_s"], r["tail_s"]) for r in rows}


def _save_habits(
    connection: Connection, due: Sequence[Row], gaps: Mapping[int, Gaps], now: datetime
) -> None:
    """Write what was learnt; where it was too little, the ledger's word with the few samples."""
    columns: dict[str, list[int]] = {
        "device_ids": [], "intervals": [], "offline_after": [], "samples": [],
    }  # fmt: skip
    for row in due:
        found = gaps.get(row["device_id"])
        facts = Facts(DeviceKind(row["kind"]), row["expected_interval_s"], rules.habit_of(found))
        interval_s = facts.habit.interval_s if facts.habit else facts.expected_interval_s
        columns["device_ids"].append(row["device_id"])
        columns["intervals"].append(interval_s)
        columns["offline_after"].append(round(rules.offline_after_s(facts)))
        columns["samples"].append(found.count if found else 0)
    connection.execute(family("liveness")["save_habits"], {**columns, "now": now})


def _limits(now: datetime) -> dict[str, Any]:
    """What ``device_now`` judges by."""
    return {
        "now": now,
        "enough": rules.GAPS_AT_LEAST,
        "ledger_intervals": rules.LEDGER_INTERVALS,
        "ledger_least_s": rules.LEDGER_AT_LEAST_S,
        "late_intervals": rules.LATE_INTERVALS,
        "late_least_s": rules.LATE_AT_LEAST_S,
        "said_slack_s": rules.SAID_SLACK_S,
    }


class Wanted(msgspec.Struct, frozen=True):
    """Which devices a list shows; None leaves a thing open. ``text`` is a part of uid, label or
    the code of the place.
    """

    states: Collection[State] | None = None
    gateway: str | None = None
    kind: DeviceKind | None = None
    text: str | None = None
    uid: str | None = None


def devices(
    connection: Connection,
    now: datetime,
    wanted: Wanted | None = None,
    *,
    after: str | None = None,
    limit: int = 100,
) -> list[Row]:
    """Devices as they stand now, by uid; ``after`` is the last uid of the page before."""
    asked = wanted or Wanted()
    values = {
        **_limits(now),
        "states": None if asked.states is None else [state.value for state in asked.states],
        "gateway": asked.gateway,
        "kind": asked.kind,
        "text": asked.text or None,
        "uid": asked.uid,
        "after": after,
        "limit": limit,
    }
    return connection.execute(statement("liveness", "devices"), values).fetchall()


def device(connection: Connection, uid: str, now: datetime) -> Row:
    """One device as it stands now.

    Raises:
        NotFound: the ledger has no such device.
    """
    rows = devices(connection, now, Wanted(uid=uid), limit=1)
    if not rows:
        raise NotFound(f"There is no device {uid!r}.", "See `hearthline devices list`.")
    return rows[0]


def facts_of(row: Row) -> Facts:
    """A row of ``devices`` as the rules take it."""
    learnt = row["interval_s"] is not None
    return Facts(
        kind=DeviceKind(row["kind"]),
        expected_interval_s=row["expected_interval_s"],
        habit=Habit(row["interval_s"], row["offline_after_s"]) if learnt else None,
        measured_at=row["measured_at"],
        seen_at=row["seen_at"],
        changed_at=row["changed_at"],
        quality=Quality(row["quality"] or 0),
        skew_s=row["skew_s"],
        battery_pct=row["battery_pct"],
        sign_at=row["sign_at"],
        online=row["online"],
        online_at=row["online_at"],
    )


def counts(connection: Connection, now: datetime) -> dict[State, int]:
    """How many devices are in each state."""
    rows = connection.execute(statement("liveness", "counts"), _limits(now))
    found = {State(row["state"]): int(row["count"]) for row in rows}
    return {state: found.get(state, 0) for state in State}


def gateways(connection: Connection, now: datetime) -> list[Carried]:
    """Every gateway with what its devices say together, by name; last the same of all devices."""
    values = {**_limits(now), "gone_before": rules.GONE_BEFORE}
    rows = connection.execute(statement("liveness", "carried"), values)
    return [Carried(**row) for row in rows]


def outages(gateways: Iterable[Carried]) -> list[Carried]:
    """What is out, the greatest first; everything alone where everything is."""
    out = [carried for carried in gateways if carried.out]
    if any(carried.name is None for carried in out):
        return [carried for carried in out if carried.name is None]
    return sorted(out, key=lambda carried: (-carried.together, carried.name or ""))


def bindings(connection: Connection, device_id: int) -> list[Row]:
    """Where a device hangs and hung, the newest first."""
    return connection.execute(family("liveness")["bindings"], {"device_id": device_id}).fetchall()


def conflicts(
    connection: Connection,
    device_id: int | None = None,
    *,
    after: tuple[datetime, int, datetime] | None = None,
    limit: int = 100,
) -> list[Row]:
    """Instants with two values, of one device or of all, the latest to be contradicted first.

    ``kept`` are the quantities that stayed, ``came`` those of the last reading that did not.
    ``after`` is (last_at, device_id, time) of the last row of the page before.
    """
    at, last_device, last_time = after or (None, None, None)
    values = {
        "device_id": device_id,
        "after": at,
        "after_device": last_device,
        "after_time": last_time,
        "limit": limit,
    }
    return connection.execute(family("liveness")["conflicts"], values).fetchall()


def points(
    connection: Connection,
    device: Row,
    start: datetime,
    stop: datetime,
    *,
    limit: int = POINTS,
) -> list[Row]:
    """Readings of a device as they were said, flagged ones too; the newest ``limit``, in order."""
    values = {"device_id": device["id"], "start": start, "stop": stop, "limit": limit}
    name = f"points_{DeviceKind(device['kind'])}"
    return connection.execute(family("liveness")[name], values).fetchall()[::-1]
