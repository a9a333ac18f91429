"""What the ledger knows of the accounts of one tenant, for comparing with what the directory holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ledger.rows import object_id
from models.messages import ObjectId, TechnicianId, TenantId, TenantToReconcile
from models.tables import GrantRow, ManagedAccount, Tenant
from policy.reconciliation import LiveGrant

SETTLED_AFTER = timedelta(minutes=10)
"""How long after its end a grant that nobody has settled counts as one whose workflow is gone."""


@dataclass(frozen=True)
class Registered:
    """One row of the register, with the live grant that holds the account."""

    technician_id: TechnicianId
    account_name: str
    object_id: ObjectId | None
    live: LiveGrant | None


async def tenants(session: AsyncSession) -> list[TenantToReconcile]:
    """Every tenant ever connected: what was opened in an inactive one is closed too."""
    rows = await session.exec(select(Tenant).order_by(col(Tenant.name)))
    return [TenantToReconcile(id=TenantId(str(row.id)), name=row.name) for row in rows]


async def registered(session: AsyncSession, tenant_id: TenantId, at: datetime) -> list[Registered]:
    """The tenant's accounts."""
    statement = (
        select(ManagedAccount, GrantRow)
        .outerjoin(
            GrantRow,
            and_(
                col(GrantRow.tenant_id) == col(ManagedAccount.tenant_id),
                col(GrantRow.technician_id) == col(ManagedAccount.technician_id),
                col(GrantRow.closed_at).is_(None),
            ),
        )
        .where(col(ManagedAccount.tenant_id) == UUID(tenant_id))
    )
    return [
        Registered(TechnicianId(str(account.technician_id)), account.account_name, object_id(account), _live(grant, at))
        for account, grant in await session.exec(statement)
    ]


def _live(grant: GrantRow | None, at: datetime) -> LiveGrant | None:
    if grant is None:
        return None
    should_be_over = grant.expires_at or grant.window_ends_at
    return LiveGrant(
        grant.request_id,
        grant.expires_at,
        grant.lease_until,
        grant.closing_at,
        is_lapsed=at >= should_be_over + SETTLED_AFTER,
    )
