"""`starter.py end` closes the account, with or without its workflow, or says that it did not.

Temporal accepts a signal for a workflow that will never read it: its task keeps failing, or no worker runs. The
command printed "Ending", and the account stayed open until its expiry.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr
from temporalio import workflow
from temporalio.worker import Worker

from entra_jit.app import App
from entra_jit.ledger.database import Ledger, LedgerUnavailableError
from entra_jit.operations.cancel_access import cancel_access
from entra_jit.operations.end_for_certain import Ended, EndedBy, end_for_certain
from entra_jit.operations.show_receipt import show_receipt
from models.errors import SettingsError, UnreachableError
from models.messages import GrantState
from tests.actors import TESTER, operator
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.stage import ELEVATE, TECHNICIANS, Scene, variant
from tests.temporal_away import without_temporal


@workflow.defn(name="AccessGrant", sandboxed=False)
class Broken:
    """What a bad release makes of the workflow: its task fails, and is repeated for ever."""

    @workflow.run
    async def run(self) -> None:
        """A bug."""
        raise RuntimeError("a bug")


@asynccontextmanager
async def broken(act: Scene) -> AsyncIterator[None]:
    """Meanwhile the only worker is one of a bad release."""
    await act.stop_worker(act.workers[0])
    async with Worker(act.services.client, task_queue=act.settings.task_queue, workflows=[Broken]):
        yield


async def end(act: Scene, request_id: str, app: App | None = None) -> Ended:
    return await end_for_certain(
        operator("kim"),
        app or act.app,
        request_id,
        "done",
        patience=timedelta(seconds=5),
    )


async def opened(act: Scene, technician: str = "alex") -> str:
    request_id = await act.ask(technician)
    await act.until(request_id, GrantState.OPEN)
    return request_id


async def test_what_its_workflow_takes_is_left_to_it(real_time: Scene) -> None:
    request_id = await opened(real_time)

    ended = await end(real_time, request_id)

    assert (ended.by, ended.sentence) == (EndedBy.WORKFLOW, f"Ending {request_id}.")
    assert (await real_time.receipt(request_id)).ending.sentence == "Ended by kim: done"
    real_time.assert_closed()


async def test_a_workflow_whose_task_keeps_failing_does_not_keep_its_account_open(real_time: Scene) -> None:
    act = real_time
    request_id, cancelled = await opened(act), await opened(act, "robin")
    act.fault(**OPENING_WRITES["assign a role"], app=ELEVATE, status=403)
    parked = await act.ask("kim")
    await act.until(parked, GrantState.PARKED)

    async with broken(act):
        ended = [
            await end(act, request_id),
            await end(act, parked),
            await end_for_certain(operator("kim"), act.app, cancelled, "x" * 500, send=cancel_access),
        ]

        assert {one.by for one in ended} == {EndedBy.EMERGENCY}
        assert all("its workflow task keeps failing" in one.sentence for one in ended)
        for technician in ("alex", "robin", "kim"):
            act.assert_closed(act.account(technician))
        receipt = await show_receipt(TESTER, act.app, request_id)
        assert receipt.ending.sentence == "Ended by kim: done"
        assert receipt.proof.is_proven

    # The mended workflow finds it settled, and its lock was given back long ago.
    act.mend()
    again = await act.ask()
    await act.start_worker()
    await act.until(again, GrantState.OPEN)
    assert (await act.receipt(request_id)).ending.sentence == "Ended by kim: done"
    assert act.user()["enabled"]  # type: ignore[index]


async def test_without_a_worker_the_account_is_closed_from_here(real_time: Scene) -> None:
    act = real_time
    request_id = await opened(act)
    await act.stop_worker(act.workers[0])
    undecided = await act.ask("robin")

    ended, of_undecided = await asyncio.gather(end(act, request_id), end(act, undecided))

    assert ended.by is EndedBy.EMERGENCY
    assert "no worker has taken its workflow task" in ended.sentence
    act.assert_closed()
    assert of_undecided.by is EndedBy.NOT_PROVEN, "a ledger that was restored may have forgotten it"
    assert "no live grant" in of_undecided.sentence
    await act.start_worker()
    assert (await act.receipt(undecided)).ending.state is GrantState.ENDED
    assert act.user(act.account("robin")) is None


async def test_a_terminated_workflow_and_an_absent_temporal_are_no_obstacle(real_time: Scene) -> None:
    act = real_time
    terminated, away, unusable = await opened(act), await opened(act, "robin"), await opened(act, "kim")
    await act.workflow(terminated).terminate("by a click")
    wrong = SettingsError("Temporal's settings cannot be used")

    ended = [
        await end(act, terminated),
        await end(act, away, without_temporal(act.app)),
        await end(act, unusable, without_temporal(act.app, wrong)),
    ]

    assert {one.by for one in ended} == {EndedBy.EMERGENCY}
    assert "terminated" in ended[0].sentence
    assert "cannot be reached" in ended[1].sentence
    assert "settings cannot be used" in ended[2].sentence
    for technician in TECHNICIANS:
        act.assert_closed(act.account(technician))


async def test_without_the_ledger_its_workflow_is_told(real_time: Scene) -> None:
    """The account is closed by what the workflow carries; that it has heard is all that can be seen."""
    act = real_time
    request_id = await opened(act)
    async with Ledger(SecretStr("postgresql://nobody@127.0.0.1:1/none")) as away:
        ended = await end(act, request_id, variant(act.app, ledger=away))
        assert ended.by is EndedBy.WORKFLOW
        assert (await act.receipt(request_id)).ending.by == operator("kim")
        act.assert_closed()

        terminated = await opened(act, "robin")
        await act.workflow(terminated).terminate("by a click")
        with pytest.raises((LedgerUnavailableError, UnreachableError)):
            await end(act, terminated, variant(act.app, ledger=away))


@pytest.mark.exact("wants its answer within the patience of one account")
async def test_what_is_not_proven_closed_says_so(real_time: Scene) -> None:
    act = real_time
    request_id = await opened(act)
    act.fault(method="PATCH", path="/users/*", body_contains='"accountEnabled":false', status=503)
    await act.workflow(request_id).terminate("by a click")

    ended = await end(act, request_id)

    assert ended.by is EndedBy.NOT_PROVEN
    assert "not proven closed" in ended.sentence
    assert act.user()["enabled"]  # type: ignore[index]
    act.mend()
    assert (await end(act, request_id)).by is EndedBy.EMERGENCY
    act.assert_closed()
