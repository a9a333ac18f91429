"""Closing one account of a directory: what is done to it, and what the directory then says of it.

Every part is idempotent, and each is attempted even if another fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass

from activities.attempts import attempt_all
from graph import AlreadySo, Tenant, TryLater, User, assignment_id
from models.messages import DirectoryCall, ObjectId, Role, Standing
from trust.marks import OPEN_UNTIL_ATTRIBUTE
from trust.passwords import new_password


async def strip(
    tenant: Tenant, user: ObjectId, granted: Iterable[Role] = (), removed: set[str] | None = None
) -> list[DirectoryCall]:
    """Password, sessions, sign-in methods, roles and memberships, all at the same time. Gives Microsoft's answers.

    ``granted``: roles that may be held without being listed yet. ``removed`` takes the ids of the role assignments that
    were there to be removed, those of unanswered removals included.
    """
    done = await attempt_all(
        [
            _one(tenant.users.set_password(user, new_password(), force_change=True)),
            _one(tenant.users.revoke_sessions(user)),
            _delete_methods(tenant, user),
            _remove_roles(tenant, user, granted, set() if removed is None else removed),
            _remove_memberships(tenant, user),
        ]
    )
    return [call for calls in done for call in calls]


async def close_again(
    tenant: Tenant, user: ObjectId, granted: Iterable[Role] = (), removed: set[str] | None = None
) -> None:
    """Disable and strip what was found open. ``granted`` and ``removed`` as for ``strip``."""
    await attempt_all([_one(tenant.users.disable(user)), strip(tenant, user, granted, removed)])


@dataclass(frozen=True)
class Reading:
    """What the directory said of an account, and the calls in which it said so."""

    standing: Standing
    calls: tuple[DirectoryCall, ...]


async def read_standing(tenant: Tenant, user: User) -> Reading:
    """What ``user`` holds besides what its own entry says."""
    roles, methods, memberships = await asyncio.gather(
        tenant.roles.assignments_of(user.id), tenant.sign_in_methods.list(user.id), tenant.users.memberships(user.id)
    )
    standing = Standing(
        exists=True,
        enabled=user.account_enabled,
        roles=tuple(sorted(assignment.role for assignment in roles)),
        memberships=tuple(sorted(group.id for group in memberships.groups if not group.is_dynamic)),
        sign_in_methods=tuple(sorted(method.kind for method in methods if not method.is_password)),
    )
    return Reading(standing, (user.evidence, roles.evidence, methods.evidence, memberships.evidence))


async def clear_mark(tenant: Tenant, user: User) -> list[DirectoryCall]:
    """Clear the open-until mark of an account that was read back closed; nothing where it has none."""
    if not user.extension_attributes.get(OPEN_UNTIL_ATTRIBUTE):
        return []
    return [await tenant.users.set_attributes(user.id, {OPEN_UNTIL_ATTRIBUTE: None})]


async def _one(call: Awaitable[DirectoryCall]) -> list[DirectoryCall]:
    """The answer of one removal; none where the thing was gone already."""
    try:
        return [await call]
    except AlreadySo:
        return []


async def _each(removals: list[Awaitable[DirectoryCall]]) -> list[DirectoryCall]:
    return [call for calls in await attempt_all(_one(removal) for removal in removals) for call in calls]


async def _delete_methods(tenant: Tenant, user: ObjectId) -> list[DirectoryCall]:
    methods = await tenant.sign_in_methods.list(user)
    return await _each([tenant.sign_in_methods.delete(method, of=user) for method in methods if not method.is_password])


async def _remove_roles(
    tenant: Tenant, user: ObjectId, granted: Iterable[Role], removed: set[str]
) -> list[DirectoryCall]:
    # The listing lags behind the assigning; the ids of the granted roles can be computed without it.
    listed = {assignment.id for assignment in await tenant.roles.assignments_of(user)}
    return await _each([_unassign(tenant, held, removed) for held in sorted(listed | computed_ids(user, granted))])


def computed_ids(user: ObjectId, granted: Iterable[Role]) -> set[str]:
    """The ids of the assignments by which ``user`` holds the granted roles."""
    return {assignment_id(role.id, user) for role in granted}


async def _unassign(tenant: Tenant, assignment: str, removed: set[str]) -> DirectoryCall:
    try:
        call = await tenant.roles.unassign(assignment)
    except TryLater as error:
        if error.outcome_unknown:
            removed.add(assignment)
        raise
    removed.add(assignment)
    return call


async def _remove_memberships(tenant: Tenant, user: ObjectId) -> list[DirectoryCall]:
    memberships = await tenant.users.memberships(user)
    return await _each(
        [tenant.groups.remove_member(user, group=group.id) for group in memberships.groups if not group.is_dynamic]
    )
