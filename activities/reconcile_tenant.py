"""Holding one tenant's directory against the ledger, and closing what is open without a reason.

It shares nothing with the grants' workflow, and needs no Temporal: the command line runs it by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from activities.account_closing import clear_mark, close_again, read_standing
from activities.directories import Purpose
from activities.managed_account import Holder, inspect
from activities.never_made import settle_never_made
from activities.workplace import Workplace
from graph import NotYetVisible, Tenant, User
from ledger import receipts, reconciliation
from ledger.database import LedgerUnavailableError
from ledger.reconciliation import Registered
from models.messages import (
    ClosingStep,
    Closure,
    Ending,
    GrantState,
    Standing,
    Step,
    TechnicianId,
    TenantId,
    TenantReport,
)
from policy.reconciliation import Finding, Found, LiveGrant, Remedy, judge_found
from trust.marks import OWNER_TAG_ATTRIBUTE, Register, read_owner_tag, tag_prefix

ACCOUNTS_AT_ONCE = 8
LOOKS = 4
"""How often a closed account is read back before it is left to the next run."""

_log = structlog.get_logger("reconciliation")


@dataclass(frozen=True)
class _Account:
    """An account of the directory with what the ledger knows of it."""

    user: User
    registered: Registered | None
    found: Found

    @property
    def live(self) -> LiveGrant | None:
        return self.registered.live if self.registered else None


class TenantReconciliation:
    """Reconciles tenants, one at a time."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._ledger = workplace.ledger
        self._keyring = workplace.keyring
        self._clock = workplace.clock

    async def reconcile(self, tenant_id: TenantId, name: str) -> TenantReport:
        """Look at every account of the tenant that is tagged or registered, and close what has no reason to be open.

        Idempotent. What fails is told in the report and tried again next time; it never stops the other accounts.
        """
        try:
            tenant = await self._workplace.directories.of(tenant_id, Purpose.REVOKE)
            registered, ledger_is_known = await self._registered(tenant_id)
            accounts, gone = await self._accounts(tenant, tenant_id, registered)
            settled = await settle_never_made(self._ledger, tenant, self._clock())
        except Exception as error:
            return TenantReport(tenant=name, failed=str(error) or type(error).__name__)
        at_once = asyncio.Semaphore(ACCOUNTS_AT_ONCE)

        async def one(account: _Account) -> TenantReport:
            async with at_once:
                return await self._one(tenant, name, account, ledger_is_known=ledger_is_known)

        reports = await asyncio.gather(*(one(account) for account in accounts))
        return TenantReport(
            tenant=name,
            looked_at=len(accounts),
            closed=tuple(sentence for report in reports for sentence in report.closed),
            reported=(*gone, *settled, *(sentence for report in reports for sentence in report.reported)),
            failed="; ".join(report.failed for report in reports if report.failed) or None,
        )

    # -- what there is -----------------------------------------------------------------------------------------------

    async def _registered(self, tenant_id: TenantId) -> tuple[list[Registered], bool]:
        try:
            async with self._ledger.transaction() as session:
                return await reconciliation.registered(session, tenant_id, self._clock()), True
        except LedgerUnavailableError:
            return [], False

    async def _accounts(
        self, tenant: Tenant, tenant_id: TenantId, registered: list[Registered]
    ) -> tuple[list[_Account], list[str]]:
        """Every account that is tagged or registered; and a sentence for each registered one that is gone."""
        by_object = {row.object_id: row for row in registered if row.object_id}
        by_name = {row.account_name.lower(): row for row in registered if row.object_id is None}
        users = {
            user.id: user async for user in tenant.users.tagged(OWNER_TAG_ATTRIBUTE, tag_prefix(self._installation))
        }
        gone: list[str] = []
        for object_id, row in by_object.items():
            if object_id not in users:
                # Its tag was changed, or the index lags: it is ours by the register, so it is read by its id.
                try:
                    users[object_id] = await tenant.users.get(object_id)
                except NotYetVisible:
                    gone.append(f"{row.account_name} is not in the directory")
        accounts = [
            self._account(tenant_id, user, by_object.get(user.id) or by_name.get(user.user_principal_name.lower()))
            for user in users.values()
        ]
        return accounts, gone

    @property
    def _installation(self) -> str:
        return self._workplace.installation

    def _account(self, tenant_id: TenantId, user: User, row: Registered | None) -> _Account:
        if row is None:
            register, holder = Register.SILENT, self._claimed_holder(tenant_id, user)
        else:
            register = Register.NAMES_IT if row.object_id == user.id else Register.INTENDS_IT
            holder = Holder(tenant_id, row.technician_id, row.account_name)
        inspected = inspect(user, holder, register, installation=self._installation, keyring=self._keyring)
        mark = inspected.open_until
        found = Found(
            may_be_closed=inspected.may_be_closed,
            enabled=user.account_enabled,
            holds_access=False,
            mark_request_id=mark.request_id if mark else None,
            mark_expires_at=mark.expires_at if mark else None,
        )
        return _Account(user, row, found)

    def _claimed_holder(self, tenant_id: TenantId, user: User) -> Holder:
        """Whose the account is by its own tag alone, as after the ledger was lost."""
        name = user.user_principal_name
        owner = read_owner_tag(self._keyring, user.extension_attributes.get(OWNER_TAG_ATTRIBUTE), tenant_id, name)
        return Holder(tenant_id, owner.technician_id if owner else TechnicianId(""), name)

    # -- what becomes of it ------------------------------------------------------------------------------------------

    async def _one(self, tenant: Tenant, name: str, account: _Account, *, ledger_is_known: bool) -> TenantReport:
        who = account.user.user_principal_name
        try:
            finding = await self._judge(tenant, account, ledger_is_known=ledger_is_known)
            if finding.remedy is Remedy.LEAVE:
                return TenantReport(tenant=name)
            if finding.remedy is Remedy.REPORT:
                return TenantReport(tenant=name, reported=(f"{who}: {finding.because}",))
            _log.error("account closed by the reconciler", tenant=name, account=who, because=finding.because)
            await self._close(tenant, account)
        except Exception as error:
            return TenantReport(tenant=name, failed=f"{who}: {str(error) or type(error).__name__}")
        return TenantReport(tenant=name, closed=(f"{who}: {finding.because}",))

    async def _judge(self, tenant: Tenant, account: _Account, *, ledger_is_known: bool) -> Finding:
        at = self._clock()
        found = account.found
        finding = judge_found(found, account.live, at, ledger_is_known=ledger_is_known)
        if finding.remedy is not Remedy.LEAVE or found.enabled or account.live is not None:
            return await self._confirm(tenant, account, finding)
        # A closed account that nobody has a grant for should hold nothing either.
        roles, memberships = await asyncio.gather(
            tenant.roles.assignments_of(account.user.id), tenant.users.memberships(account.user.id)
        )
        holds = bool(roles) or any(not group.is_dynamic for group in memberships.groups)
        return judge_found(replace(found, holds_access=holds), None, at, ledger_is_known=ledger_is_known)

    async def _confirm(self, tenant: Tenant, account: _Account, finding: Finding) -> Finding:
        """Read the account by its id before it is acted on: listings lag, and the ledger moves on meanwhile."""
        if finding.remedy is not Remedy.CLOSE or account.registered is None:
            return finding
        row = account.registered
        user = await tenant.users.get(account.user.id)
        tenant_id = TenantId(tenant.connection.tenant_id)
        rows, ledger_is_known = await self._registered(tenant_id)
        now = next((other for other in rows if other.technician_id == row.technician_id), row)
        fresh = self._account(tenant_id, user, now)
        return judge_found(fresh.found, fresh.live, self._clock(), ledger_is_known=ledger_is_known)

    async def _close(self, tenant: Tenant, account: _Account) -> None:
        user = account.user.id
        disabled_at = self._clock()
        await close_again(tenant, user)
        for look in range(LOOKS):
            entry = await tenant.users.get(user)
            reading = await read_standing(tenant, entry)
            if reading.standing.is_closed:
                break
            await asyncio.sleep(look + 1)
            await close_again(tenant, user)
        else:
            raise StillOpenError("the directory does not say yet that it is closed")
        calls = (*reading.calls, *await clear_mark(tenant, entry))
        step = Step(name=ClosingStep.READ_BACK, at=self._clock(), note="by the reconciler", calls=calls)
        await self._settle(account, disabled_at, step, reading.standing)

    async def _settle(self, account: _Account, disabled_at: datetime, step: Step, standing: Standing) -> None:
        """Release the lock of a grant whose workflow is gone, with the receipt that it would not get otherwise."""
        if account.live is None or not account.live.is_lapsed:
            return
        closure = Closure(
            ending=Ending(
                state=GrantState.EXPIRED if account.live.expires_at else GrantState.FAILED,
                by="the reconciler",
                reason="its workflow did not settle it",
            ),
            closed_at=step.at,
            disabled_at=disabled_at,
            proven_at=step.at,
            standing=standing,
            steps=(step,),
            alarms=("The grant was closed and settled by the reconciler: its workflow is gone.",),
        )
        async with self._ledger.transaction() as session:
            await receipts.settle_lapsed(session, account.live.request_id, closure)


class StillOpenError(Exception):
    """The account was closed, and the directory does not say so yet."""
