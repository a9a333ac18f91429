"""Texts that people wrote, apart from the journal that quotes them: they can be erased, and the journal stays.

An event holds a text's id and the hash of its salt and content. With the text its salt is erased, so that a short one
cannot be found again by hashing guesses.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from pydantic_core import to_jsonable_python
from sqlalchemy import ColumnElement, Uuid, and_, cast, func, insert, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from models.events import ERASED
from models.messages import LONGEST_TICKET
from models.tables import Request, TextRow


@dataclass(frozen=True)
class Written:
    """A text that a person wrote, on its way into an event or a row."""

    content: str
    person_id: UUID | None = None
    """Whom it concerns besides the technician of its request."""


@dataclass(frozen=True)
class PersonName(Written):
    """The name of a person, who need not be the technician of the request: of that one it tells nothing."""


class TextState(StrEnum):
    """What can be said of a text that an event quotes."""

    INTACT = "intact"
    """It is what was written."""
    ERASED = "erased"
    CHANGED = "changed"
    """It is missing, or is not what was written: an owner of the tables bypassed the database's guards."""


@dataclass
class Collected:
    """The texts of one event or row, taken out of it."""

    request_id: str | None = None
    """The request that they are about."""
    rows: list[dict[str, str | None]] = field(default_factory=list)
    """As they are to be inserted."""

    def apart(self, value: Any) -> Any:
        """``value`` as JSON, with a reference in the place of each text."""
        if isinstance(value, Written):
            reference, salt = str(uuid4()), secrets.token_hex(16)
            self.rows.append(
                {
                    "id": reference,
                    "salt": salt,
                    "content": value.content,
                    "request_id": None if isinstance(value, PersonName) else self.request_id,
                    "person_id": str(value.person_id) if value.person_id else None,
                }
            )
            return {"text": reference, "hash": _hash(salt, value.content)}
        if isinstance(value, Mapping):
            return {str(key): self.apart(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.apart(part) for part in value]
        return to_jsonable_python(value)


async def keep(session: AsyncSession, collected: Collected) -> None:
    """Enter the texts that a row quotes; those of events are entered with them."""
    if collected.rows:
        await session.exec(insert(TextRow).values(collected.rows))


async def contents(session: AsyncSession, values: Iterable[Any]) -> dict[str, str]:
    """By id, the texts that are quoted in ``values`` and not erased."""
    wanted = [UUID(reference["text"]) for value in values for reference in references(value)]
    if not wanted:
        return {}
    statement = select(TextRow.id, TextRow.content).where(col(TextRow.id).in_(wanted))
    return {str(key): content for key, content in await session.exec(statement) if content is not None}


def filled_in(value: Any, known: Mapping[str, str]) -> Any:
    """``value`` with the texts in place of the references to them; those that are not ``known`` are erased."""
    if _is_reference(value):
        return known.get(value["text"], ERASED)
    if isinstance(value, dict):
        return {key: filled_in(part, known) for key, part in value.items()}
    return [filled_in(part, known) for part in value] if isinstance(value, list) else value


def references(value: Any) -> Iterator[dict[str, str]]:
    """The references to texts in the JSON of an event, as it is stored."""
    if _is_reference(value):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from references(part)


def requests_of_ticket(ticket: str) -> SelectOfScalar[str]:
    """The ids of the requests that were asked for by this ticket, in capitals or not."""
    is_its_ticket = col(TextRow.id) == cast(col(Request.ticket_text)["text"].astext, Uuid)
    return (
        select(Request.id)
        .join(TextRow, and_(col(TextRow.request_id) == col(Request.id), is_its_ticket))
        .where(func.lower(col(TextRow.content)) == ticket.lower(), func.length(col(TextRow.content)) <= LONGEST_TICKET)
    )


async def of_technician(
    session: AsyncSession, technician_id: UUID, made_for: Iterable[ColumnElement[bool]]
) -> list[UUID]:
    """The texts that concern a technician and are not erased: about their requests, their name, their stops.

    ``made_for``: which requests are theirs, by any of these.
    """
    about = col(TextRow.request_id).in_(select(Request.id).where(or_(*made_for)))
    concerns = or_(col(TextRow.person_id) == technician_id, about)
    return list((await session.exec(select(TextRow.id).where(concerns, col(TextRow.erased_at).is_(None)))).all())


async def erase(session: AsyncSession, text_ids: Iterable[UUID]) -> list[UUID]:
    """Erase the texts for good; what quotes them stays as it is. Gives those that were not yet erased."""
    erased = await session.exec(
        update(TextRow)
        .where(col(TextRow.id).in_(list(text_ids)), col(TextRow.erased_at).is_(None))
        .values(content=None, salt=None, erased_at=func.clock_timestamp())
        .returning(col(TextRow.id))
    )
    return list(erased.scalars())


async def state_of(session: AsyncSession, reference: Mapping[str, str]) -> TextState:
    """Whether the text that an event quotes is still what was written."""
    row = await session.get(TextRow, UUID(reference["text"]), populate_existing=True)
    if row is None:
        return TextState.CHANGED
    if row.content is None or row.salt is None:
        return TextState.ERASED
    return TextState.INTACT if _hash(row.salt, row.content) == reference["hash"] else TextState.CHANGED


def _hash(salt: str, content: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + content.encode()).hexdigest()


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"text", "hash"}
