"""Finding an account that we know: is it there, whose is it, and is a 404 believed?

Workflow steps, emergency stop, reconciler and review all ask here, so that none of them gives an account up sooner than
the others, or closes what is another grant's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.managed_account import FoundAccount, Holder
from entra_jit.accounts.proving import NotProvenError
from entra_jit.crypto.marks import Register, read_open_until
from entra_jit.graph import DeletedUser, NotYetVisibleError, Tenant, User
from entra_jit.ledger import grants
from entra_jit.ledger.database import Ledger, LedgerUnavailableError
from entra_jit.ledger.grants import ByNow
from entra_jit.policy.missing import Missing, judge_missing
from models.alarms import AlarmKind
from models.marks import newest
from models.messages import AccountToClose, Grant, ObjectId, Proof, Standing


@dataclass
class MissedSince:
    """Since when an account cannot be read, kept over all the tries to find it; None: the last one has found it."""

    at: datetime | None = None


@dataclass(frozen=True)
class Absence:
    """What has become of an account that cannot be read."""

    verdict: Missing
    in_bin: DeletedUser | None


async def judge_absence(tenant: Tenant, object_id: ObjectId, missed_since: datetime, at: datetime) -> Absence:
    """Ask the bin about an account that the directory does not know."""
    in_bin = await tenant.deleted_items.find(object_id)
    return Absence(judge_missing(in_the_bin=in_bin is not None, missed_since=missed_since, at=at), in_bin)


async def read_account(
    tenant: Tenant, object_id: ObjectId, missed: MissedSince, clock: Callable[[], datetime]
) -> User | None:
    """The account; None: it is gone. Raises ``NotYetVisibleError`` for as long as that is in doubt."""
    try:
        user = await tenant.users.get(object_id)
    except NotYetVisibleError:
        at = clock()
        missed.at = missed.at or at
        if (await judge_absence(tenant, object_id, missed.at, at)).verdict is Missing.DOUBTED:
            raise
        return None
    missed.at = None
    return user


async def settled_with(ledger: Ledger, request_id: str) -> Proof | None:
    """On what the receipt of a grant rests; None: it is not settled, or the ledger cannot be asked.

    A mark of a settled grant holds nothing open: an administrator of the tenant put it back, or Exchange masters it and
    did not let us clear it.
    """
    asked = "whether a mark's grant is over"
    return await ledger.attempt(asked, lambda session: grants.settled_with(session, request_id))


@dataclass(frozen=True)
class NothingToClose:
    """Why an account is not closed for a grant: it is gone, was never made, is not ours, or is another grant's."""

    note: str
    standing: Standing | None
    """None: nothing is claimed about the account."""
    alarm: str | None = None
    alarm_kind: AlarmKind = AlarmKind.VANISHED


class AccountFinder:
    """Finds the accounts of grants, in order to close them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._ledger = backend.ledger
        self._keyring = backend.keyring
        self._clock = backend.clock

    async def to_close(
        self, tenant: Tenant, account: AccountToClose, missed: MissedSince, *, even_if_held: bool = False
    ) -> FoundAccount | NothingToClose:
        """The account to close, or why there is nothing of this grant's to close.

        Whose it is the newest signed mark says, wherever it stands: an administrator of the tenant can put an old one
        back, and a backup can set the ledger back. ``even_if_held``: close it whichever grant has it.

        Raises ``NotYetVisibleError`` while it is in doubt whether the account is there, and ``LedgerUnavailableError``
        or ``NotProvenError`` for one that we have made and may not touch as things are.
        """
        user, now = await asyncio.gather(self._read(tenant, account, missed), self._by_now(account.grant))
        if now and now.abandoned and not even_if_held:
            return NothingToClose("given up by an operator", None)
        if user is None:
            return _not_there(account)
        found = await self._judge(account.grant, user)
        if not found.may_be_closed:
            return _not_ours(account, ledger_is_known=now is not None)
        holder = None if even_if_held else self._other_holder(account, found, now)
        if holder is not None and await settled_with(self._ledger, holder) is None:
            return _held(account, user, holder)
        return found

    async def _read(self, tenant: Tenant, account: AccountToClose, missed: MissedSince) -> User | None:
        if account.object_id is None:
            # What was made and never answered is disabled, without roles, and found by its tag later.
            return await tenant.users.find(account.grant.account_name)
        return await read_account(tenant, account.object_id, missed, self._clock)

    async def _judge(self, grant: Grant, user: User) -> FoundAccount:
        named = await self._backend.registered.know(grant.tenant_id, user.id)
        return self._backend.inspect(user, Holder.of(grant), Register.NAMES_IT if named else Register.SILENT)

    async def _by_now(self, grant: Grant) -> ByNow | None:
        """Whose the account is now: a late closing must not strip a newer grant. None: the ledger cannot be asked."""
        asked = "whose an account is by now"
        return await self._ledger.attempt(asked, lambda session: grants.by_now(session, self._keyring, grant))

    def _other_holder(self, account: AccountToClose, found: FoundAccount, now: ByNow | None) -> str | None:
        """The other grant that has the account now; None: it is this grant's to close."""
        grant = account.grant
        carried = None
        if not (now and now.is_over):  # closed by another process meanwhile: what the workflow remembers is past
            carried = read_open_until(
                self._keyring, account.mark, grant.tenant_id, found.user.id, Holder.of(grant).kind
            )
        deciding = newest(found.open_until, now.mark if now else None, carried)
        if deciding is None:
            return now.holder if now and now.holder != grant.request_id else None
        if deciding.request_id == grant.request_id or deciding.expires_at <= self._clock():
            return None
        return deciding.request_id


def _not_there(account: AccountToClose) -> NothingToClose:
    if account.object_id is None:
        return NothingToClose("there is no such account", Standing.gone(vanished=False))
    grant = account.grant
    alarm = f"{grant.account_name} is gone from the directory of {grant.tenant}: nothing is left to read back."
    return NothingToClose("gone from the directory", Standing.gone(vanished=True), alarm)


def _not_ours(account: AccountToClose, *, ledger_is_known: bool) -> NothingToClose:
    name = account.grant.account_name
    if account.object_id is None:
        note = "an account of that name is not ours; it was not touched"
        return NothingToClose(note, Standing.gone(vanished=False))
    if not ledger_is_known:
        raise LedgerUnavailableError(f"Whether {name} is ours cannot be told without the ledger: its tag is broken.")
    raise NotProvenError(
        f"Neither the register nor its tag say any more that {name} is ours, so it is not touched. "
        "Disable it in the tenant, and find out who changed it."
    )


def _held(account: AccountToClose, user: User, holder: str) -> NothingToClose:
    alarm = (
        f"{account.grant.account_name} was not closed for this grant: a newer mark says that the grant {holder} "
        "has it, which closes it at its own end."
    )
    standing = Standing(exists=True, enabled=user.account_enabled, held_by=holder)
    return NothingToClose(f"the account is held by the grant {holder}", standing, alarm, AlarmKind.HELD)
