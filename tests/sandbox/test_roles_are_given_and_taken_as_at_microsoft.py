"""A client survives a lost answer because the id of an assignment can be computed, and because repeating is an error.

If ids or errors differed here, the recovery would be tested against a fiction.
"""

from __future__ import annotations

import base64
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.directory.roles import assignment_id, built_in_roles
from tests.sandbox.seeded import (
    ADELE,
    GLOBAL_ADMINISTRATOR,
    REPORTS_READER,
    USER_ADMINISTRATOR,
    Graph,
    Refusal,
    refusal,
)

ROOT = "/roleManagement/directory"


def asked(principal: str, role: str = REPORTS_READER, scope: str = "/") -> dict[str, str]:
    return {
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
        "principalId": principal,
        "roleDefinitionId": role,
        "directoryScopeId": scope,
    }


def test_ids_are_those_that_microsoft_computes() -> None:
    assert (
        assignment_id(GLOBAL_ADMINISTRATOR, "ace08ec9-aa11-4ada-9145-addf0398233e")
        == "lAPpYvVpN0KRkAEhdxReEMmO4KwRqtpKkUWt3wOYIz4-1"
    )
    assert (
        assignment_id(
            "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
            "6b937a9d-c731-465b-a844-2d5b5368c161",
            "/661e1310-bd76-4795-89a7-8f3c8f855bfc",
        )
        == "kl2Jm9Msx0SdAqasLV6lw516k2sxx1tGqEQtW1NowWEQEx5mdr2VR4mnjzyPhVv8-1"
    )


@given(st.uuids(), st.uuids())
def test_an_id_tells_role_and_principal(role: UUID, principal: UUID) -> None:
    text = assignment_id(str(role), str(principal)).removesuffix("-1")
    packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert (UUID(bytes_le=packed[:16]), UUID(bytes_le=packed[16:])) == (role, principal)


def test_giving_reading_and_taking_a_role(graph: Graph, account: str) -> None:
    client = graph()
    given_role = client.post(f"{ROOT}/roleAssignments", json=asked(account))
    assert given_role.status_code == 201
    body = given_role.json()
    assert body["@odata.context"].endswith("#roleManagement/directory/roleAssignments/$entity")
    assert body["id"] == assignment_id(REPORTS_READER, account)
    read = client.get(f"{ROOT}/roleAssignments/{body['id']}?$expand=roleDefinition").json()
    assert read["roleDefinition"]["displayName"] == "Reports Reader"
    assert client.delete(f"{ROOT}/roleAssignments/{body['id']}").status_code == 204
    assert refusal(client.delete(f"{ROOT}/roleAssignments/{body['id']}")).status == 404
    listed = client.get(f"{ROOT}/roleAssignments?$filter=principalId eq '{account}'").json()
    assert listed["value"] == []


def test_giving_it_twice_is_a_conflict(graph: Graph, account: str) -> None:
    client = graph()
    client.post(f"{ROOT}/roleAssignments", json=asked(account))
    assert refusal(client.post(f"{ROOT}/roleAssignments", json=asked(account))) == Refusal(
        400,
        "Request_BadRequest",
        "A conflicting object with one or more of the specified property values is present in the directory.",
    )


@pytest.mark.parametrize(
    ("role", "principal", "scope", "status"),
    [
        (REPORTS_READER, "00000000-0000-4000-8000-00000000dead", "/", 404),
        ("00000000-0000-4000-8000-00000000dead", ADELE, "/", 404),
        ("10dae51f-b6af-4016-8d66-8c2a99b929b3", ADELE, "/", 400),
        (REPORTS_READER, "c0c0c0c0-2222-4222-8222-00000000ee01", "/", 400),
        (REPORTS_READER, "c0c0c0c0-2222-4222-8222-00000000ee02", "/", 201),
        (REPORTS_READER, ADELE, "/administrativeUnits/00000000-0000-4000-8000-00000000dead", 404),
    ],
    ids=["no principal", "no role", "implicit role", "ordinary group", "role-assignable group", "no scope"],
)
def test_only_what_can_hold_a_role_gets_one(graph: Graph, role: str, principal: str, scope: str, status: int) -> None:
    assert graph().post(f"{ROOT}/roleAssignments", json=asked(principal, role, scope)).status_code == status


def test_assignments_are_listed_by_principal_and_role_with_the_principal(graph: Graph, account: str) -> None:
    client = graph()
    for role in (REPORTS_READER, USER_ADMINISTRATOR):
        client.post(f"{ROOT}/roleAssignments", json=asked(account, role))
    both = f"principalId eq '{account}' and roleDefinitionId eq '{USER_ADMINISTRATOR}'"
    listed = client.get(f"{ROOT}/roleAssignments?$filter={both}&$expand=principal").json()
    assert listed["@odata.context"].endswith("roleAssignments(principal())")
    (only,) = listed["value"]
    assert only["roleDefinitionId"] == USER_ADMINISTRATOR
    assert only["principal"]["@odata.type"] == "#microsoft.graph.user"


def test_all_built_in_roles_are_listed_under_their_template_ids(graph: Graph) -> None:
    listed = graph().get(f"{ROOT}/roleDefinitions").json()
    assert "@odata.nextLink" not in listed
    assert {role["id"] for role in listed["value"]} == set(built_in_roles())
    assert all(role["id"] == role["templateId"] and role["isBuiltIn"] for role in listed["value"])
    assert "isPrivileged" not in listed["value"][0], "beta only"
    named = graph().get(f"{ROOT}/roleDefinitions?$filter=displayName eq 'Global Administrator'").json()
    assert [role["id"] for role in named["value"]] == [GLOBAL_ADMINISTRATOR]


def test_roles_go_with_a_deleted_account(graph: Graph, control: httpx.Client, account: str) -> None:
    client = graph()
    client.post(f"{ROOT}/roleAssignments", json=asked(account))
    client.delete(f"/users/{account}")
    assert client.get(f"{ROOT}/roleAssignments?$filter=principalId eq '{account}'").json()["value"] == []
