"""The work on emergency accounts as Temporal has it done: a step at a time."""

from __future__ import annotations

from temporalio import activity

from activities.signatures import Emergency
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.emergency.admission import EmergencyAdmission
from entra_jit.accounts.emergency.signing_in import BrowserSignIn, SignsIn
from entra_jit.accounts.emergency.steps import EmergencySteps
from entra_jit.accounts.emergency.use import EmergencyUse
from entra_jit.ledger import emergency
from models.messages import (
    EmergencyCredentialRef,
    EmergencyRef,
    EmergencyTenant,
    EmergencyWork,
    SignInAttempt,
    TenantId,
)


class EmergencyActivities(Emergency):
    """See ``activities.signatures.Emergency``."""

    def __init__(self, backend: Backend, signs_in: SignsIn | None = None) -> None:
        """``signs_in``: how passkeys are tried; None: in a browser of this machine."""
        self._backend = backend
        self._signs_in = signs_in

    @property
    def _steps(self) -> EmergencySteps:
        backend = self._backend
        signs_in = self._signs_in or BrowserSignIn(backend.graph, backend.settings, backend.clock)
        return EmergencySteps(backend, signs_in)

    @activity.defn
    async def list_emergency_tenants(self, only: str | None) -> list[EmergencyTenant]:
        """From the ledger."""
        async with self._backend.ledger.transaction() as session:
            return await emergency.tenants(session, self._backend.clock(), TenantId(only) if only else None)

    @activity.defn
    async def list_emergency_work(self, tenant: EmergencyTenant) -> list[EmergencyWork]:
        """From the ledger, whatever the workflow was told of the tenant's name."""
        async with self._backend.ledger.transaction() as session:
            return await emergency.work(session, tenant, self._backend.clock())

    @activity.defn
    async def watch_emergency_use(self, only: str | None) -> list[str]:
        """What one tenant does not let us read keeps no other from being watched."""
        tenant = TenantId(only) if only else None
        used = await EmergencyUse(self._backend).watch(tenant)
        return used + await EmergencyAdmission(self._backend).watch(tenant)

    @activity.defn
    async def ensure_emergency_account(self, account: EmergencyRef) -> None:
        """An account that is missed counts as gone only some minutes after this step was first tried."""
        await self._steps.ensure_account(account, activity.info().scheduled_time)

    @activity.defn
    async def make_passkey(self, account: EmergencyRef) -> EmergencyCredentialRef:
        """In the ledger alone."""
        return await self._steps.make_passkey(account)

    @activity.defn
    async def register_passkey(self, credential: EmergencyCredentialRef) -> None:
        """Looks whether it is listed, before it is registered."""
        await self._steps.register_passkey(credential)

    @activity.defn
    async def complete_emergency_account(self, account: EmergencyRef) -> None:
        """Does nothing to an account that was complete once."""
        await self._steps.complete_account(account)

    @activity.defn
    async def prove_passkey(self, credential: EmergencyCredentialRef) -> SignInAttempt:
        """Fails until it has signed in: the sign-in service may take a while to know a new passkey."""
        return await self._steps.prove_passkey(credential)

    @activity.defn
    async def retire_other_passkeys(self, credential: EmergencyCredentialRef) -> bool:
        """Fails until the directory lists no other of ours."""
        return await self._steps.retire_others(credential)

    @activity.defn
    async def drill_emergency_account(self, account: EmergencyRef) -> SignInAttempt:
        """A drill that fails is a result, and no failure of this step."""
        return await self._steps.drill(account)
