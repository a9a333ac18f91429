"""Whether our accounts' names and marks are ours alone, and who else administers the tenant."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from entra_jit.accounts.doctor.examined import Examination, ExaminedTenant, failed, listed, ok, warning
from entra_jit.accounts.global_administrators import count_others
from entra_jit.crypto.marks import OPEN_UNTIL_ATTRIBUTE, OWNER_TAG_ATTRIBUTE, TAG_PREFIX
from entra_jit.graph import User
from entra_jit.ledger.examinations import ConfiguredTenant
from entra_jit.policy.domain import OTHER_GLOBAL_ADMINISTRATORS
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR
from models.checks import Check, Finding
from models.messages import ObjectId

MOST_OTHERS = 4

_PARTS_OF_A_MARK = 4
"""Semicolons in an open-until mark: grant, expiry, time of writing, key, signature."""


def judge_attributes(named: Collection[User], registered: Collection[ObjectId]) -> Finding:
    """Whether something else has written our accounts' extension attributes."""
    ours = [user for user in named if user.id in registered]
    if written := [user.user_principal_name for user in ours if not _has_our_marks_alone(user)]:
        return failed(Check.ATTRIBUTES, f"Not as we wrote them: {listed(written)}.")
    return ok(Check.ATTRIBUTES, f"Attributes 14 and 15 of our {len(ours)} accounts are ours.")


def judge_foreign_accounts(named: Collection[User], configured: ConfiguredTenant) -> Finding:
    """Whether others' accounts have names that ours could have."""
    end = f"@{configured.terms.account_domain.lower()}"
    foreign = [
        user.user_principal_name
        for user in named
        if user.id not in configured.registered and user.user_principal_name.lower().endswith(end)
    ]
    if foreign:
        return warning(Check.FOREIGN_ACCOUNTS, f"With our prefix, and not ours: {listed(foreign)}.")
    return ok(Check.FOREIGN_ACCOUNTS, f"No others begin with {configured.terms.account_prefix or 'our names'}.")


def judge_global_administrators(others: int, *, is_mapped: bool) -> Finding:
    """Whether enough others remain; ``is_mapped``: our accounts can have the role, too."""
    read = f"{others} besides our accounts."
    if others < OTHER_GLOBAL_ADMINISTRATORS and is_mapped:
        return failed(Check.GLOBAL_ADMINISTRATORS, f"{read} The role is mapped here.")
    if not OTHER_GLOBAL_ADMINISTRATORS <= others <= MOST_OTHERS:
        return warning(Check.GLOBAL_ADMINISTRATORS, read)
    return ok(Check.GLOBAL_ADMINISTRATORS, read)


def _has_our_marks_alone(user: User) -> bool:
    tag = user.extension_attributes.get(OWNER_TAG_ATTRIBUTE, "")
    mark = user.extension_attributes.get(OPEN_UNTIL_ATTRIBUTE)
    return tag.startswith(TAG_PREFIX) and (mark is None or mark.count(";") == _PARTS_OF_A_MARK)


async def _names(tenant: ExaminedTenant) -> Sequence[Finding]:
    configured = tenant.configured
    prefix = configured.terms.account_prefix
    if not prefix:
        return [
            ok(Check.ATTRIBUTES, "No prefix is configured."),
            ok(Check.FOREIGN_ACCOUNTS, "No prefix is configured."),
        ]
    named = [user async for user in tenant.as_seen_by("elevate").users.named(prefix)]
    return [judge_attributes(named, configured.registered), judge_foreign_accounts(named, configured)]


async def _global_administrators(tenant: ExaminedTenant) -> Sequence[Finding]:
    others = await count_others(
        tenant.as_seen_by("elevate"), tenant.configured.registered - tenant.configured.emergency
    )
    is_mapped = any(item.id == GLOBAL_ADMINISTRATOR for item in tenant.configured.mapped)
    return [judge_global_administrators(others, is_mapped=is_mapped)]


EXAMINATIONS = (
    Examination((Check.ATTRIBUTES, Check.FOREIGN_ACCOUNTS), _names),
    Examination((Check.GLOBAL_ADMINISTRATORS,), _global_administrators),
)
