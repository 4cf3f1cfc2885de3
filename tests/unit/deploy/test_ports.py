"""Which port a part gets, and that a port once given is kept."""

import socket

import pytest
from stack import ports
from stack.errors import StackError
from stack.model import Part


def choose(part=Part.DATABASE, previous=None, taken=(), listened_on=(), wait=None):
    return ports.choose(
        part,
        previous,
        free=lambda port: port not in taken,
        listened_on=lambda port: port in listened_on,
        wait=wait or (lambda _seconds: None),
    )


def test_a_first_start_takes_the_preferred_port():
    assert choose(Part.DATABASE) == 54329
    assert choose(Part.BROKER) == 18839


def test_a_taken_port_gives_way_to_the_next_free_one():
    assert choose(taken={54329, 54330}, listened_on={54329, 54330}) == 54331


def test_a_port_once_given_is_kept_though_the_preferred_one_is_free():
    assert choose(previous=54340) == 54340


def test_a_kept_port_that_somebody_else_listens_on_is_given_up():
    assert choose(previous=54340, taken={54340}, listened_on={54340}) == 54329


def test_a_kept_port_that_is_merely_busy_is_waited_for():
    taken = {54340}
    assert choose(previous=54340, taken=taken, wait=lambda _s: taken.clear()) == 54340


def test_a_kept_port_that_stays_busy_is_given_up_after_a_while():
    assert choose(previous=54340, taken={54340}) == 54329


def test_no_free_port_at_all_is_told():
    with pytest.raises(StackError, match="No free port for the broker"):
        choose(Part.BROKER, taken=range(65536))


def test_a_real_listener_is_seen():
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.is_listened_on(port)
    assert ports.is_free(port)
    assert not ports.is_listened_on(port)
