"""Settling a grant: its receipt is written, its lock released, its credential forgotten, all in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import credentials, events, interventions, requests, steps, texts
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.interventions import Told
from entra_jit.ledger.rows import as_access, as_request, object_id
from entra_jit.ledger.texts import Written
from models.actor import WORKFLOW
from models.errors import InternalError
from models.events import ERASED, EventKind
from models.messages import (
    Carried,
    Closure,
    Ending,
    GrantState,
    Proof,
    Receipt,
    Settlement,
    TechnicianId,
    TenantId,
    later,
)
from models.sweep import merged
from models.tables import GrantRow, ManagedAccount, ReceiptRow, Request

FORGOTTEN = "The ledger had lost this grant, as one does that is restored from a backup: told by its workflow alone."

UNREVIEWED = "The audit of its tenant is not read for it: the ledger has lost the tenant or the technician as well."


class UnprovenError(InternalError):
    """A grant that was armed may have an open account: its lock is not released without a read-back."""


async def settle(session: AsyncSession, settlement: Settlement) -> Receipt:
    """Write the receipt and release the lock; a request that was settled before keeps the receipt it has.

    The caller has verified the settlement's signature. Raises ``UnprovenError``.
    """
    request = await requests.record(session, settlement.signed.request, settlement.signed.assertion.actor)
    return await _settle(session, request, settlement, carried=settlement.carried)


async def settle_lapsed(session: AsyncSession, request_id: str, closure: Closure) -> Receipt | None:
    """Settle a grant whose workflow does not, by another process's proof. None for an unknown request."""
    request = await session.get(Request, request_id, with_for_update=True)
    return await _settle(session, request, closure) if request else None


async def abandon(session: AsyncSession, request_id: str, ending: Ending, at: datetime) -> Receipt | None:
    """Settle a grant unproven, because an operator says so. None for an unknown request."""
    request = await session.get(Request, request_id, with_for_update=True)
    closure = Closure(ending=ending, settled_at=at, alarms=("Nothing proves that the account is closed.",))
    return await _settle(session, request, closure, proof=Proof.ABANDONED) if request else None


async def _settle(
    session: AsyncSession,
    request: Request,
    settlement: Closure,
    *,
    proof: Proof | None = None,
    carried: Carried | None = None,
) -> Receipt:
    proof = proof or settlement.proof
    if (standing := await of_request(session, request.id)) is not None:
        return standing
    grant = await session.get(GrantRow, request.id)
    if grant is not None and grant.armed_at is not None and proof is Proof.NOT_NEEDED:
        raise UnprovenError(f"the grant {request.id} was armed, and nothing proves that its account is closed")
    forgotten = carried if grant is None else None
    if forgotten:
        grant = await requests.recall(session, request, forgotten, FORGOTTEN, settlement)
    if settlement.ending.state is GrantState.DENIED or request.verdict is None:
        # Ended before it was decided is decided: the request can never be granted afterwards.
        sentence = settlement.ending.reason or "Withdrawn before it was decided."
        await requests.deny(session, request, FORGOTTEN if forgotten else sentence, settlement.settled_at)
        session.add(request)
    if grant is not None:
        grant.closing_at = grant.closing_at or settlement.settled_at
        grant.settled_at = settlement.settled_at
        grant.closed_at = settlement.settled_at if proof.is_proven else None
        grant.parked_at = None
        grant.ending = settlement.ending.state.value
        grant.ended_by = settlement.ending.by
        grant.failure = settlement.ending.failure.value if settlement.ending.failure else None
        session.add(grant)
    await credentials.forget(session, request.id)
    last = steps.as_events(request.id, grant.attempt if grant else 1, settlement.steps)
    await events.append(session, requests.asked(request), requests.decided(request), *last)
    receipt = await _draw_up(session, request, grant, settlement, proof)
    if forgotten:
        receipt = _as_carried(receipt, forgotten, is_reviewed=grant is not None)
    written = texts.Collected(request.id)
    document = written.apart(_with_texts_apart(receipt, request))
    await texts.keep(session, written)
    values = {
        "request_id": request.id,
        "issued_at": settlement.settled_at,
        "document": document,
        "tenant_id": _guid(receipt.tenant_id),
        "technician_id": _guid(receipt.technician_id),
        "late_or_unproven": receipt.is_late_or_unproven,
    }
    await session.exec(insert(ReceiptRow).values(values))
    await events.append(session, _issued(receipt, document))
    return receipt


def _with_texts_apart(receipt: Receipt, request: Request) -> dict[str, Any]:
    """The receipt as row and journal freeze it: whole, but for the texts of people."""
    body = receipt.model_dump(mode="json", exclude={"steps"})
    body["steps"] = [steps.body(step) for step in receipt.steps]
    asked, ending = receipt.request, receipt.ending
    body["request"] |= {"reason": request.reason_text, "technician": Written(asked.technician)}
    body["request"] |= {"ticket": request.ticket_text}
    body |= {"requested_by": events.with_name_apart(receipt.requested_by), "decision": request.sentence_text}
    body["ending"] |= {"by": events.with_name_apart(ending.by)} | (
        {"reason": Written(ending.reason)} if ending.reason else {}
    )
    return body


