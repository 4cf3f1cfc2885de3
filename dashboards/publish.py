"""Publish folder, data source and dashboards to a running Grafana; twice changes nothing.

Everything has a fixed uid, is read first and written only where it differs, so that version
histories hold real changes. The stored password cannot be read back: it is taken to be right
while Grafana's own check of the data source passes, and sent again when it does not.

This is the only module that imports ``grafana_client``, and it uses its plain HTTP verbs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from grafana_client.api import GrafanaApi
from grafana_client.client import (
    GrafanaClientError,
    GrafanaException,
    GrafanaServerError,
    GrafanaTimeoutError,
)

from dashboards.build import CONSOLE, models_of_all
from dashboards.source import SOURCE_UID, DataSource
from hearthline.errors import Conflict, HearthlineError, PartAway, SettingsError
from hearthline.settings import Settings

FOLDER_UID = "hearthline"
FOLDER_TITLE = "Hearthline"
OLDEST = (11, 0)  # the schema that the dashboards are written in
MESSAGE = "published by hearthline"
PING_S = 5.0

CONSOLE_HOST = "127.0.0.1"  # where pages are looked at when the console listens on any address
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 — compared with, never listened on

_NOT_FOUND = 404
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_CONFLICTS = (409, 412)
_GRAFANAS_OWN = ("id", "version")  # fields of a dashboard that Grafana writes itself


@dataclass(frozen=True, slots=True)
class Published:
    """What was written (uids), and what was already as it should be."""

    version: str
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    urls: tuple[str, ...]


def publish(settings: Settings) -> list[str]:
    """Publish to the Grafana of the settings; returns the dashboards' addresses.

    The data source is included where the reading role's password is set, and then points at our
    own database address: right where Grafana reaches the database by the same one.

    Raises:
        SettingsError: no Grafana is configured; and whatever ``publish_to`` raises.
    """
    password = settings.grafana_reader_password
    source = DataSource.from_url(settings.require_database(), password) if password else None
    host = CONSOLE_HOST if settings.host in _ANY_ADDRESS else settings.host
    console = f"http://{host}:{settings.port}"
    url, token = settings.grafana_url or "", settings.grafana_token or ""
    return list(publish_to(url, token, source=source, console=console).urls)


def ping(settings: Settings) -> str:
    """What answers at the configured address, e.g. ``Grafana 11.6.0``; the token is tried too.

    Raises:
        SettingsError: no Grafana is configured; and whatever ``publish_to`` raises.
    """
    client = _Grafana(settings.grafana_url or "", settings.grafana_token or "", PING_S)
    version = client.version()
    client.get(f"/folders/{FOLDER_UID}")
    return f"Grafana {version}".strip()


def publish_to(
    url: str,
    token: str,
    *,
    source: DataSource | None = None,
    console: str = CONSOLE,
    timeout_s: float = 10.0,
) -> Published:
    """Bring a Grafana to what this release holds.

    Args:
        url: Grafana's address, e.g. ``https://grafana.example:3000``.
        token: of a service account with the role Admin (data source) or Editor (dashboards only).
        source: the database as Grafana sees it; None leaves data sources alone, for a Grafana
            that is provisioned by file.
        console: the address that links to tickets start with.
        timeout_s: patience per request.

    Raises:
        PartAway: Grafana does not answer, or not as Grafana does.
        SettingsError: address or token is wrong, or the token may not do this.
        Conflict: Grafana is too old, or something of ours is provisioned by file there.
    """
    client = _Grafana(url, token, timeout_s)
    version = client.version()
    outcome: dict[str, bool] = {}
    if source is not None:
        outcome[SOURCE_UID] = _put_source(client, source)
    outcome[FOLDER_UID] = _put_folder(client)
    urls = []
    for model in models_of_all(console=console):
        outcome[model["uid"]] = _put_dashboard(client, model)
        urls.append(f"{url.rstrip('/')}/d/{model['uid']}")
    return Published(
        version,
        tuple(uid for uid, written in outcome.items() if written),
        tuple(uid for uid, written in outcome.items() if not written),
        tuple(urls),
    )


def _put_source(client: _Grafana, source: DataSource) -> bool:
    path = f"/datasources/uid/{SOURCE_UID}"
    wanted = source.model()
    found = client.get(path)
    secret = {"secureJsonData": {"password": source.password}}
    if found is None:
        client.send("POST", "/datasources", wanted | secret)
        return True
    if found.get("readOnly"):
        return False
    if _covers(found, wanted) and client.get(f"{path}/health", quiet=True) is not None:
        return False
    client.send("PUT", path, wanted | secret)
    return True


def _put_folder(client: _Grafana) -> bool:
    found = client.get(f"/folders/{FOLDER_UID}")
    if found is None:
        client.send("POST", "/folders", {"uid": FOLDER_UID, "title": FOLDER_TITLE})
        return True
    if found.get("title") == FOLDER_TITLE:
        return False
    wanted = {"title": FOLDER_TITLE, "overwrite": True}
    client.send("PUT", f"/folders/{FOLDER_UID}", wanted)
    return True


def _put_dashboard(client: _Grafana, model: dict[str, Any]) -> bool:
    found = client.get(f"/dashboards/uid/{model['uid']}")
    if found is not None:
        stored = {k: v for k, v in found["dashboard"].items() if k not in _GRAFANAS_OWN}
        meta = found.get("meta", {})
        if stored == model and meta.get("folderUid") == FOLDER_UID:
            return False
        if meta.get("provisioned"):
            raise Conflict(
                f"Grafana reads the dashboard {model['uid']} from a file.",
                "Build its files anew with `hearthline dashboards build`, or stop provisioning it.",
            )
    client.send(
        "POST",
        "/dashboards/db",
        {
            "dashboard": model | {"id": None},
            "folderUid": FOLDER_UID,
            "message": MESSAGE,
            "overwrite": True,
        },
    )
    return True


def _covers(found: Any, wanted: Any) -> bool:
    """Whether everything wanted is there; Grafana adds fields of its own."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            _covers(found.get(key), value) for key, value in wanted.items()
        )
    return bool(found == wanted)


