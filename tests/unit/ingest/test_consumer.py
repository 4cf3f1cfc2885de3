"""The small pure parts of the MQTT shell."""

import pytest
from paho.mqtt.client import MQTTMessage

from ingest.consumer import Broker, topic_of


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://h", Broker("h", 1883, False, None, None)),
        ("mqtts://h", Broker("h", 8883, True, None, None)),
        ("mqtt://u:p%40ss@h:18", Broker("h", 18, False, "u", "p@ss")),
    ],
)
def test_the_address_names_the_broker(url: str, broker: Broker) -> None:
    assert Broker.at(url) == broker


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Broker.at("mqtt://u:secret@h"))


def test_a_topic_that_is_not_utf8_is_shown_escaped() -> None:
    assert topic_of(MQTTMessage(topic=b"a/\xff")) == ("a/\\xff", b"a/\xff")
    assert topic_of(MQTTMessage(topic="a/三".encode())) == ("a/三", "a/三".encode())
