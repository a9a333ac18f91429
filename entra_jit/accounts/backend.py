"""What the work on accounts needs of its process: ledger, keys, directories, alarms and a clock. No Temporal.

What reaches Microsoft is imported with the first use of it: a command that asks the ledger alone does not wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from entra_jit.accounts.alarms import Alarms, Announcer, Unannounced
from entra_jit.accounts.clocks import Clocks
from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.narrow_keyring import PortalKeyring
from entra_jit.ledger.clock import LedgerClock, database_time, machine_clock
from entra_jit.ledger.database import Ledger, Session
from entra_jit.ledger.event_stream import EventStream
from entra_jit.policy.durations import PROVISIONING_STEP
from entra_jit.policy.leases import LEASE_MARGIN
from entra_jit.policy.roles import assignable_roles
from entra_jit.settings import Settings

if TYPE_CHECKING:
    from entra_jit.accounts.credential_expiry import ExpiryWatch
    from entra_jit.accounts.directories import Directories
    from entra_jit.accounts.managed_account import FoundAccount, Holder
    from entra_jit.accounts.own_applications import OwnCredential
    from entra_jit.accounts.registered_accounts import RegisteredAccounts
    from entra_jit.accounts.revoking_watch import RevokingWatch
    from entra_jit.crypto.marks import Register
    from entra_jit.graph import Graph, User
    from entra_jit.graph.recording import Recorder

Clock = Callable[[], datetime]
"""Aware, UTC."""

ROLES_ARE_KNOWN_AFTER = timedelta(minutes=1)
"""How long after a role was given "there is no such assignment" may be said by a replica that has not heard of it."""

CONSENT_IS_KNOWN_AFTER = timedelta(minutes=2)
"""How long after a consent the tokens of the application may not show it yet (microsoft-graph-docs#4765, #10907)."""


class Backend:
    """Each part is opened when it is first used, and closed with the whole. An async context manager.

    ``App`` adds Temporal. What closes accounts takes a ``Backend``, so that it works without.
    """

    roles_known_after = ROLES_ARE_KNOWN_AFTER
    consent_known_after = CONSENT_IS_KNOWN_AFTER
    provisioning_step = PROVISIONING_STEP
    """How long a step of opening that was begun before a stop may still write."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None, announcer: Announcer | None = None) -> None:
        """``clock`` None: PostgreSQL's. ``announcer`` delivers alarms to people; None: they stand in the ledger and the
        log."""
        self.settings = settings
        self.clock = clock or LedgerClock(machine=lambda: machine_clock() + settings.clock_ahead)
        self.announcer = announcer or Unannounced()
        self._opened = AsyncExitStack()

    @cached_property
    def keyring(self) -> Keyring:
        """The keys of this process: the deployment's, or what the portal has of them. Raises ``SettingsError``."""
        if self.settings.keys is not None:
            return Keyring.parse(self.settings.keys.get_secret_value())
        assert self.settings.portal_keys is not None, "settings have one of the two"  # noqa: S101
        return PortalKeyring.parse(self.settings.portal_keys.get_secret_value())

    @cached_property
    def ledger(self) -> Ledger:
        """PostgreSQL, connected when the first transaction begins. Raises ``SettingsError``."""
        clock = self.clock if isinstance(self.clock, LedgerClock) else None
        ledger = Ledger(self.settings.database_url, clock=clock)
        self._opened.push_async_callback(ledger.close)
        return ledger

    @cached_property
    def events(self) -> EventStream:
        """What happens from now on, for everyone in this process who follows it."""
        return EventStream(self.ledger)

    @cached_property
    def graph(self) -> Graph:
        """The door to Microsoft."""
        from entra_jit.graph import Graph

        graph = Graph(
            graph_url=self.settings.graph_url,
            login_url=self.settings.login_url,
            ca_file=self.settings.ca_file,
            timeout=self.settings.graph_timeout_seconds,
            clock=self.clock,
            hear=self.clocks.hear_microsoft,
        )
        self._opened.push_async_exit(graph)
        self._record(graph)
        return graph

    def _record(self, graph: Graph) -> None:
        if (wanted := self.settings.record_file) is None:
            return
        mine = wanted.with_name(f"{wanted.name}.{os.getpid()}")
        # A line at a time, so that a worker that is killed has recorded what it did.
        file = self._opened.enter_context(mine.open("a", buffering=1, encoding="utf-8"))
        graph.record(Recorder(file.write, assignable_roles()))

    @cached_property
    def directories(self) -> Directories:
        """The customers' tenants."""
        from entra_jit.accounts.directories import Directories

        return Directories(self.graph, self.ledger, self.keyring, self.revoking, self.own_applications)

    @cached_property
    def own_applications(self) -> Mapping[str, OwnCredential]:
        """The MSP's own applications by the names of their settings. Raises ``SettingsError``."""
        from entra_jit.accounts.own_applications import read_own_applications

        return read_own_applications(self.settings)

    @cached_property
    def registered(self) -> RegisteredAccounts:
        """Which accounts are ours, remembered while the ledger is away."""
        from entra_jit.accounts.registered_accounts import RegisteredAccounts

        return RegisteredAccounts(self.ledger)

    @cached_property
    def alarms(self) -> Alarms:
        """Raises and ends alarms."""
        alarms = Alarms(self.ledger, self.announcer)
        self._opened.push_async_callback(alarms.said)
        return alarms

    @cached_property
    def revoking(self) -> RevokingWatch:
        """Tells that the elevating application closes in place of the revoking one."""
        from entra_jit.accounts.revoking_watch import RevokingWatch

        revoking = RevokingWatch(self.ledger, self.alarms, self.clock)
        self._opened.push_async_callback(revoking.recorded)
        return revoking

    @cached_property
    def expiring(self) -> ExpiryWatch:
        """Tells that a credential of the MSP's own applications ends soon."""
        from entra_jit.accounts.credential_expiry import ExpiryWatch

        return ExpiryWatch(self.own_applications, self.ledger, self.alarms, self.clock)

    @cached_property
    def clocks(self) -> Clocks:
        """How far the clocks are apart that this process reads."""
        return Clocks(self.clock)

    async def time_to_open(self, session: Session) -> datetime:
        """PostgreSQL's clock, for what widens access. Raises ``ClocksApartError`` where the clocks do not agree."""
        if isinstance(self.clock, LedgerClock):
            self.clock.hear(await database_time(session))
        self.clocks.expect_agreement()
        return self.clock()

    @property
    def lease(self) -> timedelta:
        """How long an admitted opening may be in flight: a little longer than one call to Microsoft can take."""
        return timedelta(seconds=self.settings.graph_timeout_seconds) + LEASE_MARGIN

    def inspect(self, user: User, holder: Holder, register: Register) -> FoundAccount:
        """Judge ``user``, found under the account's name or by the id that the register has."""
        from entra_jit.accounts.managed_account import inspect

        return inspect(user, holder, register, installation=self.settings.installation, keyring=self.keyring)

    async def close(self) -> None:
        """Close what was opened, the last first: alarms are delivered before the ledger goes. Idempotent."""
        await self._opened.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
