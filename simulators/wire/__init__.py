"""Messages as devices send them: one module per wire format, and the list of them all.

Pure encoders: plain numbers in, topic and bytes out. They know what each format leaves out,
rounds or writes its own way, and nothing of the town. Instants are Unix seconds.

``FORMATS`` is in a fixed order, by which fleets number them (``speech``); the names are the
fields of ``FormatMix`` and ``MeterMix`` in ``simulators.scenario``.
"""

from simulators.wire import (
    alink,
    chirpstack,
    ctwing,
    homie,
    iotda,
    onenet,
    own,
    senml,
    sparkplug,
    tasmota,
    tts,
    wmbusmeters,
    zigbee2mqtt,
)
from simulators.wire.chirpstack import chirpstack_topic, chirpstack_up, dev_eui
from simulators.wire.instants import TimeStyle, instant, iso
from simulators.wire.model import (
    Clock,
    Format,
    Identity,
    MeterReading,
    Presence,
    RoomReading,
    Said,
)
from simulators.wire.own import own_array, own_item, own_topic
from simulators.wire.zigbee2mqtt import zigbee_state, zigbee_topic

FORMATS: tuple[Format, ...] = (
    own.FORMAT,
    chirpstack.FORMAT,
    zigbee2mqtt.FORMAT,
    tts.FORMAT,
    tasmota.FORMAT,
    homie.FORMAT,
    sparkplug.FORMAT,
    senml.FORMAT,
    onenet.FORMAT,
    alink.FORMAT,
    iotda.FORMAT,
    ctwing.FORMAT,
    wmbusmeters.FORMAT,
)
NUMBER: dict[str, int] = {one.name: number for number, one in enumerate(FORMATS)}
"""The position of each format in ``FORMATS``."""

__all__ = [
    "FORMATS",
    "NUMBER",
    "Clock",
    "Format",
    "Identity",
    "MeterReading",
    "Presence",
    "RoomReading",
    "Said",
    "TimeStyle",
    "chirpstack_topic",
    "chirpstack_up",
    "dev_eui",
    "instant",
    "iso",
    "own_array",
    "own_item",
    "own_topic",
    "zigbee_state",
    "zigbee_topic",
]
