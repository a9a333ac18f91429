"""The scope of an emergency stop: all, one tenant, or one technician."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from pydantic import ValidationError

from entra_jit.app import App
from entra_jit.ledger import holds
from entra_jit.ledger.fences import Fenced, fence_all
from entra_jit.ledger.names import find_technician, find_tenant
from models.actor import Actor
from models.errors import BadInputError
from models.holds import Hold, HoldKind
from models.messages import EndAccess, SignedEnd


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


async def place_stop(
    actor: Actor, app: App, reason: str, tenant: str | None, technician: str | None
) -> tuple[Hold, list[Fenced]]:
    """Stop access in the scope, and fence what is live there. The first stop of a scope stands with its reason.

    Raises what ``scope_of`` raises, or ``BadInputError`` for a reason that says nothing.
    """
    at = app.clock()
    try:
        said = Hold(kind=HoldKind.STOP, since=at, by=actor, reason=reason)
    except ValidationError as error:
        raise BadInputError.of(error) from None
    whose = asdict(await scope_of(app, tenant, technician))
    async with app.ledger.transaction() as session:
        stop = await holds.place(session, said.kind, **whose, by=said.by, reason=said.reason, at=at)
        return stop, await fence_all(session, at, actor, **whose)


def signed_end(actor: Actor, app: App, request_id: str, reason: str | None) -> SignedEnd:
    """What the workflow of a grant in scope is told."""
    ending = EndAccess(request_id=request_id, reason=reason)
    return SignedEnd(ending=ending, assertion=app.sign(actor, ending))
