"""A twin of the few Grafana endpoints that publishing uses, for machines without Grafana.

It follows Grafana's documented HTTP API: paths, required fields, status codes, the shape of the
answers, and who may do what. It knows nothing of dashboards beyond that: that a panel draws is
for a real Grafana to show. Everything it is told is kept in plain dictionaries for tests to see.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Answer = tuple[int, Json]

MAX_UID = 40
_RANK = {"Viewer": 0, "Editor": 1, "Admin": 2}


@dataclass
class Grafana:
    """What one Grafana holds, and how it behaves."""

    version: str = "11.6.0"
    prefix: str = ""
    tokens: dict[str, str] = field(default_factory=lambda: {"admin-token": "Admin"})
    database_password: str = "right"
    folders: dict[str, Json] = field(default_factory=dict)
    sources: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, Json] = field(default_factory=dict)
    dashboards: dict[str, Json] = field(default_factory=dict)
    metas: dict[str, Json] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    writes: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, method: str, path: str, token: str | None, body: Any) -> Answer:
        """What Grafana answers to one request."""
        if not path.startswith(f"{self.prefix}/api/"):
            return 404, {"message": "Not found"}
        route = path.removeprefix(f"{self.prefix}/api")
        if route in self.failing:
            return 500, {"message": "Internal server error", "traceID": ""}
        if route == "/health":
            return 200, {"commit": "abc", "database": "ok", "version": self.version}
        return self._authorised(method, route, token, body)

    def _authorised(self, method: str, route: str, token: str | None, body: Any) -> Answer:
        role = self.tokens.get(token or "")
        if role is None:
            return 401, {"message": "Invalid API key"}
        handler, least = self._handler(method, route)
        if handler is None:
            return 404, {"message": "Not found"}
        if _RANK[role] < _RANK[least]:
            message = "You'll need additional permissions to perform this action."
            return 403, {"accessErrorId": "ACE0", "message": message, "title": "Access denied"}
        if method != "GET":
            if not isinstance(body, dict):
                return 400, {"message": "bad request data"}
            self.writes.append(f"{method} {route}")
        return handler(route.rsplit("/", 1)[-1], body)

    def _handler(self, method: str, route: str) -> tuple[Callable[[str, Any], Answer] | None, str]:
        if route.startswith("/datasources/uid/") and route.endswith("/health"):
            uid = route.split("/")[3]
            return (lambda _, __: self._source_health(uid)), "Viewer"
        parents = {
            ("GET", "/folders"): (self._get_folder, "Viewer"),
            ("PUT", "/folders"): (self._update_folder, "Editor"),
            ("GET", "/datasources/uid"): (self._get_source, "Admin"),
            ("PUT", "/datasources/uid"): (self._update_source, "Admin"),
            ("GET", "/dashboards/uid"): (self._get_dashboard, "Viewer"),
        }
        exact = {
            ("POST", "/folders"): (self._create_folder, "Editor"),
            ("POST", "/datasources"): (self._create_source, "Admin"),
            ("POST", "/dashboards/db"): (self._save_dashboard, "Editor"),
        }
        return exact.get((method, route)) or parents.get(
            (method, route.rsplit("/", 1)[0]), (None, "Viewer")
        )

    # ── folders ─────────────────────────────────────────────────────────────────────────────

    def _get_folder(self, uid: str, _: Any) -> Answer:
        if uid not in self.folders:
            return 404, {"message": "folder not found", "status": "not-found"}
        return 200, self.folders[uid]

    def _create_folder(self, _: str, body: Json) -> Answer:
        uid, title = body.get("uid") or f"generated{len(self.folders)}", body.get("title")
        if not title:
            return 400, {"message": "folder title cannot be empty"}
        if len(uid) > MAX_UID:
            return 400, {"message": "uid too long, max 40 characters"}
        if uid in self.folders:
            return 409, {"message": "a folder with the same uid already exists"}
        self.folders[uid] = {
            "id": len(self.folders) + 1,
            "uid": uid,
            "title": title,
            "url": f"/dashboards/f/{uid}/x",
            "version": 1,
        }
        return 200, self.folders[uid]

    def _update_folder(self, uid: str, body: Json) -> Answer:
        if uid not in self.folders:
            return 404, {"message": "folder not found"}
        folder = self.folders[uid]
        if not body.get("overwrite") and body.get("version") != folder["version"]:
            return 412, {
                "message": "the folder has been changed by someone else",
                "status": "version-mismatch",
            }
        folder |= {"title": body.get("title", folder["title"]), "version": folder["version"] + 1}
        return 200, folder

    # ── data sources ────────────────────────────────────────────────────────────────────────

    def _get_source(self, uid: str, _: Any) -> Answer:
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        return 200, self.sources[uid]

    def _create_source(self, _: str, body: Json) -> Answer:
        if not all(body.get(key) for key in ("name", "type", "access")):
            return 400, {"message": "bad request data"}
        if any(body["name"] == source["name"] for source in self.sources.values()):
            return 409, {"message": "data source with the same name already exists"}
        uid = body.get("uid") or f"generated{len(self.sources)}"
        if uid in self.sources:
            return 409, {"message": "data source with the same uid already exists"}
        return self._store_source(uid, body, 1, "Datasource added")

    def _update_source(self, uid: str, body: Json) -> Answer:
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        if self.sources[uid]["readOnly"]:
            return 403, {"message": "Cannot update read-only data source"}
        if not all(body.get(key) for key in ("name", "type", "access")):
            return 400, {"message": "bad request data"}
        return self._store_source(uid, body, self.sources[uid]["version"] + 1, "Datasource updated")

    def _store_source(self, uid: str, body: Json, version: int, message: str) -> Answer:
        self.secrets.setdefault(uid, {}).update(body.get("secureJsonData") or {})
        self.sources[uid] = {
            "id": len(self.sources) + 1,
            "orgId": 1,
            "typeLogoUrl": "",
            "password": "",
            "user": "",
            "database": "",
            "basicAuth": False,
            "withCredentials": False,
            "isDefault": False,
            "jsonData": {},
            **{key: value for key, value in body.items() if key != "secureJsonData"},
            "uid": uid,
            "secureJsonFields": dict.fromkeys(self.secrets[uid], True),
            "version": version,
            "readOnly": False,
        }
        found = self.sources[uid]
        return 200, {
            "datasource": found,
            "id": found["id"],
            "message": message,
            "name": found["name"],
        }

    def _source_health(self, uid: str) -> Answer:
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        if self.secrets[uid].get("password") != self.database_password:
            return 400, {"status": "ERROR", "message": "pq: password authentication failed"}
        return 200, {"status": "OK", "message": "Database Connection OK"}

    # ── dashboards ──────────────────────────────────────────────────────────────────────────

    def _get_dashboard(self, uid: str, _: Any) -> Answer:
        if uid not in self.dashboards:
            return 404, {"message": "Dashboard not found"}
        return 200, {"dashboard": self.dashboards[uid], "meta": self.metas[uid]}

    def _save_dashboard(self, _: str, body: Json) -> Answer:
        model, folder = body.get("dashboard"), body.get("folderUid") or ""
        if not isinstance(model, dict):
            return 400, {"message": "bad request data"}
        uid = model.get("uid") or f"generated{len(self.dashboards)}"
        known = self.dashboards.get(uid)
        refusal = self._refusal(model, uid, folder, known, overwrite=bool(body.get("overwrite")))
        if refusal is not None:
            return refusal
        number = known["id"] if known else len(self.dashboards) + 1
        version = known["version"] + 1 if known else 1
        self.dashboards[uid] = {**model, "uid": uid, "id": number, "version": version}
        slug = model["title"].lower().replace(" ", "-")
        url = f"/d/{uid}/{slug}"
        self.metas[uid] = {"folderUid": folder, "url": url, "provisioned": False}
        answer = {"id": number, "uid": uid, "url": url, "version": version, "slug": slug}
        return 200, {"status": "success", **answer}

    def _refusal(
        self, model: Json, uid: str, folder: str, known: Json | None, *, overwrite: bool
    ) -> Answer | None:
        tests: tuple[tuple[bool, Answer], ...] = (
            (
                not model.get("title"),
                (400, {"message": "Dashboard title cannot be empty", "status": "empty-name"}),
            ),
            (len(uid) > MAX_UID, (400, {"message": "uid too long, max 40 characters"})),
            (bool(folder) and folder not in self.folders, (400, {"message": "folder not found"})),
            (
                known is not None and bool(self.metas[uid].get("provisioned")),
                (400, {"message": "Cannot save provisioned dashboard"}),
            ),
            (
                known is not None and not overwrite and model.get("version") != known["version"],
                (
                    412,
                    {
                        "message": "The dashboard has been changed by someone else",
                        "status": "version-mismatch",
                    },
                ),
            ),
        )
        return next((answer for stands, answer in tests if stands), None)


@contextmanager
def serve(grafana: Grafana | None = None) -> Iterator[Grafana]:
    """A Grafana on a free port of loopback; ``url`` tells where."""
    twin = grafana or Grafana()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits for an acknowledgement

        def _run(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                body = None
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
            status, answer = twin.answer(self.command, self.path.partition("?")[0], token, body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = _run

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    twin.url = f"http://127.0.0.1:{server.server_port}{twin.prefix}"
    try:
        yield twin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
