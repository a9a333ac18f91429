"""Which accounts are ours by the register, also while the ledger is away: what it has told this very worker.

The object id that a closing step is sent proves nothing. A writer to Temporal can send such a step by
themselves, with the id of a customer's own administrator in it.
"""

from __future__ import annotations

from entra_jit.ledger import accounts
from entra_jit.ledger.database import Ledger
from models.messages import ObjectId, TenantId


class RegisteredAccounts:
    """Remembers object ids. An id is never given to another object, so none needs to be forgotten."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: set[tuple[TenantId, ObjectId]] = set()

    async def read_all(self) -> None:
        """Read the whole register beforehand. Raises ``LedgerUnavailableError``."""
        async with self._ledger.transaction() as session:
            self._known.update(await accounts.all_object_ids(session))

    def learn(self, tenant_id: TenantId, object_id: ObjectId | None) -> None:
        """The ledger has just said so."""
        if object_id is not None:
            self._known.add((tenant_id, object_id))

    async def know(self, tenant_id: TenantId, object_id: ObjectId) -> bool:
        """Whether the ledger says that this account is ours, or has ever said so while it cannot be asked."""
        if (tenant_id, object_id) in self._known:
            return True
        asked = "whether an account is registered"
        if await self._ledger.attempt(asked, lambda session: accounts.is_registered(session, tenant_id, object_id)):
            self._known.add((tenant_id, object_id))
        return (tenant_id, object_id) in self._known
