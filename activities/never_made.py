"""Settling grants whose workflow is gone before it had made an account.

The reconciler goes from account to account; these have none, so it would never come by, and the technician's place in
the tenant would stay taken for ever.
"""

from __future__ import annotations

from datetime import datetime

from graph import Tenant
from ledger import never_made, receipts
from ledger.database import Ledger, LedgerUnavailableError
from models.messages import Closure, Ending, GrantState, TenantId


async def settle_never_made(ledger: Ledger, tenant: Tenant, at: datetime) -> list[str]:
    """Release the places of such grants, with a receipt that says so; a sentence for each. Idempotent.

    One whose account is in the directory after all is left to the comparing of accounts, which finds it by its tag.
    """
    settled = []
    try:
        async with ledger.transaction() as session:
            lapsed = await never_made.lapsed(session, TenantId(tenant.connection.tenant_id), at)
        for grant in lapsed:
            if grant.intended and await tenant.users.find(grant.account_name) is not None:
                continue
            async with ledger.transaction() as session:
                await receipts.settle_lapsed(session, grant.request_id, _closure(at))
            settled.append(f"{grant.account_name}: it was never made, and its grant {grant.request_id} is settled")
    except LedgerUnavailableError:
        return settled  # the next run asks again
    return settled


def _closure(at: datetime) -> Closure:
    ending = Ending(state=GrantState.FAILED, by="the reconciler", reason="its workflow did not settle it")
    return Closure(
        ending=ending, closed_at=at, alarms=("The grant was settled by the reconciler: its workflow is gone.",)
    )
