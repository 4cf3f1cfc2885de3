"""All wire formats at once: what a town says in thirteen languages is what it measured.

The scenario ``babel`` without its misfortunes is run twice with the same seed, once as it is and
once with every device speaking our own format. Instruments measure the same in both, so a
reading may differ by what its wire format rounds and by nothing else.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hearthline.domain.readings import Reading, Sign
from ingest.formats import OURS, Registry
from ingest.formats.model import Context
from ingest.formats.profiles import builtin
from ingest.formats.quantities import QUANTITIES
from simulators.scenario import BehaviourSpec
from simulators.testing import Town, town_of
from simulators.wire import FORMATS
from simulators.wire.ctwing import is_transparent

ROUNDING = {"temperature_c": 0.0501, "humidity_pct": 0.0501, "supply_c": 0.0501,
            "return_c": 0.0501, "power_kw": 0.0501, "energy_kwh": 1.0}  # fmt: skip
"""The coarsest of each quantity: Tasmota and NB-IoT frames have tenths, kamheat whole kWh."""

Heard = dict[tuple[str, str], list[Reading]]
"""Readings by place and role of their device."""


def quiet(town: Town) -> Town:
    """Without anything that loses, repeats, delays or spoils messages."""
    calm = {field: 0.0 for field in BehaviourSpec.__struct_fields__
            if isinstance(getattr(town.scenario.behaviour, field), int | float)}  # fmt: skip
    return town.with_behaviour(**calm)


def in_our_format(town: Town) -> Town:
    mix = {one.name: float(one.name == "own") for one in FORMATS if one.say is not None}
    meters = {one.name: float(one.name == "own") for one in FORMATS if one.say_meter is not None}
    return town.with_instruments(mix=mix, meter_mix=meters)


def heard_from(town: Town, hours: float) -> tuple[Heard, list[Sign], dict[str, set[str]]]:
    """Readings, signs, and the ledger's and the heard uids of each format."""
    devices = {one.uid: one for one in town.ledger.devices}
    framed = builtin()["hl-nb-room"]
    profiles = {uid: framed for uid in devices if uid.startswith("ctwing:") and is_transparent(uid)}
    registry, memory = Registry(), {}
    heard: Heard = {}
    signs: list[Sign] = []
    uids: dict[str, set[str]] = {}
    for message in town.stream(hours=hours):
        at = datetime.fromtimestamp(message.due, UTC)
        context = Context(profiles=profiles, memory=memory)
        decoded = registry.decode(message.topic, message.payload, at, context)
        assert not decoded.rejections, decoded.rejections[0]
        memory.update(decoded.learnt)
        signs += decoded.signs
        for reading in decoded.readings:
            device = devices[reading.device_uid]
            assert reading.kind is device.kind
            uids.setdefault(device.uid.partition(":")[0], set()).add(device.uid)
            heard.setdefault((device.place, device.role), []).append(reading)
    return heard, signs, uids


@pytest.fixture(scope="module")
def babel() -> tuple[Heard, list[Sign], dict[str, set[str]]]:
    return heard_from(quiet(town_of("babel")), 2)


def test_every_device_of_every_format_is_heard(
    babel: tuple[Heard, list[Sign], dict[str, set[str]]],
) -> None:
    _, _, uids = babel
    assert uids.keys() == {one.name for one in OURS}
    ledger = {device.uid for device in town_of("babel").ledger.devices}
    assert set().union(*uids.values()) == ledger


def test_readings_are_those_that_our_own_format_would_have_carried(
    babel: tuple[Heard, list[Sign], dict[str, set[str]]],
) -> None:
    heard, _, _ = babel
    plain, _, _ = heard_from(in_our_format(quiet(town_of("babel"))), 3)
    assert heard.keys() == plain.keys()
    compared = 0
    for place, readings in heard.items():
        for said, same in pairs(readings, plain[place]):
            for name in QUANTITIES[said.kind]:
                value, true = getattr(said, name), getattr(same, name)
                if value is not None and true is not None:
                    assert abs(value - true) <= ROUNDING.get(name, 0.0), (said, same)
                    compared += 1
    assert compared > 5_000


def pairs(readings: list[Reading], among: list[Reading]) -> Iterator[tuple[Reading, Reading]]:
    """Each reading with that of the same instant; networks date some a second later."""
    for reading in readings:
        same = min(among, key=lambda other: abs(other.time - reading.time))
        assert abs(same.time - reading.time) < timedelta(seconds=1), (reading, same)
        yield reading, same


def test_gateways_and_labels_are_told(
    babel: tuple[Heard, list[Sign], dict[str, set[str]]],
) -> None:
    _, signs, _ = babel
    told = {sign.device_uid.partition(":")[0] for sign in signs if sign.gateway or sign.label}
    assert {"chirpstack", "sparkplug"} <= told
