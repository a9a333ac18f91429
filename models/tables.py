"""The ledger's tables. Rows are keyed by ids that never change; names are aliases that people type."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Interval,
    LargeBinary,
    UniqueConstraint,
    Uuid,
    case,
    cast,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import MappedSQLExpression, column_property
from sqlmodel import Field, SQLModel

from models import columns
from models.actor import Actor
from models.events import ERASED
from models.marks import AccountKind
from models.messages import LONGEST_TICKET


class Tenant(SQLModel, table=True):
    """One customer's Entra tenant, connected to this deployment."""

    __tablename__ = "tenants"
    __table_args__ = (columns.one_active_of_a_name("tenants"),)

    id: UUID = Field(primary_key=True)
    name: str
    display_name: str
    account_domain: str
    account_prefix: str
    default_duration: timedelta = Field(sa_column=Column(Interval, nullable=False))
    max_duration: timedelta = Field(sa_column=Column(Interval, nullable=False))
    credential: str
    """``auto``, ``temporary_access_pass`` or ``password``."""
    tags: list[str] = columns.json("[]")
    canary: str = Field(default="never", sa_column_kwargs={"server_default": "never"})
    """``never`` or ``weekly``."""
    emergency_accounts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How many are wanted there."""
    emergency_rotation: timedelta = Field(
        default=timedelta(days=90),
        sa_column=Column(Interval, nullable=False, server_default=text("'90 days'::interval")),
    )
    active: bool = True
    disconnected_at: datetime | None = columns.moment()
    """Since when nothing of ours acts there, and it is not reconciled."""


class TenantCredential(SQLModel, table=True):
    """How this deployment signs in to a tenant for one purpose (``elevate`` or ``revoke``), sealed."""

    __tablename__ = "tenant_credentials"

    tenant_id: UUID = Field(primary_key=True, foreign_key="tenants.id")
    purpose: str = Field(primary_key=True)
    client_id: UUID
    kind: str
    key_id: str
    ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class PendingConnectionRow(SQLModel, table=True):
    """A browser that is on its way: to consent, or to say who consented. Each row is taken once."""

    __tablename__ = "pending_connections"

    state_hash: str = Field(primary_key=True)
    """Of the state that the browser brings back. A reader of the ledger cannot finish a connection."""
    session_hash: str
    """Of what only the browser has that began it."""
    tenant_id: UUID
    """As it was resolved before the browser left. No foreign key: it need not be configured yet."""
    domain: str
    step: str
    """A ``ConnectionStep``."""
    redirect_uri: str
    begun_by: Actor = columns.actor(nullable=False)
    invitation_hash: str | None = None
    """Of the invitation that it was begun with."""
    expires_at: datetime = columns.moment(nullable=False)
    key_id: str | None = None
    ciphertext: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """What redeems the code of a sign-in, sealed."""


class ConnectionInvitationRow(SQLModel, table=True):
    """A link by which an administrator of a customer connects their tenant. Gone once it has been."""

    __tablename__ = "connection_invitations"

    token_hash: str = Field(primary_key=True)
    """Of what the link holds. A reader of the ledger cannot follow it."""
    tenant_id: UUID
    """As it was resolved when the link was made."""
    domain: str
    invited_by: Actor = columns.actor(nullable=False)
    expires_at: datetime = columns.moment(nullable=False)


class TenantConnectionRow(SQLModel, table=True):
    """By whom the MSP's own applications were authorized in a tenant, and what was read back then."""

    __tablename__ = "tenant_connections"

    tenant_id: UUID = Field(primary_key=True)
    """No foreign key: a tenant may be connected before it is configured."""
    domain: str
    display_name: str
    applications: list[dict[str, Any]] = columns.json("[]")
    """Each as ``ConnectedApplication`` has it."""
    authorized_by_id: UUID
    """Their object id in the tenant."""
    authorized_by_text: dict[str, str] = columns.quoted_text(nullable=False)
    authorized_at: datetime = columns.moment(nullable=False)
    connected_by: Actor = columns.actor(nullable=False)
    if TYPE_CHECKING:
        authorized_by: str


