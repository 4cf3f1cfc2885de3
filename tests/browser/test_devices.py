"""The pages of devices as a person sees them, in both languages, and pictures of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hearthline.storage.database import Connection
from tests import devices
from tests.browser.conftest import sign_in


@pytest.fixture
def trouble(connection: Connection, now: datetime) -> None:
    """A house full of trouble."""
    with connection.transaction():
        devices.trouble(connection, now)


def test_an_engineer_finds_the_gateway_and_the_sick_sensor(page: Page, trouble: None) -> None:
    sign_in(page)
    page.click("nav a[href='/console/devices']")
    expect(page.locator(".outage")).to_contain_text(devices.GATEWAY_OUT)
    page.click(".outage a")
    expect(page.locator(".devices tbody tr")).to_have_count(6)
    page.goto("/console/devices")
    page.click(".device-states a[href*='said_offline']")
    expect(page.locator(".devices tbody tr")).to_have_count(1)
    page.goto("/console/devices")
    page.fill("#device-q", "主卧")
    page.press("#device-q", "Enter")
    page.click(".devices tbody a")
    expect(page.locator("h1")).to_have_text("主卧 <b>")
    expect(page.locator(".said-list")).to_contain_text("looks like local time sent as UTC")
    page.wait_for_selector("[data-drawn]")
    expect(page.locator(".device-chart canvas")).to_have_count(1)


def test_pictures_of_the_devices_in_both_languages(page: Page, trouble: None, shots: Path) -> None:
    pages = {"devices": "/console/devices", "device": f"/console/devices/{devices.SICK}"}
    for login, language in (("ann", "en"), ("li.na", "zh")):
        page.context.clear_cookies()
        sign_in(page, login)
        for width, size in ((1366, ""), (390, "-phone")):
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in pages.items():
                page.goto(path)
                if page.locator("[data-device-chart]").count():
                    page.wait_for_selector("[data-drawn]")
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, (path, width, wide)
                page.screenshot(path=shots / f"{name}-{language}{size}.png", full_page=True)
    assert len(list(shots.glob("device*.png"))) == 8
