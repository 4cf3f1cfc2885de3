"""The compliance ledger on a real database: held back, judged again, sealed, and forged in vain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from analytics import ledger
from analytics.auditing import Audit, audit
from analytics.chain import BreakReason
from api.app import create_app
from hearthline import cli
from hearthline.domain.maintenance import Window
from hearthline.domain.places import HeatingStatus, Ledger, StatusPeriod
from hearthline.domain.policies import PROFILES, Policy, Profile
from hearthline.errors import Conflict, Invalid, NotFound
from hearthline.settings import Settings
from hearthline.storage import accounts, maintenance, schema
from hearthline.storage.database import Connection, Database
from tests import builders
from tests.builders import HOUR, steady

NOW = datetime(2026, 1, 16, 4, 30, tzinfo=UTC)  # half past noon in Harbin
DAY = timedelta(days=1)
PROFILE = PROFILES["standard-20"]
HOUSE = "T-S1-B01"
UNIT = f"{HOUSE}-E1-0101"
OTHER = "T-S2-B01-E1-0101"
UNITS = (UNIT, f"{HOUSE}-E1-0102", OTHER)
COLD = 17.0


@pytest.fixture
def town(connection: Connection) -> None:
    """Three cold dwellings in two houses, with readings of four days."""
    with connection.transaction():
        builders.save(connection, builders.town(builders.TownPlan(2, 1, 1, floors=1)))
        builders.weather_series(connection, "T-weather", NOW, -26.0, hours=120)
        for code in UNITS:
            builders.room_series(connection, code, NOW, steady(COLD), hours=100)
        mark_all(connection)


def mark_all(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO dirty_day SELECT DISTINCT device_id, hour::date FROM room_hour"
        " ON CONFLICT DO NOTHING"
    )


def judge(database: Database, now: datetime = NOW, profile: Profile = PROFILE) -> None:
    """Everything that waits, then everything that is due to be sealed."""
    while ledger.judge_days(database, profile, now):
        pass
    while ledger.seal_days(database, profile, now):
        pass


def lines(connection: Connection, code: str = UNIT, table: str = "unit_day") -> list[Any]:
    return connection.execute(
        f"SELECT d.* FROM {table} d JOIN place p ON p.id = d.place_id"  # type: ignore[arg-type]  # noqa: S608
        " WHERE p.code = %s ORDER BY d.day, d.revision",
        (code,),
    ).fetchall()


def words(connection: Connection, code: str = UNIT) -> dict[str, str]:
    """The verdict, or the reason why there is none, by day of January."""
    return {
        f"{row['day']:%d}": row["verdict"] if row["reason"] == "none" else row["reason"]
        for row in lines(connection, code)
    }


def audited(database_url: str, expected: str | None = None) -> Audit:
    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as own:
        return audit(own, expected)


def relabel(connection: Connection, code: str, day: date, to_c: float) -> None:
    """Late readings: a dwelling's UTC day was another temperature."""
    device = builders.device_id(connection, f"own:t/{code}")
    connection.execute(
        "UPDATE room_hour SET mean_c = %s WHERE device_id = %s AND hour::date = %s",
        (to_c, device, day),
    )
    connection.execute("INSERT INTO dirty_day VALUES (%s, %s)", (device, day))


# ── sealing ───────────────────────────────────────────────────────────────────────────────────


def test_days_are_sealed_half_a_day_after_they_ended(
    connection: Connection, database: Database, database_url: str, town: None
) -> None:
    """The running day, and yesterday until noon, may still change without a trace."""
    judge(database)
    sealed = [row["day"] for row in lines(connection) if row["hash"] is not None]
    assert sealed == [date(2026, 1, d) for d in (12, 13, 14, 15)]
    assert [row["link"] for row in lines(connection)] == [1, 2, 3, 4, None]
    found = audited(database_url)
    assert (found.sound, found.dwellings, found.lines, found.anchors) == (True, 3, 12, 0)


def test_judging_again_without_news_writes_nothing(
    connection: Connection, database: Database, town: None
) -> None:
    judge(database)
    before = lines(connection)
    mark_all(connection)
    judge(database, NOW + HOUR)
    assert lines(connection) == before
    assert lines(connection, table="unit_day_superseded") == []


