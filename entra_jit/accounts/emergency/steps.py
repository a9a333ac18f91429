"""The steps by which an emergency account is made, rotated and tried. Each is idempotent, and none needs Temporal.

Their order keeps the promise: the account is enabled only with a passkey, and a passkey goes only after another one has
signed in. Whatever dies in between, the ledger knows where to go on.
"""

from __future__ import annotations

from datetime import datetime

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import Purpose
from entra_jit.accounts.emergency.group import join_others
from entra_jit.accounts.emergency.key_pair import attest, credential_id, new_key_pair, usable
from entra_jit.accounts.emergency.signing_in import SignsIn
from entra_jit.accounts.finding import MissedSince, read_account
from entra_jit.accounts.making import make_account
from entra_jit.accounts.managed_account import Holder
from entra_jit.crypto.marks import Register
from entra_jit.crypto.passwords import new_password
from entra_jit.graph import ConflictError, Tenant, User
from entra_jit.ledger import accounts, configuration, emergency
from entra_jit.ledger.emergency import EmergencyAccount
from entra_jit.policy.names import account_name
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR
from models.alarms import Alarm, AlarmKind
from models.errors import InternalError, ReadBackDisagreesError, RefusedError
from models.marks import EMERGENCY_NAMES, emergency_id
from models.messages import EmergencyCredentialRef, EmergencyRef, ObjectId, SignInAttempt, SignInOutcome


