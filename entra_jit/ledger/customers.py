"""The tenants that one technician may ask for, with their live or last grant: as many statements for 500 as for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    delete,
    extract,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import configuration, holds
from entra_jit.ledger.rows import state_of
from entra_jit.policy.facts import TechnicianTerms
from entra_jit.policy.situations import LastGrant, Light, Obstacle, Situation, situation
from models.checks import CheckState
from models.holds import Hold, HoldKind
from models.messages import GrantState
from models.paging import Page, read_cursor
from models.tables import (
    CheckRow,
    Favourite,
    GrantRow,
    HoldRow,
    Request,
    RoleMapping,
    SealedCredential,
    Tenant,
    TenantReconciliationRow,
)

PAGE = 60
"""So many customers are read at once."""

LIVE, FAVOURITE, USED, OTHER = range(4)
"""In this order they are listed: what is live or not proven closed, favourites, what was used, the rest."""


@dataclass(frozen=True)
class Customer:
    """A tenant, as one technician sees it."""

    id: UUID
    name: str
    display_name: str
    domain: str
    tags: tuple[str, ...]
    favourite: bool
    section: int
    """``LIVE``, ``FAVOURITE``, ``USED`` or ``OTHER``."""
    situation: Situation
    can_have: tuple[str, ...]
    """Names of what the role mappings give; empty: nothing any more."""
    state: GrantState | None
    """Of the live or last request; None: there was none."""
    request_id: str | None
    access: tuple[str, ...]
    """Names of what was granted."""
    account_name: str | None
    armed_at: datetime | None
    expires_at: datetime | None
    usable_until: datetime | None
    """Until when the credential works; None: as long as the grant, or there is none."""
    is_revealed: bool


@dataclass(frozen=True)
class Customers:
    """One page of the list."""

    found: Page[Customer]
    total: int
    """How many match in all."""


async def listed(
    session: AsyncSession,
    whose: TechnicianTerms,
    at: datetime,
    *,
    search: str = "",
    after: str | None = None,
    limit: int = PAGE,
) -> Customers:
    """Those that match every word of ``search`` in name, domain or tag, from ``after`` on. Raises ``BadInputError``."""
    key = read_cursor(after, tuple[int, float, str, UUID]) if after else None
    mine = await _groups_of(session, whose)
    rows = await _read(session, _page(UUID(whose.id), mine, search.split(), key, limit + 1))
    part = Page.of(rows, limit, lambda row: (row.section, row.moment, row.label, row.Tenant.id))
    found = Page(_as_customer(row, whose, at) for row in part)
    found.following = part.following
    return Customers(found, rows[0].total if rows else 0)


async def one(session: AsyncSession, whose: TechnicianTerms, tenant: Tenant, at: datetime) -> Customer:
    """One of them; it need not be one that the technician may ask for."""
    mine = await _groups_of(session, whose)
    rows = await _read(session, _page(UUID(whose.id), mine, [], None, 1, only=tenant.id))
    return _as_customer(rows[0], whose, at)


async def set_favourite(session: AsyncSession, technician_id: UUID, tenant_id: UUID, *, wanted: bool) -> None:
    """Keep or forget that the technician wants to see the tenant first. Idempotent."""
    values = {"technician_id": technician_id, "tenant_id": tenant_id}
    if wanted:
        await session.exec(insert(Favourite).values(values).on_conflict_do_nothing())
    else:
        theirs = col(Favourite.technician_id) == technician_id, col(Favourite.tenant_id) == tenant_id
        await session.exec(delete(Favourite).where(*theirs))


async def _read(session: AsyncSession, statement: Select[Any]) -> Sequence[Any]:
    return (await session.exec(statement)).all()  # type: ignore[call-overload,no-any-return]


def _page(
    technician_id: UUID,
    groups: Sequence[str],
    words: Sequence[str],
    key: tuple[int, float, str, UUID] | None,
    limit: int,
    *,
    only: UUID | None = None,
) -> Select[Any]:
    ranked = _ranked(technician_id, groups, words, only)
    place = (ranked.c.section, ranked.c.moment, ranked.c.label, ranked.c.id)
    hold: Any = aliased(HoldRow)
    reconciliation: Any = aliased(TenantReconciliationRow)
    check: Any = aliased(CheckRow)
    statement = (
        select(
            Tenant,
            Request,
            GrantRow,
            hold,
            reconciliation,
            check,
            col(SealedCredential.usable_until).label("usable_until"),
            col(SealedCredential.revealed_at).label("revealed_at"),
            *(ranked.c[name] for name in ("section", "moment", "label", "total", "is_favourite", "can_have")),
        )
        .select_from(Tenant)
        .join(ranked, ranked.c.id == Tenant.id)
        .outerjoin(Request, col(Request.id) == ranked.c.request_id)
        .outerjoin(GrantRow, col(GrantRow.request_id) == ranked.c.request_id)
        .outerjoin(SealedCredential, col(SealedCredential.request_id) == ranked.c.request_id)
        .outerjoin(held := _hold(technician_id), true())
        .outerjoin(hold, hold.id == held.c.id)
        .outerjoin(reconciliation, reconciliation.tenant_id == Tenant.id)
        .outerjoin(failed := _failed_check(), true())
        .outerjoin(check, and_(check.tenant_id == Tenant.id, check.code == failed.c.code))
        .order_by(*place)
        .limit(limit)
    )
    return statement if key is None else statement.where(tuple_(*place) > tuple_(*map(literal, key)))


def _ranked(technician_id: UUID, groups: Sequence[str], words: Sequence[str], only: UUID | None) -> Subquery:
    """Every customer that matches, with its place in the list. What is live is listed whatever the mappings say."""
    last = _last_request(technician_id)
    favourite = col(Favourite.tenant_id).is_not(None)
    is_live = last.c.is_live.is_(True)
    section = case((is_live, LIVE), (favourite, FAVOURITE), (last.c.id.is_not(None), USED), else_=OTHER)
    moment = case(
        (is_live, extract("epoch", func.coalesce(last.c.expires_at, last.c.asked_at))),
        (and_(~favourite, last.c.id.is_not(None)), -extract("epoch", last.c.asked_at)),
        else_=0,
    )
    given = (col(RoleMapping.group_name).in_(groups), or_(col(RoleMapping.tenant_id).is_(None), _there(RoleMapping)))
    can_have = (
        select(func.array_agg(func.distinct(col(RoleMapping.item_name))))
        .where(*given, col(Tenant.active))
        .correlate(Tenant)
        .scalar_subquery()
    )
    is_shown = or_(can_have.is_not(None), is_live) if only is None else col(Tenant.id) == only
    described = func.concat_ws(" ", Tenant.name, Tenant.display_name, Tenant.account_domain, cast(Tenant.tags, Text))
    return (
        select(
            col(Tenant.id).label("id"),
            last.c.id.label("request_id"),
            section.label("section"),
            cast(moment, Double).label("moment"),
            func.lower(Tenant.display_name).label("label"),
            favourite.label("is_favourite"),
            can_have.label("can_have"),
            func.count().over().label("total"),
        )
        .select_from(Tenant)
        .outerjoin(last, true())
        .outerjoin(Favourite, and_(_there(Favourite), col(Favourite.technician_id) == technician_id))
        .where(is_shown, *(described.icontains(word, autoescape=True) for word in words))
        .subquery("ranked")
    )


def _there(table: Any) -> ColumnElement[bool]:
    return col(table.tenant_id) == col(Tenant.id)


async def _groups_of(session: AsyncSession, whose: TechnicianTerms) -> list[str]:
    """The groups that the technician is in; none of one who has left."""
    return [group.name for group in await configuration.groups_of(session, whose)] if whose.active else []


def _last_request(technician_id: UUID) -> LateralFromClause:
    """The technician's live request in the tenant, or the last one."""
    request: Any = aliased(Request)
    grant: Any = aliased(GrantRow)
    undecided = request.verdict.is_(None)
    is_live = or_(undecided, and_(grant.request_id.is_not(None), grant.closed_at.is_(None)))
    return (
        select(
            request.id,
            request.asked_at,
            grant.expires_at,
            is_live.label("is_live"),
        )
        .select_from(request)
        .outerjoin(grant, grant.request_id == request.id)
        .where(request.technician_id == technician_id, request.tenant_id == Tenant.id)
        .order_by(is_live.desc(), request.asked_at.desc())
        .limit(1)
        .lateral("last")
    )


