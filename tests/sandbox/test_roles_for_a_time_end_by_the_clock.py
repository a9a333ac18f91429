"""The second clock of a grant is Microsoft's own; one that never strikes in the sandbox would never have been tested.

The codes by which PIM refuses are all that a client can branch on, so they are its own and not the directory's.
"""

from __future__ import annotations

import httpx
import pytest

from sandbox.directory.roles import assignment_id
from sandbox.graph.licences import P1, P2
from tests.sandbox.granted import change, grant, hours_pass, license_with
from tests.sandbox.seeded import ADELE, GLOBAL_ADMINISTRATOR, REPORTS_READER, Graph, refusal

ROOT = "/roleManagement/directory"
REQUESTS = f"{ROOT}/roleAssignmentScheduleRequests"
UNKNOWN = "00000000-0000-4000-8000-00000000dead"


def asked(action: str = "adminAssign", **changes: object) -> dict[str, object]:
    body: dict[str, object] = {
        "action": action,
        "principalId": ADELE,
        "roleDefinitionId": REPORTS_READER,
        "directoryScopeId": "/",
        "justification": "ticket 4711",
        "scheduleInfo": {"expiration": {"type": "AfterDuration", "duration": "PT4H"}},
        "ticketInfo": {"ticketNumber": "4711", "ticketSystem": "desk"},
    }
    return body | changes


@pytest.fixture
def client(graph: Graph, control: httpx.Client) -> httpx.Client:
    license_with(control, P1, P2)
    return graph()


def held(client: httpx.Client) -> list[dict[str, object]]:
    found = client.get(f"{ROOT}/roleAssignments?$filter=principalId eq '{ADELE}'")
    return list(found.json()["value"])


def test_a_role_for_four_hours_is_gone_after_four_hours(
    graph: Graph, client: httpx.Client, control: httpx.Client
) -> None:
    given = client.post(REQUESTS, json=asked())
    assert given.status_code == 201, given.text
    request = given.json()
    assert (request["status"], request["action"]) == ("Provisioned", "adminAssign")
    assert request["scheduleInfo"]["expiration"]["type"] == "afterDuration"
    (instance,) = client.get(f"{ROOT}/roleAssignmentScheduleInstances?$filter=principalId eq '{ADELE}'").json()["value"]
    assert instance["id"] == assignment_id(REPORTS_READER, ADELE) == held(client)[0]["id"]
    assert instance["endDateTime"] == request["scheduleInfo"]["expiration"]["endDateTime"]
    assert control.get(f"/tenants/contoso/users/{ADELE}").json()["roles"] == ["Reports Reader"]
    hours_pass(control, 3.99)
    assert held(graph())
    hours_pass(control, 0.02)
    assert not held(graph())
    assert control.get(f"/tenants/contoso/users/{ADELE}").json()["roles"] == []
    assert client.get(f"{ROOT}/roleAssignmentScheduleInstances").status_code == 401, "the clock moved past the token"


def test_the_end_is_in_the_log_as_nobodys_doing(graph: Graph, client: httpx.Client, control: httpx.Client) -> None:
    grant(control, "AuditLog.Read.All")
    client.post(REQUESTS, json=asked())
    hours_pass(control, 4.01)
    audits = graph().get("/auditLogs/directoryAudits").json()["value"]
    assert [entry["activityDisplayName"] for entry in audits[:2]] == [
        "Remove member from role (PIM activation expired)",
        "Add member to role in PIM completed (timebound)",
    ]
    assert audits[0]["initiatedBy"]["app"]["displayName"] == "MS-PIM"


def test_validation_changes_nothing(client: httpx.Client) -> None:
    checked = client.post(REQUESTS, json=asked(isValidationOnly=True))
    assert checked.status_code == 201
    assert checked.json()["isValidationOnly"] is True
    assert not held(client)
    assert client.get(REQUESTS).json()["value"] == []
    assert (
        refusal(client.post(REQUESTS, json=asked(isValidationOnly=True, principalId=UNKNOWN))).code == "SubjectNotFound"
    )


def test_it_can_begin_later_and_be_called_off_until_then(
    graph: Graph, client: httpx.Client, control: httpx.Client
) -> None:
    later = {"startDateTime": "2999-01-01T00:00:00Z", "expiration": {"type": "noExpiration"}}
    request = client.post(REQUESTS, json=asked(scheduleInfo=later)).json()
    assert (request["status"], request["completedDateTime"]) == ("Granted", request["scheduleInfo"]["startDateTime"])
    assert not held(client)
    assert refusal(client.post(REQUESTS, json=asked())).code == "PendingRoleAssignmentRequest"
    assert client.post(f"{REQUESTS}/{request['id']}/cancel", json={}).status_code == 204
    assert client.get(f"{REQUESTS}/{request['id']}").json()["status"] == "Canceled"
    now = client.post(REQUESTS, json=asked()).json()
    assert refusal(client.post(f"{REQUESTS}/{now['id']}/cancel", json={})).status == 400


def test_taking_it_back_needs_five_minutes_and_says_revoked(
    graph: Graph, client: httpx.Client, control: httpx.Client
) -> None:
    client.post(REQUESTS, json=asked())
    assert refusal(client.post(REQUESTS, json=asked("adminRemove"))).code == "ActiveDurationTooShort"
    hours_pass(control, 0.1)
    taken = client.post(REQUESTS, json=asked("adminRemove"))
    assert (taken.status_code, taken.json()["status"]) == (201, "Revoked")
    assert not held(client)
    assert refusal(client.post(REQUESTS, json=asked("adminRemove"))).code == "RoleAssignmentDoesNotExist"


