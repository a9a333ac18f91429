"""Say what a reveal would give, before a person signs in for it."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import emergency, emergency_views
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from entra_jit.operations._emergency_accounts import read_reader
from entra_jit.operations._reasons import read_reason
from models.actor import Actor
from models.errors import NotFoundError
from models.messages import EmergencyAccountView, RevealRequest


@asks(Verb.REVEAL_EMERGENCY_ACCOUNT)
async def plan_emergency_reveal(
    actor: Actor, app: App, tenant: str, number: int, *, request: RevealRequest | None = None
) -> EmergencyAccountView:
    """The account as it stands; ``request`` is held to what a reveal demands. Nothing is opened or entered.

    Needs the ledger alone. Raises ``BadInputError``, ``NotFoundError`` or ``RefusedError``.
    """
    async with app.ledger.transaction() as session:
        if request is not None:
            read_reason(request.reason)
            await emergency.expect_unused(session, read_reader(request.reader))
        there = await find_tenant(session, tenant)
        for account in await emergency_views.listed(session, only=there.id):
            if account.number == number and account.account_name is not None:
                return account
    raise NotFoundError(f"{there.name} has no emergency account {number}.")
