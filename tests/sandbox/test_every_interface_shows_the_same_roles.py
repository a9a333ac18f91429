"""Three interfaces show one table of roles; a tool that uses an older one must not see, or do, something else.

Role-assignable groups and deleted items belong here too: they are how a role is held, or lost, without an assignment.
"""

from __future__ import annotations

import httpx
import pytest

from sandbox.directory.roles import assignment_id
from tests.sandbox.granted import PRIVILEGED, change, grant, hours_pass
from tests.sandbox.references import reference
from tests.sandbox.seeded import (
    ADELE,
    ADMIN,
    CONTOSO,
    FABRIKAM,
    GLOBAL_ADMINISTRATOR,
    HELPDESK,
    REPORTS_READER,
    REVOKE,
    SECOND_ADMIN,
    Graph,
    new_user,
    refusal,
)

ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
GROUP = {
    "displayName": "Operators",
    "mailEnabled": False,
    "mailNickname": "operators",
    "securityEnabled": True,
    "isAssignableToRole": True,
}


def activated(client: httpx.Client) -> dict[str, str]:
    return {role["roleTemplateId"]: role["id"] for role in client.get("/directoryRoles").json()["value"]}


def test_a_role_is_activated_by_hand_or_by_being_given(graph: Graph) -> None:
    client = graph()
    assert REPORTS_READER not in activated(client)
    made = client.post("/directoryRoles", json={"roleTemplateId": REPORTS_READER})
    assert made.status_code == 201
    assert made.json()["@odata.context"].endswith("#directoryRoles/$entity")
    assert set(made.json()) - {"@odata.context"} == {
        "id", "deletedDateTime", "description", "displayName", "roleTemplateId",
    }  # fmt: skip
    again = client.post("/directoryRoles", json={"roleTemplateId": REPORTS_READER})
    assert "conflicting object" in refusal(again).message
    exchange = "29232cdf-9323-42fd-ade2-1d097af3e4de"
    client.post(ASSIGNMENTS, json={"principalId": ADELE, "roleDefinitionId": exchange, "directoryScopeId": "/"})
    assert exchange in activated(client)
    client.delete(f"{ASSIGNMENTS}/{assignment_id(exchange, ADELE)}")
    assert exchange in activated(client), "it stays after its last holder"


@pytest.mark.parametrize("form", ["(roleTemplateId='{}')", "/roleTemplateId={}"])
def test_members_come_and_go_in_both_forms_of_the_address(graph: Graph, form: str) -> None:
    client = graph()
    client.post("/directoryRoles", json={"roleTemplateId": REPORTS_READER})
    members = f"/directoryRoles{form.format(REPORTS_READER)}/members"
    assert client.post(f"{members}/$ref", json=reference(ADELE)).status_code == 204
    assert [one["id"] for one in client.get(members).json()["value"]] == [ADELE]
    assert client.get(f"{ASSIGNMENTS}/{assignment_id(REPORTS_READER, ADELE)}").status_code == 200
    assert "already exist" in refusal(client.post(f"{members}/$ref", json=reference(ADELE))).message
    assert client.delete(f"{members}/{ADELE}/$ref").status_code == 204
    assert "do not exist" in refusal(client.delete(f"{members}/{ADELE}/$ref")).message


def test_the_last_global_administrator_stays_through_the_older_interface_too(graph: Graph) -> None:
    client = graph()
    members = f"/directoryRoles(roleTemplateId='{GLOBAL_ADMINISTRATOR}')/members"
    assert client.delete(f"{members}/{ADMIN}/$ref").status_code == 204
    assert refusal(client.delete(f"{members}/{SECOND_ADMIN}/$ref")).status == 400
    assert refusal(client.get(f"/directoryRoles/{GLOBAL_ADMINISTRATOR}")).status == 404, "a template's id is no role's"
    assert activated(graph())[GLOBAL_ADMINISTRATOR] != activated(graph(tenant=FABRIKAM))[GLOBAL_ADMINISTRATOR]


def test_templates_are_all_there_with_a_word_about_each(graph: Graph) -> None:
    templates = graph().get("/directoryRoleTemplates").json()["value"]
    definitions = graph().get("/roleManagement/directory/roleDefinitions").json()["value"]
    assert {one["id"] for one in templates} == {one["id"] for one in definitions}
    assert all(one["description"] for one in templates)
    assert refusal(graph().get("/directoryRoleTemplates/00000000-0000-4000-8000-00000000dead")).status == 404


def test_a_group_for_roles_needs_the_permission_for_roles(graph: Graph, control: httpx.Client) -> None:
    grant(control, "Group.ReadWrite.All", "GroupMember.ReadWrite.All")
    change(control, withdraw=["RoleManagement.ReadWrite.Directory"])
    client = graph()
    assert refusal(client.post("/groups", json=GROUP)).code == "Authorization_RequestDenied"
    assert client.post("/groups", json=GROUP | {"isAssignableToRole": False}).status_code == 201
    tier = "c0c0c0c0-2222-4222-8222-00000000ee02"
    assert refusal(client.post(f"/groups/{tier}/members/$ref", json=reference(ADELE))).status == 403
    assert refusal(client.patch(f"/groups/{tier}", json={"description": "x"})).status == 403
    assert refusal(client.delete(f"/groups/{tier}")).status == 403


