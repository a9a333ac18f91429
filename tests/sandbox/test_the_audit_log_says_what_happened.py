"""Drift is found by reading who did what; a log that misses a change, or invents one, hides an intruder or accuses one.

Entries are composed from rows that really changed, under the names that detections look for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from sandbox.graph.licences import P1, P2
from sandbox.identity.clients import AZURE_CLI
from tests.sandbox.seeded import ADELE, ADMIN, ELEVATE, FABRIKAM, REPORTS_READER, REVOKE, Graph, new_user, refusal

ROLES = "/roleManagement/directory/roleAssignments"
Log = Callable[..., list[dict[str, object]]]


@pytest.fixture
def log(graph: Graph, control: httpx.Client) -> Log:
    """The audit log of contoso, newest first, as ``log(filter)`` shows it to an application that may read it."""
    grant = {"service_principals": [{"app": ELEVATE, "grant": ["AuditLog.Read.All"]}]}
    assert control.post("/tenants/contoso", json=grant).status_code == 200
    reader = graph()

    def read(wanted: str | None = None) -> list[dict[str, object]]:
        answer = reader.get("/auditLogs/directoryAudits", params={"$filter": wanted} if wanted else {})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["value"])

    return read


def names(entries: list[dict[str, object]]) -> list[object]:
    return [entry["activityDisplayName"] for entry in entries]


def test_a_grant_from_creation_to_closing_is_there_step_by_step(graph: Graph, log: Log) -> None:
    client, closing = graph(), graph(REVOKE)
    user = client.post("/users", json=new_user(accountEnabled=False)).json()["id"]
    held = client.post(ROLES, json={"principalId": user, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"})
    client.post(f"/users/{user}/authentication/temporaryAccessPassMethods", json={})
    client.patch(f"/users/{user}", json={"accountEnabled": True})
    closing.patch(f"/users/{user}", json={"accountEnabled": False})
    closing.patch(f"/users/{user}", json={"passwordProfile": {"password": "sandbox-only-Other-2"}})
    closing.post(f"/users/{user}/revokeSignInSessions", json={})
    (a_pass,) = closing.get(f"/users/{user}/authentication/temporaryAccessPassMethods").json()["value"]
    closing.delete(f"/users/{user}/authentication/temporaryAccessPassMethods/{a_pass['id']}")
    closing.delete(f"{ROLES}/{held.json()['id']}")
    closing.delete(f"/users/{user}")
    mine = [entry for entry in log() if user in json.dumps(entry["targetResources"])]
    assert list(reversed(names(mine))) == [
        "Add user",
        "Add member to role",
        "Admin registered security info",
        "Enable account",
        "Disable account",
        "Reset user password",
        "Update StsRefreshTokenValidFrom Timestamp",
        "Admin deleted security info",
        "Remove member from role",
        "Delete user",
    ]
    by = {entry["activityDisplayName"]: entry["initiatedBy"]["app"]["displayName"] for entry in mine}  # type: ignore[index]
    assert by["Enable account"] == "entra-jit elevate"
    assert by["Disable account"] == "entra-jit revoke"


def test_an_entry_names_actor_request_and_values_before_and_after(graph: Graph, log: Log, account: str) -> None:
    mine = "11111111-2222-4333-8444-555555555555"
    changed = graph().patch(f"/users/{account}", json={"accountEnabled": False}, headers={"client-request-id": mine})
    assert changed.status_code == 204
    (entry,) = log("activityDisplayName eq 'Disable account'")
    assert entry["correlationId"] == mine
    assert (entry["result"], entry["category"], entry["loggedByService"]) == (
        "success",
        "UserManagement",
        "Core Directory",
    )
    assert entry["initiatedBy"]["user"] is None  # type: ignore[index]
    (target,) = entry["targetResources"]  # type: ignore[misc]
    assert (target["id"], target["type"]) == (account, "User")
    assert {"displayName": "AccountEnabled", "oldValue": "[true]", "newValue": "[false]"} in target[
        "modifiedProperties"
    ]


def test_what_somebody_else_gave_is_told_apart_by_its_initiator(graph: Graph, control: httpx.Client, log: Log) -> None:
    control.post(f"/tenants/contoso/users/{ADELE}/roles", json={"roles": ["Exchange Administrator"]})
    own = next(
        one["id"] for one in control.get("/tenants/contoso").json()["service_principals"] if one["app_id"] == ELEVATE
    )
    body = {"principalId": ADELE, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"}
    graph().post(ROLES, json=body)
    given = log("activityDisplayName eq 'Add member to role'")
    assert len(given) == 2
    (ours,) = (one for one in given if own in json.dumps(one["initiatedBy"]))
    (theirs,) = log(f"activityDisplayName eq 'Add member to role' and initiatedBy/user/id eq '{ADMIN}'")
    assert "Reports Reader" in json.dumps(ours["targetResources"])
    assert "Exchange Administrator" in json.dumps(theirs["targetResources"])


def test_entries_are_found_by_time_target_and_beginning(graph: Graph, log: Log, account: str) -> None:
    graph().patch(f"/users/{account}", json={"department": "IT"})
    (update,) = log(f"targetResources/any(t:t/id eq '{account}') and activityDisplayName eq 'Update user'")
    since = update["activityDateTime"]
    assert update in log(f"activityDateTime ge {since}")
    assert log(f"activityDateTime ge {since} and startswith(activityDisplayName,'Update')") == [update]
    page = graph().get("/auditLogs/directoryAudits?$top=1&$orderby=activityDateTime desc").json()
    assert page["value"] == [update]
    assert "@odata.nextLink" in page
    assert page["@odata.context"].endswith("$metadata#auditLogs/directoryAudits")


def test_nothing_is_logged_when_nothing_changed(graph: Graph, log: Log, account: str) -> None:
    before = log()
    client = graph()
    assert client.patch(f"/users/{account}", json={"accountEnabled": True}).status_code == 204
    assert client.delete("/users/nobody").status_code == 404
    assert client.get(f"/users/{account}").status_code == 200
    assert log() == before


@pytest.mark.parametrize(("plans", "kept"), [([], 7), ([P1], 30)])
def test_entries_go_when_the_licence_says_so(
    graph: Graph, control: httpx.Client, log: Log, account: str, plans: list[str], kept: int
) -> None:
    control.post("/tenants/contoso", json={"service_plans": plans})
    assert "Add user" in names(log())
    control.post("/clock", json={"advance": timedelta(days=kept, minutes=1).total_seconds()})
    fresh = graph().get("/auditLogs/directoryAudits").json()["value"]
    assert "Add user" not in names(fresh)


def test_sign_ins_are_there_with_their_reasons(graph: Graph, control: httpx.Client, log: Log) -> None:
    for password in ("sandbox-only-Adele1", "wrong"):
        control.post("/sign-in", json={"username": "adele@contoso.com", "password": password})
    listed = graph().get(f"/auditLogs/signIns?$filter=userId eq '{ADELE}'").json()
    assert listed["@odata.context"].endswith("$metadata#auditLogs/signIns")
    failed, succeeded = listed["value"]
    assert succeeded["status"]["errorCode"] == 0
    assert failed["status"]["errorCode"] == 50126
    assert succeeded["resourceDisplayName"] == "Microsoft Graph"
    activity = graph().get(f"/users/{ADELE}?$select=id,signInActivity").json()["signInActivity"]
    assert activity["lastSuccessfulSignInDateTime"] == succeeded["createdDateTime"]
    by_name = graph().get("/users/adele@contoso.com?$select=signInActivity")
    assert refusal(by_name).code == "400"


@pytest.mark.parametrize(("policy", "code"), [({"require_mfa": True}, 50079), ({"block_people": True}, 53003), ({}, 0)])
def test_a_right_password_that_is_not_enough_is_a_failed_sign_in(
    graph: Graph, control: httpx.Client, login: httpx.Client, log: Log, policy: dict[str, bool], code: int
) -> None:
    assert control.post("/tenants/contoso/sign-in-policy", json=policy).status_code == 200
    form = {
        "client_id": AZURE_CLI,
        "grant_type": "password",
        "username": "adele@contoso.com",
        "password": "sandbox-only-Adele1",
        "scope": "https://graph.microsoft.com/.default",
    }
    assert login.post("/contoso.com/oauth2/v2.0/token", data=form).json().get("error_codes", [0]) == [code]
    (entry,) = graph().get(f"/auditLogs/signIns?$filter=userId eq '{ADELE}'").json()["value"]
    assert entry["status"]["errorCode"] == code


def test_a_tenant_that_does_not_pay_has_no_sign_in_log(graph: Graph, control: httpx.Client) -> None:
    grant = {"service_principals": [{"app": ELEVATE, "grant": ["AuditLog.Read.All"]}]}
    control.post("/tenants/fabrikam", json=grant)
    refused = refusal(graph(tenant=FABRIKAM).get("/auditLogs/signIns"))
    assert (refused.status, refused.code) == (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")


def test_consent_by_api_is_logged_and_shows_in_the_next_token(graph: Graph, control: httpx.Client, log: Log) -> None:
    grant = ["AppRoleAssignment.ReadWrite.All", "Application.Read.All"]
    control.post(
        "/tenants/contoso", json={"service_plans": [P2], "service_principals": [{"app": ELEVATE, "grant": grant}]}
    )
    client = graph()
    resource = client.get("/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')").json()
    role = next(one["id"] for one in resource["appRoles"] if one["value"] == "Policy.Read.All")
    target = client.get(f"/servicePrincipals?$filter=appId eq '{REVOKE}'").json()["value"][0]["id"]
    before = graph(REVOKE)
    body = {"principalId": target, "resourceId": resource["id"], "appRoleId": role}
    assert client.post(f"/servicePrincipals/{target}/appRoleAssignments", json=body).status_code == 201
    assert before.get("/identity/conditionalAccess/policies").status_code == 403, "the old token knows nothing of it"
    assert graph(REVOKE).get("/identity/conditionalAccess/policies").status_code == 200
    assert "Add app role assignment to service principal" in names(log())
