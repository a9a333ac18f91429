"""What widens access. Each activity is told a grant's id, asks the ledger whether the grant may go on, and reads
access, name and hours there: a writer to Temporal cannot change what is granted."""

from __future__ import annotations

import asyncio
from datetime import datetime
from http import HTTPStatus

from temporalio import activity

from activities.diagnosing import expect_ready, explained
from activities.issuing import Issuing
from activities.leasing import take_lease, tenant_in_time
from activities.signatures import Provisioning
from entra_jit.accounts.access import KINDS, CannotBeGivenError
from entra_jit.accounts.account_closing import Given, Stripped, take_foreign, without_mark
from entra_jit.accounts.attempts import attempt_all, attempt_both, describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.baseline import Look, take_baseline, why_not_looked_at, with_patience
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.accounts.finding import MissedSince, read_account
from entra_jit.accounts.global_administrators import count_others
from entra_jit.accounts.making import make_account
from entra_jit.accounts.managed_account import FoundAccount, Holder
from entra_jit.crypto.assertions import ForgedAssertionError, verify_actor
from entra_jit.crypto.marks import (
    OPEN_UNTIL_ATTRIBUTE,
    Register,
)
from entra_jit.graph import (
    ConflictError,
    MasteredElsewhereError,
    PermanentError,
    Tenant,
    UnexpectedResponseError,
    User,
)
from entra_jit.identity.authorize import Subject, Verb, authorize_signed
from entra_jit.ledger import accounts, admission, baselines, grants, steps
from entra_jit.ledger.admission import Admitted
from entra_jit.policy.domain import refuse_domain, refuse_global_administrator
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR
from models.actor import Actor
from models.errors import EntraJitError, ExitCode, ReadBackDisagreesError, RefusedError
from models.marks import AccountKind
from models.messages import (
    NOTHING_GIVEN,
    NOTHING_WRITTEN,
    AccessGiven,
    AccessItem,
    AccountReady,
    Assertion,
    DirectoryCall,
    Extension,
    FailureType,
    GrantRef,
    ObjectId,
    PassId,
    Renewal,
    SignedExtension,
    Step,
    TechnicianId,
    ToExtend,
    ToGive,
    ToRenew,
)
from models.moments import format_moment, steady_seconds
from models.sweep import Baseline

OPENED = "opened"
BASELINE_TAKEN = "baseline taken"


class CannotCloseError(EntraJitError):
    """The application that closes cannot close an account that is to be opened. It stays closed."""

    failure_type = FailureType.PERMANENT
    exit_code = ExitCode.REFUSED
    http_status = HTTPStatus.BAD_GATEWAY


