"""One open incident per cause: open, update, widen, merge."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hearthline.domain.findings import Cause, Finding, TicketKind
from tickets.merging import OpenIncident, StepKind, plan

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
PATHS = {
    "S": "S/",
    "S-B1": "S/S-B1/",
    "S-B1-E1": "S/S-B1/S-B1-E1/",
    "101": "S/S-B1/S-B1-E1/101/",
    "201": "S/S-B1/S-B1-E1/201/",
    "S-B2": "S/S-B2/",
}


def finding(place: str, cause: Cause = Cause.UNDETERMINED, **more: object) -> Finding:
    base = Finding(NOON, place, cause, 0.5, frozenset({"101"}), frozenset({"101"}), ())
    return replace(base, **more)


def incident(place: str, cause: Cause = Cause.UNDETERMINED, **more: object) -> OpenIncident:
    opened = NOON - timedelta(hours=2)
    return replace(OpenIncident(1, TicketKind.SUPPLY, cause, place, 0.5, opened), **more)


def test_a_new_place_opens() -> None:
    """Nothing is known: a new incident."""
    [step] = plan([finding("101")], [], PATHS)
    assert (step.kind, step.incident) == (StepKind.OPEN, None)


def test_the_same_place_updates() -> None:
    """The incident of that place takes the finding."""
    known = incident("101")
    [step] = plan([finding("101")], [known], PATHS)
    assert (step.kind, step.incident) == (StepKind.UPDATE, known)


def test_an_open_incident_above_explains() -> None:
    """A dwelling below an open building incident joins it."""
    [step] = plan([finding("101")], [incident("S-B1", Cause.STRAINER_CLOGGED)], PATHS)
    assert step.kind is StepKind.UPDATE


def test_a_finding_above_widens_the_oldest_and_merges_the_rest() -> None:
    """Two single dwellings become one entrance."""
    older = incident("101", id=1, opened_at=NOON - timedelta(hours=5))
    younger = incident("201", id=2)
    [step] = plan([finding("S-B1-E1")], [younger, older], PATHS)
    assert (step.kind, step.incident, step.swallowed) == (StepKind.WIDEN, older, (younger,))


def test_a_cause_with_its_own_meter_is_never_swallowed() -> None:
    """Swapped pipes stay a ticket of their own under a tripped pump."""
    swapped = incident("S-B1-E1", Cause.PIPES_SWAPPED)
    [step] = plan([finding("S", Cause.PUMP_TRIP)], [swapped], PATHS)
    assert (step.kind, step.swallowed) == (StepKind.OPEN, ())


def test_an_incident_that_stood_for_a_day_is_not_swallowed() -> None:
    """What was cold long before has another cause."""
    old = incident("101", opened_at=NOON - timedelta(days=3))
    [step] = plan([finding("S-B1-E1")], [old], PATHS)
    assert step.kind is StepKind.OPEN


def test_two_findings_do_not_swallow_one_incident_twice() -> None:
    """The more general finding takes it; the narrower one meets what is left."""
    known = incident("101")
    steps = plan([finding("S-B1"), finding("S-B2")], [known], PATHS)
    assert [step.kind for step in steps] == [StepKind.WIDEN, StepKind.OPEN]


def test_sensor_and_supply_do_not_mix() -> None:
    """A lying sensor in a cold dwelling is a ticket of its own, one per sensor."""
    stuck = finding("101", Cause.SENSOR_STUCK, device_uid="own:x/1")
    [step] = plan([stuck], [incident("101")], PATHS)
    assert step.kind is StepKind.OPEN
    same = incident("101", Cause.SENSOR_STUCK, kind=TicketKind.SENSOR, device_uid="own:x/1")
    assert plan([stuck], [same], PATHS)[0].kind is StepKind.UPDATE
    other = replace(same, device_uid="own:x/2")
    assert plan([stuck], [other], PATHS)[0].kind is StepKind.OPEN


def test_a_less_sure_cause_does_not_replace_a_surer_one() -> None:
    """Cold rooms after the pump runs again do not rename the incident."""
    tripped = incident("S", Cause.PUMP_TRIP, confidence=0.9)
    assert not tripped.yields_to(finding("S"))
    assert incident("S").yields_to(finding("S", Cause.PUMP_TRIP, confidence=0.9))


def test_a_member_does_not_change_its_ticket_when_the_diagnosis_wavers() -> None:
    """Chilled by neighbours yesterday, undetermined today: still the same ticket."""
    chilled = incident("201", Cause.NEIGHBOUR_UNHEATED, members=frozenset({"101"}))
    [step] = plan([finding("101")], [chilled], PATHS)
    assert (step.kind, step.incident) == (StepKind.UPDATE, chilled)


def test_a_dwelling_is_cold_for_one_reason_at_a_time() -> None:
    """What swapped pipes hold as cold is affected by the tripped pump, no more."""
    swapped = incident("S-B1-E1", Cause.PIPES_SWAPPED, cold=frozenset({"101"}))
    both = frozenset({"101", "201"})
    [step] = plan([finding("S", Cause.PUMP_TRIP, cold=both, affected=both)], [swapped], PATHS)
    assert (step.finding.cold, step.finding.affected) == ({"201"}, both)


def test_a_station_that_is_short_does_not_close_a_valve() -> None:
    """A finding with evidence of its own stands beside a common incident; one without joins it."""
    station = incident("S", Cause.CONTROL_CURVE, common=True, members=frozenset({"101"}))
    [own] = plan([finding("101", Cause.VALVE_CLOSED)], [station], PATHS)
    assert own.kind is StepKind.OPEN
    [joins] = plan([finding("101")], [station], PATHS)
    assert (joins.kind, joins.incident) == (StepKind.UPDATE, station)


def test_what_the_shortage_made_cold_is_no_cause_of_its_own() -> None:
    """Its dwelling is held as cold already: the weakest are the coldest."""
    station = incident("S", Cause.CONTROL_CURVE, common=True, cold=frozenset({"101"}))
    assert plan([finding("101", Cause.VALVE_CLOSED)], [station], PATHS) == []


def test_two_causes_that_meters_prove_are_two_incidents() -> None:
    """A leak after a repaired pump is not the pump's ticket; each goes on in its own."""
    pump = incident("S", Cause.PUMP_TRIP, common=True)
    leak = finding("S", Cause.LEAK, common=True, proven=True, cold=frozenset())
    [step] = plan([leak], [pump], PATHS)
    assert (step.kind, step.incident) == (StepKind.OPEN, None)
    known = incident("S", Cause.LEAK, id=2, common=True)
    [again] = plan([leak], [pump, known], PATHS)
    assert (again.kind, again.incident) == (StepKind.UPDATE, known)


