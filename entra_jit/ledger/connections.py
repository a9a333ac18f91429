"""Connections of tenants: browsers on their way, each state good once, and who authorized us where."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring, Purpose
from entra_jit.crypto.sealing import Sealed, seal, unseal
from entra_jit.ledger import events, texts
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.texts import PersonName, Written
from models.actor import Actor
from models.connections import ConnectedApplication, ConnectionStep, Disconnection, TenantConnection
from models.events import EventKind
from models.messages import ObjectId, TenantId
from models.tables import (
    ConnectionInvitationRow,
    GrantRow,
    PendingConnectionRow,
    Tenant,
    TenantConnectionRow,
    TenantCredential,
)


@dataclass(frozen=True)
class Pending:
    """A browser that is on its way to Microsoft and back."""

    tenant_id: TenantId
    domain: str
    step: ConnectionStep
    redirect_uri: str
    begun_by: Actor
    expires_at: datetime
    invitation: str | None = None
    """The hash of the invitation that it was begun with; None: by its actor's own hand."""
    begun: SecretStr | None = None
    """Of a sign-in: what redeems its code."""


async def expect(
    session: AsyncSession, keyring: Keyring, pending: Pending, *, state: SecretStr, browser: SecretStr, at: datetime
) -> None:
    """Expect the browser back with ``state``. What has expired is forgotten."""
    await session.exec(delete(PendingConnectionRow).where(col(PendingConnectionRow.expires_at) <= at))
    state_hash = _hash(state)
    sealed = seal(keyring, Purpose.TENANT_CREDENTIAL, pending.begun, _owner(state_hash)) if pending.begun else None
    session.add(
        PendingConnectionRow(
            state_hash=state_hash,
            session_hash=_hash(browser),
            tenant_id=UUID(pending.tenant_id),
            domain=pending.domain,
            step=pending.step.value,
            redirect_uri=pending.redirect_uri,
            begun_by=pending.begun_by,
            invitation_hash=pending.invitation,
            expires_at=pending.expires_at,
            key_id=sealed.key_id if sealed else None,
            ciphertext=sealed.ciphertext if sealed else None,
        )
    )


async def take(
    session: AsyncSession, keyring: Keyring, *, state: SecretStr, browser: SecretStr, at: datetime
) -> Pending | None:
    """The connection that ``state`` belongs to, once. None: unknown, used, expired, or of another browser.

    A state that another browser brings is not used up by it.
    """
    state_hash = _hash(state)
    taken = await session.exec(
        delete(PendingConnectionRow)
        .where(
            col(PendingConnectionRow.state_hash) == state_hash,
            col(PendingConnectionRow.session_hash) == _hash(browser),
            col(PendingConnectionRow.expires_at) > at,
        )
        .returning(PendingConnectionRow)
    )
    row = taken.scalars().first()
    if row is None:
        return None
    begun = None
    if row.key_id is not None and row.ciphertext is not None:
        begun = unseal(keyring, Purpose.TENANT_CREDENTIAL, Sealed(row.key_id, row.ciphertext), _owner(state_hash))
    return Pending(
        tenant_id=TenantId(str(row.tenant_id)),
        domain=row.domain,
        step=ConnectionStep(row.step),
        redirect_uri=row.redirect_uri,
        begun_by=row.begun_by,
        invitation=row.invitation_hash,
        expires_at=row.expires_at,
        begun=begun,
    )


@dataclass(frozen=True)
class Invitation:
    """A link that was made for an administrator of a customer."""

    hash: str
    tenant_id: TenantId
    domain: str
    invited_by: Actor
    expires_at: datetime


async def invite(
    session: AsyncSession, token: SecretStr, tenant_id: TenantId, domain: str, by: Actor, until: datetime
) -> None:
    """Keep an invitation. Idempotent by its token."""
    if await session.get(ConnectionInvitationRow, _hash(token)) is not None:
        return
    session.add(
        ConnectionInvitationRow(
            token_hash=_hash(token), tenant_id=UUID(tenant_id), domain=domain, invited_by=by, expires_at=until
        )
    )
    body = {"domain": domain, "expires_at": until}
    await events.append(session, NewEvent(EventKind.TENANT_INVITED, by, body, tenant_id=UUID(tenant_id)))


async def invitation(session: AsyncSession, token: SecretStr, at: datetime) -> Invitation | None:
    """The invitation of this link; None: unknown, used, or expired."""
    row = await session.get(ConnectionInvitationRow, _hash(token))
    if row is None or row.expires_at <= at:
        return None
    return Invitation(row.token_hash, TenantId(str(row.tenant_id)), row.domain, row.invited_by, row.expires_at)


