"""What examinations of tenants need from the ledger, and what they found: the last result of each check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import accounts, canaries, configuration, emergency_views, events
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.names import find_tenant
from entra_jit.policy.configuration import CanaryChoice, CredentialChoice
from entra_jit.policy.entitlement import RoleMapping
from entra_jit.policy.facts import TenantTerms
from models.actor import Actor
from models.checks import Check, CheckState, Examination, Finding
from models.errors import NotFoundError
from models.events import EventKind
from models.marks import AccountKind
from models.messages import AccessItem, AccessKind, EmergencyAccountView, GrantStatus, ObjectId, SignInAttempt, TenantId
from models.tables import CheckRow, Tenant


@dataclass(frozen=True)
class ConfiguredTenant:
    """What is configured for a tenant, and which accounts there are ours."""

    terms: TenantTerms
    credential: CredentialChoice
    mapped: tuple[AccessItem, ...]
    """Everything that role mappings may give there."""
    registered: frozenset[ObjectId]
    canary: CanaryChoice = "never"
    last_canary: GrantStatus | None = None
    """The last one that is over; None: there was none."""
    canary_attempt: SignInAttempt | None = None
    """How its sign-in went."""
    emergency: frozenset[ObjectId] = frozenset()
    """Those of ``registered`` that are emergency accounts."""
    emergency_accounts: tuple[EmergencyAccountView, ...] = ()
    """Those that stand or are wanted, and when each was last known to work."""

    def mapped_of(self, kind: AccessKind) -> tuple[AccessItem, ...]:
        """What may be given there of one kind."""
        return tuple(item for item in self.mapped if item.kind is kind)


@dataclass(frozen=True)
class Changes:
    """How an examination compares with the one before."""

    worse: tuple[Finding, ...]
    good: tuple[Finding, ...]
    """What is good now, whatever it was."""


async def tenants(session: AsyncSession, at: datetime, typed: Sequence[str] = ()) -> list[ConfiguredTenant]:
    """The tenants of these names, each once; every active one, where none is named.

    Raises ``NotFoundError``, also for a tenant that was removed from the configuration.
    """
    rows = [await find_tenant(session, name) for name in typed] or await configuration.all_tenants(session)
    if typed and (removed := [row.name for row in rows if not row.active]):
        raise NotFoundError(f"{removed[0]} is no longer in the configuration.")
    mappings = await configuration.role_mappings(session)
    found = {row.name: await _configured(session, row, mappings, at) for row in rows if row.active}
    return list(found.values())


async def _configured(
    session: AsyncSession, row: Tenant, mappings: Sequence[RoleMapping], at: datetime
) -> ConfiguredTenant:
    terms = configuration.tenant_terms(row)
    mapped = {one.item: None for one in mappings if one.tenant_id in {None, terms.id}}
    kinds = await accounts.object_ids(session, terms.id)
    last_canary = await canaries.last_run(session, row.id, at)
    return ConfiguredTenant(
        terms,
        _credential(row),
        tuple(mapped),
        frozenset(kinds),
        _canary(row),
        last_canary,
        await canaries.last_attempt(session, last_canary.request_id or "") if last_canary else None,
        frozenset(account for account, kind in kinds.items() if kind is AccountKind.EMERGENCY),
        tuple(await emergency_views.listed(session, only=row.id)),
    )


async def in_turn(session: AsyncSession) -> list[str]:
    """The names of the active tenants, the one whose last examination is longest ago first; the unexamined before."""
    last = func.max(CheckRow.examined_at)
    statement = (
        select(Tenant.name)
        .outerjoin(CheckRow, col(CheckRow.tenant_id) == col(Tenant.id))
        .where(col(Tenant.active))
        .group_by(col(Tenant.name))
        .order_by(last.asc().nulls_first(), col(Tenant.name))
    )
    return list((await session.exec(statement)).all())


def lacks_what_is_necessary() -> ColumnElement[bool]:
    """For a statement about an active tenant: whether its last examination found a necessary check failed."""
    necessary = [check.code for check in Check if check.is_necessary]
    return exists().where(
        col(CheckRow.tenant_id) == col(Tenant.id),
        col(Tenant.active),
        col(CheckRow.state) == CheckState.FAILED.value,
        col(CheckRow.code).in_(necessary),
    )


async def last(session: AsyncSession, tenant: Tenant) -> Examination | None:
    """What the last examination of the tenant found; None: there was none. Codes that are no more are passed over."""
    rows = await _rows(session, TenantId(str(tenant.id)))
    known = {check.code: check for check in Check}
    found = [
        Finding(check=known[row.code], state=CheckState(row.state), read=row.read, advice=row.advice)
        for row in rows
        if row.code in known
    ]
    examined_at = max((row.examined_at for row in rows), default=None)
    return Examination(tenant=tenant.name, examined_at=examined_at, findings=tuple(found)) if examined_at else None


async def record(session: AsyncSession, tenant_id: TenantId, examination: Examination, actor: Actor) -> Changes:
    """Keep what was found in place of what was found before, and enter it in the journal.

    What is worse than before is so only where the check was judged before: what could not be tried is passed over.
    """
    before = {row.code: row for row in await _rows(session, tenant_id)}
    worse = [one for one in examination.findings if one.check.code in before and _is_worse(one, before[one.check.code])]
    values = [
        _values(tenant_id, one, before.get(one.check.code), examination.examined_at) for one in examination.findings
    ]
    statement = insert(CheckRow).values(values)
    kept = {name: statement.excluded[name] for name in values[0] if name not in {"tenant_id", "code"}}
    await session.exec(statement.on_conflict_do_update(index_elements=["tenant_id", "code"], set_=kept))
    states = {one.check.code: one.state.value for one in examination.findings}
    await events.append(
        session, NewEvent(EventKind.TENANT_EXAMINED, actor, {"checks": states}, tenant_id=UUID(tenant_id))
    )
    return Changes(tuple(worse), tuple(one for one in examination.findings if one.state is CheckState.OK))


async def _rows(session: AsyncSession, tenant_id: TenantId) -> Sequence[CheckRow]:
    statement = select(CheckRow).where(col(CheckRow.tenant_id) == UUID(tenant_id)).order_by(col(CheckRow.code))
    return (await session.exec(statement)).all()


def _is_worse(finding: Finding, before: CheckRow) -> bool:
    return before.judged is not None and finding.state.rank > CheckState(before.judged).rank


def _values(tenant_id: TenantId, finding: Finding, before: CheckRow | None, at: datetime) -> dict[str, object]:
    is_same = before is not None and before.state == finding.state.value
    is_judged = finding.state is not CheckState.UNKNOWN
    return {
        "tenant_id": UUID(tenant_id),
        "code": finding.check.code,
        "state": finding.state.value,
        "read": finding.read,
        "advice": finding.advice,
        "examined_at": at,
        "since": before.since if before is not None and is_same else at,
        "judged": finding.state.value if is_judged else before and before.judged,
    }


def _credential(row: Tenant) -> CredentialChoice:
    return row.credential  # type: ignore[return-value]  # the configuration file has checked it


def _canary(row: Tenant) -> CanaryChoice:
    return row.canary  # type: ignore[return-value]  # the configuration file has checked it
