"""What the ledger knows of the accounts of one tenant, for comparing with what the directory holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import ScalarSelect
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring
from entra_jit.ledger import holds
from entra_jit.ledger.clock import database_time
from entra_jit.ledger.configuration import tenant_terms, terms_of
from entra_jit.ledger.marks import mark_of
from entra_jit.ledger.rows import as_access, object_id
from entra_jit.policy.leases import lease_end
from entra_jit.policy.reconciliation import REPLICAS_AGREE_AFTER, LiveGrant
from entra_jit.policy.rules.parties import departed
from models.holds import Hold, HoldKind
from models.marks import AccountKind, OpenUntil
from models.messages import ObjectId, TechnicianId, TenantId, TenantToReconcile
from models.tables import GrantRow, ManagedAccount, ReceiptRow, Technician, Tenant, TenantReconciliationRow

SETTLED_AFTER = timedelta(minutes=10)
"""How long after its end the workflow of an unsettled grant counts as gone."""


@dataclass(frozen=True)
class Registered:
    """One row of the register, with the live grant that holds the account."""

    kind: AccountKind
    """By whose rule the account is judged."""
    technician_id: TechnicianId
    account_name: str
    object_id: ObjectId | None
    registered_at: datetime
    live: LiveGrant | None
    settled_at: datetime | None = None
    """When the last of its grants was settled."""
    unproven: tuple[str, ...] = ()
    """Grants of the account that ended without a proof, and have had none since."""


@dataclass(frozen=True)
class Register:
    """What the ledger knows of one tenant."""

    accounts: tuple[Registered, ...]
    account_prefix: str
    """How the names of its managed accounts begin; may be empty."""


async def tenants(session: AsyncSession) -> list[TenantToReconcile]:
    """Every tenant that is connected: what was opened in an inactive one is closed too."""
    rows = await session.exec(select(Tenant).where(_is_connected()).order_by(col(Tenant.name)))
    return [TenantToReconcile(id=TenantId(str(row.id)), name=row.name) for row in rows]


async def register(session: AsyncSession, keyring: Keyring, tenant_id: TenantId, at: datetime) -> Register:
    """The tenant's accounts."""
    statement = (
        select(ManagedAccount, Technician, GrantRow, _last_settled())
        .join(Technician, col(Technician.id) == col(ManagedAccount.technician_id))
        .outerjoin(
            GrantRow,
            and_(
                col(GrantRow.tenant_id) == col(ManagedAccount.tenant_id),
                col(GrantRow.technician_id) == col(ManagedAccount.technician_id),
                col(GrantRow.settled_at).is_(None),
            ),
        )
        .where(col(ManagedAccount.tenant_id) == UUID(tenant_id))
    )
    tenant = await session.get(Tenant, UUID(tenant_id))
    rows = (await session.exec(statement)).all() if tenant else []
    unproven = await _unproven(session, tenant_id)
    clock = await database_time(session)
    stops = [hold for hold in await holds.in_force(session) if hold.kind is HoldKind.STOP]
    current = [
        Registered(
            AccountKind(account.kind),
            TechnicianId(str(account.technician_id)),
            account.account_name,
            object_id(account),
            account.registered_at,
            _live(grant, mark_of(keyring, grant, account), clock, at, _why_withdrawn(stops, tenant, technician))
            if grant and tenant
            else None,
            settled_at,
            tuple(one.request_id for one in unproven if one.is_about(account)),
        )
        for account, technician, grant, settled_at in rows
    ]
    former = _former([one for one in unproven if not any(one.is_about(account) for account, *_ in rows)])
    return Register(accounts=(*current, *former), account_prefix=tenant.account_prefix if tenant else "")


@dataclass(frozen=True)
class _Unproven:
    """A grant that ended without a proof, and about which nothing final was learnt since."""

    request_id: str
    technician_id: UUID
    account_name: str
    object_id: ObjectId | None
    ended_at: datetime

    def is_about(self, account: ManagedAccount) -> bool:
        """Whether this is the account: not one that was deleted, and whose place another has taken since."""
        same = self.object_id in {None, object_id(account)}
        return self.technician_id == account.technician_id and same


def _former(unproven: Iterable[_Unproven]) -> list[Registered]:
    """The accounts of such grants that are no longer their technicians': a restored account is open."""
    found: dict[tuple[UUID, ObjectId | None], Registered] = {}
    for one in unproven:
        key = one.technician_id, one.object_id
        earlier = found[key].unproven if key in found else ()
        found[key] = Registered(
            kind=AccountKind.of(TechnicianId(str(one.technician_id))),
            technician_id=TechnicianId(str(one.technician_id)),
            account_name=one.account_name,
            object_id=one.object_id,
            registered_at=one.ended_at,
            live=None,
            settled_at=one.ended_at,
            unproven=(*earlier, one.request_id),
        )
    return list(found.values())


def _last_settled() -> ScalarSelect[datetime | None]:
    """When the last grant of the account was settled: the end of an index, however many there were."""
    settled = aliased(GrantRow)
    return (
        select(func.max(settled.settled_at))
        .where(
            col(settled.tenant_id) == col(ManagedAccount.tenant_id),
            col(settled.technician_id) == col(ManagedAccount.technician_id),
        )
        .scalar_subquery()
    )


