"""What was recorded of Microsoft and is not in its reference: a client that knows that alone fails at it.

Each test names one observation; where it was made stands beside the code that answers so.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from tests.sandbox.granted import change, grant, own_principal
from tests.sandbox.seeded import (
    ADELE,
    CONTOSO,
    ELEVATE,
    REVOKE,
    SECRETS,
    Graph,
    new_user,
    refusal,
)

AUDITS = "/auditLogs/directoryAudits"
ELIGIBILITIES = "/roleManagement/directory/roleEligibilitySchedules"
MICROSOFTS_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"


def ask(login: httpx.Client, **changes: str) -> httpx.Response:
    """A token for the elevating application."""
    form = {"client_id": ELEVATE, "client_secret": SECRETS[ELEVATE], "grant_type": "client_credentials"}
    scope = "https://graph.microsoft.com/.default"
    return login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form | {"scope": scope} | changes)


def test_the_audit_names_applications_by_their_service_principal_alone(graph: Graph, control: httpx.Client) -> None:
    """Microsoft's own have one as well."""
    grant(control, "AuditLog.Read.All", "Application.Read.All")
    client = graph()
    client.patch(f"/users/{ADELE}", json={"department": "IT"})
    by_hand = {"activity": "Update user", "by_service": "Microsoft Intune", "targets": [{"type": "User", "id": ADELE}]}
    control.post(f"/tenants/contoso/users/{ADELE}/audit", json=by_hand).raise_for_status()
    mine = client.get(f"{AUDITS}?$filter=targetResources/any(t:t/id eq '{ADELE}')").json()["value"]
    service, ours = (entry["initiatedBy"]["app"] for entry in mine)
    assert (ours["appId"], service["appId"]) == (None, None)
    assert ours["servicePrincipalId"] == own_principal(control)
    shown = client.get(f"/servicePrincipals/{service['servicePrincipalId']}").json()
    assert shown["displayName"] == service["displayName"]
    assert shown["appOwnerOrganizationId"] == MICROSOFTS_TENANT
    own = client.get(f"/servicePrincipals/{ours['servicePrincipalId']}").json()
    assert own["appOwnerOrganizationId"] != MICROSOFTS_TENANT


def test_one_unreadable_entry_breaks_off_each_page_with_it(graph: Graph, control: httpx.Client) -> None:
    grant(control, "AuditLog.Read.All")
    path = f"/tenants/contoso/users/{ADELE}/audit"
    for unreadable in (False, True, False):
        control.post(path, json={"activity": "Update user", "unreadable": unreadable}).raise_for_status()
    client = graph()
    broken = client.get(AUDITS)
    assert broken.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        broken.json()
    assert '"error":{"code":"BadRequest"' in broken.text
    assert broken.headers["request-id"] in broken.text
    assert client.get(f"{AUDITS}?$top=1").json()["value"], "a page without it is whole"


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        (AUDITS, "Authentication_MSGraphPermissionMissing", "AuditLog.Read.All"),
        (ELIGIBILITIES, "UnknownError", '{"errorCode":"PermissionScopeNotGranted"'),
    ],
)
def test_a_missing_permission_is_named(graph: Graph, control: httpx.Client, path: str, code: str, says: str) -> None:
    change(control, withdraw=["AuditLog.Read.All", "RoleManagement.ReadWrite.Directory"])
    refused = refusal(graph().get(path))
    assert (refused.status, refused.code) == (403, code)
    assert says in refused.message


def test_reports_are_throttled_without_a_word_of_when_to_come_back(graph: Graph, control: httpx.Client) -> None:
    control.post("/throttle", json={"throttle": 0.01}).raise_for_status()
    client = graph()
    methods = [client.get(f"/users/{ADELE}/authentication/methods") for _ in range(2)]
    assert "Retry-After" not in methods[-1].headers
    assert (refusal(methods[-1]).status, refusal(methods[-1]).code) == (429, "UnknownError")
    while (answer := client.get("/organization")).status_code == 200:
        pass
    assert answer.headers["Retry-After"]
    assert refusal(answer).message.startswith(f"Too many requests from Identifier:{CONTOSO} under category:aadgraph.")
    assert answer.json()["error"]["innerError"].keys() == {"date"}


def test_an_application_without_a_service_principal(graph: Graph, control: httpx.Client, login: httpx.Client) -> None:
    """Its tokens from before are not accepted any more, which Microsoft also says of one that is too new."""
    client = graph()
    control.delete(f"/tenants/contoso/applications/{ELEVATE}").raise_for_status()
    assert (refusal(client.get("/users")).status, refusal(client.get("/users")).code) == (
        401,
        "Authorization_IdentityNotFound",
    )
    refused = ask(login)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert refused.json()["error_codes"] == [7000229]
    assert f"in the tenant {CONTOSO}" in refused.json()["error_description"]


