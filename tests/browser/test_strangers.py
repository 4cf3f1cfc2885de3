"""Unknown devices and dead letters as an engineer works them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hearthline.settings import Settings
from hearthline.storage import accounts
from hearthline.storage.database import Connection
from ingest.door import door_of
from ingest.intake import Message, hear
from ingest.writing import take_in
from tests import builders as b
from tests.browser.conftest import PASSWORD, sign_in

UNIT = "T-S1-B01-E1-0101"
SENSOR = "zigbee2mqtt:House 1/101"
METER = "own:t/new-meter"


@pytest.fixture
def shelf(connection: Connection, settings: Settings, now: datetime) -> None:
    """A town without a sensor in 101; two strangers speak, and some messages are refused."""
    accounts.add_user(connection, "eng.zh", "工程师", "engineer", PASSWORD, "zh_CN")
    with connection.transaction():
        b.save(connection, b.town(b.TownPlan(1, 1, 1, 2, unsensed={UNIT})))
    door = door_of(settings)
    begin = now - timedelta(hours=5)
    said: list[tuple[str, bytes, datetime]] = []
    for step in range(15):
        at = begin + step * timedelta(minutes=20)
        room = {"temperature": 20 + step / 10, "humidity": 41, "battery": 88, "linkquality": 90}
        said.append(("zigbee2mqtt/House 1/101", json.dumps(room).encode(), at))
        meter = {"ts": at.isoformat(), "supply_c": 52.1, "return_c": 41.2, "flow_m3h": 1.9}
        said.append(("hearthline/v1/t/new-meter/meter", json.dumps(meter).encode(), at))
    topic = "hearthline/v1/t/T-S1-B01-E1-0102/room"
    for step in range(4):
        warm = {"ts": begin.isoformat(), "temperature_c": "warm", "seq": step}
        said.append((topic, json.dumps(warm).encode(), now - timedelta(hours=1)))
    said += [(topic, b"\x00\x01\xfe", now), ("plant/unheard/of", b"{}", now)]
    for where, payload, at in said:
        with connection.transaction():
            heard = hear(Message(where, payload, at), door.formats, door.directory.context)
            take_in(connection, [heard], door, at)


@pytest.mark.usefixtures("shelf")
def test_a_stranger_is_found_looked_at_and_adopted_with_all_it_said(
    page: Page, connection: Connection
) -> None:
    sign_in(page)
    page.goto("/console/devices")
    page.click(".tabs a >> text=Unknown devices")
    rows = page.locator(".strangers tbody tr")
    expect(rows).to_have_count(2)
    page.click("text=House 1/101 >> nth=0")
    expect(page.locator(".facts")).to_contain_text("Room sensor")
    expect(page.locator("pre.message").first).to_contain_text('"temperature": 21.4')
    page.fill("#place", "nowhere")
    page.click(".adopt .primary")
    expect(page.locator(".error")).to_contain_text("no place with the code nowhere")
    assert page.input_value("#role") == "room"
    page.fill("#place", "")
    page.locator("#place").press_sequentially(UNIT[-7:])
    option = page.locator(f"#place-options option[value='{UNIT}']")
    expect(option).to_be_attached()
    page.fill("#place", UNIT)
    page.click(".adopt .primary")
    expect(page.locator(".done")).to_contain_text("15 of its earlier readings were stored")
    expect(rows).to_have_count(1)
    found = connection.execute("SELECT count(*) AS readings FROM room_reading").fetchall()
    assert found[0]["readings"] == 15
    page.click(".done a")
    expect(page.locator("h1")).to_contain_text("House 1/101")


@pytest.mark.usefixtures("shelf")
def test_a_stranger_that_is_not_ours_is_dismissed_and_taken_back(page: Page) -> None:
    sign_in(page)
    page.goto(f"/console/strangers/{METER}")
    page.click("text=Dismiss >> nth=-1")
    expect(page.locator(".strangers tbody tr")).to_have_count(1)
    page.check("input[name=dismissed]")
    page.click(".narrow-devices button")
    page.click(f".strangers a >> text={METER}")
    page.click("text=Hear it again")
    expect(page.locator("h2 >> text=Adopt")).to_be_visible()


@pytest.mark.usefixtures("shelf")
def test_dead_letters_are_grouped_and_decoded_again(page: Page, connection: Connection) -> None:
    sign_in(page)
    page.goto("/console/refused")
    groups = page.locator("article.letters")
    expect(groups).to_have_count(3)
    expect(groups.first).to_contain_text("Not a number")
    expect(groups.first.locator("h2 b")).to_have_text("4")
    groups.first.locator(".again button").click()
    expect(page.locator(".done")).to_contain_text("4 decoded again: 0 readings stored, 4 refused")
    expect(page.locator("table.refused tbody tr")).to_have_count(4)
    told = connection.execute("SELECT action, actor FROM audit ORDER BY id").fetchall()
    assert [(row["action"], row["actor"]) for row in told] == [("dead_letters.replay", "ann")]


@pytest.mark.usefixtures("shelf")
def test_pictures_of_the_pages_in_both_languages(page: Page, shots: Path) -> None:
    pages = {
        "strangers": "/console/strangers",
        "stranger": f"/console/strangers/{SENSOR}",
        "dead-letters": "/console/refused",
        "dead-letters-of-a-reason": "/console/refused?reason=not_a_number",
    }
    for login, language in (("ann", "en"), ("eng.zh", "zh")):
        page.context.clear_cookies()
        sign_in(page, login)
        for width in (1366, 390):
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in pages.items():
                page.goto(path)
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, (path, width, wide)
                shape = "" if width > 1000 else "-phone"
                page.screenshot(path=shots / f"{name}-{language}{shape}.png", full_page=True)
    assert len(list(shots.glob("*.png"))) >= 4 * len(pages)
