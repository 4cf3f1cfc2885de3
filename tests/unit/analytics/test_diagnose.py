"""One cause per cold set, at the deepest place that explains it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from analytics.diagnose import diagnose
from analytics.signs import Sign, Signal
from analytics.snapshot import ColdDwelling, Snapshot
from analytics.triage import triage
from hearthline.domain.findings import Cause, EvidenceCode, Finding
from hearthline.domain.network import Dwelling, Network, Node, Period
from hearthline.domain.places import HeatingStatus, PlaceKind
from hearthline.domain.policies import HoldReason

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
BUILDINGS, ENTRANCES, RISERS, FLOORS = 3, 2, 2, 6


def town(statuses: dict[str, HeatingStatus] | None = None) -> Network:
    """One station, three buildings of two entrances, two risers each, six floors."""
    nodes = [
        Node(1, "S", PlaceKind.SOURCE, "S/", "Source", "热源"),
        Node(2, "N", PlaceKind.SUBSTATION, "S/N/", "North", "北站"),
    ]
    dwellings = []
    for b in range(1, BUILDINGS + 1):
        building = f"B{b}"
        nodes.append(_node(building, PlaceKind.BUILDING, "S/N/"))
        for e in range(1, ENTRANCES + 1):
            entrance = f"{building}-E{e}"
            nodes.append(_node(entrance, PlaceKind.ENTRANCE, f"S/N/{building}/"))
            for r in range(1, RISERS + 1):
                riser = f"{entrance}-R{r}"
                nodes.append(_node(riser, PlaceKind.RISER, f"S/N/{building}/{entrance}/"))
                for floor in range(1, FLOORS + 1):
                    unit = f"{entrance}-{floor}0{r}"
                    path = f"S/N/{building}/{entrance}/{riser}/"
                    nodes.append(_node(unit, PlaceKind.UNIT, path))
                    dwellings.append(Dwelling(unit, 80, floor, (e - 1) * RISERS + r))
    periods = {
        code: [Period(status, NOON - timedelta(days=30), None)]
        for code, status in (statuses or {}).items()
    }
    return Network({n.code: n for n in nodes}, dwellings, [], periods)


def _node(code: str, kind: PlaceKind, above: str) -> Node:
    return Node(hash(code) % 10_000, code, kind, f"{above}{code}/", code, "")


def seen(
    cold: list[str],
    network: Network | None = None,
    unmeasured: set[str] = frozenset(),  # type: ignore[assignment]
    hours: int = 6,
    **more: object,
) -> Snapshot:
    """A snapshot in which these dwellings have been cold for some hours, the rest at 22 °C."""
    network = network or town()
    levels = {
        d.code: 18.5 if d.code in cold else 22.0
        for d in network.dwellings
        if d.code not in unmeasured and network.status(d.code, NOON) is HeatingStatus.ON
    }
    opened = NOON - timedelta(hours=hours - 4)
    facts = {c: ColdDwelling(NOON - timedelta(hours=hours), opened, 18.2) for c in cold}
    return Snapshot(NOON, network, 20.0, levels, facts, **more)  # type: ignore[arg-type]


def below(place: str) -> list[str]:
    network = town()
    return network.codes(network.below(place))


def signal(sign: Sign, place: str, **numbers: float) -> Signal:
    usual = {"flow_m3h": 0.4, "before_m3h": 10.0, "supply_c": 33.0, "return_c": 41.0}
    return Signal(
        sign, place, NOON - timedelta(hours=1), None, {**usual, "ratio_pct": 90.0, **numbers}
    )


def test_a_single_cold_dwelling_is_its_own_place() -> None:
    """The rest of its riser is warm, and the evidence says so; a valve is the first suspicion."""
    [finding] = diagnose(seen(["B1-E1-301"]))
    assert (finding.place, finding.cause) == ("B1-E1-301", Cause.VALVE_CLOSED)
    assert Cause.ENVELOPE in dict(finding.ranked)
    assert EvidenceCode.NEIGHBOURS_WARM in {e.code for e in finding.evidence}


def test_a_cold_entrance_is_one_finding_at_the_entrance() -> None:
    """Twelve dwellings, one place."""
    [finding] = diagnose(seen(below("B2-E1")))
    assert finding.place == "B2-E1"
    assert len(finding.cold) == 12


def test_a_cold_riser_is_one_finding_at_the_riser() -> None:
    """A stack of dwellings; air is the first suspicion."""
    [finding] = diagnose(seen(below("B2-E1-R2")))
    assert finding.place == "B2-E1-R2"
    assert Cause.AIR_LOCK in dict(finding.ranked)


def test_a_cold_building_is_told_at_the_building() -> None:
    """Both entrances are cold, the neighbouring buildings are not."""
    [finding] = diagnose(seen(below("B3")))
    assert finding.place == "B3"


def test_two_cold_buildings_of_three_are_the_station() -> None:
    """The place that most of its branches share."""
    [finding] = diagnose(seen(below("B1") + below("B3")))
    assert finding.place == "N"


def test_four_per_cent_coverage_still_finds_the_place() -> None:
    """With two sensors in each entrance, the entrance can be told."""
    sensed = {f"B{b}-E{e}-{u}" for b in (1, 2, 3) for e in (1, 2) for u in ("101", "602", "301")}
    unmeasured = {d.code for d in town().dwellings} - sensed
    cold = [code for code in below("B1-E2") if code in sensed]
    [finding] = diagnose(seen(cold, unmeasured=unmeasured))
    assert finding.place == "B1-E2"
    assert len(finding.affected) == 12


def test_swapped_pipes_take_all_that_is_cold_below_them() -> None:
    """The meter's contradiction names the cause; nothing is told twice."""
    snapshot = seen(below("B1-E1"), signals=[signal(Sign.DELTA_NEGATIVE, "B1-E1")])
    [finding] = diagnose(snapshot)
    assert (finding.place, finding.cause) == ("B1-E1", Cause.PIPES_SWAPPED)
    assert finding.cold == frozenset(below("B1-E1"))


