"""What is denied must leave no trace in the customer's directory: no account, no role, no write at all.

Other products create the account first and find out afterwards that it is not allowed, or that its domain is
federated, where the password which they have just set opens nothing.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from entra_jit.ledger.database import Ledger
from entra_jit.operations.request_access import request_access
from entra_jit.operations.reveal_credential import reveal_credential
from models.errors import NotFoundError
from models.messages import GrantState, Receipt
from tests.actors import TESTER
from tests.stage import Scene, Services, configure, scene, variant

pytestmark = pytest.mark.spine

SENIORS_ONLY = ({"group": "senior", "roles": ["Helpdesk Administrator"]},)
GLOBAL_ADMINISTRATORS = ({"group": "all-technicians", "roles": ["Global Administrator"]},)


async def ask_unseen(act: Scene, technician: str = "alex", tenant: str | None = None) -> str:
    """Ask while the ledger is away: no name can be looked up, and the rules decide by name later."""
    async with Ledger(SecretStr("postgresql://nobody@127.0.0.1:1/none")) as away:
        app = variant(act.app, ledger=away)
        return await request_access(
            TESTER, app, tenant=tenant or act.customer, technician=technician, reason="asked during an outage"
        )


async def denied(scene: Scene, request_id: str) -> Receipt:
    """The receipt of a request that must have been denied, with nothing begun."""
    receipt = await scene.receipt(request_id)
    assert receipt.ending.state is GrantState.DENIED, receipt.ending.sentence
    assert receipt.opened_at is None
    assert (await scene.workflow(request_id).result()).state is GrantState.DENIED
    assert (await scene.status(request_id)).state is GrantState.DENIED
    assert not scene.sql("SELECT 1 FROM grants WHERE request_id = %s AND settled_at IS NULL", request_id)
    assert not scene.sql("SELECT 1 FROM sealed_credentials WHERE request_id = %s", request_id)
    return receipt


async def test_what_the_rules_deny_never_reaches_the_directory(hours_pass: Scene) -> None:
    await configure(hours_pass, role_mappings=SENIORS_ONLY)
    before = hours_pass.everything()
    yesterday = variant(hours_pass.app, clock=lambda: datetime.now(UTC) - timedelta(hours=2))
    requests = {
        "No role mapping gives kim": await hours_pass.ask("kim"),
        "There is no tenant 'nowhere'": await ask_unseen(hours_pass, tenant="nowhere"),
        "There is no technician 'nobody'": await ask_unseen(hours_pass, technician="nobody"),
        "13 h cannot be granted": await hours_pass.ask(hours=13),
        "5 s cannot be granted": await hours_pass.ask(hours=5 / 3600),
        "too long ago": await request_access(
            TESTER, yesterday, tenant=hours_pass.customer, technician="alex", reason="asked before the outage"
        ),
    }

    receipts = await asyncio.gather(*(denied(hours_pass, request_id) for request_id in requests.values()))

    for sentence, receipt in zip(requests, receipts, strict=True):
        assert sentence in receipt.ending.sentence
        assert receipt.object_id is None
    assert not hours_pass.journal(), "the directory was not even looked at"
    assert hours_pass.everything() == before
    assert not hours_pass.sql("SELECT 1 FROM grants")
    with pytest.raises(NotFoundError):
        await reveal_credential(TESTER, hours_pass.app, next(iter(requests.values())), "kim")


@pytest.mark.parametrize(
    ("domain", "sentence"),
    [
        ("{}.com", "is federated: another identity provider sets its passwords"),
        ("new.{}.com", "is not verified in"),
        ("nowhere.example", "is not verified in"),
    ],
)
async def test_a_domain_that_accounts_cannot_live_in_is_refused(hours_pass: Scene, domain: str, sentence: str) -> None:
    name = domain.format(hours_pass.customer)
    await configure(hours_pass, account_domain=name)
    before = hours_pass.everything()

    receipt = await denied(hours_pass, await hours_pass.ask())

    assert f"The domain {name} {sentence}" in receipt.ending.sentence
    assert hours_pass.journal(writes=True) == []
    assert hours_pass.everything() == before
    assert not hours_pass.sql("SELECT 1 FROM managed_accounts"), "the account was not even intended"


async def test_a_domain_federated_between_two_visits_is_refused(hours_pass: Scene) -> None:
    await hours_pass.receipt(await hours_pass.ask(hours=1))
    domain = f"{hours_pass.customer}.onmicrosoft.com"
    hours_pass.control("POST", f"/tenants/{hours_pass.customer}/domains/{domain}", authentication_type="Federated")
    hours_pass.a_while_later()
    before, writes = hours_pass.everything(), len(hours_pass.journal(writes=True))

    receipt = await denied(hours_pass, await hours_pass.ask())

    assert "is federated" in receipt.ending.sentence
    assert len(hours_pass.journal(writes=True)) == writes
    assert hours_pass.everything() == before
    hours_pass.assert_closed()

    # Converted back, it is as if nothing had been.
    hours_pass.control("POST", f"/tenants/{hours_pass.customer}/domains/{domain}", authentication_type="Managed")
    hours_pass.a_while_later()
    assert (await hours_pass.receipt(await hours_pass.ask())).ending.state is GrantState.EXPIRED


async def test_global_administrator_is_not_given_where_it_could_not_be_taken_away(services: Services) -> None:
    async with scene(services, customers=4, skips_time=True) as made:
        await configure(made, role_mappings=GLOBAL_ADMINISTRATORS)
        enough, one_disabled, one_deleted, one_guest = made.customers
        second = "/tenants/{0}/users/second.admin@{0}.onmicrosoft.com"
        made.control("PATCH", second.format(one_disabled), enabled=False)
        made.control("DELETE", second.format(one_deleted))
        made.control("PATCH", second.format(one_guest), user_type="Guest")
        made.control("PATCH", second.format(enough), properties={"userType": None})  # as on old members
        made.a_while_later()
        before = {name: made.everything(name) for name in made.customers}

        for name in (one_disabled, one_deleted, one_guest):
            receipt = await denied(made, await made.ask(customer=name))
            assert "Global Administrator is not given" in receipt.ending.sentence
            assert "1 other enabled" in receipt.ending.sentence
            assert made.journal(name, writes=True) == []
            assert made.everything(name) == before[name]

        request_id = await made.ask(customer=enough, held=True)
        await made.until(request_id, GrantState.OPEN)
        assert (made.user(customer=enough) or {})["roles"] == ["Global Administrator"]
        # Our own account does not count as one of the two.
        made.control("PATCH", second.format(enough), enabled=False)
        made.a_while_later()
        # Nor does it for another technician: it is closed again, and the tenant has nothing left then.
        receipt = await denied(made, await made.ask("robin", customer=enough))
        assert "1 other enabled" in receipt.ending.sentence
        await made.time_passes(request_id)
        assert (await made.receipt(request_id)).ending.state is GrantState.EXPIRED
        made.assert_closed(customer=enough)
        assert (
            "Global Administrator is not given" in (await denied(made, await made.ask(customer=enough))).ending.sentence
        )
