"""One reader of one page: who, in which language and zone, with which CSRF token; and rendering."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from babel.support import Translations
from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.console import assets, colours, labels
from api.console.clocks import running
from api.console.i18n import NAMES, choose, translations
from api.console.words import Words
from api.identity import COOKIE, csrf_holds, csrf_token, from_own_pages, session_of
from api.parts import Parts, PartsOf
from api.problems import Denied
from hearthline.domain.policies import Policy
from hearthline.storage.accounts import Account

LANGUAGE_COOKIE = "hearthline_language"
GUEST_COOKIE = "hearthline_guest"  # a secret for the CSRF token of the sign-in form
YEAR_S = 365 * 24 * 3600
PAGES = {"ticket": "tickets", "building": "buildings", "unit": "units", "station": "stations"}
POLICY_KEPT_S = 30.0


@lru_cache
def environment(locale: str) -> Environment:
    """Templates with the catalogue of one language."""
    made = Environment(
        loader=PackageLoader("api.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue: Translations = translations(locale)
    made.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    made.policies["ext.i18n.trimmed"] = True
    made.globals.update(step=colours.step, running=running, link=link)
    return made


def link(kind: str, code: str) -> str:
    """The address of a page about something; codes may hold any character but a slash."""
    return f"/console/{PAGES[kind]}/{quote(code, safe='')}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page, and how it speaks to them; ``account`` is None before sign-in."""

    request: Request
    parts: Parts
    account: Account | None
    words: Words
    policy: Policy
    secret: str

    @property
    def csrf(self) -> str:
        """What every form of this page carries."""
        return csrf_token(self.secret)

    @property
    def login(self) -> str:
        """The name that the ticket's log will say."""
        return self.account.login if self.account else ""

    @property
    def role(self) -> str:
        """The role of whoever is signed in."""
        return self.account.role if self.account else ""

    def check(self, token: str) -> None:
        """Refuse a form that did not come from one of our pages.

        Raises:
            Denied: its token is wrong, or the browser says that it comes from another site (403).
        """
        if not csrf_holds(self.secret, token) or not from_own_pages(self.request):
            raise Denied(
                self.words.gettext("This form is too old or came from another site."),
                self.words.gettext("Go back, reload the page and send it again."),
                status=403,
            )

    def render(
        self, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
    ) -> HTMLResponse:
        """A page or a part of one."""
        text = (
            environment(self.words.locale)
            .get_template(template)
            .render(
                {
                    "reader": self,
                    "w": self.words,
                    "languages": NAMES,
                    "version": assets.version(),
                    "missing_assets": assets.missing(),
                    "remedy": assets.REMEDY,
                    "refusal": partial(labels.refusal, self.words),
                    "grade_reason": partial(labels.grade_reason, self.words),
                    "grade_measure": partial(labels.grade_measure, self.words),
                    "balance_reason": partial(labels.balance_reason, self.words),
                    "told": partial(labels.told, self.words),
                    "page": "",
                    **(context or {}),
                }
            )
        )
        response = HTMLResponse(text, status, headers={"Cache-Control": "no-store"})
        if self.account is None and GUEST_COOKIE not in self.request.cookies:
            set_cookie(self.request, response, GUEST_COOKIE, self.secret)
        return response


def set_cookie(
    request: Request, response: Response, name: str, value: str, *, max_age_s: int | None = None
) -> None:
    """A cookie that scripts cannot read and other sites cannot send with a form."""
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )


def anybody(request: Request, parts: PartsOf) -> Reader:
    """Whoever reads, signed in or not."""
    return reader_for(request, parts, session_of(request, parts))


def reader_for(request: Request, parts: Parts, account: Account | None) -> Reader:
    """The reader of a page for an account that is known already."""
    policy = _policy(parts)
    locale = choose(
        request.cookies.get(LANGUAGE_COOKIE),
        account.locale if account else None,
        accept_language=request.headers.get("accept-language", ""),
    )
    secret = request.cookies.get(COOKIE if account else GUEST_COOKIE) or secrets.token_urlsafe(24)
    return Reader(
        request, parts, account, Words(locale, policy.zone(), parts.clock()), policy, secret
    )


def signed_in(reader: Annotated[Reader, Depends(anybody)]) -> Reader:
    """Whoever is signed in.

    Raises:
        Denied: nobody is; pages are then led to the sign-in form.
    """
    if reader.account is None:
        raise Denied(reader.words.gettext("Please sign in."))
    return reader


Anybody = Annotated[Reader, Depends(anybody)]
SignedIn = Annotated[Reader, Depends(signed_in)]


def to_sign_in(request: Request) -> Response:
    """The way to the sign-in form and back; scripts are told to load the whole page."""
    address = "/console/login"
    if request.method == "GET" and "hx-request" not in request.headers:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        address = str(request.url_for("sign_in_form").include_query_params(next=back))
        parts = urlsplit(address)
        address = f"{parts.path}?{parts.query}"
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def safe_next(address: str) -> str:
    """An address within the console, or its first page: never somebody else's site."""
    parts = urlsplit(address)
    inside = not parts.scheme and not parts.netloc and parts.path.startswith("/console")
    if not inside or "\\" in address or not address.isprintable():
        return "/console"
    return address


def _policy(parts: Parts) -> Policy:
    def load() -> Policy:
        with parts.transaction() as connection:
            return parts.policy(connection)

    return parts.keep("policy", POLICY_KEPT_S, load)