def test_a_tripped_pump_is_told_before_anybody_is_cold() -> None:
    """One finding, all dwellings affected, and the counter-evidence printed."""
    [finding] = diagnose(seen([], signals=[signal(Sign.FLOW_STOPPED, "N")]))
    assert (finding.cause, len(finding.cold), len(finding.affected)) == (Cause.PUMP_TRIP, 0, 72)
    against = [e for e in finding.evidence if e.against]
    assert [e.code for e in against] == [EvidenceCode.MEMBERS_NOT_COLD]


def test_a_branch_that_lost_a_little_flow_waits_until_somebody_is_cold() -> None:
    """Low flow alone may be a throttled valve; the rooms then say which entrance it is."""
    slowly = [signal(Sign.FLOW_LOW, "B2", fell_h=40.0)]
    assert diagnose(seen([], signals=slowly)) == []
    [finding] = diagnose(seen(below("B2-E1"), signals=slowly))
    assert (finding.place, finding.cause) == ("B2-E1", Cause.STRAINER_CLOGGED)
    [whole] = diagnose(seen(below("B2"), signals=slowly))
    assert (whole.place, whole.cause) == ("B2", Cause.STRAINER_CLOGGED)


def test_flow_that_an_entrance_lost_at_once_is_a_joint_and_not_dirt() -> None:
    """Dirt gathers over days."""
    [finding] = diagnose(seen(below("B2-E1"), signals=[signal(Sign.FLOW_LOW, "B2", fell_h=1.0)]))
    assert (finding.place, finding.cause) == ("B2-E1", Cause.PIPES_SWAPPED)


def test_a_branch_that_lost_most_of_its_flow_does_not_wait() -> None:
    """Nobody throttles a building to a third on purpose."""
    [finding] = diagnose(seen([], signals=[signal(Sign.FLOW_LOW, "B2", ratio_pct=33.0)]))
    assert (finding.place, finding.cold, finding.proven) == ("B2", frozenset(), True)


