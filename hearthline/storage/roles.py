"""The role Grafana reads with: SELECT on what panels show, nothing else, and never for long.

What protects the database are the grants; ``default_transaction_read_only`` and the statement
timeout only stop mistakes, since a session may set them back. Contacts, accounts, sessions, keys,
audit, dead letters and raw readings are not granted. The password travels and is logged only as
a SCRAM verifier.
"""

from __future__ import annotations

from datetime import timedelta

from psycopg import errors, sql

from hearthline.errors import SettingsError
from hearthline.storage.database import Connection
from hearthline.storage.queries import family

READER = "hearthline_reader"
READABLE = (
    "place",
    "unit",
    "unit_status",
    "device",
    "device_binding",
    "latest",
    "room_hour",
    "meter_hour",
    "weather_hour",
    "heat_hour",
    "balance_running",
    "balance_day",
    "heat_day",
    "heat_signature",
    "policy",
    "unit_day",
    "sensor_grade",
    "episode",
    "hold",
    "incident",
    "incident_member",
    "ticket",
)
TIMEOUT = timedelta(seconds=20)
MAX_CONNECTIONS = 20
LOCK = 7_206_614  # roles belong to the whole server, so this only orders runs on one database


def ensure_reader(connection: Connection, password: str, role: str = READER) -> None:
    """Create the role or bring it to what is written here; commits with the caller.

    Raises:
        SettingsError: the password is empty, or the database's account may not create roles.
    """
    if not password:
        raise SettingsError(
            "The reading role needs a password.", "Set HEARTHLINE_GRAFANA_READER_PASSWORD."
        )
    connection.execute(family("roles")["lock"], {"key": LOCK})
    known = connection.execute(family("roles")["known"], {"role": role}).fetchone()
    name = sql.Identifier(role)
    verifier = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    )
    try:
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(name))
        connection.execute(
            sql.SQL(
                "ALTER ROLE {} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
                " CONNECTION LIMIT {} PASSWORD {}"
            ).format(name, sql.Literal(MAX_CONNECTIONS), sql.Literal(verifier.decode()))
        )
    except errors.InsufficientPrivilege as error:
        raise SettingsError(
            f"The database account may not create the role {role}.",
            "Let an administrator grant it CREATEROLE, or create the role once by hand.",
        ) from error
    _configure(connection, name)
    _grant(connection, name)


def _configure(connection: Connection, name: sql.Identifier) -> None:
    settings = {
        "default_transaction_read_only": "on",
        "statement_timeout": f"{TIMEOUT.total_seconds():.0f}s",
        "idle_in_transaction_session_timeout": "60s",
        "timezone": "UTC",
    }
    for setting, value in settings.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                name, sql.Identifier(setting), sql.Literal(value)
            )
        )


def _grant(connection: Connection, name: sql.Identifier) -> None:
    database = sql.Identifier(connection.info.dbname)
    tables = sql.SQL(", ").join(sql.Identifier("public", table) for table in READABLE)
    statements = (
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, name),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name),
        sql.SQL("GRANT SELECT ON {} TO {}").format(tables, name),
    )
    for statement in statements:
        connection.execute(statement)
