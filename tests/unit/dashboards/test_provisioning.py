"""What Grafana reads from files agrees with what the code builds and publishes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.publish import FOLDER_TITLE, FOLDER_UID
from dashboards.source import SOURCE_USER, DataSource
from hearthline.storage.roles import READER

PROVISIONING = Path(__file__).resolve().parents[3] / "deploy/grafana/provisioning"


def load(name: str) -> Any:
    return yaml.safe_load((PROVISIONING / name).read_text(encoding="utf-8"))


@pytest.fixture
def source() -> dict[str, Any]:
    (found,) = load("datasources/hearthline.yaml")["datasources"]
    return dict(found)


@pytest.fixture
def provider() -> dict[str, Any]:
    (found,) = load("dashboards/hearthline.yaml")["providers"]
    return dict(found)


def test_the_provisioned_source_is_the_published_one(source: dict[str, Any]) -> None:
    wanted = DataSource(source["url"], "hearthline", "x").model()
    assert {key: source[key] for key in wanted} == wanted


def test_it_reads_as_the_reading_role(source: dict[str, Any]) -> None:
    assert source["user"] == SOURCE_USER == READER
    assert source["editable"] is False


def test_nothing_secret_stands_in_the_file(source: dict[str, Any]) -> None:
    assert source["secureJsonData"] == {"password": "${HEARTHLINE_GRAFANA_READER_PASSWORD}"}
    assert re.fullmatch(r"\$\{HEARTHLINE_[A-Z_]+\}", source["url"])


def test_the_folder_is_the_published_one(provider: dict[str, Any]) -> None:
    assert (provider["folder"], provider["folderUid"]) == (FOLDER_TITLE, FOLDER_UID)
    assert provider["type"] == "file"
    assert provider["options"]["path"].startswith("/var/lib/grafana/")
