"""The months of the journal: each a partition of its own, made ahead of time and dropped whole when it is old."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

MONTHS_AHEAD = 2

_ERASE_QUOTED = """
UPDATE texts SET content = NULL, salt = NULL, erased_at = clock_timestamp()
WHERE erased_at IS NULL AND CAST(id AS text) IN (
    SELECT jsonb_path_query(
        jsonb_build_array(actor, body), '$.** ? (exists (@.hash) && exists (@.text)).text'
    ) #>> '{{}}'
    FROM "{partition}"
)
"""


async def make_coming(session: AsyncSession) -> None:
    """Make the partitions of this month and the next two where they are missing. Idempotent.

    Without them events go to the default partition, where they stay. Making one waits a second at most: an event
    that is appended waits behind it. Raises ``LedgerUnavailableError`` then; the next try does.
    """
    connection = await session.connection()
    await connection.execute(text("SET LOCAL lock_timeout = '1s'"))
    make = text("""
        SELECT make_event_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month')::date)
        FROM generate_series(0, :months) AS ahead
    """)
    await connection.execute(make, {"months": MONTHS_AHEAD})


async def drop_before(session: AsyncSession, month: date) -> list[str]:
    """Drop the partitions of all months before ``month``, for good, and erase the texts that they quote. Idempotent.

    Gives the names of those that are gone. It takes the tables' owner; nothing else can remove events. Raises
    ``LedgerUnavailableError`` where a lock is not free within a second; the next try does.
    """
    connection = await session.connection()
    await connection.execute(text("SET LOCAL lock_timeout = '1s'"))
    names = await connection.execute(
        text("""
        SELECT inhrelid::regclass::text FROM pg_inherits
        WHERE inhparent = 'events'::regclass AND inhrelid::regclass::text ~ '^events_[0-9]{4}_[0-9]{2}$'
          AND inhrelid::regclass::text < 'events_' || to_char(CAST(:month AS date), 'YYYY_MM')
        ORDER BY 1
    """),
        {"month": month},
    )
    dropped = list(names.scalars())
    for name in dropped:  # only names of that form come here
        await connection.execute(text(_ERASE_QUOTED.format(partition=name)))
        await connection.execute(text(f'DROP TABLE "{name}"'))
    return dropped
