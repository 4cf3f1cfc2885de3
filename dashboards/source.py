"""The data source all panels read from, and the query type that Grafana's SDK lacks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from hearthline.errors import SettingsError

SOURCE_UID = "hearthline-timescale"
SOURCE_NAME = "Hearthline TimescaleDB"
SOURCE_TYPE = "grafana-postgresql-datasource"
SOURCE_USER = "hearthline_reader"  # hearthline.storage.roles.READER; this package knows no storage

Format = Literal["table", "time_series"]


def source_ref() -> DataSourceRef:
    """How panels and variables name the data source."""
    return DataSourceRef(type_val=SOURCE_TYPE, uid=SOURCE_UID)


class PostgresQuery(Dataquery, Builder[Dataquery]):
    """One target of a panel, as Grafana's PostgreSQL plugin reads it; its own builder."""

    def __init__(self, sql: str, format_: Format, ref_id: str = "A") -> None:
        self.sql = sql
        self.format = format_
        self.ref_id = ref_id

    def build(self) -> PostgresQuery:
        """Itself: there is nothing to assemble."""
        return self

    def to_json(self) -> dict[str, object]:
        """The plugin's query model."""
        return {
            "refId": self.ref_id,
            "datasource": source_ref(),
            "editorMode": "code",
            "format": self.format,
            "rawQuery": True,
            "rawSql": self.sql,
        }


@dataclass(frozen=True, slots=True)
class DataSource:
    """The database as *Grafana* sees it (``host`` is host:port), and the reading role."""

    host: str
    database: str
    password: str
    user: str = SOURCE_USER
    sslmode: str = "disable"

    @classmethod
    def from_url(cls, database_url: str, password: str) -> DataSource:
        """The server and database of our own address, with the reading role's password.

        Raises:
            SettingsError: the address names no host or no database.
        """
        parts = urlsplit(database_url)
        database = parts.path.lstrip("/")
        if not parts.hostname or not database:
            raise SettingsError(
                "The database address names no host or no database.",
                "Set HEARTHLINE_DATABASE_URL like postgresql://user:password@host:5432/hearthline.",
            )
        return cls(f"{parts.hostname}:{parts.port or 5432}", database, password)

    def model(self) -> dict[str, object]:
        """Grafana's model of it, without the password."""
        return {
            "uid": SOURCE_UID,
            "name": SOURCE_NAME,
            "type": SOURCE_TYPE,
            "access": "proxy",
            "url": self.host,
            "user": self.user,
            "isDefault": False,
            "jsonData": {
                "database": self.database,
                "sslmode": self.sslmode,
                "postgresVersion": 1500,
                "timescaledb": True,
                "timeInterval": "1h",
                "maxOpenConns": 10,
            },
        }
