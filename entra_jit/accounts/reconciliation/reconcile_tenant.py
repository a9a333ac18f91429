"""Holding one tenant's directory against the ledger, and closing what is open without a reason.

It shares nothing with the grants' workflow, and needs no Temporal: the command line runs it by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from entra_jit.accounts.access import KINDS
from entra_jit.accounts.account_closing import Given
from entra_jit.accounts.attempts import describe_error, gather_bounded
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.emergency.watching import EmergencyWatch
from entra_jit.accounts.finding import settled_with
from entra_jit.accounts.interventions import Intervention
from entra_jit.accounts.reconciliation.missing_accounts import MissingAccounts
from entra_jit.accounts.reconciliation.orphaned_grants import settle_orphaned_grants
from entra_jit.accounts.reconciliation.tenant_accounts import Account, Accounts, TenantAccounts
from entra_jit.accounts.reconciliation.tenant_watch import TenantWatch
from entra_jit.accounts.settling import Settling
from entra_jit.crypto.marks import OPEN_UNTIL_ATTRIBUTE
from entra_jit.graph import RetryBudget, Tenant, User
from entra_jit.ledger import reconciliation
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.ledger.reconciliation import Register, Registered
from entra_jit.policy.reconciliation import Finding, LiveGrant, Remedy, judge_found
from models.actor import RECONCILER
from models.alarms import Alarm, AlarmKind
from models.marks import AccountKind
from models.messages import (
    Ending,
    GrantState,
    TenantId,
    TenantReport,
)

ACCOUNTS_AT_ONCE = 3
"""In each tenant. With all tenants that are looked at together it stays below what a worker's connections can carry:
an account that expires meanwhile must not wait behind those that are only looked at."""

ASKED_AGAIN_FOR = timedelta(seconds=5)
"""How long a run repeats what passes by itself, listings as a whole: a page token may have expired."""

SETTLED = "The grant was closed and settled by the reconciler: its workflow is gone."

UNREGISTERED = "the ledger's register of the tenant cannot be read"

NOTHING_KNOWN = Register(accounts=(), account_prefix="")


@dataclass(frozen=True)
class _Outcome:
    """What was found and done with one account."""

    account: str
    noticed: list[Alarm] = field(default_factory=list)
    is_judged: bool = True
    """False: what is to be done with it could not be found out."""
    closed: str | None = None
    failed: str | None = None


class TenantReconciliation:
    """Reconciles tenants, one at a time."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._ledger = backend.ledger
        self._clock = backend.clock
        self._accounts = TenantAccounts(backend)
        self._missing = MissingAccounts(backend)
        self._settling = Settling(backend)
        self._watch = TenantWatch(backend)
        self._emergency = EmergencyWatch(backend)

    async def reconcile(self, tenant_id: TenantId, name: str) -> TenantReport:
        """Look at every account of the tenant that is tagged or registered, and close what has no reason to be open.

        Idempotent. What fails is told in the report and tried again next time; it never stops the other accounts.
        """
        try:
            tenant = await self._backend.directories.to_close(tenant_id)
            register = await self._register(tenant_id, self._ledger.transaction_timeout)
            accounts = await self._accounts.find(tenant, tenant_id, register or NOTHING_KNOWN, self._patience())
        except Exception as error:
            await self._watch.failed(tenant_id, name, error)
            return TenantReport(tenant=name, failed=describe_error(error))
        outcomes = await self._each(tenant, name, accounts, ledger_is_known=register is not None)
        noticed = [alarm for outcome in outcomes for alarm in outcome.noticed]
        settled, failed = await settle_orphaned_grants(self._backend, tenant) if register else ([], [])
        failed += [f"{who}: {describe_error(error)}" for who, error in accounts.unread.items()]
        failed += [outcome.failed for outcome in outcomes if outcome.failed]
        try:
            incomplete: Exception | None = accounts.unlisted if register else LedgerUnavailableError(UNREGISTERED)
            if incomplete is None:
                noticed += await self._missing.watch(tenant, tenant_id, name, accounts.missing)
                noticed += [alarm for user in accounts.namesakes if (alarm := await self._namesake(tenant, name, user))]
                unjudged = {outcome.account for outcome in outcomes if not outcome.is_judged} | set(accounts.unread)
                await self._watch.came_through(tenant_id, name, noticed, unjudged)
        except Exception as error:
            incomplete = error
        if incomplete is not None:
            await self._watch.failed(tenant_id, name, incomplete)
            failed.append(describe_error(incomplete))
        return TenantReport(
            tenant=name,
            looked_at=len(accounts.tagged_or_registered),
            closed=tuple(outcome.closed for outcome in outcomes if outcome.closed),
            reported=(
                *(alarm.sentence for alarm in noticed),
                *settled,
                *(f"{user.user_principal_name} has a name like ours and is not ours" for user in accounts.strangers),
            ),
            failed="; ".join(failed) or None,
        )

    async def _register(self, tenant_id: TenantId, within: timedelta | None = None) -> Register | None:
        """None: the ledger cannot be asked."""
        return await self._ledger.attempt(
            "the register of a tenant",
            lambda session: reconciliation.register(session, self._backend.keyring, tenant_id, self._clock()),
            within=within,
        )

    async def _each(self, tenant: Tenant, name: str, accounts: Accounts, *, ledger_is_known: bool) -> list[_Outcome]:
        reconcile = partial(self._one, tenant, name, ledger_is_known=ledger_is_known)
        return await gather_bounded(ACCOUNTS_AT_ONCE, reconcile, accounts.tagged_or_registered)

    async def _one(self, tenant: Tenant, name: str, account: Account, *, ledger_is_known: bool) -> _Outcome:
        who = account.user.user_principal_name
        noticed = [self._alarm(AlarmKind.FOREIGN_CHANGE, name, who, account.tampered)] if account.tampered else []
        try:
            noticed += await self._watch_emergency(tenant, name, account)
            judge = partial(self._judge, tenant, account, ledger_is_known=ledger_is_known)
            finding = await self._patience().ask(judge)
        except Exception as error:
            return _Outcome(who, noticed, is_judged=False, failed=f"{who}: {describe_error(error)}")
        if finding.disagreement:
            sentence = f"{who} {finding.disagreement}."
            noticed.append(self._alarm(AlarmKind.MARKS_DISAGREE, name, who, sentence))
        if finding.remedy is Remedy.LEAVE:
            return _Outcome(who, noticed)
        if finding.remedy is Remedy.REPORT:
            return _Outcome(who, [self._alarm(AlarmKind.NOT_OURS, name, who, f"{who}: {finding.because}")])
        told: list[Alarm] = []
        if finding.foreign:
            sentence = f"{who} was changed: {finding.because}. It is closed again."
            noticed.append(self._alarm(AlarmKind.FOREIGN_CHANGE, name, who, sentence))
            told = noticed[-1:]
        # At once, for this run may die; and beside the closing, which waits for no alarm.
        reopened = [self._settling.opened_again(finding.reopened, account.user.id)] if finding.reopened else []
        closed, *_ = await asyncio.gather(
            self._close(tenant, account, finding),
            *map(self._backend.alarms.raise_alarm, told),
            *reopened,
            return_exceptions=True,
        )
        if isinstance(closed, Exception):
            sentence = f"{who} cannot be closed, though {finding.because}: {describe_error(closed)}"
            noticed.append(self._alarm(AlarmKind.STILL_OPEN, name, who, sentence))
            return _Outcome(who, noticed, failed=f"{who}: {describe_error(closed)}")
        return _Outcome(who, noticed, closed=f"{who}: {finding.because}")

    async def _watch_emergency(self, tenant: Tenant, name: str, account: Account) -> list[Alarm]:
        """How an emergency account was changed from outside. It is told, and nothing is done about it."""
        if account.found.kind is not AccountKind.EMERGENCY or account.registered is None:
            return []
        who = account.user.user_principal_name
        changes = await self._patience().ask(
            partial(self._emergency.changes, tenant, name, account.user, account.registered.technician_id)
        )
        if not changes:
            return []
        sentence = f"{who} {'; it '.join(changes)}. Find out who changed it."
        return [self._alarm(AlarmKind.EMERGENCY_CHANGED, name, who, sentence)]

    async def _namesake(self, tenant: Tenant, name: str, user: User) -> Alarm | None:
        """The alarm that an account which is not ours goes by the name of one that is, and holds access."""
        kinds = await asyncio.gather(*(kind.list_held(tenant, user.id) for kind in KINDS.values()))
        held = ", ".join(one.item.words for holdings in kinds for one in holdings.held)
        if not held:
            return None
        who = user.user_principal_name
        sentence = (
            f"{who} has the name of an account of ours, was made by others, and holds {held}. It was not touched."
        )
        return self._alarm(AlarmKind.NOT_OURS, name, who, sentence)

    def _patience(self) -> RetryBudget:
        return RetryBudget(self._clock() + ASKED_AGAIN_FOR, self._clock)

    def _alarm(self, kind: AlarmKind, tenant: str, subject: str, sentence: str) -> Alarm:
        return Alarm(kind=kind, subject=subject, sentence=sentence, tenant=tenant, raised_at=self._clock())

    async def _judge(self, tenant: Tenant, account: Account, *, ledger_is_known: bool) -> Finding:
        if account.found.kind is AccountKind.EMERGENCY:
            return judge_found(account.found, None, self._clock(), ledger_is_known=ledger_is_known)
        account = await self._without_settled_mark(account)
        finding = judge_found(account.found, account.live, self._clock(), ledger_is_known=ledger_is_known)
        if finding.remedy is Remedy.LEAVE and not account.found.enabled and account.live is None:
            finding = await self._judge_closed(tenant, account, ledger_is_known=ledger_is_known)
        if finding.remedy is Remedy.CLOSE:
            finding = await self._confirm(tenant, account, finding)
        return finding

    async def _without_settled_mark(self, account: Account) -> Account:
        """A mark of a settled grant holds nothing open; one of a grant that was proven closed says nothing at all."""
        mark = account.found.mark
        if mark is None or (account.live and account.live.request_id == mark.request_id):
            return account
        proof = await settled_with(self._ledger, mark.request_id)
        if proof is None:
            return account
        found = replace(account.found, mark=None if proof.is_proven else mark, settled_mark=mark)
        return replace(account, found=found)

    async def _judge_closed(self, tenant: Tenant, account: Account, *, ledger_is_known: bool) -> Finding:
        """A closed account without a grant should hold nothing either."""
        if account.unproven:
            return Finding(Remedy.CLOSE, f"nothing has proven yet that its grant {account.unproven[-1]} was closed")
        kinds = await asyncio.gather(*(kind.list_held(tenant, account.user.id) for kind in KINDS.values()))
        holds = any(holdings.held for holdings in kinds)
        holds = holds or (account.found.mark is not None and await self._is_marked(tenant, account.user))
        found = replace(account.found, holds_access=holds)
        return judge_found(found, None, self._clock(), ledger_is_known=ledger_is_known)

    async def _is_marked(self, tenant: Tenant, user: User) -> bool:
        """Whether the open-until mark still stands, which goes last: a closing was cut short after the disabling."""
        if not user.extension_attributes.get(OPEN_UNTIL_ATTRIBUTE):
            return False
        return bool((await tenant.users.get(user.id)).extension_attributes.get(OPEN_UNTIL_ATTRIBUTE))

    async def _confirm(self, tenant: Tenant, account: Account, finding: Finding) -> Finding:
        """Ask again before it is acted on: listings lag, and since then a grant may have begun, or one have ended."""
        user = await tenant.users.get(account.user.id)
        register = await self._register(TenantId(tenant.connection.tenant_id))
        rows = register.accounts if register else ()
        now = next((row for row in rows if _is_about(row, account)), account.registered)
        fresh = await self._without_settled_mark(self._accounts.judge(TenantId(tenant.connection.tenant_id), user, now))
        if fresh.live is None and not fresh.found.enabled and not account.found.enabled:
            return finding  # about what the closed account holds, and no grant has begun meanwhile
        return judge_found(fresh.found, fresh.live, self._clock(), ledger_is_known=register is not None)

    async def _close(self, tenant: Tenant, account: Account, finding: Finding) -> None:
        live = None if finding.ledger_is_behind else account.live
        by_mark = finding.reopened or (account.found.mark.request_id if account.found.mark else None)
        holding = live.request_id if live else next(reversed(account.unproven), by_mark)
        # Without a time from which it is known everywhere: what is settled here has been over for ten minutes.
        given = Given(live.access if live else ())
        intervention = Intervention(self._backend, RECONCILER, finding.because, holding, given)
        closing = await intervention.close_found(tenant, account.user)
        if live is not None and live.is_lapsed:
            await self._settling.closed(live.request_id, _ending(live), SETTLED, closing)
        for request_id in account.unproven:
            await self._settling.closed_later(request_id, RECONCILER, closing)


def _ending(live: LiveGrant) -> Ending:
    if live.withdrawn_because:
        return Ending(state=GrantState.ENDED, by=RECONCILER, reason=live.withdrawn_because)
    state = GrantState.EXPIRED if live.expires_at else GrantState.FAILED
    return Ending(state=state, by=RECONCILER, reason="its workflow did not settle it")


def _is_about(row: Registered, account: Account) -> bool:
    """A technician whose account was deleted may have two in the register: the new one, and the one in the bin."""
    known = account.registered
    if known is None:
        return row.object_id == account.user.id
    return (row.technician_id, row.object_id) == (known.technician_id, known.object_id)
