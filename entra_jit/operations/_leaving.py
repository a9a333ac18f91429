"""A tenant that is to be disconnected: what of ours is there, and whether it may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from entra_jit.app import App
from entra_jit.ledger import connections, reconciliation
from entra_jit.ledger.names import find_tenant
from entra_jit.ledger.reconciliation import Registered
from models.connections import DisconnectionPlan
from models.errors import RefusedError
from models.marks import AccountKind
from models.messages import TenantId


class NotDisconnectedError(RefusedError):
    """Something of ours would be left in the tenant that is not proven closed. Our rights there stand."""


@dataclass(frozen=True)
class Leaving:
    """A tenant that may be disconnected, and what of ours is there."""

    tenant_id: TenantId
    name: str
    ours: Sequence[Registered]
    """But for emergency accounts, which are the customer's to keep."""
    doomed: Sequence[Registered]
    """Those that are deleted."""
    emergency: tuple[str, ...]
    """Names of emergency accounts: they stay, and their keys are deleted here."""
    registered: tuple[str, ...]

    @property
    def plan(self) -> DisconnectionPlan:
        """What disconnecting deletes, and what it leaves enabled."""
        doomed = tuple(sorted(one.account_name for one in self.doomed))
        return DisconnectionPlan(tenant=self.name, accounts=doomed, emergency=self.emergency)


async def find_leaving(app: App, tenant: str) -> Leaving:
    """The tenant, if it may go.

    Raises ``NotFoundError``, or ``NotDisconnectedError`` where it has not left, or something is open there.
    """
    async with app.ledger.transaction() as session:
        row = await find_tenant(session, tenant)
        tenant_id, name, is_active = TenantId(str(row.id)), row.name, row.active
        unsettled = await connections.unsettled_grants(session, tenant_id)
        register = await reconciliation.register(session, app.keyring, tenant_id, app.clock())
        registered = await connections.client_ids(session, tenant_id)
    _expect_left(name, unsettled, is_active=is_active)
    standing = [one for one in register.accounts if one.object_id]
    ours = [one for one in standing if one.kind is not AccountKind.EMERGENCY]
    return Leaving(
        tenant_id,
        name,
        ours,
        doomed=ours if app.settings.delete_accounts else (),
        emergency=tuple(sorted(one.account_name for one in standing if one not in ours)),
        registered=registered,
    )


def _expect_left(name: str, unsettled: Sequence[str], *, is_active: bool) -> None:
    if is_active:
        raise NotDisconnectedError(
            f"{name} is in the configuration.", advice="Take it out of the file, apply that, and disconnect it then."
        )
    if unsettled:
        raise NotDisconnectedError(
            f"{len(unsettled)} grants in {name} are not proven closed: {', '.join(unsettled[:5])}.",
            advice="Wait for their receipts, or give them up with `abandon` and a reason.",
        )
