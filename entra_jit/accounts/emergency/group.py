"""The group of a tenant's emergency accounts, by which its passkey policy lets them in and no other account.

The doctor makes it, once that was agreed to. An account that is made later joins the others by itself: outside of the
group its passkey would be refused, and the account never be finished.
"""

from __future__ import annotations

from uuid import UUID

import structlog

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.graph import ConflictError, Group, NotYetVisibleError, PermanentError
from entra_jit.ledger import emergency
from models.messages import EmergencyRef, ObjectId

GROUP_NAME = "entra-jit emergency accounts"

_log = structlog.get_logger("emergency")


def is_ours(group: Group) -> bool:
    """Whether it is that group: of its name, and with members that are chosen one by one."""
    is_plain = group.security_enabled and not (group.mail_enabled or group.is_dynamic or group.is_assignable_to_role)
    return bool(group.display_name == GROUP_NAME and is_plain and not group.on_premises_sync_enabled)


async def join_others(backend: Backend, ref: EmergencyRef, account: ObjectId) -> None:
    """Put a new account into the group that another of the tenant's is in. Idempotent.

    Without such a group, or the permission to change it, nothing is done: the account may need none, and where it does,
    the doctor says so. Raises ``TransientError``, and ``NotYetVisibleError`` for an account that is too new.
    """
    for group in await _groups_of_others(backend, ref):
        directory = await backend.directories.of(ref.tenant_id, Purpose.ELEVATE)
        try:
            await directory.groups.add_member(account, group=group)
        except ConflictError:
            continue  # it is in it already
        except PermanentError as error:
            _log.warning("group not joined", tenant=ref.tenant, group=group, because=describe_error(error))


async def _groups_of_others(backend: Backend, ref: EmergencyRef) -> set[ObjectId]:
    async with backend.ledger.transaction() as session:
        numbers = await emergency.numbers(session, UUID(ref.tenant_id))
        others = [ref.model_copy(update={"number": number}) for number in numbers if number != ref.number]
        known = [account for one in others if (account := await emergency.find(session, one))]
    found: set[ObjectId] = set()
    for other in known:
        if other.object_id is None:
            continue
        try:
            # The application that opens need not be allowed to read memberships.
            reader = await backend.directories.of(ref.tenant_id, Purpose.REVOKE)
            groups = (await reader.users.memberships(other.object_id)).groups
        except (NotConnectedError, NotYetVisibleError, PermanentError) as error:
            _log.warning("group not looked for", tenant=ref.tenant, because=describe_error(error))
            continue
        found |= {group.id for group in groups if is_ours(group)}
    return found
