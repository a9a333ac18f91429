"""What the control interface takes: every body checked, every refusal one sentence."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

from sandbox.directory.rows import MethodKind
from sandbox.lag import Lag


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SignInBody(_Body):
    """One of password and pass."""

    username: str
    password: str | None = None
    temporary_access_pass: str | None = None


class RestoreBody(_Body):
    """Under which name a deleted account comes back; left out: its own, if still free."""

    user_principal_name: str | None = None


class ClockBody(_Body):
    """How far the sandbox's present moves, in seconds (back with a negative number), or where to.

    ``stands``: from now until a reset no other time passes.
    """

    advance: float | None = None
    now: AwareDatetime | None = None
    stands: Literal[True] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.advance is None) is (self.now is None) and not (self.stands and self.now is None):
            raise ValueError("set exactly one of advance, now, or stands")
        return self


class AuditTargetBody(_Body):
    """An object that an entry of the audit log names; ``type`` in the log's words: ``User``, ``Role``, ``Group``."""

    id: str | None = None
    type: str = "Other"
    name: str | None = None


class AuditEntryBody(_Body):
    """What an account did, under the name by which Microsoft's audit log knows it, byte for byte."""

    activity: Annotated[str, Field(min_length=1, max_length=300)]
    targets: tuple[AuditTargetBody, ...] = ()
    service: str = "Core Directory"
    by_service: str | None = None
    """The display name of one of Microsoft's own services that did it to this account; None: the account did it."""
    unreadable: bool = False
    """Whether each read of a page with it breaks off."""


class LagBody(_Body):
    """``off``, ``typical``, ``bad``, seconds, or a span for each API; ``scale`` makes it quicker or slower."""

    lag: str | float | Lag
    scale: Annotated[float, Field(gt=0, le=100)] = 1.0
    tenant: str | None = None


class ThrottleBody(_Body):
    """``off``, ``real``, or a factor for the real limits."""

    throttle: str | float
    tenant: str | None = None


class RandomSeedBody(_Body):
    seed: int


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
    include_groups: tuple[str, ...] | None = None
    exclude_groups: tuple[str, ...] | None = None
    new_accounts_refused: Annotated[int, Field(ge=0, le=86_400)] | None = None
    new_passes_refused: Annotated[int, Field(ge=0, le=86_400)] | None = None


class ServicePrincipalBody(_Body):
    """Changes to one application in one tenant, named by client id or by display name; taken first, then given."""

    app: str
    grant: frozenset[str] = frozenset()
    withdraw: frozenset[str] = frozenset()
    add_roles: frozenset[str] = frozenset()
    remove_roles: frozenset[str] = frozenset()
    enabled: bool | None = None


class CustomerBody(_Body):
    """A customer that this tenant, as its partner, may administer."""

    id: UUID
    display_name: str


class TenantBody(_Body):
    """Changes to a tenant. ``service_plans`` replace the licences; 0 seconds allow any assignment."""

    temporary_access_pass: TemporaryAccessPassBody | None = None
    service_plans: tuple[UUID, ...] | None = None
    longest_active_assignment: Annotated[int, Field(ge=0)] | None = None
    security_defaults: bool | None = None
    app_restrictions: dict[str, JsonValue] | None = None
    passkeys: dict[str, JsonValue] | None = None
    conditional_access: tuple[dict[str, JsonValue], ...] | None = None
    """All policies, by Graph's names, in place of those that there are."""
    deleted: bool | None = None
    delegated_admin_customers: tuple[CustomerBody, ...] = ()
    service_principals: tuple[ServicePrincipalBody, ...] = ()


class NewUserBody(_Body):
    """An account that is not ours; ``properties`` by Graph's names."""

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
    mailbox: bool | None = None
    """Whether a licence has given it a mailbox, from when on Exchange masters its extension attributes."""
    extension_attributes: dict[str, str | None] = {}
    """Merged with those that the account has; null takes one away."""
    properties: dict[str, JsonValue] = {}


class RolesBody(_Body):
    """Directory roles by display name or template id."""

    roles: frozenset[str]


class MethodBody(_Body):
    kind: MethodKind
    properties: dict[str, JsonValue] = {}


class NewGroupBody(_Body):
    """A group: a security group with assigned members, where nothing else is said."""

    name: str
    id: UUID | None = None
    role_assignable: bool = False
    security_enabled: bool = True
    mail_enabled: bool = False
    unified: bool = False
    dynamic: bool = False
    synced: bool = False


class GroupChangesBody(_Body):
    """What kind of group it is from now on, past every rule of Graph; what is left out stays as it is."""

    role_assignable: bool | None = None
    security_enabled: bool | None = None
    mail_enabled: bool | None = None
    dynamic: bool | None = None
    synced: bool | None = None


class GroupMembershipBody(NewGroupBody):
    """A group by name or id, joined past every rule of Graph; it is made if the tenant has no such."""


class CertificateBody(_Body):
    pem: str
