"""What an administrator leaves behind is found by who did it, so people must be able to act in the sandbox as well.

They act with the token of their own sign-in, as far as their roles go, and the log names them.
"""

from __future__ import annotations

from typing import Any

import httpx

from sandbox.child import Addresses
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.granted import grant, own_principal
from tests.sandbox.seeded import ADELE, ADMIN, REPORTS_READER, Graph, trusting

ROLES = "/roleManagement/directory/roleAssignments"
POLICY = {"displayName": "Everybody but one", "state": "enabled", "conditions": {}, "grantControls": None}


def as_person(addresses: Addresses, control: httpx.Client, username: str, password: str) -> httpx.Client:
    """Graph, by the token that a sign-in with Microsoft's own tool gives."""
    answer = control.post("/sign-in", json={"username": username, "password": password})
    token = answer.raise_for_status().json()["access_token"]
    head = {"Authorization": f"Bearer {token}"}
    return httpx.Client(
        base_url=addresses.graph_url,
        verify=trusting(addresses),
        trust_env=False,
        headers=head,
        timeout=PATIENCE_SECONDS,
    )


def test_the_log_names_the_person_for_each_way_to_stay(
    addresses: Addresses, control: httpx.Client, graph: Graph
) -> None:
    grant(control, "AuditLog.Read.All", "DelegatedPermissionGrant.Read.All")
    made = {"name": "Line of business", "home": "contoso"}
    control.post("/applications", json=made).raise_for_status()
    principal = own_principal(control)
    me = {"@odata.id": f"{addresses.graph_url}/directoryObjects/{ADMIN}"}
    with as_person(addresses, control, "admin@contoso.onmicrosoft.com", "sandbox-only-Admin1") as person:
        (registered,) = person.get("/applications").json()["value"]
        resource = person.get("/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')").json()["id"]
        consent = {"clientId": principal, "consentType": "Principal", "principalId": ADMIN, "resourceId": resource}
        steps: dict[str, tuple[str, dict[str, Any]]] = {
            "Add member to role": (
                ROLES,
                {"principalId": ADELE, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"},
            ),
            "Add owner to application": (f"/applications/{registered['id']}/owners/$ref", me),
            "Update application \N{EN DASH} Certificates and secrets management ": (
                f"/applications/{registered['id']}/addPassword",
                {},
            ),
            "Add owner to service principal": (f"/servicePrincipals/{principal}/owners/$ref", me),
            "Add service principal credentials": (f"/servicePrincipals/{principal}/addPassword", {}),
            "Add delegated permission grant": ("/oauth2PermissionGrants", consent | {"scope": "User.Read"}),
            "Add conditional access policy": ("/identity/conditionalAccess/policies", POLICY),
        }
        for path, body in steps.values():
            answer = person.post(path, json=body)
            assert answer.is_success, answer.text
        owned = person.get(f"/users/{ADMIN}/ownedObjects").json()["value"]
        consents = person.get(f"/users/{ADMIN}/oauth2PermissionGrants").json()["value"]
    entries = graph().get(f"/auditLogs/directoryAudits?$filter=initiatedBy/user/id eq '{ADMIN}'").json()["value"]
    assert {entry["activityDisplayName"] for entry in entries} >= steps.keys()
    assert {(one["@odata.type"], one["id"]) for one in owned} == {
        ("#microsoft.graph.application", registered["id"]),
        ("#microsoft.graph.servicePrincipal", principal),
    }
    assert [one["clientId"] for one in consents] == [principal]


def test_what_a_person_registers_for_themselves_is_their_own_doing(control: httpx.Client, graph: Graph) -> None:
    grant(control, "AuditLog.Read.All")
    control.post(f"/tenants/contoso/users/{ADELE}/methods", json={"kind": "phone"}).raise_for_status()
    (entry,) = graph().get(f"/auditLogs/directoryAudits?$filter=initiatedBy/user/id eq '{ADELE}'").json()["value"]
    assert entry["activityDisplayName"] == "User registered security info"


def test_whoever_is_no_administrator_may_nothing(addresses: Addresses, control: httpx.Client) -> None:
    with as_person(addresses, control, "adele@contoso.com", "sandbox-only-Adele1") as person:
        assert person.get("/me").json()["id"] == ADELE
        assert person.get("/users").status_code == 403
        assert person.patch(f"/users/{ADELE}", json={"department": "IT"}).status_code == 403
        assert person.patch("/me", json={"department": "IT"}).status_code == 403
        assert (
            person.patch("/me", json={"officeLocation": "18/2111", "mobilePhone": "+1 425 555 0109"}).status_code == 204
        )
        assert person.get("/me?$select=officeLocation").json()["officeLocation"] == "18/2111"
