"""Say what a request would give, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from pydantic import ValidationError

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import customers, holds, requests
from entra_jit.ledger.customers import Customer
from entra_jit.ledger.names import find_technician, find_tenant
from entra_jit.operations._asking import asks
from entra_jit.policy.previewing import AccessPreview, preview
from models.actor import Actor
from models.errors import BadInputError
from models.holds import Hold
from models.messages import AccessRequest


@dataclass(frozen=True)
class Previewed:
    """What a request would give, and what stands in its way."""

    customer: Customer
    """The tenant as the technician's list has it, with their live grant there."""
    technician: str
    access: AccessPreview
    hold: Hold | None
    """What stops it, or has it wait."""


@asks(Verb.PREVIEW_ACCESS)
async def preview_access(
    actor: Actor,
    app: App,
    *,
    tenant: str,
    technician: str,
    access: Sequence[str] | None = None,
    duration: timedelta | None = None,
) -> Previewed:
    """What ``technician`` would get in ``tenant``, by the same decision as a request's.

    Nothing is recorded or sent. Raises ``NotFoundError`` or ``BadInputError``.
    """
    async with app.ledger.transaction() as session:
        whose = await find_technician(session, technician)
        there = await find_tenant(session, tenant)
        try:
            request = AccessRequest(
                tenant=there.name,
                technician=whose.name,
                request_id="preview",
                reason="preview",
                access=None if access is None else tuple(access),
                duration=duration,
                asked_at=app.clock(),
            )
        except ValidationError as error:
            raise BadInputError.of(error) from None
        facts = await requests.facts_of(session, request, app.clock())
        return Previewed(
            customer=await customers.one(session, whose, there, app.clock()),
            technician=whose.name,
            access=preview(facts),
            hold=await holds.over(session, there.id, UUID(whose.id)),
        )
