"""Disconnect a tenant that has left the configuration: nothing of ours may act there any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from pydantic import ValidationError

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.app import App
from entra_jit.graph import ConflictError, GraphError, Tenant
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import connections, reconciliation
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.connections import Disconnection
from models.errors import BadInputError, RefusedError
from models.messages import ObjectId, TenantId


class NotDisconnectedError(RefusedError):
    """Something of ours would be left in the tenant that is not proven closed. Our rights there stand."""


@asks(Verb.DISCONNECT_TENANT)
async def disconnect_tenant(actor: Actor, app: App, tenant: str, reason: str, *, forced: bool = False) -> Disconnection:
    """Prove that all of our accounts are closed, take our applications' directory roles, and forget our credentials.

    The tenant must have left the configuration, which ends what is open. ``forced``: go on where Microsoft does not let
    us in any more; the outcome says what was not done. Our accounts stay, disabled, and only the customer can delete
    the applications: the outcome names both. Applying a configuration that has the tenant connects it again.
    Raises ``BadInputError``, ``NotFoundError`` or ``NotDisconnectedError``.
    """
    async with app.ledger.transaction() as session:
        row = await find_tenant(session, tenant)
        tenant_id, name, is_active = TenantId(str(row.id)), row.name, row.active
        unsettled = await connections.unsettled_grants(session, tenant_id)
    if is_active:
        raise NotDisconnectedError(
            f"{name} is in the configuration.", advice="Take it out of the file, apply that, and disconnect it then."
        )
    if unsettled:
        raise NotDisconnectedError(
            f"{len(unsettled)} grants in {name} are not proven closed: {', '.join(unsettled[:5])}.",
            advice="Wait for their receipts, or give them up with `abandon` and a reason.",
        )
    not_done = [why async for why in _leave(app, tenant_id, name, forced=forced)]
    async with app.ledger.transaction() as session:
        register = await reconciliation.register(session, app.keyring, tenant_id, app.clock())
        try:
            outcome = Disconnection(
                tenant_id=tenant_id,
                tenant=name,
                reason=reason,
                accounts_left=tuple(sorted(one.account_name for one in register.accounts)),
                applications_left=await connections.client_ids(session, tenant_id),
                not_done=tuple(not_done),
            )
        except ValidationError as error:
            raise BadInputError.of(error) from None
        await connections.disconnected(session, actor, outcome, app.clock())
    return outcome


async def _leave(app: App, tenant_id: TenantId, name: str, *, forced: bool) -> AsyncIterator[str]:
    """Do in the tenant what is to be done there. Gives what was not done, or raises it unless ``forced``."""
    report = await TenantReconciliation(app).reconcile(tenant_id, name)
    open_ones = [report.failed] if report.failed else list(report.reported)
    for why in open_ones:
        yield _not_done(why, forced=forced)
    for whose, taker in ((Purpose.REVOKE, Purpose.ELEVATE), (Purpose.ELEVATE, Purpose.REVOKE)):
        try:
            await _take_roles(app, tenant_id, whose, by=taker)
        except (GraphError, NotConnectedError) as error:
            yield _not_done(describe_error(error), forced=forced)


def _not_done(why: str, *, forced: bool) -> str:
    if not forced:
        raise NotDisconnectedError(why, advice="Mend it, or pass --force if Microsoft lets us in no more.")
    return why


async def _take_roles(app: App, tenant_id: TenantId, whose: Purpose, *, by: Purpose) -> None:
    """Take the directory roles of one application by the other: none can take its own, and the permission that removes
    roles needs none. A single application keeps its role until the customer deletes it."""
    granted = await (await app.directories.of(tenant_id, whose)).granted()
    taker = await app.directories.of(tenant_id, by)
    if granted is not None and granted.principal is not None and granted.client_id != taker.connection.client_id:
        await _take_all(taker, granted.principal)


async def _take_all(tenant: Tenant, principal: ObjectId) -> None:
    for held in await tenant.roles.assignments_of(principal):
        # It is gone already, or a replica has not heard of it yet, as after a first try whose answer was lost.
        with suppress(ConflictError):
            await tenant.roles.unassign(held.id)
