"""Local rules as data: what each city's row says, at the edges of its steps too."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearthline.domain.policies import (
    PROFILES,
    AreaBase,
    Exclusion,
    FeeBase,
    Judgement,
    Matter,
    OutageStep,
    Policy,
    Refund,
    RefundReason,
    RefundStep,
    ResponseClock,
    Step,
)
from hearthline.domain.policies.checks import complaints
from hearthline.domain.policies.refunds import (
    ColdDay,
    amount,
    day_refund,
    ladder_ratio,
    month_refund,
    outage_refund,
    period_refunds,
    settle_by,
)

HOUR = timedelta(hours=1)
LATE = date(2026, 1, 12)
LONG = timedelta(days=30)


def rule(code: str, day: date = LATE) -> Policy:
    return PROFILES[code].on(day)


LADDERS: list[tuple[str, date, list[tuple[float, float]]]] = [
    ("heilongjiang", LATE, [(20, 0), (19.999, 0.5), (16, 0.5), (15.999, 1), (-5, 1)]),
    ("heilongjiang", date(2021, 10, 28),
     [(18, 0), (17.999, 0.3), (16, 0.3), (15.999, 0.5), (14, 0.5), (13.999, 1)]),
    ("harbin", LATE, [(18, 0), (17.999, 0.3), (16, 0.3), (15.999, 0.5), (14, 0.5), (13.999, 1)]),
    ("changchun", LATE, [(18, 0), (17.999, 0.3), (16, 0.3), (15.999, 0.6), (14, 0.6), (13.999, 1)]),
    ("tianjin", LATE, [(18, 0), (17.999, 0.1), (16, 0.1), (15.999, 0.5), (12, 0.5), (11.999, 1)]),
    ("jinan", LATE, [(18, 0), (17.999, 0.5), (14, 0.5), (13.999, 1)]),
    ("xian", LATE, [(18, 0), (17.999, 0.2), (16, 0.2), (15.999, 0.5), (14, 0.5), (13.999, 1)]),
    ("luoyang", LATE, [(18, 0), (17.999, 0.5), (14, 0.5), (13.999, 1)]),
    ("standard-18", LATE, [(18, 0), (17.999, 0.5), (14, 0.5), (13.999, 1)]),
    ("standard-20", LATE, [(20, 0), (19.999, 0.5), (16, 0.5), (15.999, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("code", "day", "edges"), LADDERS)
def test_the_ladder_of_a_city_at_its_edges(
    code: str, day: date, edges: list[tuple[float, float]]
) -> None:
    policy = rule(code, day)
    assert {level: ladder_ratio(policy, level) for level, _ in edges} == dict(edges)


@pytest.mark.parametrize("code", ["jilin", "qingdao", "beijing"])
def test_where_no_ladder_is_on_file_nobody_guesses_one(code: str) -> None:
    """Not knowing how much is not the same as nothing."""
    assert day_refund(rule(code), 10.0) == Refund(None, RefundReason.NO_LADDER)
    assert day_refund(rule(code), 18.0) == Refund(0.0, RefundReason.COMPLIANT)
    assert amount(rule(code), Refund(None, RefundReason.NO_LADDER), Decimal(9)) is None


def test_an_end_may_be_closed() -> None:
    """*Up to 16 °C* and *below 16 °C* differ at 16 °C."""
    steps = (RefundStep(16, 1.0, including=True), RefundStep(18, 0.5))
    policy = replace(rule("jinan"), refunds=steps)
    assert [ladder_ratio(policy, t) for t in (15.9, 16, 16.001, 17.999, 18)] == [1, 1, 0.5, 0.5, 0]


def test_the_noise_of_floating_point_decides_nothing() -> None:
    """What a hundred readings of 18 °C add up to is 18 °C."""
    noisy = sum([18.0 / 7] * 7)
    assert day_refund(rule("jinan"), noisy - 1e-9).reason is RefundReason.COMPLIANT


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([17.0, 18.0, 18.5], Refund(0.3, RefundReason.BELOW)),
        ([17.5, 18.0, 18.5], Refund(0.0, RefundReason.COMPLIANT)),
        ([10.0, 10.0], Refund(0.0, RefundReason.TOO_FEW_READINGS)),
        ([13.0, 14.0, 14.9], Refund(1.0, RefundReason.BELOW)),
    ],
)
def test_changchun_judges_a_month_by_three_readings(
    readings: list[float], expected: Refund
) -> None:
    assert rule("changchun").judged_by is Judgement.MONTH_MEAN
    assert month_refund(rule("changchun"), readings) == expected


def cold_week(*levels: float | None) -> list[ColdDay]:
    return [ColdDay(LATE + timedelta(days=n), level) for n, level in enumerate(levels)]


def ratios(policy: Policy, *levels: float | None) -> list[float | None]:
    return [refund.ratio for refund in period_refunds(policy, cold_week(*levels)).values()]


def test_luoyang_refunds_only_what_lasted_forty_eight_hours_and_then_all_of_it() -> None:
    policy = rule("luoyang")
    assert ratios(policy, 17, 19, 17, 13, 19) == [0, 0, 0.5, 1.0, 0]
    assert ratios(policy, 17, None, 17) == [0, 0, 0], "an unknown day breaks the stretch"


def test_tianjin_pays_once_it_was_unresolved_for_a_day() -> None:
    assert ratios(rule("tianjin"), 17, 17, 11, 19, 17) == [0, 0.1, 1.0, 0, 0]


def test_days_that_do_not_follow_each_other_are_no_stretch() -> None:
    apart = [ColdDay(LATE, 15.0), ColdDay(LATE + timedelta(days=2), 15.0)]
    assert [r.ratio for r in period_refunds(rule("luoyang"), apart).values()] == [0, 0]


def test_the_order_in_which_days_are_told_changes_nothing() -> None:
    days = cold_week(17, 17, 19, 12, 12)
    assert period_refunds(rule("luoyang"), days) == period_refunds(rule("luoyang"), days[::-1])


def test_what_the_customer_did_takes_the_claim_away_only_where_the_rule_says_so() -> None:
    found = [Exclusion.RADIATOR_COVERED]
    assert day_refund(rule("tianjin"), 15.0, LONG, found) == Refund(0, RefundReason.CUSTOMER_SIDE)
    assert day_refund(rule("jinan"), 15.0, LONG, found) == Refund(0.5, RefundReason.BELOW)


@pytest.mark.parametrize(
    ("code", "lasted", "own_fault", "ratio"),
    [
        ("luoyang", 12 * HOUR, True, 0.0),
        ("luoyang", 12 * HOUR + timedelta(minutes=1), False, 1.0),
        ("changchun", 48 * HOUR, True, 2.0),
        ("changchun", 48 * HOUR - timedelta(minutes=1), True, 0.0),
        ("changchun", 90 * HOUR, False, 0.0),
        ("jinan", 90 * HOUR, True, None),
    ],
)
def test_outages(code: str, lasted: timedelta, own_fault: bool, ratio: float | None) -> None:
    """More than 12 h is open, 48 h or more is closed; double only by the supplier's fault."""
    assert outage_refund(rule(code), lasted, own_fault=own_fault).ratio == ratio


