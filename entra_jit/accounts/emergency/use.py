"""Whether an emergency account signed in without a reason that we know: a kit was used, or a key was stolen."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.graph import GraphError
from entra_jit.graph.sign_in_logs import SignInEntry
from entra_jit.ledger import emergency
from models.alarms import Alarm, AlarmKind
from models.messages import EmergencyRef, TenantId
from models.moments import format_moment

LOOKS_BACK = timedelta(days=2)
"""Entries come minutes after the sign-in, now and then hours."""

ACCOUNTS_AT_ONCE = 3

_log = structlog.get_logger("emergency")


class EmergencyUse:
    """Reads sign-in logs, with the application that closes: it may read them, and changes nothing here."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def watch(self, only: TenantId | None = None) -> list[str]:
        """Alarm each sign-in that nothing explains, once. Gives what was alarmed.

        A tenant without Entra ID P1 has no log to read, which is no failure. Raises ``LedgerUnavailableError``.
        """
        async with self._backend.ledger.transaction() as session:
            standing = await emergency.standing(session)
        at_once = asyncio.Semaphore(ACCOUNTS_AT_ONCE)

        async def one(ref: EmergencyRef) -> str | None:
            async with at_once:
                return await self._one(ref)

        found = await asyncio.gather(*(one(ref) for ref in standing if only in {None, ref.tenant_id}))
        return [sentence for sentence in found if sentence is not None]

    async def _one(self, ref: EmergencyRef) -> str | None:
        now = self._backend.clock()
        async with self._backend.ledger.transaction() as session:
            account = await emergency.find(session, ref)
        if account is None or account.object_id is None:
            return None
        try:
            tenant = await self._backend.directories.of(ref.tenant_id, Purpose.REVOKE)
            entries = await tenant.sign_in_logs.of(account.object_id, now - LOOKS_BACK)
        except (GraphError, NotConnectedError) as error:
            _log.debug("sign-ins not read", tenant=ref.tenant, because=describe_error(error))
            return None
        came_in = {entry.id: entry for entry in entries if entry.has_succeeded}
        async with self._backend.alarms.recording() as record:
            found = await emergency.unexplained(record.session, ref, {key: one.at for key, one in came_in.items()})
            if not found:
                return None
            sentence = _sentence(ref, [came_in[key] for key in found])
            await record.raise_alarm(
                Alarm(
                    kind=AlarmKind.EMERGENCY_USED,
                    subject=ref.words,
                    sentence=sentence,
                    tenant=ref.tenant,
                    raised_at=now,
                )
            )
        return sentence


def _sentence(ref: EmergencyRef, entries: list[SignInEntry]) -> str:
    last = max(entries, key=lambda entry: entry.at)
    where = f" from {last.ip_address}" if last.ip_address else ""
    return (
        f"The {ref.words} signed in at {format_moment(last.at)}{where}, and neither a reveal nor a drill explains it. "
        "Was an offline kit used?"
    )
