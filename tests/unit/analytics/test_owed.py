"""Where heat is owed, hour by hour, and if not, why."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from analytics import owed
from analytics.owed import HOUR, REASONS, day_means, policies_by_hour, reasons
from analytics.signs import Sign, Signal
from hearthline.domain.maintenance import Window
from hearthline.domain.network import Dwelling, Network, Node, Period
from hearthline.domain.places import HeatingStatus, PlaceKind
from hearthline.domain.policies import PROFILES, HoldReason, Policy, Profile

MIDNIGHT = datetime(2026, 1, 11, 16, tzinfo=UTC)  # of 12 January in Harbin
PROFILE = PROFILES["standard-20"]


def town(*periods: tuple[str, Period]) -> Network:
    """Two houses, A and B, of two dwellings each."""
    places = [("S/", PlaceKind.SOURCE)]
    for house in "AB":
        places.append((f"S/{house}/", PlaceKind.BUILDING))
        places += [(f"S/{house}/{house}{n}/", PlaceKind.UNIT) for n in (1, 2)]
    nodes = {}
    for number, (path, kind) in enumerate(places):
        code = path.rstrip("/").rsplit("/", 1)[-1]
        nodes[code] = Node(number, code, kind, path, code, "")
    dwellings = [Dwelling(code, 80, 1, 1) for code in ("A1", "A2", "B1", "B2")]
    statuses: dict[str, list[Period]] = {}
    for code, period in periods:
        statuses.setdefault(code, []).append(period)
    return Network(nodes, dwellings, [], statuses)


def told(
    network: Network,
    *windows: Window,
    hours: int = 6,
    start: datetime = MIDNIGHT,
    profile: Profile = PROFILE,
    outdoor: list[float] | None = None,
) -> dict[str, list[str]]:
    """The reasons of every dwelling, as words; an empty one where heat is owed."""
    policies = policies_by_hour(profile, start, hours)
    means = None if outdoor is None else np.array(outdoor, float)
    found = reasons(network, policies, windows, means, start)
    assert found.dtype == np.int8
    words = ["" if reason is HoldReason.NONE else str(reason) for reason in REASONS]
    return {d.code: [words[n] for n in found[i]] for i, d in enumerate(network.dwellings)}


def only(policy: Policy) -> Profile:
    return Profile("x", "x", "x", (policy,))


def test_heat_is_owed_where_nothing_says_otherwise() -> None:
    assert {word for words in told(town()).values() for word in words} == {""}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (HeatingStatus.STOPPED, "heating_stopped"),
        (HeatingStatus.RESTRICTED, "heating_restricted"),
        (HeatingStatus.VACANT, "vacant"),
    ],
)
def test_a_status_holds_back_its_dwelling_while_it_is_valid(
    status: HeatingStatus, reason: str
) -> None:
    """From the hour in which it begins to the hour in which it ends."""
    period = Period(status, MIDNIGHT + 1.5 * HOUR, MIDNIGHT + 3.5 * HOUR)
    found = told(town(("A2", period)))
    assert found["A2"] == ["", reason, reason, reason, "", ""]
    assert set(found["A1"] + found["B1"]) == {""}


def test_a_status_without_end_holds_and_one_from_before_held_already() -> None:
    long_ago = Period(HeatingStatus.STOPPED, datetime(1, 1, 1, tzinfo=UTC), MIDNIGHT)
    for_good = Period(HeatingStatus.VACANT, MIDNIGHT + 5 * HOUR, None)
    found = told(town(("A1", long_ago), ("B2", for_good)))
    assert found["A1"] == [""] * 6, "it ended exactly at the first hour"
    assert found["B2"] == [""] * 5 + ["vacant"]


def test_a_window_holds_back_all_below_its_place_and_nothing_beside_it() -> None:
    window = Window("A", MIDNIGHT + 2 * HOUR, MIDNIGHT + 4 * HOUR)
    found = told(town(), window)
    assert found["A1"] == found["A2"] == ["", "", "maintenance", "maintenance", "", ""]
    assert found["B1"] == [""] * 6
    assert set(told(town(), replace(window, place="S"))["B2"]) == {"", "maintenance"}


def test_windows_that_were_called_off_or_name_no_place_hold_nothing() -> None:
    off = Window("A", MIDNIGHT + HOUR, MIDNIGHT + HOUR)
    unknown = Window("Z", MIDNIGHT, MIDNIGHT + 9 * HOUR)
    assert set(told(town(), off, unknown)["A1"]) == {""}


def test_the_stronger_reason_is_told() -> None:
    """A dwelling that is stopped is stopped, whatever else is done to its house."""
    stopped = Period(HeatingStatus.STOPPED, MIDNIGHT, None)
    found = told(town(("A1", stopped)), Window("A", MIDNIGHT, MIDNIGHT + 9 * HOUR))
    assert set(found["A1"]) == {"heating_stopped"}
    assert set(found["A2"]) == {"maintenance"}


def test_the_season_begins_and_ends_at_local_midnight_and_starts_up_first() -> None:
    """20 October begins at 16:00 UTC of the 19th; three days later the start-up is over."""
    begins = datetime(2025, 10, 19, 14, tzinfo=UTC)
    found = told(town(), hours=76, start=begins)["A1"]
    assert found == ["out_of_season"] * 2 + ["start_up"] * 72 + [""] * 2
    ends = datetime(2026, 4, 20, 14, tzinfo=UTC)
    assert told(town(), hours=4, start=ends)["A1"] == ["", "", "out_of_season", "out_of_season"]


def test_a_policy_may_know_no_start_up() -> None:
    policy = replace(PROFILE.versions[0], startup_days=0)
    start = datetime(2025, 10, 19, 16, tzinfo=UTC)
    assert set(told(town(), start=start, profile=only(policy))["A1"]) == {""}


def test_verdicts_are_given_in_start_up_unless_the_rule_says_otherwise() -> None:
    start = datetime(2025, 10, 19, 16, tzinfo=UTC)
    for judged, left in ((True, 0), (False, owed.NUMBER[HoldReason.START_UP])):
        policy = replace(PROFILE.versions[0], startup_judged=judged)
        policies = [policy] * 4
        found = reasons(town(), policies, [], None, start)
        assert set(owed.for_verdicts(found, policies).flat) == {left}


def test_below_the_binding_value_the_rule_binds_nobody() -> None:
    """At it, it does; where the outdoors are not known, it does too."""
    policy = replace(PROFILE.versions[0], binds_from_c=-24.2)
    outdoor = [-24.2, -24.21, np.nan, -30.0, -24.0, 0.0]
    found = told(town(), profile=only(policy), outdoor=outdoor)["B1"]
    cold = "outdoor_below_binding"
    assert found == ["", cold, "", cold, "", ""]
    assert set(told(town(), outdoor=outdoor)["B1"]) == {""}, "this rule binds always"


def test_the_outdoors_are_judged_by_the_mean_of_a_day() -> None:
    """A design temperature is one of daily means: a cold night alone is none."""
    night = np.tile(np.r_[np.full(12, -30.0), np.full(12, -10.0)], 2)
    means = day_means(night)
    assert np.isnan(means[:11]).all()
    assert means[11] == -30.0
    assert means[23:] == pytest.approx(np.full(25, -20.0))


def test_what_is_hardly_measured_outdoors_is_not_known() -> None:
    hourly = np.full(48, np.nan)
    hourly[::3] = -20.0
    assert np.isnan(day_means(hourly)).all()
    hourly[::2] = -20.0
    assert day_means(hourly)[-1] == pytest.approx(-20.0)


def test_every_hour_has_the_version_of_its_own_local_day() -> None:
    """Heilongjiang went to 20 °C at midnight in Harbin, which is 16:00 UTC."""
    start = datetime(2021, 10, 28, 14, tzinfo=UTC)
    policies = policies_by_hour(PROFILES["heilongjiang"], start, 4)
    assert [policy.threshold_c for policy in policies] == [18, 18, 20, 20]


def test_both_ends_of_what_holds_back_are_instants_to_judge_again() -> None:
    windows = [Window("A", MIDNIGHT + 2 * HOUR, MIDNIGHT + 4 * HOUR)]
    found = reasons(town(), policies_by_hour(PROFILE, MIDNIGHT, 8), windows, None, MIDNIGHT)
    assert owed.instants(found, MIDNIGHT) == [MIDNIGHT + 2 * HOUR, MIDNIGHT + 4 * HOUR]


def test_who_is_cold_without_being_owed_heat_is_told_with_the_reason() -> None:
    network = town(("A1", Period(HeatingStatus.STOPPED, MIDNIGHT, None)))
    windows = [Window("B", MIDNIGHT, MIDNIGHT + HOUR)]
    found = reasons(network, policies_by_hour(PROFILE, MIDNIGHT, 2), windows, None, MIDNIGHT)
    below = np.array([True, True, True, False])
    assert owed.held(network, found[:, 0], below) == {
        "A1": HoldReason.HEATING_STOPPED,
        "B1": HoldReason.MAINTENANCE,
    }
    assert list(owed.held(network, found[:, 1], below)) == ["A1"]


def test_a_hundred_thousand_dwellings_take_a_moment() -> None:
    """Two days of a city with a tenth of its dwellings stopped: linear, one slice each."""
    count, day = 100_000, date(2026, 1, 12)
    nodes = {"S": Node(0, "S", PlaceKind.SOURCE, "S/", "S", "")}
    for n in range(count):
        nodes[f"u{n:06}"] = Node(n, f"u{n:06}", PlaceKind.UNIT, f"S/u{n:06}/", "", "")
    stopped = Period(HeatingStatus.STOPPED, MIDNIGHT, None)
    city = Network(
        nodes,
        [Dwelling(code, 80, 1, 1) for code in nodes if code != "S"],
        [],
        {f"u{n:06}": [stopped] for n in range(0, count, 10)},
    )
    policies = [PROFILE.on(day)] * 48
    began = datetime.now(UTC)
    found = reasons(city, policies, [Window("S", MIDNIGHT, MIDNIGHT + HOUR)], None, MIDNIGHT)
    assert datetime.now(UTC) - began < timedelta(seconds=3)
    assert (found[:, 2] > 0).sum() == count // 10


def sign(since: datetime, until: datetime | None = None, place: str = "A") -> Signal:
    return Signal(Sign.FLOW_STOPPED, place, since, until)


def test_a_meter_s_sign_counts_from_the_end_of_the_start_up() -> None:
    """Pumps stand all summer; the one that still stands after three days of the season is told."""
    due = datetime(2025, 10, 22, 16, tzinfo=UTC)  # midnight in Harbin
    summer = datetime(2025, 7, 1, tzinfo=UTC)
    over = sign(summer, due - HOUR)
    winter = sign(MIDNIGHT, MIDNIGHT + 2 * HOUR)
    found = owed.heeded([sign(summer), over, winter], PROFILE)
    assert [(one.since, one.until) for one in found] == [(due, None), (winter.since, winter.until)]


def test_a_sign_from_before_the_first_rule_is_judged_by_it() -> None:
    """What was usual is learnt from weeks before a company began."""
    begins = date(2026, 1, 10)
    profile = only(replace(PROFILE.versions[0], valid_from=begins))
    early = sign(datetime(2025, 12, 20, tzinfo=UTC))
    assert owed.heeded([early], profile) == [early]


def test_what_works_stop_is_no_sign_until_they_end() -> None:
    """A pump that stands still for works trips nobody; nor do works elsewhere excuse it."""
    path_of = {code: node.path for code, node in town().nodes.items()}
    windows = [Window("A", MIDNIGHT, MIDNIGHT + 4 * HOUR)]
    within = sign(MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR)
    beyond = sign(MIDNIGHT + HOUR)
    other = sign(MIDNIGHT + HOUR, place="B")
    found = owed.heeded([within, beyond, other], PROFILE, windows, path_of)
    assert found == [replace(beyond, since=MIDNIGHT + 4 * HOUR), other]


def test_who_calls_before_heat_is_due_says_not_yet() -> None:
    """Half of all calls of the first days; after them they tell of the heating."""
    due = datetime(2025, 10, 22, 16, tzinfo=UTC)
    assert owed.due_on(PROFILE, [due - 30 * HOUR, due - HOUR, due]) == [False, False, True]
