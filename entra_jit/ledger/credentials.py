"""What a technician signs in with: sealed while the grant lives, shown once, deleted when it closes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring, Purpose
from entra_jit.crypto.sealing import Sealed, seal, unseal
from entra_jit.ledger import admission, events
from entra_jit.ledger.events import NewEvent
from models.actor import Actor
from models.errors import RefusedError
from models.events import EventKind
from models.messages import CredentialKind, GrantRef, PassId, SignInStatus
from models.moments import format_moment
from models.tables import SealedCredential


@dataclass(frozen=True)
class Revealed:
    """A credential, shown once."""

    kind: CredentialKind
    secret: SecretStr
    usable_until: datetime | None
    usable_once: bool

    @property
    def note(self) -> str | None:
        """What the technician who signs in with it should know."""
        if self.kind is CredentialKind.TEMPORARY_ACCESS_PASS:
            return "Microsoft may refuse a new pass for its first ten seconds: then try again."
        return None


async def keep(
    session: AsyncSession,
    keyring: Keyring,
    ref: GrantRef,
    kind: CredentialKind,
    secret: SecretStr,
    *,
    at: datetime,
    usable_until: datetime | None = None,
    usable_once: bool = False,
    pass_id: PassId | None = None,
) -> None:
    """Seal and keep the credential of a grant. A newer one replaces it and has not been shown.

    Raises ``GrantOverError``: an attempt that was slow must not leave a credential behind the receipt, for ever.
    """
    await admission.admit(session, ref, at, lock=True)
    sealed = seal(keyring, Purpose.TECHNICIAN_CREDENTIAL, secret, _owner(ref.request_id))
    values = {
        "request_id": ref.request_id,
        "attempt": ref.attempt,
        "kind": kind.value,
        "key_id": sealed.key_id,
        "ciphertext": sealed.ciphertext,
        "sealed_at": at,
        "usable_until": usable_until,
        "usable_once": usable_once,
        "pass_id": pass_id,
        "revealed_at": None,
        "revealed_to": None,
    }
    statement = insert(SealedCredential).values(values)
    changed = {name: statement.excluded[name] for name in values if name != "request_id"}
    await session.exec(statement.on_conflict_do_update(index_elements=["request_id"], set_=changed))


@dataclass(frozen=True)
class Kept:
    """The credential that an attempt of a grant has, but for what is secret."""

    kind: CredentialKind
    pass_id: PassId | None


async def kept(session: AsyncSession, ref: GrantRef) -> Kept | None:
    """The credential of this attempt of the grant; None: it has none yet."""
    row = await session.get(SealedCredential, ref.request_id)
    if row is None or row.attempt != ref.attempt:
        return None
    return Kept(CredentialKind(row.kind), PassId(row.pass_id) if row.pass_id else None)


async def reveal(session: AsyncSession, keyring: Keyring, request_id: str, to: Actor, at: datetime) -> Revealed:
    """Open the credential, once, and record to whom. Raises ``RefusedError``."""
    row = await session.get(SealedCredential, request_id, with_for_update=True)
    if row is None:
        raise RefusedError("There is no credential for this grant now: it is not open yet, or closed already.")
    if row.revealed_at is not None:
        raise RefusedError(
            f"The credential was shown to {row.revealed_to} at {format_moment(row.revealed_at)}; it is shown once."
        )
    row.revealed_at, row.revealed_to = at, to
    session.add(row)
    secret = unseal(keyring, Purpose.TECHNICIAN_CREDENTIAL, Sealed(row.key_id, row.ciphertext), _owner(request_id))
    body = {"kind": row.kind, "usable_until": row.usable_until, "at": at}
    await events.append(session, NewEvent(EventKind.REVEALED, to, body, request_id))
    return Revealed(CredentialKind(row.kind), secret, row.usable_until, row.usable_once)


async def open_for_canary(session: AsyncSession, keyring: Keyring, request_id: str) -> Revealed | None:
    """The credential of a canary's grant, which no person is shown; None: it has none now."""
    row = await session.get(SealedCredential, request_id)
    if row is None:
        return None
    secret = unseal(keyring, Purpose.TECHNICIAN_CREDENTIAL, Sealed(row.key_id, row.ciphertext), _owner(request_id))
    return Revealed(CredentialKind(row.kind), secret, row.usable_until, row.usable_once)


async def statuses(session: AsyncSession, request_ids: Sequence[str]) -> dict[str, SignInStatus]:
    """What is known of the credentials of these grants; those that have none now are missing."""
    rows = await session.exec(select(SealedCredential).where(col(SealedCredential.request_id).in_(request_ids)))
    return {
        row.request_id: SignInStatus(
            kind=CredentialKind(row.kind),
            made_at=row.sealed_at,
            usable_until=row.usable_until,
            usable_once=row.usable_once,
            revealed_at=row.revealed_at,
        )
        for row in rows
    }


async def forget(session: AsyncSession, request_id: str) -> None:
    """Delete the credential of a grant that is over. Idempotent."""
    await session.exec(delete(SealedCredential).where(col(SealedCredential.request_id) == request_id))


def _owner(request_id: str) -> str:
    return f"grant {request_id}"
