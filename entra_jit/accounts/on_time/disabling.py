"""Disabling the accounts of grants that were taken: many at once, bounded for the process and for each tenant.

Each answer is entered in the ledger. Stripping and proof are left to the workflow.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import structlog

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.on_time.early import tell_if_early
from entra_jit.crypto.marks import OPEN_UNTIL_ATTRIBUTE, read_open_until
from entra_jit.graph import Tenant, TransientError
from entra_jit.ledger import due as due_grants
from entra_jit.ledger.clock import LedgerClock
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.ledger.due import Due
from entra_jit.policy.punctuality import ASKED_AGAIN_AFTER, GIVEN_UP_AFTER, is_past
from models.messages import DirectoryCall

FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=15)
RECORDED_EVERY_SECONDS = 0.05
RECORDED_AGAIN_SECONDS = 1.0
TOLD_FOR_SECONDS = 60.0
CHECKED_EVERY_SECONDS = 1.0
MOST_UNCHECKED = 10_000

_log = structlog.get_logger("closer")


class Taken:
    """Grants that one statement has returned. What that said is trusted for two seconds."""

    def __init__(self, backend: Backend, clock: LedgerClock, grants: Iterable[Due], asked: float) -> None:
        """``asked``: the steady clock's seconds when the statement was sent."""
        self.grants = tuple(grants)
        self._ledger = backend.ledger
        self._clock = clock
        self._due = {one.request_id for one in self.grants}
        self._asked = asked
        self._asking = asyncio.Lock()

    async def is_still(self, grant: Due) -> bool:
        """Whether it is to be disabled now. Asks again, for all at once, where the answer is older.

        A process may be frozen for an hour between taking and sending, and the account be another grant's by then.
        Raises ``LedgerUnavailableError``.
        """
        async with self._asking:
            now = self._clock.steady()
            if now - self._asked > ASKED_AGAIN_AFTER.total_seconds():
                async with self._ledger.transaction(within=self._ledger.closing_waits) as session:
                    self._due = await due_grants.still_due(session, self._due)
                self._asked = now
        return grant.request_id in self._due

    def is_over(self, grant: Due) -> None:
        """It need not be asked about any more."""
        self._due.discard(grant.request_id)


