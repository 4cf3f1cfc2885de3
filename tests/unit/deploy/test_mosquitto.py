"""The broker's settings, rules and device names."""

from pathlib import Path

import pytest
from stack.errors import UsageError
from stack.mosquitto import check_device_name, with_directives

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
SHIPPED = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")


def directives(text):
    words = (line.split(maxsplit=1) for line in text.splitlines() if line[:1].isalpha())
    return {word[0]: word[1] for word in words}


def test_directives_are_exchanged_in_place_and_the_rest_stays():
    text = with_directives("# a\nlistener 1883\npersistence true\n", {"listener": "1 127.0.0.1"})
    assert text == "# a\nlistener 1 127.0.0.1\npersistence true\n"


def test_directives_that_are_not_there_are_added():
    assert with_directives("persistence true\n", {"listener": "1"}).endswith("true\nlistener 1\n")


def test_a_comment_that_names_a_directive_is_left_alone():
    assert "# listener is here" in with_directives("# listener is here\n", {"listener": "1"})


def test_the_shipped_settings_fit_batches_and_outages():
    shipped = directives(SHIPPED)
    assert int(shipped["max_inflight_messages"]) >= 2000
    assert int(shipped["max_queued_messages"]) >= 1_000_000  # never 0, see the file
    assert int(shipped["max_queued_bytes"]) >= 2**30
    assert shipped["persistence"] == "true"
    assert shipped["set_tcp_nodelay"] == "true"


def test_the_shipped_settings_let_nobody_in_without_a_name():
    shipped = directives(SHIPPED)
    assert shipped["allow_anonymous"] == "false"
    assert {"password_file", "acl_file"} <= shipped.keys()


@pytest.mark.parametrize("name", ["room-1", "0102A3", "meter.7_b"])
def test_plain_device_names_pass(name):
    check_device_name(name)


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "a b", "a:b", "-x", "x" * 65, "室温"])
def test_names_that_cannot_stand_in_a_topic_are_refused(name):
    with pytest.raises(UsageError, match="no device name"):
        check_device_name(name)


@pytest.mark.parametrize("name", ["hearthline", "simulator"])
def test_a_service_account_cannot_be_taken_by_a_device(name):
    with pytest.raises(UsageError, match="service account"):
        check_device_name(name)