def _hold(technician_id: UUID) -> LateralFromClause:
    """What holds the technician's access there: a stop before a pause, then the oldest."""
    hold: Any = aliased(HoldRow)
    return (
        select(hold.id)
        .where(
            hold.lifted_at.is_(None),
            or_(hold.tenant_id.is_(None), hold.tenant_id == Tenant.id),
            or_(hold.technician_id.is_(None), hold.technician_id == technician_id),
        )
        .order_by(hold.kind.desc(), hold.since)
        .limit(1)
        .lateral("held")
    )


def _failed_check() -> LateralFromClause:
    """The first check of the tenant that fails."""
    check: Any = aliased(CheckRow)
    failed = check.tenant_id == Tenant.id, check.state == CheckState.FAILED.value
    return select(check.code).where(*failed).order_by(check.code).limit(1).lateral("failed")


def _as_customer(row: Any, whose: TechnicianTerms, at: datetime) -> Customer:
    tenant, request, grant = row.Tenant, row.Request, row.GrantRow
    hold, reconciliation, check = row[3:6]
    last = _last(request, grant) if request else None
    obstacle = _obstacle(holds.as_hold(hold, tenant.name, whose.name) if hold else None, reconciliation, check)
    return Customer(
        id=tenant.id,
        name=tenant.name,
        display_name=tenant.display_name,
        domain=tenant.account_domain,
        tags=tuple(tenant.tags),
        favourite=row.is_favourite,
        section=row.section,
        situation=situation(last, obstacle, at),
        can_have=tuple(sorted(row.can_have or ())),
        state=last.state if last else None,
        request_id=request.id if request else None,
        access=tuple(item["name"] for item in grant.access) if grant else (),
        account_name=grant.account_name if grant else None,
        armed_at=grant.armed_at if grant else None,
        expires_at=grant.expires_at if grant else None,
        usable_until=row.usable_until,
        is_revealed=row.revealed_at is not None,
    )


