"""The register of accounts that this deployment owns, by tenant and technician."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import Grant, ObjectId, TechnicianId, TenantId
from models.tables import ManagedAccount


class NameTakenError(Exception):
    """Another technician's account is registered under this name in the tenant."""


async def name_of(session: AsyncSession, tenant_id: UUID | None, technician_id: UUID | None) -> str | None:
    """The name under which the technician's account in the tenant was registered; None: none was."""
    row = await session.get(ManagedAccount, (tenant_id, technician_id))
    return row.account_name if row else None


async def intend(session: AsyncSession, grant: Grant, at: datetime) -> bool:
    """Register the account before it is made, so that one whose creation was never answered is still ours.

    True for the first who intends it: nobody has tried to make it yet. Raises ``NameTakenError``.
    """
    values = {
        "tenant_id": UUID(grant.tenant_id),
        "technician_id": UUID(grant.technician_id),
        "account_name": grant.account_name,
        "registered_at": at,
    }
    statement = insert(ManagedAccount).values(values)
    once = statement.on_conflict_do_nothing(index_elements=["tenant_id", "technician_id"])
    try:
        made = await session.exec(once.returning(col(ManagedAccount.registered_at)))
    except IntegrityError:
        raise NameTakenError(f"{grant.account_name} is registered for another technician") from None
    return made.first() is not None


async def forget_object(session: AsyncSession, tenant_id: TenantId, technician_id: TechnicianId) -> None:
    """The account is gone from the directory: the technician's next one will be another object."""
    await _set_object(session, tenant_id, technician_id, None)


async def confirm(session: AsyncSession, grant: Grant, object_id: ObjectId) -> None:
    """Record the object id that the directory gave. From here on the account is known by it, whatever its name."""
    await _set_object(session, grant.tenant_id, grant.technician_id, UUID(object_id))


async def _set_object(
    session: AsyncSession, tenant_id: TenantId, technician_id: TechnicianId, object_id: UUID | None
) -> None:
    await session.exec(
        update(ManagedAccount)
        .where(
            col(ManagedAccount.tenant_id) == UUID(tenant_id),
            col(ManagedAccount.technician_id) == UUID(technician_id),
        )
        .values(object_id=object_id)
    )