class ProvisioningActivities(Provisioning):
    """See ``activities.signatures.Provisioning``."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._ledger = backend.ledger
        self._keyring = backend.keyring
        self._clock = backend.clock
        self._issuing = Issuing(backend)

    @activity.defn
    @explained(PermanentError, CannotBeGivenError)
    async def ready(self, ref: GrantRef) -> AccountReady:
        """Raises ``RefusedError`` for a tenant, domain or account in which nothing may be granted.

        Registers the account before it is made, so that a creation whose answer is lost is found and adopted.
        """
        admitted, tenant = await self._admit(ref)
        try:
            validated, found = await attempt_both(self._validate(tenant, admitted), self._find(tenant, admitted))
        except EntraJitError as error:
            if admitted.is_untouched:
                error.details = (NOTHING_WRITTEN,)
            raise
        await self._record(ref, validated)
        if found and self._is_ready(admitted, found):
            return AccountReady(object_id=found.user.id, is_new=False)
        return await self._prepare(ref, tenant, admitted, found)

    async def _validate(self, tenant: Tenant, admitted: Admitted) -> Step:
        grant = admitted.grant
        await expect_ready(self.backend, admitted)
        name = grant.account_domain
        organization, domain, administrators = await asyncio.gather(
            tenant.organization.get(), tenant.domains.find(name), self._refuse_global_administrator(tenant, admitted)
        )
        if organization.id != grant.tenant_id:
            raise RefusedError(f"{grant.tenant}: the credential opens another tenant, {organization.id}.")
        is_managed = domain.is_managed if domain and domain.is_verified else None
        if refused := refuse_domain(grant.tenant, name, is_managed=is_managed) or administrators:
            raise RefusedError(refused)
        return self._step("domain validated", organization.evidence, *([domain.evidence] if domain else []))

    async def _refuse_global_administrator(self, tenant: Tenant, admitted: Admitted) -> str | None:
        """None: the role may be given, or is not granted."""
        if GLOBAL_ADMINISTRATOR not in {item.id for item in admitted.grant.access}:
            return None
        # Technicians' accounts are closed again, so they are none that the tenant could rely on.
        async with self._ledger.transaction() as session:
            ours = await accounts.object_ids(session, admitted.grant.tenant_id)
        passing = {one for one, kind in ours.items() if kind is not AccountKind.EMERGENCY}
        others = await count_others(tenant, {admitted.object_id, *passing})
        return refuse_global_administrator(admitted.grant.tenant, others)

    def _is_ready(self, admitted: Admitted, found: FoundAccount) -> bool:
        """It can be given access as it is: registered, and closed or opened by this very grant."""
        mark = found.open_until
        ours_already = mark is not None and mark.request_id == admitted.grant.request_id
        return admitted.object_id == found.user.id and (not found.user.account_enabled or ours_already)

    async def _prepare(
        self, ref: GrantRef, tenant: Tenant, admitted: Admitted, found: FoundAccount | None
    ) -> AccountReady:
        grant = admitted.grant
        async with self._ledger.transaction() as session:
            # Fenced meanwhile, its closing may have been told that nothing was written.
            now = await self.backend.time_to_open(session)
            await admission.admit(session, ref, now, lock=True)
            await accounts.intend(session, grant, now)
            await grants.begin(session, ref.request_id, now)
            if found is None:
                await baselines.note_baseline(session, ref.request_id, Baseline())
        calls: list[DirectoryCall] = []
        if found is None:
            display_name = f"{grant.technician} (just-in-time access)"
            created = await make_account(self.backend, tenant, Holder.of(grant), display_name)
            object_id, evidence = created.id, created.evidence
            calls.append(evidence)
        else:
            object_id = found.user.id
            if found.user.account_enabled:
                calls.append(await tenant.users.disable(object_id))
        prepared = self._step("account prepared", *calls, note="found" if found else "made")
        async with self._ledger.transaction() as session:
            await accounts.confirm(session, grant, object_id)
            await steps.record(session, ref.request_id, ref.attempt, [prepared])
        self.backend.registered.learn(grant.tenant_id, object_id)
        return AccountReady(object_id=object_id, is_new=found is None)

    async def _find(self, tenant: Tenant, admitted: Admitted) -> FoundAccount | None:
        """The technician's account; None where there is none. Raises ``RefusedError`` for one not ours."""
        user, register = await self._read(tenant, admitted)
        if user is None:
            return None
        found = self.backend.inspect(user, Holder.of(admitted.grant), register)
        if refusal := found.why_not_to_open():
            raise RefusedError(refusal)
        return found

    async def _read(self, tenant: Tenant, admitted: Admitted) -> tuple[User | None, Register]:
        if admitted.object_id is None:
            return await tenant.users.find(admitted.grant.account_name), admitted.register
        # At the earliest since this step was first tried. What is given up too soon is found by its name, and adopted.
        missed = MissedSince(activity.info().scheduled_time)
        if user := await read_account(tenant, admitted.object_id, missed, self._clock):
            return user, Register.NAMES_IT
        # An administrator deleted it. The technician's next account will be another object of the same name.
        async with self._ledger.transaction() as session:
            await accounts.forget_object(
                session, admitted.grant.tenant_id, admitted.grant.technician_id, admitted.object_id
            )
        return await tenant.users.find(admitted.grant.account_name), Register.INTENDS_IT

    @activity.defn
    @explained(PermanentError, CannotBeGivenError)
    async def give(self, to_give: ToGive) -> AccessGiven:
        """Access, credential and baseline at the same time. The baseline never fails it.

        Raises ``ReadBackDisagreesError`` until the directory lists exactly what was granted.
        """
        admitted, tenant = await self._admit(to_give)
        account = _known(admitted)
        (_, pass_id), baseline = await attempt_both(
            attempt_both(
                self._give_access(to_give, tenant, admitted, account),
                self._issue_credential(to_give, tenant, admitted, account),
            ),
            self._baseline(to_give, admitted, account),
        )
        return AccessGiven(pass_id=pass_id, baseline=baseline)

    async def _give_access(self, ref: GrantRef, tenant: Tenant, admitted: Admitted, account: ObjectId) -> None:
        grant = admitted.grant
        given = Given(grant.access)
        calls = await _give_all(tenant, grant.access, account)
        listed = await attempt_all(
            take_foreign(kind, given.of(name), tenant, account, Stripped())
            for name, kind in KINDS.items()
            if kind.ALWAYS_EXACT or given.of(name)
        )
        held = [holdings for holdings, _ in listed]
        extra = [one.item for holdings in held for one in holdings.foreign_to(grant.access)]
        missing = {item.key for item in grant.access} - {one.item.key for holdings in held for one in holdings.held}
        if missing or extra:
            raise ReadBackDisagreesError(
                f"{grant.account_name} holds {len(extra)} access items too many and {len(missing)} too few, "
                f"says the directory of {grant.tenant}."
            )
        await self._record(ref, self._step("access given", *calls, *(holdings.evidence for holdings in held)))

    async def _issue_credential(
        self, ref: GrantRef, tenant: Tenant, admitted: Admitted, account: ObjectId
    ) -> PassId | None:
        """A Temporary Access Pass or a password, by the tenant's choice and policy. Once per attempt."""
        issued = await self._issuing.issue(ref, admitted, tenant, account)
        if issued.evidence:
            await self._record(ref, issued.step("credential issued"))
        return issued.pass_id

    async def _baseline(self, to_give: ToGive, admitted: Admitted, account: ObjectId) -> Baseline:
        """With the application that closes: it may read all this, and takes away what was planted. Never raises.

        Once per attempt: the next look would not find what the first one has taken away.
        """
        if to_give.is_new:
            return Baseline()
        ref: GrantRef = to_give
        try:
            async with self._ledger.transaction() as session:
                known = await baselines.baseline_of(session, ref.request_id)
                if known and await steps.is_recorded(session, ref.request_id, ref.attempt, BASELINE_TAKEN):
                    return known
            look = await self._look(admitted, account)
            async with self._ledger.transaction() as session:
                await baselines.note_baseline(session, ref.request_id, look.baseline)
                step = self._step(BASELINE_TAKEN, *look.calls, note=look.baseline.sentence)
                await steps.record(session, ref.request_id, ref.attempt, [step])
        except Exception as error:
            return Baseline(unread=f"No baseline could be taken: {describe_error(error)}")
        return look.baseline

    async def _look(self, admitted: Admitted, account: ObjectId) -> Look:
        tenant = await self.backend.directories.of(admitted.grant.tenant_id, Purpose.REVOKE)
        stripped, access = Stripped(), admitted.grant.access
        try:
            return await with_patience(lambda left: take_baseline(tenant, account, access, stripped, last_try=not left))
        except TimeoutError as error:
            unread = f"No baseline could be taken: {why_not_looked_at(error)}"
            return Look(Baseline(findings=stripped.findings, unread=unread), ())

    @activity.defn
    @explained(PermanentError, CannotBeGivenError, CannotCloseError)
    async def open(self, ref: GrantRef) -> datetime:
        """Enabling and open-until mark in one write, behind the admission check, within the lease.

        Raises ``CannotCloseError``, and opens nothing, where the application that closes could not close it. Where
        Exchange masters the account's attributes, it is enabled without the mark: the ledger has it.
        """
        # Before the lease, which is for the opening alone: what ended or expired meanwhile is not admitted any more.
        tried = await self._try_closing(ref)
        note = None
        try:
            admitted, evidence = await self._enable(ref, with_mark=True)
        except MasteredElsewhereError as error:
            note = without_mark(error)
            admitted, evidence = await self._enable(ref, with_mark=False)
        async with self._ledger.transaction() as session:
            opened_at = await admission.opened(session, ref.request_id, evidence.answered_at)
            await admission.release_lease(session, admitted)
            step = Step(name=OPENED, at=evidence.answered_at, note=note, calls=(evidence,))
            await steps.record(session, ref.request_id, ref.attempt, [*tried, step])
        return opened_at

    async def _enable(self, ref: GrantRef, *, with_mark: bool) -> tuple[Admitted, DirectoryCall]:
        admitted, tenant = await take_lease(self.backend, ref)
        attributes = {OPEN_UNTIL_ATTRIBUTE: admitted.mark} if with_mark else None
        try:
            return admitted, await tenant.users.enable(_known(admitted), attributes)
        except PermanentError:  # an answer, so that nothing is under way
            async with self._ledger.transaction() as session:
                await admission.release_lease(session, admitted)
            raise

    async def _try_closing(self, ref: GrantRef) -> list[Step]:
        """Have the application that closes disable the account, which has all its access by now and is disabled still.

        Only an answer that it may admits the opening. An account that this attempt has opened already is left alone:
        Microsoft would end its sessions. Should the call take effect so late that another try has opened the account
        meanwhile, that is closed early.
        """
        async with self._ledger.transaction() as session:
            admitted = await admission.admit(session, ref, self._clock())
            if admitted.opened_at and await steps.is_recorded(session, ref.request_id, ref.attempt, OPENED):
                return []
        grant = admitted.grant
        try:
            tenant = await self.backend.directories.of(grant.tenant_id, Purpose.REVOKE)
            evidence = await tenant.users.disable(_known(admitted))
        except (PermanentError, UnexpectedResponseError, NotConnectedError) as error:
            why = "is not opened, because the revoking application could not close it again"
            raise CannotCloseError(f"{grant.account_name} {why}. {error}") from None
        note = "the revoking application may disable it"
        return [Step(name="closing tried", at=evidence.answered_at, note=note, calls=(evidence,))]

    @activity.defn
    async def extend_grant(self, to_extend: ToExtend) -> datetime:
        """The ledger first, the mark second; the workflow moves its timer last."""
        ref, extension = to_extend.ref, to_extend.signed.extension
        asked = steady_seconds()
        actor = self._who_asks(ref, extension, to_extend.signed.assertion)
        async with self._ledger.transaction() as session:
            now = await self.backend.time_to_open(session)
            grant = await grants.by_id(session, ref.request_id)
            whose = TechnicianId(str(grant.technician_id)) if grant else None
            authorize_signed(actor, Verb.EXTEND_ACCESS, Subject(ref.request_id, technician_id=whose))
            lease = self.backend.lease
            admitted = await admission.extend(
                session,
                self._keyring,
                ref,
                extension.expires_at,
                now,
                lease,
                by=actor,
                reason=extension.reason,
            )
        tenant = await tenant_in_time(self.backend, admitted, asked)
        note = None
        calls: list[DirectoryCall] = []
        try:
            calls.append(await tenant.users.set_attributes(_known(admitted), {OPEN_UNTIL_ATTRIBUTE: admitted.mark}))
        except MasteredElsewhereError as error:
            note = without_mark(error)
        async with self._ledger.transaction() as session:
            await admission.release_lease(session, admitted)
        moved = f"mark moved to {format_moment(extension.expires_at)}"
        await self._record(ref, self._step(moved, *calls, note=note))
        return extension.expires_at

    @activity.defn
    async def renew_credential(self, to_renew: ToRenew) -> PassId | None:
        """For an extension only a pass is renewed: a password lasts. Run twice, the second credential counts."""
        ref, signed = to_renew.ref, to_renew.signed
        admitted, tenant = await self._admit(ref)
        message = signed.extension if isinstance(signed, SignedExtension) else signed.renewal
        actor = self._who_asks(ref, message, signed.assertion)
        if isinstance(message, Renewal):
            authorize_signed(
                actor, Verb.RENEW_CREDENTIAL, Subject(ref.request_id, technician_id=admitted.grant.technician_id)
            )
        passes_only = isinstance(message, Extension)
        return await self._issuing.renew(ref, admitted, tenant, _known(admitted), actor, passes_only=passes_only)

    def _who_asks(self, ref: GrantRef, message: Extension | Renewal, assertion: Assertion) -> Actor:
        """The actor of the message. Raises ``ForgedAssertionError``, also where it was made for another grant."""
        if message.request_id != ref.request_id:
            raise ForgedAssertionError(f"the message was made for another grant than {ref.request_id}")
        return verify_actor(self._keyring, assertion, message, self._clock())

    async def _admit(self, ref: GrantRef) -> tuple[Admitted, Tenant]:
        async with self._ledger.transaction() as session:
            admitted = await admission.admit(session, ref, await self.backend.time_to_open(session))
        self.backend.registered.learn(admitted.grant.tenant_id, admitted.object_id)
        return admitted, await self._tenant(admitted)

    async def _tenant(self, admitted: Admitted) -> Tenant:
        return await self.backend.directories.of(admitted.grant.tenant_id, Purpose.ELEVATE)

    def _step(self, name: str, *calls: DirectoryCall, note: str | None = None) -> Step:
        return Step(name=name, at=calls[-1].answered_at if calls else self._clock(), note=note, calls=calls)

    async def _record(self, ref: GrantRef, step: Step) -> None:
        async with self._ledger.transaction() as session:
            await steps.record(session, ref.request_id, ref.attempt, [step])


