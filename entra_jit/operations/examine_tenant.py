"""Examine whether a tenant is set up for grants."""

from __future__ import annotations

from collections.abc import Sequence

from entra_jit.accounts.attempts import gather_bounded
from entra_jit.accounts.doctor.recording import examine_and_record
from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import examinations
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from models.actor import Actor
from models.checks import Examination

AT_ONCE = 8
"""How many tenants: their checks share one process's connections."""


@asks(Verb.EXAMINE_TENANT)
@at_a_worker
async def examine_tenant(actor: Actor, app: App, tenants: Sequence[str] = ()) -> list[Examination]:
    """Examine each of ``tenants``, or every active tenant where none is named. Changes nothing in them.

    The results are kept; what is worse than before is an alarm. Raises ``NotFoundError`` before anything is read.
    """
    async with app.ledger.transaction() as session:
        found = await examinations.tenants(session, app.clock(), tenants)
    return await gather_bounded(AT_ONCE, lambda one: examine_and_record(app, one, actor), found)
