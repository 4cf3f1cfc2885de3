"""The ledger in the real database: saving, reading back, moving devices, and the commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analytics.ledger import judge_days
from hearthline import cli
from hearthline.domain.places import (
    Contact,
    Device,
    DeviceKind,
    DeviceRole,
    HeatingStatus,
    Ledger,
    Place,
    PlaceKind,
    StatusPeriod,
)
from hearthline.domain.policies import PROFILES
from hearthline.errors import Conflict, NotFound
from hearthline.settings import load
from hearthline.storage import analysis, windows
from hearthline.storage import ledger as ledgers
from hearthline.storage.database import Connection, Database
from hearthline.storage.ledger import Overlap, Tally
from tests import builders

pytestmark = pytest.mark.filterwarnings("ignore:Cyclopts application invoked without tokens")

MOVED = datetime(2026, 1, 10, 8, tzinfo=UTC)
FIRST, SECOND = "T-S1-B01-E1-0101", "T-S1-B01-E1-0202"
SENSOR = f"own:t/{FIRST}"


def room(uid: str = SENSOR, place: str = FIRST, **rest: object) -> Device:
    return Device(uid, DeviceKind.ROOM, DeviceRole.ROOM, place, **rest)  # type: ignore[arg-type]


@pytest.fixture
def town(save_ledger: Callable[[Ledger], None]) -> Ledger:
    town = builders.town(builders.TownPlan(1, 1, 1, 2, unsensed=(SECOND,), stopped=(SECOND,)))
    save_ledger(town)
    return town


def bindings(connection: Connection, uid: str = SENSOR) -> list[tuple[object, ...]]:
    return [
        (device.place, device.valid_from, device.valid_to)
        for device in ledgers.load(connection).devices
        if device.uid == uid
    ]


def unchanged(saved: ledgers.Saved) -> bool:
    tallies = (saved.places, saved.units, saved.statuses, saved.contacts, saved.devices)
    return all(t.new == t.changed == 0 for t in (*tallies, saved.bindings)) and not saved.moved


def test_a_ledger_reads_back_as_it_was_saved_and_saving_it_again_changes_nothing(
    connection: Connection, town: Ledger
) -> None:
    stored = ledgers.load(connection)

    assert sorted(stored.places, key=lambda p: p.code) == sorted(town.places, key=lambda p: p.code)
    assert sorted(stored.units, key=lambda u: u.code) == sorted(town.units, key=lambda u: u.code)
    assert set(stored.devices) == set(town.devices)
    assert stored.statuses == town.statuses
    for same in (town, stored):
        saved = ledgers.save(connection, same)
        assert unchanged(saved), saved
    assert saved.places == Tally(0, 0, len(town.places))


def test_a_part_of_a_ledger_finds_its_parents_in_the_database(
    connection: Connection, town: Ledger
) -> None:
    shop = Place("T-S1-B99", PlaceKind.BUILDING, "T-S1-C1", "Shop")

    saved = ledgers.save(connection, Ledger(places=(shop,)))

    assert saved.places == Tally(new=1)
    assert shop in ledgers.load(connection).places


def test_a_place_that_moves_takes_what_is_below_with_it(
    connection: Connection, town: Ledger
) -> None:
    high = Place("T-S1-C2", PlaceKind.CIRCUIT, "T-S1", "High zone", seq=2)
    building = next(place for place in town.places if place.kind is PlaceKind.BUILDING)

    ledgers.save(connection, Ledger(places=(high, replace(building, parent="T-S1-C2"))))

    paths = connection.execute("SELECT path FROM place WHERE kind = 'unit'").fetchall()
    assert all(row["path"].startswith("T/T-S1/T-S1-C2/T-S1-B01/") for row in paths)


@pytest.mark.parametrize("parent", ["nowhere", FIRST])
def test_a_hole_or_a_wrong_level_in_the_tree_is_refused(
    connection: Connection, town: Ledger, parent: str
) -> None:
    with pytest.raises(ValueError, match=parent):
        ledgers.save(connection, Ledger(places=(Place("X", PlaceKind.RISER, parent, "X"),)))


def test_statuses_replace_the_history_from_their_first_date_on(
    connection: Connection, town: Ledger
) -> None:
    began, again = datetime(2020, 10, 1, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)
    back_on = StatusPeriod(SECOND, HeatingStatus.ON, again)

    saved = ledgers.save(connection, Ledger(statuses=(back_on,)))

    assert saved.statuses == Tally(0, 1, 0)
    stopped = StatusPeriod(SECOND, HeatingStatus.STOPPED, began, again)
    assert ledgers.load(connection).statuses == (stopped, back_on)
    assert unchanged(ledgers.save(connection, Ledger(statuses=(back_on,))))


def test_contacts_are_kept_apart_and_updated(connection: Connection, town: Ledger) -> None:
    ledgers.save(connection, Ledger(contacts=(Contact(FIRST, "王女士", "13800001234"),)))
    saved = ledgers.save(connection, Ledger(contacts=(Contact(FIRST, "李先生", "13800001234"),)))

    assert saved.contacts == Tally(0, 1, 0)
    assert ledgers.load(connection).contacts == (Contact(FIRST, "李先生", "13800001234"),)


def test_a_ledger_without_profile_and_label_leaves_them(
    connection: Connection, town: Ledger
) -> None:
    ledgers.save(connection, Ledger(devices=(room(profile="two-probes", label="kitchen"),)))

    assert unchanged(ledgers.save(connection, Ledger(devices=(room(),))))

    device = next(d for d in ledgers.load(connection).devices if d.uid == SENSOR)
    assert (device.profile, device.label) == ("two-probes", "kitchen")


def test_moving_a_device_ends_one_binding_and_begins_another(
    connection: Connection, town: Ledger
) -> None:
    assert ledgers.move(connection, SENSOR, SECOND, MOVED)
    assert not ledgers.move(connection, SENSOR, SECOND, MOVED), "it is there already"

    assert bindings(connection) == [(FIRST, None, MOVED), (SECOND, MOVED, None)]
    ledgers.save(connection, town)
    assert bindings(connection) == [(FIRST, None, MOVED), (SECOND, MOVED, None)], (
        "a ledger without dates moves nothing"
    )


def test_a_device_cannot_move_before_it_came(connection: Connection, town: Ledger) -> None:
    ledgers.move(connection, SENSOR, SECOND, MOVED)

    with pytest.raises(Overlap, match=f"{SENSOR} is bound to {SECOND} since 2026-01-10"):
        ledgers.move(connection, SENSOR, FIRST, MOVED - timedelta(days=1))
    with pytest.raises(NotFound, match="no device 'own:t/none'"):
        ledgers.move(connection, "own:t/none", FIRST, MOVED)
    with pytest.raises(NotFound, match="no place 'none'"):
        ledgers.move(connection, SENSOR, "none", MOVED)


def test_a_ledger_with_dates_moves_a_device_and_keeps_its_history(
    connection: Connection, town: Ledger
) -> None:
    moved = Ledger(devices=(room(place=SECOND, valid_from=MOVED),))

    saved = ledgers.save(connection, moved)

    assert (saved.bindings, saved.moved) == (Tally(1, 1, 0), 1)
    assert bindings(connection) == [(FIRST, None, MOVED), (SECOND, MOVED, None)]
    assert unchanged(ledgers.save(connection, moved))
    assert unchanged(ledgers.save(connection, ledgers.load(connection)))


def test_a_history_can_be_told_whole(connection: Connection, town: Ledger) -> None:
    told = (room(valid_to=MOVED), room(place=SECOND, valid_from=MOVED))

    saved = ledgers.save(connection, Ledger(devices=told))

    assert bindings(connection) == [(FIRST, None, MOVED), (SECOND, MOVED, None)]
    assert saved.devices == Tally(0, 0, 1)


@pytest.mark.parametrize(
    "devices",
    [
        (room(place=SECOND, valid_from=MOVED, valid_to=MOVED + timedelta(days=9)),),
        (
            room("own:t/new", SECOND, valid_to=MOVED),
            room("own:t/new", FIRST, valid_from=MOVED - timedelta(days=1)),
        ),
    ],
    ids=["within the present binding", "within the ledger"],
)
def test_bindings_that_overlap_are_refused_whole(
    connection: Connection, town: Ledger, devices: tuple[Device, ...]
) -> None:
    before = ledgers.load(connection)

    with pytest.raises(Conflict, match="periods may not overlap"):
        ledgers.save(connection, Ledger(devices=devices))

    assert ledgers.load(connection) == before


def test_devices_that_hang_nowhere_are_known(connection: Connection, town: Ledger) -> None:
    ledgers.save(connection, Ledger(devices=(room(valid_to=MOVED),)))

    assert ledgers.unbound(connection, MOVED) == [SENSOR]
    assert ledgers.unbound(connection, MOVED - timedelta(days=1)) == []


def test_readings_before_a_move_stay_with_the_place_where_they_were_measured(
    connection: Connection, database_url: str, town: Ledger
) -> None:
    """A warm sensor moves to another dwelling: neither gets the other's days."""
    now = MOVED + timedelta(days=2)
    builders.room_series(connection, FIRST, now, 22.0, hours=5 * 24)
    connection.execute("INSERT INTO dirty_day SELECT DISTINCT device_id, hour::date FROM room_hour")
    ledgers.save(connection, Ledger(statuses=(StatusPeriod(SECOND, HeatingStatus.ON, None),)))

    def judged() -> dict[str, list[str]]:
        with Database(database_url, max_size=2) as pool:
            while judge_days(pool, PROFILES["heilongjiang"], now):
                pass
        rows = connection.execute(
            "SELECT p.code, d.day::text FROM unit_day d JOIN place p ON p.id = d.place_id"
            " ORDER BY p.code, d.day"
        ).fetchall()
        days: dict[str, list[str]] = {}
        for row in rows:
            days.setdefault(row["code"], []).append(row["day"])
        return days

    assert judged()[FIRST][-1] == "2026-01-12"
    ledgers.move(connection, SENSOR, SECOND, MOVED)

    days = judged()
    assert days[FIRST][-1] == "2026-01-10", "what was measured after the move is no longer its"
    assert days[SECOND] == ["2026-01-10", "2026-01-11", "2026-01-12"]
    kept = connection.execute("SELECT day::text FROM unit_day_superseded ORDER BY day").fetchall()
    assert [row["day"] for row in kept][-1] == "2026-01-12", "evidence is kept"


