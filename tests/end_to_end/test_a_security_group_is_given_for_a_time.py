"""A security group is given with a grant and taken with it, like a role, and only one whose members can be changed.

A group that Conditional Access excludes is worth as much as a role. One that stays behind is a door for whoever opens
the account next; one whose members Graph cannot change would park a grant, or keep its closing from ever being proven.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from entra_jit.operations.close_all import close_all
from entra_jit.operations.end_access import end_access
from entra_jit.operations.retry_provisioning import retry_provisioning
from models.alarms import AlarmKind
from models.errors import BadInputError
from models.messages import AccessKind, GrantState, Receipt
from models.sweep import FindingKind
from tests.actors import operator
from tests.end_to_end.visits import OPENING_A_KNOWN_ACCOUNT, visit
from tests.stage import Scene, configure

NAME = "Operators"
GROUPS_ALONE = ({"group": "all-technicians", "security_groups": [NAME]},)
BOTH = ({"group": "all-technicians", "roles": ["Helpdesk Administrator"], "security_groups": [NAME]},)

UNSUITABLE = {
    "can hold directory roles": {"role_assignable": True},
    "has dynamic membership": {"dynamic": True},
    "is mail-enabled": {"mail_enabled": True},
    "is synchronised from an on-premises directory": {"synced": True},
    "is no security group": {"security_enabled": False},
}
"""What Microsoft or prudence refuses, each by what the sentence says of the group."""

READ_THE_GROUP: dict[str, object] = {"method": "GET", "path": "/groups/*"}


def make_group(scene: Scene, name: str = NAME, **kind: bool) -> str:
    """A group of the customer's; its id."""
    group = scene.control("POST", f"/tenants/{scene.customer}/groups", name=name, **kind)
    scene.a_while_later()
    return str(group["id"])


def change_group(scene: Scene, **kind: bool) -> None:
    scene.control("PATCH", f"/tenants/{scene.customer}/groups/{NAME}", **kind)


async def map_group(scene: Scene, group: str, role_mappings: tuple[object, ...] = BOTH) -> None:
    await configure(scene, role_mappings=role_mappings, security_groups=[{"name": NAME, "id": group}])


def seen(scene: Scene) -> dict[str, Any]:
    user = scene.user()
    assert user is not None
    return user


def groups_of(scene: Scene) -> list[str]:
    return [group["name"] for group in seen(scene)["groups"]]


def of_account(scene: Scene) -> str:
    return f"/tenants/{scene.customer}/users/{scene.account()}"


async def ended(scene: Scene, request_id: str) -> Receipt:
    await end_access(operator("kim"), scene.app, request_id)
    return await scene.receipt(request_id)


@pytest.mark.spine
async def test_it_is_held_while_the_grant_is_open_and_is_no_finding(hours_pass: Scene) -> None:
    await map_group(hours_pass, make_group(hours_pass))
    for visit_number in (1, 2):  # the account is made, then it is a known one whose baseline is taken
        request_id = await hours_pass.ask(held=True)
        opened = await hours_pass.until(request_id, GrantState.OPEN)

        assert [(item.kind, item.name) for item in opened.access] == [
            (AccessKind.ROLE, "Helpdesk Administrator"),
            (AccessKind.GROUP, NAME),
        ]
        assert groups_of(hours_pass) == [NAME], visit_number
        assert seen(hours_pass)["roles"] == ["Helpdesk Administrator"]

        await hours_pass.time_passes(request_id)

        hours_pass.assert_closed()
        receipt = await hours_pass.receipt(request_id)
        assert receipt.access == opened.access
        assert receipt.findings == ()
        assert receipt.standing is not None
        assert receipt.standing.is_closed


async def test_what_was_planted_beside_it_is_found_and_taken(hours_pass: Scene) -> None:
    await map_group(hours_pass, make_group(hours_pass))
    await hours_pass.receipt(await hours_pass.ask(hours=1))
    hours_pass.control("POST", f"{of_account(hours_pass)}/groups", name="Planted while it slept")
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    assert groups_of(hours_pass) == [NAME]

    hours_pass.control("POST", f"{of_account(hours_pass)}/groups", name="Planted while it was open")
    receipt = await ended(hours_pass, request_id)

    hours_pass.assert_closed()
    planted = [finding.sentence for finding in receipt.findings if finding.kind is FindingKind.MEMBERSHIP]
    assert any("Planted while it was open" in sentence for sentence in planted)
    assert not any(NAME in sentence for sentence in planted)


async def test_a_grant_of_a_group_alone_opens_no_account_that_holds_a_role(hours_pass: Scene) -> None:
    """Planted on a sleeping account, the role would be held by whoever signs in for the group."""
    await map_group(hours_pass, make_group(hours_pass), GROUPS_ALONE)
    await hours_pass.receipt(await hours_pass.ask(hours=1))
    hours_pass.control("POST", f"{of_account(hours_pass)}/roles", roles=["Global Administrator"])

    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)

    assert (seen(hours_pass)["roles"], groups_of(hours_pass)) == ([], [NAME])
    await ended(hours_pass, request_id)
    hours_pass.assert_closed()


