"""The tenants that a sandbox begins with, from a YAML file.

Two lists. Under ``applications`` each app registration: ``client_id``, ``name``, the slug of its ``home`` tenant, its
``secrets`` (they should look like no real secret) and ``certificates`` (PEM), and what a tenant that has it grants by
default: app ``permissions``, delegated ``scopes`` and directory ``roles`` of the service principal. A secret may be
``{value, expires}``. ``app_roles`` (``value``, ``display_name``) are what its people can hold. People sign in to an
application that has ``redirect_uris`` (or ``public_redirect_uris``, ``spa_redirect_uris``); ``federated_credentials``
name whose tokens it may show, with the issuer's ``public_keys``.

Under ``tenants`` each tenant: ``id`` (a GUID), ``slug``, ``name``, ``country``, ``service_plans`` (GUIDs); ``domains``
(``name``, ``initial``, ``default``, ``verified``, ``authentication``); ``temporary_access_pass`` (``enabled``,
``one_time_only``, ``minimum_lifetime``, ``maximum_lifetime``, ``default_lifetime`` in minutes, ``length``, and in
seconds ``new_accounts_refused`` and ``new_passes_refused``); ``sign_in`` (``require_mfa``,
``require_phishing_resistant``, ``block_people``,
``blocked_applications``, ``users_may_consent``); ``users``
(``upn`` and ``name``, optionally ``id``, ``password``, ``enabled``, ``guest``, ``synced``, ``roles``, ``properties`` by
Graph's names); ``groups`` (``name``, optionally ``id``, ``role_assignable``, ``security_enabled``, ``mail_enabled``,
``dynamic``, ``synced``, ``roles``, ``members`` by user principal name); ``applications`` (names of those that were
consented to, or ``{name, permissions, scopes, roles, enabled}`` to differ from their default, with ``assigned``: app
roles by user principal name). Directory roles are
given by display name. An id that is left out is derived from tenant and name, so it is the same every time.

``sign_in_service`` says how quick, random and strict that service is (``SignInSettings``).

In place of both lists a file may have ``rows``, as ``GET /sandbox/export`` gives them: a sandbox as it once was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

import yaml
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from sandbox.directory.directory import Directory
from sandbox.directory.roles import role_named
from sandbox.identity.behaviour import SignInSettings
from sandbox.store import WrittenRow, read

BUNDLED = Path(__file__).parent / "data" / "seed.yaml"


class SeedError(Exception):
    """The seed file cannot be used; the sentence says where and why."""


def _guid(text: str) -> str:
    return str(UUID(text))


def _role(name: str) -> str:
    if (role_id := role_named(name)) is None:
        raise ValueError(f"there is no directory role {name!r}")
    return role_id


Guid = Annotated[str, AfterValidator(_guid)]
RoleName = Annotated[str, AfterValidator(_role)]
"""Given by name, kept as template id."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SeedDomain(_Part):
    name: Annotated[str, Field(pattern=r"^[a-z0-9.-]+\.[a-z]+$")]
    initial: bool = False
    default: bool = False
    verified: bool = True
    authentication: Literal["Managed", "Federated"] = "Managed"


class SeedTemporaryAccessPass(_Part):
    enabled: bool = True
    one_time_only: bool = False
    minimum_lifetime: Annotated[int, Field(ge=10, le=43_200)] = 60
    maximum_lifetime: Annotated[int, Field(ge=10, le=43_200)] = 480
    default_lifetime: Annotated[int, Field(ge=10, le=43_200)] = 60
    length: Annotated[int, Field(ge=8, le=48)] = 8
    new_accounts_refused: Annotated[int, Field(ge=0, le=86_400)] = 0
    new_passes_refused: Annotated[int, Field(ge=0, le=86_400)] = 0


class SeedUser(_Part):
    upn: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    name: str
    id: Guid | None = None
    password: str | None = None
    enabled: bool = True
    guest: bool = False
    synced: bool = False
    roles: tuple[RoleName, ...] = ()
    properties: dict[str, JsonValue] = {}


class SeedGroup(_Part):
    name: str
    id: Guid | None = None
    role_assignable: bool = False
    security_enabled: bool = True
    mail_enabled: bool = False
    dynamic: bool = False
    synced: bool = False
    roles: tuple[RoleName, ...] = ()
    members: tuple[str, ...] = ()


class SeedSecret(_Part):
    value: str
    expires: AwareDatetime | None = None


class SeedFederatedCredential(_Part):
    name: str
    issuer: str
    subject: str
    audience: str = "api://AzureADTokenExchange"
    public_keys: tuple[str, ...] = ()


class SeedAppRole(_Part):
    value: str
    display_name: str
    description: str = ""
    id: Guid | None = None


