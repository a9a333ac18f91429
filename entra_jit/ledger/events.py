"""The journal: appended in the transaction of the change, and never changed. The database refuses everything else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import texts
from entra_jit.ledger.database import rows_of
from entra_jit.ledger.texts import PersonName, Written
from models.actor import Actor, ActorKind
from models.events import Event, EventKind

MOST_AT_ONCE = 500

PEOPLE = frozenset({ActorKind.PERSON, ActorKind.OPERATOR, ActorKind.UNKNOWN})
"""Kinds of actors whose name may be a person's."""


@dataclass(frozen=True)
class NewEvent:
    """What is to be appended. Texts that people wrote stand in ``body`` as ``Written``."""

    kind: EventKind
    actor: Actor
    body: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    tenant_id: UUID | None = None
    """None: that of ``tenant``, or the request's, where the ledger knows it by then."""
    tenant: str | None = None
    """By name, where the id is not at hand."""
    once: str | None = None
    """Of one ``request_id`` only the first event with this key is appended: what is repeated has happened once."""


class Position(NamedTuple):
    """How far a reader has come: everything up to and including this event."""

    transaction: int
    id: int


# One statement, whatever is appended. The notification is a hint without content: a reader that waits looks
# again. Only openings and extensions are worth it, since PostgreSQL lets transactions that notify commit one by one.
_APPEND = text("""
WITH entry AS (
    SELECT * FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS entry(
        place int, tenant_id uuid, tenant text, request_id text,
        actor jsonb, kind text, body jsonb, once text, texts jsonb)
), first AS (
    INSERT INTO event_keys (request_id, key)
    SELECT request_id, once FROM entry WHERE once IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING request_id, key
), fresh AS (
    SELECT entry.* FROM entry LEFT JOIN first ON first.request_id = entry.request_id AND first.key = entry.once
    WHERE entry.once IS NULL OR first.key IS NOT NULL
), written AS (
    INSERT INTO texts (id, salt, content, request_id, person_id)
    SELECT one.* FROM fresh, jsonb_to_recordset(fresh.texts)
        AS one(id uuid, salt text, content text, request_id text, person_id uuid)
)
INSERT INTO events (tenant_id, request_id, actor, kind, body)
SELECT coalesce(
        fresh.tenant_id, requests.tenant_id,
        (SELECT tenants.id FROM tenants WHERE tenants.name = fresh.tenant ORDER BY active DESC LIMIT 1)
    ), fresh.request_id, fresh.actor, fresh.kind, fresh.body
FROM fresh LEFT JOIN requests ON requests.id = fresh.request_id
ORDER BY fresh.place
RETURNING id, CASE WHEN kind IN ('opened', 'extended') THEN pg_notify('openings', '') END
""")

_COLUMNS = "id, recorded_at, tenant_id, request_id, actor, kind, body"

_HORIZON = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS horizon")

_FOLLOWING = text(f"""
SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS horizon, following.*
FROM (VALUES (1)) AS always LEFT JOIN LATERAL (
    SELECT CAST(CAST(transaction_id AS text) AS bigint) AS transaction, {_COLUMNS} FROM events
    WHERE (transaction_id, id) > (CAST(CAST(:transaction AS text) AS xid8), :id)
      AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY transaction_id, id LIMIT {MOST_AT_ONCE}
) AS following ON true
""")  # noqa: S608  # constants of this module


async def append(session: AsyncSession, *new: NewEvent) -> list[int]:
    """Append to the journal, in this order, in one statement and in the transaction of what has happened.

    Gives the ids of those that are entered; one whose ``once`` stands already is not.
    """
    first = {(event.request_id, event.once or place): (place, event) for place, event in reversed([*enumerate(new)])}
    entries = [_entry(place, event) for place, event in first.values()]
    if not entries:
        return []
    await session.flush()  # the ORM may still owe the database the request whose tenant is looked up
    return sorted(row["id"] for row in await rows_of(session, _APPEND, entries=json.dumps(entries)))


async def refuse(
    session: AsyncSession, actor: Actor, verb: str, because: str, *, request_id: str | None, tenant: str | None
) -> None:
    """Enter that ``actor`` asked for what they did not get. In a transaction of its own: the other is rolled back."""
    body = {"verb": verb, "because": Written(because)}  # which may name other people
    await append(session, NewEvent(EventKind.ATTEMPT_REFUSED, actor, body, request_id, tenant=tenant))


async def erase_texts(session: AsyncSession, actor: Actor, text_ids: Iterable[UUID]) -> int:
    """Erase texts that people wrote, and enter that it was done. What quotes them stays. Idempotent.

    Gives how many were erased.
    """
    if erased := await texts.erase(session, text_ids):
        await append(session, NewEvent(EventKind.TEXT_ERASED, actor, {"texts": erased}))
    return len(erased)


