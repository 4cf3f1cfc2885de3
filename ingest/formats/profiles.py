"""Device profiles: which field of a message is which quantity, and which probe is the room.

A profile is data. Ours stand in ``devices/*.yaml`` beside this module; a company adds its own in
a file that HEARTHLINE_PROFILES names, and the ledger gives devices their profile by its name. A
device without one is read by a default of its format, the one for the kind that its fields tell.

Field names are looked for as written, then without regard to case and separators
(``CurrentTemperature`` finds ``current_temperature``), then as paths (``object.room.value``).
Two decisions: a value that says its own unit (``{"value": 70.1, "unit": "°F"}``) is converted by
it, whatever the profile says of another unit; and the first field *with a value* counts, since
firmwares send ``null`` for what they did not measure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hearthline.domain.places import DeviceKind, FlowPipe
from hearthline.domain.readings import Quality
from ingest.formats.frames import DECIMALS, Frame
from ingest.formats.units import conversion
from ingest.formats.values import number

OURS = Path(__file__).parent / "devices"
_WIDE = 64
_LONG = 2_000
"""Messages with more fields, or longer names, than this are not worth remembering."""


@dataclass(frozen=True, slots=True)
class Source:
    """A field of a message, and how its number becomes ours: ``said * scale + offset``."""

    field: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """How one model of device is read.

    ``quantities`` gives, for each of our quantities, the fields that may hold it; the first that
    is there with a value counts. ``flow_pipe`` is where a heat meter's flow sensor sits, ``probe``
    the name or address of the probe that hangs in the room where a device has several. A device
    that says something else than ``fault_free`` in its ``fault_field`` reports a fault. ``frame``
    is the layout of a binary frame, whose parts are then the fields. ``formats`` are those whose
    devices it is the ``default`` for.
    """

    name: str
    kind: DeviceKind
    quantities: Mapping[str, tuple[Source, ...]]
    flow_pipe: FlowPipe | None = None
    probe: str | None = None
    fault_field: str | None = None
    fault_free: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    default: bool = False
    frame: Frame | None = None

    def read(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Our quantities from a message's fields; absent where not said.

        Values that need no arithmetic stay as they were said (perhaps a text such as "95.2%"),
        for ``formats.quantities.reading`` to judge.

        Raises:
            Refused: NOT_A_NUMBER where a value to be converted is none.
        """
        found: dict[str, Any] = {}
        for quantity, sources in plan(self, said):
            for source, key in sources:
                value = _found(quantity, source, said[key], key)
                if value is not None:
                    found[quantity] = value
                    break
        return found

    def quality(self, said: Mapping[str, Any]) -> Quality:
        """DEVICE_FAULT where the device reports a fault with its values."""
        if self.fault_field is None:
            return Quality.GOOD
        state = said.get(self.fault_field)
        if state is None or _word(state) in self.fault_free:
            return Quality.GOOD
        return Quality.DEVICE_FAULT


Plan = tuple[tuple[str, tuple[tuple[Source, str], ...]], ...]
"""For each quantity that may be there: sources, and the key of the message that each names."""


def plan(profile: Profile, said: Mapping[str, Any]) -> Plan:
    """Where a message holds what the profile asks for, by the names of its fields alone."""
    keys = _keys(said)
    return _plan(profile, keys) if _is_usual(keys) else _plan.__wrapped__(profile, keys)


