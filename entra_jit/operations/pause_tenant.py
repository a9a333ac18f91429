"""Hold provisioning of a tenant in trouble, and let it go on. Closing is never held."""

from __future__ import annotations

from pydantic import ValidationError

from entra_jit.ledger import configuration, holds
from entra_jit.operations.deployment import Deployment
from models.errors import BadInputError, NotFoundError
from models.holds import Hold, HoldKind


async def pause_tenant(deployment: Deployment, by: str, tenant: str, reason: str) -> Hold:
    """Let no step that widens access in the tenant begin until it is resumed; what is open stays open.

    Idempotent: the first pause stands with its reason, and is given. Raises ``BadInputError`` or ``NotFoundError``.
    """
    at = deployment.clock()
    try:
        said = Hold(kind=HoldKind.PAUSE, since=at, by=by, reason=reason)
    except ValidationError as error:
        raise BadInputError.of(error) from None
    async with deployment.ledger.transaction() as session:
        row = await configuration.tenant_by_name(session, tenant)
        if row is None:
            raise NotFoundError(f"There is no tenant {tenant!r}.")
        return await holds.place(session, said.kind, tenant_id=row.id, by=said.by, reason=said.reason, at=at)


async def resume_tenant(deployment: Deployment, by: str, tenant: str) -> bool:
    """Let provisioning go on; what waits does so within seconds. False where the tenant was not paused.

    Raises ``NotFoundError``.
    """
    async with deployment.ledger.transaction() as session:
        row = await configuration.tenant_by_name(session, tenant)
        if row is None:
            raise NotFoundError(f"There is no tenant {tenant!r}.")
        return await holds.lift(session, HoldKind.PAUSE, tenant_id=row.id, by=by, at=deployment.clock())
