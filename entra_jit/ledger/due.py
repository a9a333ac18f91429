"""Grants whose time is over, for the closer: taken at that instant, asked about again, and entered as disabled.

Everything here goes by PostgreSQL's clock. ``statement_timestamp()`` is never later than the moment at which a row is
locked, so nothing is taken early; an extension locks the same row, and whichever comes second sees the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events, steps
from entra_jit.ledger.database import rows_of
from entra_jit.ledger.events import NewEvent
from entra_jit.policy.punctuality import FIRST_SEEN_WITHIN, GIVEN_UP_AFTER
from models.actor import CLOSER
from models.events import EventKind
from models.marks import AccountKind, OpenUntil
from models.messages import ClosingStep, DirectoryCall, ObjectId, Step, TenantId


@dataclass(frozen=True)
class Due:
    """A grant and the account that it opened."""

    request_id: str
    attempt: int
    tenant_id: TenantId
    tenant: str
    account_name: str
    object_id: ObjectId
    kind: AccountKind
    expires_at: datetime
    mark: str | None
    """The signed open-until mark that the ledger keeps of it."""


def under(grant: Due, mark: OpenUntil, text: str | None) -> Due:
    """The grant that a newer mark of the account names: the same one, extended, or another."""
    return replace(grant, request_id=mark.request_id, expires_at=mark.expires_at, mark=text)


@dataclass(frozen=True)
class Unsettled:
    """A grant that has expired and has no receipt."""

    request_id: str
    tenant: str
    account_name: str
    disabled_at: datetime | None
    """When a closer has disabled its account; None: none has."""


@dataclass(frozen=True)
class Closers:
    """The closers of the last day."""

    running: int
    """Seen within the last minute."""
    known: int
    lateness: timedelta | None
    """The worst of the last minute; None: nothing was due, or none runs."""


@dataclass(frozen=True)
class Ahead:
    """What will be due soon."""

    at: datetime
    """PostgreSQL's clock."""
    first: Mapping[TenantId, datetime]
    """By tenant, the earliest expiry. It may be past."""


# Not parked, whose account was proven closed before. Taken again where the closer that took it has died since.
_WAITING = """
    grants.settled_at IS NULL AND grants.disabled_at IS NULL AND grants.parked_at IS NULL
    AND CASE WHEN grants.taken_at IS NULL THEN grants.expires_at > statement_timestamp() - CAST(:first_seen AS interval)
        ELSE grants.taken_at <= statement_timestamp() - CAST(:again AS interval)
            AND grants.taken_at > statement_timestamp() - CAST(:first_seen AS interval)
            AND grants.expires_at > statement_timestamp() - CAST(:given_up AS interval) END
"""

_COLUMNS = """
    grants.request_id, grants.attempt, grants.account_name, grants.expires_at, grants.mark, tenants.name AS tenant,
    CAST(grants.tenant_id AS text) AS tenant_id, CAST(accounts.object_id AS text) AS object_id, accounts.kind
"""

_ITS_ACCOUNT = """
    accounts.tenant_id = grants.tenant_id AND accounts.technician_id = grants.technician_id
    AND accounts.object_id IS NOT NULL
"""

_AHEAD = text(f"""
SELECT max(clock_timestamp()) AS at, CAST(grants.tenant_id AS text) AS tenant_id, min(grants.expires_at) AS first
FROM (VALUES (1)) AS always LEFT JOIN grants
    ON grants.expires_at <= statement_timestamp() + CAST(:within AS interval) AND {_WAITING}
GROUP BY grants.tenant_id
""")  # noqa: S608  # constants of this module

# A row that another transaction holds is left to the next statement: one extension must not hold up all closings.
_TAKE = text(f"""
WITH due AS (
    SELECT request_id, closing_at IS NULL AS begins FROM grants
    WHERE expires_at <= statement_timestamp() AND {_WAITING}
    ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
)
UPDATE grants SET taken_at = clock_timestamp(), closing_at = coalesce(closing_at, clock_timestamp())
FROM due, tenants, managed_accounts AS accounts
WHERE grants.request_id = due.request_id AND tenants.id = grants.tenant_id AND {_ITS_ACCOUNT}
RETURNING due.begins, {_COLUMNS}
""")  # noqa: S608

_STILL = text("""
SELECT request_id FROM grants WHERE request_id = ANY(:ids) AND settled_at IS NULL AND parked_at IS NULL
    AND closing_at IS NOT NULL AND expires_at <= statement_timestamp()
""")

_LIVE = text(f"""
SELECT {_COLUMNS} FROM grants JOIN tenants ON tenants.id = grants.tenant_id
    JOIN managed_accounts AS accounts ON {_ITS_ACCOUNT}
WHERE grants.settled_at IS NULL AND grants.disabled_at IS NULL AND grants.expires_at IS NOT NULL
    AND grants.parked_at IS NULL
""")  # noqa: S608