async def use(session: AsyncSession, invitation_hash: str, at: datetime) -> bool:
    """Use an invitation up. False: it was used, or has expired, meanwhile."""
    statement = delete(ConnectionInvitationRow).where(
        col(ConnectionInvitationRow.token_hash) == invitation_hash, col(ConnectionInvitationRow.expires_at) > at
    )
    return bool((await session.exec(statement)).rowcount)


async def connected(session: AsyncSession, by: Actor, connection: TenantConnection, person: ObjectId) -> None:
    """Enter that ``person`` of the tenant has authorized our applications there. The last authorization stands."""
    written = texts.Collected()
    name = written.apart(PersonName(connection.authorized_by, UUID(person)))
    applications = [one.model_dump(mode="json") for one in connection.applications]
    values = {
        "tenant_id": UUID(connection.tenant_id),
        "domain": connection.domain,
        "display_name": connection.display_name,
        "applications": applications,
        "authorized_by_id": UUID(person),
        "authorized_by_text": name,
        "authorized_at": connection.authorized_at,
        "connected_by": by,
    }
    await texts.keep(session, written)
    statement = insert(TenantConnectionRow).values(values)
    changed = {key: statement.excluded[key] for key in values if key != "tenant_id"}
    await session.exec(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=changed))
    await session.exec(update(Tenant).where(col(Tenant.id) == UUID(connection.tenant_id)).values(disconnected_at=None))
    body = {
        "domain": connection.domain,
        "applications": applications,
        "authorized_by": {"id": person, "name": name},
        "authorized_at": connection.authorized_at,
    }
    await events.append(session, NewEvent(EventKind.TENANT_CONNECTED, by, body, tenant_id=UUID(connection.tenant_id)))


async def of_tenant(session: AsyncSession, tenant_id: TenantId) -> TenantConnection | None:
    """By whom our applications were authorized there; None: they were not, or the tenant has its own registration."""
    statement = select(TenantConnectionRow).where(col(TenantConnectionRow.tenant_id) == UUID(tenant_id))
    row = (await session.exec(statement)).first()
    if row is None:
        return None
    return TenantConnection(
        tenant_id=tenant_id,
        domain=row.domain,
        display_name=row.display_name,
        applications=tuple(ConnectedApplication.model_validate(one) for one in row.applications),
        authorized_by=row.authorized_by,
        authorized_at=row.authorized_at,
    )


async def authorized_at(session: AsyncSession, tenant_id: TenantId) -> datetime | None:
    """When our applications were authorized there last; None: they were not."""
    statement = select(TenantConnectionRow.authorized_at).where(col(TenantConnectionRow.tenant_id) == UUID(tenant_id))
    return (await session.exec(statement)).first()


async def unsettled_grants(session: AsyncSession, tenant_id: TenantId) -> list[str]:
    """The grants of the tenant that have no receipt yet, in the order of their ids."""
    statement = (
        select(GrantRow.request_id)
        .where(col(GrantRow.tenant_id) == UUID(tenant_id), col(GrantRow.settled_at).is_(None))
        .order_by(col(GrantRow.request_id))
    )
    return list((await session.exec(statement)).all())


async def client_ids(session: AsyncSession, tenant_id: TenantId) -> tuple[str, ...]:
    """The applications that we are known to have in the tenant: of its own registration, or the MSP's own."""
    own = await of_tenant(session, tenant_id)
    statement = select(TenantCredential.client_id).where(col(TenantCredential.tenant_id) == UUID(tenant_id))
    registered = {str(client_id) for client_id in await session.exec(statement)}
    return tuple(sorted(registered | {one.client_id for one in (own.applications if own else ())}))


async def disconnected(session: AsyncSession, by: Actor, outcome: Disconnection, at: datetime) -> None:
    """Forget the tenant's credentials and authorization, and reconcile it no longer. Idempotent."""
    tenant_id = UUID(outcome.tenant_id)
    await session.exec(delete(TenantCredential).where(col(TenantCredential.tenant_id) == tenant_id))
    await session.exec(delete(TenantConnectionRow).where(col(TenantConnectionRow.tenant_id) == tenant_id))
    await session.exec(update(Tenant).where(col(Tenant.id) == tenant_id).values(disconnected_at=at))
    body = outcome.model_dump(mode="json", exclude={"tenant_id", "tenant"}) | {"reason": Written(outcome.reason)}
    await events.append(session, NewEvent(EventKind.TENANT_DISCONNECTED, by, body, tenant_id=tenant_id))


def _hash(value: SecretStr) -> str:
    return hashlib.sha256(value.get_secret_value().encode()).hexdigest()


def _owner(state_hash: str) -> str:
    return f"sign-in {state_hash}"