def test_what_holds_roles_is_fixed_when_the_group_is_made(graph: Graph, control: httpx.Client) -> None:
    grant(control, "Group.ReadWrite.All")
    client = graph()
    made = client.post("/groups", json=GROUP)
    assert made.status_code == 201
    assert made.json()["isAssignableToRole"] is True
    group = made.json()["id"]
    assert "immutable" in refusal(client.patch(f"/groups/{group}", json={"isAssignableToRole": False})).message
    ordinary = client.post("/groups", json=GROUP | {"isAssignableToRole": False}).json()["id"]
    assert "Nested groups" in refusal(client.post(f"/groups/{group}/members/$ref", json=reference(ordinary))).message
    body = {"principalId": ordinary, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"}
    assert refusal(client.post(ASSIGNMENTS, json=body)).status == 400
    assert client.post(ASSIGNMENTS, json=body | {"principalId": group}).status_code == 201
    client.post(f"/groups/{group}/members/$ref", json=reference(ADELE))
    assert client.get(f"{ASSIGNMENTS}?$filter=principalId eq '{ADELE}'").json()["value"] == []
    through = client.get(f"/users/{ADELE}/transitiveMemberOf/microsoft.graph.directoryRole").json()["value"]
    assert [role["roleTemplateId"] for role in through] == [REPORTS_READER]
    assert client.delete(f"/groups/{group}").status_code == 204
    assert client.get(f"{ASSIGNMENTS}?$filter=principalId eq '{group}'").json()["value"] == []


def test_a_tenant_that_does_not_pay_has_no_groups_for_roles(graph: Graph, control: httpx.Client) -> None:
    grant(control, "Group.Create", tenant="fabrikam")
    assert refusal(graph(tenant=FABRIKAM).post("/groups", json=GROUP)).status == 400


@pytest.mark.parametrize("way", ["members", "owners"])
def test_members_and_owners_of_such_groups_are_guarded_like_administrators(
    graph: Graph, control: httpx.Client, way: str
) -> None:
    grant(control, "Group.ReadWrite.All")
    client = graph()
    group = client.post("/groups", json=GROUP).json()["id"]
    assert client.post(f"/groups/{group}/{way}/$ref", json=reference(ADELE)).status_code == 204
    change(control, remove_roles=[PRIVILEGED], add_roles=["User Administrator"])
    assert refusal(client.patch(f"/users/{ADELE}", json={"accountEnabled": False})).status == 403
    change(control, add_roles=[PRIVILEGED])
    assert client.patch(f"/users/{ADELE}", json={"accountEnabled": False}).status_code == 204


def test_a_deleted_account_is_gone_after_thirty_days(graph: Graph, control: httpx.Client, account: str) -> None:
    client = graph(REVOKE)
    client.delete(f"/users/{account}")
    hours_pass(control, 30 * 24 - 1)
    assert graph(REVOKE).get(f"/directory/deletedItems/{account}").status_code == 200
    hours_pass(control, 1.1)
    late = graph(REVOKE)
    assert late.get(f"/directory/deletedItems/{account}").status_code == 404
    assert refusal(late.post(f"/directory/deletedItems/{account}/restore", json={})).status == 404


def test_a_restored_account_has_its_groups_and_no_roles(graph: Graph, control: httpx.Client, account: str) -> None:
    control.post(f"/tenants/contoso/users/{account}/groups", json={"name": "Retail"})
    control.post(f"/tenants/contoso/users/{account}/roles", json={"roles": ["Reports Reader"]})
    client = graph(REVOKE)
    client.delete(f"/users/{account}")
    client.post("/users", json=new_user())
    path = f"/directory/deletedItems/{account}/restore"
    for name in ("nobody@nowhere.example", "not a name"):
        assert refusal(client.post(path, json={"newUserPrincipalName": name})).status == 400
    body = {"autoReconcileProxyConflict": True, "newUserPrincipalName": "back@contoso.com"}
    assert client.post(path, json=body).json()["userPrincipalName"] == "back@contoso.com"
    shown = control.get(f"/tenants/{CONTOSO}/users/{account}").json()
    assert [group["name"] for group in shown["groups"]] == ["Retail"]
    assert shown["roles"] == []


def test_restoring_an_account_that_was_guarded_needs_authority(graph: Graph, control: httpx.Client) -> None:
    client = graph(REVOKE)
    assert client.delete(f"/users/{HELPDESK}").status_code == 204
    assert client.post(f"/directory/deletedItems/{HELPDESK}/restore", json={}).status_code == 200