def _issued(receipt: Receipt, document: dict[str, Any]) -> NewEvent:
    request_id = receipt.request.request_id
    return NewEvent(EventKind.RECEIPT_ISSUED, WORKFLOW, document, request_id, _guid(receipt.tenant_id), once="receipt")


def _guid(known: TenantId | TechnicianId) -> UUID | None:
    return UUID(known) if known else None


async def of_request(session: AsyncSession, request_id: str, *, lock: bool = False) -> Receipt | None:
    """The receipt of a request that has ended.

    ``lock``: and none is written until the transaction ends.
    """
    if lock:
        # As a settling locks it: of the two that come at the same time, the second one sees the first.
        await session.get(Request, request_id, with_for_update=True)
    return (await of_requests(session, [request_id])).get(request_id)


async def of_requests(session: AsyncSession, request_ids: Iterable[str]) -> dict[str, Receipt]:
    """The receipts of those requests that have one."""
    rows = await session.exec(select(ReceiptRow).where(col(ReceiptRow.request_id).in_(list(request_ids))))
    return await of_rows(session, rows.all())


async def of_rows(session: AsyncSession, rows: Iterable[ReceiptRow | None]) -> dict[str, Receipt]:
    """By request, the receipts with the texts that they quote, or that these were erased."""
    return await of_documents(session, {row.request_id: row.document for row in rows if row})


async def of_documents(session: AsyncSession, written: Mapping[str, dict[str, Any]]) -> dict[str, Receipt]:
    """The same of what rows hold, whole or in part."""
    known = await texts.contents(session, written.values())
    return {request_id: _read(texts.filled_in(document, known)) for request_id, document in written.items()}


def _read(document: dict[str, Any]) -> Receipt:
    if document["request"]["technician"] == ERASED:
        document["request"]["technician"] = "erased"  # in place of a name, which has no brackets
    return Receipt.model_validate(document)


async def _draw_up(
    session: AsyncSession,
    request: Request,
    grant: GrantRow | None,
    settlement: Closure,
    proof: Proof,
) -> Receipt:
    account = await session.get(ManagedAccount, (grant.tenant_id, grant.technician_id)) if grant else None
    expired = settlement.ending.state is GrantState.EXPIRED
    expires_at = settlement.expires_at or (grant.expires_at if grant else None)
    beside = await interventions.of_request(session, request.id)
    disabled_at = _shut_at(settlement, grant, beside)
    return Receipt(
        request=as_request(request),
        requested_by=request.requested_by,
        decision=request.sentence or "",
        decided_at=request.decided_at or settlement.settled_at,
        tenant_id=TenantId(str(request.tenant_id or "")),
        technician_id=TechnicianId(str(request.technician_id or "")),
        account_name=grant.account_name if grant else None,
        object_id=object_id(account),
        access=as_access(grant) if grant else (),
        opened_at=grant.opened_at if grant else None,
        expires_at=expires_at,
        ending=settlement.ending,
        settled_at=settlement.settled_at,
        disabled_at=disabled_at,
        proven_at=settlement.proven_at,
        lateness=later(expires_at, disabled_at) if expired else None,
        proven_lateness=later(expires_at, settlement.proven_at) if expired else None,
        standing=settlement.standing,
        proof=proof,
        findings=merged(*(one.findings for one in beside), settlement.findings),
        swept=settlement.swept,
        unswept=settlement.unswept,
        steps=steps.in_order((*await steps.of_receipt(session, request.id), *(one.step for one in beside))),
        alarms=settlement.alarms,
    )


def _shut_at(settlement: Closure, grant: GrantRow | None, beside: Sequence[Told]) -> datetime | None:
    """When the account was shut for good: closer or reconciler may have done so before the grant is settled.

    The last time that it was found enabled, because it may have been enabled again in between.
    """
    opened_at = grant.opened_at if grant else None
    instead = [
        one.disabled_at
        for one in beside
        if one.found_enabled and one.disabled_at and opened_at and one.disabled_at >= opened_at
    ]
    by_closer = [grant.disabled_at] if grant and grant.disabled_at and not instead else []
    known = [*instead[-1:], *by_closer, *([settlement.disabled_at] if settlement.disabled_at else [])]
    return min(known, default=None)


def _as_carried(receipt: Receipt, carried: Carried, *, is_reviewed: bool) -> Receipt:
    """The receipt with what only the workflow could tell, and an alarm that says so."""
    grant = carried.grant
    unreviewed = () if is_reviewed else (UNREVIEWED,)
    return receipt.model_copy(
        update={
            "tenant_id": grant.tenant_id,
            "technician_id": grant.technician_id,
            "account_name": grant.account_name,
            "object_id": carried.object_id,
            "access": grant.access,
            "opened_at": carried.opened_at,
            "alarms": (*receipt.alarms, FORGOTTEN, *unreviewed),
        }
    )
