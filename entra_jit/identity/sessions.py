"""Sessions of the portal: a row of the ledger each, so that a leaver's ends at once and all can be ended from anywhere.

The browser keeps 256 random bits; the ledger their hash.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from pydantic import SecretStr

from entra_jit.identity.open_id import SignedInPerson
from entra_jit.ledger import sessions
from entra_jit.ledger.database import Ledger
from models.actor import Actor, ActorKind, Role, Via
from models.plain_text import plain
from models.tables import SessionRow

IDLE = timedelta(minutes=60)
"""How long a session lasts without being used."""

ABSOLUTE = timedelta(hours=10)
"""How long a session lasts at most: a day's work."""

FRESH = timedelta(minutes=5)
"""How old a sign-in may be for what shows a secret or ends things for many."""

NOTED_EVERY = timedelta(minutes=1)
"""How exactly it is known when a session was used last: a write each minute, not each page."""

LONGEST_BROWSER = 200


@dataclass(frozen=True)
class Session:
    """A person who is signed in."""

    id: UUID
    actor: Actor
    display_name: str
    technician: str | None
    """What the configuration calls them; None: they are no technician."""
    proved_at: datetime | None
    """When they last proved who they are; None: the sign-in service did not say."""
    ends_at: datetime
    """When it is over, however much it is used."""

    def is_fresh(self, at: datetime) -> bool:
        """Whether the person has proved who they are in the last minutes."""
        return self.proved_at is not None and at - self.proved_at <= FRESH


def new_cookie() -> SecretStr:
    """256 random bits."""
    return SecretStr(secrets.token_urlsafe(32))


def hashed(cookie: SecretStr) -> bytes:
    """What stands in the ledger of it."""
    return hashlib.sha256(cookie.get_secret_value().encode()).digest()


async def begin(
    ledger: Ledger,
    person: SignedInPerson,
    roles: frozenset[Role],
    *,
    replaces: SecretStr | None,
    browser: str,
    at: datetime,
) -> SecretStr:
    """A new session of the person; gives the cookie. The browser's former one ends, even one that was planted."""
    cookie = new_cookie()
    row = SessionRow(
        key=hashed(cookie),
        id=uuid4(),
        person_id=UUID(person.id),
        name=plain(person.display_name or person.name),
        roles=sorted(roles),
        browser=plain(browser)[:LONGEST_BROWSER],
        signed_in_at=person.proved_at,
        began_at=at,
        seen_at=at,
    )
    async with ledger.transaction() as session:
        if replaces is not None:
            await sessions.end(session, hashed(replaces))
        await sessions.add(session, row, over_before=at - ABSOLUTE)
    return cookie


async def find(ledger: Ledger, cookie: SecretStr, at: datetime) -> Session | None:
    """Whose session it is; None: it is over, or never was.

    It ends with the person's place in the configuration: who was a technician when they signed in and is none now has
    to sign in again, whatever else they are.
    """
    key = hashed(cookie)
    async with ledger.transaction() as session:
        found = await sessions.find(session, key)
        if found is None:
            return None
        row, technician = found
        is_over = at - row.seen_at > IDLE or at - row.began_at > ABSOLUTE
        if is_over or (Role.TECHNICIAN in row.roles and technician is None):
            await sessions.end(session, key)
            return None
        if at - row.seen_at > NOTED_EVERY:
            await sessions.touch(session, key, at)
    name = technician.name if technician else row.name
    roles = frozenset(map(Role, row.roles)) | ({Role.TECHNICIAN} if technician else set())
    return Session(
        id=row.id,
        actor=Actor(kind=ActorKind.PERSON, id=str(row.person_id), name=name, via=Via.PORTAL, roles=roles),
        display_name=technician.display_name if technician else row.name,
        technician=technician.name if technician else None,
        proved_at=row.signed_in_at,
        ends_at=row.began_at + ABSOLUTE,
    )


async def still_open(ledger: Ledger, ids: Iterable[UUID], at: datetime) -> set[UUID]:
    """Those of these sessions that are not over, by the same rules. Looking is no use of them."""
    async with ledger.transaction() as session:
        return set(await sessions.lasting(session, list(ids), seen_since=at - IDLE, began_since=at - ABSOLUTE))


async def end(ledger: Ledger, cookie: SecretStr) -> None:
    """Sign out in this browser. Idempotent."""
    async with ledger.transaction() as session:
        await sessions.end(session, hashed(cookie))
