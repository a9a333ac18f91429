"""A parked grant says which checks fail, and the next one in that tenant is not begun before they are good again.

Microsoft's own words for a missing role are the same as for a missing permission; people then mend the wrong one, and
every technician who asks meanwhile leaves another half-made account behind.
"""

from __future__ import annotations

from entra_jit.operations.retry_provisioning import retry_provisioning
from models.checks import Check
from models.messages import GrantState
from tests.actors import TESTER
from tests.stage import REVOKE, Scene

CLOSING_ROLE = "Privileged Authentication Administrator"


async def test_a_parked_grant_names_the_failed_checks_and_the_next_one_waits_for_them(real_time: Scene) -> None:
    tenant = f"/tenants/{real_time.customer}"
    real_time.control("POST", tenant, service_principals=[{"app": REVOKE, "remove_roles": [CLOSING_ROLE]}])
    real_time.a_while_later()
    first = await real_time.ask()
    parked = await real_time.until(first, GrantState.PARKED)
    assert f"The doctor finds {Check.DIRECTORY_ROLE.code} {Check.DIRECTORY_ROLE.title}" in parked.sentence

    second = await real_time.ask("robin")
    parked = await real_time.until(second, GrantState.PARKED)
    assert "is not ready for grants. The doctor finds D105" in parked.sentence
    assert "--fix" in parked.sentence
    assert real_time.user(real_time.account("robin")) is None, "nothing was begun"

    real_time.control("POST", tenant, service_principals=[{"app": REVOKE, "add_roles": [CLOSING_ROLE]}])
    real_time.a_while_later()
    await retry_provisioning(TESTER, real_time.app, second)
    await real_time.until(second, GrantState.OPEN)
    await retry_provisioning(TESTER, real_time.app, first)
    await real_time.until(first, GrantState.OPEN)


async def test_a_tenant_that_has_refused_nothing_is_not_examined(real_time: Scene) -> None:
    before = real_time.sql("SELECT count(*) FROM checks")
    await real_time.until(await real_time.ask(), GrantState.OPEN)
    assert real_time.sql("SELECT count(*) FROM checks") == before