def test_a_proven_branch_does_not_vanish_in_a_neighbours_ticket() -> None:
    """That its first cold dwelling is a member elsewhere explains no clogged strainer."""
    elsewhere = incident("S-B2", Cause.NEIGHBOUR_UNHEATED, members=frozenset({"101"}))
    clogged = finding("S-B1", Cause.STRAINER_CLOGGED, proven=True)
    [step] = plan([clogged], [elsewhere], PATHS)
    assert step.kind is StepKind.OPEN
    [joins] = plan([replace(clogged, proven=False)], [elsewhere], PATHS)
    assert joins.incident == elsewhere
    assert joins.finding.affected == joins.finding.cold


def test_what_stands_out_from_a_common_cause_is_cold_by_its_own() -> None:
    """The station's incident holds the dwelling already; its closed valve is told nevertheless."""
    station = incident("S", Cause.CONTROL_CURVE, common=True, cold=frozenset({"101"}))
    [step] = plan([finding("101", Cause.VALVE_CLOSED, apart=True)], [station], PATHS)
    assert (step.kind, step.finding.cold) == (StepKind.OPEN, {"101"})
    local = incident("201", Cause.VALVE_CLOSED, cold=frozenset({"101"}))
    assert plan([finding("101", Cause.VALVE_CLOSED, apart=True)], [local], PATHS) == []


def test_a_finding_explains_only_what_it_claims() -> None:
    """A cold entrance leaves out the dwelling that is far colder: that one keeps its incident."""
    deep = incident("101", Cause.VALVE_CLOSED, cold=frozenset({"101"}))
    entrance = finding("S-B1-E1", Cause.AIR_LOCK, cold=frozenset({"201"}))
    [apart] = plan([entrance], [deep], PATHS)
    assert (apart.kind, apart.swallowed) == (StepKind.OPEN, ())
    [both] = plan([replace(entrance, cold=frozenset({"101", "201"}))], [deep], PATHS)
    assert (both.kind, both.incident) == (StepKind.WIDEN, deep)


def test_what_meters_prove_is_as_old_as_its_sign() -> None:
    """It opens its own incident first, and takes the undetermined ones below at the next look."""
    early = incident("101", cold=frozenset({"101"}))
    proven = finding("S", Cause.PUMP_TRIP, common=True, proven=True)
    [opens] = plan([proven], [early], PATHS)
    assert (opens.kind, opens.incident) == (StepKind.OPEN, None)
    pump = incident("S", Cause.PUMP_TRIP, id=2, common=True)
    [takes] = plan([proven], [early, pump], PATHS)
    assert (takes.kind, takes.incident, takes.swallowed) == (StepKind.UPDATE, pump, (early,))


