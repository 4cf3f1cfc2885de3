"""A rough town speaks every format: nothing that was put into a message is missed or made up."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from ingest.formats import Context, Registry
from tests.unit.simulators.posting import HOURS_30, Going

BY_PROFILE = "ctwing"
"""Its raw frames are read by a device's profile alone, which the town's ledger gives."""


def test_every_message_of_a_rough_town_gives_what_was_put_into_it() -> None:
    formats, memory, going = Registry(), dict[str, Any](), Going()
    missed: Counter[str] = Counter()
    heard: Counter[str] = Counter()
    for message in going.until(HOURS_30):
        speaker = formats.find(message.topic)
        assert speaker is not None
        at = datetime.fromtimestamp(message.due, UTC)
        decoded = speaker.decode(message.topic, message.payload, at, Context(memory=memory))
        memory |= decoded.learnt
        heard[speaker.name] += len(decoded.readings)
        if len(decoded.readings) + len(decoded.rejections) != message.readings:
            missed[speaker.name] += 1
        assert not decoded.needs
    assert not missed
    assert all(heard[name] > 100 for name in heard)


def test_the_devices_of_a_town_are_known_by_their_uids() -> None:
    formats, memory, going = Registry(), dict[str, Any](), Going()
    rooms, meters = going.fleet.rooms, going.fleet.meters
    known = {rooms.identity(number).uid for number in rooms.unit}
    known |= {meters.identity(number).uid for number in range(len(meters.speech))}
    heard: Counter[str] = Counter()
    for message in going.until(HOURS_30 // 6):
        at = datetime.fromtimestamp(message.due, UTC)
        decoded = formats.decode(message.topic, message.payload, at, Context(memory=memory))
        memory |= decoded.learnt
        heard.update(reading.device_uid for reading in decoded.readings)
    silent = {uid for uid in known - heard.keys() if not uid.startswith(BY_PROFILE)}
    assert not silent
    assert {uid.partition(":")[0] for uid in heard.keys() - known} <= {"own"}
