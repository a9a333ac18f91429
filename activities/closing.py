"""What ends access. It needs the tenant and what the workflow carries; the ledger for fence and receipt alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity

from activities.heartbeats import stripping
from activities.options import BASELINE_TRIES
from activities.signatures import Closing
from entra_jit.accounts.account_closing import MOST_CALLS, Given, clear_mark, close_again, read_standing, strip
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.baseline import compare, look_at
from entra_jit.accounts.managed_account import Holder, Inspected
from entra_jit.crypto.assertions import is_ours
from entra_jit.crypto.marks import Register, read_open_until
from entra_jit.graph import NotYetVisibleError, Tenant, User
from entra_jit.ledger import fences, grants, receipts
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.ledger.grants import ByNow
from models.alarms import AlarmKind
from models.errors import ReadBackDisagreesError
from models.marks import newest
from models.messages import (
    AccountToClose,
    Closed,
    ClosingStep,
    Fence,
    Grant,
    ObjectId,
    Receipt,
    Settlement,
    Standing,
    Step,
    Sweep,
    ToSweep,
    workflow_id,
)

GONE_AFTER = timedelta(minutes=10)
"""How long an account that we know must have been invisible, in the bin too, before it counts as gone."""

ASK_THE_LEDGER_SECONDS = 2.0


class ClosingActivities(Closing):
    """See ``activities.signatures.Closing``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._ledger = backend.ledger
        self._keyring = backend.keyring
        self._clock = backend.clock

    @activity.defn
    async def fence(self, request_id: str) -> Fence:
        """The ledger alone."""
        async with self._ledger.transaction() as session:
            return await fences.fence(session, request_id, self._clock())

    @activity.defn
    async def disable_account(self, account: AccountToClose) -> Closed:
        """Refused by Microsoft while roles are held, where our service principal lacks a role: then tried again."""
        tenant, looked = await self._look(account)
        if isinstance(looked, Closed):
            return looked
        evidence = await tenant.users.disable(looked.user.id)
        step = Step(name=ClosingStep.DISABLED, at=evidence.answered_at, calls=(evidence,))
        return Closed(steps=(step,), alarm=looked.alarm())

    @activity.defn
    async def strip_account(self, account: AccountToClose) -> Closed:
        """Password, sessions, sign-in methods, roles and memberships, all attempted at the same time."""
        tenant, looked = await self._look(account)
        if isinstance(looked, Closed):
            return looked
        with stripping() as stripped:
            calls = await strip(tenant, looked.user.id, _given(account), stripped)
        self._expect_all_removed(account, looked.user.id, stripped.removed)
        note = f"the first {MOST_CALLS} of {len(calls)} calls" if len(calls) > MOST_CALLS else None
        step = Step(name=ClosingStep.STRIPPED, at=calls[-1].answered_at, note=note, calls=tuple(calls[:MOST_CALLS]))
        return Closed(steps=(step,), findings=stripped.findings)

    def _expect_all_removed(self, account: AccountToClose, user: ObjectId, removed: set[str]) -> None:
        """A replica that never heard of what was just given says that it is not there, to the removal and in lists."""
        given_at = account.roles_given_at
        if given_at is None or self._clock() - given_at >= self._backend.roles_known_after:
            return
        if unseen := _given(account).ids(user) - removed:
            raise ReadBackDisagreesError(
                f"{len(unseen)} things given to {account.grant.account_name} are too new to be removed everywhere."
            )

    @activity.defn
    async def read_back(self, account: AccountToClose) -> Closed:
        """Raises ``ReadBackDisagreesError`` after closing once more what was found open."""
        tenant, looked = await self._look(account)
        if isinstance(looked, Closed):
            return looked
        reading = await read_standing(tenant, looked.user)
        with stripping() as stripped:
            if not reading.standing.is_closed:
                await close_again(tenant, looked.user.id, _given(account), stripped)
                parts = _open_parts(reading.standing)
                raise ReadBackDisagreesError(
                    f"{account.grant.account_name} is not closed yet, says the directory: {parts}."
                )
        at = max(call.answered_at for call in reading.calls)
        cleared = await clear_mark(tenant, looked.user)
        step = Step(name=ClosingStep.READ_BACK, at=at, note=cleared.note, calls=(*reading.calls, *cleared.calls))
        return Closed(steps=(step,), standing=reading.standing, findings=stripped.findings)

    @activity.defn
    async def sweep(self, to_sweep: ToSweep) -> Sweep:
        """What Microsoft does not let us read is said so, and at last what fails for the moment."""
        last_try = activity.info().attempt >= BASELINE_TRIES
        tenant = await self._backend.directories.to_close(to_sweep.grant.tenant_id)
        with stripping() as stripped:
            look = await look_at(tenant, to_sweep.object_id, stripped, last_try=last_try)
        return compare(look, to_sweep.baseline)

    @activity.defn
    async def settle(self, settlement: Settlement) -> Receipt | None:
        """None, and nothing done, unless the request's own workflow asks, and this deployment signed the request.

        Whoever can write to Temporal can copy a request into another workflow, or send this activity by itself.
        """
        signed = settlement.signed
        own_workflow = activity.info().workflow_id == workflow_id(signed.request.request_id)
        if not own_workflow or not is_ours(self._keyring, signed.assertion, signed.request):
            return None
        async with self._ledger.transaction() as session:
            receipt = await receipts.settle(session, self._with_proven_actor(settlement))
        at = settlement.closed_at
        await self._backend.alarms.clear(AlarmKind.CLOSING_LATE, signed.request.request_id, _all_clear(receipt), at)
        return receipt

    def _with_proven_actor(self, settlement: Settlement) -> Settlement:
        """The settlement with the actor who ended the grant, where our own signature proves who it was."""
        signed, ending = settlement.signed_end, settlement.ending
        is_about_it = signed and signed.ending.request_id == settlement.signed.request.request_id
        if signed is None or not is_about_it or not is_ours(self._keyring, signed.assertion, signed.ending):
            return settlement
        return settlement.model_copy(update={"ending": ending.model_copy(update={"by": signed.assertion.actor})})

    async def _look(self, account: AccountToClose) -> tuple[Tenant, Inspected | Closed]:
        """The account to close, or the result where there is nothing of this grant's to close.

        Whose it is the newest signed mark says, wherever it stands: an administrator of the tenant can put an old one
        back, and a backup can set the ledger back.
        """
        grant = account.grant
        tenant = await self._backend.directories.to_close(grant.tenant_id)
        user, now = await asyncio.gather(self._find(tenant, account), self._by_now(grant))
        if now and now.abandoned:
            return tenant, self._result("given up by an operator", None)
        if user is None:
            return tenant, self._nothing(account)
        named = await self._backend.registered.know(grant.tenant_id, user.id)
        register = Register.NAMES_IT if named else Register.SILENT
        inspected = self._backend.inspect(user, Holder.of(grant), register)
        if not inspected.may_be_closed:
            return tenant, self._not_ours(account, ledger_is_known=now is not None)
        if holder := self._other_holder(account, inspected, now):
            return tenant, self._held(account, user, holder)
        return tenant, inspected

    def _other_holder(self, account: AccountToClose, inspected: Inspected, now: ByNow | None) -> str | None:
        """The other grant that has the account now; None: it is this grant's to close."""
        grant, in_directory = account.grant, inspected.open_until
        in_ledger = now.mark if now else None
        carried = None
        if not (now and now.is_over):  # closed by somebody else meanwhile: what the workflow remembers is past
            carried = read_open_until(self._keyring, account.mark, grant.tenant_id, inspected.user.id)
        deciding = newest(in_directory, in_ledger, carried)
        if deciding is None:
            return now.holder if now and now.holder != grant.request_id else None
        if deciding.request_id == grant.request_id or deciding.expires_at <= self._clock():
            return None
        return deciding.request_id

    def _held(self, account: AccountToClose, user: User, holder: str) -> Closed:
        standing = Standing(exists=True, enabled=user.account_enabled, held_by=holder)
        note = f"the account is held by the grant {holder}"
        alarm = (
            f"{account.grant.account_name} was not closed for this grant: a newer mark says that the grant {holder} "
            "has it, which closes it at its own end."
        )
        return self._result(note, standing, alarm, AlarmKind.HELD)

    def _not_ours(self, account: AccountToClose, *, ledger_is_known: bool) -> Closed:
        name = account.grant.account_name
        if account.object_id is None:
            return self._nothing(account, "an account of that name is not ours; it was not touched")
        if not ledger_is_known:
            raise LedgerUnavailableError(
                f"Whether {name} is ours cannot be told without the ledger: its tag is broken."
            )
        raise ReadBackDisagreesError(
            f"Neither the register nor its tag say any more that {name} is ours, so it is not touched. "
            "Disable it in the tenant, and find out who changed it."
        )

    async def _find(self, tenant: Tenant, account: AccountToClose) -> User | None:
        if account.object_id is None:
            # What was made and never answered is disabled, without roles, and found by its tag later.
            return await tenant.users.find(account.grant.account_name)
        try:
            return await tenant.users.get(account.object_id)
        except NotYetVisibleError:
            in_bin = await tenant.deleted_items.find(account.object_id)
            if in_bin is None and self._clock() - activity.info().scheduled_time < GONE_AFTER:
                raise
            return None

    async def _by_now(self, grant: Grant) -> ByNow | None:
        """Whose the account is now: a late closing must not strip a newer grant. None: the ledger cannot be asked."""
        try:
            async with asyncio.timeout(ASK_THE_LEDGER_SECONDS), self._ledger.transaction() as session:
                return await grants.by_now(session, self._keyring, grant)
        except (LedgerUnavailableError, TimeoutError):
            return None

    def _nothing(self, account: AccountToClose, note: str | None = None) -> Closed:
        name = account.grant.account_name
        if account.object_id is not None and note is None:
            alarm = f"{name} is gone from the directory of {account.grant.tenant}: nothing is left to read back."
            return self._result("gone from the directory", Standing.gone(vanished=True), alarm)
        return self._result(note or "there is no such account", Standing.gone(vanished=False))

    def _result(
        self, note: str, standing: Standing | None, alarm: str | None = None, kind: AlarmKind = AlarmKind.VANISHED
    ) -> Closed:
        step = Step(name=ClosingStep.READ_BACK, at=self._clock(), note=note)
        return Closed(steps=(step,), standing=standing, alarm=alarm, alarm_kind=kind)


def _all_clear(receipt: Receipt) -> str:
    return f"It is over: {receipt.proof.value}."


def _given(account: AccountToClose) -> Given:
    return Given(account.grant.roles, account.pass_id)


def _open_parts(standing: Standing) -> str:
    parts = [
        ("enabled", standing.enabled),
        (f"{len(standing.roles)} roles", standing.roles),
        (f"{len(standing.memberships)} memberships", standing.memberships),
        (", ".join(standing.sign_in_methods), standing.sign_in_methods),
    ]
    return "; ".join(str(name) for name, found in parts if found)
