"""Whether an emergency account is still as we made it. Each reconciliation looks; nothing is changed."""

from __future__ import annotations

import asyncio
from datetime import datetime

from entra_jit.accounts.backend import Backend
from entra_jit.graph import Tenant, User
from entra_jit.ledger import emergency
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.policy.durations import CLOCKS_DIFFER_BY
from entra_jit.policy.emergency import SeenEmergencyAccount, what_changed
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR
from models.marks import EMERGENCY_NAMES
from models.messages import EmergencyRef, TechnicianId, TenantId


class EmergencyWatch:
    """Compares emergency accounts with what the ledger knows of them."""

    def __init__(self, backend: Backend) -> None:
        self._ledger = backend.ledger

    async def changes(self, tenant: Tenant, name: str, user: User, technician_id: TechnicianId) -> tuple[str, ...]:
        """How the account was changed from outside, each in words that follow its name; empty: it was not.

        While the account is still being made, or while its ledger is away, nothing is said. Raises ``GraphError``.
        """
        number = list(EMERGENCY_NAMES).index(technician_id) + 1
        ref = EmergencyRef(tenant_id=TenantId(tenant.connection.tenant_id), tenant=name, number=number)
        try:
            async with self._ledger.transaction() as session:
                account = await emergency.find(session, ref)
        except LedgerUnavailableError:
            return ()
        if account is None or account.completed_at is None:
            return ()
        roles, methods = await asyncio.gather(
            tenant.roles.assignments_of(user.id), tenant.sign_in_methods.list(user.id)
        )
        seen = SeenEmergencyAccount(
            is_enabled=user.account_enabled,
            roles=frozenset(one.role for one in roles if one.scope == "/"),
            methods=tuple((one.id, one.kind) for one in methods if not one.is_password),
            is_restricted=user.is_management_restricted is True,
            has_new_password=_is_after(user.last_password_change, account.password_set_at),
        )
        ours = {one.method_id for one in account.passkeys if one.method_id} | account.retired_methods
        current = account.current
        expected = {current.method_id} if current and current.method_id else set()
        return what_changed(seen, GLOBAL_ADMINISTRATOR, ours, expected)


def _is_after(changed: datetime | None, ours: datetime | None) -> bool:
    """By two clocks, Microsoft's and ours."""
    return changed is not None and ours is not None and changed > ours + CLOCKS_DIFFER_BY
