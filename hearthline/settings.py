"""Every setting, from the environment (prefix ``HEARTHLINE_``), ``.env``, or the development stack.

The development stack writes ``.hearthline/stack.env``; a real environment variable wins over it.
Wrong settings raise ``SettingsError`` with one sentence each; nothing starts half-configured.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hearthline.domain.policies import PROFILES, Profile
from hearthline.errors import SettingsError
from hearthline.telemetry import STARS, redacted

STATE_DIR = Path(".hearthline")
SECRETS = frozenset({"secret", "mqtt_key_password", "grafana_token", "grafana_reader_password"})
ADDRESSES = frozenset({"database_url", "mqtt_url", "simulator_mqtt_url", "grafana_url"})
"""Settings that are secrets, and those that may hold a password; neither is ever shown whole."""


def _url(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"must look like {schemes[0]}://user:password@host:port")
        return value

    return AfterValidator(check)


def _share(value: str) -> str:
    if not value or set(value) & set("/+#"):
        raise ValueError("must be a name without '/', '+' and '#'")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the name of a time zone, like Asia/Shanghai") from None
    return value


def _profile(value: str) -> str:
    if value not in PROFILES:
        raise ValueError(f"must be one of {', '.join(PROFILES)}")
    return value


def _judge(value: str) -> str:
    if value not in ("model", "rules"):
        raise ValueError("must be model or rules")
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
    mqtt_topics: tuple[str, ...] = ()  # none: every topic that a registered format decodes
    mqtt_share: Annotated[str, AfterValidator(_share)] | None = None
    mqtt_ca: Path | None = None
    mqtt_cert: Path | None = None
    mqtt_key: Path | None = None
    mqtt_key_password: SecretStr | None = None

    profiles: Path | None = None  # how devices of other makes are read
    zone: Annotated[str, AfterValidator(_zone)] | None = None  # of devices that send local time

    policy: Annotated[str, AfterValidator(_profile)] = "heilongjiang"
    policy_file: Path | None = None  # the company's own rule, instead of one of ours
    oldest_reading: AwareDatetime = datetime.fromisoformat("2005-01-01T00:00:00+00:00")
    clock_tolerance: timedelta = timedelta(minutes=10)

    ingest_batch_rows: int = Field(default=50_000, ge=1, le=100_000)
    ingest_batch_wait: timedelta = timedelta(milliseconds=200)
    ingest_inflight: int = Field(default=2_000, ge=1, le=65_535)
    metrics_host: str = "127.0.0.1"  # where ingest and worker serve metrics and probes
    ingest_port: int | None = Field(default=None, ge=0, le=65_535)  # none: no metrics, no probes

    worker_interval: timedelta = timedelta(seconds=5)
    worker_port: int | None = Field(default=None, ge=0, le=65_535)
    group_wait: timedelta = timedelta(hours=1)
    causes: Annotated[str, AfterValidator(_judge)] = "rules"  # who ranks causes: rules or model

    host: str = "127.0.0.1"
    port: int = Field(default=8460, ge=0, le=65_535)
    secret: str | None = None

    grafana_url: Annotated[str, _url("http", "https")] | None = None
    grafana_token: str | None = None
    grafana_reader_password: str | None = None

    log_format: str = Field(default="console", pattern="^(console|json)$")
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """The settings as they may be shown."""
        for name, value in super().__repr_args__():
            yield name, _shown(name or "", value)

    def secrets(self) -> tuple[str, ...]:
        """Every secret among the settings, for the log to leave out."""
        plain = (getattr(self, name) for name in SECRETS)
        held = [one.get_secret_value() if isinstance(one, SecretStr) else one for one in plain]
        held += [unquote(urlsplit(getattr(self, name) or "").password or "") for name in ADDRESSES]
        return tuple(one for one in held if one)

    def device_zone(self) -> ZoneInfo:
        """The zone of devices that send local time: as set, else the policy's."""
        return ZoneInfo(self.zone) if self.zone else self.rule().versions[0].zone()

    def rule(self) -> Profile:
        """The local heating rule the company works by: its own file's, else one of ours.

        Raises:
            PolicyError: the file is wrong, with all that is wrong with it.
        """
        return PROFILES[self.policy] if self.policy_file is None else _own_rule(self.policy_file)

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
def _own_rule(path: Path) -> Profile:
    from hearthline.domain.policies.files import read

    return read(path)


@lru_cache(maxsize=1)
def load(**given: Any) -> Settings:
    """Settings of this process; ``given`` wins over the environment.

    Raises:
        SettingsError: with a sentence for every setting that is wrong.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentences(error)) + ".") from None


def _sentences(error: ValidationError) -> list[str]:
    sentences = []
    for problem in error.errors():
        name = "HEARTHLINE_" + "_".join(str(part).upper() for part in problem["loc"][:1])
        message = problem["msg"].removeprefix("Value error, ")
        shown = _shown(str(problem["loc"][0]) if problem["loc"] else "", problem["input"])
        sentences.append(f"{name}={shown!r} is wrong: {message}")
    return sentences


def _shown(name: str, value: Any) -> Any:
    """A setting's value as it may be shown."""
    if name in SECRETS:
        return value if value is None else STARS
    if name in ADDRESSES and isinstance(value, str):
        return redacted(value)
    return value
