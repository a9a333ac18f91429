"""Operations that the portal asks for, carried out where the keys are."""

from __future__ import annotations

from temporalio import activity

from activities.signatures import Errands
from entra_jit.app import App
from entra_jit.crypto.assertions import verify_actor
from entra_jit.ledger import errands
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.operations import _at_a_worker
from models.errors import EntraJitError
from models.messages import ErrandOutcome, ErrandRefusal, SignedErrand


class ErrandActivities(Errands):
    """See ``activities.signatures.Errands``."""

    def __init__(self, app: App) -> None:
        self._app = app

    @activity.defn
    async def carry_out(self, signed: SignedErrand) -> None:
        """A ledger that is away fails the activity, which is done again."""
        outcome = await self._outcome(signed)
        async with self._app.ledger.transaction() as session:
            await errands.enter(session, signed.errand.id, outcome)

    async def _outcome(self, signed: SignedErrand) -> ErrandOutcome:
        try:
            actor = verify_actor(self._app.keyring, signed.assertion, signed.errand, self._app.clock())
            actor = actor.model_copy(update={"roles": frozenset(signed.errand.roles)})
            return ErrandOutcome(result=await _at_a_worker.carry_out(actor, self._app, signed.errand))
        except LedgerUnavailableError:
            raise
        except EntraJitError as error:
            kinds = tuple(kind.__name__ for kind in type(error).__mro__)
            return ErrandOutcome(refusal=ErrandRefusal(kinds=kinds, explanation=error.explanation, advice=error.advice))
