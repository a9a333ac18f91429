"""Whatever was gathered during a grant is gone after it, and nothing planted before it is there when it opens.

Other products remove the role that they gave and nothing else. A technician who has registered a passkey, joined a
group or helped themselves to a second role comes back by those; so does one who registered a phone on the sleeping
account and waits for it to be opened.
"""

from __future__ import annotations

from typing import Any

import pytest

from models.messages import GrantState
from tests.stage import Scene, configure

pytestmark = pytest.mark.spine

ANOTHER_KIND_EACH = ("phone", "fido2", "microsoftAuthenticator", "softwareOath", "email", "windowsHelloForBusiness")


def of_account(scene: Scene) -> str:
    return f"/tenants/{scene.customer}/users/{scene.account()}"


def seen(scene: Scene) -> dict[str, Any]:
    user = scene.user()
    assert user is not None
    return user


async def test_what_a_technician_gathers_is_taken_away(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    account = of_account(hours_pass)
    for kind in ANOTHER_KIND_EACH:
        hours_pass.control("POST", f"{account}/methods", kind=kind)
    hours_pass.control("POST", f"{account}/groups", name="Friends of the house")
    hours_pass.control("POST", f"{account}/groups", name="Tier 0", role_assignable=True)
    hours_pass.control("POST", f"{account}/roles", roles=["Global Administrator", "Exchange Administrator"])
    hours_pass.control("PATCH", account, password="sandbox-only-Chosen1")
    gathered = seen(hours_pass)
    assert len(gathered["methods"]) == len(ANOTHER_KIND_EACH)
    assert len(gathered["groups"]) == 2
    assert len(gathered["roles"]) == 4
    assert hours_pass.signs_in(hours_pass.account(), password="sandbox-only-Chosen1")

    await hours_pass.time_passes(request_id)

    hours_pass.assert_closed()
    left = seen(hours_pass)
    assert left["role_assignments"] == []
    assert left["must_change_password"]
    assert left["sessions_valid_from"] > gathered["sessions_valid_from"]
    hours_pass.control("PATCH", account, enabled=True)
    assert not hours_pass.signs_in(hours_pass.account(), password="sandbox-only-Chosen1"), "it was scrambled"
    receipt = await hours_pass.receipt(request_id)
    assert receipt.standing is not None
    assert receipt.standing.is_closed


async def test_what_was_planted_on_a_closed_account_never_opens_with_it(hours_pass: Scene) -> None:
    # With a password, any method that is left would let its owner in.
    await configure(hours_pass, credential="password")
    await hours_pass.receipt(await hours_pass.ask(hours=1))
    account = of_account(hours_pass)
    for kind in ANOTHER_KIND_EACH:
        hours_pass.control("POST", f"{account}/methods", kind=kind)
    hours_pass.control("POST", f"{account}/roles", roles=["Global Administrator"])
    hours_pass.a_while_later()
    before = len(hours_pass.journal(writes=True))

    request_id = await hours_pass.ask(held=True)
    opened = await hours_pass.until(request_id, GrantState.OPEN)

    found = seen(hours_pass)
    assert found["methods"] == []
    assert (
        found["roles"]
        == sorted(item.name for item in opened.access)
        == ["Helpdesk Administrator", "User Administrator"]
    )
    calls = hours_pass.journal(writes=True)[before:]
    deleting = [place for place, call in enumerate(calls) if call["method"] == "DELETE"]
    *_, enabling = [place for place, call in enumerate(calls) if call["method"] == "PATCH"]
    assert len(deleting) == len(ANOTHER_KIND_EACH) + 1
    assert max(deleting) < enabling, "first they are gone, then it opens"
    await hours_pass.time_passes(request_id)
    hours_pass.assert_closed()
