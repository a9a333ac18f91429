"""Whether an emergency account signed in without a reason that we know: a kit was used, or a key was stolen.

The sign-in log tells, with Entra ID P1. Without it Microsoft tells when a passkey was last used and, in the audit log,
what the account changed. So two things are missed then: a use that another one follows before the next look, and a
sign-in by any other credential with which nothing was changed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.graph import GraphError, PermanentError, Tenant
from entra_jit.graph.sign_in_logs import NO_LICENCE, SignInEntry
from entra_jit.ledger import emergency
from models.alarms import Alarm, AlarmKind
from models.messages import EmergencyRef, ObjectId, TenantId
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

        A tenant that cannot be read is no failure. Raises ``LedgerUnavailableError``.
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
            uses = await _uses(tenant, account.object_id, now - LOOKS_BACK, now)
        except (GraphError, NotConnectedError) as error:
            _log.debug("sign-ins not read", tenant=ref.tenant, because=describe_error(error))
            return None
        by_id = {use.id: use for use in uses}
        async with self._backend.alarms.recording() as record:
            found = await emergency.unexplained(record.session, ref, {key: use.at for key, use in by_id.items()}, now)
            if not found:
                return None
            sentence = _sentence(ref, [by_id[key] for key in found])
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


@dataclass(frozen=True)
class _Use:
    """A trace that the account was signed in to."""

    id: str
    at: datetime
    words: str
    """What follows the account's name in a sentence."""


async def _uses(tenant: Tenant, account: ObjectId, since: datetime, until: datetime) -> list[_Use]:
    """From the sign-in log; without the licence for it, from what else there is. Raises ``GraphError``."""
    try:
        entries = await tenant.sign_in_logs.of(account, since)
    except PermanentError as error:
        if error.code != NO_LICENCE:
            raise
        return await _traces(tenant, account, since, until)
    return [_Use(one.id, one.at, f"signed in{_place(one)}") for one in entries if one.has_succeeded]


async def _traces(tenant: Tenant, account: ObjectId, since: datetime, until: datetime) -> list[_Use]:
    """When each of its passkeys was last used, and what the account changed. Nothing tells of any other sign-in."""
    used, done = await asyncio.gather(
        tenant.passkeys.last_uses(account), tenant.audit_logs.done_by(account, since, until)
    )
    return [
        *(
            _Use(f"{one.id} {one.last_used_at.isoformat()}", one.last_used_at, "signed in")
            for one in used
            if one.last_used_at is not None and one.last_used_at >= since
        ),
        *(_Use(one.id, one.at, f"was used ({one.activity})") for one in done),
    ]


def _place(entry: SignInEntry) -> str:
    return f" from {entry.ip_address}" if entry.ip_address else ""


def _sentence(ref: EmergencyRef, uses: list[_Use]) -> str:
    last = max(uses, key=lambda use: use.at)
    return (
        f"The {ref.words} {last.words} at {format_moment(last.at)}, and neither a reveal nor a drill explains it. "
        "Was an offline kit used?"
    )