class _Grafana:
    """Grafana's HTTP API, its failures as sentences with a remedy."""

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"{url!r} is no address of a Grafana.",
                "Set HEARTHLINE_GRAFANA_URL like https://grafana.example:3000.",
            )
        if not token:
            raise SettingsError(
                "Grafana wants a token.",
                "Create a service account with the role Admin, and set HEARTHLINE_GRAFANA_TOKEN.",
            )
        path = parts.path.strip("/")
        self._shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._client = GrafanaApi(
            token,
            host=parts.hostname,
            port=parts.port,
            url_path_prefix=f"{path}/" if path else "",
            protocol=parts.scheme,
            timeout=timeout_s,
        ).client

    def version(self) -> str:
        """Grafana's version, which must be new enough."""
        health = self.get("/health")
        if not isinstance(health, dict) or "database" not in health:
            raise PartAway(
                f"What answers at {self._shown} is not Grafana.",
                "Check HEARTHLINE_GRAFANA_URL, also for a missing sub-path.",
            )
        version = str(health.get("version", ""))
        numbers = re.match(r"(\d+)\.(\d+)", version)
        if numbers and tuple(int(n) for n in numbers.groups()) < OLDEST:
            raise Conflict(
                f"Grafana {version} at {self._shown} is too old for these dashboards.",
                f"Upgrade it to {OLDEST[0]}.{OLDEST[1]} or newer.",
            )
        return version

    def get(self, path: str, *, quiet: bool = False) -> Any:
        """The answer, or None where there is no such thing; ``quiet``: nor where it fails."""
        try:
            return self._call("GET", path)
        except GrafanaClientError as error:
            if error.status_code == _NOT_FOUND or quiet:
                return None
            raise self._refused(path, error) from error

    def send(self, method: str, path: str, body: dict[str, Any]) -> None:
        """Write something."""
        try:
            self._call(method, path, body)
        except GrafanaClientError as error:
            raise self._refused(path, error) from error

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        run: Callable[..., Any] = getattr(self._client, method)
        try:
            return run(path, json=body) if body is not None else run(path)
        except GrafanaClientError:
            raise
        except GrafanaServerError as error:
            raise PartAway(
                f"Grafana at {self._shown} failed on {path}: {error.message}",
                "Its own log says why; then publish again.",
            ) from error
        except ValueError:  # no JSON: whoever answers is not Grafana
            return None
        except (GrafanaTimeoutError, OSError) as error:
            raise PartAway(
                f"Grafana at {self._shown} does not answer.",
                "Check HEARTHLINE_GRAFANA_URL and that Grafana runs.",
            ) from error
        except GrafanaException as error:
            raise PartAway(f"Grafana at {self._shown} answered oddly: {error.message}") from error

    def _refused(self, path: str, error: GrafanaClientError) -> HearthlineError:
        if error.status_code == _UNAUTHORIZED:
            return SettingsError(
                f"Grafana at {self._shown} does not know the token.",
                "Create a new one for its service account and set HEARTHLINE_GRAFANA_TOKEN.",
            )
        if error.status_code == _FORBIDDEN:
            return SettingsError(
                f"Grafana's token may not do {path}.",
                "Give its service account the role Admin, or publish without the data source.",
            )
        if error.status_code in _CONFLICTS:
            return Conflict(f"Grafana refused {path}: {_message(error)}", "Look there, then retry.")
        return Conflict(f"Grafana refused {path}: {_message(error)}")


def _message(error: GrafanaClientError) -> str:
    response: Any = error.response
    if isinstance(response, dict) and response.get("message"):
        return str(response["message"])
    return str(error.message)