async def of_request(session: AsyncSession, request_id: str, *kinds: EventKind) -> list[Event]:
    """What happened to a request, in order; only of ``kinds`` where any are named."""
    return await of_requests(session, [request_id], *kinds)


async def of_requests(session: AsyncSession, request_ids: Sequence[str], *kinds: EventKind) -> list[Event]:
    """The same of several requests."""
    among = "AND kind = ANY(:kinds)" if kinds else ""
    statement = text(f"SELECT {_COLUMNS} FROM events WHERE request_id = ANY(:ids) {among} ORDER BY id")  # noqa: S608
    among_these = {"kinds": [kind.value for kind in kinds]} if kinds else {}
    return await _read(session, await rows_of(session, statement, ids=list(request_ids), **among_these))


async def newest(
    session: AsyncSession, kind: EventKind, body: Mapping[str, str], *, limit: int, tenant: str | None = None
) -> list[Event]:
    """The last events of a kind whose body has what ``body`` has, the newest first; those in a tenant of this name."""
    there = "AND tenant_id IN (SELECT tenants.id FROM tenants WHERE tenants.name = :tenant)" if tenant else ""
    # The kind stands in the statement: a partial index is of one.
    statement = text(f"""
        SELECT {_COLUMNS} FROM events WHERE kind = '{kind.value}' {there} AND body @> CAST(:body AS jsonb)
        ORDER BY id DESC LIMIT :limit
    """)  # noqa: S608
    found = await rows_of(
        session, statement, body=json.dumps(body), limit=limit, **({"tenant": tenant} if tenant else {})
    )
    return await _read(session, found)


async def by_id(session: AsyncSession, event_id: int) -> Event | None:
    """The event; None: its month has been dropped."""
    found = await by_ids(session, [event_id])
    return found[0] if found else None


async def by_ids(session: AsyncSession, event_ids: Sequence[int]) -> list[Event]:
    """The events of these ids that are there, in order."""
    statement = text(f"SELECT {_COLUMNS} FROM events WHERE id = ANY(:ids) ORDER BY id")  # noqa: S608
    return await _read(session, await rows_of(session, statement, ids=list(event_ids)))


async def of_tenant(session: AsyncSession, tenant_id: UUID, *kinds: EventKind, limit: int) -> list[Event]:
    """The last events of these kinds about a tenant, the newest first."""
    statement = text(f"""
        SELECT {_COLUMNS} FROM events WHERE kind = ANY(:kinds) AND tenant_id = :tenant_id ORDER BY id DESC LIMIT :limit
    """)  # noqa: S608
    wanted = [kind.value for kind in kinds]
    return await _read(session, await rows_of(session, statement, kinds=wanted, tenant_id=tenant_id, limit=limit))


async def now(session: AsyncSession) -> Position:
    """Where to begin, to read what is committed from now on; an event that is just being committed may come as well."""
    [row] = await rows_of(session, _HORIZON)
    return Position(row["horizon"], 0)


async def following(session: AsyncSession, position: Position) -> tuple[list[Event], Position]:
    """What was appended after ``position``, and how far that reaches. At most 500 at once; never out of order.

    Ids are handed out before the commit, so the one that commits last may well have the lowest. What is read lies
    before every transaction that still runs, in the order of their numbers: nothing can come to be in between.
    """
    rows = await rows_of(session, _FOLLOWING, transaction=position.transaction, id=position.id)
    horizon = rows[0]["horizon"]
    if horizon < position.transaction:
        # Another server, to which the ledger was restored, counts its transactions from the beginning.
        return [], Position(horizon, 0)
    found = [row for row in rows if row["id"] is not None]
    if found:
        position = Position(found[-1]["transaction"], found[-1]["id"])
    return await _read(session, found), position


async def _read(session: AsyncSession, rows: Sequence[RowMapping]) -> list[Event]:
    known = await texts.contents(session, [part for row in rows for part in (row["actor"], row["body"])])
    return [
        Event.model_validate(
            {**row, "actor": texts.filled_in(row["actor"], known), "body": texts.filled_in(row["body"], known)}
        )
        for row in rows
    ]


def _entry(place: int, event: NewEvent) -> dict[str, Any]:
    written = texts.Collected(event.request_id)
    return {
        "place": place,
        "tenant_id": str(event.tenant_id) if event.tenant_id else None,
        "tenant": event.tenant,
        "request_id": event.request_id,
        "actor": written.apart(with_name_apart(event.actor)),
        "kind": event.kind.value,
        "body": written.apart(event.body),
        "once": event.once,
        "texts": written.rows,
    }


def with_name_apart(actor: Actor) -> dict[str, Any]:
    """The actor for the body of an event: a name that may be a person's can be erased."""
    person_id = UUID(actor.id) if actor.kind is ActorKind.PERSON else None
    names = {"name": PersonName(actor.name, person_id)} if actor.kind in PEOPLE else {}
    return actor.model_dump(mode="json") | names
