"""Settling grants whose workflow is gone before it had made an account.

The reconciler goes from account to account; these have none, so it would never come by, and the technician's place in
the tenant would stay taken for ever.
"""

from __future__ import annotations

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.settling import Settling
from entra_jit.graph import Tenant
from entra_jit.ledger import orphaned_grants
from entra_jit.ledger.database import LedgerUnavailableError
from models.actor import RECONCILER
from models.messages import Ending, GrantState, TenantId

ORPHANED = Ending(state=GrantState.FAILED, by=RECONCILER, reason="its workflow did not settle it")


async def settle_orphaned_grants(backend: Backend, tenant: Tenant) -> list[str]:
    """Release the places of such grants, with a receipt that says so; a sentence for each. Idempotent.

    One whose account is in the directory after all is left to the comparing of accounts, which finds it by its tag.
    """
    settled: list[str] = []
    settling = Settling(backend)
    try:
        async with backend.ledger.transaction() as session:
            lapsed = await orphaned_grants.lapsed(session, TenantId(tenant.connection.tenant_id), backend.clock())
        for grant in lapsed:
            if grant.intended and await tenant.users.find(grant.account_name) is not None:
                continue
            said = "The grant was settled by the reconciler: its workflow is gone."
            await settling.without_account(grant.request_id, ORPHANED, said)
            settled.append(f"{grant.account_name}: it was never made, and its grant {grant.request_id} is settled")
    except LedgerUnavailableError:
        return settled  # the next run asks again
    return settled
