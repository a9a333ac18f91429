"""Security groups of the tenant with assigned members.

Other groups are refused: a role-assignable one gives roles that no listing of the account's roles shows, and the
members of dynamic, mail-enabled and synchronised ones cannot be changed here.
"""

from __future__ import annotations

from collections.abc import Iterable

from entra_jit.accounts.access.kind import CannotBeGivenError, Held, Holdings
from entra_jit.graph import Group, NotYetVisibleError, Tenant
from models.messages import AccessItem, AccessKind, DirectoryCall, ObjectId
from models.sweep import FindingKind, SweepFinding

FINDING = FindingKind.MEMBERSHIP
ALWAYS_EXACT = False


async def check(tenant: Tenant, item: AccessItem) -> None:
    """Raises ``CannotBeGivenError`` where the tenant has no such group, or one that must not be given. Reads only."""
    try:
        group = await tenant.groups.get(ObjectId(item.id))
    except NotYetVisibleError as error:
        raise CannotBeGivenError(f"The tenant has no group {item.name} ({item.id}). {error}") from None
    if unsuitable := _why_unsuitable(group):
        name = group.display_name or item.name
        raise CannotBeGivenError(
            f"The group {name} ({item.id}) {unsuitable}. Use a security group with assigned members."
        )


async def give(tenant: Tenant, item: AccessItem, account: ObjectId) -> DirectoryCall:
    """See ``Kind``. Looks at the group first: it may have changed since it was configured."""
    await check(tenant, item)
    return await tenant.groups.add_member(account, group=ObjectId(item.id))


async def list_held(tenant: Tenant, account: ObjectId) -> Holdings:
    """See ``Kind``. Who is in a dynamic group follows a rule, so such groups are left out."""
    memberships = await tenant.users.memberships(account)
    assigned = [group for group in memberships.groups if not group.is_dynamic]
    staying = {group.id: where for group in assigned if (where := _only_left_elsewhere(group))}
    return Holdings(
        held=tuple(_held(group) for group in assigned if group.id not in staying),
        evidence=memberships.evidence,
        cannot_be_taken=tuple(_stays(group, *staying[group.id]) for group in assigned if group.id in staying),
    )


async def take(tenant: Tenant, held_id: str, account: ObjectId) -> DirectoryCall:
    """See ``Kind``."""
    return await tenant.groups.remove_member(account, group=ObjectId(held_id))


def expected_ids(items: Iterable[AccessItem], account: ObjectId) -> frozenset[str]:
    """See ``Kind``. A membership has no id of its own."""
    return frozenset(item.id for item in items)


def _why_unsuitable(group: Group) -> str | None:
    if group.is_assignable_to_role:
        return "can hold directory roles"
    if group.is_dynamic:
        return "has dynamic membership"
    if group.mail_enabled:
        return "is mail-enabled"
    if group.on_premises_sync_enabled:
        return "is synchronised from an on-premises directory"
    return None if group.security_enabled else "is no security group"


def _held(group: Group) -> Held:
    item = AccessItem(kind=AccessKind.GROUP, id=group.id, name=group.display_name or group.id)
    return Held(group.id, item, f"It was a member of the group {item.name}.")


def _only_left_elsewhere(group: Group) -> tuple[str, str] | None:
    """What such a group is called, and where an account is removed from it; None: through Graph."""
    if group.on_premises_sync_enabled:
        # Microsoft refuses this for a cloud account too, in the words for a synchronised account.
        return "synchronised", "in the on-premises directory"
    return ("mail-enabled", "in Exchange") if group.is_exchanges else None


def _stays(group: Group, kind: str, where: str) -> SweepFinding:
    sentence = (
        f"It is a member of the {kind} group {group.display_name or group.id} and stays one: Microsoft Graph "
        f"cannot remove it. Remove it {where}."
    )
    # A distribution list opens nothing; a security group may.
    return SweepFinding(kind=FINDING, sentence=sentence, alarming=bool(group.security_enabled), evidence=(group.id,))
