"""Emergency accounts and their sealed passkeys: what is wanted, what stands, what is due.

Each step of a rotation is entered here, so that it goes on from any of them. A key is sealed before the directory hears
of it, and stays until the directory no longer lists its passkey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from pydantic import SecretStr
from sqlalchemy import delete, func, or_, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring, Purpose
from entra_jit.crypto.sealing import Sealed, seal, unseal
from entra_jit.ledger import accounts, events
from entra_jit.ledger.database import rows_of
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.names import find_tenant
from entra_jit.ledger.rows import object_id
from entra_jit.ledger.texts import Written
from entra_jit.policy.emergency import (
    DRILL_EVERY,
    TRIED_AGAIN_AFTER,
    USABLE_AFTER_REVEAL,
    EmergencyState,
    duties,
)
from models.actor import EMERGENCY_ACCOUNTS, Actor
from models.errors import NotFoundError, RefusedError, SettingsError
from models.events import EventKind
from models.marks import EMERGENCY_NAMES, emergency_id
from models.messages import (
    EmergencyCredentialRef,
    EmergencyDuty,
    EmergencyRef,
    EmergencyTenant,
    EmergencyWork,
    ObjectId,
    SignInAttempt,
    SignInOutcome,
    TenantId,
)
from models.moments import format_moment
from models.tables import EmergencyAccountRow, EmergencyCredentialRow, ManagedAccount, Technician, Tenant

_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class StoredPasskey:
    """One passkey of an account; what opens is still sealed."""

    handle: UUID
    number: int
    method_id: str | None
    """By which the directory lists it, as far as it has answered."""
    rp_id: str | None
    """None: the directory never answered its registration."""
    user_handle: str | None
    is_proven: bool
    has_key: bool
    """What opens it is still kept."""
    made_at: datetime


@dataclass(frozen=True)
class EmergencyAccount:
    """One emergency account by register and ledger."""

    number: int
    account_name: str
    object_id: ObjectId | None
    completed_at: datetime | None
    password_set_at: datetime | None
    passkeys: tuple[StoredPasskey, ...]
    """Those that are not retired, the oldest first."""
    retired_methods: frozenset[str]
    """Ids of methods that we registered and deleted. A replica may still show one."""

    @property
    def current(self) -> StoredPasskey | None:
        """The one that has signed in last."""
        proven = [one for one in self.passkeys if one.is_proven and one.has_key]
        return proven[-1] if proven else None


async def tenants(session: AsyncSession, at: datetime, only: TenantId | None = None) -> list[EmergencyTenant]:
    """The connected tenants in which something is due."""
    statement = (
        select(Tenant)
        .outerjoin(EmergencyAccountRow, col(EmergencyAccountRow.tenant_id) == col(Tenant.id))
        .where(
            col(Tenant.active),
            col(Tenant.disconnected_at).is_(None),
            or_(col(Tenant.emergency_accounts) > 0, col(EmergencyAccountRow.number).is_not(None)),
        )
        .distinct()
        .order_by(col(Tenant.name))
    )
    if only is not None:
        statement = statement.where(col(Tenant.id) == UUID(only))
    return [
        EmergencyTenant(tenant_id=TenantId(str(tenant.id)), tenant=tenant.name)
        for tenant in (await session.exec(statement)).all()
        if duties(await _states(session, tenant.id), tenant.emergency_accounts, at)
    ]


async def work(session: AsyncSession, of: EmergencyTenant, at: datetime) -> list[EmergencyWork]:
    """What is due in one tenant, one account after the other."""
    tenant = await session.get(Tenant, UUID(of.tenant_id))
    if tenant is None or not tenant.active or tenant.disconnected_at is not None:
        return []
    due = duties(await _states(session, tenant.id), tenant.emergency_accounts, at)
    return [
        EmergencyWork(
            account=EmergencyRef(tenant_id=of.tenant_id, tenant=tenant.name, number=number), duty=EmergencyDuty(duty)
        )
        for number, duty in due
    ]


async def _states(session: AsyncSession, tenant_id: UUID) -> list[EmergencyState]:
    rows = await session.exec(select(EmergencyAccountRow).where(col(EmergencyAccountRow.tenant_id) == tenant_id))
    found = []
    for row in rows.all():
        passkeys = await _passkeys(session, tenant_id, row.number)
        found.append(
            EmergencyState(
                number=row.number,
                has_proven=row.completed_at is not None and any(one.proven_at and one.ciphertext for one in passkeys),
                is_unfinished=len(passkeys) != 1 or _is_of_this_rotation(row, passkeys[0]),
                rotate_at=row.rotate_at,
                drill_at=row.drill_at,
            )
        )
    return found


def _is_of_this_rotation(account: EmergencyAccountRow, passkey: EmergencyCredentialRow) -> bool:
    """Whether it was made since the last rotation came to its end."""
    return account.rotated_at is None or passkey.made_at > account.rotated_at


async def _passkeys(session: AsyncSession, tenant_id: UUID, number: int) -> Sequence[EmergencyCredentialRow]:
    statement = (
        select(EmergencyCredentialRow)
        .where(
            col(EmergencyCredentialRow.tenant_id) == tenant_id,
            col(EmergencyCredentialRow.number) == number,
            col(EmergencyCredentialRow.retired_at).is_(None),
        )
        .order_by(col(EmergencyCredentialRow.made_at))
    )
    return (await session.exec(statement)).all()


# -- the account


async def ensure_listed(session: AsyncSession) -> None:
    """Have the emergency accounts among the technicians, which the register refers to. Idempotent.

    Inactive: no rule grants an inactive technician anything.
    """
    rows = [
        {"id": UUID(id), "name": name, "display_name": "an emergency account", "active": False}
        for id, name in EMERGENCY_NAMES.items()
    ]
    await session.exec(insert(Technician).values(rows).on_conflict_do_nothing())


async def intend(session: AsyncSession, of: accounts.OfAccount, number: int, at: datetime) -> bool:
    """Register an emergency account before it is made. True for the first intent. Raises ``NameTakenError``."""
    await ensure_listed(session)
    is_first = await accounts.intend(session, of, at)
    row = {"tenant_id": UUID(of.tenant_id), "number": number}
    await session.exec(insert(EmergencyAccountRow).values(row).on_conflict_do_nothing())
    return is_first


async def find(session: AsyncSession, ref: EmergencyRef) -> EmergencyAccount | None:
    """One account; None: it was never intended."""
    registered = await session.get(ManagedAccount, (UUID(ref.tenant_id), UUID(emergency_id(ref.number))))
    row = await session.get(EmergencyAccountRow, (UUID(ref.tenant_id), ref.number))
    if registered is None or row is None:
        return None
    retired = await session.exec(
        select(EmergencyCredentialRow.method_id).where(
            col(EmergencyCredentialRow.tenant_id) == UUID(ref.tenant_id),
            col(EmergencyCredentialRow.number) == ref.number,
            col(EmergencyCredentialRow.retired_at).is_not(None),
        )
    )
    passkeys = await _passkeys(session, UUID(ref.tenant_id), ref.number)
    return EmergencyAccount(
        number=ref.number,
        account_name=registered.account_name,
        object_id=object_id(registered),
        completed_at=row.completed_at,
        password_set_at=row.password_set_at,
        passkeys=tuple(map(_stored, passkeys)),
        retired_methods=frozenset(method for method in retired.all() if method),
    )


def _stored(row: EmergencyCredentialRow) -> StoredPasskey:
    return StoredPasskey(
        handle=row.id,
        number=row.number,
        method_id=row.method_id,
        rp_id=row.rp_id,
        user_handle=row.user_handle,
        is_proven=row.proven_at is not None,
        has_key=row.ciphertext is not None,
        made_at=row.made_at,
    )


async def completed(session: AsyncSession, ref: EmergencyRef, at: datetime) -> None:
    """The account is enabled and has its role. Once: what takes either later is a change from outside."""
    await _change(session, ref, completed_at=func.coalesce(col(EmergencyAccountRow.completed_at), at))
    await password_set(session, ref, at)
    await _enter(session, EventKind.EMERGENCY_PREPARED, EMERGENCY_ACCOUNTS, ref)


async def password_set(session: AsyncSession, ref: EmergencyRef, at: datetime) -> None:
    """Its password is one that we have set, at this time at the latest."""
    await _change(session, ref, password_set_at=at)


# -- its passkeys


async def passkey_to_prove(
    session: AsyncSession, keyring: Keyring, ref: EmergencyRef, fresh: SecretStr, credential_id: str, at: datetime
) -> EmergencyCredentialRef:
    """The passkey that the rotation under way is about. ``fresh`` is sealed and kept, if there is none yet.

    ``credential_id``: its id, by which the directory will most likely list it.

    What this deployment cannot open any more is given up: its passkey is deleted once another one is proven.
    """
    account = await session.get_one(EmergencyAccountRow, (UUID(ref.tenant_id), ref.number), with_for_update=True)
    for row in await _passkeys(session, UUID(ref.tenant_id), ref.number):
        if row.ciphertext is None or not _is_of_this_rotation(account, row):
            continue
        if _opens(keyring, row):
            return EmergencyCredentialRef(account=ref, credential=str(row.id))
        row.ciphertext = None
        session.add(row)
    await session.flush()
    if account.rotated_at is not None:
        at = max(at, account.rotated_at + _A_MOMENT)  # the clock of another worker may be behind
    handle = uuid4()
    sealed = seal(keyring, Purpose.EMERGENCY_CREDENTIAL, fresh, _owner(handle))
    session.add(
        EmergencyCredentialRow(
            id=handle,
            tenant_id=UUID(ref.tenant_id),
            number=ref.number,
            key_id=sealed.key_id,
            ciphertext=sealed.ciphertext,
            made_at=at,
            method_id=credential_id,
        )
    )
    return EmergencyCredentialRef(account=ref, credential=str(handle))


def _opens(keyring: Keyring, row: EmergencyCredentialRow) -> bool:
    try:
        _open(keyring, row)
    except SettingsError:
        return False
    return True


def _open(keyring: Keyring, row: EmergencyCredentialRow) -> SecretStr:
    if row.ciphertext is None:
        raise RefusedError("The credential was retired; another has taken its place.")
    return unseal(keyring, Purpose.EMERGENCY_CREDENTIAL, Sealed(row.key_id, row.ciphertext), _owner(row.id))


async def open_passkey(
    session: AsyncSession, keyring: Keyring, credential: EmergencyCredentialRef
) -> tuple[StoredPasskey, SecretStr]:
    """One passkey with what was sealed of it. Raises ``NotFoundError``, ``RefusedError`` or ``SettingsError``."""
    row = await session.get(EmergencyCredentialRow, UUID(credential.credential))
    account = credential.account
    if row is None or (str(row.tenant_id), row.number) != (account.tenant_id, account.number):
        raise NotFoundError(f"There is no such credential of {account.words}.")
    return _stored(row), _open(keyring, row)


async def registered(
    session: AsyncSession,
    credential: EmergencyCredentialRef,
    at: datetime,
    *,
    method_id: str,
    rp_id: str,
    user_handle: str,
) -> None:
    """The directory has taken it. Idempotent."""
    statement = update(EmergencyCredentialRow).where(col(EmergencyCredentialRow.id) == UUID(credential.credential))
    await session.exec(statement.values(method_id=method_id, rp_id=rp_id, user_handle=user_handle, registered_at=at))
    body = {"credential": credential.credential, "method": method_id}
    await _enter(session, EventKind.EMERGENCY_REGISTERED, EMERGENCY_ACCOUNTS, credential.account, body)


async def tried(
    session: AsyncSession, credential: EmergencyCredentialRef, attempt: SignInAttempt, *, is_rotation: bool
) -> None:
    """Keep how a sign-in went. The first that succeeds proves the credential."""
    has_signed_in = attempt.outcome is SignInOutcome.SIGNED_IN
    if has_signed_in:
        await session.exec(
            update(EmergencyCredentialRow)
            .where(col(EmergencyCredentialRow.id) == UUID(credential.credential))
            .values(proven_at=func.coalesce(col(EmergencyCredentialRow.proven_at), attempt.at))
        )
    await _change(
        session,
        credential.account,
        drilled_at=attempt.at,
        drill_outcome=attempt.outcome.value,
        drill_detail=attempt.detail or None,
        drill_at=attempt.at + (DRILL_EVERY if has_signed_in else TRIED_AGAIN_AFTER),
    )
    kind = EventKind.EMERGENCY_PROVEN if has_signed_in else EventKind.EMERGENCY_DRILL_FAILED
    body = {
        "credential": credential.credential,
        "outcome": attempt.outcome.value,
        "detail": attempt.detail,
        "rotation": is_rotation,
    }
    await _enter(session, kind, EMERGENCY_ACCOUNTS, credential.account, body)


async def retired(session: AsyncSession, credential: EmergencyCredentialRef, at: datetime) -> None:
    """The directory lists it no more: its key goes. Idempotent."""
    await session.exec(
        update(EmergencyCredentialRow)
        .where(col(EmergencyCredentialRow.id) == UUID(credential.credential))
        .values(retired_at=func.coalesce(col(EmergencyCredentialRow.retired_at), at), ciphertext=None)
    )
    body = {"credential": credential.credential}
    await _enter(session, EventKind.EMERGENCY_RETIRED, EMERGENCY_ACCOUNTS, credential.account, body)


async def usable_until(session: AsyncSession, credential: EmergencyCredentialRef) -> datetime | None:
    """Until when a person may use this credential, to whom it was revealed; None: it was not."""
    account = credential.account
    row = await session.get(EmergencyAccountRow, (UUID(account.tenant_id), account.number))
    is_revealed = row is not None and row.revealed_credential == UUID(credential.credential)
    return row.usable_until if row is not None and is_revealed else None


async def rotated(session: AsyncSession, credential: EmergencyCredentialRef, at: datetime) -> bool:
    """This credential alone is left. What was revealed or put into a kit before is worth nothing now.

    False: this very one was revealed meanwhile, and is rotated in its turn.
    """
    ref, handle = credential.account, UUID(credential.credential)
    tenant = await session.get_one(Tenant, UUID(ref.tenant_id))
    row = await session.get_one(EmergencyAccountRow, (UUID(ref.tenant_id), ref.number), with_for_update=True)
    is_revealed = row.usable_until is not None and row.revealed_credential == handle
    is_in_kit = row.kit_credential == handle
    row.rotated_at = at
    if is_revealed:
        row.rotate_at = row.usable_until
    else:
        row.usable_until = None
        row.rotate_at = None if is_in_kit else at + tenant.emergency_rotation
    session.add(row)
    return not is_revealed


# -- what people ask for


async def want(session: AsyncSession, actor: Actor, ref: EmergencyRef, duty: EmergencyDuty, at: datetime) -> None:
    """Have it rotated or tried in the next round. Idempotent. Raises ``NotFoundError``."""
    await _expect(session, ref)
    await _change(session, ref, **{"rotate_at" if duty is EmergencyDuty.ROTATE else "drill_at": at})
    await _enter(session, EventKind.EMERGENCY_WANTED, actor, ref, {"duty": duty.value})


async def reveal(
    session: AsyncSession, keyring: Keyring, ref: EmergencyRef, to: Actor, reason: str, at: datetime, *, reader: str
) -> tuple[StoredPasskey, SecretStr, datetime]:
    """Open the credential that signs in, record to whom, and have the account rotated an hour later, which is given.

    ``reader``: the code of the key that it is sealed to, which is good once. Raises ``NotFoundError`` or
    ``RefusedError``.
    """
    row = await _expect(session, ref)
    await expect_unused(session, reader)
    stored, secret = await _open_current(session, keyring, ref)
    until = at + USABLE_AFTER_REVEAL
    if row.revealed_credential == stored.handle and row.usable_until is not None and row.usable_until > at:
        until = row.usable_until  # an hour that runs is not made longer
    row.usable_until = until
    row.rotate_at = min(row.rotate_at or until, until)
    row.revealed_at, row.revealed_to, row.revealed_credential = at, to, stored.handle
    session.add(row)
    body = {
        "credential": str(stored.handle),
        "reason": Written(reason),
        "usable_until": until.isoformat(),
        "reader": reader,
    }
    await _enter(session, EventKind.EMERGENCY_REVEALED, to, ref, body)
    return stored, secret, until


_USED = text("SELECT EXISTS (SELECT FROM events WHERE kind = :kind AND body ->> 'reader' = :reader) AS is_used")


async def expect_unused(session: AsyncSession, reader: str) -> None:
    """Raises ``RefusedError`` where something was sealed to this reader before."""
    [row] = await rows_of(session, _USED, kind=EventKind.EMERGENCY_REVEALED.value, reader=reader)
    if row["is_used"]:
        raise RefusedError(
            "This key was used already: a credential is given to it once.", advice="Start the program again."
        )


async def put_in_kit(
    session: AsyncSession, keyring: Keyring, ref: EmergencyRef, to: Actor, reason: str, at: datetime
) -> tuple[StoredPasskey, SecretStr]:
    """Open the credential for an offline kit, for which it is kept: it is rotated only when that is asked for.

    Raises ``NotFoundError`` or ``RefusedError``: also where a reveal has it rotated soon.
    """
    row = await _expect(session, ref)
    if row.usable_until is not None:
        raise RefusedError(
            f"The {ref.words} was revealed and is rotated at {format_moment(row.usable_until)}.",
            advice="Make the kit after that.",
        )
    stored, secret = await _open_current(session, keyring, ref)
    row.in_kit_since, row.kit_credential, row.rotate_at = at, stored.handle, None
    row.revealed_at, row.revealed_to = at, to
    session.add(row)
    body = {"credential": str(stored.handle), "reason": Written(reason), "kit": True}
    await _enter(session, EventKind.EMERGENCY_REVEALED, to, ref, body)
    return stored, secret


async def _open_current(session: AsyncSession, keyring: Keyring, ref: EmergencyRef) -> tuple[StoredPasskey, SecretStr]:
    passkeys = await _passkeys(session, UUID(ref.tenant_id), ref.number)
    proven = [one for one in passkeys if one.proven_at and one.ciphertext]
    if not proven:
        raise RefusedError(
            f"The {ref.words} has no credential that is known to work.", advice="`starter.py emergency list` says why."
        )
    return _stored(proven[-1]), _open(keyring, proven[-1])


async def _expect(session: AsyncSession, ref: EmergencyRef) -> EmergencyAccountRow:
    row = await session.get(EmergencyAccountRow, (UUID(ref.tenant_id), ref.number), with_for_update=True)
    if row is None:
        raise NotFoundError(f"There is no {ref.words}.")
    return row


async def standing(session: AsyncSession) -> list[EmergencyRef]:
    """Every account that was completed, in connected tenants."""
    statement = (
        select(Tenant, EmergencyAccountRow.number)
        .join(EmergencyAccountRow, col(EmergencyAccountRow.tenant_id) == col(Tenant.id))
        .where(col(EmergencyAccountRow.completed_at).is_not(None), col(Tenant.disconnected_at).is_(None))
        .order_by(col(Tenant.name), col(EmergencyAccountRow.number))
    )
    return [
        EmergencyRef(tenant_id=TenantId(str(tenant.id)), tenant=tenant.name, number=number)
        for tenant, number in (await session.exec(statement)).all()
    ]


_EXPLAINED = text("""
SELECT EXISTS (
    SELECT FROM events
    WHERE tenant_id = :tenant_id AND body ->> 'number' = :number AND (
        kind = ANY(:tried) AND recorded_at BETWEEN :at - :around AND :at + :around
        OR kind = :revealed AND recorded_at <= :at + :around
            AND (body ->> 'usable_until')::timestamptz >= :at - :around
    )
) AS is_explained
""")

TRIED_WITHIN = timedelta(minutes=15)
"""How far apart our journal's and Microsoft's time of one sign-in may be."""


async def unexplained(
    session: AsyncSession, ref: EmergencyRef, sign_ins: Mapping[str, datetime], now: datetime
) -> dict[str, datetime]:
    """Those of these sign-ins, by id and time, that were not looked at before, and that nothing of ours explains.

    A drill and a rotation explain one, and a reveal for as long as it lasts. Each is told once. While a drill or a
    rotation is due, late ones are left for the next time: a worker may have died before it entered its own.
    """
    row = await session.get(EmergencyAccountRow, (UUID(ref.tenant_id), ref.number), with_for_update=True)
    if row is None:
        return {}
    is_due = ref.number in dict(duties(await _states(session, row.tenant_id), 0, now))
    judged = {key: at for key, at in sign_ins.items() if not is_due or at < now - TRIED_WITHIN}
    new = {key: at for key, at in judged.items() if key not in row.seen_sign_ins}
    # What is no longer asked for need not be remembered.
    row.seen_sign_ins = sorted(judged.keys() | sign_ins.keys() & set(row.seen_sign_ins))
    session.add(row)
    return {key: at for key, at in new.items() if not await _is_explained(session, ref, at)}


async def _is_explained(session: AsyncSession, ref: EmergencyRef, at: datetime) -> bool:
    [row] = await rows_of(
        session,
        _EXPLAINED,
        tenant_id=UUID(ref.tenant_id),
        number=str(ref.number),
        tried=[EventKind.EMERGENCY_PROVEN.value, EventKind.EMERGENCY_DRILL_FAILED.value],
        revealed=EventKind.EMERGENCY_REVEALED.value,
        at=at,
        around=TRIED_WITHIN,
    )
    return bool(row["is_explained"])


async def numbers(session: AsyncSession, tenant_id: UUID) -> list[int]:
    """The numbers of a tenant's accounts, made or being made."""
    statement = select(EmergencyAccountRow.number).where(col(EmergencyAccountRow.tenant_id) == tenant_id)
    return sorted((await session.exec(statement)).all())


