"""The ledger's address is read in every form of libpq, and an unreachable server is one sentence.

An error that is not recognised as "unavailable" is not retried as such; one that quotes the address puts the
database's password into Temporal's history.
"""

from __future__ import annotations

import asyncio
import socket
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import CursorResult, create_engine, text
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger.database import Ledger, LedgerUnavailableError, sqlalchemy_url
from entra_jit.ledger.schema import upgrade
from entra_jit.local_stack.postgres import Postgres
from models.errors import SettingsError
from tests.hanging_postgres import postgres_hangs
from tests.ledger.books import Books
from tests.patience import PATIENCE_SECONDS

PASSWORD = "unmistakable"


def arguments(database_url: str) -> dict[str, str]:
    """What psycopg is given in the end."""
    url = sqlalchemy_url(SecretStr(database_url))
    _, given = create_engine(url).dialect.create_connect_args(url)
    return {key: value for key, value in given.items() if key != "context"}


@pytest.mark.parametrize(
    ("url", "given"),
    [
        (
            f"postgresql://u:{PASSWORD}%40@h:5433/d?sslmode=require",
            {
                "user": "u",
                "password": f"{PASSWORD}@",
                "host": "h",
                "port": "5433",
                "dbname": "d",
                "sslmode": "require",
            },
        ),
        (f"postgres://u:{PASSWORD}@h/d", {"user": "u", "password": PASSWORD, "host": "h", "dbname": "d"}),
        (
            f"host=h dbname=d user=u password='{PASSWORD} \\' x'",
            {"user": "u", "password": f"{PASSWORD} ' x", "host": "h", "dbname": "d"},
        ),
        ("postgresql:///d?host=/run/postgresql", {"dbname": "d", "host": "/run/postgresql"}),
        ("postgresql://u@[::1]:5/d", {"user": "u", "host": "::1", "port": "5", "dbname": "d"}),
        (
            "postgresql://u@a:1,b:2/d?target_session_attrs=read-write",
            {"user": "u", "host": "a,b", "port": "1,2", "dbname": "d", "target_session_attrs": "read-write"},
        ),
        ("service=ledger", {"service": "ledger"}),
    ],
)
def test_every_form_of_libpq_is_understood(url: str, given: dict[str, str]) -> None:
    assert arguments(url) == given
    assert PASSWORD not in f"{sqlalchemy_url(SecretStr(url))!r} {sqlalchemy_url(SecretStr(url))}"


@pytest.mark.parametrize(
    "wrong", ["", PASSWORD, f"mysql://u:{PASSWORD}@h/d", f"postgresql://u:{PASSWORD}@h:port/d", f"host=h {PASSWORD}"]
)
def test_an_address_that_is_none_is_refused_without_being_quoted(wrong: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://user:password@host/database") as refused:
        Ledger(SecretStr(wrong))
    assert PASSWORD not in "".join(traceback.format_exception(refused.value))


async def ask(session: AsyncSession, statement: str) -> CursorResult[Any]:
    return await (await session.connection()).execute(text(statement))


def nobody() -> str:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


async def test_nobody_there_is_said_in_one_line_without_the_password() -> None:
    url = SecretStr(f"postgresql://u:{PASSWORD}@{nobody()}/d")
    async with Ledger(url) as ledger:
        with pytest.raises(LedgerUnavailableError, match=r"^the ledger's PostgreSQL cannot be reached: ") as refused:
            async with ledger.transaction() as session:
                await ask(session, "SELECT 1")
    with pytest.raises(LedgerUnavailableError, match=r"^the ledger's PostgreSQL cannot be reached: ") as unmigrated:
        await asyncio.to_thread(upgrade, url)
    for error in (refused.value, unmigrated.value):
        assert len(str(error).splitlines()) == 1
        assert PASSWORD not in "".join(traceback.format_exception(error))


async def test_a_statement_that_was_cut_off_is_unavailable_and_the_next_one_works(books: Books) -> None:
    """An operator restarts PostgreSQL under a live worker; the pool must not hand out what is dead."""
    with pytest.raises(LedgerUnavailableError):
        async with books.ledger.transaction() as session:
            await ask(session, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert await books.everything()


async def test_a_hanging_statement_is_given_up_and_unavailable(postgres: Postgres) -> None:
    async with Ledger(SecretStr(postgres.url), statement_timeout=timedelta(seconds=0.5)) as ledger:
        with pytest.raises(LedgerUnavailableError, match="statement timeout"):
            async with ledger.transaction() as session:
                await ask(session, "SELECT pg_sleep(600)")


async def test_a_server_that_hangs_is_given_up_and_works_again_once_it_answers(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    """It enforces no limit of its own any more, and does not answer a request to cancel either."""
    async with Ledger(SecretStr(postgres.url), transaction_timeout=timedelta(seconds=0.5)) as ledger:

        async def seven() -> int:
            async with ledger.transaction() as session:
                return int((await ask(session, "SELECT 7")).scalar_one())

        assert await seven() == 7
        with postgres_hangs(postgres.url):
            for _ in ("on a connection of the pool", "on a new one"):
                with pytest.raises(LedgerUnavailableError, match="does not answer"):
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await seven()
        assert await seven() == 7
        assert not caplog.records, "psycopg tells how long it has waited for its cancellation"


async def test_the_urls_own_options_are_kept(postgres: Postgres) -> None:
    """Whose URL chooses a schema would otherwise find the worker in another one than the migrations."""
    url = SecretStr(postgres.url + "&options=-c%20search_path%3Delsewhere")
    async with Ledger(url) as ledger, ledger.transaction() as session:
        limits = await ask(session, "SELECT current_setting('search_path'), current_setting('statement_timeout')")
    assert tuple(limits.one()) == ("elsewhere", "10s")


async def test_a_server_that_stops_under_it_is_unavailable_until_it_is_back(state: Path) -> None:
    for part in ("run", "logs"):
        (state / part).mkdir()
    postgres = Postgres(state)
    await postgres.start()
    async with Ledger(SecretStr(postgres.url)) as ledger:

        async def seven() -> int:
            async with ledger.transaction() as session:
                return int((await ask(session, "SELECT 7")).scalar_one())

        assert await seven() == 7
        await postgres.stop()
        try:
            for _ in range(2):
                with pytest.raises(LedgerUnavailableError):
                    await seven()
            await postgres.start()
            assert await seven() == 7
        finally:
            await postgres.stop()
