"""The emergency stop from a program that opens no tenant, as the portal: workflows, closer and reconciler close.

``close_all`` closes from its own process and needs the deployment's keys. This one says first what it would do.
"""

from __future__ import annotations

from dataclasses import dataclass

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import fences
from entra_jit.operations._asking import asks
from entra_jit.operations._stop_scope import place_stop, scope_of, signed_end
from entra_jit.temporal.end_workflows import end_workflows
from models.actor import Actor
from models.errors import BadInputError
from models.holds import Hold


@dataclass(frozen=True)
class StopPlan:
    """What an emergency stop would do now."""

    scope: str
    """``contoso``, ``alex``, or ``everything``: what a person types to confirm it."""
    grants: int
    tenants: int

    @property
    def sentence(self) -> str:
        """``Ends 3 grants in 2 tenants. Nothing is granted in contoso until the stop is lifted.``"""
        ends = f"Ends {_many(self.grants, 'grant')} in {_many(self.tenants, 'tenant')}." if self.grants else ""
        until = "Nothing is granted until the stop is lifted."
        if self.scope != EVERYTHING:
            until = f"Nothing is granted for {self.scope} until the stop is lifted."
        return f"{ends or 'Nothing is open there.'} {until}"


@dataclass(frozen=True)
class Stopped:
    """What an emergency stop has begun."""

    stop: Hold
    grants: int
    """How many grants nothing is opened for any more."""
    told: int
    """How many of their workflows are closing their accounts. The reconciler closes the others."""
    unheard: str | None
    """Why Temporal could not be told; None: it was."""


EVERYTHING = "everything"


@asks(Verb.CLOSE_ALL)
async def plan_stop(actor: Actor, app: App, *, tenant: str | None = None, technician: str | None = None) -> StopPlan:
    """What stopping a tenant, a technician, or everything would do. Raises ``BadInputError`` or ``NotFoundError``."""
    scope = await scope_of(app, tenant, technician)
    async with app.ledger.transaction() as session:
        grants, tenants = await fences.count_live(session, tenant_id=scope.tenant_id, technician_id=scope.technician_id)
    return StopPlan(tenant or technician or EVERYTHING, grants, tenants)


@asks(Verb.CLOSE_ALL)
async def stop_access(
    actor: Actor, app: App, *, reason: str, confirmation: str, tenant: str | None = None, technician: str | None = None
) -> Stopped:
    """Stop access in the scope and have everything that is open there closed. Idempotent.

    ``confirmation``: the scope, typed. Raises ``BadInputError`` where it is another, or what ``plan_stop`` raises.
    """
    scope = tenant or technician or EVERYTHING
    if confirmation.strip().lower() != scope.lower():
        raise BadInputError(f"Nothing was stopped. Type {scope} to confirm it.")
    stop, live = await place_stop(actor, app, reason, tenant, technician)
    endings = {one.grant.request_id: signed_end(actor, app, one.grant.request_id, stop.reason) for one in live}
    heard = await end_workflows(app.temporal, endings)
    return Stopped(stop, len(live), len(heard.told), heard.unheard)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
