"""What every activity works with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from entra_jit.accounts.alarms import Alarms, Announcer, Unannounced
from entra_jit.accounts.directories import Directories
from entra_jit.accounts.managed_account import FoundAccount, Holder, inspect
from entra_jit.accounts.registered_accounts import RegisteredAccounts
from entra_jit.accounts.revoking_watch import RevokingWatch
from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.marks import Register
from entra_jit.graph import Graph, User
from entra_jit.ledger.database import Ledger
from entra_jit.settings import Settings
from models.messages import ALARM_AFTER

Clock = Callable[[], datetime]
"""The one clock of activities: aware, UTC."""

ROLES_ARE_KNOWN_AFTER = timedelta(minutes=1)
"""How long after a role was given "there is no such assignment" may be said by a replica that has not heard of it."""


def system_clock() -> datetime:
    """The clock of the machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Workplace:
    """The ledger, the keys, the directories and the clock of one worker."""

    ledger: Ledger
    keyring: Keyring
    directories: Directories
    registered: RegisteredAccounts
    installation: str
    call_timeout: timedelta
    alarms: Alarms
    revoking: RevokingWatch
    alarm_after: tuple[timedelta, ...] = ALARM_AFTER
    """How long a closing may take before somebody is told, and told again."""
    clock: Clock = system_clock
    roles_known_after: timedelta = ROLES_ARE_KNOWN_AFTER

    def inspect(self, user: User, holder: Holder, register: Register) -> FoundAccount:
        """Judge ``user``, found under the account's name or by the id that the register has."""
        return inspect(user, holder, register, installation=self.installation, keyring=self.keyring)

    @property
    def lease(self) -> timedelta:
        """How long an admitted opening may be in flight: a little longer than one call to Microsoft can take."""
        return self.call_timeout + LEASE_MARGIN


LEASE_MARGIN = timedelta(seconds=5)


def graph_of(settings: Settings, clock: Clock = system_clock) -> Graph:
    """The door to Microsoft that the settings name, not entered yet."""
    return Graph(
        graph_url=settings.graph_url,
        login_url=settings.login_url,
        ca_file=settings.ca_file,
        timeout=settings.graph_timeout_seconds,
        clock=clock,
    )


@asynccontextmanager
async def workplace_of(
    settings: Settings, clock: Clock = system_clock, announcer: Announcer | None = None
) -> AsyncIterator[Workplace]:
    """The ledger, the keys and the directories of one process, let go of at the end."""
    keyring = Keyring.parse(settings.keys.get_secret_value())
    async with (
        Ledger(settings.database_url) as ledger,
        graph_of(settings, clock) as graph,
    ):
        alarms = Alarms(ledger, announcer or Unannounced())
        revoking = RevokingWatch(ledger, alarms, clock)
        yield Workplace(
            ledger=ledger,
            keyring=keyring,
            directories=Directories(graph, ledger, keyring, revoking),
            registered=RegisteredAccounts(ledger),
            installation=settings.installation,
            call_timeout=timedelta(seconds=settings.graph_timeout_seconds),
            alarms=alarms,
            revoking=revoking,
            alarm_after=settings.alarm_after,
            clock=clock,
        )
        await revoking.recorded()
        await alarms.said()
