"""The connection to the ledger's PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from sqlalchemy import URL, event
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from models.errors import SettingsError, UnreachableError

CONNECT_TIMEOUT_SECONDS = 5
STATEMENT_TIMEOUT = timedelta(seconds=10)


class LedgerUnavailableError(UnreachableError):
    """PostgreSQL cannot be reached or used, or broke off. Nothing of the transaction is kept; trying again is safe."""


class Ledger:
    """A pool of connections to the ledger. Close it, or use it as an async context manager."""

    def __init__(
        self, database_url: SecretStr, *, pool_size: int = 10, statement_timeout: timedelta = STATEMENT_TIMEOUT
    ) -> None:
        """``database_url`` in any form that libpq understands. Nothing is connected yet.

        A statement that takes longer than ``statement_timeout`` is given up.

        Raises ``SettingsError``.
        """
        url, milliseconds = sqlalchemy_url(database_url), round(statement_timeout.total_seconds() * 1000)
        self._engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                # Added to what the URL has: it may choose the schema there, or the server behind a shared address.
                "options": f"{url.query.get('options', '')} -c statement_timeout={milliseconds}",
            },
            hide_parameters=True,
        )
        self.statements = 0
        event.listen(self._engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.statements += 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction, committed on the way out, rolled back on any error.

        Raises ``LedgerUnavailableError`` when the server cannot be reached or used, or the connection breaks.
        """
        try:
            async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
                yield session
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

    async def close(self) -> None:
        """Give all connections back. Idempotent."""
        await self._engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


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
