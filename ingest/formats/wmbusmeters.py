"""wmbusmeters: ``wmbusmeters/{id}``, one JSON object a telegram, field names by driver.

The names are mapped by the profile, whose lists follow the drivers' families
(``devices/wmbusmeters.yaml``). Traps:

- ``flow_c`` (ultraheat) is the flow pipe's temperature, ``flow_m3h`` beside it the water's flow.
  ``total_m3`` counts a heat meter's water (qualcosonic, enercal) as well as that of any water
  meter: the medium decides. Field values of billing dates (``target_…``, ``…_at_set_date_…``,
  ``prev_…``) and maxima are no present values.
- ``media`` tells where the flow sensor sits: EN 13757-3 knows heat measured in the return
  ("heat", "… at outlet") and in the supply ("… at inlet"); see ``flow_pipe``.
- ``timestamp`` is the receiver's, UTC. The meter's own clock (``device_date_time``,
  ``meter_datetime``) is local, coarse and often wrong, and is not read.
- Negative power and flow are real: pipes swapped, or cold being taken.
- ``status`` holds words; anything but OK is the meter's own report of a fault. A telegram that
  could not be decrypted has ``error`` and no values.
- A receiver hears what is on the air: water, gas and electricity meters, allocators and smoke
  detectors. They are refused as having no quantity of ours, unless the ledger gives them a profile.

Source: wmbusmeters.org, README ("JSON"), drivers/src/*.xmq; EN 13757-3, table of media.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hearthline.domain.places import FlowPipe
from hearthline.domain.readings import Quality, RejectReason
from ingest.formats.model import NO_CONTEXT, Context, Decoded, Format, Harvest
from ingest.formats.telling import Told, name_of, take
from ingest.formats.values import Refused, document, instant, mapping

NAME = "wmbusmeters"
_TIMES = ("timestamp", "timestamp_utc", "timestamp_ut")
_STATUS = ("current_status", "error_flags")
"""What older drivers call the status."""
_HEAT = ("heat", "cooling")
_ALLOCATOR = "heat cost allocat"
_OTHERS = ("water", "gas", "electricity", "oil", "steam", "smoke", "pressure")


def decode(
    topic: str, payload: bytes, received_at: datetime, context: Context = NO_CONTEXT
) -> Decoded:
    """The reading of a telegram, the receiver that heard it, and what people call the meter."""
    harvest = Harvest(topic, payload)
    uid = f"{NAME}:{topic.rpartition('/')[2]}"
    try:
        said = mapping(document(payload))
        uid = _uid(said) or uid
        take(harvest, NAME, context, _telegram(uid, said, received_at, context))
    except Refused as refused:
        harvest.refuse(refused, device_uid=uid)
    return harvest.decoded()


def flow_pipe(media: Any) -> FlowPipe | None:
    """The pipe in which a heat meter of a medium measures the flow, where the medium tells."""
    if not isinstance(media, str):
        return None
    said = media.lower()
    if not said.startswith(_HEAT) or said.startswith(_ALLOCATOR):
        return None
    if "inlet" in said:
        return FlowPipe.SUPPLY
    return FlowPipe.RETURN if said == "heat" or "outlet" in said else None


def _uid(said: Mapping[str, Any]) -> str | None:
    """The meter's id: a topic may be made of its name."""
    number = said.get("id")
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**8:
        return f"{NAME}:{number:08d}"
    name = name_of(number)
    return None if name is None else f"{NAME}:{name}"


def _telegram(uid: str, said: dict[str, Any], received_at: datetime, context: Context) -> Told:
    """What a telegram tells.

    Raises:
        Refused: NO_QUANTITY for what could not be decrypted, and for media that are no business
            of ours unless the ledger gives the device a profile; BAD_TIME.
    """
    if said.get("error"):
        detail = f"wmbusmeters reports: {str(said['error'])[:200]}"
        raise Refused(RejectReason.NO_QUANTITY, detail)
    media = said.get("media")
    if uid not in context.profiles and _is_foreign(media):
        raise Refused(RejectReason.NO_QUANTITY, f"its medium is {str(media)[:60]}, not heat")
    time, quality = _when(said, received_at)
    receiver = name_of(said.get("device"))
    return Told(
        uid,
        time,
        _with_status(said),
        quality,
        gateway=f"{NAME}:{receiver}" if receiver else None,
        label=name_of(said.get("name")),
        flow_pipe=flow_pipe(media),
    )


def _is_foreign(media: Any) -> bool:
    """Whether a medium is neither heat nor a room's air."""
    if not isinstance(media, str):
        return False
    said = media.lower()
    if said.startswith(_HEAT):
        return said.startswith(_ALLOCATOR)
    return any(word in said for word in _OTHERS)


def _when(said: Mapping[str, Any], received_at: datetime) -> tuple[datetime, Quality]:
    for name in _TIMES:
        if said.get(name) is not None:
            return instant(name, said[name]), Quality.GOOD
    return received_at, Quality.CLOCK_GUESSED


def _with_status(said: dict[str, Any]) -> dict[str, Any]:
    """The telegram with its status under the name that drivers give it today."""
    if said.get("status") is not None:
        return said
    older = next((said[name] for name in _STATUS if said.get(name) is not None), None)
    return said if older is None else {**said, "status": older}


FORMAT = Format(NAME, ("wmbusmeters/+",), decode)
