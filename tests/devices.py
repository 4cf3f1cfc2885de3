"""A house whose devices have every trouble that there is, for pages, interface and commands."""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from hearthline.domain.readings import Quality, Sign
from hearthline.storage import liveness
from hearthline.storage.database import Connection
from tests import builders as b

HOUSE = "T-S1-B01"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
GATEWAY_OUT = "0016c001f153a14c"
GATEWAY = "0016c001f153b200"
SICK = f"own:t/{HOUSE}-E1-0201"  # a wrong clock, a low battery, flags and a conflict
SIGNED_OFF = f"own:t/{HOUSE}-E1-0202"
LATE = f"own:t/{HOUSE}-E1-0301"


def trouble(connection: Connection, now: datetime) -> None:
    """Sixteen rooms: six silent with their gateway, others late, signed off, sick, never heard."""
    ledger = b.town(b.TownPlan(1, 1))
    b.save(connection, ledger)
    rooms = [unit.code for unit in ledger.units]
    out = rooms[8:14]
    fine = [code for code in (*rooms[:8], rooms[14]) if not LATE.endswith(code)]
    for code in out:
        _speak(connection, code, now - 5 * HOUR, GATEWAY_OUT)
    for code in fine:
        _speak(connection, code, now - MINUTE, GATEWAY)
    _speak(connection, LATE.removeprefix("own:t/"), now - 55 * MINUTE, None)
    b.meter_series(connection, f"{HOUSE}-meter", now, hours=2)
    b.weather_series(connection, "T-weather", now, hours=2)
    _sign(connection, SIGNED_OFF, now, online=False)
    _make_sick(connection, now)
    liveness.learn_habits(connection, now)


def _speak(connection: Connection, code: str, last: datetime, gateway: str | None) -> None:
    uid = f"own:t/{code}"
    b.room_series(connection, code, last, b.steady(21.0), hours=48, seen_at=last)
    if gateway:
        _sign(connection, uid, last, gateway=gateway)
    connection.execute(
        "UPDATE latest SET seen_at = %s, time = %s WHERE device_id = %s",
        (last, last, b.device_id(connection, uid)),
    )


def _sign(connection: Connection, uid: str, at: datetime, **said: object) -> None:
    sign = Sign(uid, at, **said)  # type: ignore[arg-type]
    liveness.note_signs(connection, [(b.device_id(connection, uid), sign)], at)


def _make_sick(connection: Connection, now: datetime) -> None:
    device = b.device_id(connection, SICK)
    connection.execute(
        "UPDATE latest SET skew_s = 28800, battery_pct = 7 WHERE device_id = %s", (device,)
    )
    connection.execute("UPDATE device SET label = '主卧 <b>' WHERE id = %s", (device,))
    for hours, value, quality in (
        (3, 85.0, Quality.POWER_UP),
        (9, 20.7, Quality.REPEATED),
        (20, -127.0, Quality.SENTINEL | Quality.OUT_OF_RANGE),
    ):
        connection.execute(
            "INSERT INTO room_reading (time, device_id, temperature_c, quality)"
            " VALUES (%s, %s, %s, %s)",
            (now - hours * HOUR - 7 * MINUTE, device, value, int(quality)),
        )
    connection.execute(
        "INSERT INTO reading_conflict VALUES (%s, %s, %s, %s, 3, %s, %s)",
        (device, now - 2 * HOUR, Jsonb({"temperature_c": 20.9}), Jsonb({"temperature_c": 24.4}),
         now - HOUR, now - MINUTE),
    )  # fmt: skip
