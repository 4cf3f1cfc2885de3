"""Bring the schema to the newest revision, one process at a time, and probe the edition.

TimescaleDB's Apache edition has no compression or retention policies; they are switched on
where ``SHOW timescaledb.license`` says ``timescale``, and elsewhere ``drop_old_chunks`` does it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.types.json import Jsonb

from hearthline.domain.policies import PROFILES, Policy, Profile
from hearthline.domain.policies.files import from_plain, plain
from hearthline.errors import Conflict
from hearthline.storage.database import Connection, connect
from hearthline.storage.queries import family

LOCK = 7_206_611  # one advisory lock for every migration of ours
HYPERTABLES = ("room_reading", "meter_reading", "weather_reading")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("hearthline.storage") / "migrations"))
    return config


def newest() -> str:
    """The newest revision in this release."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def migrate(url: str, *, keep_for: timedelta = timedelta(days=6 * 365)) -> str:
    """Apply what is missing under one advisory lock; returns the revision reached.

    Raw readings are kept ``keep_for`` (five years at least is the industry's rule).
    """
    engine = _engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK})")
        try:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")
    engine.dispose()
    with connect(url, autocommit=True) as own:
        _seed_policies(own)
        if edition(own) == "timescale":
            _switch_on_policies(own, keep_for)
    return newest()


def _engine(url: str) -> sqlalchemy.Engine:
    """What alembic wants; a server that is away raises psycopg's own error, as everywhere."""
    connect(url).close()
    return sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, options="-c timezone=UTC"),
    )


def current(url: str) -> str | None:
    """The revision the database is at, or None where nothing was applied yet."""
    engine = _engine(url)
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return revision


def edition(connection: Connection) -> str:
    """``timescale`` for the Community edition, ``apache`` for the other."""
    row = connection.execute(family("schema")["license"]).fetchone()
    return str(row["license"]) if row and row["license"] else "apache"


def drop_old_chunks(connection: Connection, keep_for: timedelta) -> int:
    """Drop chunks older than ``keep_for`` where no retention policy exists; returns how many."""
    if edition(connection) == "timescale":
        return 0
    dropped = 0
    for table in HYPERTABLES:
        query = family("schema")["drop_chunks"]
        dropped += len(connection.execute(query, {"table": table, "age": keep_for}).fetchall())
    return dropped


def _seed_policies(connection: Connection) -> None:
    for profile in PROFILES.values():
        for policy in profile.versions:
            _seed(connection, policy)


def _seed(connection: Connection, policy: Policy) -> None:
    values = {"code": policy.code, "valid_from": policy.valid_from, "body": Jsonb(plain(policy))}
    connection.execute(family("schema")["seed_policy"], values)


def keep_policy(connection: Connection, profile: Profile) -> None:
    """Put the versions of a company's rule on file, where verdicts can name them.

    Raises:
        Conflict: a version that is on file says something else now. Verdicts have been given
            under it, so a change needs a version of its own.
    """
    for policy in profile.versions:
        values = {"code": policy.code, "valid_from": policy.valid_from}
        row = connection.execute(family("schema")["stored_policy"], values).fetchone()
        before = from_plain(row["body"]) if row else policy
        if policy.code not in PROFILES and _without_source(before) != _without_source(policy):
            raise Conflict(
                f"The policy {policy.code} valid from {policy.valid_from} says something else "
                "than when verdicts were first given under it.",
                "Put it back, and give the change a version with its own valid_from.",
            )
        _seed(connection, policy)


def _without_source(policy: Policy) -> Policy:
    return replace(policy, source="", source_zh="")


def _switch_on_policies(connection: Connection, keep_for: timedelta) -> None:
    for table in HYPERTABLES:
        for name in ("enable_compression", "compression_policy", "retention_policy"):
            statement = family("schema")[name].replace(":table", table)
            connection.execute(
                statement.replace(":age", f"interval '{keep_for.days} days'"),
            )
