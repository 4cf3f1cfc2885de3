"""The other pages, in both languages, and pictures of all of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api.console import assets
from api.figures import KEEP_S
from hearthline.storage import analysis
from hearthline.storage.database import Connection
from tests import builders as b
from tests.browser import scene
from tests.browser.conftest import sign_in, wait_live

HOUSE = "T-S1-B01"


@pytest.fixture
def house(connection: Connection, now: datetime) -> None:
    """One house with every kind of window."""
    plan = b.TownPlan(1, 1, unsensed={f"{HOUSE}-E1-0101"}, stopped={f"{HOUSE}-E1-0102"})
    ledger = b.town(plan)
    with connection.transaction():
        b.save(connection, ledger)
        for unit in ledger.units:
            if unit.code not in plan.unsensed:
                b.room_series(connection, unit.code, now, 21.5, hours=3)
        b.room_series(connection, f"{HOUSE}-E2-0401", now, 14.5, hours=1)
        b.set_latest(
            connection,
            b.device_id(connection, f"own:t/{HOUSE}-E2-0401"),
            now,
            {"temperature_c": 14.5},
        )
        b.ticket(connection, ledger, f"{HOUSE}-E2-0401", [f"{HOUSE}-E2-0401"], at=now)


def test_a_building_is_seen_from_the_front_with_its_colours_and_marks(
    page: Page, house: None, connection: Connection, now: datetime
) -> None:
    sign_in(page)
    page.goto(f"/console/buildings/{HOUSE}")
    cells = page.locator(".facade .cell")
    expect(cells).to_have_count(16)

    def classes(unit: str) -> str:
        return str(page.locator(f"[data-key='{HOUSE}-{unit}']").first.get_attribute("class"))

    assert "t1" in classes("E1-0201").split()
    assert {"t-4", "ticketed"} <= set(classes("E2-0401").split())
    assert "unsensed" in classes("E1-0101").split()
    assert "off" in classes("E1-0102").split()
    top_left = page.locator(".facade .floor").first.locator(".cell").first
    expect(top_left).to_contain_text("401")
    device = b.device_id(connection, f"own:t/{HOUSE}-E1-0201")
    b.set_latest(connection, device, now, {"temperature_c": 12.0})
    page.evaluate("document.body.dispatchEvent(new CustomEvent('live:tickets'))")
    cell = page.locator(f"[data-key='{HOUSE}-E1-0201']").first
    expect(cell).to_contain_text("12.0")
    assert "t-5" in classes("E1-0201").split()
    cell.focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.dataset.key") == f"{HOUSE}-E1-0301"
    page.keyboard.press("Enter")
    expect(page.locator(".compass .self")).to_contain_text("301")


def test_both_languages_say_everything_and_the_choice_stays(page: Page, house: None) -> None:
    sign_in(page, "li.na")
    assert page.get_attribute("html", "lang") == "zh-CN"
    expect(page.locator("nav")).to_contain_text("工单")
    page.click("button[name=locale][value=en]")
    expect(page.locator("nav")).to_contain_text("Queue")
    page.goto("/console/network")
    assert page.get_attribute("html", "lang") == "en"
    expect(page.locator("h1")).to_have_text("Network")
    page.click("button[name=locale][value=zh_CN]")
    expect(page.locator("h1")).to_have_text("管网")
    assert page.url.endswith("/console/network")


def test_it_works_on_a_phone_without_sideways_scrolling(page: Page, house: None) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page)
    for path in ("/console", f"/console/buildings/{HOUSE}", f"/console/units/{HOUSE}-E2-0401"):
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, (path, wide)


def test_without_the_libraries_pages_work_and_say_what_to_run(
    page: Page, house: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "library", lambda _name: None)
    sign_in(page)
    expect(page.locator(".banner")).to_contain_text("make setup")
    page.click("tr.row a.cover")
    page.fill("#assignee", "Crew 2")
    page.click(".act-dispatch .primary")
    expect(page.locator(".stepper .now .name")).to_have_text("Dispatch")


@pytest.mark.timeout(400)
def test_pictures_of_every_page_in_both_languages(
    page: Page, connection: Connection, now: datetime, shots: Path
) -> None:
    with connection.transaction():
        drawn = scene.build(connection, now)
    pages = {
        "queue": "/console",
        "ticket-building": f"/console/tickets/{drawn.clogged}",
        "ticket-station": f"/console/tickets/{drawn.tripped}",
        "ticket-dwelling": f"/console/tickets/{drawn.single}",
        "building": f"/console/buildings/{scene.CLOGGED}",
        "buildings": "/console/buildings",
        "dwelling": f"/console/units/{scene.SINGLE}",
        "network": "/console/network",
    }
    for login, language in (("ann", "en"), ("li.na", "zh")):
        page.context.clear_cookies()
        sign_in(page, login)
        wait_live(page)
        for name, path in pages.items():
            page.goto(path)
            if page.locator("[data-chart]").count():
                page.wait_for_selector("[data-drawn]")
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, (path, wide)
            page.screenshot(path=shots / f"{name}-{language}.png")
    assert len(list(shots.glob("*.png"))) >= 2 * len(pages)


def test_what_stands_still_is_told_at_the_head_of_the_queue(
    page: Page, house: None, connection: Connection, now: datetime, shots: Path
) -> None:
    """Ingest is away, and a district's analysis fails: nobody takes an empty queue for warmth."""
    connection.execute("INSERT INTO watermark (name, at) VALUES ('alive:worker', now())")
    for name, hours in ((analysis.WHOLE, 1), (analysis.of_district("T-S1"), 9)):
        analysis.set_progress(connection, name, now - timedelta(hours=hours))
    analysis.set_aside(connection, "T-S1", now, "ValueError: torn")
    sign_in(page)
    told = page.locator(".strip .trouble")
    expect(told).to_have_count(2)
    expect(told.first).to_contain_text("Readings are not coming in")
    expect(told.last).to_contain_text("The analysis of Station 1 fails")
    page.screenshot(path=shots / "stands-still.png")
    analysis.take_back(connection, ["T-S1"])
    connection.execute("INSERT INTO watermark (name, at) VALUES ('alive:ingest', now())")
    page.wait_for_timeout(KEEP_S * 1000)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('live:tickets'))")
    expect(told).to_have_count(0)


def test_what_stands_still_is_told_in_chinese(
    page: Page, house: None, connection: Connection, now: datetime, shots: Path
) -> None:
    analysis.set_progress(connection, analysis.WHOLE, now - timedelta(hours=5))
    analysis.set_aside(connection, "T-S1", now, "ValueError: torn")
    sign_in(page, "li.na")
    told = page.locator(".strip .trouble")
    expect(told.nth(1)).to_contain_text("分析服务未运行")
    expect(told.last).to_contain_text("1号换热站的分析出错")
    page.screenshot(path=shots / "stands-still-zh.png")
