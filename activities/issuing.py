"""Making the credential of a grant. It is made inside the activity that sets it, and leaves it only sealed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from activities.leasing import take_lease
from entra_jit.accounts.account_closing import delete_methods
from entra_jit.accounts.backend import Backend
from entra_jit.crypto.passwords import new_password
from entra_jit.graph import AccessPass, AccessPassPolicy, GraphError, PassNotAllowedError, Tenant
from entra_jit.ledger import admission, credentials, steps
from entra_jit.ledger.admission import Admitted, GrantOverError
from entra_jit.policy.durations import format_duration, pass_lifetime
from models.actor import Actor
from models.errors import ReadBackDisagreesError, RefusedError
from models.events import EventKind
from models.messages import CredentialKind, DirectoryCall, GrantRef, ObjectId, PassId, Step

YOUNG = timedelta(minutes=15)
"""For how long a refused pass of a new account is asked for again. Others were seen to wait for minutes."""


@dataclass(frozen=True)
class Issued:
    """What the account can be signed in to with, and the directory's answer; never the credential itself."""

    note: str
    evidence: DirectoryCall | None
    """None: an earlier try has made it, and told the journal."""
    pass_id: PassId | None = None

    def step(self, name: str) -> Step:
        """As the journal has it, where this try has made it."""
        assert self.evidence is not None  # noqa: S101  # says the condition
        return Step(name=name, at=self.evidence.answered_at, note=self.note, calls=(self.evidence,))


class Issuing:
    """Temporary Access Passes and passwords, by the tenant's choice and policy."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._ledger = backend.ledger
        self._keyring = backend.keyring
        self._clock = backend.clock

    async def issue(self, ref: GrantRef, admitted: Admitted, tenant: Tenant, account: ObjectId) -> Issued:
        """Give the account a fresh credential and nothing else to sign in with. Once per attempt of a grant."""
        async with self._ledger.transaction() as session:
            if kept := await credentials.kept(session, ref):
                return Issued("made before", None, kept.pass_id)
        methods, policy = await asyncio.gather(tenant.sign_in_methods.list(account), self._policy(admitted, tenant))
        # A method that was registered on the closed account would sign in once it is open.
        await delete_methods(tenant, [method for method in methods if not method.is_password], account)
        return await self._make(ref, admitted, tenant, account, policy)

    async def _make(
        self, ref: GrantRef, admitted: Admitted, tenant: Tenant, account: ObjectId, policy: AccessPassPolicy | None
    ) -> Issued:
        """A pass where there is a policy for it, else a password."""
        if policy is None:
            return Issued("password", await self._set_password(ref, tenant, account))
        wanted = self._wanted(admitted)
        made = await self._make_pass(ref, tenant, account, policy, wanted)
        lifetime = timedelta(minutes=made.lifetime_minutes)
        note = f"Temporary Access Pass for {format_duration(lifetime)}{', usable once' if made.is_usable_once else ''}"
        note += "; it ends before the grant" if lifetime < wanted else ""
        return Issued(note, made.evidence, made.id)

    async def renew(
        self,
        ref: GrantRef,
        admitted: Admitted,
        tenant: Tenant,
        account: ObjectId,
        by: Actor,
        *,
        passes_only: bool = False,
    ) -> PassId | None:
        """Make another credential of the same kind for an open grant. Sign-ins with a pass end with that pass.

        Its own admission and lease: made after the account was read back closed, it would be what opens it next time.
        Gives the new pass's id; None: it is a password, or nothing was done.
        """
        async with self._ledger.transaction() as session:
            kept = await credentials.kept(session, ref)
        if kept is None or admitted.opened_at is None:
            raise RefusedError("Only the credential of an open grant can be renewed.")
        if kept.kind is CredentialKind.PASSWORD and passes_only:
            return None
        policy = await self._policy(admitted, tenant) if kept.kind is CredentialKind.TEMPORARY_ACCESS_PASS else None
        if policy is None and kept.kind is CredentialKind.TEMPORARY_ACCESS_PASS:
            raise RefusedError(
                f"{admitted.grant.tenant} does not enable Temporary Access Passes for everyone any more."
            )
        leased, tenant = await take_lease(self._backend, ref)
        made = await self._make(ref, leased, tenant, account, policy)
        step = made.step(EventKind.RENEWED)
        async with self._ledger.transaction() as session:
            await admission.release_lease(session, leased)
            await steps.record(session, ref.request_id, ref.attempt, [step], by)
        return made.pass_id

    async def _policy(self, admitted: Admitted, tenant: Tenant) -> AccessPassPolicy | None:
        """The tenant's policy where a pass is to be made; None where a password is."""
        if admitted.credential == CredentialKind.PASSWORD:
            return None
        policy = await tenant.access_passes.policy()
        if policy.state == "enabled" and policy.covers_everyone:
            return policy
        if admitted.credential == CredentialKind.TEMPORARY_ACCESS_PASS:
            raise RefusedError(
                f"{admitted.grant.tenant} is to use Temporary Access Passes, but its authentication methods policy "
                "does not enable them for everyone. Enable them there, or set credential: auto."
            )
        return None

    async def _make_pass(
        self, ref: GrantRef, tenant: Tenant, account: ObjectId, policy: AccessPassPolicy, wanted: timedelta
    ) -> AccessPass:
        lifetime = pass_lifetime(
            wanted,
            timedelta(minutes=policy.minimum_lifetime),
            timedelta(minutes=policy.maximum_lifetime),
        )
        try:
            made = await tenant.access_passes.create(
                account, lifetime_minutes=int(lifetime / timedelta(minutes=1)), usable_once=policy.is_usable_once
            )
        except PassNotAllowedError as error:
            await self._wait_while_young(tenant, account, error)
            raise
        until, once = made.starts_at + lifetime, made.is_usable_once
        try:
            kind = CredentialKind.TEMPORARY_ACCESS_PASS
            await self._keep(ref, kind, made.value, until, usable_once=once, pass_id=made.id)
        except GrantOverError:
            # The closing may have looked already, at a replica that had not heard of it; here alone its id is known.
            with suppress(GraphError):
                await tenant.access_passes.delete(made.id, of=account)
            raise
        return made

    async def _wait_while_young(self, tenant: Tenant, account: ObjectId, refusal: PassNotAllowedError) -> None:
        """Raise ``ReadBackDisagreesError`` for a new account: a policy that covers everyone may not know it yet."""
        user = await tenant.users.get(account)
        if user.created_at and self._clock() - user.created_at < YOUNG:
            raise ReadBackDisagreesError(f"The account is new, so this may pass by itself. {refusal}") from None

    def _wanted(self, admitted: Admitted) -> timedelta:
        if admitted.expires_at is None:
            return admitted.grant.duration
        return admitted.expires_at - self._clock()

    async def _set_password(self, ref: GrantRef, tenant: Tenant, account: ObjectId) -> DirectoryCall:
        password = new_password()
        evidence = await tenant.users.set_password(account, password, force_change=False)
        # Kept only once it is known to be set: what is kept is taken for done, and would be handed out.
        await self._keep(ref, CredentialKind.PASSWORD, password, None)
        return evidence

    async def _keep(
        self,
        ref: GrantRef,
        kind: CredentialKind,
        secret: SecretStr,
        until: datetime | None,
        *,
        usable_once: bool = False,
        pass_id: PassId | None = None,
    ) -> None:
        async with self._ledger.transaction() as session:
            await credentials.keep(
                session,
                self._keyring,
                ref,
                kind,
                secret,
                at=self._clock(),
                usable_until=until,
                usable_once=usable_once,
                pass_id=pass_id,
            )
