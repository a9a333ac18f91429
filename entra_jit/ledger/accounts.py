"""The register of accounts that this deployment owns, by tenant and technician."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.marks import Register
from entra_jit.ledger import events, rows
from entra_jit.ledger.events import NewEvent
from models.actor import Actor
from models.errors import RefusedError
from models.events import EventKind
from models.marks import AccountKind
from models.messages import ObjectId, TechnicianId, TenantId
from models.tables import GrantRow, ManagedAccount


class NameTakenError(RefusedError):
    """Another technician's account is registered under this name in the tenant."""


class OfAccount(Protocol):
    """Whose account it is: a grant says so, and a holder."""

    @property
    def tenant_id(self) -> TenantId:
        """Where."""

    @property
    def technician_id(self) -> TechnicianId:
        """Whose."""

    @property
    def account_name(self) -> str:
        """Under which name."""


async def name_of(session: AsyncSession, tenant_id: UUID | None, technician_id: UUID | None) -> str | None:
    """The name under which the technician's account in the tenant was registered; None: none was."""
    row = await session.get(ManagedAccount, (tenant_id, technician_id))
    return row.account_name if row else None


async def intend(session: AsyncSession, of: OfAccount, at: datetime) -> bool:
    """Register the account before it is made, so that one whose creation was never answered is still ours.

    True for the first intent: no attempt to make it came before. Raises ``NameTakenError``.
    """
    values = {
        "tenant_id": UUID(of.tenant_id),
        "technician_id": UUID(of.technician_id),
        "kind": AccountKind.of(of.technician_id),
        "account_name": of.account_name,
        "registered_at": at,
    }
    statement = insert(ManagedAccount).values(values)
    once = statement.on_conflict_do_nothing(index_elements=["tenant_id", "technician_id"])
    try:
        made = await session.exec(once.returning(col(ManagedAccount.registered_at)))
    except IntegrityError:
        raise NameTakenError(f"{of.account_name} is registered for another technician") from None
    return made.first() is not None


async def is_registered(session: AsyncSession, tenant_id: TenantId, object_id: ObjectId) -> bool:
    """Whether an account of the tenant that may be closed is registered under this id: no emergency account is.

    So a message that has one closed finds an account that is not ours to close.
    """
    statement = select(ManagedAccount.tenant_id).where(
        col(ManagedAccount.tenant_id) == UUID(tenant_id),
        col(ManagedAccount.object_id) == UUID(object_id),
        _may_be_closed(),
    )
    return (await session.exec(statement)).first() is not None


async def all_object_ids(session: AsyncSession) -> set[tuple[TenantId, ObjectId]]:
    """The ids of all registered accounts that may be closed, each with its tenant's."""
    found = await session.exec(
        select(ManagedAccount).where(col(ManagedAccount.object_id).is_not(None), _may_be_closed())
    )
    return {(TenantId(str(row.tenant_id)), known) for row in found if (known := rows.object_id(row))}


async def object_ids(session: AsyncSession, tenant_id: TenantId) -> dict[ObjectId, AccountKind]:
    """The ids of all accounts of the tenant that are registered by theirs, and what each is for."""
    statement = select(ManagedAccount).where(col(ManagedAccount.tenant_id) == UUID(tenant_id))
    found = await session.exec(statement)
    return {known: AccountKind(row.kind) for row in found if (known := rows.object_id(row))}


async def register(
    session: AsyncSession,
    tenant_id: TenantId,
    technician_id: TechnicianId,
    account_name: str,
    object_id: ObjectId,
    by: Actor,
    at: datetime,
) -> None:
    """Enter an account that is in the directory already. Idempotent.

    Raises ``NameTakenError`` where the technician has another account in the register, or the name is another's.
    """
    values = {
        "tenant_id": UUID(tenant_id),
        "technician_id": UUID(technician_id),
        "kind": AccountKind.of(technician_id),
        "account_name": account_name,
        "object_id": UUID(object_id),
        "registered_at": at,
    }
    statement = insert(ManagedAccount).values(values)
    # A row without an id intended this very account: its creation was tried, and the answer never seen.
    entered = statement.on_conflict_do_update(
        index_elements=["tenant_id", "technician_id"],
        set_={"object_id": statement.excluded.object_id},
        where=and_(
            col(ManagedAccount.account_name) == account_name,
            or_(col(ManagedAccount.object_id).is_(None), col(ManagedAccount.object_id) == UUID(object_id)),
        ),
    )
    try:
        made = (await session.exec(entered.returning(col(ManagedAccount.account_name)))).first()
    except IntegrityError:
        made = None
    if made is None:
        raise NameTakenError(f"the register has another account of the technician, or {account_name} as another's")
    body = {"technician_id": technician_id, "account_name": account_name, "object_id": object_id}
    registered = NewEvent(EventKind.ACCOUNT_REGISTERED, by, body, tenant_id=UUID(tenant_id))
    await events.append(session, registered)


async def forget_object(
    session: AsyncSession, tenant_id: TenantId, technician_id: TechnicianId, object_id: ObjectId
) -> None:
    """The account is gone from the directory: the technician's next one will be another object. Idempotent."""
    await session.exec(
        update(ManagedAccount)
        .where(*_of(tenant_id, technician_id), col(ManagedAccount.object_id) == UUID(object_id))
        .values(object_id=None)
    )


async def forget(session: AsyncSession, tenant_id: TenantId, technician_id: TechnicianId) -> None:
    """Take an account that is gone for good out of the register. Idempotent."""
    await session.exec(delete(ManagedAccount).where(*_of(tenant_id, technician_id)))


async def confirm(session: AsyncSession, of: OfAccount, object_id: ObjectId) -> None:
    """Record the object id that the directory gave. From here on the account is known by it, whatever its name."""
    await session.exec(
        update(ManagedAccount).where(*_of(of.tenant_id, of.technician_id)).values(object_id=UUID(object_id))
    )


def _of(tenant_id: TenantId, technician_id: TechnicianId) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(ManagedAccount.tenant_id) == UUID(tenant_id), col(ManagedAccount.technician_id) == UUID(technician_id)


def _may_be_closed() -> ColumnElement[bool]:
    return col(ManagedAccount.kind) != AccountKind.EMERGENCY


def register_of(account: ManagedAccount | None) -> Register:
    """What the register says of an account."""
    if account is None:
        return Register.SILENT
    return Register.NAMES_IT if account.object_id else Register.INTENDS_IT


def its_account() -> ColumnElement[bool]:
    """Joins a grant with the register's row of its account."""
    return and_(
        col(ManagedAccount.tenant_id) == col(GrantRow.tenant_id),
        col(ManagedAccount.technician_id) == col(GrantRow.technician_id),
    )
