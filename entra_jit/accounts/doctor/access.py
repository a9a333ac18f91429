"""Whether accounts can be made, and given what role mappings promise."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from entra_jit.accounts.access import CannotBeGivenError, groups
from entra_jit.accounts.doctor.examined import Examination, ExaminedTenant, failed, listed, ok
from entra_jit.graph import Domain
from entra_jit.policy.domain import refuse_domain
from models.checks import Check, Finding
from models.messages import AccessItem, AccessKind, RoleId


def judge_domain(tenant: str, name: str, found: Domain | None) -> Finding:
    """Whether accounts can be made in the domain and sign in to Microsoft itself."""
    is_managed = found.is_managed if found and found.is_verified else None
    if refused := refuse_domain(tenant, name, is_managed=is_managed):
        return failed(Check.DOMAIN, refused)
    return ok(Check.DOMAIN, f"{name} is verified and managed.")


def judge_roles(mapped: Sequence[AccessItem], existing: Collection[RoleId]) -> Finding:
    """Whether the tenant has every role that is mapped there."""
    if not mapped:
        return ok(Check.ROLES, "No role is mapped.")
    if absent := [role.name for role in mapped if RoleId(role.id) not in existing]:
        return failed(Check.ROLES, f"The tenant does not have: {listed(absent)}.")
    return ok(Check.ROLES, f"All {len(mapped)} exist.")


def judge_groups(mapped: Sequence[AccessItem], refused: Sequence[str]) -> Finding:
    """Whether every mapped group can be given; ``refused``: why others cannot, a sentence each."""
    if refused:
        return failed(Check.GROUPS, " ".join(refused))
    return ok(Check.GROUPS, f"All {len(mapped)} can be given." if mapped else "No group is mapped.")


async def _domain(tenant: ExaminedTenant) -> Sequence[Finding]:
    terms = tenant.configured.terms
    name = terms.account_domain
    return [judge_domain(terms.name, name, await tenant.as_seen_by("elevate").domains.find(name))]


async def _roles(tenant: ExaminedTenant) -> Sequence[Finding]:
    existing = await tenant.as_seen_by("elevate").roles.definitions()
    return [judge_roles(tenant.configured.mapped_of(AccessKind.ROLE), {one.template_id for one in existing})]


async def _groups(tenant: ExaminedTenant) -> Sequence[Finding]:
    mapped = tenant.configured.mapped_of(AccessKind.GROUP)
    reader = tenant.as_seen_by("elevate")

    async def refusal(item: AccessItem) -> str | None:
        try:
            await groups.check(reader, item)
        except CannotBeGivenError as error:
            return error.explanation
        return None

    return [judge_groups(mapped, [why for why in await asyncio.gather(*map(refusal, mapped)) if why])]


EXAMINATIONS = (
    Examination((Check.DOMAIN,), _domain),
    Examination((Check.ROLES,), _roles),
    Examination((Check.GROUPS,), _groups),
)
