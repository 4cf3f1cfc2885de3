"""The tree in memory: what is below, who is next door."""

from datetime import UTC, datetime

from hearthline.domain.network import Dwelling, Network, Node, Period
from hearthline.domain.places import HeatingStatus, PlaceKind

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


def node(path: str, kind: PlaceKind, zh: str = "") -> Node:
    code = path.rstrip("/").rsplit("/", 1)[-1]
    return Node(len(path), code, kind, path, code, zh)


def network() -> Network:
    """Buildings B and B-1 (which sorts before the slash of B), two floors, two columns."""
    nodes = [node("S/", PlaceKind.SOURCE)]
    dwellings = []
    for building in ("B", "B-1"):
        nodes.append(node(f"S/{building}/", PlaceKind.BUILDING, f"{building}楼"))
        for floor in (1, 2):
            for column in (1, 2):
                code = f"{building}.{floor}{column}"
                nodes.append(node(f"S/{building}/{code}/", PlaceKind.UNIT))
                dwellings.append(Dwelling(code, 80, floor, column))
    stopped = Period(HeatingStatus.STOPPED, NOON, None)
    return Network({n.code: n for n in nodes}, dwellings, [], {"B.11": [stopped]})


def test_everything_below_a_place_is_a_slice() -> None:
    """Also where one code is a prefix of another."""
    tree = network()
    assert tree.codes(tree.below("B")) == ["B.11", "B.12", "B.21", "B.22"]
    assert tree.codes(tree.below("B-1")) == ["B-1.11", "B-1.12", "B-1.21", "B-1.22"]
    assert len(tree.codes(tree.below("S"))) == 8
    assert tree.codes(tree.below("B.21")) == ["B.21"]


def test_neighbours_share_a_wall_or_a_ceiling() -> None:
    """Never across buildings, never across a corner."""
    assert set(network().neighbours("B.11")) == {"B.12", "B.21"}


def test_the_ends_of_a_building_do_not_touch() -> None:
    """Where columns go along the front and on along the back, the numbers of its ends are next."""
    nodes, dwellings = [node("H/", PlaceKind.BUILDING)], []
    for entrance, columns in (("H1", (1, 2, 7)), ("H2", (3, 4, 8)), ("H3", (5, 6, 9))):
        nodes.append(node(f"H/{entrance}/", PlaceKind.ENTRANCE))
        for column in columns:
            nodes.append(node(f"H/{entrance}/c{column}/", PlaceKind.UNIT))
            dwellings.append(Dwelling(f"c{column}", 80, 1, column))
    tree = Network({n.code: n for n in nodes}, dwellings, [], {})
    assert set(tree.neighbours("c7")) == {"c8"}
    assert set(tree.neighbours("c6")) == {"c5"}
    assert set(tree.neighbours("c3")) == {"c2", "c4"}


def test_a_status_holds_from_its_first_instant() -> None:
    """And where nothing is on file the dwelling is heated."""
    tree = network()
    assert tree.status("B.11", NOON) is HeatingStatus.STOPPED
    assert tree.status("B.11", NOON.replace(hour=11)) is HeatingStatus.ON
    assert tree.status("B.12", NOON) is HeatingStatus.ON


def test_a_label_says_where_a_place_is() -> None:
    """From the building down, in both languages."""
    assert network().label("B.21") == {"en": "B, B.21", "zh": "B楼B.21"}
    assert network().label("S")["en"] == "S"


def test_dwellings_are_near_within_two_walls() -> None:
    """Across a corner too; itself is beside its neighbours."""
    tree = network()
    assert tree.near("B.11") == {"B.11", "B.12", "B.21", "B.22"}
    assert [tree.dwellings[unit].code for unit in tree.beside[0]] == ["B-1.12", "B-1.21"]


def test_places_above_all_dwellings_come_in_their_order() -> None:
    """None where there is no such place."""
    tree = network()
    assert tree.ancestors(PlaceKind.BUILDING) == ["B-1"] * 4 + ["B"] * 4
    assert set(tree.ancestors(PlaceKind.RISER)) == {None}


def test_who_is_unheated_depends_on_the_instant() -> None:
    """Asked again and again, for one instant and another."""
    tree = network()
    for _ in range(2):
        assert tree.unheated(NOON) == {"B.11"}
        assert tree.unheated(NOON.replace(hour=11)) == frozenset()


def test_labels_are_nobodys_to_change() -> None:
    """They are remembered, and each who asks gets its own."""
    tree = network()
    tree.label("B.21")["en"] = "elsewhere"
    assert tree.label("B.21")["en"] == "B, B.21"
