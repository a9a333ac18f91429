"""The ledger's rows as the messages that travel."""

from __future__ import annotations

from collections.abc import Iterable

from models.holds import Hold
from models.messages import (
    AccessItem,
    AccessRequest,
    Grant,
    GrantState,
    GrantStatus,
    ObjectId,
    Receipt,
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
    if grant.closed_at is not None and grant.ending:
        return GrantState(grant.ending)
    if grant.parked_at is not None:
        return GrantState.PARKED
    if grant.closing_at is not None:
        return GrantState.CLOSING
    return GrantState.OPEN if grant.opened_at is not None else GrantState.PREPARING


def as_status(
    request: Request, grant: GrantRow | None, receipt: Receipt | None = None, holds: Iterable[Hold] = ()
) -> GrantStatus:
    """Where a request stands, without asking Temporal. Without its receipt a final state lacks the lateness.

    ``holds``: those in force, of which one may be why the grant is still being prepared.
    """
    return GrantStatus(
        request_id=request.id,
        tenant=request.tenant,
        technician=request.technician,
        state=receipt.ending.state if receipt else state_of(request, grant),
        sentence=_sentence(request, grant, receipt, holds),
        access=as_access(grant) if grant else (),
        account_name=grant.account_name if grant else None,
        opened_at=grant.opened_at if grant else None,
        expires_at=grant.expires_at if grant else None,
        closed_at=receipt.closed_at if receipt else None,
        lateness=receipt.lateness if receipt else None,
        proof=receipt.proof if receipt else None,
        replay_of=request.replay_of,
    )


def _sentence(request: Request, grant: GrantRow | None, receipt: Receipt | None, holds: Iterable[Hold]) -> str:
    if receipt is not None:
        return receipt.ending.sentence
    state = state_of(request, grant)
    if grant is not None and state is GrantState.PARKED:
        return grant.parked_because or ""
    if grant is not None and state is GrantState.OPEN:
        return f"Open until {grant.expires_at:%Y-%m-%d %H:%M:%SZ}."
    if state is GrantState.CLOSING:
        return "The account is being closed."
    if grant is not None and state is GrantState.PREPARING:
        whose = TenantId(str(grant.tenant_id)), TechnicianId(str(grant.technician_id))
        if hold := next((hold for hold in holds if hold.covers(*whose)), None):
            return f"Waiting: {hold.sentence}"
    return request.sentence or "Waiting to be decided."
