"""The kinds of rows that a tenant is made of. Times are aware and in UTC, ids are lower-case GUIDs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from sandbox.directory.digest import Digest

TENANT_SCOPE = "/"
ALL_USERS = "all_users"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain name of a tenant; accounts can be made only under verified ones."""

    name: str
    is_verified: bool = True
    authentication_type: Literal["Managed", "Federated"] = "Managed"
    is_initial: bool = False
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryAccessPassPolicy:
    """Who may get Temporary Access Passes in a tenant, and which; lifetimes in minutes."""

    enabled: bool = True
    one_time_only: bool = False
    minimum_lifetime: int = 60
    maximum_lifetime: int = 480
    default_lifetime: int = 60
    length: int = 8
    include_groups: tuple[str, ...] = (ALL_USERS,)
    exclude_groups: tuple[str, ...] = ()
    new_accounts_refused: int = 0
    """For how many seconds the policy does not know of an account that was just made."""
    new_passes_refused: int = 0
    """For how many seconds a pass that was just made opens nothing (reported in azure-docs#76936)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPolicy:
    """What a tenant demands of those who sign in: Conditional Access, as far as this sandbox has it."""

    require_mfa: bool = False
    """People need a second factor; a Temporary Access Pass is one already."""
    require_phishing_resistant: bool = False
    """The authentication strength of that name: a passkey satisfies it, a pass or a code does not."""
    mandatory_mfa: bool = True
    """Microsoft's own demand: its portals take more than one factor of each account that signs in to them."""
    block_people: bool = False
    blocked_applications: frozenset[str] = frozenset()
    """Client ids that get no token here, whatever they prove (Conditional Access for workload identities)."""
    users_may_consent: bool = True
    """Whether people may let an application see their own data; if not, an administrator has to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """The tenant itself: its names, domains, licences and policies. ``id`` is the tenant's GUID."""

    id: str
    slug: str
    display_name: str
    created: datetime
    country: str = "US"
    service_plans: tuple[str, ...] = ()
    domains: tuple[Domain, ...] = ()
    temporary_access_pass: TemporaryAccessPassPolicy = field(default_factory=TemporaryAccessPassPolicy)
    method_states: dict[str, bool] = field(default_factory=dict)
    """Authentication methods whose policy was switched from its default, by Graph's id of the configuration."""
    passkeys: dict[str, JsonValue] = field(default_factory=dict)
    """What was changed of the policy for passkeys, by Graph's names."""
    longest_active_assignment: int | None = None
    """The longest role assignment that PIM's policy allows, in seconds; None: any, permanent ones too."""
    sign_in: SignInPolicy = field(default_factory=SignInPolicy)
    security_defaults: bool = False
    """Administrators then need a second factor at each sign-in. What else Microsoft demands of others is not here."""
    app_restrictions: dict[str, JsonValue] = field(default_factory=dict)
    """What the tenant forbids of its applications' credentials, as Graph shows it. Of these the sandbox enforces what
    is said of passwords."""
    deleted: bool = False
    """Given up by its owner: it cannot be signed in to, and its applications are not known any more."""

    def domain(self, name: str) -> Domain | None:
        """The domain of this name, verified or not; None if the tenant has no such."""
        return next((domain for domain in self.domains if domain.name == name.lower()), None)

    @property
    def initial_domain(self) -> str:
        """The ``*.onmicrosoft.com`` name that the tenant was born with."""
        return next(domain.name for domain in self.domains if domain.is_initial)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryAccessPass:
    """A pass as the directory remembers it: not its value."""

    id: str
    digest: Digest
    created: datetime
    starts: datetime
    lifetime_minutes: int
    is_usable_once: bool
    used: bool = False

    @property
    def expires(self) -> datetime:
        """From this moment on the pass opens nothing."""
        return self.starts + timedelta(minutes=self.lifetime_minutes)

    def usability(self, policy: TemporaryAccessPassPolicy, now: datetime) -> str:
        """Microsoft's reason why the pass can be used (``EnabledByPolicy``) or why it cannot."""
        if not policy.enabled:
            return "DisabledByPolicy"
        if self.used and self.is_usable_once:
            return "OneTimeUsed"
        if now < self.starts:
            return "NotYetValid"
        return "Expired" if now >= self.expires else "EnabledByPolicy"


MethodKind = Literal[
    "fido2",
    "phone",
    "microsoftAuthenticator",
    "softwareOath",
    "email",
    "windowsHelloForBusiness",
    "platformCredential",
    "qrCodePin",
    "hardwareOath",
]


