"""What a reconciliation learns of a tenant as a whole: whether it came through, and what our applications lost."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import timedelta

import structlog

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.graph import GraphError, PermanentError, UnexpectedResponseError
from entra_jit.ledger import alarms, reconciliation
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.policy.roles import assignable_roles
from models.alarms import Alarm, AlarmKind
from models.messages import RoleId, TenantId

UNRECONCILED_FOR = timedelta(minutes=30)
"""How long a tenant may fail for a passing reason before an alarm is raised."""

SEEN_BY_LOOKING = (
    AlarmKind.STILL_OPEN,
    AlarmKind.NOT_OURS,
    AlarmKind.VANISHED,
    AlarmKind.MARKS_DISAGREE,
    AlarmKind.EMERGENCY_CHANGED,
)
"""Alarms that a reconciliation raises each time that it sees the cause, and that are over once it sees it no more."""


_log = structlog.get_logger("reconciliation")


class TenantWatch:
    """Alarms about tenants. Nothing here raises: a ledger that is away must not keep accounts from being closed."""

    def __init__(self, backend: Backend) -> None:
        self._ledger = backend.ledger
        self._alarms = backend.alarms
        self._clock = backend.clock
        self._directories = backend.directories
        self._revoking = backend.revoking

    async def failed(self, tenant_id: TenantId, name: str, error: Exception) -> None:
        """The tenant could not be looked at."""
        now = self._clock()
        try:
            async with self._ledger.transaction() as session:
                last = await reconciliation.failed(session, tenant_id, type(error).__name__, now)
            kind = _kind_of(error)
            if kind is not AlarmKind.TENANT_UNRECONCILED or last is None or now - last >= UNRECONCILED_FOR:
                await self._raise(kind, name, describe_error(error))
        except LedgerUnavailableError:
            return
        except Exception:
            _log.exception("failure not recorded", tenant=name)

    async def came_through(
        self, tenant_id: TenantId, name: str, noticed: Iterable[Alarm], unjudged: Collection[str]
    ) -> None:
        """The tenant was looked at, and ``noticed`` is all that is wrong with its accounts but those ``unjudged``."""
        now = self._clock()
        granted = await self._granted(tenant_id)
        with suppress(LedgerUnavailableError):
            async with self._ledger.transaction() as session:
                lost = await reconciliation.came_through(session, tenant_id, granted, now)
                standing = await alarms.standing(session, SEEN_BY_LOOKING, name)
            for kind in (AlarmKind.CREDENTIAL_DEAD, AlarmKind.TENANT_UNRECONCILED):
                await self._alarms.clear(kind, name, "The tenant was reconciled again.", now)
            if lost:
                what = ", ".join(sorted(lost))
                await self._raise(AlarmKind.PERMISSION_LOST, name, f"Our applications have lost in {name}: {what}.")
            elif granted is not None:
                await self._alarms.clear(AlarmKind.PERMISSION_LOST, name, "Everything is granted again.", now)
            seen = {(alarm.kind, alarm.subject): alarm for alarm in noticed}
            for alarm in seen.values():
                await self._alarms.raise_alarm(alarm)
            for alarm in standing:
                if (alarm.kind, alarm.subject) not in seen and alarm.subject not in unjudged:
                    await self._alarms.clear(alarm.kind, alarm.subject, "It is not so any more.", now)
            await self._revoking.update_alarms()

    async def _granted(self, tenant_id: TenantId) -> frozenset[str] | None:
        """What our applications may do, each permission and role with the purpose of the application that has it."""
        both = await asyncio.gather(*(self._granted_for(tenant_id, purpose) for purpose in Purpose))
        return None if any(each is None for each in both) else frozenset().union(*(each or () for each in both))

    async def _granted_for(self, tenant_id: TenantId, purpose: Purpose) -> frozenset[str] | None:
        try:
            tenant = await self._directories.of(tenant_id, purpose)
            granted = await tenant.granted()
        except (GraphError, NotConnectedError, LedgerUnavailableError):
            return None
        if granted is None:
            return None
        known = assignable_roles()
        roles = {known[RoleId(role)].name for role in granted.directory_roles if role in known}
        return frozenset(f"{each} ({purpose.value})" for each in granted.permissions | roles)

    async def _raise(self, kind: AlarmKind, name: str, sentence: str) -> None:
        await self._alarms.raise_alarm(
            Alarm(kind=kind, subject=name, sentence=sentence, tenant=name, raised_at=self._clock())
        )


def _kind_of(error: Exception) -> AlarmKind:
    if isinstance(error, NotConnectedError):
        return AlarmKind.CREDENTIAL_DEAD
    if isinstance(error, PermanentError | UnexpectedResponseError) and (error.code or "").startswith("AADSTS"):
        return AlarmKind.CREDENTIAL_DEAD
    is_denied = isinstance(error, PermanentError) and error.needs is not None
    return AlarmKind.PERMISSION_LOST if is_denied else AlarmKind.TENANT_UNRECONCILED
