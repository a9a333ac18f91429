"""The third clock. Whatever became of a grant's workflow, its account is closed: a scheduler's row deleted by hand, a
workflow terminated or lost with its database, a ledger restored from yesterday or empty, a worker down at the expiry.

Other products lose accounts here for ever, because what would close them is the very thing that is gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from entra_jit.operations.cancel_access import cancel_access
from entra_jit.operations.list_failures import Selection, list_failures
from entra_jit.operations.show_receipt import show_receipt
from models.actor import RECONCILER
from models.errors import RefusedError
from models.messages import GrantState
from tests.actors import TESTER
from tests.end_to_end.provisioning_steps import STEPS
from tests.end_to_end.reconciler import reconciled, reconciled_once
from tests.stage import REVOKE, Scene
from workflows.reconciliation import Reconciliation

pytestmark = pytest.mark.spine


async def opened_and_terminated(act: Scene, hours: float = 1) -> str:
    """A grant whose workflow was terminated by hand while it was open."""
    request_id = await act.ask(hours=hours)
    await act.until(request_id, GrantState.OPEN)
    await act.workflow(request_id).terminate("by hand")
    return request_id


async def test_a_terminated_grant_is_closed_at_its_expiry_and_settled(real_time: Scene) -> None:
    request_id = await opened_and_terminated(real_time)
    before = await reconciled(real_time)
    assert not before.closed
    assert real_time.user()["enabled"]  # type: ignore[index]

    after = await reconciled(real_time, later=timedelta(hours=1, minutes=2))
    assert len(after.closed) == 1
    assert request_id in after.closed[0]
    real_time.assert_closed()
    with pytest.raises(Exception, match="receipt is written"):
        await show_receipt(TESTER, real_time.app, request_id)
    status = await real_time.status(request_id)
    assert status.state is GrantState.CLOSING
    assert status.closed_at is not None
    assert "The reconciler has closed the account" in status.sentence
    assert (await list_failures(TESTER, real_time.app, Selection())).found == []
    with pytest.raises(RefusedError, match="The reconciler has closed"):
        await cancel_access(TESTER, real_time.app, request_id)

    await reconciled(real_time, later=timedelta(hours=2))
    receipt = await show_receipt(TESTER, real_time.app, request_id)
    assert receipt.ending.by == RECONCILER
    assert receipt.standing is not None
    assert receipt.standing.is_closed
    assert receipt.alarms
    # The lock is free again.
    again = await real_time.ask()
    await real_time.until(again, GrantState.OPEN)


@pytest.mark.parametrize("ledger", ["kept", "lost"])
async def test_a_closing_that_was_cut_short_is_finished(real_time: Scene, ledger: str) -> None:
    """The account is disabled, so that nothing about it looks open; the pass is still there."""
    await opened_and_terminated(real_time)
    for table in ("sealed_credentials", "grants", "managed_accounts") if ledger == "lost" else ():
        real_time.sql(f"DELETE FROM {table}")  # noqa: S608
    later = timedelta(hours=1, minutes=2)
    throttled = real_time.fault(method="GET", path="/users/*/authentication/methods", app=REVOKE, status=429, count=1)

    assert (await reconciled_once(real_time, later=later)).failed
    assert real_time.hits(throttled) == 1
    assert not (real_time.user() or {})["enabled"]
    assert len((await reconciled(real_time, later=later)).closed) == 1
    real_time.assert_closed()


async def test_a_live_grant_and_an_opening_in_flight_are_left_alone(real_time: Scene) -> None:
    request_id = await real_time.ask(hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    real_time.sql("UPDATE grants SET expires_at = now() - interval '1 hour', lease_until = now() + interval '1 minute'")
    assert not (await reconciled(real_time)).closed
    assert real_time.user()["enabled"]  # type: ignore[index]


async def test_what_is_not_ours_is_reported_and_never_touched(real_time: Scene) -> None:
    request_id = await opened_and_terminated(real_time)
    ours: dict[str, Any] = real_time.user() or {}
    stolen = ours["extension_attributes"]["extensionAttribute14"]
    stranger = f"stranger@{real_time.customer}.onmicrosoft.com"
    real_time.control(
        "POST",
        f"/tenants/{real_time.customer}/users",
        user_principal_name=stranger,
        display_name="Stranger",
        enabled=True,
        roles=["Global Administrator"],
        extension_attributes={"extensionAttribute14": stolen},
    )
    before = real_time.user(stranger)

    report = await reconciled(real_time, later=timedelta(hours=2))

    assert real_time.user(stranger) == before
    assert [line for line in report.reported if stranger in line]
    assert request_id in report.closed[0]


async def test_a_broken_tag_does_not_keep_a_registered_account_open(real_time: Scene) -> None:
    await opened_and_terminated(real_time)
    user = f"/tenants/{real_time.customer}/users/{real_time.account()}"
    real_time.control("PATCH", user, extension_attributes={"extensionAttribute14": None, "extensionAttribute15": None})

    await reconciled(real_time, later=timedelta(hours=2))

    assert not real_time.user()["enabled"]  # type: ignore[index]
    assert not real_time.user()["roles"]  # type: ignore[index]


async def test_a_closed_account_holds_nothing(hours_pass: Scene) -> None:
    await hours_pass.receipt(await hours_pass.ask())
    user = f"/tenants/{hours_pass.customer}/users/{hours_pass.account()}"
    hours_pass.control("POST", f"{user}/roles", roles=["Exchange Administrator"])
    hours_pass.control("POST", f"{user}/groups", name="Planted", role_assignable=False)

    report = await reconciled(hours_pass)

    assert len(report.closed) == 1
    hours_pass.assert_closed()
    assert not (await reconciled(hours_pass)).closed


@pytest.mark.exact("has one run of the schedule, of which Microsoft may put off a part")
async def test_the_scheduled_workflow_reports_every_tenant(real_time: Scene) -> None:
    await opened_and_terminated(real_time)
    real_time.sql("UPDATE grants SET armed_at = armed_at - interval '3 hours', expires_at = now() - interval '2 hours'")
    real_time.a_while_later()

    report = await real_time.services.client.execute_workflow(
        Reconciliation.run, id=f"reconciliation-{real_time.customer}", task_queue=real_time.settings.task_queue
    )

    assert (report.tenants, report.closed, report.failed) == (1, 1, 0)
    real_time.assert_closed()


@pytest.mark.parametrize("step", ["read the domain", "create the account"])
async def test_a_grant_that_never_made_an_account_does_not_keep_its_place_for_ever(real_time: Scene, step: str) -> None:
    """Comparing accounts never comes by a grant that has none; its technician could never ask there again."""
    stuck = real_time.fault(**STEPS[step], status=503)
    request_id = await real_time.ask()
    await real_time.reached(stuck)
    await real_time.workflow(request_id).terminate("by hand")
    real_time.mend()
    assert (await real_time.receipt(await real_time.ask())).ending.state is GrantState.DENIED

    assert not (await reconciled(real_time, later=timedelta(minutes=69))).reported
    report = await reconciled(real_time, later=timedelta(minutes=71))

    assert len(report.reported) == 1
    assert request_id in report.reported[0]
    receipt = await show_receipt(TESTER, real_time.app, request_id)
    assert (receipt.ending.state, receipt.ending.by) == (GrantState.FAILED, RECONCILER)
    again = await real_time.ask()
    await real_time.until(again, GrantState.OPEN)


async def a_grant_that_cannot_be_settled(act: Scene) -> None:
    stuck = act.fault(**STEPS["read the domain"], status=503)
    request_id = await act.ask("kim")
    await act.reached(stuck)
    await act.workflow(request_id).terminate("by hand")
    act.mend()
    act.sql("ALTER TABLE receipts ADD CHECK (document -> 'ending' ->> 'state' <> 'failed')")


async def an_account_that_cannot_be_read(act: Scene) -> None:
    await act.until(await act.ask("robin"), GrantState.OPEN)
    robins = act.user(act.account("robin")) or {}
    act.sql("UPDATE tenants SET account_prefix = ''")  # so that each is read by its id
    act.fault(method="GET", path=f"/users/{robins['id']}", status=500)


async def an_index_that_is_away(act: Scene) -> None:
    act.fault(method="GET", path="/users", status=400, code="Request_UnsupportedQuery", count=1)


async def a_listing_by_name_that_fails(act: Scene) -> None:
    act.fault(method="GET", path="/users", status=400, code="Request_UnsupportedQuery", skip=1, count=1)


@pytest.mark.exact("makes one call fail")
@pytest.mark.parametrize(
    "failure",
    [
        a_grant_that_cannot_be_settled,
        an_account_that_cannot_be_read,
        an_index_that_is_away,
        a_listing_by_name_that_fails,
    ],
)
async def test_no_failure_keeps_another_account_open(
    real_time: Scene, failure: Callable[[Scene], Awaitable[None]]
) -> None:
    """A tenant was left alone as a whole, where one thing about it could not be read or settled."""
    await opened_and_terminated(real_time)
    await failure(real_time)

    report = await reconciled_once(real_time, later=timedelta(minutes=71))

    assert [closed for closed in report.closed if real_time.account() in closed]
    assert report.failed
    real_time.assert_closed()
