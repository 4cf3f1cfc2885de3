"""What a dispatcher does all night: sign in, watch the queue, act."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from hearthline.domain.places import Ledger
from hearthline.storage.database import Connection
from tests import builders as b
from tests.browser.conftest import sign_in, wait_live
from tickets.desk import act

HOUSE = "T-S1-B01"
OTHER = "T-S2-B02"


@pytest.fixture
def town(connection: Connection, now: datetime) -> Ledger:
    """Two houses, one of them cold with a ticket."""
    ledger = b.town()
    with connection.transaction():
        b.save(connection, ledger)
        b.weather_series(connection, "T-weather", now, -24.0)
        for unit in ledger.units:
            cold = unit.code.startswith(HOUSE)
            b.room_series(connection, unit.code, now, 17.2 if cold else 21.4, hours=3)
    return ledger


@pytest.fixture
def number(connection: Connection, town: Ledger, now: datetime) -> str:
    """The ticket of the cold house."""
    cold = [unit.code for unit in town.units if unit.code.startswith(HOUSE)]
    with connection.transaction():
        return b.ticket(connection, town, HOUSE, cold, at=now - timedelta(hours=2))


def test_a_stranger_is_led_to_the_sign_in_form_and_back(page: Page, town: Ledger) -> None:
    page.goto(f"/console/buildings/{HOUSE}")
    expect(page.locator("#password")).to_be_visible()
    page.fill("#login", "ann")
    page.fill("#password", "wrong-password")
    page.click(".sign-in .primary")
    expect(page.locator("[role=alert]")).to_have_text(
        "This login and password do not belong together."
    )
    page.fill("#password", "minus-thirty")
    page.click(".sign-in .primary")
    expect(page.locator("h1")).to_have_text("House 1")


def test_the_queue_shows_the_ticket_with_cause_place_and_clock(page: Page, number: str) -> None:
    sign_in(page)
    row = page.locator(f"tr[data-key='{number}']")
    expect(row.locator(".c-cause")).to_have_text("Strainer clogged")
    expect(row.locator(".c-where")).to_contain_text("Station 1")
    expect(row.locator(".c-where")).to_contain_text("House 1")
    expect(row.locator(".c-count")).to_contain_text("16 / 16")
    expect(row.locator(".due-over")).to_be_visible()
    expect(page.locator(".tile[data-key=below] b")).to_have_text("16")


def test_a_new_ticket_slides_in_by_itself_and_leaves_scroll_focus_and_text_alone(
    page: Page, number: str, town: Ledger, connection: Connection, now: datetime
) -> None:
    sign_in(page)
    wait_live(page)
    page.focus(f"tr[data-key='{number}'] a.cover")
    page.evaluate(
        "window.before = document.activeElement.closest('tr').getBoundingClientRect().top"
    )
    cold = [unit.code for unit in town.units if unit.code.startswith(OTHER)]
    with connection.transaction():
        later = b.ticket(connection, town, OTHER, cold, at=now - timedelta(hours=9))
    arrived = page.locator(f"tr[data-key='{later}']")
    expect(arrived).to_be_visible()
    expect(arrived).to_have_class("row urgency-over arrived")
    assert page.evaluate("document.activeElement.textContent") == number
    assert page.locator("tr.row").first.get_attribute("data-key") == later
    expect(page.locator(".tile[data-key=open] b")).to_have_text("2")
    assert page.url.endswith("/console")


def test_filters_narrow_the_queue_and_stay_in_the_address(page: Page, number: str) -> None:
    sign_in(page)
    page.click(".chip-dispatched")
    expect(page.locator("tr.empty")).to_be_visible()
    assert page.url.endswith("/console?state=dispatched")
    page.click(".chip-open")
    expect(page.locator(f"tr[data-key='{number}']")).to_be_visible()
    page.select_option("#under", "T-S2")
    expect(page.locator("tr.empty")).to_be_visible()
    page.select_option("#under", "T-S1")
    page.fill("#q", "house 1")
    page.wait_for_url("**/console?under=T-S1&q=house+1")
    expect(page.locator(f"tr[data-key='{number}']")).to_be_visible()
    page.reload()
    expect(page.locator("#q")).to_have_value("house 1")
    expect(page.locator("#under")).to_have_value("T-S1")


def test_the_whole_chain_is_worked_on_the_ticket_page(
    page: Page, number: str, connection: Connection, now: datetime
) -> None:
    sign_in(page)
    page.click(f"tr[data-key='{number}'] a.cover")
    page.wait_for_selector(".chart[data-drawn]")
    expect(page.locator(".stepper .now .name")).to_have_text("Complaint")
    page.fill("#assignee", "Crew 2")
    page.fill("#note-dispatch", "Bring <b>gaskets</b>.")
    page.click(".act-dispatch .primary")
    expect(page.locator(".stepper .now .name")).to_have_text("Dispatch")
    expect(page.locator("#log .note").first).to_have_text("Bring <b>gaskets</b>.")
    page.click(".act-start .primary")
    expect(page.locator(".stepper .now .name")).to_have_text("Handling")
    page.fill("#note-reply", "Strainer cleaned.")
    page.click(".act-reply .primary")
    page.check("[name=satisfied][value=yes]")
    page.click(".act-call_back .primary")
    expect(page.locator("[role=alert]")).to_contain_text("The rooms are not warm yet")
    page.check("[name=satisfied][value=yes]")
    page.fill("#certified", "21,3")
    page.click(".act-call_back .primary")
    expect(page.locator(".state-closed").first).to_be_visible()
    expect(page.locator(".stepper .done")).to_have_count(5)


def test_a_colleague_who_was_faster_is_told_in_a_sentence_and_nothing_typed_is_lost(
    page: Page, number: str, connection: Connection, now: datetime
) -> None:
    sign_in(page)
    page.goto(f"/console/tickets/{number}")
    wait_live(page)
    page.fill("#note-dispatch", "My long note")
    page.fill("#assignee", "Crew 9")
    with connection.transaction():
        act(connection, number, "dispatch", actor="li.na", now=now, body={"assignee": "Crew 1"})
    expect(page.locator("#changed")).to_be_visible()
    expect(page.locator(".stepper .now .name")).to_have_text("Dispatch")
    page.click(".act-dispatch .primary")
    expect(page.locator("[role=alert]")).to_contain_text("has changed since you opened it")
    expect(page.locator("#note-dispatch")).to_have_value("My long note")
    expect(page.locator("#log")).to_contain_text("李娜")


def test_keys_walk_the_queue_and_open_a_ticket(page: Page, number: str) -> None:
    sign_in(page)
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == number
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Strainer clogged")
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.id") == "assignee"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(page.locator("h1")).to_have_text("Network")


def test_the_caller_is_found_by_telephone(page: Page, town: Ledger, connection: Connection) -> None:
    b.contact(connection, f"{HOUSE}-E1-0302", "赵先生", "139 4511 2233")
    sign_in(page)
    page.keyboard.press("/")
    page.keyboard.type("45112233")
    expect(page.locator("#found a")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("302")
    expect(page.locator(".facts")).to_contain_text("赵先生")
