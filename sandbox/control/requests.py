"""What the control interface takes: every body checked, every refusal one sentence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from sandbox.directory.rows import MethodKind


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SignInBody(_Body):
    """One of password and pass."""

    username: str
    password: str | None = None
    temporary_access_pass: str | None = None


class ClockBody(_Body):
    """How far the sandbox's present moves, in seconds; back with a negative number."""

    advance: float


class DomainBody(_Body):
    """What is left out stays as it is; a domain that the tenant does not have is added."""

    authentication_type: Literal["Managed", "Federated"] | None = None
    is_verified: bool | None = None


class TemporaryAccessPassBody(_Body):
    enabled: bool | None = None
    one_time_only: bool | None = None
    minimum_lifetime: Annotated[int, Field(ge=10, le=43_200)] | None = None
    maximum_lifetime: Annotated[int, Field(ge=10, le=43_200)] | None = None
    default_lifetime: Annotated[int, Field(ge=10, le=43_200)] | None = None
    length: Annotated[int, Field(ge=8, le=48)] | None = None


class ServicePrincipalBody(_Body):
    """Changes to one application in one tenant, named by client id or by display name; taken first, then given."""

    app: str
    grant: frozenset[str] = frozenset()
    withdraw: frozenset[str] = frozenset()
    add_roles: frozenset[str] = frozenset()
    remove_roles: frozenset[str] = frozenset()
    enabled: bool | None = None


class TenantBody(_Body):
    temporary_access_pass: TemporaryAccessPassBody | None = None
    service_principals: tuple[ServicePrincipalBody, ...] = ()


class NewUserBody(_Body):
    """An account that somebody else made; ``properties`` by Graph's names."""

    user_principal_name: str
    display_name: str | None = None
    password: str | None = None
    enabled: bool = True
    roles: frozenset[str] = frozenset()
    extension_attributes: dict[str, str | None] = {}
    properties: dict[str, JsonValue] = {}


class UserChangesBody(_Body):
    """Tampering, past every rule of Graph."""

    enabled: bool | None = None
    password: str | None = None
    synced: bool | None = None
    user_type: Literal["Member", "Guest"] | None = None
    extension_attributes: dict[str, str | None] = {}
    """Merged with those that the account has; null takes one away."""
    properties: dict[str, JsonValue] = {}


class RolesBody(_Body):
    """Directory roles by display name or template id."""

    roles: frozenset[str]


class MethodBody(_Body):
    kind: MethodKind
    properties: dict[str, JsonValue] = {}


class GroupMembershipBody(_Body):
    """A security group by name; it is made if the tenant has none of that name."""

    name: str
    role_assignable: bool = False


class CertificateBody(_Body):
    pem: str
