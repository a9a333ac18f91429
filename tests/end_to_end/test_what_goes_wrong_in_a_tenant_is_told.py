"""A tenant that cannot be closed in is noticed before an account is left open in it, and once it is well again, too.

A credential that expired, a permission that was withdrawn, an account that somebody deleted or renamed: each shows at
the first closing that fails, in the middle of the night, unless somebody looks before.
"""

from __future__ import annotations

from datetime import timedelta

from activities.reconcile_tenant import TenantReconciliation
from activities.workplace import workplace_of
from models.alarms import AlarmKind
from models.messages import AddendumKind, GrantState, Proof, TenantId, TenantReport
from operations.abandon_access import abandon_access
from operations.list_alarms import list_alarms
from operations.show_receipt import show_receipt
from tests.end_to_end.reconciler import reconciled, reconciled_once
from tests.end_to_end.test_closing_goes_on_until_it_is_done import CLOSING
from tests.stage import REVOKE, Scene, customer_id


async def standing(act: Scene) -> dict[AlarmKind, str]:
    """The alarms that stand, by kind."""
    return {alarm.kind: alarm.subject for alarm in await list_alarms(act.deployment)}


async def test_an_application_that_is_switched_off_and_on(real_time: Scene) -> None:
    tenant = f"/tenants/{real_time.customer}"
    real_time.control("POST", tenant, service_principals=[{"app": REVOKE, "enabled": False}])
    assert (await reconciled_once(real_time)).failed
    assert await standing(real_time) == {AlarmKind.CREDENTIAL_DEAD: real_time.customer}
    real_time.control("POST", tenant, service_principals=[{"app": REVOKE, "enabled": True}])
    assert not (await reconciled_once(real_time)).failed
    assert not await standing(real_time)


async def test_a_permission_that_is_withdrawn_and_given_back(real_time: Scene) -> None:
    async def anew() -> TenantReport:
        """As a process that has no token yet: what it may do stands in the token, which lives for an hour."""
        async with workplace_of(real_time.settings) as workplace:
            tenant_id = TenantId(customer_id(real_time.customer))
            return await TenantReconciliation(workplace).reconcile(tenant_id, real_time.customer)

    async def consent(**changes: object) -> None:
        real_time.control("POST", f"/tenants/{real_time.customer}", service_principals=[{"app": REVOKE, **changes}])
        real_time.a_while_later()

    assert not (await anew()).failed
    assert not await standing(real_time)
    await consent(withdraw=["User.EnableDisableAccount.All"], remove_roles=["Privileged Authentication Administrator"])
    assert not (await anew()).failed
    [lost] = await list_alarms(real_time.deployment)
    assert lost.kind is AlarmKind.PERMISSION_LOST
    assert "Privileged Authentication Administrator (revoke), User.EnableDisableAccount.All (revoke)." in lost.sentence
    await consent(grant=["User.EnableDisableAccount.All"], add_roles=["Privileged Authentication Administrator"])
    await anew()
    assert not await standing(real_time)


async def test_a_deleted_account_is_watched_and_closed_when_it_comes_back(real_time: Scene) -> None:
    request_id = await real_time.ask(hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    user = real_time.user()
    assert user is not None
    path = f"/tenants/{real_time.customer}/users/{user['id']}"
    real_time.control("DELETE", path)
    real_time.a_while_later()
    await real_time.workflow(request_id).signal("end")
    receipt = await real_time.receipt(request_id)
    assert receipt.proof is Proof.VANISHED
    assert receipt.alarms
    report = await reconciled(real_time)
    assert "gone from the directory" in report.reported[0]
    assert await standing(real_time) == {AlarmKind.VANISHED: real_time.account()}

    real_time.control("POST", f"{path}/restore")
    real_time.a_while_later()
    back = real_time.user()
    assert back is not None
    assert back["enabled"]
    assert (await reconciled(real_time)).closed
    real_time.assert_closed()
    assert not await standing(real_time)
    [addendum] = (await show_receipt(real_time.deployment, request_id)).addenda
    assert addendum.kind is AddendumKind.CLOSED_LATER


async def test_an_abandoned_closing_goes_on_until_the_account_is_closed(real_time: Scene) -> None:
    request_id = await real_time.ask(hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    real_time.fault(app=REVOKE, **CLOSING["disable"], status=403)
    await real_time.workflow(request_id).signal("end")
    await real_time.until(request_id, GrantState.CLOSING)
    await abandon_access(real_time.deployment, "an operator", request_id, "nobody answers there")

    assert (await reconciled_once(real_time)).failed
    assert AlarmKind.ABANDONED in await standing(real_time)
    assert not (await show_receipt(real_time.deployment, request_id)).addenda
    real_time.mend()
    assert (await reconciled(real_time)).closed
    real_time.assert_closed()
    assert not await standing(real_time)
    [addendum] = (await show_receipt(real_time.deployment, request_id)).addenda
    assert addendum.calls
    # Proven once is enough: the next look finds it as it should be.
    assert not (await reconciled(real_time, later=timedelta(minutes=5))).closed


async def test_a_name_like_ours_is_reported_and_not_touched(real_time: Scene) -> None:
    stranger = f"msp-stranger@{real_time.customer}.onmicrosoft.com"
    real_time.control("POST", f"/tenants/{real_time.customer}/users", user_principal_name=stranger)
    real_time.a_while_later()
    before = real_time.everything()
    report = await reconciled(real_time)
    assert report.reported == (f"{stranger} has a name like ours and is not ours",)
    assert real_time.everything() == before
    assert not await standing(real_time)
