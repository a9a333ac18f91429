"""Requests for access and the answers to them. A request is decided once; asking again gives the first answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring
from entra_jit.ledger import accounts, configuration, events, holds, texts
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.marks import covered_expiry, mark_of
from entra_jit.ledger.rows import as_grant, as_request, object_id
from entra_jit.ledger.texts import Written
from entra_jit.policy.decision import Terms, decide
from entra_jit.policy.facts import Facts, TechnicianTerms
from models.actor import WORKFLOW, Actor
from models.events import EventKind
from models.messages import AccessItem, AccessRequest, Carried, Closure, Decision, EarlierRun, Verdict
from models.moments import format_moment
from models.tables import GrantRow, ManagedAccount, Request, Technician, Tenant


async def answer(
    session: AsyncSession, keyring: Keyring, request: AccessRequest, requested_by: Actor, at: datetime
) -> Decision:
    """Decide ``request`` under the current configuration and take the lock; what was decided before is repeated.

    WAIT leaves the request undecided: a grant of the same technician there is just closing.
    """
    row = await record(session, request, requested_by)
    if row.verdict is not None:
        return await _repeat(session, keyring, row)
    decision = await _decide(session, row, request, at)
    await events.append(session, asked(row), *([decided(row)] if row.verdict is not None else []))
    return decision


async def _decide(session: AsyncSession, row: Request, request: AccessRequest, at: datetime) -> Decision:
    await holds.let_no_stop_come_between(session)
    facts = await facts_of(session, request, at)
    judged = decide(facts)
    row.tenant_id = UUID(facts.tenant.id) if facts.tenant else None
    row.technician_id = UUID(facts.technician.id) if facts.technician else None
    if judged.terms is None:
        return await deny(session, row, judged.sentence, at)
    grant = await _lock(session, row, judged.terms)
    if grant is None:
        return await _held_by_another(session, row, at)
    await _answer(session, row, Verdict.ALLOWED, judged.sentence, at)
    return Decision(verdict=Verdict.ALLOWED, sentence=judged.sentence, grant=as_grant(row, grant))


async def facts_of(session: AsyncSession, request: AccessRequest, at: datetime) -> Facts:
    """What the request is decided by."""
    tenant = await configuration.tenant_by_name(session, request.tenant)
    technician = await configuration.technician_terms(session, request.technician)
    groups = await configuration.groups_of(session, technician) if technician else []
    return Facts(
        request=request,
        tenant=configuration.tenant_terms(tenant) if tenant else None,
        technician=technician,
        groups=tuple(groups),
        mappings=tuple(await configuration.mappings_of(session, groups, tenant.id)) if tenant else (),
        stop=await holds.stop_over(session, tenant.id, UUID(technician.id)) if tenant and technician else None,
        at=at,
    )


async def record(session: AsyncSession, request: AccessRequest, requested_by: Actor) -> Request:
    """The row of the request, locked; made if this is the first that is heard of it. Nothing is decided by this."""
    written = texts.Collected(request.request_id)
    values = {
        "id": request.request_id,
        "tenant": request.tenant,
        "technician": request.technician,
        "reason_text": written.apart(Written(request.reason)),
        "ticket_text": written.apart(Written(request.ticket)) if request.ticket else None,
        "duration": request.duration,
        "access": None if request.access is None else list(request.access),
        "replay_of": request.replay_of,
        "requested_by": requested_by,
        "asked_at": request.asked_at,
    }
    new = insert(Request).values(values).on_conflict_do_nothing().returning(col(Request.id))
    if (await session.exec(new)).first() is not None:
        await texts.keep(session, written)
    # Locked, so that two workers that answer the same request at once give one answer.
    return (await session.exec(select(Request).where(col(Request.id) == request.request_id).with_for_update())).one()


async def deny(session: AsyncSession, row: Request, sentence: str, at: datetime) -> Decision:
    """Record that the request is denied, and why."""
    await _answer(session, row, Verdict.DENIED, sentence, at)
    return Decision(verdict=Verdict.DENIED, sentence=sentence)


async def recall(
    session: AsyncSession, row: Request, carried: Carried, sentence: str, closure: Closure
) -> GrantRow | None:
    """Enter a grant that the ledger has lost and that is over, so that it is reviewed like any other.

    None where the ledger has lost the tenant or the technician, too.
    """
    grant = carried.grant
    tenant_id, technician_id = UUID(grant.tenant_id), UUID(grant.technician_id)
    if await session.get(Tenant, tenant_id) is None or await session.get(Technician, technician_id) is None:
        return None
    row.tenant_id, row.technician_id = tenant_id, technician_id
    if row.verdict is None:
        await _answer(session, row, Verdict.ALLOWED, sentence, closure.settled_at)
    recalled = GrantRow(
        request_id=row.id,
        tenant_id=tenant_id,
        technician_id=technician_id,
        account_name=grant.account_name,
        access=_written(grant.access),
        duration=grant.duration,
        window_ends_at=grant.window_ends_at,
        attempt=grant.attempt,
        armed_at=carried.opened_at,
        opened_at=carried.opened_at,
        expires_at=closure.expires_at,
        settled_at=closure.settled_at,
    )
    session.add_all([row, recalled])
    return recalled


async def by_id(session: AsyncSession, request_id: str) -> Request | None:
    """The request, decided or not."""
    return await session.get(Request, request_id)


async def asked_before(session: AsyncSession, request: AccessRequest) -> bool:
    """Whether the request was decided before, or asks anew, for the same technician, for what was allowed before."""
    known = await session.get(Request, request.request_id)
    if known is not None and known.verdict is not None:
        return True
    row = await session.get(Request, request.replay_of) if request.replay_of else None
    tenant = await configuration.tenant_by_name(session, request.tenant)
    technician = await configuration.technician_terms(session, request.technician)
    if row is None or tenant is None or technician is None or row.verdict != Verdict.ALLOWED:
        return False
    before = as_request(row)
    same_parties = (row.tenant_id, row.technician_id) == (tenant.id, UUID(technician.id))
    return same_parties and (before.duration, before.access) == (request.duration, request.access)


def made_in(tenant: Tenant) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The request was for access to the tenant, whatever it was called then. A denied one has its name alone.

    Either of the two: apart, each has an index that gives the newest first.
    """
    return (
        col(Request.tenant_id) == tenant.id,
        and_(col(Request.tenant_id).is_(None), col(Request.tenant) == tenant.name),
    )


