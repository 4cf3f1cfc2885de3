"""What fits together when a stranger becomes a device."""

from __future__ import annotations

import pytest

from hearthline.domain.places import DeviceKind, DeviceRole, PlaceKind
from hearthline.errors import Invalid, NotFound
from hearthline.registry.device_rules import ROLES_AT
from ingest.adoption import Wish, check_place, kind_of, profile_called
from ingest.formats.profiles import Profile, builtin

METER = Profile("some-meter", DeviceKind.METER, {})


@pytest.mark.parametrize("role", DeviceRole)
def test_a_role_is_played_by_one_kind_at_some_kinds_of_place(role: DeviceRole) -> None:
    kind, places = ROLES_AT[role]
    assert kind_of(Wish("X", role), None) is kind
    for place in PlaceKind:
        row = {"kind": place.value, "code": "X"}
        if place in places:
            check_place(role, row)
            continue
        with pytest.raises(Invalid, match="It hangs at a"):
            check_place(role, row)


def test_a_profile_for_another_kind_of_device_is_refused() -> None:
    with pytest.raises(Invalid, match="some-meter reads a device of kind meter"):
        kind_of(Wish("X", DeviceRole.ROOM), METER)
    assert kind_of(Wish("X", DeviceRole.BRANCH), METER) is DeviceKind.METER


def test_a_kind_that_does_not_play_the_role_is_refused() -> None:
    with pytest.raises(Invalid, match="kind weather"):
        kind_of(Wish("X", DeviceRole.WEATHER, kind=DeviceKind.ROOM), None)


def test_a_profile_that_nobody_knows_is_answered_with_the_nearest() -> None:
    known = {METER.name: METER, **builtin()}
    assert profile_called(None, known) is None
    assert profile_called("", known) is None
    assert profile_called("some-meter", known) is METER
    with pytest.raises(NotFound, match="some-meter"):
        profile_called("some-metre", known)
