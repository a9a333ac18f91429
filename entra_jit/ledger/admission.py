"""The admission check, and the lease: what a grant may still be given, and until when that may be on its way.

The fence is ``closing_at``: from then on the check fails, so no opening begins. The lease is ``lease_until``: what
passed the check before the fence may still be in flight until then, so the last read-back waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.marks import Register
from entra_jit.ledger import configuration, events, examinations, holds
from entra_jit.ledger.accounts import its_account, register_of
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.marks import covered_expiry, mark_of, sign_mark
from entra_jit.ledger.rows import as_access, as_grant, object_id
from entra_jit.ledger.texts import Written
from entra_jit.policy.leases import lease_end
from entra_jit.policy.rules import hours
from models.actor import WORKFLOW, Actor
from models.errors import RefusedError
from models.events import EventKind
from models.holds import HoldKind
from models.messages import Armed, FailureType, Grant, GrantRef, ObjectId
from models.tables import GrantRow, ManagedAccount, Request, Tenant


class GrantOverError(RefusedError):
    """The grant has ended, is closing or was retried since: nothing may be widened for it any more."""

    failure_type = FailureType.GRANT_OVER


class PausedError(RefusedError):
    """Provisioning of the tenant is paused; the explanation says by whom and why. Try again once it is resumed."""

    failure_type = FailureType.PAUSED


@dataclass(frozen=True)
class Admitted:
    """What the ledger knows of a grant that may go on."""

    grant: Grant
    object_id: ObjectId | None
    register: Register
    expires_at: datetime | None
    mark: str | None
    """The signed open-until mark, as the directory is to hold it; None: not armed yet."""
    lease_until: datetime | None
    opened_at: datetime | None
    credential: str
    """``auto``, ``temporary_access_pass`` or ``password``."""
    tenant_is_ready: bool
    """The last examination of the tenant found no necessary check failed."""
    is_untouched: bool
    """Nothing was written in the directory for it yet."""
    in_flight: bool = False
    """An earlier write under the lease may still be on its way. Asked of the ledger, since Temporal counts the tries
    of an activity that was reset from one again."""


class _Checked(NamedTuple):
    row: GrantRow
    request: Request
    account: ManagedAccount | None
    tenant: Tenant
    tenant_is_ready: bool


async def admit(session: AsyncSession, ref: GrantRef, at: datetime, *, lock: bool = False) -> Admitted:
    """The admission check: raises ``GrantOverError`` unless the grant is live, not closing, and of this attempt.

    Raises ``PausedError`` for one that may go on when its tenant is resumed. Steps that widen access read access, name
    and hours here and nowhere else. ``lock``: and neither fence nor receipt comes in between until the transaction
    ends.
    """
    return _admitted(await _checked(session, ref, at, lock=lock))


async def arm(session: AsyncSession, keyring: Keyring, ref: GrantRef, at: datetime) -> Armed:
    """Fix the expiry and sign its mark, once: the first call decides, every later one repeats it.

    Raises as ``admit`` does. A retried grant whose account is another object by now gets a mark for that one, which
    never lasts longer than the grant's duration from now.
    """
    row, _, account, *_ = await _checked(session, ref, at)
    if object_id(account) is None:
        raise GrantOverError(f"the account of the grant {ref.request_id} is not registered")
    if row.expires_at is None:
        row.armed_at, row.expires_at = at, at + row.duration
    if mark_of(keyring, row, account) is None:
        row.expires_at = min(row.expires_at, at + row.duration)
        await sign_mark(session, keyring, row, account)
    assert row.mark is not None  # noqa: S101  # it was signed above, or before
    return Armed(expires_at=row.expires_at, mark=row.mark)


async def take_lease(
    session: AsyncSession, keyring: Keyring, ref: GrantRef, at: datetime, lease: timedelta
) -> Admitted:
    """The admission check, and until when the opening that it admits may be in flight. Raises as ``admit`` does."""
    checked = await _checked(session, ref, at)
    row, _, account, tenant, _ = checked
    if row.expires_at is None:
        raise GrantOverError(f"the grant {ref.request_id} has no expiry yet, so its account may not be opened")
    _expect_covered(keyring, row, account, at)
    # Decided an hour ago, perhaps: who has left since, or lost a role, is not let in any more.
    if why := await configuration.no_longer_due(session, tenant, row.technician_id, as_access(row)):
        raise GrantOverError(why)
    in_flight = _extend_lease(row, at, lease)
    session.add(row)
    return replace(_admitted(checked), in_flight=in_flight)


def _extend_lease(row: GrantRow, at: datetime, lease: timedelta) -> bool:
    """Whether an earlier one was still running."""
    earlier = lease_end(row.lease_until, None, at)
    row.lease_until = max(earlier or at, at + lease)
    return earlier is not None and at < earlier


async def _checked(session: AsyncSession, ref: GrantRef, at: datetime, *, lock: bool = True) -> _Checked:
    statement = (
        select(GrantRow, Request, ManagedAccount, Tenant)
        .add_columns(~examinations.lacks_what_is_necessary())
        .join(Request, col(Request.id) == col(GrantRow.request_id))
        .join(Tenant, col(Tenant.id) == col(GrantRow.tenant_id))
        .outerjoin(ManagedAccount, its_account())
        .where(col(GrantRow.request_id) == ref.request_id)
    )
    # SQLModel types four columns at most.
    found = (await session.exec(statement.with_for_update(of=GrantRow) if lock else statement)).first()  # type: ignore[call-overload]
    if found is None:
        raise GrantOverError(f"the ledger knows no grant {ref.request_id}")
    checked = _Checked(*found)
    row = checked.row
    # Asked after the row is locked: a stop that came in between is seen here, or sees the lease that is taken here.
    hold = await holds.over(session, row.tenant_id, row.technician_id)
    if hold is not None and hold.kind is HoldKind.STOP and row.settled_at is None:
        raise GrantOverError(hold.sentence)
    if over := _why_over(row, ref, at):
        raise GrantOverError(f"the grant {ref.request_id} {over}")
    if hold is not None:
        raise PausedError(hold.sentence)
    return checked


async def opened(session: AsyncSession, request_id: str, at: datetime) -> datetime:
    """Record when the account was opened, and say when that was; the first call decides."""
    statement = (
        update(GrantRow)
        .where(col(GrantRow.request_id) == request_id)
        .values(opened_at=func.coalesce(col(GrantRow.opened_at), at))
    )
    return (await session.exec(statement.returning(col(GrantRow.opened_at)))).scalars().one() or at


async def release_lease(session: AsyncSession, admitted: Admitted) -> None:
    """The write under this lease was answered. Unless another one is on its way, so that nothing is."""
    if admitted.in_flight:
        return
    await session.exec(
        update(GrantRow)
        # A later lease is another write's, and stays.
        .where(col(GrantRow.request_id) == admitted.grant.request_id, col(GrantRow.lease_until) == admitted.lease_until)
        .values(lease_until=None)
    )


def _expect_covered(keyring: Keyring, row: GrantRow, account: ManagedAccount | None, at: datetime) -> None:
    """Raises ``GrantOverError`` where the expiry in the row was moved past the mark that was signed for it."""
    covered = covered_expiry(row, mark_of(keyring, row, account))
    if covered is not None and at >= covered:
        raise GrantOverError(f"no signed mark of the grant {row.request_id} covers its expiry in the ledger")


async def extend(
    session: AsyncSession,
    keyring: Keyring,
    ref: GrantRef,
    wanted: datetime,
    at: datetime,
    lease: timedelta,
    *,
    by: Actor = WORKFLOW,
    reason: str = "",
) -> Admitted:
    """Move the expiry to ``wanted``, sign its mark, and take a lease for writing it. Idempotent for one ``wanted``.

    Raises ``GrantOverError``, or ``RefusedError`` with what would be allowed.
    """
    try:
        checked = await _checked(session, ref, at)
    except PausedError as error:
        # The caller waits for an answer, and does not expect an extension hours later.
        raise RefusedError(f"{error} Nothing is extended there until it is resumed.") from None
    row, _, account, tenant, _ = checked
    if row.expires_at is None or row.armed_at is None or row.opened_at is None:
        raise RefusedError("Only an open grant can be extended.")
    if why := await configuration.no_longer_due(session, tenant, row.technician_id, as_access(row)):
        raise RefusedError(why)
    _expect_covered(keyring, row, account, at)
    if row.expires_at != wanted:
        refused = hours.refuse_extension(
            expires_at=row.expires_at,
            wanted=wanted,
            armed_at=row.armed_at,
            max_duration=tenant.max_duration,
            at=at,
        )
        if refused:
            raise RefusedError(refused)
        body = {"from": row.expires_at, "until": wanted, "reason": Written(reason), "at": at}
        await events.append(session, NewEvent(EventKind.EXTENDED, by, body, row.request_id, row.tenant_id))
        row.expires_at = wanted
        await sign_mark(session, keyring, row, account)
    in_flight = _extend_lease(row, at, lease)
    session.add(row)
    return replace(_admitted(checked), in_flight=in_flight)


def _why_over(row: GrantRow, ref: GrantRef, at: datetime) -> str | None:
    if row.settled_at is not None:
        return "has ended"
    if row.closing_at is not None:
        return "is closing"
    if row.attempt != ref.attempt:
        return "was retried since"
    if row.expires_at is not None and at >= row.expires_at:
        return "has expired"
    return None


def _admitted(checked: _Checked) -> Admitted:
    row, request, account, tenant, is_ready = checked
    return Admitted(
        grant=as_grant(request, row),
        object_id=object_id(account),
        register=register_of(account),
        expires_at=row.expires_at,
        mark=row.mark,
        lease_until=row.lease_until,
        opened_at=row.opened_at,
        credential=tenant.credential,
        tenant_is_ready=is_ready,
        is_untouched=row.prepared_at is None,
    )
