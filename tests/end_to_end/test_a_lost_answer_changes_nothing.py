"""The answer to any write of a grant can get lost, before or after the write takes effect. The grant ends the same.

Repeating a creation whose answer was lost makes a second account. Treating the refusal of that repetition as a failure
leaves the first account behind. Assuming that a password was set hands out a password that does not work.
"""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from entra_jit.operations.reveal_credential import reveal_credential
from models.messages import CredentialKind, GrantState
from tests.actors import TESTER
from tests.end_to_end.grant_calls import CLOSING_WRITES, FIRST_IS_A_TRIAL, OPENING_WRITES, TRYING_TO_CLOSE
from tests.stage import Scene, Services, configure, scene

pytestmark = pytest.mark.spine

Drop = Literal["before", "after"]
ROLES = {"Helpdesk Administrator", "User Administrator"}


@pytest.mark.parametrize("kind", list(CredentialKind))
async def test_whatever_answer_is_lost_there_is_one_account_and_it_is_closed(
    services: Services, kind: CredentialKind
) -> None:
    async with scene(services, customers=2, skips_time=False) as stage:
        await configure(stage, credential=kind.value)

        await asyncio.gather(
            *(
                live_through(stage, customer, kind, drop)
                for customer, drop in zip(stage.customers, ("before", "after"), strict=True)
            )
        )


async def live_through(stage: Scene, customer: str, kind: CredentialKind, drop: Drop) -> None:
    """A first grant, in which every write is lost once, and a second one on the same account."""
    unused = "set the password" if kind is CredentialKind.TEMPORARY_ACCESS_PASS else "make the pass"
    writes: dict[str, dict[str, object]] = {
        name: {**call} for name, call in (OPENING_WRITES | CLOSING_WRITES).items() if name != unused
    }
    writes["disable"] = {**writes["disable"], **FIRST_IS_A_TRIAL}
    if kind is CredentialKind.PASSWORD:
        del writes["delete the pass"]
    lost = {
        name: stage.fault(customer=customer, **{"count": 1, **call}, drop=drop)
        for name, call in {"try to close": TRYING_TO_CLOSE, **writes}.items()
    }
    await grant_and_end(stage, customer, kind)

    met = {fault["id"] for fault in stage.control("GET", "/faults") if fault["hits"]}
    assert {name for name, fault in lost.items() if fault not in met} == set(), "writes that were never tried"

    await grant_and_end(stage, customer, kind)
    assert len([user for user in stage.everything(customer) if user["user_principal_name"].startswith("msp-")]) == 1
    created = [call for call in stage.journal(customer, writes=True) if (call["method"], call["path"]) == CREATED]
    assert len(created) == 1


CREATED = ("POST", "/v1.0/users")


async def grant_and_end(stage: Scene, customer: str, kind: CredentialKind) -> None:
    """One grant, looked at while it is open and after it was ended."""
    request_id = await stage.ask(customer=customer)
    await stage.until(request_id, GrantState.OPEN)

    account = stage.account(customer=customer)
    user = stage.user(customer=customer)
    assert user is not None
    assert set(user["roles"]) == ROLES
    [(registered,)] = stage.sql("SELECT object_id FROM managed_accounts WHERE account_name = %s", account)
    assert str(registered) == user["id"]
    _, revealed = await reveal_credential(TESTER, stage.app, request_id, "alex")
    credential = {kind.value: revealed.secret.get_secret_value()}
    opens = stage.signs_in(account, **credential)  # apart from the assertion, which would print the credential
    assert opens

    await stage.workflow(request_id).signal("end")
    receipt = await stage.receipt(request_id)

    assert receipt.ending.state is GrantState.ENDED
    assert receipt.standing is not None
    assert receipt.standing.is_closed
    assert receipt.object_id == user["id"]
    stage.assert_closed(customer=customer)
    still_opens = stage.signs_in(account, **credential)
    assert not still_opens
