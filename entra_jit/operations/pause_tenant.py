"""Hold provisioning of a tenant in trouble. Closing is never held."""

from __future__ import annotations

from pydantic import ValidationError

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import holds
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.errors import BadInputError
from models.holds import Hold, HoldKind


@asks(Verb.PAUSE_TENANT)
async def pause_tenant(actor: Actor, app: App, tenant: str, reason: str) -> Hold:
    """Let no step that widens access in the tenant begin until it is resumed; what is open stays open.

    Idempotent: the first pause stands with its reason, and is given. Raises ``BadInputError`` or ``NotFoundError``.
    """
    at = app.clock()
    try:
        said = Hold(kind=HoldKind.PAUSE, since=at, by=actor, reason=reason)
    except ValidationError as error:
        raise BadInputError.of(error) from None
    async with app.ledger.transaction() as session:
        found = await find_tenant(session, tenant)
        return await holds.place(session, said.kind, tenant_id=found.id, by=said.by, reason=said.reason, at=at)