class EmergencySteps:
    """Works on emergency accounts; the only code that does."""

    def __init__(self, backend: Backend, signs_in: SignsIn) -> None:
        self._backend = backend
        self._ledger = backend.ledger
        self._keyring = backend.keyring
        self._clock = backend.clock
        self._alarms = backend.alarms
        self._signs_in = signs_in

    async def ensure_account(self, ref: EmergencyRef, first_tried: datetime) -> None:
        """The account exists and is ours; a new one is disabled, holds nothing, and is where the others are.

        Raises ``RefusedError``: the name is another's, the account was deleted, or the tenant shows no
        ``onmicrosoft.com`` domain. ``first_tried``: since when an account may have been missed.
        """
        tenant = await self._tenant(ref)
        async with self._ledger.transaction() as session:
            account = await emergency.find(session, ref)
        if account is not None and account.object_id is not None:
            object_id = account.object_id
            await self._expect_ours(tenant, ref, account.account_name, object_id, first_tried)
        else:
            object_id = await self._make(tenant, ref, account.account_name if account else None)
        if account is None or account.completed_at is None:
            await join_others(self._backend, ref, object_id)

    async def _make(self, tenant: Tenant, ref: EmergencyRef, intended: str | None) -> ObjectId:
        holder = self._holder(ref, intended or await self._intend(tenant, ref))
        name = holder.account_name
        user = await tenant.users.find(name)
        if user is not None:
            self._judge(user, holder, Register.INTENDS_IT)
            object_id = user.id
        else:
            object_id = (await make_account(self._backend, tenant, holder, f"Emergency access {ref.number}")).id
        async with self._ledger.transaction() as session:
            await accounts.confirm(session, holder, object_id)
        return object_id

    async def _intend(self, tenant: Tenant, ref: EmergencyRef) -> str:
        organization = await tenant.organization.get()
        if organization.id != ref.tenant_id:
            raise RefusedError(f"{ref.tenant}: the credential opens another tenant, {organization.id}.")
        if organization.initial_domain is None:
            raise RefusedError(
                f"{ref.tenant} shows no onmicrosoft.com domain, where its emergency accounts are to live."
            )
        async with self._ledger.transaction() as session:
            row = await configuration.tenant_by_id(session, ref.tenant_id)
        # A writer to Temporal can have this step done for any tenant: the ledger says where one is wanted.
        if row is None or not row.active or not 1 <= ref.number <= row.emergency_accounts:
            raise RefusedError(f"The configuration wants no {ref.words}.")
        who = emergency_id(ref.number)
        name = account_name(row.account_prefix, EMERGENCY_NAMES[who], who, organization.initial_domain)
        # Before the intent: from then on an account of this name with our tag counts as made by us.
        if user := await tenant.users.find(name):
            self._judge(user, self._holder(ref, name), Register.SILENT)
        async with self._ledger.transaction() as session:
            await emergency.intend(session, self._holder(ref, name), ref.number, self._clock())
        return name

    async def make_passkey(self, ref: EmergencyRef) -> EmergencyCredentialRef:
        """A key pair is made and sealed, or the one that the rotation has made already is gone on with."""
        pair = new_key_pair()
        async with self._ledger.transaction() as session:
            return await emergency.passkey_to_prove(
                session, self._keyring, ref, pair, credential_id(pair), self._clock()
            )

    async def register_passkey(self, credential: EmergencyCredentialRef) -> None:
        """The directory has the passkey. One whose answer was lost is found by its id or its name."""
        ref = credential.account
        _, object_id = await self._known(ref)
        tenant = await self._tenant(ref)
        async with self._ledger.transaction() as session:
            stored, pair = await emergency.open_passkey(session, self._keyring, credential)
        name = f"entra-jit {credential.credential[:12]}"
        listed = await tenant.sign_in_methods.list(object_id)
        mine = next((one.id for one in listed if one.id == stored.method_id or one.display_name == name), None)
        if mine is not None and stored.rp_id is not None:
            return
        options = (await tenant.passkeys.options(object_id)).public_key
        if mine is None:
            mine = (await tenant.passkeys.register(object_id, name, attest(pair, options))).id
        async with self._ledger.transaction() as session:
            await emergency.registered(
                session,
                credential,
                self._clock(),
                method_id=mine,
                rp_id=options.rp.id,
                user_handle=options.user.id,
            )

    async def complete_account(self, ref: EmergencyRef) -> None:
        """The account is Global Administrator and enabled. Once: later it is left as an administrator made it.

        Raises ``ReadBackDisagreesError`` until the directory says so.
        """
        account, object_id = await self._known(ref)
        if account.completed_at is not None:
            return
        if not any(one.rp_id for one in account.passkeys):
            raise ReadBackDisagreesError(f"{account.account_name} has no registered passkey yet, so it is not enabled.")
        tenant = await self._tenant(ref)
        held = await tenant.roles.assignments_of(object_id)
        if not any(one.role == GLOBAL_ADMINISTRATOR and one.scope == "/" for one in held):
            try:
                await tenant.roles.assign(GLOBAL_ADMINISTRATOR, to=object_id)
            except ConflictError:
                raise ReadBackDisagreesError(f"The role of {account.account_name} is not listed yet.") from None
        await tenant.users.enable(object_id)
        if not (await tenant.users.get(object_id)).account_enabled:
            raise ReadBackDisagreesError(f"{account.account_name} is not enabled yet, says the directory.")
        async with self._ledger.transaction() as session:
            await emergency.completed(session, ref, self._clock())

    async def prove_passkey(self, credential: EmergencyCredentialRef) -> SignInAttempt:
        """The new passkey has signed in. Raises ``ReadBackDisagreesError`` until it has."""
        async with self._ledger.transaction() as session:
            stored, _ = await emergency.open_passkey(session, self._keyring, credential)
        attempt = await self._try(credential)
        if attempt.outcome is not SignInOutcome.SIGNED_IN:
            raise ReadBackDisagreesError(
                f"The new passkey of {credential.account.words} has not signed in: {attempt.outcome.value}. "
                f"{attempt.detail}".rstrip()
            )
        async with self._ledger.transaction() as session:
            await emergency.tried(session, credential, attempt, is_rotation=not stored.is_proven)
        return attempt

    async def retire_others(self, credential: EmergencyCredentialRef) -> bool:
        """Every other passkey that we registered is deleted, its key too, and sessions end. False: one stays in use.

        Raises ``ReadBackDisagreesError`` until the directory lists this passkey and none of the others.
        """
        ref = credential.account
        account, object_id = await self._known(ref)
        this = next((one for one in account.passkeys if str(one.handle) == credential.credential), None)
        if this is None or not this.is_proven:
            raise InternalError(f"No passkey of {ref.words} is retired before another has signed in.")
        tenant = await self._tenant(ref)
        others = [one for one in account.passkeys if one.handle != this.handle]
        kept = [one for one in others if await self._is_in_use(ref, str(one.handle))]
        going = [one for one in others if one not in kept]
        await self._delete(tenant, object_id, this.method_id, {one.method_id for one in going})
        if going:
            # One that was set by others is a way in beside the passkey. This one is kept nowhere.
            await tenant.users.set_password(object_id, new_password(), force_change=False)
            # What was begun with an old key would outlive it for months. The application that closes may end it.
            await (await self._backend.directories.to_close(ref.tenant_id)).users.revoke_sessions(object_id)
        async with self._alarms.recording() as record:
            for one in going:
                retiring = EmergencyCredentialRef(account=ref, credential=str(one.handle))
                await emergency.retired(record.session, retiring, self._clock())
            if going:
                await emergency.password_set(record.session, ref, self._clock())
            if kept:
                return False
            if await emergency.rotated(record.session, credential, self._clock()):
                await record.clear(AlarmKind.EMERGENCY_REVEALED, ref.words, "It was rotated.", self._clock())
            await record.clear(AlarmKind.EMERGENCY_UNPROVEN, ref.words, "It was rotated and signed in.", self._clock())
        return True

    async def _delete(self, tenant: Tenant, object_id: ObjectId, this: str | None, going: set[str | None]) -> None:
        listed = await tenant.sign_in_methods.list(object_id)
        if this not in {one.id for one in listed}:
            raise ReadBackDisagreesError("The new passkey is not listed yet, so none is deleted.")
        for method in listed:
            if method.id in going:
                try:
                    await tenant.sign_in_methods.delete(method, of=object_id)
                except ConflictError:
                    continue  # it is gone; the read-back says so
        if going and {one.id for one in await tenant.sign_in_methods.list(object_id)} & going:
            raise ReadBackDisagreesError("A passkey that was deleted is still listed.")

    async def drill(self, ref: EmergencyRef) -> SignInAttempt:
        """Try the credential that the account has, and tell where it does not sign in."""
        account, _ = await self._known(ref)
        if account.current is None:
            raise RefusedError(f"The {ref.words} has no credential that is known to work.")
        credential = EmergencyCredentialRef(account=ref, credential=str(account.current.handle))
        attempt = await self._try(credential)
        async with self._alarms.recording() as record:
            await emergency.tried(record.session, credential, attempt, is_rotation=False)
            if attempt.outcome is not SignInOutcome.SIGNED_IN:
                await record.raise_alarm(self._drill_alarm(ref, attempt))
            elif len(account.passkeys) == 1:
                await record.clear(AlarmKind.EMERGENCY_UNPROVEN, ref.words, "It has signed in.", attempt.at)
        return attempt

    def _drill_alarm(self, ref: EmergencyRef, attempt: SignInAttempt) -> Alarm:
        return Alarm(
            kind=AlarmKind.EMERGENCY_UNPROVEN,
            subject=ref.words,
            sentence=f"The drill of {ref.words} failed: {attempt.outcome.value}. {attempt.detail}".rstrip(),
            tenant=ref.tenant,
            raised_at=attempt.at,
        )

    async def _try(self, credential: EmergencyCredentialRef) -> SignInAttempt:
        ref = credential.account
        account, object_id = await self._known(ref)
        async with self._ledger.transaction() as session:
            stored, pair = await emergency.open_passkey(session, self._keyring, credential)
        return await self._signs_in.sign_in(usable(ref, account, stored, pair), object_id)

    async def _is_in_use(self, ref: EmergencyRef, handle: str) -> bool:
        """Whether a person to whom it was revealed may still use it."""
        async with self._ledger.transaction() as session:
            until = await emergency.usable_until(session, EmergencyCredentialRef(account=ref, credential=handle))
        return until is not None and self._clock() < until

    async def _expect_ours(
        self, tenant: Tenant, ref: EmergencyRef, name: str, object_id: ObjectId, first_tried: datetime
    ) -> None:
        user = await read_account(tenant, object_id, MissedSince(first_tried), self._clock)
        if user is None:
            raise RefusedError(
                f"{name} was deleted in {ref.tenant}; it is not made again by itself.",
                advice="Restore it from the tenant's deleted users, or find out who deleted it.",
            )
        self._judge(user, self._holder(ref, name), Register.NAMES_IT)

    def _judge(self, user: User, holder: Holder, register: Register) -> None:
        """Raises ``RefusedError`` for an account that is not ours to change."""
        if refusal := self._backend.inspect(user, holder, register).why_not_ours():
            raise RefusedError(refusal)

    @staticmethod
    def _holder(ref: EmergencyRef, name: str) -> Holder:
        return Holder(ref.tenant_id, emergency_id(ref.number), name)

    async def _known(self, ref: EmergencyRef) -> tuple[EmergencyAccount, ObjectId]:
        async with self._ledger.transaction() as session:
            account = await emergency.find(session, ref)
        if account is None or account.object_id is None:
            raise ReadBackDisagreesError(f"The {ref.words} is not registered with its object id yet.")
        return account, account.object_id

    async def _tenant(self, ref: EmergencyRef) -> Tenant:
        return await self._backend.directories.of(ref.tenant_id, Purpose.ELEVATE)
