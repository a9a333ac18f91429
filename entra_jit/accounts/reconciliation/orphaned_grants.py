"""Settling grants whose workflow is gone before it had made an account.

The reconciler goes from account to account; these have none, so it would never come by, and the technician's place in
the tenant would stay taken for ever.
"""

from __future__ import annotations

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.settling import Settling
from entra_jit.graph import Tenant
from entra_jit.ledger import orphaned_grants
from models.actor import RECONCILER
from models.messages import Ending, GrantState, TenantId

ORPHANED = Ending(state=GrantState.FAILED, by=RECONCILER, reason="its workflow did not settle it")


async def settle_orphaned_grants(backend: Backend, tenant: Tenant) -> tuple[list[str], list[str]]:
    """Release the places of such grants, with a receipt that says so. Idempotent.

    Gives a sentence for each that was settled, and one for each that could not be. Raises nothing.

    One whose account is in the directory after all is left to the comparing of accounts, which finds it by its tag.
    """
    settled: list[str] = []
    failed: list[str] = []
    settling = Settling(backend)
    tenant_id, now = TenantId(tenant.connection.tenant_id), backend.clock()
    lapsed = await backend.ledger.attempt(
        "grants without an account", lambda session: orphaned_grants.lapsed(session, tenant_id, now)
    )
    for grant in lapsed or ():
        try:
            if grant.intended and await tenant.users.find(grant.account_name) is not None:
                continue
            said = "The grant was settled by the reconciler: its workflow is gone."
            await settling.without_account(grant.request_id, ORPHANED, said)
        except Exception as error:
            failed.append(f"the grant {grant.request_id} could not be settled: {describe_error(error)}")
        else:
            settled.append(f"{grant.account_name}: it was never made, and its grant {grant.request_id} is settled")
    return settled, failed
