"""Roles that an account may activate by itself: whoever is eligible for one takes it at the next chance.

No list of assignments shows them, and they outlive the closing. Where a tenant is not licensed for them there are none.
"""

from __future__ import annotations

import asyncio

from graph import Eligibility, GraphError, Tenant
from models.messages import ObjectId
from models.sweep import FindingKind, SweepFinding
from policy.roles import role_name

LOOKS = 3
"""How often it is looked whether they are gone: the answer to the removal proves nothing, and lists lag."""


async def take_eligibilities(tenant: Tenant, account: ObjectId) -> tuple[SweepFinding, ...]:
    """Take them from the account, those that begin later too, and say what there was, whatever became of it.

    Raises what keeps them from being read.
    """
    found = await tenant.roles.eligibilities_of(account)
    if not found:
        return ()
    refused = await asyncio.gather(*(_take(tenant, one) for one in found))
    left = {one.id for one in found}
    for look in range(LOOKS):
        left &= {one.id for one in await tenant.roles.eligibilities_of(account)}
        if not left:
            break
        await asyncio.sleep(look + 1)
    return tuple(
        _finding(one, why or "the directory still lists it" if one.id in left else None)
        for one, why in zip(found, refused, strict=True)
    )


async def _take(tenant: Tenant, eligibility: Eligibility) -> str | None:
    """In Microsoft's words why it could not be taken; None: it could."""
    try:
        await tenant.roles.remove_eligibility(eligibility)
    except GraphError as error:
        return str(error)
    return None


def _finding(eligibility: Eligibility, stays_because: str | None) -> SweepFinding:
    what = f"It was eligible for the role {role_name(eligibility.role)}"
    return SweepFinding(
        kind=FindingKind.ROLE,
        sentence=f"{what}, which stays: {stays_because}" if stays_because else f"{what}.",
        removed=stays_because is None,
        alarming=stays_because is not None,
        evidence=(eligibility.id,),
    )
