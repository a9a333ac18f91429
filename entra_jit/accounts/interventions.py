"""Closing an account beside its grant's own workflow: what the reconciler, the review and an emergency stop do.

It is in the ledger before the first write, so that everything that was done to an account has its reason there, and so
is what was found on it, which the grant's receipt tells. A ledger that is away keeps nothing open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from entra_jit.accounts.account_closing import (
    MOST_CALLS,
    NOTHING,
    Given,
    Stripped,
    clear_mark,
    disable_and_strip,
    read_standing,
)
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.finding import NothingToClose
from entra_jit.accounts.managed_account import FoundAccount
from entra_jit.accounts.proving import (
    NotProvenError,
    ProvenClosing,
    Retry,
    expect_all_removed,
    expect_closed,
    read_back_step,
    until_proven,
)
from entra_jit.crypto.marks import OWNER_TAG_ATTRIBUTE, read_owner_tag
from entra_jit.graph import Tenant, User
from entra_jit.ledger import addenda, interventions
from models.actor import Actor
from models.errors import InternalError
from models.marks import AccountKind
from models.messages import ClosingStep, DirectoryCall, ObjectId, Step, TenantId
from models.sweep import SweepFinding

Find = Callable[[], Awaitable[tuple[Tenant, FoundAccount | NothingToClose]]]
"""Where the account is, asked anew for each try."""

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 3))
"""Between the tries to close an account that was found open, before it is left to the next run."""

_log = structlog.get_logger("interventions")


class Intervention:
    """One account that is closed in the name of ``by``, over all the tries that it takes."""

    def __init__(
        self,
        backend: Backend,
        by: Actor,
        because: str,
        request_id: str | None = None,
        given: Given = NOTHING,
        *,
        under_way_until: datetime | None = None,
    ) -> None:
        """``request_id``: the grant that holds the account, or whose mark it carries. ``given``: what it may have
        given, which is no finding and is removed whether it is listed or not. ``under_way_until``: when no opening
        step can write any more."""
        self._ledger = backend.ledger
        self._keyring = backend.keyring
        self._clock = backend.clock
        self._by = by
        self._because = because
        self._request_id = request_id
        self._given = given
        self._under_way_until = under_way_until
        self._stripped = Stripped()
        self._disabled_at: datetime | None = None
        self._began_at: datetime | None = None
        self._number: int | None = None
        self.calls: list[DirectoryCall] = []
        """Microsoft's answers to what was done, those that read it back not among them."""

    @property
    def findings(self) -> tuple[SweepFinding, ...]:
        """What was not of the grant."""
        return self._stripped.findings

    async def disable(self, tenant: Tenant, user: User) -> None:
        """Keep it from signing in, before anything else is done to it."""
        await self._enter(tenant, user)
        self._keep([await tenant.users.disable(user.id)])

    async def close_found(self, tenant: Tenant, user: User) -> ProvenClosing:
        """Close an account that was found open. Raises ``NotProvenError`` where the directory is behind or refuses."""
        _log.error(f"account closed by {self._by}", account=user.user_principal_name, because=self._because)
        return await until_proven(lambda: self.close(tenant, user), _a_few_times())

    async def close_and_prove(self, find: Find, retry: Retry) -> ProvenClosing:
        """Find and close the account until it is proven closed, or nothing is there to close.

        Raises what went wrong last once ``retry`` gives up.
        """

        async def close_once() -> ProvenClosing:
            tenant, found = await find()
            return self._nothing(found) if isinstance(found, NothingToClose) else await self.close(tenant, found.user)

        return await until_proven(close_once, retry)

    async def close(self, tenant: Tenant, user: User) -> ProvenClosing:
        """Disable and strip the account, read it back, and clear its mark. Idempotent.

        Raises ``NotProvenError``. What was found is in the ledger also where something of it fails.
        """
        await self._enter(tenant, user)
        began_at = self._clock()
        try:
            self._keep(await disable_and_strip(tenant, user.id, self._given, self._stripped))
        finally:
            await self._report(tenant, None)
        return await self._prove(tenant, user.id, began_at)

    async def _prove(self, tenant: Tenant, account: ObjectId, began_at: datetime) -> ProvenClosing:
        """``began_at``: before the account was last written to."""
        asked_at = self._clock()
        user = await tenant.users.get(account)
        read_back = await read_standing(tenant, user)
        expect_closed(user, read_back)
        # An opening may land between the last write and the reading, which a replica that lags would not show.
        if self._under_way_until and began_at < self._under_way_until:
            raise NotProvenError("A step that was begun before may still be under way.", self._under_way_until)
        expect_all_removed(user, self._given, self._stripped, asked_at)
        step = read_back_step(read_back, await clear_mark(tenant, user), f"by {self._by}")
        await self._enter(tenant, user)
        await self._report(tenant, read_back.at)
        return ProvenClosing(self._disabled_at, step, read_back.standing, self.findings, account)

    def _nothing(self, found: NothingToClose) -> ProvenClosing:
        if found.standing is None:
            raise NotProvenError(f"Nothing was read back: {found.note}.")
        at = self._clock()
        step = Step(name=ClosingStep.READ_BACK, at=at, note=f"by {self._by}: {found.note}")
        return ProvenClosing(self._disabled_at or at, step, found.standing, self.findings)

    def _keep(self, calls: list[DirectoryCall]) -> None:
        self._disabled_at = self._disabled_at or calls[0].answered_at
        self.calls += calls

    def _refuse_emergency_account(self, tenant: Tenant, user: User) -> None:
        """The last guard, whatever the caller believes. Raises ``InternalError``."""
        tag = user.extension_attributes.get(OWNER_TAG_ATTRIBUTE)
        of = TenantId(tenant.connection.tenant_id)
        owner = read_owner_tag(self._keyring, tag, of, user.user_principal_name)
        if owner is not None and AccountKind.of(owner.technician_id) is AccountKind.EMERGENCY:
            raise InternalError(f"{user.user_principal_name} is an emergency account; it was not closed.")

    async def _enter(self, tenant: Tenant, user: User) -> None:
        self._refuse_emergency_account(tenant, user)
        self._began_at = self._began_at or self._clock()
        if self._number is not None:
            return
        began = interventions.Began(
            object_id=user.id,
            account_name=user.user_principal_name,
            because=self._because,
            found_enabled=user.account_enabled,
            began_at=self._began_at,
        )
        of = TenantId(tenant.connection.tenant_id)
        self._number = await self._ledger.attempt(
            "that a closing begins",
            lambda session: interventions.begin(session, of, self._by, began, self._request_id),
        )

    async def _report(self, tenant: Tenant, proven_at: datetime | None) -> None:
        number = self._number
        if number is None:
            return
        reported = interventions.Reported(
            disabled_at=self._disabled_at,
            proven_at=proven_at,
            calls=tuple(self.calls[:MOST_CALLS]),
            findings=self.findings,
        )
        of, by, request_id = TenantId(tenant.connection.tenant_id), self._by, self._request_id
        await self._ledger.attempt(
            "how a closing went",
            lambda session: interventions.report(session, number, of, by, reported, request_id),
        )
        if request_id and self.findings:
            await self._ledger.attempt(
                "what a closing found",
                lambda session: addenda.add_found_beside(session, request_id, by, self.findings, self._clock()),
            )


def _a_few_times() -> Retry:
    """Only a directory that is behind is asked again: what Microsoft refuses or puts off is left to the next run."""
    pauses = iter(PAUSES)
    return lambda error: next(pauses, None) if isinstance(error, NotProvenError) else None