_SECOND_FACTORS = frozenset({"phone", "microsoftAuthenticator", "softwareOath"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInMethod:
    """A sign-in method that was registered for an account, with the properties that Graph shows of it."""

    id: str
    kind: MethodKind
    properties: dict[str, JsonValue]
    public_key: str | None = None
    """Of a passkey that can sign in: base64 of what attests it. None where it was registered by hand."""
    last_used: str | None = None
    """When it last signed in, as Graph's beta shows it. Kept of passkeys alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. ``properties`` are Graph's, by Graph's names; what is absent there is null."""

    id: str
    properties: dict[str, JsonValue]
    password: Digest | None = None
    must_change_password: bool = False
    sessions_valid_from: datetime
    methods: tuple[SignInMethod, ...] = ()
    temporary_access_pass: TemporaryAccessPass | None = None
    deleted: datetime | None = None
    groups_when_deleted: tuple[str, ...] = ()
    manager: str | None = None
    """The id of who manages the person; it may be gone."""
    has_mailbox: bool = False
    """Exchange masters its extension attributes."""

    @property
    def user_principal_name(self) -> str:
        return str(self.properties["userPrincipalName"])

    @property
    def display_name(self) -> str:
        return str(self.properties["displayName"])

    @property
    def domain(self) -> str:
        """What stands behind the @ of the user principal name, in lower case."""
        return self.user_principal_name.rpartition("@")[2].lower()

    @property
    def enabled(self) -> bool:
        return self.properties.get("accountEnabled") is True

    @property
    def default_method(self) -> SignInMethod | None:
        """What it is asked for as a second factor: the first that was registered of those that can be asked for."""
        return next((method for method in self.methods if method.kind in _SECOND_FACTORS), None)

    @property
    def is_guest(self) -> bool:
        return self.properties.get("userType") == "Guest"

    @property
    def is_synced(self) -> bool:
        """Mastered on premises: read-only here."""
        return self.properties.get("onPremisesSyncEnabled") is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group: a security group with assigned members, where nothing else is said."""

    id: str
    display_name: str
    created: datetime
    description: str | None = None
    is_assignable_to_role: bool = False
    members: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    mail_nickname: str | None = None
    visibility: str | None = None
    security_enabled: bool = True
    mail_enabled: bool = False
    """With ``security_enabled`` a mail-enabled security group, without it a distribution list: Exchange's, both."""
    is_unified: bool = False
    """A Microsoft 365 group: mail-enabled, and its members can be changed all the same."""
    mail: str | None = None
    is_dynamic: bool = False
    """Who is in it follows a rule. The sandbox evaluates none: its members are those it was made with."""
    is_synced: bool = False
    """Mastered on premises."""

    @property
    def alias(self) -> str:
        """What stands before the @ of its address, if it has one."""
        return self.mail_nickname or self.display_name.lower().replace(" ", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """A client secret of an application; ``expires`` None means never, ``created`` None long ago."""

    digest: Digest
    hint: str
    expires: datetime | None = None
    created: datetime | None = None
    key_id: str = ""
    display_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedCredential:
    """Whose tokens an application may show in place of a secret.

    ``public_keys`` (PEM) stand for what the issuer publishes: the sandbox calls no other service.
    """

    name: str
    issuer: str
    subject: str
    audience: str = "api://AzureADTokenExchange"
    description: str | None = None
    public_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRole:
    """A role that an application defines for the people who use it; ``value`` is what tokens say."""

    id: str
    value: str
    display_name: str
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRoleAssignment:
    """A user, group or service principal that holds a role of an application."""

    principal_id: str
    role_id: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An app registration. It lives in one tenant and has service principals in others; ``id`` is its client id."""

    id: str
    display_name: str
    home_tenant: str
    secrets: tuple[ClientSecret, ...] = ()
    certificates: tuple[str, ...] = ()
    owners: frozenset[str] = frozenset()
    federated_credentials: tuple[FederatedCredential, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    """Where a web application takes answers; it has to prove itself when it redeems a code."""
    public_redirect_uris: tuple[str, ...] = ()
    """Where a desktop application takes answers; it has nothing to prove itself with."""
    spa_redirect_uris: tuple[str, ...] = ()
    """Where an application in the browser takes answers; it has only PKCE."""
    single_tenant: bool = False
    issues_id_tokens: bool = False
    """Whether the authorize endpoint may hand out id tokens by itself."""
    optional_claims: frozenset[str] = frozenset()
    """What its id tokens say besides: ``auth_time``."""
    required_permissions: frozenset[str] = frozenset()
    """App permissions of Graph that the manifest lists: what an administrator consents to."""
    required_scopes: frozenset[str] = frozenset()
    """Delegated permissions of Graph that the manifest lists."""
    app_roles: tuple[AppRole, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrincipal:
    """An application as one tenant has it: with the app permissions that were consented to there."""

    id: str
    app_id: str
    display_name: str
    created: datetime
    permissions: frozenset[str] = frozenset()
    enabled: bool = True
    owners: frozenset[str] = frozenset()
    owner_tenant: str | None = None
    """The tenant in which the application is registered."""
    secrets: tuple[ClientSecret, ...] = ()
    """Added to the principal itself, past the registration: how an intruder stays."""
    app_roles: tuple[AppRole, ...] = ()
    """Those of the registration."""
    assigned: tuple[AppRoleAssignment, ...] = ()
    """Who holds one of its roles in this tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """A directory role held by a principal, in the whole tenant (scope ``/``) or over one object."""

    id: str
    role_id: str
    principal_id: str
    scope: str = TENANT_SCOPE
