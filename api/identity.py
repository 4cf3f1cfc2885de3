"""Who is asking: a person with a session cookie, or a machine with a key.

A cookie is sent by browsers without being asked, so an unsafe request that relies on one must
come from our own pages (``Sec-Fetch-Site``, ``Origin``) and, in the console, carry the session's
CSRF token. A key is never sent by accident and needs neither.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from api.parts import Parts, PartsOf
from api.problems import Denied
from hearthline.storage import accounts
from hearthline.storage.accounts import Account

COOKIE = "hearthline_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ENGINEERS = frozenset({"engineer", "admin"})
SEES_CONTACTS = frozenset({"operator", "agent", "crew", "admin"})

_bearer = HTTPBearer(auto_error=False, description="A key made with `hearthline key add`.")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="The console's session.")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts; ``name`` is what the ticket's log will say."""

    name: str
    role: str
    account: Account | None = None


def csrf_token(secret: str) -> str:
    """The token that a form must carry, derived from the cookie that its page was served with."""
    return hmac.new(secret.encode(), b"hearthline-csrf", hashlib.sha256).hexdigest()


def csrf_holds(secret: str, token: str) -> bool:
    """Whether a form's token belongs to the cookie."""
    return hmac.compare_digest(csrf_token(secret).encode(), token.encode())


def from_own_pages(request: Request) -> bool:
    """Whether a browser says that the request comes from our own origin.

    Clients that are no browsers send neither header and are let through: they do not send
    somebody else's cookie either.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def session_of(request: Request, parts: Parts) -> Account | None:
    """The person whose session cookie came along, if it is still good."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    with parts.transaction() as connection:
        return accounts.session_account(connection, token, now=parts.clock())


def actor(
    request: Request,
    parts: PartsOf,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    _session: Annotated[str | None, Security(_cookie)] = None,
) -> Actor:
    """Who is asking.

    Raises:
        Denied: nobody we know (401), or a cookie used from a foreign page (403).
    """
    if bearer is not None:
        with parts.transaction() as connection:
            owner = accounts.key_owner(connection, bearer.credentials)
        if owner is None:
            raise Denied("This key is not known.", "Ask for one, or make it: hearthline key add.")
        return Actor(f"key:{owner[0]}", owner[1])
    account = session_of(request, parts)
    if account is None:
        raise Denied("Nobody is signed in.", "Send Authorization: Bearer KEY, or sign in.")
    if request.method not in SAFE_METHODS and not from_own_pages(request):
        raise Denied("This request comes from another site.", status=403)
    return Actor(account.login, account.role, account)


def engineer(who: Annotated[Actor, Depends(actor)]) -> Actor:
    """The same, for what only engineers and administrators see.

    Raises:
        Denied: the role is another (403).
    """
    if who.role not in ENGINEERS:
        raise Denied("Only engineers and administrators see this.", status=403)
    return who


Who = Annotated[Actor, Depends(actor)]
Engineer = Annotated[Actor, Depends(engineer)]
