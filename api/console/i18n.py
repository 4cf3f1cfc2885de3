"""Words in the reader's language, from gettext catalogues compiled in memory at first use.

Names of causes, states and evidence come from ``hearthline.domain.sentences``; everything else a
page says is a message here. To renew the catalogues after changing a page::

    pybabel extract -F api/console/babel.cfg -k gettext -k N_ -o messages.pot api
    pybabel update -i messages.pot -d api/console/locale -D console --no-wrap --ignore-obsolete
"""

from __future__ import annotations

import io
from functools import lru_cache
from importlib.resources import files

from babel.core import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from hearthline.domain.sentences import LOCALES

DEFAULT = "zh_CN"
NAMES = {"zh_CN": "中文", "en": "English"}
DOMAIN = "console"


@lru_cache
def translations(locale: str) -> Translations:
    """The catalogue of one of ``LOCALES``."""
    path = files("api.console") / "locale" / locale / "LC_MESSAGES" / f"{DOMAIN}.po"
    catalogue = read_po(io.BytesIO(path.read_bytes()), locale=locale, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


@lru_cache
def locale_of(code: str) -> Locale:
    """Babel's rules for dates and numbers."""
    return Locale.parse(code)


def choose(*wishes: str | None, accept_language: str = "") -> str:
    """The first wish that we have, else the best of the browser's languages, else Chinese."""
    for wish in wishes:
        if wish in LOCALES:
            return str(wish)
    asked = [part.split(";")[0].strip().replace("-", "_") for part in accept_language.split(",")]
    for tag in asked:
        language = tag.split("_")[0].lower()
        for locale in LOCALES:
            if locale.split("_")[0] == language:
                return locale
    return DEFAULT


def html_lang(locale: str) -> str:
    """The tag for ``<html lang>``."""
    return {"zh_CN": "zh-CN"}.get(locale, locale)
