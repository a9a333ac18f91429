"""PostgreSQL's clock between two looks at PostgreSQL, for what must not depend on the clock of this machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.moments import steady_seconds

HEARD_AGAIN_AFTER_SECONDS = 5.0


def machine_clock() -> datetime:
    """The clock of this machine, which an administrator or a wrong time server may set to anything. Aware, UTC."""
    return datetime.now(UTC)


async def database_time(session: AsyncSession) -> datetime:
    """PostgreSQL's clock, the one clock of everything that has to be put in order between processes."""
    now: datetime = (await session.exec(select(func.clock_timestamp()))).one()
    return now


class LedgerClock:
    """Aware, UTC. It may be behind PostgreSQL's by the time that a look takes, and is never ahead of it.

    Before PostgreSQL was heard it is the machine's.
    """

    def __init__(
        self, steady: Callable[[], float] = steady_seconds, machine: Callable[[], datetime] = machine_clock
    ) -> None:
        self.steady = steady
        self.machine = machine
        self._heard: tuple[datetime, float] | None = None

    @property
    def is_stale(self) -> bool:
        """PostgreSQL is to be heard again with the next transaction."""
        return self._heard is None or self.steady() - self._heard[1] > HEARD_AGAIN_AFTER_SECONDS

    @property
    def machine_is_ahead(self) -> timedelta | None:
        """How far the machine's clock is ahead of PostgreSQL's, also where it was set since; None: never heard."""
        return None if self._heard is None else self.machine() - self()

    def hear(self, at: datetime) -> None:
        """PostgreSQL has just said that it is ``at``."""
        self._heard = at, self.steady()

    def __call__(self) -> datetime:
        if self._heard is None:
            return self.machine()
        at, since = self._heard
        return at + timedelta(seconds=self.steady() - since)
