"""Were the sandbox laxer than Microsoft about who may act on whom, a closing that works here would be refused there.

An app permission alone disables no administrator: the application's own directory role decides.
"""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.seeded import (
    ADMIN,
    CONTOSO,
    ELEVATE,
    GLOBAL_ADMINISTRATOR,
    REVOKE,
    SECOND_ADMIN,
    Graph,
    refusal,
)

PAA = "Privileged Authentication Administrator"
DENIED = "Insufficient privileges to complete the operation."


def service_principal(control: httpx.Client, app: str = REVOKE, **changes: object) -> None:
    body = {"service_principals": [{"app": app} | changes]}
    assert control.post("/tenants/contoso", json=body).status_code == 200


def hold(control: httpx.Client, user: str, *roles: str) -> None:
    assert control.post(f"/tenants/contoso/users/{user}/roles", json={"roles": list(roles)}).status_code == 200


@pytest.mark.parametrize(
    ("own_role", "target_role", "allowed"),
    [
        (None, None, True),
        (None, "Reports Reader", False),
        ("User Administrator", "Reports Reader", True),
        ("User Administrator", "User Administrator", True),
        ("User Administrator", "Authentication Administrator", False),
        ("Authentication Administrator", "Authentication Administrator", True),
        ("Authentication Administrator", "Helpdesk Administrator", False),
        ("User Administrator", "Exchange Administrator", False),
        ("User Administrator", "Global Administrator", False),
        (PAA, "Global Administrator", True),
        ("Global Administrator", "Privileged Role Administrator", True),
    ],
)
def test_disabling_follows_the_matrix_of_sensitive_actions(
    graph: Graph, control: httpx.Client, account: str, own_role: str | None, target_role: str | None, allowed: bool
) -> None:
    service_principal(control, remove_roles=[PAA], add_roles=[own_role] if own_role else [])
    if target_role:
        hold(control, account, target_role)
    answer = graph(REVOKE).patch(f"/users/{account}", json={"accountEnabled": False})
    assert answer.status_code == (204 if allowed else 403), answer.text
    if not allowed:
        assert (refusal(answer).code, refusal(answer).message) == ("Authorization_RequestDenied", DENIED)


def test_an_app_without_a_directory_role_resets_no_password_at_all(
    graph: Graph, control: httpx.Client, account: str
) -> None:
    body = {"passwordProfile": {"password": "sandbox-only-Other-2"}}
    service_principal(control, remove_roles=[PAA])
    assert refusal(graph(REVOKE).patch(f"/users/{account}", json=body)).status == 403
    service_principal(control, add_roles=["User Administrator"])
    assert graph(REVOKE).patch(f"/users/{account}", json=body).status_code == 204


def test_a_disable_that_was_refused_succeeds_when_the_roles_are_gone(
    graph: Graph, control: httpx.Client, account: str
) -> None:
    service_principal(control, remove_roles=[PAA])
    hold(control, account, "Exchange Administrator")
    client = graph(REVOKE)
    assert client.patch(f"/users/{account}", json={"accountEnabled": False}).status_code == 403
    (held,) = client.get(f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{account}'").json()[
        "value"
    ]
    assert client.delete(f"/roleManagement/directory/roleAssignments/{held['id']}").status_code == 204
    assert client.patch(f"/users/{account}", json={"accountEnabled": False}).status_code == 204


def test_members_of_role_assignable_groups_are_protected_without_any_role(
    graph: Graph, control: httpx.Client, account: str
) -> None:
    control.post(f"/tenants/contoso/users/{account}/groups", json={"name": "Empty Handed", "role_assignable": True})
    service_principal(control, remove_roles=[PAA], add_roles=["User Administrator"])
    assert graph(REVOKE).patch(f"/users/{account}", json={"accountEnabled": False}).status_code == 403
    assert graph(REVOKE).delete(f"/users/{account}").status_code == 403
    assert graph(REVOKE).post(f"/users/{account}/revokeSignInSessions", json={}).status_code == 403


def test_what_is_not_sensitive_needs_the_permission_only(graph: Graph, control: httpx.Client) -> None:
    service_principal(control, ELEVATE, remove_roles=[PAA])
    assert graph().patch(f"/users/{ADMIN}", json={"department": "IT"}).status_code == 204
    assert graph().patch(f"/users/{ADMIN}", json={"mobilePhone": "+1"}).status_code == 403


@pytest.mark.parametrize(
    ("withdrawn", "method", "path", "body", "code"),
    [
        ("RoleManagement.ReadWrite.Directory", "POST", "/roleManagement/directory/roleAssignments", {}, None),
        ("RoleManagement.ReadWrite.Directory", "GET", "/roleManagement/directory/roleDefinitions", None, None),
        ("UserAuthenticationMethod.ReadWrite.All", "GET", f"/users/{ADMIN}/authentication/methods", None,
         "accessDenied"),
        ("User.ReadWrite.All", "GET", "/users", None, None),
        ("GroupMember.ReadWrite.All", "DELETE", f"/groups/x/members/{ADMIN}/$ref", None, None),
        ("Organization.Read.All", "GET", "/organization", None, None),
    ],
)  # fmt: skip
def test_each_operation_needs_its_permission(
    graph: Graph, control: httpx.Client, withdrawn: str, method: str, path: str, body: object, code: str | None
) -> None:
    before = graph(REVOKE)
    service_principal(control, withdraw=[withdrawn, "Directory.Read.All"])
    answer = graph(REVOKE).request(method, path, json=body)
    assert refusal(answer).status == 403
    assert refusal(answer).code == (code or "Authorization_RequestDenied")
    unchanged = before.request(method, path, json=body)
    assert unchanged.status_code != 403, "a token keeps the roles that it was issued with"


def test_the_last_global_administrator_stays(graph: Graph) -> None:
    client = graph(REVOKE)
    wanted = f"roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"
    listed = client.get(f"/roleManagement/directory/roleAssignments?$filter={wanted}")
    ids = {held["principalId"]: held["id"] for held in listed.json()["value"]}
    assert set(ids) == {ADMIN, SECOND_ADMIN}
    assert client.delete(f"/roleManagement/directory/roleAssignments/{ids[ADMIN]}").status_code == 204
    refused = client.delete(f"/roleManagement/directory/roleAssignments/{ids[SECOND_ADMIN]}")
    assert refusal(refused).status == 400
    assert refusal(client.delete(f"/users/{SECOND_ADMIN}")).status == 400
    assert client.delete(f"/users/{ADMIN}").status_code == 204


def test_nobody_takes_a_role_from_itself(graph: Graph, control: httpx.Client) -> None:
    client = graph(REVOKE)
    shown = control.get(f"/tenants/{CONTOSO}").json()["service_principals"]
    own = next(principal["id"] for principal in shown if principal["app_id"] == REVOKE)
    (held,) = client.get(f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{own}'").json()["value"]
    assert refusal(client.delete(f"/roleManagement/directory/roleAssignments/{held['id']}")).status == 400
