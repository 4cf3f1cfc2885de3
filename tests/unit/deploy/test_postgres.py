"""The settings that PostgreSQL runs with."""

import pytest
from stack.postgres import background_jobs, render, settings

GIB = 1024**3


def test_it_listens_on_loopback_only_and_on_no_socket_file():
    values = settings(54329, 24 * GIB, 0)
    assert values["listen_addresses"] == "'127.0.0.1'"
    assert values["unix_socket_directories"] == "''"
    assert values["port"] == "54329"


def test_durability_stays_on():
    values = settings(54329, 24 * GIB, 0)
    assert [values[name] for name in ("fsync", "synchronous_commit", "full_page_writes")] == [
        "on",
        "on",
        "on",
    ]


def test_timescaledb_is_loaded_and_sends_nothing_home():
    values = settings(54329, 24 * GIB, 0)
    assert values["shared_preload_libraries"] == "'timescaledb'"
    assert values["timescaledb.telemetry_level"] == "'off'"


@pytest.mark.parametrize(("memory", "buffers"), [(1, "128MB"), (8, "512MB"), (24, "1024MB")])
def test_memory_follows_the_machine_within_bounds(memory, buffers):
    assert settings(54329, memory * GIB, 0)["shared_buffers"] == buffers


def test_a_configuration_file_has_one_setting_a_line():
    assert render({"port": "1", "fsync": "on"}).splitlines()[1:] == ["port = 1", "fsync = on"]


def test_the_apache_edition_gets_no_background_workers(tmp_path):
    (tmp_path / "timescaledb.so").touch()
    (tmp_path / "timescaledb-2.19.3.so").touch()
    assert background_jobs(tmp_path) == 0


def test_the_community_edition_gets_some(tmp_path):
    (tmp_path / "timescaledb.so").touch()
    (tmp_path / "timescaledb-tsl-2.19.3.so").touch()
    assert background_jobs(tmp_path) > 0


def test_an_unknown_layout_is_taken_for_the_community_edition(tmp_path):
    assert background_jobs(tmp_path / "nowhere") > 0