def test_a_tenant_that_was_deleted(graph: Graph, control: httpx.Client, login: httpx.Client) -> None:
    client = graph()
    control.post("/tenants/contoso", json={"deleted": True}).raise_for_status()
    assert ask(login).json()["error_codes"] == [5000224]
    assert client.get("/users").status_code == 401
    control.post("/tenants/contoso", json={"deleted": False}).raise_for_status()
    assert client.get("/users").status_code == 200


def test_a_refusal_can_have_two_numbers_the_general_one_first(login: httpx.Client, control: httpx.Client) -> None:
    fault = {"path": f"/{CONTOSO}/oauth2/v2.0/token", "status": 401, "code": "70002 50012"}
    control.post("/faults", json=fault).raise_for_status()
    assert ask(login).json()["error_codes"] == [70002, 50012]


def test_an_address_that_a_group_has_is_taken(graph: Graph, control: httpx.Client) -> None:
    """Microsoft names another property than the one that was asked for."""
    control.post("/tenants/contoso/groups", json={"name": "MSP Alex", "mail_enabled": True}).raise_for_status()
    refused = graph().post("/users", json=new_user())
    assert refusal(refused).message == "Another object with the same value for property proxyAddresses already exists."
    assert refused.json()["error"]["details"][0]["target"] == "proxyAddresses"


def test_a_consent_has_the_ids_of_its_parties_in_its_own(graph: Graph, control: httpx.Client) -> None:
    grant(control, "DelegatedPermissionGrant.ReadWrite.All", "Application.Read.All")
    client = graph()
    resource = client.get("/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')").json()["id"]
    body = {"clientId": own_principal(control, REVOKE), "resourceId": resource, "scope": " openid User.Read"}
    everybodys = client.post("/oauth2PermissionGrants", json=body | {"consentType": "AllPrincipals"}).json()
    adeles = client.post("/oauth2PermissionGrants", json=body | {"consentType": "Principal", "principalId": ADELE})
    assert (len(everybodys["id"]), len(adeles.json()["id"])) == (43, 64)
    assert client.get(f"/oauth2PermissionGrants/{adeles.json()['id']}").json()["scope"] == " openid User.Read"


Sent = Callable[[httpx.Client], httpx.Response]


@pytest.mark.parametrize(
    ("send", "absent", "present"),
    [
        (
            lambda client: client.patch(f"/users/{ADELE}", json={"department": "x"}),
            {"OData-Version", "Vary"},
            {"Cache-Control", "x-ms-resource-unit"},
        ),
        (lambda client: client.get(ELIGIBILITIES), {"Cache-Control", "x-ms-resource-unit"}, {"Vary"}),
        (
            lambda client: client.get("/users", headers={"Authorization": "Bearer x"}),
            {"Cache-Control", "x-ms-resource-unit"},
            {"WWW-Authenticate"},
        ),
        (
            lambda client: client.post(f"/users/{ADELE}/revokeSignInSessions", json={}),
            set(),
            {"Location", "OData-Version"},
        ),
        (lambda client: client.get("/users/nobody@contoso.com"), {"OData-Version"}, {"x-ms-resource-unit"}),
    ],
    ids=["no content", "PIM", "401", "action", "404"],
)
def test_headers(graph: Graph, send: Sent, absent: set[str], present: set[str]) -> None:
    headers = send(graph(REVOKE)).headers
    assert not [name for name in absent if name in headers]
    assert not [name for name in present if name not in headers]


def test_discovery_may_be_kept_and_its_refusal_is_private(login: httpx.Client) -> None:
    found = login.get(f"/{CONTOSO}/v2.0/.well-known/openid-configuration")
    refused = login.get("/nowhere.example/v2.0/.well-known/openid-configuration")
    assert (found.headers["Cache-Control"], refused.headers["Cache-Control"]) == ("max-age=86400, private", "private")


@pytest.mark.parametrize("query", ["$top=1", "%24top=1&$filter=activityDisplayName+eq+'Update%20user'"])
def test_a_next_link_repeats_the_query_as_it_was_sent(graph: Graph, control: httpx.Client, query: str) -> None:
    grant(control, "AuditLog.Read.All")
    client = graph()
    for department in ("a", "b", "c"):
        client.patch(f"/users/{ADELE}", json={"department": department})
    first = client.get(f"{AUDITS}?{query}").json()
    link = str(first["@odata.nextLink"])
    assert link.partition("?")[2].partition("&$skiptoken=")[0] == query
    second = client.get(link).json()
    assert second["value"][0]["activityDateTime"] < first["value"][0]["activityDateTime"]
