"""What has become of grants.

The row is the lock: a partial unique index lets one row per technician and tenant be unclosed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from uuid import UUID

from sqlalchemy import func, or_, true, union_all, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from entra_jit.crypto.keyring import Keyring
from entra_jit.ledger import requests
from entra_jit.ledger.accounts import its_account
from entra_jit.ledger.marks import mark_of
from entra_jit.policy.facts import TechnicianTerms
from models.errors import NotFoundError
from models.marks import OpenUntil
from models.messages import Grant, Proof
from models.tables import GrantRow, ManagedAccount, ReceiptRow, Request, Tenant

Row = tuple[Request, GrantRow | None, ReceiptRow | None]
"""A request with its grant and its receipt, as far as it has them."""


@dataclass(frozen=True)
class ByNow:
    """What has become of a grant and of its account, by the ledger."""

    holder: str | None
    """The live grant of the same technician in the same tenant, which may be another one."""
    mark: OpenUntil | None
    """The mark that was signed for that live grant."""
    is_over: bool
    """The grant itself was settled already."""
    abandoned: bool
    """An operator has given up proving that it is closed."""


async def tenant_name(session: AsyncSession, request_id: str) -> str:
    """What people call the grant's tenant. Raises ``NotFoundError``."""
    statement = select(Tenant.name).join(GrantRow, col(GrantRow.tenant_id) == col(Tenant.id))
    found = (await session.exec(statement.where(col(GrantRow.request_id) == request_id))).first()
    if found is None:
        raise NotFoundError(f"There is no grant {request_id!r}.")
    return found


async def by_now(session: AsyncSession, keyring: Keyring, grant: Grant) -> ByNow:
    """What has become of ``grant`` meanwhile."""
    proof = col(ReceiptRow.document)["proof"].astext
    statement = (
        select(GrantRow, ManagedAccount, proof)
        .outerjoin(ReceiptRow, col(ReceiptRow.request_id) == col(GrantRow.request_id))
        .outerjoin(ManagedAccount, its_account())
        .where(
            col(GrantRow.tenant_id) == UUID(grant.tenant_id),
            col(GrantRow.technician_id) == UUID(grant.technician_id),
            or_(col(GrantRow.settled_at).is_(None), col(GrantRow.request_id) == grant.request_id),
        )
    )
    rows = (await session.exec(statement)).all()
    live, account = next(((row, account) for row, account, _ in rows if row.settled_at is None), (None, None))
    own = [(row, proven) for row, _, proven in rows if row.request_id == grant.request_id]
    return ByNow(
        holder=live.request_id if live else None,
        mark=mark_of(keyring, live, account) if live else None,
        is_over=any(row.settled_at is not None for row, _ in own),
        abandoned=any(proven == Proof.ABANDONED for _, proven in own),
    )


async def settled_with(session: AsyncSession, request_id: str) -> Proof | None:
    """On what its receipt rests; None: the ledger does not know the grant, or has not settled it."""
    row = await session.get(ReceiptRow, request_id)
    return Proof(row.document["proof"]) if row is not None else None


async def begin(session: AsyncSession, request_id: str, at: datetime) -> None:
    """From here on something may be written in the directory for the grant. The first time counts."""
    begun = update(GrantRow).where(col(GrantRow.request_id) == request_id)
    await session.exec(begun.values(prepared_at=func.coalesce(GrantRow.prepared_at, at)))


async def is_untouched(session: AsyncSession, request_id: str) -> bool:
    """Whether nothing was written in the directory for the grant, ever. False where the ledger does not know it."""
    row = await session.get(GrantRow, request_id)
    return row is not None and row.prepared_at is None


async def by_id(session: AsyncSession, request_id: str) -> GrantRow | None:
    """The grant, live or closed."""
    return await session.get(GrantRow, request_id)


async def with_receipt(session: AsyncSession, request_id: str) -> Row | None:
    """A request with its grant and its receipt."""
    return (await session.exec(with_receipts().where(col(Request.id) == request_id))).first()


async def listed(
    session: AsyncSession,
    *,
    tenant: Tenant | None = None,
    technician: TechnicianTerms | None = None,
    limit: int,
) -> Sequence[Row]:
    """Requests with their grants and receipts, the newest first."""
    newest = col(Request.asked_at).desc()
    statement = with_receipts().order_by(newest).limit(limit)
    if tenant or technician:
        either = product(
            requests.made_in(tenant) if tenant else [true()], requests.made_for(technician) if technician else [true()]
        )
        found = (select(Request.id).where(*wanted).order_by(newest).limit(limit).subquery() for wanted in either)
        statement = statement.where(col(Request.id).in_(union_all(*(select(*one.c) for one in found))))
    return (await session.exec(statement)).all()


def with_receipts() -> Select[Request, GrantRow, ReceiptRow]:
    """Every request with its grant and its receipt, as far as it has them."""
    return (
        select(Request, GrantRow, ReceiptRow)
        .outerjoin(GrantRow, col(GrantRow.request_id) == col(Request.id))
        .outerjoin(ReceiptRow, col(ReceiptRow.request_id) == col(Request.id))
    )