def test_extending_moves_the_end(graph: Graph, client: httpx.Client, control: httpx.Client) -> None:
    client.post(REQUESTS, json=asked())
    longer = {"expiration": {"type": "afterDuration", "duration": "PT8H"}}
    assert client.post(REQUESTS, json=asked("adminExtend", scheduleInfo=longer)).status_code == 201
    hours_pass(control, 5)
    assert held(graph())
    hours_pass(control, 3.1)
    assert not held(graph())


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"principalId": UNKNOWN}, 404, "SubjectNotFound"),
        ({"roleDefinitionId": UNKNOWN}, 404, "RoleNotFound"),
        (
            {"scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "4 hours"}}},
            400,
            "InvalidScheduleInfo",
        ),
        ({"action": "adminExtend"}, 400, "RoleAssignmentDoesNotExist"),
        ({"action": "selfActivate"}, 403, "Authorization_RequestDenied"),
        ({"action": "nonsense"}, 400, "InvalidAction"),
    ],
)
def test_refusals_have_codes_of_their_own(
    client: httpx.Client, changes: dict[str, object], status: int, code: str
) -> None:
    refused = refusal(client.post(REQUESTS, json=asked(**changes)))
    assert (refused.status, refused.code) == (status, code)


def test_a_role_that_is_held_cannot_be_given_again_by_either_interface(client: httpx.Client) -> None:
    client.post(REQUESTS, json=asked())
    assert refusal(client.post(REQUESTS, json=asked())).code == "RoleAssignmentExists"
    plain = {"principalId": ADELE, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"}
    assert "conflicting object" in refusal(client.post(f"{ROOT}/roleAssignments", json=plain)).message


def test_the_plain_interface_takes_what_pim_gave_and_the_schedule_with_it(client: httpx.Client) -> None:
    client.post(REQUESTS, json=asked())
    assert client.delete(f"{ROOT}/roleAssignments/{assignment_id(REPORTS_READER, ADELE)}").status_code == 204
    schedules = client.get(f"{ROOT}/roleAssignmentSchedules?$filter=principalId eq '{ADELE}'").json()
    assert schedules["value"] == []


def test_a_policy_can_demand_an_end(client: httpx.Client, control: httpx.Client) -> None:
    control.post("/tenants/contoso", json={"longest_active_assignment": 8 * 3600})
    forever = {"expiration": {"type": "noExpiration"}}
    refused = refusal(client.post(REQUESTS, json=asked(scheduleInfo=forever)))
    assert refused.code == "RoleAssignmentRequestPolicyValidationFailed"
    assert refused.message == 'The following policy rules failed: ["ExpirationRule"]'
    assert client.post(REQUESTS, json=asked()).status_code == 201
    wanted = f"scopeId eq '/' and scopeType eq 'DirectoryRole' and roleDefinitionId eq '{REPORTS_READER}'"
    expand = "policy($expand=rules)"
    answer = client.get("/policies/roleManagementPolicyAssignments", params={"$filter": wanted, "$expand": expand})
    (policy,) = answer.json()["value"]
    rule = next(one for one in policy["policy"]["rules"] if one["id"] == "Expiration_Admin_Assignment")
    assert (rule["isExpirationRequired"], rule["maximumDuration"]) == (True, "PT28800S")


def test_an_eligible_role_is_offered_and_not_held(graph: Graph, client: httpx.Client, control: httpx.Client) -> None:
    offered = client.post(f"{ROOT}/roleEligibilityScheduleRequests", json=asked())
    assert offered.status_code == 201
    assert not held(client)
    (schedule,) = client.get(f"{ROOT}/roleEligibilitySchedules").json()["value"]
    assert schedule["principalId"] == ADELE
    change(control, withdraw=["RoleManagement.ReadWrite.Directory"], grant=["Directory.Read.All"])
    reader = graph()
    assert "PermissionScopeNotGranted" in refusal(reader.get(f"{ROOT}/roleEligibilitySchedules")).message
    change(control, withdraw=["Directory.Read.All"], grant=["RoleManagement.Read.Directory"])
    hours_pass(control, 4.1)
    assert graph().get(f"{ROOT}/roleEligibilitySchedules").json()["value"] == []


@pytest.mark.parametrize(
    "path", ["roleAssignmentSchedules", "roleAssignmentScheduleInstances", "roleEligibilitySchedules"]
)
def test_a_tenant_without_the_licence_has_none_of_it(graph: Graph, path: str) -> None:
    client = graph()
    for refused in (client.get(f"{ROOT}/{path}"), client.post(REQUESTS, json=asked())):
        assert (refusal(refused).status, refusal(refused).code) == (400, "AadPremiumLicenseRequired")


def test_a_permission_to_remove_removes_and_gives_nothing(
    graph: Graph, client: httpx.Client, control: httpx.Client
) -> None:
    client.post(REQUESTS, json=asked())
    hours_pass(control, 0.1)
    taken = ["RoleManagement.ReadWrite.Directory"]
    change(control, withdraw=taken, grant=["RoleAssignmentSchedule.Remove.Directory"])
    remover = graph()
    other = {"roleDefinitionId": GLOBAL_ADMINISTRATOR}
    assert "PermissionScopeNotGranted" in refusal(remover.post(REQUESTS, json=asked(**other))).message
    assert remover.post(REQUESTS, json=asked("adminRemove")).status_code == 201
