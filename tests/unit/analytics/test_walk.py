"""Following incidents: what it means that a sign comes again, or hangs above them."""

from dataclasses import replace
from datetime import timedelta

from analytics.offline.desk import MemoryDesk
from analytics.overall import Overall
from analytics.signs import Sign, Signal
from analytics.trunk import Trunk
from analytics.walk import announce, end_former, follow_up, gather
from hearthline.domain.findings import Cause, Finding
from hearthline.domain.policies import PROFILES
from tests.unit.analytics.test_diagnose import NOON, below, seen, signal, town

HOUR = timedelta(hours=1)
START = NOON - 48 * HOUR


def shortages(*spans: tuple[int, int]) -> Trunk:
    """A source that was short between hours from ``START``."""
    signals = [
        Signal(Sign.SOURCE_SHORT, "S", START + first * HOUR, START + last * HOUR)
        for first, last in spans
    ]
    return Trunk(town(), PROFILES["standard-20"], Overall(START, signals, {}))


def walked(trunk: Trunk) -> MemoryDesk:
    """What the sources' incidents become over four days."""
    desk = MemoryDesk(town().path_of)
    for day in range(4):
        since = START + (24 * day - 1) * HOUR
        announce(trunk, desk, since, since + 24 * HOUR)
        gather(trunk, desk, since, since + 24 * HOUR)
    return desk


def test_a_second_shortage_long_after_the_first_is_an_incident_of_its_own() -> None:
    """The source was well for a day in between: another boiler failed."""
    first, second = walked(shortages((2, 10), (40, 50))).incidents
    assert (first.opened_at, second.opened_at) == (START + 2 * HOUR, START + 40 * HOUR)
    assert first.closed_at is not None
    assert first.closed_at <= second.opened_at


def test_a_shortage_that_pauses_for_an_afternoon_is_the_same() -> None:
    """Mild hours hide it."""
    assert len(walked(shortages((2, 10), (16, 30))).incidents) == 1


def test_the_flow_of_a_building_keeps_the_incident_of_its_entrance_open() -> None:
    """Nobody in it is cold yet, but its branch still lacks water."""
    desk = MemoryDesk(town().path_of)
    members = frozenset(below("B2-E1"))
    clogged = Finding(
        NOON, "B2-E1", Cause.STRAINER_CLOGGED, 0.8, frozenset(), members, (), proven=True
    )
    desk.open(clogged)
    valves = ((Cause.VERTICAL_IMBALANCE, 0.5), (Cause.STRAINER_CLOGGED, 0.3))
    desk.open(replace(clogged, place="B2", cause=Cause.VERTICAL_IMBALANCE, ranked=valves))
    low = seen([], signals=[signal(Sign.FLOW_LOW, "B2")])
    follow_up(desk, low, desk.open_incidents())
    assert [one.recovered_at for one in desk.incidents] == [None, None]
    elsewhere = seen([], signals=[signal(Sign.FLOW_LOW, "B1")])
    follow_up(desk, elsewhere, desk.open_incidents())
    assert desk.incidents[0].recovered_at == NOON


def test_a_dwelling_that_comes_back_within_the_week_is_a_repeat() -> None:
    """So is a riser's; between two cold spells both are well. A building's waits for a day only."""
    desk = MemoryDesk(town().path_of)
    for place in ("B2-E1-301", "B1", "B3-E1-R1"):
        cold = frozenset(below(place))
        desk.open(Finding(NOON, place, Cause.UNDETERMINED, 0.5, cold, cold, ()))
    for days in range(8):
        at = NOON + days * 24 * HOUR
        follow_up(desk, replace(seen([]), at=at), desk.open_incidents())
    dwelling, building, riser = desk.incidents
    assert riser.closed_at == dwelling.closed_at
    assert building.closed_at == NOON + 24 * HOUR
    assert dwelling.closed_at == NOON + 7 * 24 * HOUR


def shifted(cause: Cause, sign: Sign) -> MemoryDesk:
    """A station's trouble whose sign was away for two days and is there anew."""
    desk = MemoryDesk(town().path_of)
    desk.open(Finding(NOON, "N", cause, 0.9, frozenset(), frozenset(), (), proven=True))
    began = signal(sign, "N")
    at = [NOON + days * 24 * HOUR for days in (1, 3, 4)]
    away, back = replace(began, until=at[0]), replace(began, since=at[1])
    now = replace(seen([], signals=[back]), ended=[away], at=at[2])
    end_former(desk, now, desk.open_incidents())
    return desk


def test_valves_that_are_set_badly_stay_so_while_their_sign_is_away() -> None:
    """Another change of the flows hid it; a curve that is low again is another trouble."""
    [imbalance] = shifted(Cause.HYDRAULIC_IMBALANCE, Sign.FLOWS_SHIFTED).incidents
    assert imbalance.closed_at is None
    [curve] = shifted(Cause.CONTROL_CURVE, Sign.SUPPLY_LOW).incidents
    assert curve.closed_at == NOON + 4 * 24 * HOUR