def test_money_by_fee_base_and_area_base() -> None:
    half = Refund(0.5, RefundReason.BELOW)
    assert amount(rule("jinan"), half, Decimal("10.01")) == Decimal("5.01")
    assert amount(rule("jinan"), half, Decimal(10), area_share=0.2) == Decimal("5.00")
    assert rule("xian").fee_base is FeeBase.AFTER_BASIC
    assert amount(rule("xian"), half, Decimal(10), basic_fee=Decimal(3)) == Decimal("3.50")
    assert amount(rule("xian"), half, Decimal(2), basic_fee=Decimal(3)) == Decimal("0.00")
    assert rule("tianjin").area_base is rule("beijing").area_base is AreaBase.ROOM
    assert amount(rule("tianjin"), half, Decimal(10), area_share=0.2) == Decimal("1.00")


def test_xian_settles_by_the_end_of_june() -> None:
    assert settle_by(rule("xian"), date(2026, 3, 15)) == date(2026, 6, 30)
    assert settle_by(rule("xian"), datetime(2026, 7, 2, tzinfo=UTC)) == date(2027, 6, 30)
    assert settle_by(rule("jinan"), date(2026, 3, 15)) is None


def test_inspectors_may_not_read_at_noon_but_sensors_count_all_day() -> None:
    """Heilongjiang: 20 °C all day, readings on site only outside 10:00–14:00."""
    policy = rule("heilongjiang")
    assert [h for h in range(24) if not policy.may_read_at(h)] == [10, 11, 12, 13]
    assert all(policy.counts(hour) for hour in range(24))