class Technician(SQLModel, table=True):
    """One of the MSP's people who may ask for access, by the immutable object id in the MSP's own directory."""

    __tablename__ = "technicians"
    __table_args__ = (columns.one_active_of_a_name("technicians"),)

    id: UUID = Field(primary_key=True)
    name: str
    display_name: str
    attributes: dict[str, str] = columns.json("{}")
    active: bool = True


class Favourite(SQLModel, table=True):
    """A tenant that a technician wants to see first."""

    __tablename__ = "favourites"

    technician_id: UUID = Field(primary_key=True, foreign_key="technicians.id", ondelete="CASCADE")
    tenant_id: UUID = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")


class Group(SQLModel, table=True):
    """A set of technicians: those listed, or all whose attributes pass each rule."""

    __tablename__ = "groups"

    name: str = Field(primary_key=True)
    rules: list[dict[str, Any]] = columns.json("[]")
    """``entitlement.AttributeRule`` each."""


class GroupMember(SQLModel, table=True):
    """A technician listed in a group."""

    __tablename__ = "group_members"

    group_name: str = Field(primary_key=True, foreign_key="groups.name", ondelete="CASCADE")
    technician_id: UUID = Field(primary_key=True, foreign_key="technicians.id", ondelete="CASCADE")


class RoleMapping(SQLModel, table=True):
    """What a group of technicians may have, in one tenant or (``tenant_id`` None) in all: one item a row."""

    __tablename__ = "role_mappings"
    __table_args__ = (
        UniqueConstraint(
            "group_name", "tenant_id", "kind", "item_id", name="one_mapping", postgresql_nulls_not_distinct=True
        ),
        Index("role_mappings_of_a_tenant", "tenant_id", "group_name"),
    )

    id: int | None = Field(default=None, primary_key=True)
    group_name: str = Field(foreign_key="groups.name", ondelete="CASCADE")
    tenant_id: UUID | None = Field(default=None, foreign_key="tenants.id")
    kind: str
    """``role`` or ``group``."""
    item_id: str
    item_name: str


class ConfigurationVersion(SQLModel, table=True):
    """The configuration as it was first applied, whole. The highest number is in force."""

    __tablename__ = "configurations"

    number: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    event_id: int = Field(sa_type=BigInteger)
    """Tells who applied it, when and why."""
    hash: str
    content: dict[str, Any] = columns.json("{}")
    """``policy.configuration.Configuration``; secrets are named, never held."""


class ManagedAccount(SQLModel, table=True):
    """The register of accounts that we own. The row stands before the first write to the directory is tried."""

    __tablename__ = "managed_accounts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_name", name="one_account_name"),
        UniqueConstraint("tenant_id", "object_id", name="one_object_id"),
    )

    tenant_id: UUID = Field(primary_key=True, foreign_key="tenants.id")
    technician_id: UUID = Field(primary_key=True, foreign_key="technicians.id")
    kind: str = Field(default=AccountKind.TECHNICIAN, sa_column_kwargs={"server_default": AccountKind.TECHNICIAN})
    """An ``AccountKind``: what the account is for, and by which rule it is reconciled."""
    account_name: str
    object_id: UUID | None = None
    """None: the creation was intended, and its answer never seen."""
    registered_at: datetime = columns.moment(nullable=False)