def test_each_sign_of_a_station_opens_its_own_cause() -> None:
    """The table of rules, from sign to cause."""
    for sign, cause in (
        (Sign.SUPPLY_LOW, Cause.CONTROL_CURVE),
        (Sign.MAKEUP_HIGH, Cause.LEAK),
        (Sign.APPROACH_HIGH, Cause.EXCHANGER_FOULED),
        (Sign.FLOWS_SHIFTED, Cause.HYDRAULIC_IMBALANCE),
        (Sign.FLOW_STOPPED, Cause.PUMP_TRIP),
    ):
        [finding] = diagnose(seen([], signals=[signal(sign, "N")]))
        assert (finding.place, finding.cause, finding.common) == ("N", cause, True)


def test_a_low_curve_hides_no_shifted_flows() -> None:
    """How warm the water is does not say who gets it; a leak does."""
    shifted = signal(Sign.FLOWS_SHIFTED, "N")
    both = diagnose(seen([], signals=[shifted, signal(Sign.SUPPLY_LOW, "N")]))
    assert {one.cause for one in both} == {Cause.CONTROL_CURVE, Cause.HYDRAULIC_IMBALANCE}
    [one] = diagnose(seen([], signals=[shifted, signal(Sign.MAKEUP_HIGH, "N")]))
    assert one.cause is Cause.LEAK


def test_a_branch_that_lost_flow_is_told_beneath_a_common_cause() -> None:
    """All that is cold is the station's, yet its own meter says more than stops explain."""
    both = [signal(Sign.SUPPLY_LOW, "N"), signal(Sign.FLOW_LOW, "B2", ratio_pct=90.0)]
    alike = {"offset_k": np.zeros(72), "spread_k": np.full(72, 0.5)}
    found = diagnose(seen(below("B2-E1"), signals=both, **alike))
    assert {(one.place, one.proven) for one in found} == {("N", True), ("B2", True)}
    floors = {f"B2-E1-{floor}01": HeatingStatus.STOPPED for floor in range(1, 5)}
    [one] = diagnose(seen(below("B2-E2"), town(floors), signals=both, **alike))
    assert one.place == "N"


def test_what_a_repaired_station_left_cold_is_not_a_new_cause() -> None:
    """Walls take days to warm again; what is far colder than its fellows is another matter."""
    ended = Signal(Sign.FLOW_STOPPED, "N", NOON - timedelta(hours=20), NOON - timedelta(hours=3))
    offset = np.zeros(len(town().dwellings))
    at = town().index["B1-E1-301"]
    offset[at] = -1.5
    spread = np.full(len(offset), 0.5)
    weak = seen(["B1-E1-301"], ended=[ended], offset_k=offset, spread_k=spread)
    [finding] = diagnose(weak)
    assert (finding.place, finding.cause) == ("N", Cause.UNDETERMINED)
    assert Cause.PUMP_TRIP in dict(finding.ranked)
    [own] = diagnose(seen(["B1-E1-301"], ended=[ended]))  # by 3.5 K
    assert own.place == "B1-E1-301"
    long_ago = replace(ended, since=NOON - timedelta(days=5), until=NOON - timedelta(days=4))
    [own] = diagnose(replace(weak, ended=[long_ago]))
    assert own.place == "B1-E1-301"


def test_a_dwelling_beside_a_colder_riser_is_told_with_it() -> None:
    """Heat flows through party walls: no second crew is sent next door."""
    cold = [*below("B2-E1-R2"), "B2-E1-301"]
    network = town()
    offset = np.zeros(len(network.dwellings))
    offset[network.below("B2-E1-R2")] = -5.0
    offset[network.index["B2-E1-301"]] = -1.9
    spread = np.full(len(offset), 0.5)
    [finding] = diagnose(seen(cold, offset_k=offset, spread_k=spread))
    assert (finding.place, finding.cold) == ("B2-E1-R2", frozenset(cold))


def test_unheated_neighbours_explain_a_single_cold_dwelling() -> None:
    """Two stopped neighbours, a warm riser: not the company's pipes."""
    stopped = {"B1-E1-201": HeatingStatus.STOPPED, "B1-E1-302": HeatingStatus.STOPPED}
    [finding] = diagnose(seen(["B1-E1-301"], town(stopped)))
    assert (finding.cause, finding.place) == (Cause.NEIGHBOUR_UNHEATED, "B1-E1-201")
    assert finding.affected == frozenset({"B1-E1-301"})


