"""Publishing to a twin of Grafana: once in full, twice not at all, and clear about failures."""

from __future__ import annotations

import copy
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dashboards.build import models_of_all
from dashboards.publish import FOLDER_UID, ping, publish, publish_to
from dashboards.source import SOURCE_UID, DataSource
from hearthline.errors import Conflict, HearthlineError, PartAway, SettingsError
from hearthline.settings import Settings
from tests.twins.grafana import Grafana, serve

SOURCE = DataSource("timescale:5432", "hearthline", "right")
UIDS = {model["uid"] for model in models_of_all()}


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with serve() as twin:
        yield twin


def test_everything_arrives(grafana: Grafana) -> None:
    found = publish_to(grafana.url, "admin-token", source=SOURCE, console="https://heat.example")
    assert set(found.changed) == UIDS | {SOURCE_UID, FOLDER_UID}
    assert found.unchanged == ()
    assert found.version == "11.6.0"
    assert grafana.folders[FOLDER_UID]["title"] == "Hearthline"
    assert set(grafana.dashboards) == UIDS
    assert {meta["folderUid"] for meta in grafana.metas.values()} == {FOLDER_UID}
    source = grafana.sources[SOURCE_UID]
    assert source["type"] == "grafana-postgresql-datasource"
    assert source["jsonData"]["timescaledb"] is True
    assert source["secureJsonFields"] == {"password": True}
    assert "right" not in str(source)
    assert f"{grafana.url}/d/hearthline-heat-balance-en" in found.urls
    (console,) = (
        variable["query"]
        for variable in grafana.dashboards["hearthline-heat-balance-en"]["templating"]["list"]
        if variable["name"] == "console"
    )
    assert console == "https://heat.example"


def test_a_second_time_changes_nothing(grafana: Grafana) -> None:
    publish_to(grafana.url, "admin-token", source=SOURCE)
    before = copy.deepcopy((grafana.dashboards, grafana.sources, grafana.folders, grafana.metas))
    grafana.writes.clear()
    found = publish_to(grafana.url, "admin-token", source=SOURCE)
    assert found.changed == ()
    assert set(found.unchanged) == UIDS | {SOURCE_UID, FOLDER_UID}
    assert grafana.writes == []
    assert (grafana.dashboards, grafana.sources, grafana.folders, grafana.metas) == before


def test_what_somebody_changed_by_hand_is_put_right(grafana: Grafana) -> None:
    publish_to(grafana.url, "admin-token", source=SOURCE)
    grafana.dashboards["hearthline-heat-balance-en"]["panels"] = []
    grafana.metas["hearthline-room-temperatures-zh"]["folderUid"] = ""
    grafana.folders[FOLDER_UID]["title"] = "Old"
    grafana.sources[SOURCE_UID]["url"] = "elsewhere:5432"
    found = publish_to(grafana.url, "admin-token", source=SOURCE)
    assert set(found.changed) == {
        SOURCE_UID,
        FOLDER_UID,
        "hearthline-heat-balance-en",
        "hearthline-room-temperatures-zh",
    }
    assert grafana.dashboards["hearthline-heat-balance-en"]["version"] == 2
    assert grafana.sources[SOURCE_UID]["url"] == "timescale:5432"


def test_a_new_database_password_is_sent_though_the_old_cannot_be_read(grafana: Grafana) -> None:
    publish_to(grafana.url, "admin-token", source=SOURCE)
    grafana.database_password = "new"
    found = publish_to(grafana.url, "admin-token", source=replace(SOURCE, password="new"))
    assert found.changed == (SOURCE_UID,)
    assert grafana.secrets[SOURCE_UID] == {"password": "new"}


def test_without_a_source_an_editor_is_enough(grafana: Grafana) -> None:
    grafana.tokens["editor-token"] = "Editor"
    found = publish_to(grafana.url, "editor-token")
    assert set(found.changed) == UIDS | {FOLDER_UID}
    assert grafana.sources == {}


def test_a_source_provisioned_by_file_is_left_alone(grafana: Grafana) -> None:
    publish_to(grafana.url, "admin-token", source=SOURCE)
    grafana.sources[SOURCE_UID] |= {"readOnly": True, "url": "from-file:5432"}
    assert publish_to(grafana.url, "admin-token", source=SOURCE).changed == ()


def test_a_dashboard_provisioned_by_file_is_a_conflict_with_a_remedy(grafana: Grafana) -> None:
    publish_to(grafana.url, "admin-token")
    uid = "hearthline-heat-balance-en"
    grafana.metas[uid]["provisioned"] = True
    assert publish_to(grafana.url, "admin-token").changed == ()
    grafana.dashboards[uid]["title"] = "Older"
    with pytest.raises(Conflict, match="from a file") as caught:
        publish_to(grafana.url, "admin-token")
    assert "dashboards build" in caught.value.remedy


def test_grafana_below_a_path_and_its_address_with_a_slash() -> None:
    with serve(Grafana(prefix="/grafana")) as grafana:
        publish_to(f"{grafana.url}/", "admin-token")
        assert set(grafana.dashboards) == UIDS