def test_an_old_question_at_the_same_place_is_not_what_a_new_sign_proves() -> None:
    """Rooms were cold in general for half a day, then the curve sank: two incidents."""
    proven = finding("S", Cause.CONTROL_CURVE, common=True, proven=True)
    young = incident("S", common=True)
    assert plan([proven], [young], PATHS)[0].incident == young
    old = incident("S", common=True, opened_at=NOON - timedelta(hours=12))
    assert plan([proven], [old], PATHS)[0].kind is StepKind.OPEN


def test_who_was_cold_before_a_pump_stopped_is_cold_for_another_reason() -> None:
    """The meter shows a stopped pump within minutes, and rooms sink later."""
    proven = finding("S", Cause.PUMP_TRIP, common=True, proven=True)
    before = incident("S", common=True, opened_at=NOON - timedelta(hours=1))
    assert plan([proven], [before], PATHS)[0].kind is StepKind.OPEN
    slower = replace(proven, cause=Cause.CONTROL_CURVE)
    assert plan([slower], [before], PATHS)[0].incident == before


def test_one_branch_meter_tells_of_one_cause() -> None:
    """The entrance has its incident; the building's meter says no second one."""
    entrance = incident("S-B1-E1", Cause.PIPES_SWAPPED)
    meter = finding("S-B1", Cause.STRAINER_CLOGGED, proven=True)
    [joins] = plan([meter], [entrance], PATHS)
    assert (joins.kind, joins.incident) == (StepKind.UPDATE, entrance)
    paths = {**PATHS, "301": "S/S-B1/S-B1-E2/301/", "401": "S/S-B1/S-B1-E2/401/"}
    most = replace(meter, cold=frozenset({"101", "301", "401"}))
    [widens] = plan([most], [entrance], paths)
    assert (widens.kind, widens.incident) == (StepKind.WIDEN, entrance)
    [again] = plan([replace(meter, cause=Cause.VERTICAL_IMBALANCE)], [incident("S-B1")], PATHS)
    assert again.kind is StepKind.UPDATE


def test_what_is_left_of_a_vague_trouble_joins_what_is_open_or_waits() -> None:
    """Others hold most of a circuit's cold dwellings: two more are no trouble of the circuit."""
    held = frozenset({"102", "103", "202"})
    paths = {**PATHS, **{code: f"S/S-B2/{code}/" for code in (*held, "104", "105", "106")}}
    entrance = incident("S-B1-E1", Cause.VERTICAL_IMBALANCE, cold=held)
    left = {"101", "104", "105"}
    vague = finding("S", common=True, cold=held | left, affected=frozenset(paths))
    [joins] = plan([vague], [entrance], paths)
    assert (joins.kind, joins.incident) == (StepKind.UPDATE, entrance)
    assert joins.finding.cold == joins.finding.affected == {"101"}
    joins, opens = plan([replace(vague, cold=vague.cold | {"106"})], [entrance], paths)
    assert (opens.kind, opens.finding.cold) == (StepKind.OPEN, {"104", "105", "106"})


def test_who_insists_beside_an_unheated_dwelling_gets_a_ticket_of_his_own() -> None:
    """The neighbours' incident holds the dwelling; an incident around it would take it in."""
    own = finding("101", Cause.NEIGHBOUR_UNHEATED, apart=True)
    chill = incident("201", Cause.NEIGHBOUR_UNHEATED, members=frozenset({"101"}), cold=own.cold)
    [step] = plan([own], [chill], PATHS)
    assert (step.kind, step.finding.cold) == (StepKind.OPEN, own.cold)
    [step] = plan([own], [incident("S-B1-E1", Cause.AIR_LOCK)], PATHS)
    assert step.kind is StepKind.UPDATE


def test_such_a_ticket_becomes_part_of_what_is_found_around_it() -> None:
    """It rests on calls, not on the ledger alone."""
    insisting = incident("101", Cause.NEIGHBOUR_UNHEATED, cold=frozenset({"101"}))
    [step] = plan([finding("S-B1-E1", Cause.AIR_LOCK)], [insisting], PATHS)
    assert (step.kind, step.incident) == (StepKind.WIDEN, insisting)
    ledger = incident("201", Cause.NEIGHBOUR_UNHEATED, cold=frozenset({"101"}))
    [step] = plan(
        [finding("S-B1-E1", Cause.AIR_LOCK, cold=frozenset({"101", "201"}))], [ledger], PATHS
    )
    assert step.kind is StepKind.OPEN
