"""Whatever is done in whatever order: no role without a holder, no name twice, a Global Administrator, a true journal.

A directory that drifts into an impossible state makes every later test of the product meaningless.
"""

from __future__ import annotations

import json

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.graph.licences import P1, P2
from tests.sandbox.granted import grant, license_with
from tests.sandbox.seeded import ADMIN, GLOBAL_ADMINISTRATOR, REPORTS_READER, REVOKE, SECOND_ADMIN, Graph, new_user

OPERATORS = "c0c0c0c0-2222-4222-8222-00000000ee02"
NAMES = ("one", "two")
ROLES = (GLOBAL_ADMINISTRATOR, REPORTS_READER)
Step = tuple[str, str, str]
STEPS = st.tuples(
    st.sampled_from(
        [
            "create",
            "delete",
            "rename",
            "disable",
            "revoke",
            "assign",
            "unassign",
            "restore",
            "issue_pass",
            "purge",
            "join",
            "leave",
            "assign_for_a_time",
            "unassign_by_the_older_interface",
            "wait",
            "batch",
        ]
    ),
    st.sampled_from([*NAMES, ADMIN, SECOND_ADMIN]),
    st.sampled_from(ROLES),
)


def upn(name: str) -> str:
    return f"{name}@contoso.onmicrosoft.com"


class Actions:
    """One way of doing each thing, whether it makes sense at the moment or not."""

    def __init__(self, clients: Graph, control: httpx.Client) -> None:
        self._clients = clients
        self._control = control
        grant(control, "User.DeleteRestore.All", app=REVOKE)  # to purge
        self.graph = clients(REVOKE)

    def do(self, step: Step) -> None:
        kind, name, role = step
        getattr(self, kind)(name, self._id(name), role)

    def _id(self, name: str) -> str:
        if name not in NAMES:
            return name
        found = self.graph.get(f"/users/{upn(name)}?$select=id")
        return str(found.json()["id"]) if found.status_code == 200 else "00000000-0000-4000-8000-000000000000"

    def create(self, name: str, user: str, role: str) -> None:
        if name in NAMES:
            self.graph.post("/users", json=new_user(userPrincipalName=upn(name)))

    def delete(self, name: str, user: str, role: str) -> None:
        self.graph.delete(f"/users/{user}")

    def rename(self, name: str, user: str, role: str) -> None:
        self.graph.patch(f"/users/{user}", json={"userPrincipalName": upn(NAMES[0])})

    def disable(self, name: str, user: str, role: str) -> None:
        self.graph.patch(f"/users/{user}", json={"accountEnabled": False})

    def revoke(self, name: str, user: str, role: str) -> None:
        self.graph.post(f"/users/{user}/revokeSignInSessions", json={})

    def assign(self, name: str, user: str, role: str) -> None:
        body = {"principalId": user, "roleDefinitionId": role, "directoryScopeId": "/"}
        self.graph.post("/roleManagement/directory/roleAssignments", json=body)

    def unassign(self, name: str, user: str, role: str) -> None:
        listed = self.graph.get(f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{user}'").json()
        for held in listed["value"]:
            if held["roleDefinitionId"] == role:
                self.graph.delete(f"/roleManagement/directory/roleAssignments/{held['id']}")

    def restore(self, name: str, user: str, role: str) -> None:
        deleted = self.graph.get("/directory/deletedItems/microsoft.graph.user?$select=id").json()["value"]
        for item in deleted[:1]:
            self.graph.post(f"/directory/deletedItems/{item['id']}/restore", json={})

    def issue_pass(self, name: str, user: str, role: str) -> None:
        self.graph.post(f"/users/{user}/authentication/temporaryAccessPassMethods", json={})

    def purge(self, name: str, user: str, role: str) -> None:
        deleted = self.graph.get("/directory/deletedItems/microsoft.graph.user?$select=id").json()["value"]
        for item in deleted[:1]:
            self.graph.delete(f"/directory/deletedItems/{item['id']}")

    def join(self, name: str, user: str, role: str) -> None:
        reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{user}"}
        self.graph.post(f"/groups/{OPERATORS}/members/$ref", json=reference)

    def leave(self, name: str, user: str, role: str) -> None:
        self.graph.delete(f"/groups/{OPERATORS}/members/{user}/$ref")

    def assign_for_a_time(self, name: str, user: str, role: str) -> None:
        body = {
            "action": "adminAssign",
            "principalId": user,
            "roleDefinitionId": role,
            "directoryScopeId": "/",
            "scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "PT40M"}},
        }
        self.graph.post("/roleManagement/directory/roleAssignmentScheduleRequests", json=body)

    def unassign_by_the_older_interface(self, name: str, user: str, role: str) -> None:
        self.graph.delete(f"/directoryRoles(roleTemplateId='{role}')/members/{user}/$ref")

    def wait(self, name: str, user: str, role: str) -> None:
        self._control.post("/clock", json={"advance": 1800})
        self.graph = self._clients(REVOKE)

    def batch(self, name: str, user: str, role: str) -> None:
        headers = {"Content-Type": "application/json"}
        steps = [
            {"id": "1", "method": "PATCH", "url": f"/users/{user}", "headers": headers, "body": {"city": "Here"}},
            {
                "id": "2",
                "method": "POST",
                "url": f"/users/{user}/revokeSignInSessions",
                "dependsOn": ["1"],
                "headers": {"Content-Type": "application/json"},
            },
        ]
        self.graph.post("/$batch", json={"requests": steps})


def state_of(control: httpx.Client) -> list[dict[str, object]]:
    users = control.get("/tenants/contoso/users").json()
    for user in users:
        if user["temporary_access_pass"]:
            del user["temporary_access_pass"]["usability"]
    return list(users)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=12))
def test_any_history_keeps_the_invariants(graph: Graph, control: httpx.Client, steps: list[Step]) -> None:
    control.post("/reset")
    license_with(control, P1, P2)
    actions = Actions(graph, control)
    for step in steps:
        before = state_of(control)
        after_number = max((entry["sequence"] for entry in control.get("/journal").json()), default=0)
        actions.do(step)
        after = state_of(control)
        entries = control.get("/journal", params={"after": after_number}).json()
        changed = json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)
        # What time alone does is no request.
        assert step[0] == "wait" or changed is any(entry["effect"] for entry in entries)
        live = [user for user in after if user["deleted"] is None]
        names = [str(user["user_principal_name"]).lower() for user in live]
        assert len(set(names)) == len(names)
        ids = {user["id"] for user in live}
        listed = actions.graph.get("/roleManagement/directory/roleAssignments").json()["value"]
        people = {held["principalId"] for held in listed if held["roleDefinitionId"] == GLOBAL_ADMINISTRATOR}
        assert people & ids
        principals = {item["id"] for item in control.get("/tenants/contoso").json()["service_principals"]}
        assert {held["principalId"] for held in listed} <= ids | principals | {OPERATORS}
        schedules = actions.graph.get("/roleManagement/directory/roleAssignmentSchedules").json()["value"]
        assert {schedule["principalId"] for schedule in schedules} <= ids | principals | {OPERATORS}
        current = {(held["principalId"], held["roleDefinitionId"]) for held in listed}
        assert current == {(one["principalId"], one["roleDefinitionId"]) for one in schedules}
        assert all(not user["role_assignments"] for user in after if user["deleted"] is not None)
