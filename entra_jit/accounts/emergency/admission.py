"""Whether Conditional Access lets emergency accounts in: an exclusion is lost unnoticed until the day of the outage."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

import structlog

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.conditional_access import EVERYTHING, demand_of, is_in_force_where_people_work
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.graph import GraphError, Tenant
from entra_jit.graph.policies import ConditionalAccessPolicy
from entra_jit.ledger import emergency
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR
from models.alarms import Alarm, AlarmKind
from models.messages import EmergencyRef, ObjectId, TenantId

TENANTS_AT_ONCE = 3

_PASSKEY = "fido2"  # how Microsoft names the method

_log = structlog.get_logger("emergency")


def what_keeps_out(
    policies: Iterable[ConditionalAccessPolicy], account: ObjectId, groups: Collection[str]
) -> tuple[str, ...]:
    """The policies that a sign-in of the account with its passkey does not satisfy, in words. Pure.

    ``groups``: those that it is a direct member of.
    """
    return tuple(
        f"{policy.display_name or policy.id} {demand}"
        for policy in policies
        if is_in_force_where_people_work(policy)
        and _concerns(policy, account, set(groups))
        and (demand := demand_of(policy, _PASSKEY))
    )


def _concerns(policy: ConditionalAccessPolicy, account: str, groups: set[str]) -> bool:
    users = policy.conditions.users
    is_meant = (
        {EVERYTHING, account} & set(users.include_users)
        or GLOBAL_ADMINISTRATOR in users.include_roles
        or groups & set(users.include_groups)
    )
    is_spared = (
        account in users.exclude_users
        or GLOBAL_ADMINISTRATOR in users.exclude_roles
        or groups & set(users.exclude_groups)
    )
    return bool(is_meant and not is_spared)


class EmergencyAdmission:
    """Reads policies, with the application that opens, as the doctor does. Changes nothing."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def watch(self, only: TenantId | None = None) -> list[str]:
        """Alarm each tenant whose policies keep an emergency account out; the alarm ends with its cause.

        Gives what was found. Of a tenant whose policies cannot be read nothing is said: the doctor does.
        Raises ``LedgerUnavailableError``.
        """
        async with self._backend.ledger.transaction() as session:
            standing = await emergency.standing(session)
        tenants: dict[TenantId, list[EmergencyRef]] = {}
        for ref in standing:
            if only in {None, ref.tenant_id}:
                tenants.setdefault(ref.tenant_id, []).append(ref)
        at_once = asyncio.Semaphore(TENANTS_AT_ONCE)

        async def one(refs: list[EmergencyRef]) -> str | None:
            async with at_once:
                return await self._one(refs)

        found = await asyncio.gather(*map(one, tenants.values()))
        return [sentence for sentence in found if sentence is not None]

    async def _one(self, refs: list[EmergencyRef]) -> str | None:
        tenant_id, name = refs[0].tenant_id, refs[0].tenant
        try:
            tenant = await self._backend.directories.of(tenant_id, Purpose.ELEVATE)
            policies = await tenant.policies.conditional_access()
            found = [words for ref in refs for words in await self._of_account(tenant, ref, policies)]
        except (GraphError, NotConnectedError) as error:
            _log.debug("policies not read", tenant=name, because=describe_error(error))
            return None
        now = self._backend.clock()
        if not found:
            await self._backend.alarms.clear(AlarmKind.EMERGENCY_KEPT_OUT, name, "No policy does any more.", now)
            return None
        sentence = f"{'; '.join(found)}. Exclude the account from it."
        await self._backend.alarms.raise_alarm(
            Alarm(kind=AlarmKind.EMERGENCY_KEPT_OUT, subject=name, sentence=sentence, tenant=name, raised_at=now)
        )
        return sentence

    async def _of_account(
        self, tenant: Tenant, ref: EmergencyRef, policies: Iterable[ConditionalAccessPolicy]
    ) -> list[str]:
        async with self._backend.ledger.transaction() as session:
            account = await emergency.find(session, ref)
        if account is None or account.object_id is None:
            return []
        groups = {group.id for group in (await tenant.users.memberships(account.object_id)).groups}
        return [f"{account.account_name}: {words}" for words in what_keeps_out(policies, account.object_id, groups)]
