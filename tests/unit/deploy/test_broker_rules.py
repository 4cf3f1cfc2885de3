"""Who may do what on the broker: the two rule files say the same, and what we mean."""

import pytest

from tests.broker_rules import (
    DEVICES,
    EMQX,
    MOSQUITTO,
    PLATFORMS,
    SPOKEN,
    TOPICS,
    cases,
    emqx,
    mosquitto,
)

SAYS_ITSELF = [
    one
    for one in SPOKEN
    if not one.startswith(("application", "v3", "zigbee2mqtt", "wmbusmeters", "ctwing"))
    and "/service/" not in one
    and "CMD/" not in one
]
SPOKEN_FOR = {
    "chirpstack": "application/1/device/{name}/event/up",
    "things-stack": "v3/app@tenant/devices/{name}/up",
    "zigbee2mqtt": "zigbee2mqtt/{name}",
    "wmbusmeters": "wmbusmeters/{name}",
    "ctwing": "ctwing/{name}",
}


def test_both_files_answer_every_case_alike():
    differing = [case for case in cases() if MOSQUITTO(*case) != EMQX(*case)]
    assert differing == []


@pytest.mark.parametrize("topic", SAYS_ITSELF)
def test_a_device_publishes_under_its_own_name_and_no_other(topic):
    assert MOSQUITTO("room-1", "publish", topic.format(name="room-1"))
    assert not MOSQUITTO("room-1", "publish", topic.format(name="edge-1"))


@pytest.mark.parametrize("topic", set(SPOKEN) - set(SAYS_ITSELF))
def test_what_platforms_and_services_say_a_device_may_not(topic):
    assert not MOSQUITTO("room-1", "publish", topic.format(name="room-1"))


def test_a_device_hears_nothing_but_commands_to_itself():
    heard = [case for case in cases() if case[:2] == ("edge-1", "receive") and MOSQUITTO(*case)]
    assert heard == [("edge-1", "receive", "spBv1.0/north/NCMD/edge-1")]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_platform_publishes_its_own_format_and_hears_nothing(platform):
    allowed = [case for case in cases() if case[0] == platform and MOSQUITTO(*case)]
    own = {SPOKEN_FOR[platform].format(name=name) for name in DEVICES}
    assert allowed == [(platform, "publish", topic) for topic in TOPICS if topic in own]


@pytest.mark.parametrize("topic", SPOKEN)
def test_ingest_hears_every_format_and_speaks_only_of_itself_and_to_edge_nodes(topic):
    there = topic.format(name="room-1")
    assert MOSQUITTO("hearthline", "receive", there)
    may = "/service/" in topic or "/NCMD/" in topic
    assert MOSQUITTO("hearthline", "publish", there) == may


def test_ingest_may_share_its_subscriptions():
    assert EMQX("hearthline", "receive", "$share/group/hearthline/v1/north/room-1/room")


def test_the_simulator_stands_in_for_everything_and_hears_nothing():
    assert all(MOSQUITTO("simulator", "publish", one.format(name="room-1")) for one in SPOKEN)
    assert not any(MOSQUITTO("simulator", "receive", one.format(name="x")) for one in SPOKEN)


def test_the_evaluators_read_what_they_are_for():
    """A refusal of one's own goes before a permission, and EMQX takes the first that fits."""
    ours = mosquitto("user a\ntopic write x/#\ntopic deny x/y\npattern write z/%u\n")
    theirs = emqx('{deny, {username, "a"}, publish, ["x/y"]}.\n'
                  '{allow, {username, "a"}, publish, ["x/#"]}.\n'
                  '{allow, all, publish, ["z/${username}"]}.\n{deny, all}.\n')  # fmt: skip
    for allows in (ours, theirs):
        told = [allows("a", "publish", topic) for topic in ("x/y", "x/w", "z/a", "z/b")]
        assert told == [False, True, True, False]
        assert not allows("a", "receive", "x/w")
