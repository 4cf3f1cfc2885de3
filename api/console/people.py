"""Sign in, sign out, choose a language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from api.console.i18n import NAMES
from api.console.view import (
    LANGUAGE_COOKIE,
    YEAR_S,
    Anybody,
    Reader,
    safe_next,
    set_cookie,
)
from api.identity import COOKIE
from hearthline.storage import accounts

router = APIRouter(prefix="/console", include_in_schema=False)


class SignIn(BaseModel):
    """The sign-in form."""

    login: Annotated[str, Field(max_length=200)] = ""
    password: Annotated[str, Field(max_length=1000)] = ""
    csrf: Annotated[str, Field(max_length=200)] = ""
    next: Annotated[str, Field(max_length=2000)] = "/console"


@router.get("/login", name="sign_in_form")
def sign_in_form(reader: Anybody, next: str = "/console") -> Response:
    """The sign-in form."""
    if reader.account is not None:
        return RedirectResponse(safe_next(next), 303)
    return reader.render("login.html", {"next": safe_next(next), "sentence": "", "login": ""})


@router.post("/login")
def sign_in(request: Request, reader: Anybody, form: Annotated[SignIn, Form()]) -> Response:
    """Check a password, a few tries at most, and start a session."""
    reader.check(form.csrf)
    parts, words = reader.parts, reader.words
    login = form.login.strip()
    address = request.client.host if request.client else ""
    wait = parts.attempts.wait(login, address, words.now)
    if wait is not None:
        minutes = max(1, round(wait.total_seconds() / 60))
        sentence = words.gettext(
            "Too many attempts. Try again in %(minutes)s min.", minutes=minutes
        )
        page = _again(reader, sentence, login, form.next, status=429)
        page.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
        return page
    account = None
    with parts.transaction() as connection:
        if "\x00" not in login:
            account = accounts.verify(connection, login, form.password)
        if account is not None:
            token = accounts.open_session(connection, account, now=words.now)
    if account is None:
        parts.attempts.failed(login, address, words.now)
        sentence = words.gettext("This login and password do not belong together.")
        return _again(reader, sentence, login, form.next, status=401)
    parts.attempts.succeeded(login)
    response = RedirectResponse(safe_next(form.next), 303)
    lifetime = int(accounts.SESSION_LIFETIME.total_seconds())
    set_cookie(request, response, COOKIE, token, max_age_s=lifetime)
    return response


@router.post("/logout")
def sign_out(
    request: Request, reader: Anybody, csrf: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """End the session."""
    if reader.account is not None:
        reader.check(csrf)
        with reader.parts.transaction() as connection:
            accounts.end_session(connection, request.cookies[COOKIE])
    response = RedirectResponse("/console/login", 303)
    response.delete_cookie(COOKIE, path="/")
    return response


@router.post("/language")
def choose_language(
    request: Request,
    reader: Anybody,
    locale: Annotated[str, Form(max_length=20)] = "",
    csrf: Annotated[str, Form(max_length=200)] = "",
    back: Annotated[str, Form(max_length=2000)] = "/console",
) -> Response:
    """Remember the language in a cookie and, for whoever is signed in, with the account."""
    reader.check(csrf)
    response = RedirectResponse(safe_next(back), 303)
    if locale in NAMES:
        set_cookie(request, response, LANGUAGE_COOKIE, locale, max_age_s=YEAR_S)
        if reader.account is not None:
            with reader.parts.transaction() as connection:
                accounts.set_locale(connection, reader.account, locale)
    return response


def _again(reader: Reader, sentence: str, login: str, following: str, *, status: int) -> Response:
    context = {"next": safe_next(following), "sentence": sentence, "login": login}
    return reader.render("login.html", context, status=status)
