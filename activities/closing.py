"""What ends access. It needs the tenant and what the workflow carries; the ledger for fence and receipt alone."""

from __future__ import annotations

from temporalio import activity

from activities.heartbeats import Noted, noting
from activities.options import BASELINE_TRIES
from activities.signatures import Closing
from entra_jit.accounts.account_closing import (
    MOST_CALLS,
    Given,
    clear_mark,
    disable_and_strip,
    read_standing,
    strip,
)
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.baseline import compare, look_at
from entra_jit.accounts.finding import AccountFinder, NothingToClose
from entra_jit.accounts.managed_account import FoundAccount
from entra_jit.accounts.proving import expect_all_removed, expect_closed, read_back_step
from entra_jit.crypto.assertions import is_ours
from entra_jit.graph import Tenant
from entra_jit.ledger import fences, receipts
from models.alarms import AlarmKind
from models.messages import (
    AccountToClose,
    Closed,
    ClosingStep,
    Fence,
    Receipt,
    Settlement,
    Step,
    Sweep,
    ToSweep,
)
from models.names import workflow_id


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
            return await fences.fence(session, request_id, self._clock())

    @activity.defn
    async def disable_account(self, account: AccountToClose) -> Closed:
        """Refused by Microsoft while roles are held, where our service principal lacks a role: then tried again."""
        with noting() as noted:
            tenant, found = await self._find(account, noted)
            if isinstance(found, NothingToClose):
                return self._nothing(found)
            evidence = await tenant.users.disable(found.user.id)
        step = Step(name=ClosingStep.DISABLED, at=evidence.answered_at, calls=(evidence,))
        return Closed(steps=(step,), alarm=found.alarm())

    @activity.defn
    async def strip_account(self, account: AccountToClose) -> Closed:
        """Password, sessions, sign-in methods and access, all attempted at the same time."""
        given = Given.to(account, self._backend.roles_known_after)
        with noting() as noted:
            tenant, found = await self._find(account, noted)
            if isinstance(found, NothingToClose):
                return self._nothing(found)
            calls = await strip(tenant, found.user.id, given, noted.stripped)
        expect_all_removed(found.user, given, noted.stripped, self._clock())
        note = f"the first {MOST_CALLS} of {len(calls)} calls" if len(calls) > MOST_CALLS else None
        step = Step(name=ClosingStep.STRIPPED, at=calls[-1].answered_at, note=note, calls=tuple(calls[:MOST_CALLS]))
        return Closed(steps=(step,), findings=noted.stripped.findings)

    @activity.defn
    async def read_back(self, account: AccountToClose) -> Closed:
        """Raises ``NotProvenError`` after closing once more what was found open."""
        given = Given.to(account, self._backend.roles_known_after)
        with noting() as noted:
            tenant, found = await self._find(account, noted)
            if isinstance(found, NothingToClose):
                return self._nothing(found)
            read_back = await read_standing(tenant, found.user)
            if not read_back.standing.is_closed:
                await disable_and_strip(tenant, found.user.id, given, noted.stripped)
            expect_closed(found.user, read_back)
        step = read_back_step(read_back, await clear_mark(tenant, found.user))
        return Closed(steps=(step,), standing=read_back.standing, findings=noted.stripped.findings)

    @activity.defn
    async def sweep(self, to_sweep: ToSweep) -> Sweep:
        """What Microsoft does not let us read is said so, and at last what fails for the moment."""
        last_try = activity.info().attempt >= BASELINE_TRIES
        tenant = await self._backend.directories.to_close(to_sweep.grant.tenant_id)
        with noting() as noted:
            look = await look_at(tenant, to_sweep.object_id, noted.stripped, last_try=last_try)
        return compare(look, to_sweep.baseline)

    @activity.defn
    async def settle(self, settlement: Settlement) -> Receipt | None:
        """None, and nothing done, unless the request's own workflow asks, and this deployment signed the request.

        A writer to Temporal can copy a request into another workflow, or schedule this activity alone.
        """
        signed = settlement.signed
        own_workflow = activity.info().workflow_id == workflow_id(signed.request.request_id)
        if not own_workflow or not is_ours(self._keyring, signed.assertion, signed.request):
            return None
        async with self._ledger.transaction() as session:
            receipt = await receipts.settle(session, self._with_proven_actor(settlement))
        at = settlement.settled_at
        await self._backend.alarms.clear(AlarmKind.CLOSING_LATE, signed.request.request_id, _all_clear(receipt), at)
        return receipt

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

    def _nothing(self, found: NothingToClose) -> Closed:
        step = Step(name=ClosingStep.READ_BACK, at=self._clock(), note=found.note)
        return Closed(steps=(step,), standing=found.standing, alarm=found.alarm, alarm_kind=found.alarm_kind)


def _all_clear(receipt: Receipt) -> str:
    return f"It is over: {receipt.proof.value}."
