"""Every setting of entra-jit, once. Temporal's own settings are read by ``temporalio.envconfig`` (TEMPORAL_*)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from models.errors import SettingsError
from models.messages import ALARM_AFTER
from models.microsoft_hosts import check_hosts

RECONCILE_EVERY = timedelta(minutes=5)

SECRETS = (
    "ENTRA_JIT_DATABASE_URL",
    "DATABASE_URL",
    "ENTRA_JIT_KEYS",
    "ENTRA_JIT_PORTAL_KEYS",
    "ENTRA_JIT_ELEVATE__SECRET",
    "ENTRA_JIT_REVOKE__SECRET",
    "ENTRA_JIT_SIGN_IN__SECRET",
)
"""The variables that hold one, and can name a file instead."""


def _by_commas(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class OwnApplication(BaseModel):
    """An application that is registered in the MSP's tenant, and how it proves itself: exactly one of the three."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    client_id: UUID
    secret: Annotated[SecretStr, Field(min_length=1)] | None = None
    secret_expires: date | None = None
    """The last day of the secret, which only the MSP's own tenant knows. A certificate says its own."""
    certificate_file: Path | None = None
    """Private key and certificate, PEM, in one file."""
    federated_token_file: Path | None = None
    """A file that always holds a current token of a workload identity; read at each use."""

    @model_validator(mode="after")
    def _proves_itself_once(self) -> Self:
        if sum(one is not None for one in (self.secret, self.certificate_file, self.federated_token_file)) != 1:
            raise ValueError("set exactly one of SECRET, CERTIFICATE_FILE, FEDERATED_TOKEN_FILE")
        if (self.secret is None) != (self.secret_expires is None):
            raise ValueError("set SECRET_EXPIRES with SECRET, and only with it")
        return self