def test_analysis_and_pages_take_from_a_moved_device_only_what_it_measured_there(
    connection: Connection, town: Ledger
) -> None:
    builders.room_series(connection, FIRST, MOVED, 12.0, hours=24)
    ledgers.move(connection, SENSOR, SECOND, MOVED + timedelta(minutes=1))
    window = (MOVED - timedelta(days=1), MOVED + timedelta(hours=2))

    assert len(windows.room_hours(connection, *window).device) == 0
    before = analysis.day_hours(connection, [FIRST, SECOND], *window)
    assert {row["place"] for row in before} == {FIRST}


# ── the commands ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hearthline(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs a command as a shell would; gives its exit code and what it printed."""
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", database_url)

    def run(*words: object) -> tuple[int, str]:
        load.cache_clear()
        monkeypatch.setattr("sys.argv", ["hearthline", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out + printed.err

    return run


Run = Callable[..., tuple[int, str]]

PLACES = """级别,编码,上级编码,名称
热源,P,,河畔热源厂
换热站,S1,P,一号站
楼栋,B1,S1,1号楼
单元,E1,B1,1单元
"""
UNITS = """户号,上级,房号,面积,楼层,列号,联系人,电话
E1-0101,E1,101,82.5,1,1,王女士,13800001234
E1-0201,E1,201,82.5,2,1,李先生,13800001235
"""
DEVICES = """设备编号,设备类型,位置编码,流量计位置
own:t/a,室温,E1-0101,
own:t/m,热量表,B1,回水
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "台账"
    files.mkdir()
    (files / "位置.csv").write_bytes(PLACES.encode("gbk"))
    (files / "住户.csv").write_bytes(UNITS.encode("utf-8-sig"))
    (files / "设备.csv").write_bytes(DEVICES.encode())
    return files


def test_an_import_is_told_and_the_same_again_changes_nothing(
    hearthline: Run, connection: Connection, folder: Path
) -> None:
    code, said = hearthline("ledger", "import", folder, "--dry-run")
    assert (code, ledgers.counts(connection)["places"]) == (0, 0)
    assert "Nothing was written" in said

    code, said = hearthline("ledger", "import", folder)
    assert code == 0, said
    assert ledgers.counts(connection) == {"places": 6, "units": 2, "devices": 2}

    code, said = hearthline("ledger", "import", folder, "--json")
    told = json.loads(said)
    assert (code, told["imported"], told["rows"]["units"]) == (0, True, 2)
    assert told["saved"]["places"] == {"new": 0, "changed": 0, "unchanged": 6}
    assert told["saved"]["bindings"] == {"new": 0, "changed": 0, "unchanged": 2}
    code, said = hearthline("ledger", "import", folder)
    assert "0 new         0 changed         6 unchanged" in said


def test_an_import_with_a_problem_changes_nothing_and_a_partial_one_says_what_is_left_out(
    hearthline: Run, connection: Connection, folder: Path
) -> None:
    (folder / "住户.csv").write_text(UNITS.replace("13800001235", "1380000123"), encoding="utf-8")

    code, said = hearthline("ledger", "import", folder)
    assert code == 1
    assert "住户.csv, row 3 phone '1380000123': 10 digits are no phone number" in said
    assert "住户.csv，第3行 “电话”列“1380000123”：10 位数字不是电话号码" in said
    assert ledgers.counts(connection)["places"] == 0

    code, said = hearthline("ledger", "import", folder, "--partial")
    assert code == 0
    assert "1 rows were left out" in said
    assert [unit.code for unit in ledgers.load(connection).units] == ["E1-0101"]


@pytest.mark.parametrize("target", ["en", "zh", "en.xlsx", "zh.xlsx"])
def test_what_is_exported_imports_without_a_change(
    hearthline: Run, connection: Connection, town: Ledger, tmp_path: Path, target: str
) -> None:
    ledgers.save(connection, Ledger(contacts=(Contact(FIRST, "王女士", "13800001234"),)))
    ledgers.move(connection, SENSOR, SECOND, MOVED + timedelta(seconds=1, microseconds=7))
    before = ledgers.load(connection)

    assert hearthline("ledger", "export", tmp_path / target, "--language", target[:2])[0] == 0
    code, said = hearthline("ledger", "import", tmp_path / target, "--json")

    assert code == 0, said
    saved = json.loads(said)["saved"]
    assert saved.pop("moved") == 0
    assert all(tally["new"] == tally["changed"] == 0 for tally in saved.values()), saved
    assert ledgers.load(connection) == before


def test_the_check_finds_what_is_wrong_and_its_exit_code_says_so(
    hearthline: Run, connection: Connection, town: Ledger
) -> None:
    contacts = tuple(
        Contact(unit.code, f"户主{number}", f"138{number:08d}")
        for number, unit in enumerate(town.units)
    )
    ledgers.save(connection, Ledger(contacts=contacts))
    assert hearthline("ledger", "check")[0] == 0
    ledgers.save(connection, Ledger(contacts=(Contact(FIRST, "王女士", "1380000123"),)))

    code, said = hearthline("ledger", "check")
    assert code == 1
    assert f"{FIRST}: the phone 1380000123 has 10 digits, 1 short of a mobile's" in said
    code, said = hearthline("ledger", "check", "--json")
    told = json.loads(said)
    assert (code, told["ok"], told["counts"]["error"]) == (1, False, 1)
    assert told["kinds"]["no_device"] == 1


def test_the_weekly_sample_gives_all_that_is_on_file_of_the_same_dwellings_again(
    hearthline: Run, town: Ledger
) -> None:
    said = hearthline("ledger", "check", "--sample", "50%", "--week", "2026-W47", "--json")[1]
    told = json.loads(said)
    assert (told["week"], told["of"], len(told["dwellings"])) == ("2026-W47", 4, 2)
    assert told["dwellings"][0]["address_zh"].startswith("1号楼1单元")
    again = hearthline("ledger", "check", "--sample", "0.5", "--week", "2026-W47", "--json")[1]
    assert json.loads(again) == told
    assert "本周抽查 2 户" in hearthline("ledger", "check", "--sample", "50%")[1]


def test_a_device_is_moved_and_its_history_stays(
    hearthline: Run, connection: Connection, town: Ledger
) -> None:
    code, said = hearthline("ledger", "move", SENSOR, SECOND, "--at", "2026-01-10 16:00")
    assert (code, said.strip()) == (0, f"{SENSOR} hangs at {SECOND} since 2026-01-10 08:00 UTC.")
    assert bindings(connection) == [(FIRST, None, MOVED), (SECOND, MOVED, None)]
    code, said = hearthline("ledger", "move", SENSOR, FIRST, "--at", "2026-01-09")
    assert code == 1
    assert "periods may not overlap" in said


def test_a_wrong_file_or_date_is_one_sentence(hearthline: Run, tmp_path: Path) -> None:
    assert hearthline("ledger", "import", tmp_path / "none.csv")[0] == 1
    assert hearthline("ledger", "import", tmp_path)[0] == 2
    assert hearthline("ledger", "move", "x", "y", "--at", "soon")[0] == 2
    code, said = hearthline("ledger", "template", tmp_path / "t.xlsx")
    assert code == 0, said
    assert (tmp_path / "t.xlsx").read_bytes().startswith(b"PK")
