"""What callers say beside what their sensors show, from rows to incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from analytics.memory import Rows, network_of, rows_of
from analytics.offline import Incident, analyse
from analytics.trust.model import Floats
from hearthline.domain.complaints import Complaint
from hearthline.domain.places import DeviceKind
from hearthline.domain.policies import PROFILES
from hearthline.storage.analysis import Columns
from tests import builders
from tests.unit.analytics.rooms import breathing

HOUR = timedelta(hours=1)
HOURS = 96
LEDGER = builders.town(builders.TownPlan(substations=1, floors=3))
HOME = "T-S1-B01-E1-0201"
PROFILE = PROFILES["standard-20"]


def incidents(
    start: datetime, level: Floats, called_h: Sequence[int], *, silent: Sequence[str] = ()
) -> Sequence[Incident]:
    """What is opened over rooms with one sensor each, and over calls from one of them."""
    network = network_of(LEDGER, start)
    sensors = [i for i in network.instruments if i.kind is DeviceKind.ROOM]
    rows = [row for row, one in enumerate(sensors) if one.place not in silent]
    device = np.repeat([sensors[row].id for row in rows], HOURS)
    at = np.tile(start.timestamp() + 3600.0 * np.arange(HOURS), len(rows))
    mean = level[rows].ravel()
    values = {
        "mean_c": mean,
        "min_c": mean - 0.05,
        "max_c": mean + 0.05,
        "n": np.full(len(mean), 3.0),
        "covered_min": np.full(len(mean), 60.0),
    }
    order = np.argsort(at, kind="stable")
    hours = Columns(device[order], at[order], {name: v[order] for name, v in values.items()})
    rest = rows_of({})
    heard = Rows(hours, rest.meter_hours, rest.meter_slots, rest.weather_hours)
    calls = [Complaint(HOME, start + hour * HOUR, "It is cold.") for hour in called_h]
    return analyse(network, PROFILE, heard, start + HOURS * HOUR, complaints=calls).incidents


def rooms(start: datetime) -> Floats:
    """Warm ones, all alike."""
    sensors = [i for i in network_of(LEDGER, start).instruments if i.kind is DeviceKind.ROOM]
    level = breathing(len(sensors), HOURS)
    return np.asarray(level - level.mean(axis=1, keepdims=True) + 22.0)


def row_of_home(start: datetime) -> int:
    sensors = [i for i in network_of(LEDGER, start).instruments if i.kind is DeviceKind.ROOM]
    return [one.place for one in sensors].index(HOME)


WINTER = datetime(2026, 1, 12, tzinfo=UTC)
AUTUMN = datetime(2025, 10, 20, 16, tzinfo=UTC)  # the second day of the start-up in Harbin


def test_who_insists_while_the_sensor_reads_warm_is_warm() -> None:
    """Also in the hours in which it is doubted, since a window has just been opened."""
    level = rooms(WINTER)
    level[row_of_home(WINTER), 60:62] -= 0.9
    assert not incidents(WINTER, level, (12, 36, 60))


def test_who_insists_and_has_no_sensor_is_visited() -> None:
    [one] = incidents(WINTER, rooms(WINTER), (12, 36, 60), silent=[HOME])
    assert one.last.place == HOME


def test_calls_of_the_first_days_say_not_yet() -> None:
    """Three of them open nothing when the start-up is over; later ones do."""
    assert not incidents(AUTUMN, rooms(AUTUMN), (4, 20, 40), silent=[HOME])
    [one] = incidents(AUTUMN, rooms(AUTUMN), (52, 70, 90), silent=[HOME])
    assert one.last.place == HOME
