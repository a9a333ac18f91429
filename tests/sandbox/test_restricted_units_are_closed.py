"""An emergency account in a restricted unit is safe from every administrator of the tenant, or the unit is no use.

Were the sandbox to let an app permission through, a rotation that works here would be refused at a customer's.
"""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.granted import grant, own_principal
from tests.sandbox.seeded import ADELE, ADMIN, REPORTS_READER, USER_ADMINISTRATOR, Graph, refusal

UNITS = "/directory/administrativeUnits"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
AUTHORITY = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"


@pytest.fixture
def client(graph: Graph, control: httpx.Client) -> httpx.Client:
    """An application with a tenant-wide role above everybody, and every permission that matters."""
    grant(control, "AdministrativeUnit.ReadWrite.All", "User.DeleteRestore.All", "User.RevokeSessions.All")
    return graph()


def unit_of(client: httpx.Client, member: str, *, restricted: bool) -> str:
    body = {"displayName": "Guarded", "isMemberManagementRestricted": restricted}
    made = client.post(UNITS, json=body)
    assert made.status_code == 201, made.text
    assert made.json()["isMemberManagementRestricted"] is restricted
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{member}"}
    assert client.post(f"{UNITS}/{made.json()['id']}/members/$ref", json=reference).status_code == 204
    return str(made.json()["id"])


def attempts(client: httpx.Client, user: str) -> list[httpx.Response]:
    return [
        client.patch(f"/users/{user}", json={"department": "changed"}),
        client.patch(f"/users/{user}", json={"accountEnabled": False}),
        client.patch(f"/users/{user}", json={"passwordProfile": {"password": "sandbox-only-Other-2"}}),
        client.post(f"/users/{user}/revokeSignInSessions", json={}),
        client.post(f"/users/{user}/authentication/temporaryAccessPassMethods", json={}),
        client.delete(f"/users/{user}"),
    ]


def test_no_permission_and_no_tenant_role_reaches_a_member(client: httpx.Client) -> None:
    unit_of(client, ADELE, restricted=True)
    for refused in attempts(client, ADELE):
        found = refusal(refused)
        assert (found.status, found.code) == (403, "Authorization_RequestDenied")
        assert "member of a restricted management administrative unit" in found.message
    shown = client.get(f"/users/{ADELE}?$select=isManagementRestricted,displayName").json()
    assert (shown["isManagementRestricted"], shown["displayName"]) == (True, "Adele Vance")


def test_an_ordinary_unit_closes_nothing(client: httpx.Client) -> None:
    unit_of(client, ADELE, restricted=False)
    assert [answer.status_code for answer in attempts(client, ADELE)] == [204, 204, 204, 200, 201, 204]
    assert client.get(f"{UNITS}").json()["value"][0]["displayName"] == "Guarded"


def test_a_role_over_the_unit_opens_it(client: httpx.Client, control: httpx.Client) -> None:
    unit = unit_of(client, ADELE, restricted=True)
    scope = f"/administrativeUnits/{unit}"
    body = {"principalId": own_principal(control), "roleDefinitionId": AUTHORITY, "directoryScopeId": scope}
    given = client.post(ASSIGNMENTS, json=body)
    assert given.status_code == 201, given.text
    assert [answer.status_code for answer in attempts(client, ADELE)] == [204, 204, 204, 200, 201, 204]


def test_who_has_left_the_unit_is_open_again(client: httpx.Client) -> None:
    unit = unit_of(client, ADELE, restricted=True)
    assert client.delete(f"{UNITS}/{unit}/members/{ADELE}/$ref").status_code == 204
    assert client.patch(f"/users/{ADELE}", json={"accountEnabled": False}).status_code == 204


def test_a_role_over_a_unit_is_no_role_in_the_tenant(client: httpx.Client, control: httpx.Client) -> None:
    unit = unit_of(client, ADELE, restricted=False)
    control.post("/tenants/contoso", json={"service_principals": [{
        "app": "entra-jit elevate", "remove_roles": ["Privileged Authentication Administrator"]}]})  # fmt: skip
    password = {"passwordProfile": {"password": "sandbox-only-Other-2"}}
    assert client.patch(f"/users/{ADELE}", json=password).status_code == 403
    body = {
        "principalId": own_principal(control),
        "roleDefinitionId": USER_ADMINISTRATOR,
        "directoryScopeId": f"/administrativeUnits/{unit}",
    }
    assert client.post(ASSIGNMENTS, json=body).status_code == 201
    assert client.patch(f"/users/{ADELE}", json=password).status_code == 204
    assert client.patch(f"/users/{ADMIN}", json=password).status_code == 403


def test_not_every_role_can_be_given_over_a_unit_and_deleting_it_takes_them(client: httpx.Client) -> None:
    unit = unit_of(client, ADELE, restricted=True)
    scope = f"/administrativeUnits/{unit}"
    body = {"principalId": ADELE, "roleDefinitionId": REPORTS_READER, "directoryScopeId": scope}
    assert refusal(client.post(ASSIGNMENTS, json=body)).status == 400
    body["roleDefinitionId"] = USER_ADMINISTRATOR
    assert client.post(ASSIGNMENTS, json=body).status_code == 201
    (member,) = client.get(f"{UNITS}/{unit}/scopedRoleMembers").json()["value"]
    assert member["roleMemberInfo"] == {"id": ADELE, "displayName": "Adele Vance"}
    assert client.delete(f"{UNITS}/{unit}").status_code == 204
    assert client.get(f"{ASSIGNMENTS}?$filter=principalId eq '{ADELE}'").json()["value"] == []


def test_a_unit_without_dynamic_rules_is_shown_as_the_service_shows_it(client: httpx.Client) -> None:
    unit = unit_of(client, ADELE, restricted=False)
    shown = client.get(f"{UNITS}/{unit}").json()
    assert shown["@odata.context"].endswith("#administrativeUnits/$entity")
    assert refusal(client.patch(f"{UNITS}/{unit}", json={"isMemberManagementRestricted": True})).status == 400
    direct = client.get(f"/users/{ADELE}/memberOf").json()["value"]
    assert "#microsoft.graph.administrativeUnit" in {item["@odata.type"] for item in direct}
