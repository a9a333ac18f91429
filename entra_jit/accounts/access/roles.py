"""Directory roles, over the whole tenant."""

from __future__ import annotations

from collections.abc import Iterable

from entra_jit.accounts.access.kind import Held, Holdings
from entra_jit.graph import RoleAssignment, Tenant, assignment_id
from entra_jit.policy.roles import role_name
from models.messages import AccessItem, AccessKind, DirectoryCall, ObjectId, RoleId
from models.sweep import FindingKind

FINDING = FindingKind.ROLE
ALWAYS_EXACT = True


async def give(tenant: Tenant, item: AccessItem, account: ObjectId) -> DirectoryCall:
    """See ``Kind``."""
    return (await tenant.roles.assign(RoleId(item.id), to=account)).evidence


async def list_held(tenant: Tenant, account: ObjectId) -> Holdings:
    """See ``Kind``. At every scope."""
    assignments = await tenant.roles.assignments_of(account)
    return Holdings(tuple(map(_held, assignments)), assignments.evidence)


async def take(tenant: Tenant, held_id: str, account: ObjectId) -> DirectoryCall:
    """See ``Kind``. The id of an assignment names its account, too."""
    return await tenant.roles.unassign(held_id)


def expected_ids(items: Iterable[AccessItem], account: ObjectId) -> frozenset[str]:
    """See ``Kind``."""
    return frozenset(assignment_id(RoleId(item.id), account) for item in items)


def _held(assignment: RoleAssignment) -> Held:
    id, name = str(assignment.role), role_name(assignment.role)
    if assignment.scope != "/":
        id, name = f"{id} over {assignment.scope}", f"{name}, over {assignment.scope}"
    item = AccessItem(kind=AccessKind.ROLE, id=id, name=name)
    return Held(assignment.id, item, f"It held the role {name}.")
