"""The ledger's rows as the messages that travel."""

from __future__ import annotations

from models.messages import (
    AccessItem,
    AccessRequest,
    Grant,
    GrantState,
    ObjectId,
    TechnicianId,
    TenantId,
    Verdict,
)
from models.tables import GrantRow, ManagedAccount, Request


def as_grant(request: Request, grant: GrantRow) -> Grant:
    """The grant with all that closing it needs."""
    return Grant(
        request_id=grant.request_id,
        tenant_id=TenantId(str(grant.tenant_id)),
        tenant=request.tenant,
        technician_id=TechnicianId(str(grant.technician_id)),
        technician=request.technician,
        account_name=grant.account_name,
        access=as_access(grant),
        duration=grant.duration,
        window_ends_at=grant.window_ends_at,
        attempt=grant.attempt,
    )


def as_access(grant: GrantRow) -> tuple[AccessItem, ...]:
    """What was granted."""
    return tuple(AccessItem.model_validate(item) for item in grant.access)


def as_request(row: Request) -> AccessRequest:
    """What was asked, as it was asked."""
    return AccessRequest(
        request_id=row.id,
        tenant=row.tenant,
        technician=row.technician,
        reason=row.reason,
        ticket=row.ticket,
        duration=row.duration,
        access=None if row.access is None else tuple(row.access),
        asked_at=row.asked_at,
        replay_of=row.replay_of,
    )


def object_id(account: ManagedAccount | None) -> ObjectId | None:
    """The account's object id, where its creation was ever confirmed."""
    return ObjectId(str(account.object_id)) if account and account.object_id else None


def state_of(request: Request, grant: GrantRow | None) -> GrantState:
    """Where a request stands, as the ledger knows it."""
    if grant is None:
        return GrantState.DENIED if request.verdict == Verdict.DENIED else GrantState.ASKED
    if grant.settled_at is not None and grant.ending:
        return GrantState(grant.ending)
    if grant.parked_at is not None:
        return GrantState.PARKED
    if grant.closing_at is not None:
        return GrantState.CLOSING
    return GrantState.OPEN if grant.opened_at is not None else GrantState.PREPARING