@pytest.mark.parametrize("because", UNSUITABLE)
async def test_an_unsuitable_group_is_refused_when_it_is_applied(hours_pass: Scene, because: str) -> None:
    group = make_group(hours_pass, **UNSUITABLE[because])
    before = hours_pass.sql("SELECT group_name, kind, item_id FROM role_mappings ORDER BY 1, 2, 3")

    with pytest.raises(BadInputError, match=rf":\d+: tenant {hours_pass.customer}: The group {NAME} .* {because}"):
        await map_group(hours_pass, group)

    assert hours_pass.sql("SELECT group_name, kind, item_id FROM role_mappings ORDER BY 1, 2, 3") == before


async def test_a_group_that_the_tenant_does_not_have_is_refused_when_it_is_applied(hours_pass: Scene) -> None:
    with pytest.raises(BadInputError, match=f"tenant {hours_pass.customer}: The tenant has no group {NAME}"):
        await map_group(hours_pass, "c0c0c0c0-2222-4222-8222-00000000dead")


@pytest.mark.parametrize("status", [403, 503], ids=["not permitted", "away"])
async def test_a_tenant_that_cannot_be_asked_stops_only_what_is_new(hours_pass: Scene, status: int) -> None:
    """A group that was applied before must not keep a leaver in the configuration while the tenant is away."""
    group = make_group(hours_pass)
    hours_pass.fault(**READ_THE_GROUP, status=status)
    with pytest.raises(BadInputError, match=f"The group {NAME} could not be looked at"):
        await map_group(hours_pass, group)
    hours_pass.mend()
    await map_group(hours_pass, group)

    hours_pass.fault(**READ_THE_GROUP, status=status)
    await configure(
        hours_pass,
        technicians=("alex", "robin"),
        role_mappings=BOTH,
        security_groups=[{"name": NAME, "id": group}],
    )

    assert hours_pass.sql("SELECT name FROM technicians WHERE NOT active") == [("kim",)]


@pytest.mark.parametrize("because", UNSUITABLE)
async def test_a_group_that_has_become_unsuitable_is_not_given(hours_pass: Scene, because: str) -> None:
    await map_group(hours_pass, make_group(hours_pass), GROUPS_ALONE)
    change_group(hours_pass, **UNSUITABLE[because])
    request_id = await hours_pass.ask(held=True)
    await hours_pass.time_passes(request_id, 0.1)

    status = await hours_pass.until(request_id, GrantState.PARKED)

    assert because in status.sentence
    hours_pass.assert_closed()
    change_group(hours_pass, **{name: not wrong for name, wrong in UNSUITABLE[because].items()})
    await retry_provisioning(operator("kim"), hours_pass.app, request_id)
    await hours_pass.until(request_id, GrantState.OPEN)
    assert groups_of(hours_pass) == [NAME]
    await ended(hours_pass, request_id)
    hours_pass.assert_closed()


@pytest.mark.parametrize(
    ("kind", "words", "alarming"),
    [
        ({"mail_enabled": True}, "mail-enabled group All hands", True),
        ({"mail_enabled": True, "security_enabled": False}, "mail-enabled group All hands", False),
        ({"synced": True}, "synchronised group All hands", True),
    ],
    ids=["mail-enabled security group", "distribution list", "synchronised group"],
)
async def test_a_group_that_cannot_be_left_keeps_no_closing_from_its_proof(
    hours_pass: Scene, kind: dict[str, bool], words: str, alarming: bool
) -> None:
    """Graph cannot take an account out of one: counted as access, the closing would be repeated for ever."""
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    hours_pass.control("POST", f"{of_account(hours_pass)}/groups", name="All hands", **kind)
    hours_pass.control("POST", f"{of_account(hours_pass)}/groups", name="Everyone", dynamic=True)

    receipt = await ended(hours_pass, request_id)

    assert receipt.standing is not None
    assert receipt.standing.is_closed
    assert not seen(hours_pass)["enabled"]
    (finding,) = [one for one in receipt.findings if one.kind is FindingKind.MEMBERSHIP]
    assert words in finding.sentence
    assert not finding.removed
    assert finding.alarming == alarming, "a distribution list opens nothing"
    assert (AlarmKind.PERSISTENCE in {alarm.kind for alarm in receipt.raised}) == alarming


async def test_the_emergency_stop_takes_it_like_a_role(hours_pass: Scene) -> None:
    await map_group(hours_pass, make_group(hours_pass))
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    await close_all(operator("kim"), hours_pass.app, reason="a theft")
    hours_pass.assert_closed()


@pytest.mark.exact("counts calls, of which trouble makes more")
async def test_it_costs_three_calls_and_a_grant_without_one_none(hours_pass: Scene) -> None:
    await map_group(hours_pass, make_group(hours_pass))
    await visit(hours_pass)
    _, opening = await visit(hours_pass)
    more = Counter({"GET /groups/*": 1, "POST /groups/*/members/$ref": 1, "GET /users/*/memberOf": 1})
    one_role_less = Counter({"POST /roleManagement/directory/roleAssignments": 1})
    assert opening == OPENING_A_KNOWN_ACCOUNT + more - one_role_less
