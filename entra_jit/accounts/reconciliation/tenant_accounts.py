"""Which accounts of a tenant a reconciliation looks at: ours, those that are gone, those that look like ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.managed_account import Holder
from entra_jit.crypto import marks
from entra_jit.crypto.marks import OWNER_TAG_ATTRIBUTE, read_owner_tag, tag_prefix
from entra_jit.graph import GraphError, NotYetVisibleError, RetryBudget, Tenant, User
from entra_jit.ledger.reconciliation import Register, Registered
from entra_jit.policy.reconciliation import Found, LiveGrant
from models.messages import TechnicianId, TenantId


@dataclass(frozen=True)
class Account:
    """An account of the directory with what the ledger knows of it."""

    user: User
    registered: Registered | None
    found: Found
    tampered: str | None
    """How it was tampered with, in a sentence."""

    @property
    def live(self) -> LiveGrant | None:
        """The grant that holds it, by the ledger."""
        return self.registered.live if self.registered else None

    @property
    def unproven(self) -> tuple[str, ...]:
        """Earlier grants of it that ended without a proof."""
        return self.registered.unproven if self.registered else ()


@dataclass(frozen=True)
class Accounts:
    """What a tenant has."""

    tagged_or_registered: tuple[Account, ...]
    missing: tuple[Registered, ...]
    """Registered, and not to be read."""
    strangers: tuple[User, ...]
    """Named as ours would be, but without tag and not registered: not ours."""
    namesakes: tuple[User, ...]
    """Those not ours that have the very name of an account that is registered, which was deleted or is not made yet."""
    unread: Mapping[str, GraphError]
    """By name, what kept registered accounts from being read."""
    unlisted: GraphError | None
    """Why those that only a listing shows need not all be among them; None: they are."""


class TenantAccounts:
    """Finds accounts, and judges whose they are. Reads only."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def find(self, tenant: Tenant, tenant_id: TenantId, register: Register, patience: RetryBudget) -> Accounts:
        """Two listings, and a read for each registered account that the listing by name does not show.

        What passes by itself is asked again within ``patience``.

        Only an index that is behind can be asked for tags: it finds accounts under any name, and may say of one that
        it is closed long after it was opened. The listing by name is the directory's own, so it has precedence.
        """
        tags = tag_prefix(self._backend.settings.installation)
        by_object = {row.object_id: row for row in register.accounts if row.object_id}
        by_name = {row.account_name.lower(): row for row in register.accounts if row.object_id is None}
        # Each of these failures leaves the other accounts to be closed.
        users, untagged = await _listed(partial(tenant.users.tagged, OWNER_TAG_ATTRIBUTE, tags), patience)
        prefix = register.account_prefix
        named, unnamed = await _listed(partial(tenant.users.named, prefix), patience) if prefix else ({}, None)
        users |= {
            user.id: user for user in named.values() if user.id in users or user.id in by_object or _carries(user, tags)
        }
        not_listed = [row for key, row in by_object.items() if key not in named]
        found, gone, unread = await _read_each(tenant, not_listed, patience)
        missing = tuple(row for row in gone if row.object_id not in users)
        users |= found
        accounts = tuple(
            self.judge(tenant_id, user, by_object.get(user.id) or by_name.get(user.user_principal_name.lower()))
            for user in users.values()
        )
        names = {row.account_name.lower() for row in register.accounts}
        strangers = [user for user in named.values() if user.id not in users]
        return Accounts(
            accounts,
            missing,
            tuple(user for user in strangers if user.user_principal_name.lower() not in by_name),
            tuple(user for user in strangers if user.user_principal_name.lower() in names),
            unread,
            untagged or unnamed,
        )

    def judge(self, tenant_id: TenantId, user: User, row: Registered | None) -> Account:
        """Whose account it is, by tag and register."""
        if row is None:
            register, holder = marks.Register.SILENT, self._claimed_holder(tenant_id, user)
        else:
            register = marks.Register.NAMES_IT if row.object_id == user.id else marks.Register.INTENDS_IT
            holder = Holder(tenant_id, row.technician_id, row.account_name)
        judged = self._backend.inspect(user, holder, register)
        found = Found(
            kind=row.kind if row else holder.kind,
            may_be_closed=judged.may_be_closed,
            enabled=user.account_enabled,
            holds_access=False,
            mark=judged.open_until,
            is_registered=row is not None,
            settled_at=row.settled_at if row else None,
        )
        return Account(user, row, found, judged.alarm())

    def _claimed_holder(self, tenant_id: TenantId, user: User) -> Holder:
        """Whose the account is by its own tag alone, as after the ledger was lost."""
        name = user.user_principal_name
        keyring = self._backend.keyring
        owner = read_owner_tag(keyring, user.extension_attributes.get(OWNER_TAG_ATTRIBUTE), tenant_id, name)
        return Holder(tenant_id, owner.technician_id if owner else TechnicianId(""), name)


async def _listed(
    listing: Callable[[], AsyncIterator[User]], patience: RetryBudget
) -> tuple[dict[str, User], GraphError | None]:
    """What a listing has given, and what broke it off."""
    users: dict[str, User] = {}

    async def read() -> None:
        async for user in listing():
            users[user.id] = user

    try:
        await patience.ask(read)
    except GraphError as error:
        return users, error
    return users, None


def _carries(user: User, tags: str) -> bool:
    """Whether the account has an owner tag of ours; whether it is a valid one is for ``judge`` to say."""
    return (user.extension_attributes.get(OWNER_TAG_ATTRIBUTE) or "").startswith(tags)


async def _read_each(
    tenant: Tenant, rows: Iterable[Registered], patience: RetryBudget
) -> tuple[dict[str, User], list[Registered], dict[str, GraphError]]:
    """The accounts of these rows by their ids, the rows whose account is not there, and by name what failed."""
    found, gone, unread = dict[str, User](), list[Registered](), dict[str, GraphError]()
    for row in rows:
        if row.object_id is None:
            continue
        try:
            found[row.object_id] = await patience.ask(partial(tenant.users.get, row.object_id))
        except NotYetVisibleError:
            gone.append(row)
        except GraphError as error:
            unread[row.account_name] = error
    return found, gone, unread