class EmergencyAccountRow(SQLModel, table=True):
    """An emergency account: what was done with it last, and when what is done next. Its name is in the register."""

    __tablename__ = "emergency_accounts"

    tenant_id: UUID = Field(primary_key=True, foreign_key="tenants.id")
    number: int = Field(primary_key=True)
    completed_at: datetime | None = columns.moment()
    """When it was enabled with its role, once. From then on only a change from outside takes either."""
    password_set_at: datetime | None = columns.moment()
    """When we have set its password, which is kept nowhere, or seen it as it was set: later it was another's doing."""
    rotated_at: datetime | None = columns.moment()
    rotate_at: datetime | None = columns.moment()
    """None: it is rotated only when that is asked for."""
    drilled_at: datetime | None = columns.moment()
    drill_outcome: str | None = None
    """A ``SignInOutcome``."""
    drill_detail: str | None = None
    drill_at: datetime | None = columns.moment()
    revealed_at: datetime | None = columns.moment()
    revealed_to: Actor | None = columns.actor()
    usable_until: datetime | None = columns.moment()
    """How long what was revealed may be used; None: nothing was revealed since the last rotation."""
    revealed_credential: UUID | None = None
    """Which one was revealed. It is not retired before ``usable_until``."""
    in_kit_since: datetime | None = columns.moment()
    """When a credential of it was put into an offline kit last."""
    kit_credential: UUID | None = None
    """Which one. It is kept for the kit until a rotation is asked for; from then on the kit is stale."""
    seen_sign_ins: list[str] = columns.json("[]")
    """Ids of the sign-ins of late that were looked at."""


class EmergencyCredentialRow(SQLModel, table=True):
    """One passkey of an emergency account: made, registered, proven, retired; then its sealed key goes."""

    __tablename__ = "emergency_credentials"
    __table_args__ = (
        Index("emergency_credentials_of_an_account", "tenant_id", "number"),
        Index(
            "one_emergency_credential_to_prove",
            "tenant_id",
            "number",
            unique=True,
            postgresql_where=text("proven_at IS NULL AND retired_at IS NULL AND ciphertext IS NOT NULL"),
        ),
        ForeignKeyConstraint(["tenant_id", "number"], ["emergency_accounts.tenant_id", "emergency_accounts.number"]),
    )

    id: UUID = Field(primary_key=True)
    """The handle: all that travels of it."""
    tenant_id: UUID
    number: int
    key_id: str
    ciphertext: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Its private key and id, sealed. None: retired, or sealed with a key that this deployment lost."""
    made_at: datetime = columns.moment(nullable=False)
    method_id: str | None = None
    """By which the directory lists it; its own id, until the directory has answered."""
    rp_id: str | None = None
    """None: its registration was never answered."""
    user_handle: str | None = None
    registered_at: datetime | None = columns.moment()
    proven_at: datetime | None = columns.moment()
    retired_at: datetime | None = columns.moment()
    """When the directory listed it no more."""


class Request(SQLModel, table=True):
    """What was asked, and the answer."""

    __tablename__ = "requests"
    __table_args__ = (
        Index("requests_in_order", "asked_at", "id"),
        Index("requests_of_a_technician", "technician_id", "tenant_id", "asked_at"),
        Index("requests_of_a_technician_in_order", "technician_id", "asked_at"),
        Index("requests_of_a_tenant", "tenant_id", "asked_at"),
    )

    id: str = Field(primary_key=True)
    tenant: str
    technician: str
    tenant_id: UUID | None = None
    technician_id: UUID | None = None
    reason_text: dict[str, str] = columns.quoted_text(nullable=False)
    ticket_text: dict[str, str] | None = columns.quoted_text()
    duration: timedelta | None = Field(default=None, sa_column=Column(Interval))
    access: list[str] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    """What was wanted, by name or id; None: all that the role mappings give."""
    replay_of: str | None = Field(default=None, index=True)
    """The failed request that this one repeats. No foreign key: a ledger restored from a backup may have lost it."""
    requested_by: Actor = columns.actor(nullable=False)
    asked_at: datetime = columns.moment(nullable=False)
    decided_at: datetime | None = columns.moment()
    verdict: str | None = None
    sentence_text: dict[str, str] | None = columns.quoted_text()
    """The decision's sentence, which may quote people."""
    if TYPE_CHECKING:
        reason: str
        ticket: str | None
        sentence: str | None


