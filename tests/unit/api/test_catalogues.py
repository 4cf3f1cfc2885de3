"""Every sentence of the console exists in Chinese, and no catalogue keeps what nobody says."""

from __future__ import annotations

import io
import re
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from api.console import labels
from api.console.i18n import choose
from api.console.words import Words
from hearthline.domain.sentences import LOCALES

ROOT = Path(__file__).resolve().parents[3]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
OPTIONS = {"**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
HAN = re.compile(r"[\u4e00-\u9fff]")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,:;?!]|[,:;?!][\u4e00-\u9fff]")


def said() -> set[str]:
    found = extract_from_dir(
        ROOT / "api" / "console", method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS
    )
    return {str(message) for _file, _line, message, _comments, _context in found if message}


def catalogue(locale: str) -> Catalog:
    path = files("api.console") / "locale" / locale / "LC_MESSAGES" / "console.po"
    return read_po(io.BytesIO(path.read_bytes()), locale=locale)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_catalogue_holds_exactly_what_is_said(locale: str) -> None:
    known = {str(message.id) for message in catalogue(locale) if message.id}
    assert said() - known == set()
    assert known - said() == set()


def test_every_sentence_is_chinese_with_the_same_places_for_values() -> None:
    for message in catalogue("zh_CN"):
        if not message.id:
            continue
        text = str(message.string)
        assert HAN.search(text), message.id
        assert not message.fuzzy, message.id
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(str(message.id)))
        assert not HALF_WIDTH.search(text), text


@pytest.mark.parametrize(
    ("wishes", "accepted", "chosen"),
    [
        (("en",), "zh", "en"),
        ((None, "zh_CN"), "en", "zh_CN"),
        (("xx", None), "de, en-GB;q=0.8", "en"),
        ((None,), "zh-TW,zh;q=0.9", "zh_CN"),
        ((None,), "fr", "zh_CN"),
        ((None,), "*", "zh_CN"),
        ((None,), "", "zh_CN"),
    ],
)
def test_the_language_is_the_first_wish_we_have(
    wishes: tuple[str | None, ...], accepted: str, chosen: str
) -> None:
    assert choose(*wishes, accept_language=accepted) == chosen


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("Ticket 1-2 has changed since you opened it.", "工单1-2在您打开后已有更新。"),
        (
            "A ticket that is closed does not take the action reply.",
            "工单处于“已回访”时不能“回复”。",
        ),
        ("There is no dwelling with the code 'x%sy'.", "没有编号为x%sy的地点。"),
        ("Something nobody foresaw.", "Something nobody foresaw."),
    ],
)
def test_errors_of_the_desk_are_told_in_chinese(
    chinese_reader: Words, english: str, chinese: str
) -> None:
    assert labels.told(chinese_reader, english) == chinese
