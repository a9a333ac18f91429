"""Where requests stand, as people read it: from the ledger and its journal, and not from workflows that may be gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import credentials, grants, holds, interventions, receipts
from entra_jit.ledger.interventions import Told
from entra_jit.ledger.rows import as_access, state_of
from models.holds import Hold
from models.messages import GrantState, GrantStatus, Receipt, SignInStatus, TechnicianId, TenantId
from models.moments import format_moment
from models.tables import GrantRow, Request

A_PASS_BEGINS_EARLIER = timedelta(minutes=5)
"""It is made before the grant's time begins, and ends so much earlier."""


async def of_request(session: AsyncSession, request_id: str, at: datetime) -> GrantStatus | None:
    """Where a request stands at ``at``; None: the ledger does not know it."""
    row = await grants.with_receipt(session, request_id)
    return (await of_requests(session, [row], at))[0] if row else None


async def of_requests(session: AsyncSession, rows: Sequence[grants.Row], at: datetime) -> list[GrantStatus]:
    """Where each of these stands at ``at``."""
    beside = await interventions.proofs(session, [grant for _, grant, _ in rows if grant])
    made = await credentials.statuses(
        session, [request.id for request, grant, receipt in rows if grant and not receipt]
    )
    held = await holds.in_force(session)
    written = await receipts.of_rows(session, (receipt for *_, receipt in rows))
    return [
        _over(request, grant, written[request.id])
        if receipt
        else _live(request, grant, beside.get(request.id), made.get(request.id), held, at)
        for request, grant, receipt in rows
    ]


def _over(request: Request, grant: GrantRow | None, receipt: Receipt) -> GrantStatus:
    closed_at = grant.closed_at if grant else receipt.settled_at if receipt.proof.is_proven else None
    later = f" Proven closed at {format_moment(closed_at)}." if closed_at and not receipt.proof.is_proven else ""
    return _known(request, grant).model_copy(
        update={
            "state": receipt.ending.state,
            "sentence": receipt.ending.sentence + later,
            "closed_at": closed_at,
            "lateness": receipt.lateness,
            "proof": receipt.proof,
        }
    )


def _live(
    request: Request,
    grant: GrantRow | None,
    beside: Told | None,
    made: SignInStatus | None,
    held: Iterable[Hold],
    at: datetime,
) -> GrantStatus:
    state = state_of(request, grant)
    if beside and beside.proven_at and state in {GrantState.OPEN, GrantState.CLOSING}:
        by = beside.by.name.capitalize()
        sentence = (
            f"{by} has closed the account at {format_moment(beside.proven_at)}: {beside.because}. Its receipt follows."
        )
        update: dict[str, object] = {"state": GrantState.CLOSING, "sentence": sentence, "closed_at": beside.proven_at}
    elif grant and grant.expires_at and state is GrantState.OPEN:
        update = {"state": state, "sentence": _while_open(grant.expires_at, made, at), "sign_in": made}
    else:
        update = {"state": state, "sentence": _sentence(request, grant, held)}
    return _known(request, grant).model_copy(update=update)


def _known(request: Request, grant: GrantRow | None) -> GrantStatus:
    return GrantStatus(
        request_id=request.id,
        tenant=request.tenant,
        technician=request.technician,
        wanted=None if request.access is None else tuple(request.access),
        access=as_access(grant) if grant else (),
        account_name=grant.account_name if grant else None,
        opened_at=grant.opened_at if grant else None,
        expires_at=grant.expires_at if grant else None,
        replay_of=request.replay_of,
    )


def _while_open(expires_at: datetime, made: SignInStatus | None, at: datetime) -> str:
    if at >= expires_at:
        return f"It expired at {format_moment(expires_at)}. Closing has not started. Is a worker running?"
    until = f"Open until {format_moment(expires_at)}."
    if made is None or made.usable_until is None:
        return until
    ends_early = made.usable_until < expires_at - A_PASS_BEGINS_EARLIER
    if not ends_early and not made.usable_once:
        return until
    works = f"works until {format_moment(made.usable_until)}" if ends_early else "works"
    return f"{until} Its pass {works}{' once' if made.usable_once else ''}; `reveal --renew` makes another."


def _sentence(request: Request, grant: GrantRow | None, held: Iterable[Hold]) -> str:
    state = state_of(request, grant)
    if grant is not None and state is GrantState.PARKED:
        return grant.parked_because or ""
    if state is GrantState.CLOSING:
        return "The account is being closed."
    if grant is not None and state is GrantState.PREPARING:
        whose = TenantId(str(grant.tenant_id)), TechnicianId(str(grant.technician_id))
        if hold := next((hold for hold in held if hold.covers(*whose)), None):
            return f"Waiting: {hold.sentence}"
    return request.sentence or "Waiting to be decided."
