"""Roles that an account may activate by itself.

No list of assignments shows them, and they outlive the closing. Where a tenant is not licensed for them there are none.
"""

from __future__ import annotations

import asyncio

from entra_jit.accounts.account_closing import Stripped
from entra_jit.accounts.attempts import answered
from entra_jit.graph import Eligibility, GraphError, Tenant, TransientError
from entra_jit.policy.roles import role_name
from models.messages import DirectoryCall, ObjectId
from models.sweep import FindingKind, SweepFinding

LOOKS = 3
"""How often it is looked whether they are gone: the answer to the removal proves nothing, and lists lag."""


async def take_eligibilities(tenant: Tenant, account: ObjectId, stripped: Stripped) -> list[DirectoryCall]:
    """Take them from the account, those that begin later too. Gives Microsoft's answers.

    ``stripped`` takes down what there was, for another try does not find what is gone by then, and what stays. Raises
    what keeps them from being read, and what keeps them from being taken only for the moment.
    """
    found = await tenant.roles.eligibilities_of(account)
    if not found:
        return [found.evidence] if found is not None else []
    for one in found:
        stripped.note(FindingKind.ROLE, one.id, f"{_sentence(one)}.", found.evidence.answered_at)
    answers = await asyncio.gather(*(answered(tenant.roles.remove_eligibility(one)) for one in found))
    calls = [found.evidence, *(answer for answer in answers if isinstance(answer, DirectoryCall))]
    left, unread = {one.id for one in found}, None
    for look in range(LOOKS):
        await asyncio.sleep(look)
        listed = await answered(tenant.roles.eligibilities_of(account))
        unread = listed if isinstance(listed, GraphError) else None
        if not isinstance(listed, GraphError):
            left &= {one.id for one in listed or ()}
            calls += [listed.evidence] if listed is not None else []
        if not left:
            return calls
    refused = {one.id: answer for one, answer in zip(found, answers, strict=True) if isinstance(answer, GraphError)}
    reasons = [(one, refused.get(one.id, unread)) for one in found if one.id in left]
    stripped.stays |= {one.id: _stays(one, why) for one, why in reasons}
    for _, why in reasons:
        if isinstance(why, TransientError):
            raise why
    return calls


def _sentence(eligibility: Eligibility) -> str:
    return f"It was eligible for the role {role_name(eligibility.role)}"


def _stays(eligibility: Eligibility, why: GraphError | None) -> SweepFinding:
    """``why``: what kept it from being taken, or from being seen to be gone; None: the directory still lists it."""
    still = f", and may still be: {why}" if why else ", and still is, says the directory."
    sentence = _sentence(eligibility) + still
    return SweepFinding(kind=FindingKind.ROLE, sentence=sentence, alarming=True, evidence=(eligibility.id,))