def _last(request: Request, grant: GrantRow | None) -> LastGrant:
    parked = grant.parked_because if grant else None
    return LastGrant(
        state=state_of(request, grant),
        explanation=parked or request.sentence or "",
        asked_at=request.asked_at,
        decided_at=request.decided_at,
        parked_at=grant.parked_at if grant else None,
        closing_at=grant.closing_at if grant else None,
        opened_at=grant.opened_at if grant else None,
        expires_at=grant.expires_at if grant else None,
        settled_at=grant.settled_at if grant else request.decided_at,
        closed_at=grant.closed_at if grant else None,
        was_granted=grant is not None,
    )


def _obstacle(
    hold: Hold | None, reconciliation: TenantReconciliationRow | None, check: CheckRow | None
) -> Obstacle | None:
    if hold is not None:
        light, word = (Light.RED, "Stopped") if hold.kind is HoldKind.STOP else (Light.AMBER, "Paused")
        return Obstacle(light, word, hold.sentence, hold.since)
    if check is not None:
        return Obstacle(Light.RED, "Needs attention", f"{check.code}: {check.read} {check.advice}".strip(), check.since)
    if reconciliation is not None and reconciliation.failure:
        return Obstacle(Light.RED, "Needs attention", reconciliation.failure, reconciliation.succeeded_at)
    return None
