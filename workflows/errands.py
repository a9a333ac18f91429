"""What the portal has a worker do at Microsoft. Nothing that closes an account waits for it."""

from __future__ import annotations

from temporalio import workflow

from activities.options import ERRAND
from activities.signatures import Errands
from models.messages import SignedErrand
from workflows.execution import execute
from workflows.inputs import TakesNoSignals


@workflow.defn
class PortalErrand(TakesNoSignals):
    """Carries out one operation for a person at the portal, who waits for the outcome."""

    @workflow.run
    async def run(self, signed: SignedErrand) -> None:
        """The person is verified by the activity: a writer to the namespace could ask for it otherwise."""
        said = f"{signed.errand.operation.replace('_', ' ').capitalize()}, for {signed.assertion.actor.name}"
        await execute(Errands.carry_out, signed, ERRAND, summary=said)