class Settings(BaseSettings):
    """What a process of ours must know before it starts.

    Read from ``ENTRA_JIT_*`` environment variables (the database also from ``DATABASE_URL``); each secret also from the
    file that its variable with ``_FILE`` behind names: what can see a process's environment then sees none.
    Values of secrets never appear in errors or in ``repr``.
    """

    model_config = SettingsConfigDict(
        env_prefix="ENTRA_JIT_",
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    profile: Literal["production", "sandbox"] = "production"
    """``sandbox`` permits a simulated tenant; ``production`` talks to Microsoft's hosts and to nothing else."""

    database_url: SecretStr = Field(validation_alias=AliasChoices("ENTRA_JIT_DATABASE_URL", "DATABASE_URL"))
    """The ledger, as libpq understands it: ``postgresql://user:password@host/database``."""

    portal_keys: SecretStr | None = None
    """In the portal's process, in place of ``keys``: what `starter.py portal-keys` derives from them."""

    keys: Annotated[SecretStr | None, Field(validate_default=True)] = None
    """The deployment's keys, ``id:base64`` of 32 bytes each, comma-separated. The first seals and signs, all open."""

    installation: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")] = "entra-jit"
    """This deployment's name, as it stands in the owner tag of every account it makes."""

    graph_url: str = "https://graph.microsoft.com/v1.0"
    login_url: str = "https://login.microsoftonline.com"
    ca_file: Path | None = None
    """Certificate authorities to trust instead of the system's, PEM. The sandbox needs its own."""

    elevate: OwnApplication | None = None
    """The MSP's multi-tenant application that opens, in every tenant without a registration of its own:
    ``ENTRA_JIT_ELEVATE__CLIENT_ID``, ``ENTRA_JIT_ELEVATE__CERTIFICATE_FILE``."""
    revoke: OwnApplication | None = None
    """The same for what closes. None: ``elevate`` closes as well."""
    sign_in: OwnApplication | None = None
    """The MSP's application that people sign in to. It has no permission of Graph's."""

    home_tenant: UUID | None = None
    """The MSP's own tenant, whose people sign in at the portal."""
    admin_group: UUID | None = None
    """A group of that tenant whose members are admins; besides, who has the app role ``Admin``."""
    auditor_group: UUID | None = None
    """A group of that tenant whose members are auditors; besides, who has the app role ``Auditor``."""
    emergency_group: UUID | None = None
    """A group of that tenant whose members may see emergency credentials; besides, who has the app role ``Emergency``.
    None: admins may."""
    portal_url: str = "http://localhost:8000"
    """Where browsers find the portal: scheme, host and port, and nothing else."""
    portal_address: Annotated[str, Field(pattern=r"^[^:\s]+:\d{1,5}$")] = "127.0.0.1:8000"
    """Where the portal listens, ``host:port``: behind what ends TLS for ``portal_url``."""
    worker_patience_seconds: Annotated[float, Field(gt=0, le=60)] = 30.0
    """How long the portal waits for a worker before it shows a page that waits."""
    temporal_ui_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")] | None = None
    """Where operators find Temporal's UI; the portal links to it. None: it does not."""
    frame_ancestors: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_commas)] = ()
    """Sites that may show the portal in a frame, comma-separated. None: no site may."""

    configuration_is_a_file: bool = False
    """The configuration is a file that is kept elsewhere, and the portal shows it without changing it."""

    graph_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """How long one call to Microsoft may take in all. An opening's lease is a little longer."""

    seal_history: bool = False
    """Seal what Temporal keeps of a grant (names, reasons, summaries) with the deployment's key. The Temporal UI then
    shows search attributes and step names alone; this program's own commands show everything as before."""

    task_queue: Annotated[str, Field(min_length=1, max_length=200)] = "entra-jit"
    prometheus_address: Annotated[str, Field(pattern=r"^[^:\s]+:\d{1,5}$")] | None = None
    """Where a worker serves its metrics, ``host:port``. None: nowhere."""

    log_format: Literal["json", "console"] = "json"

    reconcile_every: Annotated[timedelta, Field(ge=timedelta(seconds=30), le=timedelta(hours=1))] = RECONCILE_EVERY
    """How often every tenant's directory is held against the ledger, ISO 8601 (``PT5M``)."""

    delete_accounts: bool = False
    """Whether disconnecting a tenant also deletes our accounts there. They are closed and stripped first."""

    keep_events_days: Annotated[int, Field(ge=90)] | None = None
    """How long the journal keeps its months, with the texts of people that they quote. None: for ever."""

    alarm_after: Annotated[tuple[timedelta, ...], NoDecode, BeforeValidator(_by_commas)] = ALARM_AFTER
    """How long a closing may take before an alarm is raised and renewed, ISO 8601, comma-separated (``PT2M,PT10M``).
    After the last it is renewed every hour."""

    sticky_timeout: Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(minutes=1))] = timedelta(seconds=3)
    """How long a workflow's task waits for a worker that died, before another takes it. It bounds how late a closing
    is without a closer; a longer one saves replays where hundreds are due at once."""

    cached_workflows: Annotated[int, Field(ge=10)] = 1000
    """How many sleeping grants a worker keeps in memory, at 0.3 MB each. Others are replayed when they wake."""

    activities_at_once: Annotated[int, Field(ge=4, le=100)] = 24
    """Few, so that what waits does so at the server, which hands out disabling before everything else."""

    workflow_tasks_at_once: Annotated[int, Field(ge=2, le=100)] = 20
    """Few here, too: they share one interpreter, and each has ten seconds. With a hundred, a worker that came back to
    hundreds of open grants replayed so many at once that none was done in time, and all began anew."""

    closer_calls_at_once: Annotated[int, Field(ge=1, le=100)] = 32
    """How many accounts a closer disables at the same time."""

    closer_calls_per_tenant: Annotated[int, Field(ge=1, le=100)] = 16
    """How many of them in one tenant."""

    sealed_cache: Path | None = None
    """A file in which a worker or closer keeps, sealed, what it needs to start and close while PostgreSQL is away.
    None: a closer starts, and closes once PostgreSQL is back; a worker does not start."""

    browser: Annotated[str, Field(min_length=1)] | None = None
    """The Chromium, Chrome or Edge in which a worker tries emergency credentials. None: the first that is found."""
    browser_arguments: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_commas)] = ()
    """More arguments of that browser, comma-separated: ``--no-sandbox`` in a container that has none."""

    ready_file: Path | None = None
    """A file that a worker writes every few seconds once it polls, a closer each time it looks, the portal while it
    serves. ``entra_jit.health`` reads it."""

    clock_ahead: timedelta = timedelta(0)
    """For drills: this process takes its machine's clock to be so far ahead. In the profile ``sandbox`` only."""

    record_file: Path | None = None
    """Each process writes what it asks of Microsoft Graph, and is answered, to this file with its process id behind
    the name: ids and texts folded, secrets left out."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """pydantic's hook: the environment with what its files hold. Raises ``SettingsError``."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = _with_files(env_settings.env_vars)
        return init_settings, env_settings

    @field_validator("keys")
    @classmethod
    def _has_keys_of_one_kind(cls, keys: SecretStr | None, given: ValidationInfo) -> SecretStr | None:
        is_portal = given.data.get("portal_keys") is not None
        if keys is None and not is_portal:
            raise PydanticCustomError("missing", "Field required")
        if keys is not None and is_portal:
            raise ValueError("is set beside ENTRA_JIT_PORTAL_KEYS, which keep the portal from what they open")
        return keys

    @model_validator(mode="after")
    def _the_portal_is_reached_safely(self) -> Self:
        parts = urlsplit(self.portal_url)
        if not parts.hostname or parts.scheme not in {"http", "https"} or self.portal_url != f"{parts[0]}://{parts[1]}":
            raise ValueError("ENTRA_JIT_PORTAL_URL must be scheme, host and port, without a path")
        if parts.scheme == "http" and parts.hostname != "localhost":
            raise ValueError("ENTRA_JIT_PORTAL_URL must begin with https: browsers keep its cookie for nothing else")
        if not all(re.fullmatch(r"https://[A-Za-z0-9.*:-]+", site) for site in self.frame_ancestors):
            raise ValueError("ENTRA_JIT_FRAME_ANCESTORS must be https addresses without a path")
        return self

    @model_validator(mode="after")
    def _drills_are_for_the_sandbox(self) -> Self:
        if self.clock_ahead and self.profile == "production":
            raise ValueError("ENTRA_JIT_CLOCK_AHEAD needs ENTRA_JIT_PROFILE=sandbox")
        return self

    @model_validator(mode="after")
    def _production_talks_to_microsoft_alone(self) -> Self:
        check_hosts(
            ("ENTRA_JIT_GRAPH_URL", self.graph_url),
            ("ENTRA_JIT_LOGIN_URL", self.login_url),
            is_sandbox=self.profile == "sandbox",
            permitted_by="ENTRA_JIT_PROFILE=sandbox",
        )
        return self