async def _unproven(session: AsyncSession, tenant_id: TenantId) -> list[_Unproven]:
    document = col(ReceiptRow.document)
    statement = (
        select(GrantRow, document["object_id"].astext)
        .join(ReceiptRow, col(ReceiptRow.request_id) == col(GrantRow.request_id))
        .where(
            col(GrantRow.tenant_id) == UUID(tenant_id),
            col(GrantRow.closed_at).is_(None),
        )
        .order_by(col(GrantRow.settled_at))
    )
    return [
        _Unproven(
            request_id=grant.request_id,
            technician_id=grant.technician_id,
            account_name=grant.account_name,
            object_id=ObjectId(of) if of else None,
            ended_at=grant.settled_at or grant.window_ends_at,
        )
        for grant, of in await session.exec(statement)
    ]


async def _row(session: AsyncSession, tenant_id: TenantId, at: datetime) -> TenantReconciliationRow:
    """The tenant's row, locked. Made if there is none: two that look at a new tenant at once must both come through."""
    new = insert(TenantReconciliationRow).values(tenant_id=UUID(tenant_id), tried_at=at, succeeded_at=at, granted=[])
    await session.exec(new.on_conflict_do_nothing())
    return await session.get_one(TenantReconciliationRow, UUID(tenant_id), with_for_update=True)


async def came_through(
    session: AsyncSession, tenant_id: TenantId, granted: frozenset[str] | None, at: datetime
) -> frozenset[str]:
    """Record that the tenant was reconciled, and what our applications may do there. Gives what they may not any more.

    ``granted`` None: that could not be read. What was there once is remembered until the configuration is applied anew.
    """
    row = await _row(session, tenant_id, at)
    row.tried_at = row.succeeded_at = at
    row.failure = None
    known = frozenset(row.granted)
    row.granted = sorted(known | (granted or frozenset()))
    session.add(row)
    return known - granted if granted is not None else frozenset()


async def note_missing(
    session: AsyncSession, tenant_id: TenantId, missing: Collection[ObjectId], at: datetime
) -> dict[ObjectId, datetime]:
    """Record which accounts are not in the directory at ``at``; all others are. Gives since when each is missed.

    Idempotent: an account is missed since the first time, until it is found again.
    """
    row = await _row(session, tenant_id, at)
    row.missing = {object_id: row.missing.get(object_id, at.isoformat()) for object_id in missing}
    session.add(row)
    return {object_id: datetime.fromisoformat(row.missing[object_id]) for object_id in missing}


async def missed_since(session: AsyncSession, tenant_id: TenantId, object_id: ObjectId) -> datetime | None:
    """Since when reconciliations have not found the account; None: the last one has."""
    row = await session.get(TenantReconciliationRow, UUID(tenant_id))
    since = row.missing.get(object_id) if row else None
    return datetime.fromisoformat(since) if since else None


async def failed(session: AsyncSession, tenant_id: TenantId, failure: str, at: datetime) -> datetime | None:
    """Record that the tenant could not be reconciled. Gives when it last could be."""
    row = await _row(session, tenant_id, at)
    row.tried_at, row.failure = at, failure
    session.add(row)
    return row.succeeded_at


async def overdue(
    session: AsyncSession, succeeded_within: timedelta, tried_within: timedelta, most: int
) -> list[TenantToReconcile]:
    """Tenants whose last reconciliation that came through is older, and that none has looked at since lately."""
    row, now = TenantReconciliationRow, func.clock_timestamp()
    statement = (
        select(Tenant)
        .outerjoin(row, col(row.tenant_id) == col(Tenant.id))
        .where(
            or_(col(row.succeeded_at).is_(None), col(row.succeeded_at) < now - succeeded_within),
            or_(col(row.tried_at).is_(None), col(row.tried_at) < now - tried_within),
        )
        .order_by(col(row.succeeded_at).nulls_first())
        .limit(most)
    )
    rows = await session.exec(statement)
    return [TenantToReconcile(id=TenantId(str(tenant.id)), name=tenant.name) for tenant in rows]


async def not_tried_since(session: AsyncSession, then: datetime) -> list[str]:
    """The names of the tenants that no reconciliation has looked at since ``then``."""
    statement = (
        select(Tenant.name)
        .outerjoin(TenantReconciliationRow, col(TenantReconciliationRow.tenant_id) == col(Tenant.id))
        .where(or_(col(TenantReconciliationRow.tried_at).is_(None), col(TenantReconciliationRow.tried_at) < then))
        .where(_is_connected())
        .order_by(col(Tenant.name))
    )
    return list((await session.exec(statement)).all())


def _is_connected() -> ColumnElement[bool]:
    return col(Tenant.disconnected_at).is_(None)


def _why_withdrawn(stops: Iterable[Hold], tenant: Tenant, technician: Technician) -> str | None:
    where, who = tenant_terms(tenant), terms_of(technician)
    return next((stop.sentence for stop in stops if stop.covers(where.id, who.id)), departed(where, who))


def _live(
    grant: GrantRow, mark: OpenUntil | None, clock: datetime, at: datetime, withdrawn_because: str | None
) -> LiveGrant:
    should_be_over = grant.expires_at or grant.window_ends_at
    if withdrawn_because and grant.closing_at is not None:
        should_be_over = min(should_be_over, grant.closing_at)
    return LiveGrant(
        grant.request_id,
        grant.expires_at,
        lease_end(grant.lease_until, grant.closing_at, at),
        grant.closing_at,
        is_lapsed=at >= should_be_over + SETTLED_AFTER,
        withdrawn_because=withdrawn_because,
        access=as_access(grant),
        mark=mark,
        # By the clock that it was written by, whatever this process's says.
        mark_is_everywhere=mark is not None and clock >= mark.written_at + REPLICAS_AGREE_AFTER,
    )
