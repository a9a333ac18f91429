"""Who is signed in at the portal, who is just signing in, and who waits to be accepted. Cookies are kept as hashes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.actor import Role
from models.tables import BegunSignInRow, SessionRow, Technician, WaitingSignInRow


async def remember_begun(session: AsyncSession, row: BegunSignInRow, *, forget_before: datetime) -> None:
    """Keep a sign-in that was just begun, and forget those that did not come back."""
    await session.exec(delete(BegunSignInRow).where(col(BegunSignInRow.begun_at) < forget_before))
    session.add(row)


async def take_begun(session: AsyncSession, key: bytes, *, not_before: datetime) -> BegunSignInRow | None:
    """The sign-in that this browser has begun. It is given once: a second answer finds nothing."""
    row = await session.get(BegunSignInRow, key, with_for_update=True)
    if row is None:
        return None
    await session.delete(row)
    return row if row.begun_at >= not_before else None


async def add(session: AsyncSession, row: SessionRow, *, over_before: datetime) -> None:
    """Begin a session, and forget those that began before ``over_before``."""
    await session.exec(delete(SessionRow).where(col(SessionRow.began_at) < over_before))
    session.add(row)


async def find(session: AsyncSession, key: bytes) -> tuple[SessionRow, Technician | None] | None:
    """The session with this hash, over or not, with its person as a technician of the configuration, if they are."""
    statement = (
        select(SessionRow, Technician)
        .outerjoin(Technician, (col(Technician.id) == col(SessionRow.person_id)) & col(Technician.active))
        .where(col(SessionRow.key) == key)
    )
    return (await session.exec(statement)).first()


async def touch(session: AsyncSession, key: bytes, at: datetime) -> None:
    """It is used now."""
    await session.exec(update(SessionRow).where(col(SessionRow.key) == key).values(seen_at=at))


async def of_person(session: AsyncSession, person_id: UUID, *, seen_since: datetime) -> Sequence[SessionRow]:
    """A person's sessions that were used lately, the last used first."""
    statement = (
        select(SessionRow)
        .where(col(SessionRow.person_id) == person_id, col(SessionRow.seen_at) >= seen_since)
        .order_by(col(SessionRow.seen_at).desc())
    )
    return (await session.exec(statement)).all()


async def lasting(
    session: AsyncSession, ids: Sequence[UUID], *, seen_since: datetime, began_since: datetime
) -> Sequence[UUID]:
    """Those of these sessions that are not over; one of a technician who has left is."""
    statement = (
        select(SessionRow.id)
        .outerjoin(Technician, (col(Technician.id) == col(SessionRow.person_id)) & col(Technician.active))
        .where(
            col(SessionRow.id).in_(ids),
            col(SessionRow.seen_at) >= seen_since,
            col(SessionRow.began_at) >= began_since,
            or_(~col(SessionRow.roles).contains([Role.TECHNICIAN.value]), col(Technician.id).is_not(None)),
        )
    )
    return (await session.exec(statement)).all()


async def end(session: AsyncSession, key: bytes) -> None:
    """End the session with this hash. Idempotent."""
    await session.exec(delete(SessionRow).where(col(SessionRow.key) == key))


async def end_of_person(session: AsyncSession, person_id: UUID, *, only: UUID | None = None) -> None:
    """End one session of a person, or all. Idempotent."""
    statement = delete(SessionRow).where(col(SessionRow.person_id) == person_id)
    await session.exec(statement if only is None else statement.where(col(SessionRow.id) == only))


async def technician(session: AsyncSession, person_id: UUID) -> Technician | None:
    """The active technician with this object id."""
    found = await session.get(Technician, person_id)
    return found if found is not None and found.active else None


async def wait(session: AsyncSession, person_id: UUID, name: str, display_name: str, at: datetime) -> None:
    """Note that a person who is nothing here signed in. Once a person, however often they try."""
    values = {"name": name, "display_name": display_name, "last_at": at}
    statement = insert(WaitingSignInRow).values(person_id=person_id, first_at=at, **values)
    await session.exec(statement.on_conflict_do_update(index_elements=["person_id"], set_=values))


async def waiting(session: AsyncSession) -> Sequence[WaitingSignInRow]:
    """Who waits to be accepted, the longest first."""
    return (await session.exec(select(WaitingSignInRow).order_by(col(WaitingSignInRow.first_at)))).all()


async def take_waiting(session: AsyncSession, person_id: UUID) -> WaitingSignInRow | None:
    """Who waits under this id, for whom waiting is over."""
    row = await session.get(WaitingSignInRow, person_id, with_for_update=True)
    if row is not None:
        await session.delete(row)
    return row


async def accept(session: AsyncSession, person_id: UUID, name: str, display_name: str) -> None:
    """Make the person a technician of the configuration. Raises ``IntegrityError`` where another one has the name."""
    values = {"name": name, "display_name": display_name, "active": True}
    statement = insert(Technician).values(id=person_id, attributes={}, **values)
    await session.exec(statement.on_conflict_do_update(index_elements=["id"], set_=values))


async def is_name_taken(session: AsyncSession, name: str, person_id: UUID) -> bool:
    """Whether another active technician is called so."""
    statement = select(func.count()).where(
        col(Technician.name) == name, col(Technician.active), col(Technician.id) != person_id
    )
    return (await session.exec(statement)).one() > 0