@pytest.mark.parametrize(
    ("code", "step", "day", "hours"),
    [
        ("qingdao", Step.VISIT, date(2025, 11, 16), 5),
        ("qingdao", Step.VISIT, date(2025, 11, 25), 5),
        ("qingdao", Step.VISIT, date(2025, 11, 26), 2),
        ("qingdao", Step.ANSWER, date(2025, 11, 26), 0.5),
        ("beijing", Step.ANSWER, LATE, 1),
        ("beijing", Step.VISIT, LATE, 6),
        ("beijing", Step.RESOLVE, LATE, 24),
        ("harbin", Step.VISIT, LATE, 10),
        ("jilin", Step.VISIT, LATE, 24),
        ("beijing", Step.VISIT, date(2026, 7, 1), 6),
    ],
)
def test_clocks_by_step_and_part_of_the_season(
    code: str, step: Step, day: date, hours: float
) -> None:
    assert rule(code).within(step, day) == hours * HOUR


def test_a_leak_has_clocks_of_its_own() -> None:
    assert rule("qingdao").within(Step.VISIT, LATE, Matter.LEAK) == HOUR
    assert rule("beijing").within(Step.VISIT, LATE, Matter.LEAK) is None
    assert rule("jinan").within(Step.VISIT, LATE) is None


def test_days_of_the_season_count_from_one_across_the_new_year() -> None:
    policy = rule("heilongjiang")
    days = [date(2025, 10, 20), date(2025, 12, 31), date(2026, 1, 1), date(2026, 4, 20)]
    assert [policy.season_day(day) for day in days] == [1, 73, 74, 183]
    assert policy.season_day(date(2025, 10, 19)) is None
    assert [policy.starting_up(date(2025, 10, d)) for d in (19, 20, 22, 23)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_a_season_within_one_year_is_a_season_too() -> None:
    """South of the equator."""
    policy = replace(rule("standard-18"), season=((5, 1), (9, 30)))
    assert [policy.season_day(date(2026, m, 1)) for m in (4, 5, 9, 10)] == [None, 1, 124, None]


@pytest.mark.parametrize("code", PROFILES)
def test_every_rule_on_file_is_sound_and_says_where_it_stands(code: str) -> None:
    for policy in PROFILES[code].versions:
        assert complaints(policy) == []
        assert policy.source
        assert policy.source_zh
        assert policy.code == code


sound = rule("standard-20")
FAULTS: list[tuple[str, Policy]] = [
    ("threshold_c", replace(sound, threshold_c=float("nan"))),
    ("upper_c", replace(sound, upper_c=19.0)),
    ("binds_from_c", replace(sound, binds_from_c=-80.0)),
    ("hysteresis_k", replace(sound, hysteresis_k=-0.1)),
    ("timezone", replace(sound, timezone="Asia/Atlantis")),
    ("open_after", replace(sound, open_after=timedelta(0))),
    ("refund_after", replace(sound, refund_after=-HOUR)),
    ("startup_days", replace(sound, startup_days=-1)),
    ("month_readings", replace(sound, month_readings=0)),
    ("resolve_within", replace(sound, resolve_within=timedelta(0))),
    ("excluded_hours", replace(sound, excluded_hours=((10, 14), (13, 15)))),
    ("excluded_hours", replace(sound, excluded_hours=((14, 10),))),
    ("min_covered", replace(sound, excluded_hours=((0, 20),))),
    ("season", replace(sound, season=((2, 30), (4, 1)))),
    ("settled_by", replace(sound, settled_by=(13, 1))),
    ("refunds", replace(sound, refunds=(RefundStep(21, 0.5),))),
    ("refunds", replace(sound, refunds=(RefundStep(20, 0.5, including=True),))),
    ("refunds", replace(sound, refunds=(RefundStep(16, 0.2), RefundStep(20, 0.5)))),
    ("refunds", replace(sound, refunds=(RefundStep(16, 1.0), RefundStep(16, 0.5)))),
    ("refunds", replace(sound, refunds=(RefundStep(16, 1.5),))),
    ("outages", replace(sound, outages=(OutageStep(HOUR, 0.0),))),
    ("clocks", replace(sound, clocks=(ResponseClock(Matter.LEAK, Step.VISIT, HOUR, 5, 4),))),
    ("source", replace(sound, source=" ")),
]


@pytest.mark.parametrize(("field", "policy"), FAULTS)
def test_what_a_rule_cannot_mean_is_told_with_its_field(field: str, policy: Policy) -> None:
    assert field in [name for name, _ in complaints(policy)]


@given(st.sampled_from(sorted(PROFILES)), st.floats(-10, 30), st.floats(-10, 30))
def test_colder_never_refunds_less(code: str, one: float, other: float) -> None:
    warmer, colder = max(one, other), min(one, other)
    low, high = ladder_ratio(rule(code), warmer), ladder_ratio(rule(code), colder)
    assert (low is None and high is None) or (low or 0) <= (high or 0)
