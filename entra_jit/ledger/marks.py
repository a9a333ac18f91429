"""The open-until marks that the ledger keeps: the very strings that were signed for its grants.

A writer to PostgreSQL can change a row of the ledger, and a backup sets it back. An expiry therefore
counts only as far as the signed mark beside it covers it.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.marks import read_open_until, write_open_until
from entra_jit.ledger.clock import database_time
from entra_jit.ledger.rows import object_id
from models.marks import AccountKind, OpenUntil
from models.messages import TechnicianId, TenantId
from models.tables import GrantRow, ManagedAccount


def mark_of(keyring: Keyring, grant: GrantRow, account: ManagedAccount | None) -> OpenUntil | None:
    """The mark that was signed for this grant and this account; None where the row holds no such mark."""
    account_id = object_id(account)
    if account_id is None:
        return None
    mark = read_open_until(keyring, grant.mark, TenantId(str(grant.tenant_id)), account_id, _kind(grant))
    return mark if mark is not None and mark.request_id == grant.request_id else None


def covered_expiry(grant: GrantRow, mark: OpenUntil | None) -> datetime | None:
    """Until when the grant may be open: its expiry, as far as ``mark`` covers it. None: it was not armed.

    Without a mark the expiry counts as past, so it is the moment of arming.
    """
    if grant.expires_at is None:
        return None
    latest = mark.expires_at if mark is not None else grant.armed_at
    return min(grant.expires_at, latest) if latest is not None else grant.expires_at


async def sign_mark(session: AsyncSession, keyring: Keyring, grant: GrantRow, account: ManagedAccount | None) -> None:
    """Write the mark that covers the grant's expiry into its row. Needs the account's object id, and an expiry."""
    account_id = object_id(account)
    assert account_id is not None  # noqa: S101  # callers check what may be armed or extended
    assert grant.expires_at is not None  # noqa: S101
    mark = OpenUntil(grant.request_id, grant.expires_at, await database_time(session))
    grant.mark = write_open_until(keyring, mark, TenantId(str(grant.tenant_id)), account_id, _kind(grant))
    session.add(grant)


def _kind(grant: GrantRow) -> AccountKind:
    return AccountKind.of(TechnicianId(str(grant.technician_id)))
