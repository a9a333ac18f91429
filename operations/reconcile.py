"""Hold the directories against the ledger now, without Temporal."""

from __future__ import annotations

from activities.reconcile_tenant import TenantReconciliation
from activities.workplace import Workplace
from ledger import reconciliation
from models.messages import TenantReport
from operations.errors import NotFoundError


async def reconcile(workplace: Workplace, tenant: str | None = None) -> list[TenantReport]:
    """Close what is open without a live grant, in one tenant or in all. Idempotent.

    Raises ``NotFoundError``. A tenant that cannot be reconciled says so in its report.
    """
    async with workplace.ledger.transaction() as session:
        tenants = [found for found in await reconciliation.tenants(session) if tenant in (None, found.name)]
    if tenant is not None and not tenants:
        raise NotFoundError(f"There is no tenant {tenant!r}.")
    by_itself = TenantReconciliation(workplace)
    return [await by_itself.reconcile(found.id, found.name) for found in tenants]