class GrantRow(SQLModel, table=True):
    """A request that was allowed. The row is the lock, the fence and the lease.

    * lock: one row per tenant and technician with ``settled_at`` NULL;
    * fence: ``closing_at``, after which no opening passes the admission check;
    * lease: ``lease_until``, when an opening that passed the check can no longer be in flight.
    """

    __tablename__ = "grants"
    __table_args__ = (
        Index(
            "one_live_grant_per_technician_and_tenant",
            "tenant_id",
            "technician_id",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index(
            "grants_not_yet_disabled",
            "expires_at",
            postgresql_where=text("settled_at IS NULL AND disabled_at IS NULL"),
        ),
        Index("grants_settled_of_an_account", "tenant_id", "technician_id", "settled_at"),
        Index("grants_opened_of_an_account", "tenant_id", "technician_id", "opened_at"),
        Index("grants_lately_over", text("coalesce(closed_at, settled_at)"), "tenant_id"),
        Index("grants_not_proven_closed", "tenant_id", "technician_id", postgresql_where=text("closed_at IS NULL")),
        ForeignKeyConstraint(["request_id"], ["requests.id"]),
    )

    request_id: str = Field(primary_key=True)
    tenant_id: UUID = Field(foreign_key="tenants.id")
    technician_id: UUID = Field(foreign_key="technicians.id")
    account_name: str
    access: list[dict[str, str]] = columns.json("[]")
    """Each item as ``AccessItem`` has it."""
    duration: timedelta = Field(sa_column=Column(Interval, nullable=False))
    window_ends_at: datetime = columns.moment(nullable=False)
    attempt: int = 1
    armed_at: datetime | None = columns.moment()
    expires_at: datetime | None = columns.moment()
    mark: str | None = None
    """The signed open-until mark that covers ``expires_at``, as it was written for the directory."""
    lease_until: datetime | None = columns.moment()
    opened_at: datetime | None = columns.moment()
    parked_at: datetime | None = columns.moment()
    parked_because: str | None = None
    failure: str | None = None
    """The ``FailureType`` that parked or ended it."""
    prepared_at: datetime | None = columns.moment()
    """When the preparing of its account began; None: nothing was written in the directory for it."""
    baseline: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    """What the account had when it was about to be opened; None: not read."""
    closing_at: datetime | None = columns.moment()
    taken_at: datetime | None = columns.moment()
    """When a closer last took it, in order to disable its account."""
    disabled_at: datetime | None = columns.moment()
    """When the directory answered a closer's disabling; None: no closer did it. The workflow's own is in its steps."""
    settled_at: datetime | None = columns.moment()
    """When its receipt was written and its place given free."""
    closed_at: datetime | None = columns.moment()
    """When the account was closed, as the directory has said; None: it may be open, whatever the receipt says."""
    ending: str | None = None
    ended_by: Actor | None = columns.actor()


class SealedCredential(SQLModel, table=True):
    """What the technician signs in with, sealed; deleted when the grant closes."""

    __tablename__ = "sealed_credentials"

    request_id: str = Field(primary_key=True, foreign_key="grants.request_id")
    attempt: int
    kind: str
    key_id: str
    ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sealed_at: datetime = columns.moment(nullable=False)
    usable_until: datetime | None = columns.moment()
    usable_once: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    pass_id: str | None = None
    """Of the Temporary Access Pass, by which it can be deleted before it is listed."""
    revealed_at: datetime | None = columns.moment()
    revealed_to: Actor | None = columns.actor()


class CloserRow(SQLModel, table=True):
    """One process that closes what is due. It says every few seconds that it lives, and how late it was."""

    __tablename__ = "closers"

    id: str = Field(primary_key=True)
    seen_at: datetime = columns.moment(nullable=False)
    lateness: timedelta | None = Field(default=None, sa_column=Column(Interval))
    """The worst of the last minute; None: nothing was due."""


class ReceiptRow(SQLModel, table=True):
    """The receipt of a request that has ended, as it was written; never changed. The texts of people stand apart."""

    __tablename__ = "receipts"
    __table_args__ = (
        Index("receipts_in_order", "issued_at", "request_id"),
        Index("receipts_of_a_tenant", "tenant_id", "issued_at", "request_id"),
        Index("receipts_of_a_technician", "technician_id", "issued_at", "request_id"),
        Index("receipts_late_or_unproven", "issued_at", "request_id", postgresql_where=text("late_or_unproven")),
    )

    request_id: str = Field(primary_key=True, foreign_key="requests.id")
    issued_at: datetime = columns.moment(nullable=False)
    document: dict[str, Any] = columns.json("{}")
    tenant_id: UUID | None = None
    """None: the request named no tenant that the ledger knew."""
    technician_id: UUID | None = None
    late_or_unproven: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """As it was written. An addendum may tell that the account was proven closed later."""


class AlarmRow(SQLModel, table=True):
    """An alarm that stands: once for the same thing. That it was raised, and is over, stands in the journal."""

    __tablename__ = "alarms"
    __table_args__ = (Index("alarms_in_order", "raised_at", "kind", "subject"),)

    kind: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    sentence: str
    tenant: str | None = None
    request_id: str | None = Field(default=None, index=True)
    raised_at: datetime = columns.moment(nullable=False)


class TenantReconciliationRow(SQLModel, table=True):
    """When a tenant was last held against the ledger, and whether that came through."""

    __tablename__ = "reconciliations"

    tenant_id: UUID = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    tried_at: datetime = columns.moment(nullable=False)
    succeeded_at: datetime | None = columns.moment()
    failure: str | None = None
    granted: list[str] = columns.json("[]")
    """Every permission and directory role that our applications were seen to have there."""
    missing: dict[str, str] = columns.json("{}")
    """By object id, since when an account that we know has not been found there."""


class CheckRow(SQLModel, table=True):
    """What one check of a tenant came to when the tenant was last examined."""

    __tablename__ = "checks"

    tenant_id: UUID = Field(primary_key=True, foreign_key="tenants.id", ondelete="CASCADE")
    code: str = Field(primary_key=True)
    state: str
    read: str
    advice: str
    examined_at: datetime = columns.moment(nullable=False)
    since: datetime = columns.moment(nullable=False)
    """Since when it is in this state."""
    judged: str | None = None
    """Its state when it could last be tried; None: it never could."""


class HoldRow(SQLModel, table=True):
    """A pause or a stop, in force (``lifted_at`` NULL) or over. In force once for the same scope."""

    __tablename__ = "holds"
    __table_args__ = (
        Index(
            "one_hold_in_force",
            "kind",
            "tenant_id",
            "technician_id",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    tenant_id: UUID | None = Field(default=None, foreign_key="tenants.id")
    """None: in every tenant."""
    technician_id: UUID | None = Field(default=None, foreign_key="technicians.id")
    """None: all technicians."""
    since: datetime = columns.moment(nullable=False)
    by: Actor = columns.actor(nullable=False)
    because_text: dict[str, str] = columns.quoted_text(nullable=False)
    lifted_at: datetime | None = columns.moment()
    lifted_by: Actor | None = columns.actor()
    if TYPE_CHECKING:
        because: str


class EventRow(SQLModel, table=True):
    """One entry of the journal. The database refuses to change or delete it; old months are dropped whole.

    Partitioned by month: ``entra_jit/ledger/event_partitions.py``. Read in the order of ``transaction_id`` and ``id``,
    and only what lies before every transaction that still runs: ids are not handed out in the order of commits.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("events_in_order", "transaction_id", "id"),
        Index("events_of_a_request", "request_id", "id"),
        Index("events_of_a_kind", "kind", "id"),
        Index("alarms_over_in_a_tenant", "tenant_id", "id", postgresql_where=text("kind = 'alarm cleared'")),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    recorded_at: datetime = columns.recorded_at(primary_key=True)
    transaction_id: str = Field(
        default=None,
        sa_column=Column(columns.TransactionId, nullable=False, server_default=text("pg_current_xact_id()")),
    )
    tenant_id: UUID | None = None
    request_id: str | None = None
    actor: dict[str, Any] = columns.json("{}")
    kind: str
    body: dict[str, Any] = columns.json("{}")


class EventKeyRow(SQLModel, table=True):
    """What of a request was entered and is entered once. A unique index cannot span the journal's partitions."""

    __tablename__ = "event_keys"

    request_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)


class BegunSignInRow(SQLModel, table=True):
    """A sign-in of a person that was begun and has not come back. Deleted when it does: it comes back once."""

    __tablename__ = "begun_sign_ins"

    key: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    """SHA-256 of what the browser keeps."""
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """What redeems it, sealed with what the browser keeps."""
    return_to: str
    is_fresh: bool
    begun_at: datetime = columns.moment(nullable=False)


class SessionRow(SQLModel, table=True):
    """A person who is signed in at the portal, in one browser."""

    __tablename__ = "sessions"

    key: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    """SHA-256 of the browser's cookie."""
    id: UUID = Field(unique=True)
    """By which a session is named where its owner sees it."""
    person_id: UUID = Field(index=True)
    name: str
    roles: list[str] = columns.json("[]")
    """As the sign-in said. ``technician``: they were one then."""
    browser: str
    signed_in_at: datetime | None = columns.moment()
    """When the person last proved who they are, by the sign-in service; None: it did not say."""
    began_at: datetime = columns.moment(nullable=False)
    seen_at: datetime = columns.moment(nullable=False)


class WaitingSignInRow(SQLModel, table=True):
    """A person of the MSP's tenant who signed in and is nothing here, until an admin accepts them."""

    __tablename__ = "waiting_sign_ins"

    person_id: UUID = Field(primary_key=True)
    name: str
    display_name: str
    first_at: datetime = columns.moment(nullable=False)
    last_at: datetime = columns.moment(nullable=False)


class ErrandRow(SQLModel, table=True):
    """What came of something that a worker did for the portal."""

    __tablename__ = "errands"
    __table_args__ = (Index("errands_done_at", "done_at"),)

    id: str = Field(primary_key=True)
    outcome: dict[str, Any] = columns.json("{}")
    done_at: datetime = columns.recorded_at()


class TextRow(SQLModel, table=True):
    """A text that a person wrote, here alone: events and rows hold its id and salted hash, so that it can be erased."""

    __tablename__ = "texts"
    __table_args__ = (
        Index(
            "texts_as_short_as_a_ticket",
            text("lower(content)"),
            postgresql_where=text(f"length(content) <= {LONGEST_TICKET}"),
        ),
    )

    id: UUID = Field(primary_key=True)
    salt: str | None = None
    content: str | None = None
    request_id: str | None = Field(default=None, index=True)
    """The request that it was written about, and so whose technician it concerns."""
    person_id: UUID | None = Field(default=None, index=True)
    """Whom else it concerns: the person whose name it is, or who was stopped."""
    erased_at: datetime | None = columns.moment()
    """When text and salt were erased: without the salt, the hash does not reveal the text."""


def _quoted(row: type[SQLModel], name: str) -> MappedSQLExpression[Any]:
    """The text that a column of ``row`` quotes, read with the row; that it was erased, where it was."""
    reference = getattr(row, name)
    content = select(TextRow.content).where(TextRow.id == cast(reference["text"].astext, Uuid))  # type: ignore[call-overload]
    return column_property(
        case((reference.is_(None), None), else_=func.coalesce(content.correlate(row).scalar_subquery(), ERASED)),
        expire_on_flush=False,  # a text never changes
    )


for _name in ("reason", "ticket", "sentence"):
    setattr(Request, _name, _quoted(Request, f"{_name}_text"))
setattr(TenantConnectionRow, "authorized_by", _quoted(TenantConnectionRow, "authorized_by_text"))  # noqa: B010
setattr(HoldRow, "because", _quoted(HoldRow, "because_text"))  # noqa: B010  # mypy takes it for a string
