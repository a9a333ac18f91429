"""Lift an emergency stop: access may be asked for again. Nothing is opened by it."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import holds
from entra_jit.operations._asking import asks
from entra_jit.operations._stop_scope import scope_of
from models.actor import Actor
from models.holds import HoldKind


@asks(Verb.LIFT_STOP)
async def lift_stop(actor: Actor, app: App, *, tenant: str | None = None, technician: str | None = None) -> bool:
    """Lift the stop of exactly this scope; other stops stand. False where there was none in force.

    What it closed stays closed, and what it refused is to be asked for anew.
    Raises ``BadInputError`` or ``NotFoundError``.
    """
    scope = await scope_of(app, tenant, technician)
    async with app.ledger.transaction() as session:
        return await holds.lift(
            session,
            HoldKind.STOP,
            tenant_id=scope.tenant_id,
            technician_id=scope.technician_id,
            by=actor,
            at=app.clock(),
        )
