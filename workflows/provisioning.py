"""Making a technician's account ready, up to the opening. Roles and credential come while it is still closed."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

from activities.options import LEDGER
from activities.signatures import Deciding, Provisioning
from entra_jit.policy.durations import format_duration
from models.messages import AccountFound, Grant
from workflows.closing import Traces
from workflows.course import Course
from workflows.gathering import gather_or_cancel
from workflows.perform import perform_locally
from workflows.sweeping import Sweeping


class AccountProvisioning:
    """Takes the steps of one grant's course, and leaves word of what it has brought about."""

    def __init__(self, course: Course, traces: Traces, sweeping: Sweeping) -> None:
        self._course = course
        self._traces = traces
        self._sweeping = sweeping

    async def look(self, grant: Grant) -> AccountFound:
        """The domain is verified and managed, and the account is ours or not there. Nothing is written."""
        _, account = await gather_or_cancel(
            self._course.step(Provisioning.validate_domain, f"Is {grant.account_domain} verified and managed?"),
            self._course.step(Provisioning.find_account, f"Is there {grant.account_name} already?"),
        )
        self._traces.object_id = account.object_id
        return account

    async def prepare(self, grant: Grant, account: AccountFound) -> None:
        """The account is there, closed, and has its roles and a credential that nobody can use yet."""
        self._traces.written = True
        if not account.ready:
            self._traces.object_id = await self._course.step(
                Provisioning.prepare_account, f"Make sure of {grant.account_name}, closed"
            )
        roles_and_credential = gather_or_cancel(self._give_access(grant), self._issue_credential())
        await self._sweeping.beside(roles_and_credential, self._course.ref, account)

    async def _give_access(self, grant: Grant) -> None:
        self._traces.roles_asked_for, self._traces.roles_given_at = True, None
        await self._course.step(Provisioning.give_access, ", ".join(item.words for item in grant.access))
        self._traces.roles_given_at = workflow.now()

    async def _issue_credential(self) -> None:
        self._course.stop_if_over()
        # Kept also when the grant is over by now: then this pass is there, and is to be deleted.
        self._traces.pass_id = await self._course.step_to_keep(
            Provisioning.issue_credential, "A fresh credential, sealed"
        )
        self._course.stop_if_over()

    async def arm(self, grant: Grant) -> datetime:
        """Fix the expiry, before anything is opened."""
        armed = await perform_locally(
            Deciding.arm,
            self._course.ref,
            LEDGER,
            summary=f"Fix the expiry, {format_duration(grant.duration)} from now",
            within=self._course.time_left(),
        )
        self._traces.mark = armed.mark
        return armed.expires_at

    async def open(self, expires_at: datetime) -> datetime:
        """The last step. Gives when the account was opened."""
        return await self._course.step(Provisioning.open_account, f"Open until {expires_at:%H:%M:%SZ}")
