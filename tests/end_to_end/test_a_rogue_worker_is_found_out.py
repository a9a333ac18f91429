"""A foreign worker can poll our task queue and report a closing that it never did. The account is closed all the same.

Temporal has no permission that prevents this: write access to the namespace is enough. If the reported closing were
the last word, the account would stay open for ever, with a receipt that says it is closed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio import activity
from temporalio.worker import Worker

from entra_jit.operations.reconcile import reconcile
from models.messages import AccountToClose, Closed, ClosingStep, Fence, GrantState, Standing, Step
from tests.actors import TESTER
from tests.stage import Scene
from worker import activities_of
from workflows.access_grant import AccessGrant


class Rogue:
    """Answers for what closes an account, and does nothing."""

    def __init__(self) -> None:
        self.seen: list[AccountToClose] = []

    @activity.defn
    async def close(self, account: AccountToClose) -> Closed:
        """Nothing."""
        self.seen.append(account)
        steps = tuple(Step(name=step, at=datetime.now(UTC)) for step in (ClosingStep.DISABLED, ClosingStep.READ_BACK))
        standing = Standing(exists=True, enabled=False)
        return Closed(steps=steps, standing=standing, fence=Fence(lease_until=None))


async def test_a_closing_that_was_only_reported_is_done_by_the_reconciler(real_time: Scene) -> None:
    request_id = await real_time.ask(hours=4)
    await real_time.until(request_id, GrantState.OPEN)
    [honest] = real_time.workers
    await real_time.stop_worker(honest)
    rogue = Rogue()
    genuine = [ours for ours in activities_of(real_time.app) if not hasattr(rogue, ours.__name__)]

    async with Worker(
        real_time.services.client,
        task_queue=real_time.settings.task_queue,
        workflows=[AccessGrant],
        activities=[rogue.close, *genuine],
    ):
        await real_time.workflow(request_id).signal("end")
        receipt = await real_time.receipt(request_id)

    assert receipt.standing is not None
    assert receipt.standing.is_closed
    user = real_time.user()
    assert user is not None
    assert user["enabled"], "the rogue has closed it after all"
    # What it was told to close with is nobody's secret: names, ids and roles.
    assert {type(account) for account in rogue.seen} == {AccountToClose}

    [report] = await reconcile(TESTER, real_time.app, real_time.customer)

    assert len(report.closed) == 1, report
    real_time.assert_closed()