def _keys(said: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that have a value."""
    return tuple([key for key, value in said.items() if value is not None and value != ""])


def _is_usual(keys: tuple[str, ...]) -> bool:
    return len(keys) < _WIDE and len("".join(keys)) < _LONG


@lru_cache(maxsize=4096)
def _plan(profile: Profile, keys: tuple[str, ...]) -> Plan:
    exact = dict.fromkeys(keys)
    loose = {plain(key): key for key in reversed(keys)}
    plans = []
    for quantity, sources in profile.quantities.items():
        places = [(source, source.field) for source in sources if source.field in exact]
        places += [
            (source, loose[plain(source.field)])
            for source in sources
            if source.field not in exact and plain(source.field) in loose
        ]
        places += [
            (source, head)
            for source in sources
            if (head := source.field.partition(".")[0]) in exact and head != source.field
        ]
        if places:
            plans.append((quantity, tuple(places)))
    return tuple(plans)


@lru_cache(maxsize=8192)
def plain(name: str) -> str:
    """A field's name in small letters and digits alone."""
    return "".join(filter(str.isalnum, name.casefold())) or name


def _found(quantity: str, source: Source, value: Any, key: str) -> Any:
    """The value of a source under a key of the message, in our unit; None where there is none."""
    if key != source.field and "." in source.field and plain(key) != plain(source.field):
        for step in source.field.split(".")[1:]:
            value = value.get(step) if isinstance(value, dict) else None
    scale, offset = source.scale, source.offset
    if isinstance(value, dict):
        value, unit = _told(value)
        stated = conversion(quantity, unit) if unit else None
        if stated is not None:
            scale, offset = stated
    if value is None or value == "":
        return None
    if scale == 1.0 and offset == 0.0:
        return value
    bare = number(source.field, value)
    return None if bare is None else round(bare * scale + offset, DECIMALS)


def _told(value: Mapping[str, Any]) -> tuple[Any, str]:
    """Value and unit of an object: ``{"value", "unit"}``, or the one channel of a multi-channel."""
    unit = value.get("unit")
    if "value" in value:
        return value["value"], unit if isinstance(unit, str) else ""
    if len(value) == 1:
        (only,) = value.values()
        return (None if isinstance(only, dict | list) else only), ""
    return None, ""


def _word(state: Any) -> str:
    if isinstance(state, list):
        return " ".join(map(_word, state))
    return str(state).lower() if isinstance(state, bool) else str(state)


def chosen(profiles: tuple[Profile, ...], said: Mapping[str, Any]) -> Profile | None:
    """Of some profiles the one that a message's fields fit, by their names alone.

    The rules are the list ``FITS``, asked in order. None where nothing fits.
    """
    keys = _keys(said)
    return _chosen(profiles, keys) if _is_usual(keys) else _chosen.__wrapped__(profiles, keys)


@lru_cache(maxsize=4096)
def _chosen(profiles: tuple[Profile, ...], keys: tuple[str, ...]) -> Profile | None:
    found: dict[DeviceKind, set[str]] = {kind: set() for kind in DeviceKind}
    for one in profiles:
        found[one.kind] |= {quantity for quantity, _ in _plan.__wrapped__(one, keys)}
    for kind, fits in FITS:
        if fits(found):
            return next((profile for profile in profiles if profile.kind is kind), None)
    return None


Found = Mapping[DeviceKind, set[str]]
"""The quantities that the profile of each kind would find."""


def _pipe(found: Found) -> bool:
    """A pipe's temperature or its flow is a heat meter's; so are two of its counters."""
    of = found[DeviceKind.METER]
    return bool(of & {"supply_c", "return_c", "flow_m3h"}) or (
        len(of & {"power_kw", "energy_kwh", "volume_m3"}) > 1
    )


def _sky(found: Found) -> bool:
    """Wind and sun are a weather station's, whatever it calls its temperature."""
    of = found[DeviceKind.WEATHER]
    return "outdoor_c" in of and bool(of & {"wind_ms", "solar_wm2"})


def _air(found: Found) -> bool:
    """An air temperature that is not said to be outdoors is a room's."""
    return "temperature_c" in found[DeviceKind.ROOM]


def _outdoors(found: Found) -> bool:
    """A temperature that is said to be outdoors."""
    return "outdoor_c" in found[DeviceKind.WEATHER]


def _beside(found: Found) -> bool:
    """Humidity or battery alone: most devices are rooms'."""
    return bool(found[DeviceKind.ROOM])


def _counter(found: Found) -> bool:
    """A counter alone; a power alone may be a lamp's."""
    return bool(found[DeviceKind.METER] & {"energy_kwh", "volume_m3"})


FITS: tuple[tuple[DeviceKind, Callable[[Found], bool]], ...] = (
    (DeviceKind.METER, _pipe),
    (DeviceKind.WEATHER, _sky),
    (DeviceKind.ROOM, _air),
    (DeviceKind.WEATHER, _outdoors),
    (DeviceKind.ROOM, _beside),
    (DeviceKind.METER, _counter),
)
"""What a message is about, by the names of its fields: the first rule that holds counts."""


@lru_cache(maxsize=1)
def builtin() -> Mapping[str, Profile]:
    """The profiles that come with the product, by name."""
    from ingest.formats import profile_file

    found: dict[str, Profile] = {}
    for path in sorted(OURS.glob("*.yaml")):
        found |= profile_file.read(path, ours=True, taken=found)
    return found


@lru_cache(maxsize=64)
def defaults(format_name: str) -> tuple[Profile, ...]:
    """What reads the devices of a format that the ledger gives no profile; at most one a kind."""
    return tuple(one for one in builtin().values() if one.default and format_name in one.formats)


def load(path: Path | None) -> Mapping[str, Profile]:
    """The profiles that the ledger may name: ours, and those of a company's file over them.

    Raises:
        ProfileError: everything that is wrong with the file, each with its line.
    """
    from ingest.formats import profile_file

    return builtin() if path is None else {**builtin(), **profile_file.read(path)}
