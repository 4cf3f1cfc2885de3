"""Sound messages of every wire format, from which damaged ones are made.

They are what the simulated town ``babel`` says in an hour, thinned out, and examples of what it
does not say: batches, histories, gateways' packs, pushes of platforms, births and deaths.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from ingest.formats import Registry
from ingest.formats.model import Context
from ingest.formats.profiles import builtin
from simulators.testing import town_of
from simulators.wire.ctwing import is_transparent

NOW = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
AT_S = 1_768_176_000
AT_MS = AT_S * 1000
EACH = 24
"""Messages of one format and length class that are kept."""


class Seed(NamedTuple):
    """A sound message."""

    topic: str
    payload: bytes


class Corpus(NamedTuple):
    """Sound messages, and what was known when they were read."""

    seeds: tuple[Seed, ...]
    context: Context


_TIMED = {"value": 21.5, "time": AT_MS}
_HISTORY = [{"temperature": 20.5, "timestamp": AT_S}, {"temperature": 20.6, "timestamp": AT_S + 60}]
_SERVICE = {"service_id": "a", "properties": {"temperature": 20}, "event_time": "20260112T000000Z"}
EXAMPLES: tuple[tuple[str, Any], ...] = (
    ("hearthline/v1/s/d/room", [{"ts": AT_S, "temperature_c": 21.4}, {"ts": AT_MS, "seq": 7}]),
    ("hearthline/v1/s/d/meter", {"ts": AT_MS, "supply_c": 52.3, "flow_m3h": 0.07, "seq": 1}),
    ("hearthline/v1/s/d/weather", {"ts": "2026-01-12T08:00:00+08:00", "outdoor_c": -12.5}),
    ("hearthline/v1/s/d/status", {"online": True}),
    ("application/a/device/0102/event/up", {"object": {"temperature": 21, "history": _HISTORY}}),
    ("application/a/device/0102/event/status", {"batteryLevel": 75.5, "margin": 7}),
    ("application/a/device/0102/event/join", {"deviceInfo": {"deviceName": "x"}}),
    ("application/a/device/0102/event/up", {"objectJSON": '{"temperature": 21}', "fCnt": 3}),
    ("zigbee2mqtt/a/b", {"local_temperature": 20.5, "last_seen": AT_MS, "battery": None}),
    ("zigbee2mqtt/a/b/availability", {"state": "online"}),
    ("v3/a@ttn/devices/d/up", {"uplink_message": {"normalized_payload": [{"air": {}}]}}),
    ("tele/x/LWT", "Online"),
    ("tele/x/SENSOR", {"Time": "2026-01-12T08:00:00", "DS18B20-1": {"Id": "1", "Temperature": 2}}),
    ("tele/x/SENSOR", {"Time": "2026-01-12T08:00:00", "SML": {"Power_curr": 21}, "TempUnit": "F"}),
    ("homie/5/d/$state", "ready"),
    ("homie/5/d/$description", {"homie": "5.0", "nodes": {"n": {"properties": {"t": {}}}}}),
    ("homie/5/d/n/temperature", 21.5),
    ("wmbusmeters/1", {"_": "telegram", "id": "1", "flow_temperature_c": 75, "status": "OK"}),
    ("senml/x", [{"bn": "a:", "bt": AT_S, "bv": 1, "bu": "Cel", "v": 20}, {"n": "h", "u": "%RH"}]),
    ("$sys/p/d/thing/pack/post", {"params": [{"identity": {}, "properties": {"Temp": _TIMED}}]}),
    ("$sys/p/d/thing/history/post", {"params": [{"properties": {"Temp": [_TIMED, _TIMED]}}]}),
    ("$sys/p/d/thing/sub/login", {"params": {"productID": "p", "deviceName": "c"}}),
    ("$sys/p/d/dp/post/json", {"dp": {"temperature": [{"v": 20, "t": AT_S}]}}),
    ("/sys/p/d/thing/event/property/batch/post", {"params": {"properties": {"Temp": [_TIMED]}}}),
    ("/sys/p/d/thing/event/property/pack/post",
     {"params": {"properties": {"Temp": _TIMED}, "subDevices": [{"properties": {"a:t": 2}}]}}),
    ("/sys/p/d/thing/event/property/history/post",
     {"params": [{"properties": [{"Temp": _TIMED}]}]}),
    ("/sys/p/d/thing/model/up_raw", "binary"),
    ("$oc/devices/d/sys/gateway/sub_devices/properties/report",
     {"devices": [{"device_id": "c", "services": [_SERVICE, _SERVICE]}]}),
    ("anywhere", {"notify_data": {"header": {"device_id": "c"}, "body": {"services": [_SERVICE]}}}),
    ("ctwing/s/d", {"messageType": "deviceOnlineOfflineReport", "deviceId": "d", "eventType": 1}),
    ("ctwing/s/d", {"messageType": "eventReport", "deviceId": "d", "eventContent": {"t": 1}}),
    ("ctwing/s/d", [{"messageType": "dataReport", "deviceId": "d", "productId": "1",
                     "timestamp": AT_MS, "payload": {"serviceData": '{"temperature":"20.5"}'}}]),
    ("spBv1.0/g/NDATA/e", ""),
)  # fmt: skip


@lru_cache(maxsize=1)
def corpus() -> Corpus:
    """The sound messages. The same at every call and in every process."""
    town = town_of("babel")
    framed = builtin()["hl-nb-room"]
    uids = [device.uid for device in town.ledger.devices]
    profiles = {uid: framed for uid in uids if uid.startswith("ctwing:") and is_transparent(uid)}
    profiles["alink:p/d"] = framed
    registry, memory = Registry(), {}
    kept: dict[tuple[str, str, int], list[Seed]] = defaultdict(list)
    for message in town.stream(hours=1.5):
        one = registry.find(message.topic)
        size = len(message.payload) // 64
        place = (one.name if one else "", message.topic.split("/")[0], size)
        if len(kept[place]) < EACH:
            kept[place].append(Seed(message.topic, message.payload))
        context = Context(profiles=profiles, memory=memory)
        memory.update(registry.decode(message.topic, message.payload, NOW, context).learnt)
    examples = [Seed(topic, json.dumps(said).encode()) for topic, said in EXAMPLES]
    town_said = [seed for seeds in kept.values() for seed in seeds]
    return Corpus((*examples * 4, *town_said), Context(profiles=profiles, memory=memory))
