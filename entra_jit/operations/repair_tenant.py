"""Put right in a tenant what the doctor can: only what is ours."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from entra_jit.accounts.doctor import repairs
from entra_jit.accounts.doctor.examine import sign_in_to
from entra_jit.accounts.doctor.repairs import Repair
from entra_jit.app import App
from entra_jit.graph import GraphError
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import events, examinations
from entra_jit.ledger.events import NewEvent
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from models.actor import Actor
from models.checks import Repaired
from models.events import EventKind
from models.messages import DirectoryCall, TenantId


@asks(Verb.REPAIR_TENANT)
@at_a_worker
async def repair_tenant(actor: Actor, app: App, tenant: str, agreed: Sequence[str] = ()) -> list[Repaired]:
    """What can be repaired in the tenant. Of that, the changes that were ``agreed``, by their sentences, are made.

    So nothing is changed that was not shown before. Idempotent. Raises ``NotFoundError``, and ``GraphError`` where the
    tenant cannot be read. A repair that Microsoft refuses is told as such, and the others are made.
    """
    async with app.ledger.transaction() as session:
        [configured] = await examinations.tenants(session, app.clock(), [tenant])
    examined, signed_in = await sign_in_to(app, configured)
    if examined is None:
        return [Repaired(check=signed_in.check, change=f"{signed_in.read} {signed_in.to_do}".strip(), by_hand=True)]
    planned = await repairs.plan(examined, app.settings.login_url)
    return [await _repaired(actor, app, configured.terms.id, repair, do=repair.change in agreed) for repair in planned]


async def _repaired(actor: Actor, app: App, tenant_id: TenantId, repair: Repair, *, do: bool) -> Repaired:
    found = Repaired(check=repair.check, change=repair.change, by_hand=repair.make is None)
    if repair.make is None or not do:
        return found
    try:
        call = await repair.make()
    except GraphError as error:
        return found.model_copy(update={"refused": str(error)})
    await _enter(actor, app, tenant_id, repair, call)
    return found.model_copy(update={"done": True})


async def _enter(actor: Actor, app: App, tenant_id: TenantId, repair: Repair, call: DirectoryCall | None) -> None:
    body = {"check": repair.check.code, "change": repair.change, "call": call and call.model_dump(mode="json")}
    async with app.ledger.transaction() as session:
        event = NewEvent(EventKind.TENANT_REPAIRED, actor, body, tenant_id=UUID(tenant_id))
        await events.append(session, event)
