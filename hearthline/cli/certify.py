"""``devices certify``: a certified reading on site, beside a room sensor."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hearthline.cli.output import emit, out
from hearthline.clock import system_clock
from hearthline.settings import Settings, load

if TYPE_CHECKING:
    from hearthline.storage.database import Row

ACTOR = "cli"
LIST_AT_MOST = 50


def certify(
    uid: Annotated[str, Parameter(help="The room sensor, as `devices list` names it.")],
    temperature_c: Annotated[float, Parameter(help="What the certified instrument showed, °C.")],
    *,
    instrument: Annotated[str, Parameter(help="Which one: its type and number.")],
    by: Annotated[str, Parameter(help="Who read it.")],
    at: Annotated[datetime | None, Parameter(help="When, in local time. Default: now.")] = None,
    json: bool = False,
) -> None:
    """Put a certified on-site reading on file; it recalibrates the sensor from then on.

    What the sensor said within 45 min is compared. A difference of more than 0.3 K is subtracted
    from its readings from then on, doubts about its level are settled, and the days since are
    judged again. A sensor more than 3 K off is refused: change or move it.
    """
    from hearthline.storage import trust
    from hearthline.storage.database import connect

    settings, now = load(), system_clock()
    new = trust.NewCertified(uid, _aware(at or now, settings), temperature_c, instrument, by)
    with connect(settings.require_database()) as connection, connection.transaction():
        row = trust.certify(connection, new, ACTOR, now)
    if json:
        emit(_plain(row))
        return
    out.print(_line(row, settings))


def list_certified(
    uid: Annotated[str | None, Parameter(help="Only of this sensor.")] = None,
    *,
    limit: Annotated[int, Parameter(help="Print at most so many.")] = LIST_AT_MOST,
    json: bool = False,
) -> None:
    """Certified readings on file, the newest first."""
    from hearthline.storage import trust
    from hearthline.storage.database import connect

    settings = load()
    with connect(settings.require_database()) as connection:
        rows = trust.certified_readings(connection, uid, limit)
    if json:
        emit({"readings": [_plain(row) for row in rows]})
        return
    for row in rows:
        out.print(_line(row, settings))
    if not rows:
        out.print("No certified reading is on file.")


def _aware(at: datetime, settings: Settings) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=settings.device_zone())


def _plain(row: Row) -> dict[str, Any]:
    from hearthline.domain.certified import correction

    return {**row, "offset_k": correction(row["sensor_c"], row["temperature_c"])}


def _line(row: Row, settings: Settings) -> str:
    from rich.markup import escape

    offset = _plain(row)["offset_k"]
    effect = f"corrected by {-offset:+.2f} K since" if offset else "confirmed"
    at = row["time"].astimezone(settings.device_zone())
    return (
        f"{at:%Y-%m-%d %H:%M}  {escape(row['uid'])} in {escape(row['place'])}: certified "
        f"{row['temperature_c']:.2f} °C, sensor {row['sensor_c']:.2f} °C ({row['samples']} "
        f"readings), {effect}  [dim]{escape(row['instrument'])}, {escape(row['taken_by'])}[/dim]"
    )
