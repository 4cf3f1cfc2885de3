"""A heated town for tests: a few lines make it, break it, run it and ask what was true.

    >>> from simulators.testing import small_city
    >>> town = small_city(buildings=["2x6", "1x4"], outdoor_c=-12)
    >>> broken = town.with_fault("pump_trip", "T-S1", onset="12h")
    >>> days = broken.simulate(days=2)
    >>> room = days.room("T-S1-B01-E1-0101")
    >>> room.at("6h") > 20 > room.at("36h")
    True

A ``Town`` is immutable: every ``with_…`` returns another one. Times are hours or text like
``"3d"`` and count from the anchor. Places are coded ``T-S1-B01-E1-0302``: substation, building,
entrance, floor and door. Same town, same seed → same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from hearthline.domain.findings import Cause
from hearthline.domain.places import Ledger
from simulators.city import City, build, load
from simulators.outcome import Outcome, Time, offset, unknown
from simulators.post import Message
from simulators.runner import run
from simulators.scenario import (
    FaultSpec,
    Heating,
    Problem,
    Scenario,
    ScenarioError,
    SettingSpec,
    SourceSpec,
    SubstationSpec,
    WeatherSpec,
)
from simulators.truth import trace

if TYPE_CHECKING:
    from simulators.transport import Published

ANCHOR = datetime(2026, 1, 12, tzinfo=UTC)
_LATITUDE, _LONGITUDE = 45.75, 126.6


def small_city(
    buildings: Sequence[str] = ("2x6", "1x4"),
    *,
    substations: int = 1,
    outdoor_c: float | Sequence[tuple[Time, float]] = -12.0,
    daily_swing_k: float = 0.0,
    heating: Heating | str = Heating.RADIATORS,
    step_min: int = 20,
    code: str = "T",
    seed: int = 1,
) -> Town:
    """A town of a few houses in which nothing is wrong, with a sensor in every dwelling.

    Args:
        buildings: shapes as ``entrances x floors`` (``"2x6"``), nearest to the substation first.
        substations: how many; each has those buildings.
        outdoor_c: daily mean, °C; or points ``[("0h", -10), ("2d", -20)]``, joined smoothly.
        daily_swing_k: afternoon minus dawn.
        heating: ``"radiators"`` or ``"floor"``.
        step_min: length of a physical step and the shortest interval between readings, minutes.
        code: what place codes and the site's name begin with.
        seed: of everything that is drawn.

    Raises:
        ScenarioError: a shape or another value is impossible.
    """
    every = timedelta(minutes=step_min)
    stations = tuple(
        SubstationSpec(
            name=f"Substation {number}",
            latitude=_LATITUDE,
            longitude=_LONGITUDE,
            heating=Heating(heating),
            buildings=tuple(buildings),
        )
        for number in range(1, substations + 1)
    )
    town = Scenario(
        name="small-city",
        title="A small city for tests",
        site=code.lower(),
        seed=seed,
        source=SourceSpec(code=code, name="Plant", latitude=_LATITUDE, longitude=_LONGITUDE),
        substations=stations,
        weather=WeatherSpec(
            level=_level(outdoor_c), daily_swing_k=daily_swing_k, variation_k=0.0, wind_ms=3.0
        ),
        step=every,
    )
    return Town(town).with_instruments(
        room_every=every, meter_every=every, weather_every=every, gateway_every=every
    )


def _level(outdoor_c: float | Sequence[tuple[Time, float]]) -> tuple[tuple[timedelta, float], ...]:
    if isinstance(outdoor_c, int | float):
        return ((timedelta(0), float(outdoor_c)),)
    return tuple((offset(when), float(level_c)) for when, level_c in outdoor_c)


def town_of(scenario: str | Path | Scenario) -> Town:
    """The town of a scenario: a name that ``hearthline simulate --list`` shows, a file, a record.

    Raises:
        ScenarioError: lists everything that is wrong with it.
    """
    return Town(scenario if isinstance(scenario, Scenario) else load(scenario))


@dataclass(frozen=True)
class Town:
    """A scenario with its instant of departure, ready to be changed, run and asked."""

    scenario: Scenario
    anchor: datetime = ANCHOR

    def with_fault(
        self,
        cause: str | Cause,
        *places: str,
        onset: Time = 0.0,
        end: Time | None = None,
        ramp: Time = 0.0,
        severity: float | None = None,
        variant: str | None = None,
    ) -> Town:
        """One more fault, at one place or several; ``docs/simulator.md`` lists the causes.

        Raises:
            ScenarioError: there is no such cause, or no place was named.
        """
        if not places:
            raise _wrong(self, "place", f"where? e.g. with_fault({str(cause)!r}, 'T-S1')")
        fault = FaultSpec(
            cause=self._cause(cause),
            place=places if len(places) > 1 else places[0],
            onset=offset(onset),
            end=None if end is None else offset(end),
            ramp=offset(ramp),
            severity=severity,
            variant=variant,
        )
        return self._with(faults=(*self.scenario.faults, fault))

    def with_setting(self, place: str, *, valve: float = 1.0, pump: float = 1.0) -> Town:
        """A building's balancing valve, or the pumps of a substation or circuit, set by a crew.

        Args:
            place: its code.
            valve: factor on the valve's resistance, above 1 towards shut; a building's.
            pump: factor on the speed; a substation's or circuit's.
        """
        setting = SettingSpec(place=place, valve=valve, pump=pump)
        return self._with(settings=(*self.scenario.settings, setting))

    def with_seed(self, seed: int) -> Town:
        """The same town drawn anew where something is drawn."""
        return self._with(seed=seed)

    def with_coverage(self, share: float) -> Town:
        """Room sensors in this share of the dwellings."""
        return self.with_instruments(coverage=share)

    def with_weather(self, **changes: Any) -> Town:
        """Other weather: fields of ``WeatherSpec``, or ``outdoor_c`` as for ``small_city``.

        A ``preset`` or a ``file`` replaces all weather that the town had.
        """
        if "outdoor_c" in changes:
            changes["level"] = _level(changes.pop("outdoor_c"))
        if "preset" in changes or "file" in changes:
            day = self.scenario.weather.day_of_year
            town = self._with(weather=WeatherSpec(day_of_year=day))
            return town._part("weather", changes)
        return self._part("weather", changes)

    def with_instruments(self, **changes: Any) -> Town:
        """Other instruments: fields of ``InstrumentsSpec``; intervals may be text."""
        return self._part("instruments", changes)

    def with_behaviour(self, **changes: Any) -> Town:
        """A field that behaves worse: fields of ``BehaviourSpec``, e.g. ``lost=0.01``."""
        return self._part("behaviour", changes)

    def with_people(self, **changes: Any) -> Town:
        """Other habits: fields of ``PeopleSpec``."""
        return self._part("people", changes)

    def with_dwellings(self, **changes: Any) -> Town:
        """Other dwellings: fields of ``DwellingsSpec``."""
        return self._part("dwellings", changes)

    def starting(self, anchor: datetime) -> Town:
        """The same town with its history beginning at another instant.

        Raises:
            ValueError: it has no time zone.
        """
        if anchor.tzinfo is None:
            raise ValueError(f"{anchor} has no time zone; write datetime(…, tzinfo=UTC)")
        return replace(self, anchor=anchor)

    @cached_property
    def city(self) -> City:
        """The city as the simulator holds it, with its ledger and the truth about its faults.

        Raises:
            ScenarioError: a fault's place, or anything else, does not fit the town.
        """
        return build(self.scenario)

    @property
    def ledger(self) -> Ledger:
        """Places, dwellings, statuses and devices, as the database would hold them."""
        return self.city.ledger_at(self.anchor)

    @property
    def dwellings(self) -> tuple[str, ...]:
        """Codes of all dwellings."""
        return tuple(self.city.unit_codes)

    def simulate(self, *, days: float = 0.0, hours: float = 0.0) -> Outcome:
        """The true temperatures from the anchor on; without a length, of the whole history."""
        return Outcome(trace(self.city, self.anchor, self._length(days, hours)))

    def messages(self, *, days: float = 0.0, hours: float = 0.0) -> list[Message]:
        """Everything that the town publishes from the anchor on, in order, in memory."""
        return list(self.stream(days=days, hours=hours))

    def stream(self, *, days: float = 0.0, hours: float = 0.0) -> Iterator[Message]:
        """The same, one by one; only ten minutes' worth is in memory."""
        length = self._length(days, hours)
        for block in run(self.city, self.anchor, self.anchor + length):
            yield from block.messages

    def jsonl(self, out: str | Path | IO[str], *, days: float = 0.0, hours: float = 0.0) -> int:
        """The same as lines of JSON, into a file or a text stream; how many lines."""
        from simulators.transport import to_jsonl

        messages = self.stream(days=days, hours=hours)
        if isinstance(out, str | Path):
            with Path(out).open("w", encoding="utf-8") as file:
                return to_jsonl(messages, file)
        return to_jsonl(messages, out)

    def publish(self, url: str, *, days: float = 0.0, hours: float = 0.0) -> Published:
        """The same to a real broker at QoS 1; returns when it has acknowledged everything.

        Raises:
            BrokerRefused: the broker does not let us in.
            TimeoutError: no broker answers at ``url`` within ten seconds.
            ValueError: ``url`` is not ``mqtt://…`` or ``mqtts://…``.
        """
        from simulators.transport import Publisher

        with Publisher(url) as publisher:
            if not publisher.wait_connected(10.0):
                raise TimeoutError(f"no broker answers at {publisher.address}; start one first")
            publisher.publish_all(self.stream(days=days, hours=hours))
            return publisher.close()

    def _length(self, days: float, hours: float) -> timedelta:
        return timedelta(days=days, hours=hours) or self.city.history

    def _with(self, **changes: Any) -> Town:
        return replace(self, scenario=msgspec.structs.replace(self.scenario, **changes))

    def _part(self, part: str, changes: dict[str, Any]) -> Town:
        """Replace fields of one part of the scenario, checked like a file's."""
        old = getattr(self.scenario, part)
        known = old.__struct_fields__
        for field in changes:
            if field not in known:
                raise _wrong(self, f"{part}.{field}", unknown(field, known))
        times = {name for name in changes if isinstance(getattr(old, name), timedelta)}
        plain = {name: offset(new) if name in times else new for name, new in changes.items()}
        try:
            new = msgspec.convert({**msgspec.structs.asdict(old), **plain}, type(old))
        except msgspec.ValidationError as error:
            raise _wrong(self, part, str(error)) from None
        return self._with(**{part: new})

    def _cause(self, cause: str | Cause) -> Cause:
        try:
            return Cause(cause)
        except ValueError:
            raise _wrong(self, "cause", unknown(str(cause), [str(one) for one in Cause])) from None


def digest(messages: Iterable[Message]) -> str:
    """A fingerprint of messages, their order and instants: equal if and only if the bytes are."""
    whole = sha256()
    for message in messages:
        marks = f"{message.due} {message.retain}"
        for part in (marks.encode(), message.topic.encode(), message.payload):
            whole.update(len(part).to_bytes(4, "big"))
            whole.update(part)
    return whole.hexdigest()


def as_jsonl(messages: Iterable[Message]) -> str:
    """Messages as the lines that ``jsonl`` writes."""
    from simulators.transport import to_jsonl

    text = io.StringIO()
    to_jsonl(messages, text)
    return text.getvalue()


def _wrong(town: Town, where: str, says: str) -> ScenarioError:
    return ScenarioError(town.scenario.name, [Problem(where, says)])
