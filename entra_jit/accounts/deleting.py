"""Deleting our own accounts in a tenant that we leave. Each was closed and stripped before, which is read back here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from entra_jit.accounts.access import KINDS
from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.managed_account import Holder
from entra_jit.crypto import marks
from entra_jit.graph import GraphError, NotYetVisibleError, Tenant, User
from entra_jit.ledger import accounts
from entra_jit.ledger.reconciliation import Registered
from models.messages import ObjectId, TenantId

IS_KNOWN_AFTER_SECONDS = 60.0
"""How long the directory may still show a deleted account (graph replication: seconds to minutes)."""
_PAUSE_SECONDS = 2.0


async def delete_accounts(
    backend: Backend, tenant_id: TenantId, register: Iterable[Registered]
) -> tuple[list[str], list[str]]:
    """Delete each registered account. Gives the names of those that are gone, and a sentence for each that is not.

    Only what is ours by register and owner tag, disabled, and without access is deleted. Idempotent.
    """
    gone, left = list[str](), list[str]()
    tenant = await backend.directories.to_close(tenant_id)
    for row in register:
        try:
            why = await _delete(backend, tenant, tenant_id, row)
        except GraphError as error:
            why = describe_error(error)
        if why is None:
            gone.append(row.account_name)
        else:
            left.append(f"{row.account_name} was not deleted: {why}")
    return gone, left


async def _delete(backend: Backend, tenant: Tenant, tenant_id: TenantId, row: Registered) -> str | None:
    if row.object_id is None:
        return None
    user = await _read(tenant, row.object_id)
    if user is not None:
        if why := await _why_not(backend, tenant, Holder(tenant_id, row.technician_id, row.account_name), user):
            return why
        await tenant.users.delete(user.id)
        if not await _is_gone(tenant, user.id):
            return "the directory still shows it. Run this again in some minutes."
    async with backend.ledger.transaction() as session:
        await accounts.forget_object(session, tenant_id, row.technician_id, row.object_id)
    return None


async def _why_not(backend: Backend, tenant: Tenant, holder: Holder, user: User) -> str | None:
    judged = backend.inspect(user, holder, marks.Register.NAMES_IT)
    if why := judged.why_not_to_open():
        return why
    if user.account_enabled:
        return "it is enabled."
    kinds = await asyncio.gather(*(kind.list_held(tenant, user.id) for kind in KINDS.values()))
    return "it still holds access." if any(holdings.held for holdings in kinds) else None


async def _read(tenant: Tenant, object_id: ObjectId) -> User | None:
    try:
        return await tenant.users.get(object_id)
    except NotYetVisibleError:
        return None


async def _is_gone(tenant: Tenant, object_id: ObjectId) -> bool:
    """By both: the directory has it no more, and the bin has it."""
    for _ in range(round(IS_KNOWN_AFTER_SECONDS / _PAUSE_SECONDS)):
        if await _read(tenant, object_id) is None and await tenant.deleted_items.find(object_id) is not None:
            return True
        await asyncio.sleep(_PAUSE_SECONDS)
    return False
