"""Grants without a workflow whose account was never made: comparing accounts cannot find them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger.reconciliation import SETTLED_AFTER
from models.messages import TenantId
from models.tables import GrantRow, ManagedAccount


@dataclass(frozen=True)
class OrphanedGrant:
    """A grant that holds its technician's place. ``intended``: its account may have been made, and we never heard."""

    request_id: str
    account_name: str
    intended: bool


async def lapsed(session: AsyncSession, tenant_id: TenantId, at: datetime) -> list[OrphanedGrant]:
    """The tenant's grants whose window is long over, that were never armed, and whose account has no object."""
    statement = (
        select(GrantRow, ManagedAccount)
        .outerjoin(
            ManagedAccount,
            and_(
                col(ManagedAccount.tenant_id) == col(GrantRow.tenant_id),
                col(ManagedAccount.technician_id) == col(GrantRow.technician_id),
            ),
        )
        .where(
            col(GrantRow.tenant_id) == UUID(tenant_id),
            col(GrantRow.settled_at).is_(None),
            col(GrantRow.armed_at).is_(None),
            col(GrantRow.window_ends_at) <= at - SETTLED_AFTER,
            col(ManagedAccount.object_id).is_(None),
        )
    )
    return [
        OrphanedGrant(grant.request_id, grant.account_name, intended=account is not None)
        for grant, account in await session.exec(statement)
    ]
