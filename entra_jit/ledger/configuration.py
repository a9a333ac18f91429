"""Tenants, technicians, groups and role mappings: what the MSP has configured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import SecretStr, TypeAdapter
from sqlalchemy import and_, literal, or_
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring, Purpose
from entra_jit.crypto.sealing import Sealed, unseal
from entra_jit.policy import decision, entitlement
from entra_jit.policy.facts import TechnicianTerms, TenantTerms
from models.messages import AccessItem, AccessKind, TechnicianId, TenantId
from models.tables import (
    Group,
    GroupMember,
    RoleMapping,
    Technician,
    Tenant,
    TenantCredential,
)

GROUP_RULES = TypeAdapter(tuple[entitlement.AttributeRule, ...])
"""The rules of a group, as its row keeps them."""


def credential_owner(tenant_id: TenantId, purpose: str) -> str:
    """What a tenant's sealed credential is bound to, so that it opens for no other tenant or purpose."""
    return f"tenant {tenant_id} {purpose}"


async def connection_secrets(
    session: AsyncSession, keyring: Keyring, tenant_id: TenantId, purposes: Iterable[str] = ("elevate", "revoke")
) -> dict[str, tuple[UUID, str, SecretStr]]:
    """How to sign in to a tenant: client id, kind of credential and the credential itself, by purpose.

    Only for ``purposes``; what is for another is neither read nor opened.
    """
    statement = select(TenantCredential).where(
        col(TenantCredential.tenant_id) == UUID(tenant_id), col(TenantCredential.purpose).in_(list(purposes))
    )
    rows = (await session.exec(statement)).all()
    return {row.purpose: _opened(keyring, row) for row in rows}


async def all_connection_secrets(
    session: AsyncSession, keyring: Keyring
) -> dict[tuple[UUID, str], tuple[UUID, str, SecretStr]]:
    """The same of every tenant, by tenant and purpose."""
    return {(row.tenant_id, row.purpose): _opened(keyring, row) for row in await session.exec(select(TenantCredential))}


def _opened(keyring: Keyring, row: TenantCredential) -> tuple[UUID, str, SecretStr]:
    owner = credential_owner(TenantId(str(row.tenant_id)), row.purpose)
    sealed = Sealed(row.key_id, row.ciphertext)
    return row.client_id, row.kind, unseal(keyring, Purpose.TENANT_CREDENTIAL, sealed, owner)


async def tenant_by_name(session: AsyncSession, name: str) -> Tenant | None:
    """The tenant that people call so; an inactive one only where no active one has the name."""
    statement = select(Tenant).where(col(Tenant.name) == name).order_by(col(Tenant.active).desc())
    return (await session.exec(statement)).first()


async def tenant_by_id(session: AsyncSession, tenant_id: TenantId) -> Tenant | None:
    """The tenant, active or not; None where the ledger does not know it."""
    return await session.get(Tenant, UUID(tenant_id))


async def names_now(session: AsyncSession, tenant_id: UUID, technician_id: UUID) -> tuple[str, str] | None:
    """What tenant and technician are called by now; None where either is no longer in the configuration.

    Another technician may have their former name by now.
    """
    tenant, technician = await session.get(Tenant, tenant_id), await session.get(Technician, technician_id)
    if tenant is None or technician is None or not (tenant.active and technician.active):
        return None
    return tenant.name, technician.name


async def all_tenants(session: AsyncSession) -> Sequence[Tenant]:
    """Every tenant ever configured, inactive and disconnected ones too, by name."""
    return (await session.exec(select(Tenant).order_by(col(Tenant.name)))).all()


def tenant_terms(tenant: Tenant) -> TenantTerms:
    """The tenant as the policy sees it."""
    return TenantTerms(
        id=TenantId(str(tenant.id)),
        name=tenant.name,
        account_domain=tenant.account_domain,
        account_prefix=tenant.account_prefix,
        default_duration=tenant.default_duration,
        max_duration=tenant.max_duration,
        active=tenant.active,
    )