def test_the_victims_of_one_cluster_are_one_finding() -> None:
    """Whoever falls first or later: the place is the cluster's, so it stays one ticket."""
    stopped = dict.fromkeys(("B1-E1-401", "B1-E1-402"), HeatingStatus.STOPPED)
    first = diagnose(seen(["B1-E1-501"], town(stopped)))
    later = diagnose(seen(["B1-E1-301", "B1-E1-501", "B1-E2-401"], town(stopped)))
    assert [f.place for f in first] == [f.place for f in later] == ["B1-E1-401"]
    assert later[0].cold == {"B1-E1-301", "B1-E1-501", "B1-E2-401"}


def test_a_lying_sensor_is_a_sensor_ticket() -> None:
    """No supply finding from it, and whoever is cold is told as before."""
    lies = Finding(
        NOON,
        "B1-E1-301",
        Cause.SENSOR_STUCK,
        0.95,
        frozenset(),
        frozenset({"B1-E1-301"}),
        (),
        device_uid="own:x/1",
    )
    sensor, supply = diagnose(seen(["B2-E1-301"], lying=[lies]))
    assert (sensor.kind, sensor.device_uid) == ("sensor", "own:x/1")
    assert supply.place == "B2-E1-301"


def test_every_cold_dwelling_is_explained_exactly_once() -> None:
    """Findings partition the cold set, whatever the mixture."""
    cold = [*below("B1-E1"), "B2-E2-401", *below("B3-E2-R1")]
    findings = diagnose(seen(cold, signals=[signal(Sign.DELTA_NEGATIVE, "B1-E1")]))
    told = [code for finding in findings for code in finding.cold]
    assert sorted(told) == sorted(cold)


def test_a_lone_suspect_sensor_is_held_back() -> None:
    """Grade B needs a cold neighbour; with one it is believed."""
    wait = timedelta(hours=1)
    alone = triage(seen(["B1-E1-301"], suspect=frozenset({"B1-E1-301"})), wait)
    assert (alone.findings, alone.holds) == ((), {"B1-E1-301": HoldReason.SENSOR_UNTRUSTED})
    both = ["B1-E1-301", "B1-E1-302"]
    assert len(triage(seen(both, suspect=frozenset({"B1-E1-301"})), wait).findings) == 2


def test_a_new_cold_dwelling_waits_for_its_peers() -> None:
    """Within the group wait nothing opens; the reason is on record."""
    fresh = triage(seen(["B1-E1-301"], hours=4), timedelta(hours=1))
    assert fresh.holds == {"B1-E1-301": HoldReason.WAITING_FOR_PEERS}
    assert len(triage(seen(["B1-E1-301"], hours=5), timedelta(hours=1)).findings) == 1


def test_who_is_cold_for_no_known_reason_and_warm_again_is_left_alone() -> None:
    """A night like any other: the episode ends some time after the room is back."""
    home, network = "B1-E1-301", town()
    nothing, spread = np.zeros(len(network.dwellings)), np.full(len(network.dwellings), 0.5)
    usual = nothing.copy()
    cold = seen([home], hours=40, offset_k=nothing, spread_k=spread, usual_k=usual)
    [found] = triage(cold, timedelta(hours=1)).findings
    assert (found.place, found.cause) == (home, Cause.UNDETERMINED)
    back = replace(cold, level_c={**cold.level_c, home: 20.2})
    assert triage(back, timedelta(hours=1)).holds == {home: HoldReason.WAITING_FOR_PEERS}


def test_who_is_heated_again_is_given_two_days_to_warm_up() -> None:
    """The restriction is lifted; whoever is cold after that is cold for another reason."""
    home = "B1-E1-301"
    for ago_h, held in ((10, {home: HoldReason.START_UP}), (50, {})):
        network = town({home: HeatingStatus.RESTRICTED})
        paid = NOON - timedelta(hours=ago_h)
        network.statuses[home] = [Period(HeatingStatus.RESTRICTED, NOON - timedelta(days=30), paid)]
        assert triage(seen([home], network), timedelta(hours=1)).holds == held


