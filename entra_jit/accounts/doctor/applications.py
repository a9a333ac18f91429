"""Whether our applications are in the right tenant, with what they need and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from entra_jit.accounts.doctor.examined import (
    Examination,
    ExaminedTenant,
    OurApplication,
    failed,
    listed,
    ok,
    unknown,
    warning,
)
from entra_jit.graph import Organization, RoleAssignment
from entra_jit.graph.operations import ANY_ADMINISTRATOR
from entra_jit.ledger.examinations import ConfiguredTenant
from entra_jit.policy.permissions import Expected, expected
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR, find_role
from models.checks import Check, Finding
from models.messages import AccessKind, RoleId, TenantId

CLOSING_ROLE = RoleId(find_role(ANY_ADMINISTRATOR).id)
"""What each of our service principals should hold."""

_UNREADABLE = "Microsoft's token could not be read."


def judge_organization(wanted: TenantId, found: Organization) -> Finding:
    """Whether this is the tenant that was configured."""
    read = f"{found.display_name or 'unnamed'}, {found.id}"
    if found.id != wanted:
        return failed(Check.ORGANIZATION, f"{read}; configured is {wanted}.")
    return ok(Check.ORGANIZATION, f"{read}.")


def judge_permissions(held: Mapping[str, tuple[Collection[str], Expected]]) -> list[Finding]:
    """What is missing, and what is there in excess; ``held``: by application, what it holds and what it should."""
    missing = _each({name: should.needed - set(has) for name, (has, should) in held.items()})
    unmet = _each({name: should.wanted - set(has) for name, (has, should) in held.items()})
    excess = _each({name: set(has) - should.allowed for name, (has, should) in held.items()})
    if missing:
        first = failed(Check.PERMISSIONS_MISSING, f"Missing: {missing}.")
    elif unmet:
        first = warning(Check.PERMISSIONS_MISSING, f"All that grants need. Missing beside: {unmet}.")
    else:
        first = ok(Check.PERMISSIONS_MISSING, "Every permission is granted.")
    if excess:
        return [first, warning(Check.PERMISSIONS_IN_EXCESS, f"Not needed: {excess}.")]
    return [first, ok(Check.PERMISSIONS_IN_EXCESS, "None.")]


def judge_roles(held: Mapping[str, Collection[RoleAssignment]]) -> Finding:
    """Whether each application's service principal holds the role over the whole tenant."""
    lacking = [name for name, assignments in held.items() if lacks_role(assignments)]
    if lacking:
        return failed(Check.DIRECTORY_ROLE, f"Without {ANY_ADMINISTRATOR}: the service principal of {listed(lacking)}.")
    return ok(Check.DIRECTORY_ROLE, f"{ANY_ADMINISTRATOR}: {listed(held)}.")


def lacks_role(held: Iterable[RoleAssignment]) -> bool:
    """Whether a service principal that holds these cannot close every account."""
    return not any(map(_is_enough, held))


def missing_permissions(configured: ConfiguredTenant, application: OurApplication) -> str:
    """What the application needs in the tenant and does not have; empty: nothing, or that cannot be read."""
    if application.granted is None:
        return ""
    should = _expected(configured, application)
    return listed((should.needed | should.wanted) - application.granted.permissions, most=20)


def _expected(configured: ConfiguredTenant, application: OurApplication) -> Expected:
    gives_groups = bool(configured.mapped_of(AccessKind.GROUP))
    return expected(application.purposes, configured.credential, gives_groups=gives_groups)


def _is_enough(assignment: RoleAssignment) -> bool:
    return assignment.scope == "/" and assignment.role in {CLOSING_ROLE, GLOBAL_ADMINISTRATOR}


def _each(names: Mapping[str, Collection[str]]) -> str:
    return "; ".join(f"{listed(found, most=20)} ({name})" for name, found in names.items() if found)


async def _organization(tenant: ExaminedTenant) -> Sequence[Finding]:
    found = await tenant.as_seen_by("elevate").organization.get()
    return [judge_organization(tenant.configured.terms.id, found)]


async def _permissions(tenant: ExaminedTenant) -> Sequence[Finding]:
    held: dict[str, tuple[Collection[str], Expected]] = {}
    for application in tenant.applications:
        if application.granted is None:
            return [unknown(Check.PERMISSIONS_MISSING, _UNREADABLE), unknown(Check.PERMISSIONS_IN_EXCESS, _UNREADABLE)]
        held[application.name] = application.granted.permissions, _expected(tenant.configured, application)
    return judge_permissions(held)


async def _roles(tenant: ExaminedTenant) -> Sequence[Finding]:
    principals = {one.name: one.granted.principal for one in tenant.applications if one.granted}
    readable = {name: principal for name, principal in principals.items() if principal}
    if len(readable) < len(tenant.applications):
        return [unknown(Check.DIRECTORY_ROLE, _UNREADABLE)]
    roles = tenant.as_seen_by("elevate").roles
    found = await asyncio.gather(*map(roles.assignments_of, readable.values()))
    return [judge_roles(dict(zip(readable, found, strict=True)))]


EXAMINATIONS = (
    Examination((Check.ORGANIZATION,), _organization),
    Examination((Check.PERMISSIONS_MISSING, Check.PERMISSIONS_IN_EXCESS), _permissions),
    Examination((Check.DIRECTORY_ROLE,), _roles),
)
