"""Every tenant, as an admin sees the list: connected or not, what the doctor says at worst, how much is open there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger.open_grants import is_not_proven_closed
from models.checks import CheckState
from models.paging import Page, read_cursor
from models.tables import CheckRow, GrantRow, Tenant, TenantConnectionRow, TenantCredential

PAGE = 60
"""So many tenants are read at once."""


@dataclass(frozen=True)
class ListedTenant:
    """A tenant of the configuration."""

    id: UUID
    name: str
    display_name: str
    domain: str
    tags: tuple[str, ...]
    is_connected: bool
    """The MSP's applications were authorized there, or it has a registration of its own."""
    examined_at: datetime | None
    worst: str | None
    """What the doctor last said of the worst check that is not good; None: nothing is wrong, as far as was seen."""
    worst_state: CheckState | None
    open_grants: int
    """Those that are not proven closed."""


@dataclass(frozen=True)
class Tenants:
    """One page of the list."""

    found: Page[ListedTenant]
    total: int
    """How many match in all."""
    unconfigured: tuple[tuple[UUID, str, str], ...]
    """Connected, and not in the configuration yet: id, name at Microsoft, domain."""


async def listed(session: AsyncSession, *, search: str, after: str | None, limit: int) -> Tenants:
    """Those that match every word of ``search`` in name, domain or tag, by name. Raises ``BadInputError``."""
    key = read_cursor(after, tuple[str, UUID]) if after else None
    rows = (await (await session.connection()).execute(_page(search.split(), key, limit + 1))).all()
    part = Page.of(rows, limit, lambda row: (row.label, row.id))
    found = Page(map(_as_tenant, part))
    found.following = part.following
    return Tenants(found, rows[0].total if rows else 0, await _unconfigured(session))


def _page(words: list[str], key: tuple[str, UUID] | None, limit: int) -> Select[Any]:
    label = func.lower(Tenant.display_name)
    described = func.concat_ws(" ", Tenant.name, Tenant.display_name, Tenant.account_domain, cast(Tenant.tags, Text))
    matches = select(col(Tenant.id).label("id"), label.label("label"), func.count().over().label("total")).where(
        col(Tenant.active), *(described.icontains(word, autoescape=True) for word in words)
    )
    match = matches.subquery("matching")
    place = (match.c.label, match.c.id)
    worst = _worst_check()
    open_grants = (
        select(func.count())
        .where(col(GrantRow.tenant_id) == match.c.id, is_not_proven_closed())
        .correlate(match)
        .scalar_subquery()
    )
    statement = (
        select(
            match,
            col(Tenant.name),
            col(Tenant.display_name),
            col(Tenant.account_domain),
            col(Tenant.tags),
            or_(_has(TenantConnectionRow), _has(TenantCredential)).label("is_connected"),
            _examined_at().label("examined_at"),
            worst.c.code,
            worst.c.read,
            worst.c.state,
            open_grants.label("open_grants"),
        )
        .select_from(match)
        .join(Tenant, col(Tenant.id) == match.c.id)
        .outerjoin(worst, true())
        .order_by(*place)
        .limit(limit)
    )
    return statement if key is None else statement.where(tuple_(*place) > tuple_(*map(literal, key)))


def _has(table: Any) -> ColumnElement[bool]:
    return select(literal(1)).where(col(table.tenant_id) == col(Tenant.id)).correlate(Tenant).exists()


def _examined_at() -> ScalarSelect[datetime]:
    last = select(func.max(CheckRow.examined_at)).where(col(CheckRow.tenant_id) == col(Tenant.id)).correlate(Tenant)
    return last.scalar_subquery()


def _worst_check() -> LateralFromClause:
    check: Any = aliased(CheckRow)
    bad = (CheckState.FAILED.value, CheckState.WARNING.value)
    return (
        select(check.code, check.read, check.state)
        .where(check.tenant_id == Tenant.id, check.state.in_(bad))
        .order_by(case((check.state == CheckState.FAILED.value, 0), else_=1), check.code)
        .limit(1)
        .lateral("worst")
    )


async def _unconfigured(session: AsyncSession) -> tuple[tuple[UUID, str, str], ...]:
    statement = (
        select(
            col(TenantConnectionRow.tenant_id), col(TenantConnectionRow.display_name), col(TenantConnectionRow.domain)
        )
        .outerjoin(Tenant, and_(col(Tenant.id) == col(TenantConnectionRow.tenant_id), col(Tenant.active)))
        .where(col(Tenant.id).is_(None))
        .order_by(func.lower(TenantConnectionRow.display_name), col(TenantConnectionRow.tenant_id))
    )
    rows = await (await session.connection()).execute(statement)
    return tuple((id, display_name, domain) for id, display_name, domain in rows)


def _as_tenant(row: Any) -> ListedTenant:
    return ListedTenant(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        domain=row.account_domain,
        tags=tuple(row.tags),
        is_connected=row.is_connected,
        examined_at=row.examined_at,
        worst=f"{row.code} {row.read}" if row.code else None,
        worst_state=CheckState(row.state) if row.state else None,
        open_grants=row.open_grants,
    )