async def technician_names(session: AsyncSession) -> Sequence[str]:
    """The names of all technicians, inactive ones too."""
    return (await session.exec(select(Technician.name))).all()


async def technician_terms(session: AsyncSession, name: str) -> TechnicianTerms | None:
    """The technician as the policy sees them; an inactive one only where no active one has the name."""
    statement = select(Technician).where(col(Technician.name) == name).order_by(col(Technician.active).desc())
    row = (await session.exec(statement)).first()
    return terms_of(row) if row else None


def terms_of(technician: Technician) -> TechnicianTerms:
    """The technician as the policy sees them."""
    return TechnicianTerms(TechnicianId(str(technician.id)), technician.name, technician.attributes, technician.active)


async def no_longer_due(
    session: AsyncSession, tenant: Tenant, technician_id: UUID, access: Iterable[AccessItem]
) -> str | None:
    """Why this access may not be opened or extended for the technician there by now; None: they may."""
    technician = await session.get_one(Technician, technician_id)
    whose = terms_of(technician)
    theirs = await groups_of(session, whose)
    mappings = await mappings_of(session, theirs, tenant.id)
    return decision.no_longer_due(access, tenant_terms(tenant), whose, theirs, mappings)


async def groups_of(session: AsyncSession, technician: TechnicianTerms) -> list[entitlement.Group]:
    """The groups that the technician is in. Of their members, the technician alone is told.

    Entitlement by these is the same as by all: so no decision gets slower with the number of technicians.
    """
    membership = and_(
        col(GroupMember.group_name) == col(Group.name), col(GroupMember.technician_id) == UUID(technician.id)
    )
    has_rules = col(Group.rules) != literal([], JSONB)
    statement = (
        select(Group, GroupMember)
        .outerjoin(GroupMember, membership)
        .where(or_(col(GroupMember.group_name).is_not(None), has_rules, col(Group.name) == entitlement.ALL_TECHNICIANS))
    )
    person = entitlement.Technician(technician.id, technician.attributes)
    rows = (await session.exec(statement)).all()
    candidates = [_as_group(group, [technician.id] if listed else ()) for group, listed in rows]
    return [group for group in candidates if person in group]


async def mappings_of(
    session: AsyncSession, groups: Iterable[entitlement.Group], tenant_id: UUID
) -> list[entitlement.RoleMapping]:
    """What these groups have in the tenant."""
    statement = select(RoleMapping).where(
        col(RoleMapping.group_name).in_([group.name for group in groups]),
        or_(col(RoleMapping.tenant_id) == tenant_id, col(RoleMapping.tenant_id).is_(None)),
    )
    return [_as_mapping(row) for row in await session.exec(statement)]


async def groups(session: AsyncSession) -> list[entitlement.Group]:
    """Every group with its listed members."""
    members: dict[str, set[TechnicianId]] = {}
    for member in await session.exec(select(GroupMember)):
        members.setdefault(member.group_name, set()).add(TechnicianId(str(member.technician_id)))
    return [_as_group(row, members.get(row.name, ())) for row in await session.exec(select(Group))]


def _as_group(row: Group, members: Iterable[TechnicianId]) -> entitlement.Group:
    return entitlement.Group(row.name, frozenset(members), GROUP_RULES.validate_python(row.rules))


async def role_mappings(session: AsyncSession) -> list[entitlement.RoleMapping]:
    """Every role mapping, of one tenant or of all."""
    return [_as_mapping(row) for row in await session.exec(select(RoleMapping))]


def _as_mapping(row: RoleMapping) -> entitlement.RoleMapping:
    return entitlement.RoleMapping(
        row.group_name,
        TenantId(str(row.tenant_id)) if row.tenant_id else None,
        AccessItem(kind=AccessKind(row.kind), id=row.item_id, name=row.item_name),
    )
