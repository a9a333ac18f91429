"""A technician who comes back finds the same account, faster than it was made.

Other products make and delete an account for each visit: the customer's logs name another object every time, and what
was deleted counts against the directory's quota for thirty days.
"""

from __future__ import annotations

from collections import Counter

import pytest

from models.messages import GrantState
from tests.end_to_end.visits import OPENING_A_KNOWN_ACCOUNT, visit
from tests.stage import Scene

pytestmark = pytest.mark.spine

MAKING_IT = Counter({"POST /users": 1})


@pytest.mark.exact("counts calls, of which trouble makes more")
async def test_the_same_account_is_opened_with_fewer_calls(hours_pass: Scene) -> None:
    first, making = await visit(hours_pass)
    second, opening = await visit(hours_pass)
    third, again = await visit(hours_pass)

    assert first["id"] == second["id"] == third["id"]
    assert first["roles"] == second["roles"] == third["roles"] == ["Helpdesk Administrator", "User Administrator"]
    assert opening == again == OPENING_A_KNOWN_ACCOUNT
    assert making - opening == MAKING_IT
    assert not opening - making
    assert hours_pass.sql("SELECT object_id::text FROM managed_accounts") == [(first["id"],)]


async def test_a_renamed_account_is_still_the_same(hours_pass: Scene) -> None:
    first, _ = await visit(hours_pass)
    where = f"/tenants/{hours_pass.customer}/users/{first['id']}"
    renamed = f"renamed@{hours_pass.customer}.onmicrosoft.com"
    hours_pass.control("PATCH", where, properties={"userPrincipalName": renamed})
    hours_pass.a_while_later()

    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)

    assert (hours_pass.user(renamed) or {})["id"] == first["id"]
    assert hours_pass.user(hours_pass.account()) is None, "no second account"
    await hours_pass.time_passes(request_id)
    hours_pass.assert_closed(renamed)