class Disabling:
    """Sends what disables accounts, and enters the answers."""

    def __init__(self, backend: Backend, clock: LedgerClock) -> None:
        settings = backend.settings
        self._backend = backend
        self._ledger = backend.ledger
        self._clock = clock
        self._at_once = asyncio.Semaphore(settings.closer_calls_at_once)
        self._in_tenant: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(settings.closer_calls_per_tenant)
        )
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._answers: list[tuple[Due, DirectoryCall]] = []
        self._answered = asyncio.Event()
        self._unchecked: deque[tuple[Due, DirectoryCall]] = deque(maxlen=MOST_UNCHECKED)
        self._lateness: deque[tuple[float, timedelta]] = deque()

    @property
    def under_way(self) -> int:
        """How many accounts are being disabled."""
        return len(self._sending)

    @property
    def lateness(self) -> timedelta | None:
        """The worst of the last minute; None: nothing was due."""
        while self._lateness and self._clock.steady() - self._lateness[0][0] > TOLD_FOR_SECONDS:
            self._lateness.popleft()
        return max((late for _, late in self._lateness), default=None)

    def send(self, taken: Taken) -> None:
        """Disable the accounts of all that were taken. Returns at once; what is under way already is left so."""
        for grant in taken.grants:
            if grant.request_id not in self._sending:
                task = asyncio.create_task(self._until_disabled(grant, taken))
                self._sending[grant.request_id] = task

    async def close_if_past(self, grant: Due) -> Due | None:
        """Without the ledger: disable the account if its newest mark is past.

        Gives the grant that the account is open under, where that is not past; None: it was disabled. Raises
        ``GraphError``.
        """
        async with self._in_tenant[grant.tenant_id], self._at_once:
            tenant = await self._backend.directories.to_close(grant.tenant_id)
            return await self._disable_by_mark(tenant, grant)

    async def record(self) -> None:
        """Enter the answers as they come, until cancelled. While the ledger is away they are kept."""
        while True:
            await self._answered.wait()
            await asyncio.sleep(RECORDED_EVERY_SECONDS)
            try:
                await self._record()
            except Exception as error:
                _log.warning("not recorded yet", answers=len(self._answers), error=describe_error(error))
                await asyncio.sleep(RECORDED_AGAIN_SECONDS)

    async def check(self) -> None:
        """See whether what was disabled was disabled early, while nothing is due; until cancelled."""
        while True:
            await asyncio.sleep(CHECKED_EVERY_SECONDS)
            while self._unchecked and not self._sending:
                grant, call = self._unchecked.popleft()
                try:
                    await tell_if_early(self._backend, grant, call)
                except Exception as error:
                    _log.warning("not checked", request_id=grant.request_id, error=describe_error(error))

    async def finish(self, within: timedelta) -> None:
        """Wait for what is under way, no longer than ``within``, and enter it."""
        if self._sending:
            await asyncio.wait(self._sending.values(), timeout=within.total_seconds())
        with suppress(LedgerUnavailableError):
            await self._record()

    async def _record(self) -> None:
        if answers := self._answers[:]:
            async with self._ledger.transaction() as session:
                await due_grants.disabled(session, answers)
            del self._answers[: len(answers)]
        if not self._answers:
            self._answered.clear()

    async def _until_disabled(self, grant: Due, taken: Taken) -> None:
        pause, until = FIRST_PAUSE, grant.expires_at + GIVEN_UP_AFTER
        try:
            while True:
                try:
                    return await self._disable(grant, taken)
                except TransientError as error:
                    pause = min(error.retry_after or pause * 2, LONGEST_PAUSE)
                    if self._clock() + pause > until:
                        raise
                await asyncio.sleep(pause.total_seconds())
        except Exception as error:
            # The workflow has the elevating application to fall back on, and raises the alarms.
            _log.warning("not disabled", request_id=grant.request_id, error=describe_error(error))
        finally:
            taken.is_over(grant)
            self._sending.pop(grant.request_id, None)

    async def _disable(self, grant: Due, taken: Taken) -> None:
        async with self._in_tenant[grant.tenant_id], self._at_once:
            tenant = await self._backend.directories.to_close(grant.tenant_id)
            await tenant.sign_in()  # it may take long; the ledger is asked after it
            try:
                is_still_due = await taken.is_still(grant)
            except LedgerUnavailableError:
                await self._disable_by_mark(tenant, grant)
                return
            if is_still_due:
                self._keep(grant, await tenant.users.disable(grant.object_id))

    async def _disable_by_mark(self, tenant: Tenant, grant: Due) -> Due | None:
        user = await tenant.users.get(grant.object_id)
        read = partial(
            read_open_until,
            self._backend.keyring,
            tenant_id=grant.tenant_id,
            account=grant.object_id,
            kind=grant.kind,
        )
        text = user.extension_attributes.get(OPEN_UNTIL_ATTRIBUTE)
        carried = read(text)
        at = self._clock()
        if tenant.heard is not None and tenant.heard.date is not None:
            at = min(at, tenant.heard.date)  # this machine's clock may be ahead, where PostgreSQL was never heard
        if carried is not None and not is_past(read(grant.mark), carried, grant.expires_at, at):
            return due_grants.under(grant, carried, text)
        self._keep(grant, await tenant.users.disable(grant.object_id))
        return None

    def _keep(self, grant: Due, call: DirectoryCall) -> None:
        late = call.answered_at - grant.expires_at
        self._answers.append((grant, call))
        self._unchecked.append((grant, call))
        self._answered.set()
        self._lateness.append((self._clock.steady(), late))
        _log.info("disabled", request_id=grant.request_id, milliseconds_late=round(late.total_seconds() * 1000))