_UNSETTLED = text("""
SELECT grants.request_id, tenants.name AS tenant, grants.account_name, grants.disabled_at
FROM grants JOIN tenants ON tenants.id = grants.tenant_id
WHERE grants.settled_at IS NULL AND grants.parked_at IS NULL
    AND grants.expires_at <= statement_timestamp() - CAST(:for AS interval)
ORDER BY grants.expires_at LIMIT 1000
""")

_DISABLED = text("""
UPDATE grants SET disabled_at = done.at
FROM jsonb_to_recordset(CAST(:done AS jsonb)) AS done(request_id text, attempt int, at timestamptz)
WHERE grants.request_id = done.request_id AND grants.attempt = done.attempt AND grants.disabled_at IS NULL
""")

_CLOSERS = text("""
SELECT count(*) FILTER (WHERE lately) AS running, count(*) AS known, max(lateness) FILTER (WHERE lately) AS lateness
FROM (SELECT lateness, seen_at > clock_timestamp() - interval '1 minute' AS lately FROM closers
    WHERE seen_at > clock_timestamp() - interval '1 day') AS of_today
""")

_SAY = text("""
WITH gone AS (DELETE FROM closers WHERE seen_at < clock_timestamp() - interval '1 day')
INSERT INTO closers (id, seen_at, lateness) VALUES (:id, clock_timestamp(), :lateness)
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, lateness = excluded.lateness
""")


async def ahead(session: AsyncSession, within: timedelta, again: timedelta) -> Ahead:
    """What is due now or ``within``. ``again`` as for ``take``."""
    found = await rows_of(session, _AHEAD, within=within, **_limits(again))
    return Ahead(found[0]["at"], {TenantId(row["tenant_id"]): row["first"] for row in found if row["tenant_id"]})


async def take(session: AsyncSession, again: timedelta, most: int) -> list[Due]:
    """Fence what is due, and say whose accounts to disable: those alone. At most ``most``, the earliest first.

    ``again``: how long after a closer took a grant another one may, where nothing came of it.
    """
    taken = await rows_of(session, _TAKE, most=most, **_limits(again))
    began = (
        NewEvent(EventKind.CLOSING_BEGAN, CLOSER, {"because": None}, row["request_id"], UUID(row["tenant_id"]))
        for row in taken
        if row["begins"]
    )
    await events.append(session, *began)
    return sorted(map(_due, taken), key=lambda due: due.expires_at)


async def still_due(session: AsyncSession, request_ids: Iterable[str]) -> set[str]:
    """Which of these that were taken are still to be disabled: not those that were settled or retried since."""
    return {row["request_id"] for row in await rows_of(session, _STILL, ids=list(request_ids))}


async def live(session: AsyncSession) -> list[Due]:
    """Every grant that has an expiry, past or not, and whose account no closer has disabled yet."""
    return [_due(row) for row in await rows_of(session, _LIVE)]


async def unsettled(session: AsyncSession, so_long: timedelta) -> list[Unsettled]:
    """Grants that expired at least ``so_long`` ago and have no receipt; at most 1000, the earliest first."""
    return [Unsettled(**row) for row in await rows_of(session, _UNSETTLED, **{"for": so_long})]


async def disabled(session: AsyncSession, done: Iterable[tuple[Due, DirectoryCall]]) -> None:
    """Enter the directory's answers. The receipt counts the lateness to them. Idempotent."""
    done = list(done)
    rows = [
        {"request_id": due.request_id, "attempt": due.attempt, "at": call.answered_at.isoformat()} for due, call in done
    ]
    await (await session.connection()).execute(_DISABLED, {"done": json.dumps(rows)})
    entered = [
        event
        for due, call in done
        for event in steps.as_events(
            due.request_id, due.attempt, [Step(name=ClosingStep.DISABLED, at=call.answered_at, calls=(call,))], CLOSER
        )
    ]
    await events.append(session, *entered)


async def closers(session: AsyncSession) -> Closers:
    """Whether closers run, and how late they were."""
    [row] = await rows_of(session, _CLOSERS)
    return Closers(**row)


async def say_alive(session: AsyncSession, closer: str, lateness: timedelta | None) -> None:
    """Record that this closer runs, and the worst lateness of its last minute. Forgets those of yesterday."""
    await (await session.connection()).execute(_SAY, {"id": closer, "lateness": lateness})


def _limits(again: timedelta) -> dict[str, timedelta]:
    return {"first_seen": FIRST_SEEN_WITHIN, "given_up": GIVEN_UP_AFTER, "again": again}


def _due(row: RowMapping) -> Due:
    return Due(
        request_id=row["request_id"],
        attempt=row["attempt"],
        tenant_id=TenantId(row["tenant_id"]),
        tenant=row["tenant"],
        account_name=row["account_name"],
        object_id=ObjectId(row["object_id"]),
        kind=AccountKind(row["kind"]),
        expires_at=row["expires_at"],
        mark=row["mark"],
    )
