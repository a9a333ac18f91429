"""A technician who comes back finds the same account, faster than it was made.

Other products make and delete an account for each visit: the customer's logs name another object every time, and what
was deleted counts against the directory's quota for thirty days.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from models.messages import GrantState
from tests.stage import ELEVATE, Scene

pytestmark = pytest.mark.spine

OPENING_A_KNOWN_ACCOUNT = Counter(
    {
        # At the same time: is the domain fit, and is there an account?
        "GET /organization": 1,
        "GET /domains/*": 1,
        "GET /users/*": 1,
        # At the same time: roles, one call for each, and what the account could be signed in to with.
        "POST /roleManagement/directory/roleAssignments": 2,
        "GET /users/*/authentication/methods": 1,
        "GET /policies/*": 1,
        # At the same time: the roles are read back, the pass is made.
        "GET /roleManagement/directory/roleAssignments": 1,
        "POST /users/*/authentication/temporaryAccessPassMethods": 1,
        # Last: the revoking application shows that it may disable the account; then enabled and marked in one.
        "PATCH /users/*": 2,
    }
)
MAKING_IT = Counter({"POST /users": 1})


def shape(call: dict[str, Any]) -> str:
    path = call["path"].removeprefix("/v1.0").partition("?")[0]
    path = re.sub(r"(?<=/users/)[^/]+|(?<=/domains/).+|(?<=/policies/).+|(?<=/groups/)[^/]+", "*", path)
    return f"{call['method']} {path}"


async def visit(scene: Scene) -> tuple[dict[str, Any], Counter[str]]:
    """The open account, and the calls that opening it took, without those that read what it has beside them."""
    before = len(scene.journal())
    request_id = await scene.ask(held=True)
    await scene.until(request_id, GrantState.OPEN)
    calls = [call for call in scene.journal()[before:] if call["app_id"] == ELEVATE or call["method"] != "GET"]
    user = scene.user()
    assert user is not None
    await scene.time_passes(request_id)
    scene.assert_closed()
    return user, Counter(map(shape, calls))


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
