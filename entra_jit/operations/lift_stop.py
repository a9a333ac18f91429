"""Lift an emergency stop: access may be asked for again. Nothing is opened by it."""

from __future__ import annotations

from entra_jit.ledger import holds
from entra_jit.operations.deployment import Deployment
from entra_jit.operations.stop_scope import scope_of
from models.holds import HoldKind


async def lift_stop(
    deployment: Deployment, by: str, *, tenant: str | None = None, technician: str | None = None
) -> bool:
    """Lift the stop of exactly this scope; other stops stand. False where there was none in force.

    What it closed stays closed, and what it refused is to be asked for anew.
    Raises ``BadInputError`` or ``NotFoundError``.
    """
    scope = await scope_of(deployment, tenant, technician)
    async with deployment.ledger.transaction() as session:
        return await holds.lift(
            session,
            HoldKind.STOP,
            tenant_id=scope.tenant_id,
            technician_id=scope.technician_id,
            by=by,
            at=deployment.clock(),
        )
