"""The connection to the ledger's PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
import structlog
from psycopg import waiting
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from sqlalchemy import URL, RowMapping, TextClause, event
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger.clock import LedgerClock, database_time
from models.errors import SettingsError, UnreachableError

CONNECT_TIMEOUT_SECONDS = 5
STATEMENT_TIMEOUT = timedelta(seconds=10)

TRANSACTION_TIMEOUT = timedelta(seconds=15)
"""For a server that hangs, which enforces no limit itself: longer than any that works takes."""

Answer = TypeVar("Answer")

Session = AsyncSession
"""What a transaction works with."""

_log = structlog.get_logger("ledger")


class LedgerUnavailableError(UnreachableError):
    """PostgreSQL cannot be reached or used, or broke off. Nothing of the transaction is kept; trying again is safe."""


class _Connection(psycopg.AsyncConnection[Any]):
    """Dropped when the wait for an answer is cancelled.

    psycopg would ask the server to cancel the statement and wait for that, ten seconds where it hangs.
    """

    async def wait(
        self,
        gen: PQGen[Answer],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109  # psycopg's
    ) -> Answer:
        """Wait for an answer of the server: psycopg does so here alone."""
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise


class Ledger:
    """A pool of connections to the ledger. Close it, or use it as an async context manager."""

    def __init__(
        self,
        database_url: SecretStr,
        *,
        clock: LedgerClock | None = None,
        pool_size: int = 10,
        statement_timeout: timedelta = STATEMENT_TIMEOUT,
        transaction_timeout: timedelta = TRANSACTION_TIMEOUT,
    ) -> None:
        """``database_url`` in any form that libpq understands. Nothing is connected yet.

        ``clock`` hears the server's with a transaction every few seconds.

        The server gives up a statement after ``statement_timeout``, and we a transaction after ``transaction_timeout``.

        Raises ``SettingsError``.
        """
        self._clock = clock
        self.transaction_timeout = transaction_timeout
        self.closing_waits = timedelta(seconds=2)
        """How long an account that is about to be disabled waits for the ledger."""
        url, milliseconds = sqlalchemy_url(database_url), round(statement_timeout.total_seconds() * 1000)
        self._engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            connect_args={
                "async_creator_fn": _Connection.connect,
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                # Added to what the URL has: it may choose the schema there, or the server behind a shared address.
                "options": f"{url.query.get('options', '')} -c statement_timeout={milliseconds}",
            },
            hide_parameters=True,
        )
        self.statements = 0
        event.listen(self._engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *call: Any) -> None:
        *_, parameters, _, is_many = call
        self.statements += len(parameters) if is_many else 1

    @asynccontextmanager
    async def transaction(self, *, within: timedelta | None = None) -> AsyncIterator[AsyncSession]:
        """A session in one transaction, committed on the way out, rolled back on any error.

        ``within``: how long it may take; None: the ledger's own limit. Raises ``LedgerUnavailableError`` when the
        server cannot be reached or used, does not answer in time, or the connection breaks.
        """
        limit = asyncio.timeout((within or self.transaction_timeout).total_seconds())
        try:
            async with limit, AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
                if self._clock is not None and self._clock.is_stale:
                    self._clock.hear(await database_time(session))
                yield session
        except TimeoutError:
            if not limit.expired():
                raise
            raise LedgerUnavailableError("the ledger's PostgreSQL does not answer") from None
        except (OperationalError, InterfaceError) as error:
            raise LedgerUnavailableError(f"the ledger's PostgreSQL cannot be reached: {first_line(error)}") from None
        except (ProgrammingError, InternalError) as error:
            # Tables that are missing or may not be read, as in the middle of a restore: closing has to do without.
            raise LedgerUnavailableError(f"the ledger's PostgreSQL cannot be used: {first_line(error)}") from None
        except NoConnectionFreeError:
            raise LedgerUnavailableError("the ledger's PostgreSQL keeps every connection waiting") from None
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            raise LedgerUnavailableError("the connection to the ledger's PostgreSQL broke") from None

    async def attempt(
        self, what: str, work: Callable[[AsyncSession], Awaitable[Answer]], *, within: timedelta | None = None
    ) -> Answer | None:
        """What ``work`` gives, in a transaction; None where that fails, which is logged as ``what`` and never raised.

        For what closes accounts: neither a ledger that is away or hangs may keep one open, nor a row that cannot be
        read, nor a defect of ours. ``within`` None: two seconds.
        """
        try:
            async with self.transaction(within=within or self.closing_waits) as session:
                return await work(session)
        except LedgerUnavailableError as error:
            _log.warning("gone on without the ledger", what=what, because=str(error))
        except Exception:
            _log.exception("gone on without the ledger", what=what)
        return None

    async def close(self) -> None:
        """Give all connections back. Idempotent."""
        await self._engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def rows_of(session: AsyncSession, statement: TextClause, **values: object) -> Sequence[RowMapping]:
    """What a statement in SQL gives."""
    return (await (await session.connection()).execute(statement, values)).mappings().all()


def sqlalchemy_url(database_url: SecretStr) -> URL:
    """``database_url`` for SQLAlchemy with psycopg 3, whatever libpq form it came in (URI or key=value).

    Raises ``SettingsError``.
    """
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(database_url.get_secret_value()).items() if value}
    except psycopg.Error:  # libpq's own text quotes what it could not read, which may well be the password
        parts = {}
    if not parts or not all(port.isdecimal() for port in parts.get("port", "0").split(",") if port):
        raise SettingsError("DATABASE_URL is not what libpq understands: postgresql://user:password@host/database")
    return URL.create(
        "postgresql+psycopg",
        username=parts.pop("user", None),
        password=parts.pop("password", None),  # in its own field, which SQLAlchemy never prints
        database=parts.pop("dbname", None),
        query=parts,
    )


def first_line(error: DBAPIError) -> str:
    """What the driver said, cut to one line. It never holds the password."""
    return str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
