"""A real server, a real database and Debian's Chromium; one browser per module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from api.console import assets
from api.server import run
from hearthline.settings import Settings
from hearthline.storage import accounts
from hearthline.storage.database import Connection

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
PASSWORD = "minus-thirty"
SCREENSHOTS = "HEARTHLINE_SCREENSHOTS"  # a folder that keeps them


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is missing: run `make setup`", pytrace=False)
    if assets.missing():
        pytest.fail("the browser assets are missing: run `make setup`", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def now() -> datetime:
    """The present instant, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def people(connection: Connection) -> None:
    """Two people at the desk, one reading Chinese and one English."""
    accounts.add_user(connection, "li.na", "李娜", "operator", PASSWORD, "zh_CN")
    accounts.add_user(connection, "ann", "Ann Wang", "admin", PASSWORD, "en")


@pytest.fixture
def console(settings: Settings, people: None) -> Iterator[str]:
    """The address of a running server on the test's database."""
    told: list[str] = []
    announced, stop = Event(), Event()

    def announce(address: str) -> None:
        told.append(address)
        announced.set()

    chosen = settings.model_copy(update={"port": 0})
    thread = Thread(target=run, args=(chosen, stop), kwargs={"announce": announce})
    thread.start()
    assert announced.wait(20), "the server does not start"
    yield told[0]
    stop.set()
    thread.join(15)
    assert not thread.is_alive(), "the server does not stop"


@pytest.fixture
def page(browser: Browser, console: str) -> Iterator[Page]:
    """A page that fails the test on any script error or refused script, style or image."""
    context = browser.new_context(
        base_url=console, viewport={"width": 1366, "height": 900}, locale="en-GB"
    )
    context.set_default_timeout(15_000)
    own = context.new_page()
    wrong: list[str] = []
    own.on("pageerror", lambda error: wrong.append(str(error)))
    own.on(
        "console",
        lambda message: (
            wrong.append(message.text)
            if message.type == "error" and "Content Security Policy" in message.text
            else None
        ),
    )
    yield own
    context.close()
    assert not wrong, wrong


def sign_in(page: Page, login: str = "ann", password: str = PASSWORD) -> None:
    """Sign in and wait for the queue."""
    page.goto("/console/login")
    page.fill("#login", login)
    page.fill("#password", password)
    page.click(".sign-in .primary")
    page.wait_for_selector(".strip .tile")


def wait_live(page: Page) -> None:
    """Wait until the event stream is open."""
    page.wait_for_selector("#live.on")


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where screenshots go."""
    folder = Path(os.environ.get(SCREENSHOTS) or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
