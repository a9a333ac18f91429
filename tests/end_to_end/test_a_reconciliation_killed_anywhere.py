"""A worker is killed before, in and after every activity of a reconciliation; the next round makes up for it, once.

A review that dies between its alarm and its addendum has told people and remembers nothing: they are told again by each
round, or the receipt never says what was found.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from datetime import timedelta

import pytest

from entra_jit.operations.list_alarms import list_alarms
from entra_jit.operations.show_receipt import show_receipt
from models.alarms import AlarmKind
from models.messages import AddendumKind
from tests.actors import TESTER
from tests.end_to_end import dying_worker
from tests.end_to_end.deaths import RECONCILIATION
from tests.end_to_end.dying_worker import Point, Suicide
from tests.end_to_end.misbehaving import Misbehaving, open_for_everything
from tests.patience import PATIENCE_SECONDS, eventually
from tests.stage import Scene, Services, scene
from workflows.reconciliation import Reconciliation
from workflows.reviews import Reviews

HALF_AN_HOUR = timedelta(minutes=31)
AT_ONCE = 4

PLACES = (
    *(Suicide(activity, point) for activity in RECONCILIATION for point in Point),
    # One after the other of its transactions: what is due, credentials, the register, then for each grant the alarms
    # and the addendum.
    *(Suicide("review_tenant", Point.IN, commit) for commit in range(2, 8)),
)


@dataclass(frozen=True)
class _Left:
    """What one who has misbehaved has left: the grant, and another's account that was opened by hand."""

    grant: str
    opened: str


async def _misbehaved(act: Scene) -> _Left:
    dirty, clean = await open_for_everything(act), await act.ask("robin")
    with await Misbehaving.signed_in(act, dirty) as alex:
        alex.excludes_itself()
    for request_id in (dirty, clean):
        await act.workflow(request_id).signal("end")
        await act.receipt(request_id)
    account = act.account("robin")
    act.control("PATCH", f"/tenants/{act.customer}/users/{account}", enabled=True)
    return _Left(dirty, account)


async def _round(act: Scene, name: str) -> object:
    client, queue = act.services.client, act.settings.task_queue
    await client.execute_workflow(Reconciliation.run, id=f"{name}-{queue}", task_queue=queue)
    return await client.execute_workflow(Reviews.run, id=f"{name}-{queue}", task_queue=queue)


async def _is_told_but_not_written(act: Scene, grant: str) -> bool:
    """People were told of what the review has found, and it remembers nothing of that."""
    told = any(alarm.subject == grant for alarm in await list_alarms(TESTER, act.app))
    return told and not (await show_receipt(TESTER, act.app, grant)).addenda


async def _killed_and_made_up_for(services: Services, place: Suicide) -> bool:
    """Gives whether it died between its alarm and its addendum."""
    async with scene(services, customers=1, skips_time=False) as act:
        left = await _misbehaved(act)
        await act.stop_worker(act.workers[0])
        address = services.client.service_client.config.target_host
        dies = dying_worker.start(act.settings, address, place, ahead=HALF_AN_HOUR)
        round_ = asyncio.create_task(_round(act, "killed"))
        lives = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while dies.is_alive():
                    await asyncio.sleep(0.2)
            assert dies.exitcode == -signal.SIGKILL, f"{place}: it ended by itself"
            between = await _is_told_but_not_written(act, left.grant)
            lives = dying_worker.start(act.settings, address, ahead=HALF_AN_HOUR)
            await asyncio.wait_for(round_, PATIENCE_SECONDS)

            async def made_up_for() -> bool | None:
                await _round(act, "next")
                addenda = (await show_receipt(TESTER, act.app, left.grant)).addenda
                return True if addenda else None

            await eventually(made_up_for)
            act.assert_closed(left.opened)
            kinds = [addendum.kind for addendum in (await show_receipt(TESTER, act.app, left.grant)).addenda]
            assert kinds == [AddendumKind.AUDIT_REVIEW]
            raised = [(alarm.kind, alarm.subject) for alarm in await list_alarms(TESTER, act.app, standing_only=False)]
            assert sorted(raised) == [(AlarmKind.FOREIGN_CHANGE, left.opened), (AlarmKind.PERSISTENCE, left.grant)]
            return between
        finally:
            round_.cancel()
            dies.kill()
            if lives:
                lives.kill()


@pytest.mark.long
@pytest.mark.exact("a person does not repeat what a late replica refuses")
async def test_the_next_round_makes_up_for_it_once(services: Services) -> None:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(place: Suicide) -> Exception | bool:
        async with at_once:
            try:
                return await _killed_and_made_up_for(services, place)
            except Exception as error:
                error.add_note(f"killed {place}")
                return error

    died = await asyncio.gather(*map(one, PLACES))
    if failed := [error for error in died if isinstance(error, Exception)]:
        raise ExceptionGroup("where a worker was killed", failed)
    assert True in died, "none of them died between its alarm and its addendum"
