"""Every setting, from the environment (prefix ``HEARTHLINE_``), ``.env``, or the development stack.

The development stack writes ``.hearthline/stack.env``; a real environment variable wins over it.
Wrong settings raise ``SettingsError`` with one sentence each; nothing starts half-configured.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hearthline.domain.policies import PROFILES
from hearthline.errors import SettingsError

STATE_DIR = Path(".hearthline")


def _url(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"must look like {schemes[0]}://user:password@host:port")
        return value

    return AfterValidator(check)


def _profile(value: str) -> str:
    if value not in PROFILES:
        raise ValueError(f"must be one of {', '.join(sorted(PROFILES))}")
    return value


class Settings(BaseSettings):
    """Where the parts are and how the company works; durations are ISO 8601 or seconds."""

    model_config = SettingsConfigDict(
        env_prefix="HEARTHLINE_",
        env_file=(".env", str(STATE_DIR / "stack.env")),
        extra="ignore",
    )

    database_url: Annotated[str, _url("postgresql", "postgres")] | None = None
    mqtt_url: Annotated[str, _url("mqtt", "mqtts")] | None = None
    simulator_mqtt_url: Annotated[str, _url("mqtt", "mqtts")] | None = None
    mqtt_client_id: str = Field(default="hearthline-ingest", min_length=1)
    mqtt_topics: tuple[str, ...] = (
        "hearthline/v1/#",
        "application/+/device/+/event/up",
        "zigbee2mqtt/#",
    )

    policy: Annotated[str, AfterValidator(_profile)] = "heilongjiang"
    oldest_reading: AwareDatetime = datetime.fromisoformat("2005-01-01T00:00:00+00:00")
    clock_tolerance: timedelta = timedelta(minutes=10)

    ingest_batch_rows: int = Field(default=5_000, ge=1, le=100_000)
    ingest_batch_wait: timedelta = timedelta(milliseconds=200)
    ingest_inflight: int = Field(default=2_000, ge=1, le=65_535)

    worker_interval: timedelta = timedelta(seconds=5)
    group_wait: timedelta = timedelta(hours=1)

    host: str = "127.0.0.1"
    port: int = Field(default=8460, ge=0, le=65_535)
    secret: str | None = None

    grafana_url: Annotated[str, _url("http", "https")] | None = None
    grafana_token: str | None = None
    grafana_reader_password: str | None = None

    log_format: str = Field(default="console", pattern="^(console|json)$")
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")

    def require_database(self) -> str:
        """The database's address.

        Raises:
            SettingsError: none is set.
        """
        if self.database_url is None:
            raise SettingsError(
                "No database is configured.",
                "Set HEARTHLINE_DATABASE_URL, or run `hearthline up` to start one for development.",
            )
        return self.database_url

    def require_mqtt(self) -> str:
        """The broker's address.

        Raises:
            SettingsError: none is set.
        """
        if self.mqtt_url is None:
            raise SettingsError(
                "No MQTT broker is configured.",
                "Set HEARTHLINE_MQTT_URL, or run `hearthline up` to start one for development.",
            )
        return self.mqtt_url


@lru_cache(maxsize=1)
def load() -> Settings:
    """Settings of this process.

    Raises:
        SettingsError: with a sentence for every setting that is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_sentences(error)) + ".") from None


def _sentences(error: ValidationError) -> list[str]:
    sentences = []
    for problem in error.errors():
        name = "HEARTHLINE_" + "_".join(str(part).upper() for part in problem["loc"][:1])
        message = problem["msg"].removeprefix("Value error, ")
        sentences.append(f"{name}={problem['input']!r} is wrong: {message}")
    return sentences