def test_a_sealed_line_that_late_readings_change_is_kept_and_both_are_in_the_chain(
    connection: Connection, database: Database, database_url: str, town: None
) -> None:
    """Even where only a figure changes and not the word."""
    judge(database)
    relabel(connection, UNIT, date(2026, 1, 13), 16.5)
    judge(database, NOW + HOUR)
    old = lines(connection, table="unit_day_superseded")
    assert [(f"{r['day']:%d}", r["verdict"], r["link"]) for r in old] == [
        ("13", "below", 2),
        ("14", "below", 3),
    ]
    new = {f"{r['day']:%d}": (r["revision"], r["link"]) for r in lines(connection)}
    assert new == {"12": (1, 1), "13": (2, 5), "14": (2, 6), "15": (1, 4), "16": (1, None)}
    assert audited(database_url).sound


def test_workers_side_by_side_leave_one_sound_chain(
    connection: Connection,
    database: Database,
    database_url: str,
    town: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each takes what another left; nothing is judged twice or sealed twice."""
    monkeypatch.setattr(ledger, "MARKS", 2)
    monkeypatch.setattr(ledger, "LINES", 3)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(judge, database) for _ in range(3)]:
            done.result()
    judge(database)
    assert [row["verdict"] for row in lines(connection, OTHER)] == ["below"] * 5
    assert lines(connection, table="unit_day_superseded") == []
    found = audited(database_url)
    assert (found.sound, found.lines) == (True, 12)


def test_what_a_running_day_seemed_to_be_is_no_evidence(
    connection: Connection, database: Database, town: None
) -> None:
    """In the morning too little is known of today; at noon that is not kept as a verdict."""
    morning = NOW - 6 * HOUR
    device = builders.device_id(connection, f"own:t/{UNIT}")
    connection.execute("DELETE FROM room_hour WHERE hour >= %s", (morning,))
    judge(database, morning)
    assert words(connection)["16"] == "too_few_readings"
    connection.execute(
        "INSERT INTO room_hour SELECT %s, t, 3, 17, 17, 17, 60"
        " FROM generate_series(%s::timestamptz, %s::timestamptz, '1 hour') t",
        (device, morning.replace(minute=0) + HOUR, NOW),
    )
    connection.execute("INSERT INTO dirty_day VALUES (%s, '2026-01-16')", (device,))
    judge(database)
    assert words(connection)["16"] == "below"
    assert "16" not in {f"{r['day']:%d}" for r in lines(connection, table="unit_day_superseded")}


FORGERIES = [
    ("UPDATE unit_day SET verdict = 'compliant' WHERE {line}", BreakReason.CONTENT_CHANGED),
    ("UPDATE unit_day SET below_min = below_min - 1 WHERE {line}", BreakReason.CONTENT_CHANGED),
    ("UPDATE unit_day SET mean_c = mean_c + 2e-6 WHERE {line}", BreakReason.CONTENT_CHANGED),
    ("DELETE FROM unit_day WHERE {line}", BreakReason.LINE_MISSING),
    ("UPDATE unit_day SET hash = NULL, link = NULL WHERE {line}", BreakReason.LINE_MISSING),
    ("UPDATE unit_day SET prev = sha256('x') WHERE {line}", BreakReason.OUT_OF_PLACE),
]  # fmt: skip


@pytest.mark.parametrize(("forgery", "reason"), FORGERIES)
def test_the_first_forged_line_is_named(
    *,
    connection: Connection,
    database: Database,
    database_url: str,
    town: None,
    forgery: str,
    reason: BreakReason,
) -> None:
    judge(database)
    where = f"place_id = {builders.place_id(connection, UNIT)} AND day = '2026-01-13'"
    connection.execute(forgery.format(line=where))  # type: ignore[arg-type]
    found = audited(database_url)
    assert not found.sound
    assert (found.breaks[0].reason, found.breaks[0].code, found.breaks[0].link) == (reason, UNIT, 2)


def test_a_line_cut_off_the_end_is_missed_by_name(
    connection: Connection, database: Database, database_url: str, town: None
) -> None:
    judge(database)
    connection.execute(
        "DELETE FROM unit_day WHERE place_id = %s AND day >= '2026-01-15'",
        (builders.place_id(connection, UNIT),),
    )
    [broken] = audited(database_url).breaks
    assert (broken.reason, broken.code, broken.link) == (BreakReason.END_MISSING, UNIT, 4)


def test_anchors_tell_what_a_thorough_forger_hid(
    connection: Connection, database: Database, database_url: str, town: None
) -> None:
    """A dwelling vanishes with its chain and its recorded end; the day's anchor still knows."""
    judge(database)
    judge(database, NOW + DAY)
    before = audited(database_url)
    assert (before.sound, before.anchors) == (True, 1)
    where = "WHERE place_id = %s"
    for table in ("unit_day", "unit_chain"):
        connection.execute(
            f"DELETE FROM {table} {where}",  # type: ignore[arg-type]  # noqa: S608
            (builders.place_id(connection, UNIT),),
        )
    [broken] = audited(database_url).breaks
    assert (broken.reason, broken.day) == (BreakReason.DAY_CHANGED, date(2026, 1, 16))


def test_an_anchor_that_was_written_down_is_asked_for(
    connection: Connection, database: Database, database_url: str, town: None
) -> None:
    """Whoever makes all anchors anew cannot make the old hash."""
    judge(database)
    judge(database, NOW + DAY)
    newest = audited(database_url).newest
    assert newest is not None
    assert audited(database_url, newest[1].upper()).sound
    connection.execute("ALTER TABLE ledger_anchor DISABLE TRIGGER USER")
    connection.execute("TRUNCATE ledger_anchor, unit_chain")
    connection.execute("UPDATE unit_day SET hash = NULL, link = NULL, mean_c = 21")
    judge(database, NOW + DAY)
    judge(database, NOW + 2 * DAY)
    assert audited(database_url).sound, "sound in itself"
    assert not audited(database_url, newest[1]).sound


def test_anchors_cannot_be_edited_by_accident(
    connection: Connection, database: Database, town: None
) -> None:
    judge(database)
    judge(database, NOW + DAY)
    with pytest.raises(psycopg.errors.RestrictViolation, match="append only"):
        connection.execute("UPDATE ledger_anchor SET links = 0")


def test_what_is_anchored_takes_no_more_lines_when_the_clock_was_set_back(
    connection: Connection, database: Database, database_url: str, town: None
) -> None:
    judge(database)
    judge(database, NOW + DAY)
    relabel(connection, UNIT, date(2026, 1, 13), 16.0)
    judge(database, NOW)
    assert max(r["sealed_on"] for r in lines(connection) if r["sealed_on"]) == date(2026, 1, 17)
    assert audited(database_url).sound


def test_the_command_names_the_first_broken_line_and_fails(
    *,
    connection: Connection,
    database: Database,
    database_url: str,
    town: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", database_url)
    judge(database)
    assert run(monkeypatch, "verdicts", "verify") == 0
    assert "Nothing was altered" in capsys.readouterr().out
    connection.execute("UPDATE unit_day SET mean_c = 21 WHERE day = '2026-01-14'")
    assert run(monkeypatch, "verdicts", "verify", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["sound"], told["broken"]) == (False, 3)
    assert (told["first"]["dwelling"], told["first"]["line"], told["first"]["day"]) == (
        UNIT, 3, "2026-01-14",
    )  # fmt: skip
    assert run(monkeypatch, "verdicts", "verify") == 1
    assert f"first: {UNIT}, line 3, day 2026-01-14" in capsys.readouterr().out


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["hearthline", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


# ── held back ─────────────────────────────────────────────────────────────────────────────────


def window(place: str, since: datetime, until: datetime) -> Window:
    return Window(place, since, until, "valve changed", "li")


def test_a_window_added_late_holds_back_its_days_and_only_its_house(
    connection: Connection, database: Database, database_url: str, town: None
) -> None:
    """The day was judged and sealed; it is judged again, and the old verdict stays on file."""
    judge(database)
    assert words(connection)["14"] == "below"
    began = datetime(2026, 1, 13, 16, tzinfo=UTC)  # midnight of the 14th
    maintenance.add(connection, window(HOUSE, began, began + 20 * HOUR), NOW)
    judge(database, NOW + HOUR)
    assert words(connection)["14"] == "maintenance"
    assert {words(connection)[day] for day in ("13", "15")} == {"below"}
    assert words(connection, OTHER)["14"] == "below"
    [old] = lines(connection, table="unit_day_superseded")
    assert (old["verdict"], old["link"]) == ("below", 3)
    assert audited(database_url).sound


def test_a_day_is_judged_by_what_a_short_window_leaves_of_it(
    connection: Connection, database: Database, town: None
) -> None:
    began = datetime(2026, 1, 13, 16, tzinfo=UTC)
    maintenance.add(connection, window("T", began, began + 5.5 * HOUR), NOW)
    judge(database)
    [judged] = [row for row in lines(connection) if row["day"] == date(2026, 1, 14)]
    assert (judged["verdict"], judged["covered_min"]) == ("below", 18 * 60)


def test_a_window_that_is_ended_early_gives_its_days_back(
    connection: Connection, database: Database, town: None
) -> None:
    began = datetime(2026, 1, 13, 16, tzinfo=UTC)
    row = maintenance.add(connection, window(HOUSE, began, began + 20 * HOUR), NOW)
    judge(database)
    with pytest.raises(Conflict, match="over already"):
        maintenance.end(connection, row["id"], NOW, "wang")
    ended = maintenance.end(connection, row["id"], began + 3 * HOUR, "wang")
    assert (ended["until"], ended["ended_by"]) == (began + 3 * HOUR, "wang")
    judge(database, NOW + HOUR)
    assert words(connection)["14"] == "below"


def test_a_window_that_is_called_off_stays_on_file_and_holds_nothing(
    connection: Connection, town: None
) -> None:
    row = maintenance.add(connection, window(HOUSE, NOW + DAY, NOW + 2 * DAY), NOW)
    assert maintenance.end(connection, row["id"], NOW, "wang")["until"] == NOW + DAY
    assert maintenance.between(connection, NOW, NOW + 9 * DAY) == []
    assert [r["id"] for r in maintenance.listed(connection, place=UNIT)] == [row["id"]]
    assert maintenance.listed(connection, place=OTHER) == []


def test_a_window_without_place_end_or_reason_is_refused(
    connection: Connection, town: None
) -> None:
    with pytest.raises(NotFound, match="no place"):
        maintenance.add(connection, window("Z", NOW, NOW + DAY), NOW)
    with pytest.raises(Invalid, match="ends before"):
        maintenance.add(connection, window(HOUSE, NOW, NOW), NOW)
    with pytest.raises(Invalid, match="reason"):
        maintenance.add(connection, replace(window(HOUSE, NOW, NOW + DAY), reason=" "), NOW)


def test_a_status_that_is_filed_late_or_withdrawn_has_its_days_judged_again(
    connection: Connection, database: Database, town: None
) -> None:
    """Heating was stopped two days ago, and the form comes today; then it was a mistake."""
    judge(database)
    since = datetime(2026, 1, 13, 16, tzinfo=UTC)
    stopped = StatusPeriod(UNIT, HeatingStatus.STOPPED, since)
    with connection.transaction():
        builders.save(connection, Ledger(statuses=(stopped,)))
    judge(database, NOW + HOUR)
    assert [words(connection)[day] for day in ("13", "14", "15")] == [
        "below", "heating_stopped", "heating_stopped",
    ]  # fmt: skip
    assert words(connection, OTHER)["14"] == "below"
    with connection.transaction():
        builders.save(connection, Ledger(statuses=(replace(stopped, status=HeatingStatus.ON),)))
    judge(database, NOW + 2 * HOUR)
    assert words(connection)["14"] == "below"


def own(**says: Any) -> Profile:
    policy: Policy = replace(PROFILE.versions[0], code="own", **says)
    return Profile("own", "Own", "自有", (policy,))


def test_days_colder_outdoors_than_the_rule_binds_are_held_back(
    connection: Connection, database: Database, town: None
) -> None:
    """−26 °C outdoors: below −25 °C the rule binds nobody, below −27 °C it would."""
    judge(database, profile=own(binds_from_c=-25.0))
    assert words(connection)["14"] == "outdoor_below_binding"
    mark_all(connection)
    judge(database, NOW + HOUR, own(binds_from_c=-27.0, valid_from=date(2001, 1, 1)))
    assert words(connection)["14"] == "below"


def test_start_up_holds_back_verdicts_only_where_the_rule_says_so(
    connection: Connection, database: Database, town: None
) -> None:
    season = ((1, 13), (4, 20))
    judge(database, profile=own(season=season, startup_days=2, startup_judged=False))
    found = words(connection)
    assert [found[day] for day in ("12", "13", "14", "15")] == [
        "out_of_season", "start_up", "start_up", "below",
    ]  # fmt: skip


def test_a_rule_of_a_company_is_on_file_before_verdicts_name_it_and_never_changes_under_them(
    connection: Connection,
) -> None:
    schema.keep_policy(connection, own())
    schema.keep_policy(connection, own(source="now with its paragraph"))
    with pytest.raises(Conflict, match="something else"):
        schema.keep_policy(connection, own(threshold_c=18.0))
    schema.keep_policy(connection, own(threshold_c=18.0, valid_from=date(2026, 1, 1)))
    rows = connection.execute("SELECT valid_from FROM policy WHERE code = 'own'").fetchall()
    assert len(rows) == 2


# ── the doors ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def client(settings: Settings, connection: Connection) -> Iterator[TestClient]:
    with TestClient(create_app(settings, clock=lambda: NOW)) as own_client:
        key = accounts.add_key(connection, "shift", "engineer")
        own_client.headers["Authorization"] = f"Bearer {key}"
        yield own_client


def test_windows_over_the_interface(client: TestClient, connection: Connection, town: None) -> None:
    """Added once however often asked, listed where it matters, ended once."""
    wanted = {"place": HOUSE, "since": "2026-01-16T04:00:00Z", "until": "2026-01-17T04:00:00Z",
              "reason": "valve changed"}  # fmt: skip
    again = {"Idempotency-Key": "w1"}
    made = client.post("/api/v1/maintenance", json=wanted, headers=again)
    assert made.status_code == 201
    assert client.post("/api/v1/maintenance", json=wanted, headers=again).json() == made.json()
    [listed] = client.get("/api/v1/maintenance", params={"place": UNIT}).json()["items"]
    assert (listed["id"], listed["added_by"]) == (made.json()["id"], "key:shift")
    assert client.get("/api/v1/maintenance", params={"place": OTHER}).json()["items"] == []
    path = f"/api/v1/maintenance/{listed['id']}/end"
    assert client.post(path).json()["until"] == "2026-01-16T04:30:00Z"
    assert client.post(path).status_code == 409
    assert client.get("/api/v1/maintenance").json()["items"] == []
    [row] = connection.execute("SELECT count(*) AS n FROM audit WHERE action LIKE 'maint%'")
    assert row["n"] == 2


def test_only_engineers_silence_a_house(
    client: TestClient, connection: Connection, town: None
) -> None:
    key = accounts.add_key(connection, "desk", "operator")
    wanted = {"place": HOUSE, "since": "2026-01-16T04:00:00Z", "until": "2026-01-17T04:00:00Z",
              "reason": "quiet, please"}  # fmt: skip
    headers = {"Authorization": f"Bearer {key}"}
    assert client.post("/api/v1/maintenance", json=wanted, headers=headers).status_code == 403
    assert client.get("/api/v1/maintenance", headers=headers).status_code == 200


def test_windows_on_the_command_line(
    database_url: str,
    town: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A time without zone is the company's; the end defaults to nothing and must be said."""
    monkeypatch.setenv("HEARTHLINE_DATABASE_URL", database_url)
    words = ("maintenance", "add", HOUSE, "--from", "2099-01-16 08:00", "--until",
             "2099-01-16 18:00", "--reason", "pump", "--by", "li", "--json")  # fmt: skip
    assert run(monkeypatch, *words) == 0
    added = json.loads(capsys.readouterr().out)
    assert added["since"] == "2099-01-16T00:00:00+00:00"
    assert run(monkeypatch, "maintenance", "list") == 0
    assert f"{HOUSE}  2099-01-16 08:00 – 2099-01-16 18:00  pump (li)" in capsys.readouterr().out
    assert run(monkeypatch, "maintenance", "end", str(added["id"]), "--json") == 0
    assert json.loads(capsys.readouterr().out)["until"] == added["since"]
    assert run(monkeypatch, "maintenance", "add", HOUSE, "--reason", "pump") == 2
