"""Disconnect a tenant that has left the configuration: nothing of ours may act there any more."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from pydantic import ValidationError

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.deleting import delete_accounts
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.app import App
from entra_jit.graph import ConflictError, GraphError, Tenant
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import connections, emergency
from entra_jit.ledger.reconciliation import Registered
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._leaving import NotDisconnectedError, find_leaving
from models.actor import Actor
from models.connections import Disconnection, DisconnectionPlan
from models.errors import BadInputError
from models.messages import ObjectId, TenantId


class DeletionNotAgreedError(NotDisconnectedError):
    """Nothing was changed: what is deleted has to be meant."""

    is_attempt = False

    def __init__(self, plan: DisconnectionPlan) -> None:
        kept = f" {len(plan.emergency)} emergency accounts stay there, enabled, and their keys are deleted here."
        super().__init__(
            f"This deletes {len(plan.accounts)} accounts of ours in {plan.tenant}.{kept if plan.emergency else ''}",
            advice="If it is meant, pass --yes.",
        )
        self.plan = plan


@asks(Verb.DISCONNECT_TENANT)
@at_a_worker
async def disconnect_tenant(
    actor: Actor,
    app: App,
    tenant: str,
    reason: str,
    *,
    agreed: DisconnectionPlan | None = None,
    yes: bool = False,
    forced: bool = False,
) -> Disconnection:
    """Prove that all of our accounts are closed, take our applications' directory roles, and forget our credentials.

    The tenant must have left the configuration, which ends what is open. Where the settings say so, our accounts are
    deleted as well: without ``yes``, or a plan that was ``agreed`` to and has not grown, that changes nothing and
    raises ``DeletionNotAgreedError`` with the plan. ``forced``: go on where Microsoft does not let us in any more; the
    outcome says what was not done, and which accounts and applications only the customer can delete. Applying a
    configuration that has the tenant connects it again. Raises ``BadInputError``, ``NotFoundError`` or
    ``NotDisconnectedError``.
    """
    leaving = await find_leaving(app, tenant)
    if not (yes or _is_agreed(leaving.plan, agreed)):
        raise DeletionNotAgreedError(leaving.plan)
    tenant_id = leaving.tenant_id
    not_done = await _close(app, tenant_id, leaving.name, forced=forced)
    deleted = [] if not_done else await _delete(app, tenant_id, leaving.doomed, not_done, forced=forced)
    not_done += await _take_rights(app, tenant_id, forced=forced)
    try:
        outcome = Disconnection(
            tenant_id=tenant_id,
            tenant=leaving.name,
            reason=reason,
            accounts_deleted=tuple(sorted(deleted)),
            accounts_left=tuple(sorted({one.account_name for one in leaving.ours} - set(deleted))),
            emergency_left=leaving.emergency,
            applications_left=leaving.registered or _own_client_ids(app),
            not_done=tuple(not_done),
        )
    except ValidationError as error:
        raise BadInputError.of(error) from None
    async with app.ledger.transaction() as session:
        await emergency.forget(session, UUID(tenant_id))
        await connections.disconnected(session, actor, outcome, app.clock())
    return outcome


def _is_agreed(plan: DisconnectionPlan, agreed: DisconnectionPlan | None) -> bool:
    """Whether all that is planned was agreed to."""
    accounts, kept = (agreed.accounts, agreed.emergency) if agreed else ((), ())
    return set(plan.accounts) <= set(accounts) and set(plan.emergency) <= set(kept)


def _own_client_ids(app: App) -> tuple[str, ...]:
    own = app.own_applications
    return tuple(sorted({own[purpose].client_id for purpose in Purpose if purpose in own}))


async def _close(app: App, tenant_id: TenantId, name: str, *, forced: bool) -> list[str]:
    """Close what is open. Gives what was not done, or raises it unless ``forced``."""
    report = await TenantReconciliation(app).reconcile(tenant_id, name)
    return [_not_done(why, forced=forced) for why in ([report.failed] if report.failed else report.reported)]


async def _delete(
    app: App, tenant_id: TenantId, accounts: Sequence[Registered], not_done: list[str], *, forced: bool
) -> list[str]:
    deleted, left = await delete_accounts(app, tenant_id, accounts) if accounts else ([], [])
    not_done += [_not_done(why, forced=forced) for why in left]
    return deleted


async def _take_rights(app: App, tenant_id: TenantId, *, forced: bool) -> list[str]:
    not_done: list[str] = []
    for whose, taker in ((Purpose.REVOKE, Purpose.ELEVATE), (Purpose.ELEVATE, Purpose.REVOKE)):
        try:
            await _take_roles(app, tenant_id, whose, by=taker)
        except (GraphError, NotConnectedError) as error:
            not_done.append(_not_done(describe_error(error), forced=forced))
    return not_done


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
