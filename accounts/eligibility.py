"""Roles that an account may activate by itself: whoever is eligible for one takes it at the next chance.

No list of assignments shows them, and they outlive the closing. Where a tenant is not licensed for them there are none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from graph import Eligibility, GraphError, Tenant
from models.messages import DirectoryCall, ObjectId
from models.sweep import FindingKind, SweepFinding
from policy.roles import role_name

LOOKS = 3
"""How often it is looked whether they are gone: the answer to the removal proves nothing, and lists lag."""


@dataclass(frozen=True)
class Taken:
    """What an account could have activated, and the directory's answers when that was taken from it."""

    findings: tuple[SweepFinding, ...] = ()
    calls: tuple[DirectoryCall, ...] = ()


async def take_eligibilities(tenant: Tenant, account: ObjectId) -> Taken:
    """Take them from the account, those that begin later too, and say what there was, whatever became of it.

    Raises what keeps them from being read.
    """
    found = await tenant.roles.eligibilities_of(account)
    if not found:
        return Taken(calls=(found.evidence,) if found is not None else ())
    answers = await asyncio.gather(*(tenant.roles.remove_eligibility(one) for one in found), return_exceptions=True)
    calls = [found.evidence, *(answer for answer in answers if isinstance(answer, DirectoryCall))]
    left = {one.id for one in found}
    for look in range(LOOKS):
        listed = await tenant.roles.eligibilities_of(account)
        left &= {one.id for one in listed or ()}
        calls += [listed.evidence] if listed is not None else []
        if not left:
            break
        await asyncio.sleep(look + 1)
    findings = [_finding(one, answer, is_left=one.id in left) for one, answer in zip(found, answers, strict=True)]
    return Taken(tuple(findings), tuple(calls))


def _finding(eligibility: Eligibility, answer: DirectoryCall | BaseException, *, is_left: bool) -> SweepFinding:
    if isinstance(answer, BaseException) and not isinstance(answer, GraphError):
        raise answer
    sentence = f"It was eligible for the role {role_name(eligibility.role)}"
    why = str(answer) if isinstance(answer, GraphError) else "the directory still lists it."
    return SweepFinding(
        kind=FindingKind.ROLE,
        sentence=f"{sentence}, which stays: {why}" if is_left else f"{sentence}.",
        removed=not is_left,
        alarming=is_left,
        evidence=(eligibility.id,),
    )
