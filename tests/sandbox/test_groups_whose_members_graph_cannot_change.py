"""Mail-enabled, dynamic and synchronised groups are read like others, and their members stay as they are.

A client that has only met security groups takes the refusal for a missing permission, or repeats it for ever.
"""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.references import reference
from tests.sandbox.seeded import ADELE, ADMIN, REVOKE, Graph, refusal

EXCHANGE = "Cannot Update a mail-enabled security groups and or distribution list."
SYNCHRONISED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects "
    "or objects currently undergoing migration."
)
DENIED = "Insufficient privileges to complete the operation."

KINDS = [
    pytest.param({"mail_enabled": True}, (400, "Request_BadRequest", EXCHANGE), id="mail-enabled"),
    pytest.param(
        {"mail_enabled": True, "security_enabled": False}, (400, "Request_BadRequest", EXCHANGE), id="distribution list"
    ),
    pytest.param({"synced": True}, (400, "Request_BadRequest", SYNCHRONISED), id="synchronised"),
    pytest.param({"dynamic": True}, (403, "Authorization_RequestDenied", DENIED), id="dynamic"),
]


@pytest.mark.parametrize(("kind", "expected"), KINDS)
def test_its_members_are_neither_added_nor_removed(
    graph: Graph, control: httpx.Client, kind: dict[str, bool], expected: tuple[int, str, str]
) -> None:
    of_adele = f"/tenants/contoso/users/{ADELE}/groups"
    assert control.post(of_adele, json={"name": "Special", **kind}).status_code == 200
    client = graph(REVOKE)
    (group,) = [
        one for one in client.get(f"/users/{ADELE}/memberOf").json()["value"] if one["displayName"] == "Special"
    ]
    members = f"/groups/{group['id']}/members"

    for answer in (
        client.post(f"{members}/$ref", json=reference(ADMIN)),
        client.patch(f"/groups/{group['id']}", json={"members@odata.bind": [reference(ADMIN)["@odata.id"]]}),
        client.delete(f"{members}/{ADELE}/$ref"),
        client.delete(f"{members}/{ADMIN}/$ref"),
    ):
        found = refusal(answer)
        assert (found.status, found.code, found.message) == expected
    assert [one["id"] for one in client.get(members).json()["value"]] == [ADELE]


def test_a_group_says_what_kind_it_is(graph: Graph, control: httpx.Client) -> None:
    names = "securityEnabled,mailEnabled,groupTypes,onPremisesSyncEnabled,isAssignableToRole"
    plain = {
        "securityEnabled": True,
        "mailEnabled": False,
        "groupTypes": [],
        "onPremisesSyncEnabled": None,
        "isAssignableToRole": None,
    }
    for number, (kind, changed) in enumerate(
        [
            ({}, {}),
            ({"dynamic": True}, {"groupTypes": ["DynamicMembership"]}),
            ({"synced": True}, {"onPremisesSyncEnabled": True}),
            ({"mail_enabled": True}, {"mailEnabled": True}),
            ({"security_enabled": False, "mail_enabled": True}, {"securityEnabled": False, "mailEnabled": True}),
            ({"role_assignable": True}, {"isAssignableToRole": True}),
        ]
    ):
        made = control.post("/tenants/contoso/groups", json={"name": f"Group {number}", **kind}).json()
        shown = graph(REVOKE).get(f"/groups/{made['id']}?$select={names}").json()
        shown.pop("@odata.context")
        assert shown == plain | changed