def test_a_stopped_dwelling_is_listed_and_never_told() -> None:
    """Cold on request: held back with its reason."""
    snapshot = seen([], unowed={"B1-E1-301": HoldReason.HEATING_STOPPED})
    result = triage(snapshot, timedelta(hours=1))
    assert result.findings == ()
    assert result.holds == {"B1-E1-301": HoldReason.HEATING_STOPPED}


def test_a_low_return_tells_throttled_valves_from_a_reversed_entrance() -> None:
    """Less water is cooled further; radiators that are fed from below leave it warm."""
    causes = []
    for back in (40.0, 41.2):
        low = signal(Sign.FLOW_LOW, "B2", fell_h=1.0, return_c=back, peers_return_c=41.0)
        [found] = diagnose(seen(below("B2"), signals=[low]))
        causes.append([cause for cause, _ in found.ranked])
    assert causes[0][:2] == [Cause.VERTICAL_IMBALANCE, Cause.PIPES_SWAPPED]
    assert causes[1][0] is Cause.PIPES_SWAPPED


def test_several_unmeasured_rooms_between_carry_more_of_an_unheated_ones_chill() -> None:
    """Two walls away one costs a kelvin at most, two cost two."""
    one, both = "B1-E1-501", ("B1-E1-501", "B1-E1-402")
    between = {"B1-E1-401", "B1-E1-302"}
    offset, spread = np.zeros(len(town().dwellings)), np.full(len(town().dwellings), 0.4)
    offset[[town().index[code] for code in between]] = np.nan
    offset[town().index["B1-E1-301"]] = -1.6
    for stopped, cause in ((one,), Cause.RADIATOR_COVERED), (both, Cause.NEIGHBOUR_UNHEATED):
        network = town(dict.fromkeys(stopped, HeatingStatus.STOPPED))
        snapshot = seen(["B1-E1-301"], network, between, offset_k=offset, spread_k=spread)
        assert diagnose(snapshot)[0].cause is cause


def test_cold_like_its_fellows_near_unheated_rooms_suspects_these_second() -> None:
    """Nothing is known but that they are there."""
    network = town({"B1-E1-501": HeatingStatus.STOPPED})
    level = np.zeros(len(network.dwellings))
    usual = np.zeros(len(network.dwellings))
    spread = np.full(len(network.dwellings), 0.5)
    [found] = diagnose(seen(["B1-E1-301"], network, offset_k=level, spread_k=spread, usual_k=usual))
    assert [cause for cause, _ in found.ranked[:2]] == [
        Cause.UNDETERMINED,
        Cause.NEIGHBOUR_UNHEATED,
    ]


def test_the_weakest_of_a_healthy_circuit_wait() -> None:
    """Three of 72 below the standard like on any cold night are nobody's common trouble."""
    weakest = ["B1-E1-101", "B2-E1-301", "B3-E2-602"]
    offset, spread = np.zeros(len(town().dwellings)), np.full(len(town().dwellings), 0.5)
    few = seen(weakest, hours=40, offset_k=offset, spread_k=spread)
    held = triage(few, timedelta(hours=1))
    assert held.findings == ()
    assert held.holds == dict.fromkeys(weakest, HoldReason.WAITING_FOR_PEERS)
    many = [dwelling.code for dwelling in town().dwellings][::7]
    [found] = triage(seen(many, hours=40, offset_k=offset, spread_k=spread), timedelta(0)).findings
    assert (found.place, found.cause) == ("N", Cause.UNDETERMINED)


def test_what_a_branch_lost_to_others_of_its_circuit_is_no_cause_of_its_own() -> None:
    """Flows were shifted until yesterday; a branch that lost most of its own is apart."""
    cold = below("B2-E1")
    shifted = replace(signal(Sign.FLOWS_SHIFTED, "N"), until=NOON - timedelta(hours=20))
    mild, deep = (signal(Sign.FLOW_LOW, "B2", ratio_pct=ratio) for ratio in (92.0, 50.0))
    proven = {one.place for one in diagnose(seen(cold, signals=[mild])) if one.proven}
    assert proven == {"B2-E1"}
    for sign, told in ((mild, set()), (deep, {"B2-E1"})):
        found = diagnose(seen(cold, signals=[sign], ended=[shifted]))
        assert {one.place for one in found if one.proven} == told
