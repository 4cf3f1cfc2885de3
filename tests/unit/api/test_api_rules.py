"""Cursors, attempts, figures kept for a moment, assets and the fan-out of news."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import cursors
from api.attempts import ALLOWED, ALLOWED_PER_ADDRESS, REMEMBERED, WITHIN, Attempts
from api.console import assets
from api.identity import csrf_holds, csrf_token, from_own_pages
from api.live import Live, News
from api.parts import Parts
from api.v1.places import tree
from hearthline.errors import Invalid
from hearthline.payloads import readable
from hearthline.storage.queries import family
from hearthline.storage.views.statements import FAMILIES, statement

NOW = datetime(2025, 12, 4, 20, 30, tzinfo=UTC)
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))


@given(TEXT, st.integers(-(2**63), 2**63 - 1))
def test_a_cursor_gives_back_what_it_was_made_of(text: str, number: int) -> None:
    assert cursors.decode(cursors.encode([text, number]), str, int) == [text, number]


@given(st.text())
def test_anything_else_is_refused_and_never_breaks(text: str) -> None:
    with pytest.raises(Invalid):
        _instant_in(text)


def _instant_in(cursor: str) -> datetime:
    parts = cursors.decode(cursor, datetime)
    return cursors.instant(parts[0] if parts else "")


@pytest.mark.parametrize("key", [[1, 2], ["a"], ["a", True], ["a", 2**63], ["a\0", 1], {"a": 1}])
def test_a_cursor_of_another_shape_is_refused(key: object) -> None:
    with pytest.raises(Invalid):
        cursors.decode(cursors.encode(key), str, int)  # type: ignore[arg-type]


def test_a_login_may_fail_a_few_times_and_then_waits() -> None:
    attempts = Attempts()
    for n in range(ALLOWED):
        assert attempts.wait("ann", "a", NOW) is None
        attempts.failed("ann", "a", NOW + timedelta(seconds=n))
    assert attempts.wait("ann", "b", NOW + timedelta(seconds=9)) == WITHIN - timedelta(seconds=9)
    assert attempts.wait("bob", "a", NOW) is None
    assert attempts.wait("ann", "a", NOW + WITHIN + timedelta(seconds=9)) is None


def test_an_address_that_tries_many_logins_waits_too_and_success_forgives_the_login_only() -> None:
    attempts = Attempts()
    for n in range(ALLOWED_PER_ADDRESS):
        attempts.failed(f"user{n}", "a", NOW)
    attempts.succeeded("user1")
    assert attempts.wait("new", "a", NOW) is not None
    assert attempts.wait("new", "b", NOW) is None


def test_remembered_failures_are_bounded() -> None:
    attempts = Attempts()
    for n in range(REMEMBERED):
        attempts.failed(f"u{n}", f"a{n}", NOW)
    assert len(attempts._failures) == REMEMBERED


def test_a_csrf_token_belongs_to_one_cookie() -> None:
    assert csrf_holds("cookie", csrf_token("cookie"))
    assert not csrf_holds("cookie", csrf_token("other"))
    assert not csrf_holds("cookie", "ü")


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "http://h", "host": "h"}, False),
        ({"origin": "http://h:1", "host": "h:1"}, True),
        ({"origin": "null", "host": "h"}, False),
        ({"host": "h"}, True),
    ],
)
def test_a_browser_tells_where_a_request_comes_from(headers: dict[str, str], ours: bool) -> None:
    assert from_own_pages(SimpleNamespace(headers=headers)) is ours  # type: ignore[arg-type]


def test_a_figure_is_computed_once_for_a_while_and_not_kept_when_it_failed() -> None:
    instants = [NOW, NOW + timedelta(seconds=1), NOW + timedelta(seconds=6)]
    clock = iter(instants)
    parts = Parts(None, None, None, lambda: next(clock))  # type: ignore[arg-type]
    computed = iter([1, 2])
    assert [parts.keep("x", 5, lambda: next(computed)) for _ in instants] == [1, 1, 2]


def test_payloads_are_shown_as_text_where_they_are_text() -> None:
    assert readable("室温 21".encode()) == "室温 21"
    assert readable(b"\xff\x00") == "ff 00"
    assert readable(b"a\x07b") == "61 07 62"


def test_rows_nest_under_their_parents() -> None:
    rows = [
        {"code": code, "parent": parent, "kind": kind, "name": code, "name_zh": "", "path": code,
         "seq": 0}
        for code, parent, kind in [("S", None, "source"), ("A", "S", "substation")]
    ]  # fmt: skip
    (root,) = tree(rows)
    assert [child.code for child in root.children] == ["A"]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_statement_of_the_read_models_has_its_fragments_filled_in(name: str) -> None:
    for query in family(name):
        if query not in {"room_now", "unit_now", "room_figures", "ticket_rows", "ticket_filter"}:
            assert not re.search(r"\{\w+\}", statement(name, query))


def test_libraries_are_looked_for_in_the_named_folder_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / assets.LIBRARIES["htmx.js"]
    file.parent.mkdir(parents=True)
    file.write_text("x")
    monkeypatch.setenv("HEARTHLINE_ASSETS", str(tmp_path))
    assert assets.library("htmx.js") == file
    assert assets.library("../view.py") is None


def test_our_files_are_served_and_nothing_around_them() -> None:
    assert assets.own("console.css") is not None
    assert assets.own("../view.py") is None
    assert assets.own("") is None


async def test_a_burst_of_news_reaches_every_page_as_one() -> None:
    live = Live("postgresql://nowhere")
    streams = [live.news() for _ in range(2)]
    waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await asyncio.sleep(0)
    for number in ("1", "2", "1"):
        live._publish(number)
    assert await asyncio.gather(*waiting) == [News(("1", "2"))] * 2
    again = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await asyncio.sleep(0)
    live._publish(None)
    assert await asyncio.gather(*again) == [News((), everything=True)] * 2


async def test_closing_ends_every_stream_at_once() -> None:
    live = Live("postgresql://nowhere")
    ending = asyncio.ensure_future(anext(live.news(), "ended"))
    await asyncio.sleep(0)
    live.close()
    assert await asyncio.wait_for(ending, 1) == "ended"
