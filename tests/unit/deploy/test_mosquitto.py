"""The broker's settings, rules and device names."""

import re
from pathlib import Path

import pytest
from stack.errors import UsageError
from stack.mosquitto import check_device_name, with_directives

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
SHIPPED = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
RULES = (DEPLOY / "mosquitto" / "acl.conf").read_text(encoding="utf-8")


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
    assert shipped["max_queued_messages"] == "0"
    assert shipped["persistence"] == "true"
    assert shipped["set_tcp_nodelay"] == "true"


def test_the_shipped_settings_let_nobody_in_without_a_name():
    shipped = directives(SHIPPED)
    assert shipped["allow_anonymous"] == "false"
    assert {"password_file", "acl_file"} <= shipped.keys()


def test_a_device_may_write_under_its_own_name_and_read_nothing():
    patterns = re.findall(r"^pattern (.*)$", RULES, re.MULTILINE)
    assert patterns == ["write hearthline/v1/+/%u/#"]


def test_the_rules_for_emqx_name_the_same_topics():
    emqx = (DEPLOY / "emqx" / "acl.conf").read_text(encoding="utf-8")
    ours = {
        topic.replace("%u", "${username}")
        for topic in re.findall(r"^(?:topic|pattern) \w+ (\S+)$", RULES, re.MULTILINE)
    }
    rules = "".join(line for line in emqx.splitlines() if not line.startswith("%%"))
    theirs = set(re.findall(r'"([^"]+)"', rules)) - {"hearthline", "simulator"}
    assert ours == theirs


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
