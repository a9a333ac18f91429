"""How many Global Administrators a tenant has besides our accounts that are closed again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from entra_jit.graph import NotYetVisibleError, Tenant
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR
from models.messages import ObjectId

MOST_READ = 20
"""More than enough for every question that is asked."""


async def count_others(tenant: Tenant, ours: Collection[ObjectId | None]) -> int:
    """How many enabled members hold the role over the whole tenant, ``ours`` aside; at most ``MOST_READ``.

    Members of a group that holds the role are not counted. Raises ``GraphError``.
    """
    holders = await tenant.roles.holders(GLOBAL_ADMINISTRATOR)
    people = {holder.principal for holder in holders if holder.scope == "/"} - set(ours)
    return sum(await asyncio.gather(*(_is_enabled_member(tenant, one) for one in sorted(people)[:MOST_READ])))


async def _is_enabled_member(tenant: Tenant, person: ObjectId) -> bool:
    try:
        user = await tenant.users.get(person)
    except NotYetVisibleError:
        return False  # deleted, or no account but an application or a group
    return user.account_enabled and not user.is_guest