def made_for(technician: TechnicianTerms) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The same for a technician."""
    return (
        col(Request.technician_id) == UUID(technician.id),
        and_(col(Request.technician_id).is_(None), col(Request.technician) == technician.name),
    )


async def _repeat(session: AsyncSession, keyring: Keyring, row: Request) -> Decision:
    verdict, sentence = Verdict(row.verdict or Verdict.DENIED), row.sentence or ""
    grant = await session.get(GrantRow, row.id)
    if grant is None:
        return Decision(verdict=verdict, sentence=sentence)
    account = await session.get(ManagedAccount, (grant.tenant_id, grant.technician_id))
    return Decision(
        verdict=verdict if grant.settled_at is None else Verdict.OVER,
        sentence=sentence,
        grant=as_grant(row, grant),
        earlier=EarlierRun(
            object_id=object_id(account),
            opened_at=grant.opened_at if grant.closing_at is None else None,
            expires_at=covered_expiry(grant, mark_of(keyring, grant, account)),
            mark=grant.mark,
        ),
    )


async def _lock(session: AsyncSession, row: Request, terms: Terms) -> GrantRow | None:
    """The new grant, or None where another live one holds the technician's place in the tenant.

    An account that is registered keeps its name, whatever the technician or the domain is called by now.
    """
    values = {
        "request_id": row.id,
        "tenant_id": row.tenant_id,
        "technician_id": row.technician_id,
        "account_name": await accounts.name_of(session, row.tenant_id, row.technician_id) or terms.account_name,
        "access": _written(terms.access),
        "duration": terms.duration,
        "window_ends_at": terms.window_ends_at,
        "attempt": 1,
    }
    inserted = insert(GrantRow).values(values).on_conflict_do_nothing().returning(GrantRow)
    return (await session.exec(inserted)).scalars().one_or_none()


def _written(access: Iterable[AccessItem]) -> list[dict[str, str]]:
    return [item.model_dump(mode="json") for item in access]


async def _held_by_another(session: AsyncSession, row: Request, at: datetime) -> Decision:
    live = (
        await session.exec(
            select(GrantRow).where(
                col(GrantRow.tenant_id) == row.tenant_id,
                col(GrantRow.technician_id) == row.technician_id,
                col(GrantRow.settled_at).is_(None),
            )
        )
    ).first()
    # Closed in this very moment, or closing: its place is free soon.
    if live is None or (live.closing_at is not None and live.parked_at is None):
        return Decision(verdict=Verdict.WAIT, sentence="The technician's earlier grant there is just closing.")
    if live.parked_at is not None:
        what = f"is parked ({live.parked_because}); retry or end it"
    elif live.expires_at is not None:
        what = f"is open until {format_moment(live.expires_at)}; ask to extend it"
    else:
        what = "is being prepared"
    sentence = f"{row.technician} already has access to {row.tenant}: the grant {live.request_id} {what}."
    return await deny(session, row, sentence, at)


def asked(row: Request) -> NewEvent:
    """What was asked, as the journal has it."""
    body = as_request(row).model_dump(mode="json", exclude={"request_id"})
    body |= {"reason": row.reason_text, "technician": Written(row.technician)}
    body |= {"ticket": row.ticket_text} if row.ticket_text else {}
    return NewEvent(EventKind.REQUESTED, row.requested_by, body, row.id, row.tenant_id, once="requested")


def decided(row: Request) -> NewEvent:
    """The answer, as the journal has it."""
    body = {"verdict": row.verdict, "sentence": row.sentence_text, "at": row.decided_at}
    return NewEvent(EventKind.DECIDED, WORKFLOW, body, row.id, row.tenant_id, once="decided")


async def _answer(session: AsyncSession, row: Request, verdict: Verdict, sentence: str, at: datetime) -> None:
    written = texts.Collected(row.id)
    row.verdict, row.sentence_text, row.decided_at = verdict, written.apart(Written(sentence)), at
    await texts.keep(session, written)
    set_committed_value(row, "sentence", sentence)
