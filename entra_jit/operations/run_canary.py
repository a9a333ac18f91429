"""Run the doctor's canary in a tenant."""

from __future__ import annotations

from uuid import UUID, uuid4

from entra_jit.accounts.doctor.canary import canary_request
from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import canaries, events
from entra_jit.ledger.configuration import tenant_terms
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._sending import send_request
from models.actor import DOCTOR, Actor, ActorKind
from models.events import EventKind


@asks(Verb.RUN_CANARY)
@at_a_worker
async def run_canary(actor: Actor, app: App, tenant: str) -> str:
    """Have the canary's account opened, durably. Gives the request's id: end it as soon as it is open.

    Left alone it closes within a quarter of an hour. A person may ask for their own account alone: the doctor asks for
    them, and the journal says who had it run. Raises ``NotFoundError``. A tenant in which one is live already
    denies it.
    """
    is_person = actor.kind is ActorKind.PERSON
    async with app.ledger.transaction() as session:
        terms = tenant_terms(await find_tenant(session, tenant))
        await canaries.ensure(session)
        request = canary_request(terms, uuid4().hex[:10], app.clock())
        if is_person:
            body = {"grant": request.request_id}
            await events.append(session, NewEvent(EventKind.CANARY_RUN, actor, body, tenant_id=UUID(terms.id)))
    await send_request(DOCTOR if is_person else actor, app, request)
    return request.request_id