async def meant(session: AsyncSession, tenant: str, number: int | None) -> list[EmergencyRef]:
    """The account of this number, or all of the tenant. Raises ``NotFoundError`` where there is none."""
    row = await find_tenant(session, tenant)
    found = [one for one in await numbers(session, row.id) if number in {None, one}]
    if not found:
        raise NotFoundError(
            f"{row.name} has no emergency account{'' if number is None else f' {number}'}.",
            advice="Set emergency_accounts in the configuration; one is made within minutes.",
        )
    return [EmergencyRef(tenant_id=TenantId(str(row.id)), tenant=row.name, number=one) for one in found]


async def are_current(session: AsyncSession, handles: Sequence[UUID]) -> frozenset[UUID]:
    """Those of the handles whose passkeys are proven and not retired."""
    statement = select(EmergencyCredentialRow.id).where(
        col(EmergencyCredentialRow.id).in_(handles),
        col(EmergencyCredentialRow.proven_at).is_not(None),
        col(EmergencyCredentialRow.retired_at).is_(None),
    )
    return frozenset((await session.exec(statement)).all())


async def forget_account(session: AsyncSession, actor: Actor, ref: EmergencyRef) -> None:
    """Delete an account that is gone from its directory, with its keys. One that is wanted is made anew."""
    of = UUID(ref.tenant_id)
    await session.exec(
        delete(EmergencyCredentialRow).where(
            col(EmergencyCredentialRow.tenant_id) == of, col(EmergencyCredentialRow.number) == ref.number
        )
    )
    await session.exec(
        delete(EmergencyAccountRow).where(
            col(EmergencyAccountRow.tenant_id) == of, col(EmergencyAccountRow.number) == ref.number
        )
    )
    await accounts.forget(session, ref.tenant_id, emergency_id(ref.number))
    await _enter(session, EventKind.EMERGENCY_FORGOTTEN, actor, ref)


async def forget(session: AsyncSession, tenant_id: UUID) -> None:
    """Delete the sealed keys of a tenant that is left: nothing of ours opens its accounts any more. Idempotent."""
    await session.exec(
        update(EmergencyCredentialRow).where(col(EmergencyCredentialRow.tenant_id) == tenant_id).values(ciphertext=None)
    )


async def _change(session: AsyncSession, ref: EmergencyRef, **values: object) -> None:
    await session.exec(
        update(EmergencyAccountRow)
        .where(col(EmergencyAccountRow.tenant_id) == UUID(ref.tenant_id), col(EmergencyAccountRow.number) == ref.number)
        .values(**values)
    )


async def _enter(
    session: AsyncSession,
    kind: EventKind,
    actor: Actor,
    ref: EmergencyRef,
    body: Mapping[str, object] | None = None,
) -> None:
    said = {"number": ref.number, **(body or {})}
    await events.append(session, NewEvent(kind, actor, said, tenant_id=UUID(ref.tenant_id)))


def _owner(handle: UUID) -> str:
    """What a sealed key is bound to, so that it opens as no other credential."""
    return f"emergency credential {handle}"