def _known(admitted: Admitted) -> ObjectId:
    if admitted.object_id is None:
        raise ReadBackDisagreesError(f"{admitted.grant.account_name} is not registered with its object id yet.")
    return admitted.object_id


async def _give_all(tenant: Tenant, access: tuple[AccessItem, ...], account: ObjectId) -> list[DirectoryCall]:
    """Raises a refusal with ``NOTHING_GIVEN`` where every item is refused, and none was asked for before."""
    done = await asyncio.gather(*(_give(tenant, item, account) for item in access), return_exceptions=True)
    refused = [one for one in done if isinstance(one, (PermanentError, CannotBeGivenError))]
    if len(refused) == len(access) and _is_first_try(activity.info()):
        refused[0].details = (NOTHING_GIVEN,)
        raise refused[0]
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if isinstance(one, DirectoryCall)]


def _is_first_try(info: activity.Info) -> bool:
    # A Reset of the activity counts its tries from one again, but cannot change when it was first scheduled.
    return info.attempt == 1 and info.current_attempt_scheduled_time == info.scheduled_time


async def _give(tenant: Tenant, item: AccessItem, account: ObjectId) -> DirectoryCall | None:
    try:
        return await KINDS[item.kind].give(tenant, item, account)
    except ConflictError:
        return None  # the read-back says whether it is
