"""The network as a tree: source → substation → circuit → building → entrance → riser → unit.

A place has a stable *code* (what the company prints on its forms) and a *path*: the codes
from the root down to the place, each followed by a slash, so that "everything below" is a
prefix match. Codes never contain a slash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PlaceKind(StrEnum):
    """Levels of the tree, from the boiler house to the dwelling."""

    SOURCE = "source"
    SUBSTATION = "substation"
    CIRCUIT = "circuit"
    BUILDING = "building"
    ENTRANCE = "entrance"
    RISER = "riser"
    UNIT = "unit"

    @property
    def level(self) -> int:
        """Depth in the tree, 0 for the source."""
        return list(PlaceKind).index(self)


class UnitPosition(StrEnum):
    """Where a dwelling sits in its building; decides how much envelope it has."""

    TOP = "top"
    GROUND = "ground"
    GABLE = "gable"
    MIDDLE = "middle"


class HeatingStatus(StrEnum):
    """What the company supplies to a dwelling at an instant (requirement 28)."""

    ON = "on"
    STOPPED = "stopped"  # 报停: stopped on request
    RESTRICTED = "restricted"  # restricted for arrears
    VACANT = "vacant"


@dataclass(frozen=True, slots=True)
class Place:
    """One node of the tree. ``seq`` orders siblings along the pipe, nearest first."""

    code: str
    kind: PlaceKind
    parent: str | None
    name: str
    name_zh: str = ""
    seq: int = 0
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What is constant about a dwelling. ``column`` counts dwellings from the left of the front."""

    code: str
    area_m2: float
    floor: int
    column: int
    position: UnitPosition
    warranty_until: datetime | None = None
    vulnerable: bool = False


@dataclass(frozen=True, slots=True)
class StatusPeriod:
    """A heating status with its validity.

    ``valid_from`` is None for what has always held, ``valid_to`` for what still does.
    """

    code: str
    status: HeatingStatus
    valid_from: datetime | None
    valid_to: datetime | None = None


class DeviceKind(StrEnum):
    """What a device measures; equals the last topic level of our own wire format."""

    ROOM = "room"
    METER = "meter"
    WEATHER = "weather"


class DeviceRole(StrEnum):
    """What a device stands for at the place it is bound to."""

    ROOM = "room"
    PRIMARY = "primary"  # meter on the primary side of a substation, or at the source
    SECONDARY = "secondary"  # meter on the secondary side of a substation or circuit
    BRANCH = "branch"  # meter of a building, an entrance or a dwelling
    WEATHER = "weather"


class FlowPipe(StrEnum):
    """The pipe that holds a heat meter's flow sensor; decides the density used (EN 1434-1)."""

    SUPPLY = "supply"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Device:
    """A sensor or meter and the place it is bound to, from ``valid_from`` until ``valid_to``.

    ``uid`` is how the device names itself on the wire, prefixed by its format:
    ``own:{site}/{device}``, ``chirpstack:{devEui}``, ``zigbee2mqtt:{friendly name}``.
    ``profile`` says how its messages are read (None: its format's way), ``label`` what people
    call it. A binding without ``valid_from`` has always held, one without ``valid_to`` still
    does; a device that was moved stands in a ledger once for each place.
    """

    uid: str
    kind: DeviceKind
    role: DeviceRole
    place: str
    flow_pipe: FlowPipe | None = None
    expected_interval_s: int = 1200
    height_m: float | None = None
    profile: str | None = None
    label: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def __post_init__(self) -> None:
        if self.kind is DeviceKind.METER and self.flow_pipe is None:
            raise ValueError(f"heat meter {self.uid} does not say which pipe holds its flow sensor")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call at a dwelling: the name and number of its fee record."""

    code: str
    name: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A 台账: the whole of a network, or a part of it, as a company hands it over."""

    places: tuple[Place, ...] = ()
    units: tuple[UnitFacts, ...] = ()
    statuses: tuple[StatusPeriod, ...] = ()
    devices: tuple[Device, ...] = ()
    contacts: tuple[Contact, ...] = ()


def paths(places: Iterable[Place]) -> Mapping[str, str]:
    """Path of every place by code, e.g. ``"S/S-01/"``.

    Raises:
        ValueError: a parent is missing, a code holds a slash, or the tree has a loop.
    """
    parents = {place.code: place.parent for place in places}
    found: dict[str, str] = {}

    def path(code: str, seen: tuple[str, ...]) -> str:
        if "/" in code or not code:
            raise ValueError(f"place code {code!r} is empty or holds a slash")
        if code in seen:
            raise ValueError(f"place {code!r} is its own ancestor")
        if code not in found:
            if code not in parents:
                raise ValueError(f"place {seen[-1]!r} names a parent {code!r} that does not exist")
            parent = parents[code]
            found[code] = (path(parent, (*seen, code)) if parent else "") + code + "/"
        return found[code]

    for code in parents:
        path(code, ())
    return found