def _with_files(variables: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """The variables, in lower case, with each secret that stands in a file."""
    read = dict(variables)
    for secret in SECRETS:
        if not (file := read.pop(f"{secret}_FILE".lower(), None)):
            continue
        if read.get(secret.lower()):
            raise SettingsError(f"{secret} and {secret}_FILE are both set; set one of them")
        try:
            read[secret.lower()] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f"{secret}_FILE: {file} cannot be read") from None
    return read


def environment_secret(name: str) -> SecretStr:
    """A secret that a configuration file names by its variable; raises ``ValueError`` when it is not set."""
    if not (value := os.environ.get(name)):
        raise ValueError(f"the environment variable {name} is not set")
    return SecretStr(value)


def names_a_database() -> bool:
    """Whether this process was told which deployment it belongs to."""
    names = ("DATABASE_URL", "ENTRA_JIT_DATABASE_URL", "DATABASE_URL_FILE", "ENTRA_JIT_DATABASE_URL_FILE")
    return any(os.environ.get(name) for name in names)


def adopt_environment(variables: Mapping[str, str]) -> None:
    """Take on the environment of a stack on this machine, in place of what is set."""
    os.environ.update(variables)


def load_settings() -> Settings:
    """The settings of this process; raises ``SettingsError`` with one sentence for each wrong or missing setting."""
    try:
        return Settings()  # the environment supplies what has no default
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(e["loc"], e["type"], e["msg"]) for e in error.errors())) from None


def _sentence(location: tuple[int | str, ...], kind: str, message: str) -> str:
    if not location:
        return message.removeprefix("Value error, ")
    field = "__".join(map(str, location))
    name = field if field.isupper() else f"ENTRA_JIT_{field.upper()}"
    said = message.removeprefix("Value error, ")
    return f"{name} is not set" if kind == "missing" else f"{name}: {said[0].lower()}{said[1:]}"