# ── failures: whose fault, and what to do ───────────────────────────────────────────────────


def refusal(url: str, *tokens: str) -> HearthlineError:
    with pytest.raises(HearthlineError) as caught:
        publish_to(url, *(tokens or ("admin-token",)), source=SOURCE, timeout_s=2)
    assert caught.value.sentence
    assert caught.value.remedy, "a failure must say what to do"
    return caught.value


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = refusal(f"http://127.0.0.1:{port}")
    assert isinstance(error, PartAway)
    assert "does not answer" in error.sentence


def test_somebody_listens_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        error = refusal(f"http://127.0.0.1:{mute.getsockname()[1]}")
    assert isinstance(error, PartAway)


def test_a_token_nobody_knows(grafana: Grafana) -> None:
    error = refusal(grafana.url, "stale")
    assert isinstance(error, SettingsError)
    assert "HEARTHLINE_GRAFANA_TOKEN" in error.remedy
    assert "stale" not in str(error)


def test_a_token_that_may_not(grafana: Grafana) -> None:
    grafana.tokens["viewer-token"] = "Viewer"
    error = refusal(grafana.url, "viewer-token")
    assert isinstance(error, SettingsError)
    assert "Admin" in error.remedy


def test_grafana_of_another_age(grafana: Grafana) -> None:
    grafana.version = "10.4.2"
    error = refusal(grafana.url)
    assert isinstance(error, Conflict)
    assert "10.4.2" in error.sentence
    assert grafana.writes == []


def test_a_hidden_version_is_given_the_benefit_of_the_doubt(grafana: Grafana) -> None:
    grafana.version = ""
    assert publish_to(grafana.url, "admin-token").version == ""


def test_a_server_that_fails(grafana: Grafana) -> None:
    grafana.failing = {"/dashboards/db"}
    error = refusal(grafana.url)
    assert isinstance(error, PartAway)
    assert "/dashboards/db" in error.sentence
    grafana.failing = set()
    publish_to(grafana.url, "admin-token", source=SOURCE)
    assert set(grafana.dashboards) == UIDS


def test_a_page_that_is_no_json(grafana: Grafana, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's log-in page with a wrong content type, say."""
    monkeypatch.setattr("tests.twins.grafana.json.dumps", lambda _: "<html>log in</html>")
    error = refusal(grafana.url)
    assert isinstance(error, PartAway)
    assert "not Grafana" in error.sentence


def test_an_address_where_something_else_lives(grafana: Grafana) -> None:
    error = refusal(f"{grafana.url}/wrong")
    assert isinstance(error, PartAway)
    assert "not Grafana" in error.sentence


@pytest.mark.parametrize("url", ["grafana.example:3000", "ftp://grafana", ""])
def test_an_address_that_is_none(url: str) -> None:
    assert isinstance(refusal(url), SettingsError)


def test_no_token() -> None:
    assert isinstance(refusal("http://127.0.0.1:1", ""), SettingsError)


def settings(grafana: Grafana, **over: str) -> Settings:
    values = {
        "grafana_url": grafana.url,
        "grafana_token": "admin-token",
        "database_url": "postgresql://u:p@db.example:6543/heat",
        **over,
    }
    return Settings(_env_file=None, **values)  # type: ignore[arg-type, call-arg]


def test_publishing_by_settings_with_the_reading_roles_password(grafana: Grafana) -> None:
    urls = publish(settings(grafana, grafana_reader_password="right", host="10.0.0.5"))
    assert urls == [f"{grafana.url}/d/{uid}" for uid in (m["uid"] for m in models_of_all())]
    assert grafana.sources[SOURCE_UID]["url"] == "db.example:6543"
    console = grafana.dashboards["hearthline-heat-balance-en"]["templating"]["list"][0]
    assert console["query"] == "http://10.0.0.5:8460"


def test_publishing_by_settings_without_it_leaves_data_sources_alone(grafana: Grafana) -> None:
    publish(settings(grafana))
    assert grafana.sources == {}


def test_a_ping_names_the_version_and_tries_the_token(grafana: Grafana) -> None:
    assert ping(settings(grafana)) == "Grafana 11.6.0"
    assert grafana.writes == []
    with pytest.raises(SettingsError, match="does not know the token"):
        ping(settings(grafana, grafana_token="stale"))
    grafana.version = "9.5.0"
    with pytest.raises(Conflict, match="too old"):
        ping(settings(grafana))


def test_credentials_in_the_address_are_not_repeated() -> None:
    error = refusal("http://admin:secret@127.0.0.1:1")
    assert "secret" not in str(error)


def test_the_source_follows_from_the_database_address() -> None:
    source = DataSource.from_url("postgresql://u:p@db.example:6543/heat", "reader")
    assert (source.host, source.database, source.password) == ("db.example:6543", "heat", "reader")
    assert DataSource.from_url("postgresql://db/heat", "x").host == "db:5432"


def test_an_address_without_a_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="no database"):
        DataSource.from_url("postgresql://db.example", "x")
