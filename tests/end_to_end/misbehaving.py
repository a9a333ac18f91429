"""A technician who uses an open grant to stay: signed in to the customer's tenant, with a token of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from entra_jit.operations.reveal_credential import reveal_credential
from models.messages import GrantState
from tests.actors import TESTER
from tests.patience import PATIENCE_SECONDS
from tests.stage import REVOKE, Scene, configure

REPORTS_READER = "4a5d8f65-41da-4de4-8968-e035b65339cf"
ENTRA_ID_P2 = "eec0eb4f-6444-4f95-aba0-50c24d67f998"
GRAPH = "00000003-0000-0000-c000-000000000000"
GLOBAL_ADMINISTRATORS = ({"group": "all-technicians", "roles": ["Global Administrator"]},)


async def open_for_everything(act: Scene, *, customer: str | None = None, technician: str = "alex") -> str:
    """An open grant of Global Administrator; its time stands until it is let pass."""
    await configure(act, role_mappings=GLOBAL_ADMINISTRATORS)
    request_id = await act.ask(technician, customer=customer, held=True)
    await act.until(request_id, GrantState.OPEN)
    return request_id


class Misbehaving:
    """Graph, as the technician of an open grant reaches it with Microsoft's own tools."""

    def __init__(self, act: Scene, http: httpx.Client, account: str) -> None:
        self._act = act
        self._http = http
        self.account = account

    @classmethod
    async def signed_in(cls, act: Scene, request_id: str, technician: str = "alex") -> Misbehaving:
        """With the credential that the grant reveals."""
        account, revealed = await reveal_credential(TESTER, act.app, request_id, technician)
        credential = {revealed.kind.value: revealed.secret.get_secret_value()}
        signed_in = act.control("POST", "/sign-in", username=account, **credential)
        head = {"Authorization": f"Bearer {signed_in['access_token']}"}
        trusted = act.services.trusted
        http = httpx.Client(
            base_url=act.services.sandbox.graph_url,
            headers=head,
            verify=trusted,
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        )
        return cls(act, http, signed_in["user_id"])

    def __enter__(self) -> Misbehaving:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, **body: object) -> Any:
        """One call to Graph, which has to succeed."""
        answer = self._http.request(method, path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    @property
    def itself(self) -> dict[str, str]:
        """The account, as a reference."""
        return {"@odata.id": f"{self._http.base_url}directoryObjects/{self.account}"}

    def principal(self, client_id: str = REVOKE) -> str:
        """The object id of an application's service principal."""
        return str(self.call("GET", f"/servicePrincipals(appId='{client_id}')")["id"])

    def takes_a_role(self) -> None:
        """Gives itself another directory role."""
        body = {"principalId": self.account, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"}
        self.call("POST", "/roleManagement/directory/roleAssignments", **body)

    def makes_itself_eligible(self, *, later: timedelta = timedelta(0)) -> None:
        """For a directory role, from some time on, in a tenant that is licensed for that."""
        self._act.control("POST", f"/tenants/{self._act.customer}", service_plans=[ENTRA_ID_P2])
        starts = {"startDateTime": f"{datetime.now(UTC) + later:%Y-%m-%dT%H:%M:%SZ}"}
        schedule = {**starts, "expiration": {"type": "noExpiration"}}
        body = {"principalId": self.account, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"}
        path = "/roleManagement/directory/roleEligibilityScheduleRequests"
        self.call("POST", path, action="adminAssign", justification="later", scheduleInfo=schedule, **body)

    def joins_a_group(self, name: str = "Tier 0") -> str:
        """Makes a group and joins it; its creator owns it. The group's id."""
        plain = {"mailEnabled": False, "mailNickname": "tier0", "securityEnabled": True}
        group = str(self.call("POST", "/groups", displayName=name, **plain)["id"])
        for part in ("members", "owners"):
            self.call("POST", f"/groups/{group}/{part}/$ref", **self.itself)
        return group

    def registers_a_phone(self) -> None:
        """For itself, at the keyboard."""
        self._act.control("POST", f"/tenants/{self._act.customer}/users/{self.account}/methods", kind="phone")

    def takes_over_an_application(self) -> str:
        """Brings an application in, becomes its owner and gives it a secret. The service principal's id."""
        made = self._act.control("POST", "/applications", name="Payroll", home=self._act.customer)
        principal = str(self.call("POST", "/servicePrincipals", appId=made["client_id"])["id"])
        self.call("POST", f"/servicePrincipals/{principal}/owners/$ref", **self.itself)
        self.call("POST", f"/servicePrincipals/{principal}/addPassword", passwordCredential={"displayName": "later"})
        return principal

    def consents(self, principal: str) -> None:
        """Lets an application act in its name."""
        consent = {"clientId": principal, "consentType": "Principal", "principalId": self.account}
        self.call(
            "POST", "/oauth2PermissionGrants", **consent, resourceId=self.principal(GRAPH), scope="Directory.Read.All"
        )

    def excludes_itself(self) -> None:
        """From a policy of Conditional Access."""
        conditions = {"users": {"includeUsers": ["All"], "excludeUsers": [self.account]}}
        policy = {"displayName": "Require MFA", "state": "enabled", "conditions": conditions, "grantControls": None}
        self.call("POST", "/identity/conditionalAccess/policies", **policy)

    def changes_our_application(self) -> None:
        """Gives the application that closes a second secret."""
        self.call("POST", f"/servicePrincipals/{self.principal()}/addPassword", passwordCredential={})