class SeedApplication(_Part):
    client_id: Guid
    name: str
    home: str
    secrets: tuple[SeedSecret | str, ...] = ()
    certificates: tuple[str, ...] = ()
    federated_credentials: tuple[SeedFederatedCredential, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    public_redirect_uris: tuple[str, ...] = ()
    spa_redirect_uris: tuple[str, ...] = ()
    single_tenant: bool = False
    issues_id_tokens: bool = False
    optional_claims: frozenset[Literal["auth_time"]] = frozenset()
    app_roles: tuple[SeedAppRole, ...] = ()
    permissions: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    roles: tuple[RoleName, ...] = ()


class SeedSignIn(_Part):
    require_mfa: bool = False
    require_phishing_resistant: bool = False
    block_people: bool = False
    blocked_applications: frozenset[Guid] = frozenset()
    users_may_consent: bool = True


class SeedConsent(_Part):
    name: str
    id: Guid | None = None
    permissions: frozenset[str] | None = None
    scopes: frozenset[str] | None = None
    roles: tuple[RoleName, ...] | None = None
    assigned: dict[str, tuple[str, ...]] = {}
    """Values of the application's roles by the user principal name of who holds them."""
    enabled: bool = True


class SeedTenant(_Part):
    id: Guid
    slug: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    name: str
    country: str = "US"
    service_plans: tuple[Guid, ...] = ()
    domains: tuple[SeedDomain, ...]
    temporary_access_pass: SeedTemporaryAccessPass = SeedTemporaryAccessPass()
    sign_in: SeedSignIn = SeedSignIn()
    users: tuple[SeedUser, ...] = ()
    groups: tuple[SeedGroup, ...] = ()
    applications: tuple[SeedConsent | str, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if [domain.initial for domain in self.domains].count(True) != 1:
            raise ValueError(f"tenant {self.slug} needs exactly one initial domain")
        verified = {domain.name for domain in self.domains if domain.verified}
        names = [user.upn.lower() for user in self.users]
        for name in names:
            if name.rpartition("@")[2] not in verified:
                raise ValueError(f"user {name} is under no verified domain of tenant {self.slug}")
        if len(set(names)) != len(names):
            raise ValueError(f"tenant {self.slug} has two users of one name")
        for group in self.groups:
            if unknown := {member.lower() for member in group.members} - set(names):
                raise ValueError(f"group {group.name} of tenant {self.slug} has unknown members: {sorted(unknown)}")
        return self


def _check_assigned(tenant: SeedTenant, consent: SeedConsent, application: SeedApplication) -> None:
    people = {user.upn.lower() for user in tenant.users}
    if unknown := {name for name in consent.assigned if name.lower() not in people}:
        raise ValueError(f"tenant {tenant.slug} gives app roles of {consent.name} to unknown users: {sorted(unknown)}")
    given = {value for values in consent.assigned.values() for value in values}
    if unknown := given - {role.value for role in application.app_roles}:
        raise ValueError(f"tenant {tenant.slug} gives unknown app roles of {consent.name}: {sorted(unknown)}")


class Seed(_Part):
    """A whole seed file, checked."""

    applications: tuple[SeedApplication, ...] = ()
    tenants: tuple[SeedTenant, ...] = ()
    rows: tuple[WrittenRow, ...] = ()
    sign_in_service: SignInSettings = SignInSettings()

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        if bool(self.rows) is bool(self.tenants):
            raise ValueError("a seed has either tenants or rows")
        if self.rows:
            written_directory(self.rows)
        slugs = {tenant.slug for tenant in self.tenants}
        if len(slugs) != len(self.tenants) or len({tenant.id for tenant in self.tenants}) != len(self.tenants):
            raise ValueError("two tenants have the same slug or id")
        for application in self.applications:
            if application.home not in slugs:
                raise ValueError(f"application {application.name} lives in no tenant of this file: {application.home}")
        known = {application.name: application for application in self.applications}
        for tenant in self.tenants:
            for consent in tenant.applications:
                name = consent if isinstance(consent, str) else consent.name
                if name not in known:
                    raise ValueError(f"tenant {tenant.slug} consents to an unknown application: {name}")
                if not isinstance(consent, str):
                    _check_assigned(tenant, consent, known[name])
        return self


def load_seed(path: Path | None = None) -> Seed:
    """The seed in this file, or the bundled one. Raises ``SeedError``."""
    path = path or BUNDLED
    try:
        return read_seed(path.read_bytes(), str(path))
    except OSError as error:
        raise SeedError(f"cannot read the seed {path}: {error.strerror}") from None


def read_seed(content: bytes, name: str) -> Seed:
    """The seed that this text is; errors call it by ``name``. Raises ``SeedError``."""
    try:
        # What was exported is JSON, which is YAML too, but read a hundred times as fast as such.
        return Seed.model_validate_json(content)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] != "json_invalid":
            raise _unusable(name, error) from None
    try:
        return Seed.model_validate(yaml.load(content, Loader=_LOADER))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise SeedError(f"{name} is not YAML: {error}") from None
    except ValidationError as error:
        raise _unusable(name, error) from None


def _unusable(name: str, error: ValidationError) -> SeedError:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in first["loc"]) or "the file"
    reason = first["msg"].removeprefix("Value error, ")
    return SeedError(f"{name}, {where}: {reason[0].lower()}{reason[1:]}")


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def written_directory(rows: tuple[WrittenRow, ...]) -> Directory:
    """The directory that these rows are. Raises ``ValueError``."""
    try:
        directory = read(rows)
    except (ValueError, LookupError):
        raise ValueError("the rows were not exported by this version of the sandbox") from None
    if lost := next(
        (tenant.id for tenant in directory.tenants.values() if tenant.id not in tenant.organizations), None
    ):
        raise ValueError(f"the rows of tenant {lost} are without its organization")
    return directory
