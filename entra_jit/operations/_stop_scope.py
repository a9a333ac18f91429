"""The scope of an emergency stop: all, one tenant, or one technician."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from entra_jit.app import App
from entra_jit.ledger.names import find_technician, find_tenant
from models.errors import BadInputError


@dataclass(frozen=True)
class Scope:
    """Of one tenant or of one technician; of everything where both are None."""

    tenant_id: UUID | None = None
    technician_id: UUID | None = None


async def scope_of(app: App, tenant: str | None, technician: str | None) -> Scope:
    """The scope by its name; those that the configuration no longer has are found too.

    Raises ``BadInputError`` for both at once, which is ambiguous, or ``NotFoundError``.
    """
    if tenant is not None and technician is not None:
        raise BadInputError("Name a tenant or a technician, not both.")
    async with app.ledger.transaction() as session:
        if tenant is not None:
            return Scope(tenant_id=(await find_tenant(session, tenant)).id)
        if technician is not None:
            return Scope(technician_id=UUID((await find_technician(session, technician)).id))
    return Scope()
