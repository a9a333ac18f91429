"""Deciding a request: what comes with the workflow's start is answered by policy, and waited for its turn."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.options import LEDGER
from activities.signatures import Deciding
from entra_jit.policy.durations import DECISION_WINDOW
from models import actor
from models.grant_progress import GrantProgress
from models.messages import Decision, FailureType, GrantState, Verdict
from models.names import workflow_id
from workflows.execution import execute_locally
from workflows.refusals import refusal_of
from workflows.view import publish

REQUEST_MUST_COME_WITHIN = timedelta(minutes=5)
WAIT_FOR_A_CLOSING_GRANT = timedelta(minutes=5)
ASK_AGAIN_AFTER = timedelta(seconds=1)
ASK_AGAIN_AT_LEAST_EVERY = timedelta(seconds=30)


async def decide(progress: GrantProgress) -> None:
    """Leaves a grant, which may be open already after a reset, or an ending."""
    decision = await _ask(progress)
    waited_since, pause = workflow.now(), ASK_AGAIN_AFTER
    while decision.verdict is Verdict.WAIT and workflow.now() - waited_since < WAIT_FOR_A_CLOSING_GRANT:
        await workflow.sleep(pause, summary=decision.sentence)
        pause = min(2 * pause, ASK_AGAIN_AT_LEAST_EVERY)
        decision = await _ask(progress)
    if decision.verdict is Verdict.ALLOWED and decision.grant:
        progress.grant = decision.grant
        progress.move_to(GrantState.PREPARING, decision.sentence)
        if decision.earlier:
            progress.take_up(decision.earlier)
        publish(progress)
    elif decision.verdict is Verdict.OVER:
        progress.end(GrantState.ENDED, actor.LEDGER, "The request was decided before, and its grant is over.")
    else:
        progress.end(GrantState.DENIED, actor.POLICY, decision.sentence)


async def _ask(progress: GrantProgress) -> Decision:
    try:
        await workflow.wait_condition(lambda: progress.asked is not None, timeout=REQUEST_MUST_COME_WITHIN)
    except TimeoutError:
        return Decision(verdict=Verdict.DENIED, sentence="No request came with the start of the workflow.")
    assert progress.asked is not None  # noqa: S101  # says the condition
    request = progress.asked.request
    if workflow.info().workflow_id != workflow_id(request.request_id):
        return Decision(verdict=Verdict.DENIED, sentence="The request was made for another workflow.")
    try:
        return await execute_locally(
            Deciding.decide,
            progress.asked,
            LEDGER,
            summary=f"{request.technician} asks for {request.tenant}",
            within=DECISION_WINDOW,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        refused = refusal_of(error)
        if refused.failure is not FailureType.REFUSED:
            # No rule has said no: none could be asked.
            progress.end(GrantState.FAILED, actor.PROVISIONING_WINDOW, refused.sentence, refused.failure)
        return Decision(verdict=Verdict.DENIED, sentence=refused.sentence)
