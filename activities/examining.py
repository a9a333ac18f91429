"""The doctor as Temporal has it done: a tenant at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity

from activities.signatures import Examining
from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.doctor.canary import canary_request, week_of
from entra_jit.accounts.doctor.recording import examine_and_record
from entra_jit.accounts.emergency.signing_in import BrowserSignIn, Typed
from entra_jit.crypto.assertions import assert_actor
from entra_jit.identity.authorize import Subject, Verb, authorize
from entra_jit.ledger import accounts, canaries, credentials, examinations, grants, requests
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.ledger.examinations import ConfiguredTenant
from models.actor import DOCTOR
from models.checks import CheckState, Examination
from models.errors import EntraJitError, RefusedError
from models.marks import CANARY_ID, AccountKind
from models.messages import (
    GrantRef,
    SignedAccessRequest,
    SignInAttempt,
    SignInOutcome,
    TenantId,
    TenantVerdict,
)

TRIED_AGAIN_AFTER = (timedelta(seconds=12), timedelta(seconds=30))
"""Microsoft was seen to refuse a new pass for ten seconds."""


class ExaminingActivities(Examining):
    """See ``activities.signatures.Examining``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @activity.defn
    async def list_tenants_in_turn(self, only: str | None) -> list[str]:
        """From the ledger."""
        async with self._backend.ledger.transaction() as session:
            found = await examinations.in_turn(session)
        return [name for name in found if only in (None, name)]

    @activity.defn
    async def examine_tenant(self, tenant: str) -> TenantVerdict:
        """A ledger that is away fails the activity, which is done again."""
        try:
            async with self._backend.ledger.transaction() as session:
                [configured] = await examinations.tenants(session, self._backend.clock(), [tenant])
            examination = await examine_and_record(self._backend, configured, DOCTOR)
            canary = await self._canary_of(configured) if examination.is_usable else None
            return _verdict(examination).model_copy(update={"canary": canary})
        except LedgerUnavailableError:
            raise
        except EntraJitError as error:
            return TenantVerdict(tenant=tenant, unexamined=describe_error(error))

    async def _canary_of(self, configured: ConfiguredTenant) -> SignedAccessRequest | None:
        """The request for this week's canary; None: none is wanted, or it was asked for before."""
        if configured.canary != "weekly":
            return None
        now = self._backend.clock()
        request = canary_request(configured.terms, week_of(configured.terms, now), now)
        authorize(DOCTOR, Verb.RUN_CANARY, Subject(request.request_id, request.tenant))
        async with self._backend.ledger.transaction() as session:
            if await requests.by_id(session, request.request_id) is not None:
                return None
            await canaries.ensure(session)
        return SignedAccessRequest(request=request, assertion=assert_actor(self._backend.keyring, DOCTOR, request, now))

    @activity.defn
    async def try_canary(self, canary: GrantRef) -> SignInAttempt:
        """What is no canary's is not opened here. A new pass is tried again: Microsoft may not know it yet."""
        backend = self._backend
        async with backend.ledger.transaction() as session:
            grant = await grants.by_id(session, canary.request_id)
            if grant is None or str(grant.technician_id) != CANARY_ID:
                raise RefusedError("This is no grant of the canary's.")
            tenant_id = TenantId(str(grant.tenant_id))
            known = await accounts.object_ids(session, tenant_id)
            held = await credentials.open_for_canary(session, backend.keyring, canary.request_id)
        account = next((one for one, kind in known.items() if kind is AccountKind.CANARY), None)
        if account is None or held is None:
            raise RefusedError("The canary has no credential now.")
        typed = Typed(grant.account_name, held.kind, held.secret)
        browser = BrowserSignIn(backend.graph, backend.settings, backend.clock)
        for pause in (timedelta(0), *TRIED_AGAIN_AFTER):
            await asyncio.sleep(pause.total_seconds())
            attempt = await browser.type_in(typed, tenant_id, account)
            if attempt.outcome is not SignInOutcome.REFUSED:
                break
        async with backend.ledger.transaction() as session:
            await canaries.tried(session, canary.request_id, attempt)
        return attempt


def _verdict(examination: Examination) -> TenantVerdict:
    def codes(state: CheckState) -> tuple[str, ...]:
        return tuple(one.check.code for one in examination.findings if one.state is state)

    return TenantVerdict(tenant=examination.tenant, failed=codes(CheckState.FAILED), warned=codes(CheckState.WARNING))
