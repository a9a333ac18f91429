"""Run the doctor's canary in a tenant."""

from __future__ import annotations

from uuid import uuid4

from entra_jit.accounts.doctor.canary import canary_request
from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import canaries
from entra_jit.ledger.configuration import tenant_terms
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from entra_jit.operations._sending import send_request
from models.actor import Actor


@asks(Verb.RUN_CANARY)
async def run_canary(actor: Actor, app: App, tenant: str) -> str:
    """Have the canary's account opened, durably. Gives the request's id: end it as soon as it is open.

    Left alone it closes within a quarter of an hour. Raises ``NotFoundError``. A tenant in which one is live
    already denies it.
    """
    async with app.ledger.transaction() as session:
        terms = tenant_terms(await find_tenant(session, tenant))
        await canaries.ensure(session)
    request = canary_request(terms, uuid4().hex[:10], app.clock())
    await send_request(actor, app, request)
    return request.request_id
