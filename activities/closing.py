"""What ends access. It needs the tenant and what the workflow carries; the ledger for fence and receipt alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity

from activities.heartbeats import Noted, noting
from activities.signatures import Closing
from entra_jit.accounts.account_closing import (
    MOST_CALLS,
    Given,
    clear_mark,
    disable_and_strip,
    read_standing,
    strip,
)
from entra_jit.accounts.attempts import attempt_all
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.finding import AccountFinder, NothingToClose
from entra_jit.accounts.managed_account import FoundAccount
from entra_jit.accounts.proving import expect_all_removed, expect_closed, read_back_step
from entra_jit.accounts.sweeping import NOTHING_TO_SWEEP, Swept, alarm_of, sweep
from entra_jit.crypto.assertions import is_ours
from entra_jit.graph import GraphError, Tenant, TransientError
from entra_jit.ledger import credentials, fences, grants, receipts
from models.alarms import AlarmKind
from models.messages import (
    AccountToClose,
    Closed,
    ClosingStep,
    Fence,
    GrantRef,
    Receipt,
    Settlement,
    Step,
    ToSweep,
)
from models.names import workflow_id
from models.sweep import besides, stays_behind

FENCED_WITHIN = timedelta(seconds=5)
"""Then the workflow has the fence put up by itself, for as long as that takes."""

DISABLED_AGAIN_AFTER = timedelta(seconds=1)

SWEPT_AT_MOST = 3
"""So many workers may die in a sweep before the receipt goes without."""


class ClosingActivities(Closing):
    """See ``activities.signatures.Closing``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._ledger = backend.ledger
        self._keyring = backend.keyring
        self._clock = backend.clock
        self._finder = AccountFinder(backend)

    @activity.defn
    async def fence(self, request_id: str) -> Fence:
        """The ledger alone."""
        async with self._ledger.transaction() as session:
            return await fences.fence(session, request_id, self._clock(), self._backend.lease)

    @activity.defn
    async def close(self, account: AccountToClose) -> Closed:
        """A ledger that is away holds up neither the closing nor its answer, which has no fence then.

        What a try has done is noted for the next one. Raises ``NotProvenError`` after closing once more what was read
        back open.
        """
        # At the same time as the disabling: neither waits for the other.
        fencing = asyncio.create_task(self._try_to_fence(account.grant.request_id))
        try:
            with noting() as noted:
                closed = await self._close(account, noted, fencing)
        finally:
            fence = await fencing
        return closed.model_copy(update={"fence": fence})

    async def _try_to_fence(self, request_id: str) -> Fence | None:
        return await self._ledger.attempt(
            "the fence of a closing",
            lambda session: fences.fence(session, request_id, self._clock(), self._backend.lease),
            within=FENCED_WITHIN,
        )

    async def _close(self, account: AccountToClose, noted: Noted, fencing: asyncio.Task[Fence | None]) -> Closed:
        if account.object_id is None and await self._is_untouched(account, fencing):
            return self._nothing(NothingToClose("nothing was begun in the directory", None), noted)
        given = Given.to(await self._with_pass(account), self._backend.roles_known_after)
        tenant, found = await self._find(account, noted)
        if isinstance(found, NothingToClose):
            return self._nothing(found, noted)
        noted.changed = found.alarm() or noted.changed
        stripping = asyncio.create_task(self._strip(tenant, found, given, noted))
        await attempt_all([self._disable(tenant, found, noted, stripping), stripping])
        await fencing  # what is read before it could be opened behind the reading
        return await self._read_back(account, given, noted)

    async def _is_untouched(self, account: AccountToClose, fencing: asyncio.Task[Fence | None]) -> bool:
        """Nothing was written for the grant, and nothing will be. A tenant that cannot be reached holds nothing up."""
        if account.access_given_at is not None or await fencing is None:
            return False
        request_id = account.grant.request_id
        asked = "whether anything was begun for a grant"
        return bool(await self._ledger.attempt(asked, lambda session: grants.is_untouched(session, request_id)))

    async def _with_pass(self, account: AccountToClose) -> AccountToClose:
        """A step that made the pass and did not end well has told the ledger alone of it."""
        if account.pass_id is not None or account.access_given_at is None:
            return account
        ref = GrantRef(request_id=account.grant.request_id, attempt=account.grant.attempt)
        kept = await self._ledger.attempt("the pass of a grant", lambda session: credentials.kept(session, ref))
        return account.model_copy(update={"pass_id": kept.pass_id}) if kept else account

    async def _disable(self, tenant: Tenant, found: FoundAccount, noted: Noted, beside: asyncio.Task[None]) -> None:
        """Refused by Microsoft while roles are held, where our service principal lacks a role: then tried again.

        Also while ``beside`` is under way: a call in there that hangs holds up no try at disabling.
        """
        pause = DISABLED_AGAIN_AFTER
        while not noted.has(ClosingStep.DISABLED):
            try:
                evidence = await tenant.users.disable(found.user.id)
            except GraphError as error:
                asked = error.retry_after if isinstance(error, TransientError) else None
                if (await asyncio.wait([beside], timeout=max(pause, asked or pause).total_seconds()))[0]:
                    raise  # Temporal tries again, where it is seen
                pause *= 2
            else:
                noted.keep(Step(name=ClosingStep.DISABLED, at=evidence.answered_at, calls=(evidence,)))

    async def _strip(self, tenant: Tenant, found: FoundAccount, given: Given, noted: Noted) -> None:
        """Password, sessions, sign-in methods and access, all attempted at the same time."""
        if noted.has(ClosingStep.STRIPPED):
            return
        calls = await strip(tenant, found.user.id, given, noted.stripped)
        expect_all_removed(found.user, given, noted.stripped, self._clock())
        note = f"the first {MOST_CALLS} of {len(calls)} calls" if len(calls) > MOST_CALLS else None
        at = calls[-1].answered_at
        noted.keep(Step(name=ClosingStep.STRIPPED, at=at, note=note, calls=tuple(calls[:MOST_CALLS])))

    async def _read_back(self, account: AccountToClose, given: Given, noted: Noted) -> Closed:
        tenant, found = await self._find(account, noted)
        if isinstance(found, NothingToClose):
            return self._nothing(found, noted)
        read_back = await read_standing(tenant, found.user)
        if not read_back.standing.is_closed:
            await disable_and_strip(tenant, found.user.id, given, noted.stripped)
        expect_closed(found.user, read_back)
        step = read_back_step(read_back, await clear_mark(tenant, found.user))
        return Closed(
            steps=(*noted.steps.values(), step),
            standing=read_back.standing,
            findings=noted.stripped.findings,
            alarm=noted.changed,
        )

    @activity.defn
    async def settle(self, settlement: Settlement) -> Receipt | None:
        """None, and nothing done, unless the request's own workflow asks, and this deployment signed the request.

        A writer to Temporal can copy a request into another workflow, or schedule this activity alone.
        """
        signed = settlement.signed
        own_workflow = activity.info().workflow_id == workflow_id(signed.request.request_id)
        if not own_workflow or not is_ours(self._keyring, signed.assertion, signed.request):
            return None
        settlement = await self._with_what_stays_behind(settlement)
        async with self._ledger.transaction() as session:
            receipt = await receipts.settle(session, self._with_proven_actor(settlement))
        at = settlement.settled_at
        await self._backend.alarms.clear(AlarmKind.CLOSING_LATE, signed.request.request_id, _all_clear(receipt), at)
        return receipt

    async def _with_what_stays_behind(self, settlement: Settlement) -> Settlement:
        """The settlement with the sweep of the account, and its alarm raised. Done once, however often it is settled.

        Raises ``LedgerUnavailableError``, once it is told.
        """
        with noting() as noted:
            if settlement.to_sweep and noted.swept is None:
                noted.swept = await self._sweep(settlement.to_sweep, noted)
            swept = noted.swept or NOTHING_TO_SWEEP
        findings = (*settlement.findings, *besides(settlement.findings, swept.findings))
        left_behind = stays_behind(findings)
        if left_behind:
            await self._backend.alarms.raise_alarm(
                alarm_of(settlement.signed.request, left_behind, settlement.settled_at)
            )
        return settlement.model_copy(
            update={
                "findings": findings,
                "swept": swept.swept,
                "unswept": swept.unswept,
                "steps": swept.besides(*settlement.steps),
                "alarms": (*settlement.alarms, *([left_behind] if left_behind else [])),
            }
        )

    async def _sweep(self, to_sweep: ToSweep, noted: Noted) -> Swept:
        if activity.info().attempt > SWEPT_AT_MOST:
            return Swept(unswept="The sweep could not be made: its worker died each time.")
        account, baseline = to_sweep.object_id, to_sweep.baseline
        return await sweep(self._backend.directories, to_sweep.grant.tenant_id, account, baseline, noted.stripped)

    def _with_proven_actor(self, settlement: Settlement) -> Settlement:
        """The settlement with the actor who ended the grant, where our own signature proves who it was."""
        signed, ending = settlement.signed_end, settlement.ending
        is_about_it = signed and signed.ending.request_id == settlement.signed.request.request_id
        if signed is None or not is_about_it or not is_ours(self._keyring, signed.assertion, signed.ending):
            return settlement
        return settlement.model_copy(update={"ending": ending.model_copy(update={"by": signed.assertion.actor})})

    async def _find(self, account: AccountToClose, noted: Noted) -> tuple[Tenant, FoundAccount | NothingToClose]:
        tenant = await self._backend.directories.to_close(account.grant.tenant_id)
        return tenant, await self._finder.to_close(tenant, account, noted.missed)

    def _nothing(self, found: NothingToClose, noted: Noted) -> Closed:
        step = Step(name=ClosingStep.READ_BACK, at=self._clock(), note=found.note)
        return Closed(
            steps=(*noted.steps.values(), step),
            standing=found.standing,
            findings=noted.stripped.findings,
            alarm=found.alarm,
            alarm_kind=found.alarm_kind,
        )


def _all_clear(receipt: Receipt) -> str:
    return f"It is over: {receipt.proof.value}."
