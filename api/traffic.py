"""Every request gets an id, a line in the metrics and the security headers of a closed network.

Written as plain ASGI so that event streams pass through untouched.
"""

from __future__ import annotations

import re
import secrets
import time

from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter(
    "hearthline_http_requests_total", "Requests answered", ["method", "route", "status"]
)
SECONDS = Histogram(
    "hearthline_http_request_seconds",
    "Time to the first byte of an answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_ID = re.compile(r"^[\w.-]{1,64}$")


class Traffic:
    """ASGI middleware: request ids, metrics, headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                SECONDS.labels(*_labels(scope)).observe(time.perf_counter() - started)
            await send(message)

        try:
            await self.app(scope, receive, answer)
        finally:
            REQUESTS.labels(*_labels(scope), str(status)).inc()


def _labels(scope: Scope) -> tuple[str, str]:
    """Method and route template: never the address itself, whose values are endless."""
    method = scope["method"] if scope["method"] in METHODS else "other"
    template = getattr(scope.get("route"), "path", None)
    return method, "unrouted" if template is None else _whole(template, scope["path"])


def _whole(template: str, path: str) -> str:
    """A route's template with the prefixes of the routers around it, which hold no values."""
    if ":path" in template:
        return template
    parts = path.split("/")
    return "/".join(parts[: len(parts) - template.count("/")]) + template


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if _ID.match(text):
                return str(text)
    return secrets.token_hex(8)
