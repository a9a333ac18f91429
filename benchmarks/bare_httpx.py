"""The same directory calls as a grant's opening makes, by httpx alone: the floor that the product is compared with."""

from __future__ import annotations

import asyncio
import secrets
from time import monotonic
from typing import Any

import httpx

from benchmarks.deployment import ELEVATE
from entra_jit.local_stack.addresses import StackAddresses

SELECT = "id,userPrincipalName,accountEnabled,userType,onPremisesSyncEnabled,onPremisesExtensionAttributes"


class BareVisits:
    """Openings without engine, ledger or checks: what Microsoft's interface alone costs here."""

    def __init__(self, http: httpx.AsyncClient, addresses: StackAddresses, tenant: str, domain: str) -> None:
        self._http = http
        self._graph = addresses.graph_url
        self._login = addresses.login_url
        self._tenant = tenant
        self._domain = domain
        self._ids: dict[str, str] = {}

    async def sign_in(self, secret: str) -> None:
        """Fetch the token that all visits use."""
        form = {
            "client_id": ELEVATE,
            "client_secret": secret,
            "grant_type": "client_credentials",
            "scope": "https://graph.microsoft.com/.default",
        }
        answer = await self._http.post(f"{self._login}/{self._tenant}/oauth2/v2.0/token", data=form)
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def open(self, name: str, roles: list[str]) -> float:
        """Open the account ``name``, made if it is not known yet. Gives the seconds it took."""
        began = monotonic()
        known = self._ids.get(name)
        account = known or f"{name}@{self._domain}"
        await asyncio.gather(
            self._get("/organization"),
            self._get(f"/domains/{self._domain}"),
            self._get(f"/users/{account}?$select={SELECT}", missing=known is None),
        )
        if known is None:
            known = self._ids[name] = (await self._call("POST", "/users", self._new(name)))["id"]
        await asyncio.gather(*(self._assign(role, known) for role in roles), self._make_pass(known))
        await self._get(f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{known}'")
        await self._call("PATCH", f"/users/{known}", {"accountEnabled": False})
        await self._call("PATCH", f"/users/{known}", {"accountEnabled": True})
        return monotonic() - began

    async def close(self, name: str) -> None:
        """Undo it, outside of the measured time."""
        known = self._ids[name]
        await self._call("PATCH", f"/users/{known}", {"accountEnabled": False})
        held = await self._get(f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{known}'")
        for assignment in held["value"]:
            await self._call("DELETE", f"/roleManagement/directory/roleAssignments/{assignment['id']}")

    def _new(self, name: str) -> dict[str, Any]:
        return {
            "accountEnabled": False,
            "displayName": name,
            "mailNickname": name,
            "userPrincipalName": f"{name}@{self._domain}",
            "passwordProfile": {"password": f"{secrets.token_urlsafe(18)}aA1#"},
        }

    async def _assign(self, role: str, account: str) -> None:
        body = {"roleDefinitionId": role, "principalId": account, "directoryScopeId": "/"}
        await self._call("POST", "/roleManagement/directory/roleAssignments", body)

    async def _make_pass(self, account: str) -> None:
        policy = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"
        await asyncio.gather(self._get(f"/users/{account}/authentication/methods"), self._get(policy))
        await self._call(
            "POST", f"/users/{account}/authentication/temporaryAccessPassMethods", {"lifetimeInMinutes": 60}
        )

    async def _get(self, path: str, *, missing: bool = False) -> dict[str, Any]:
        answer = await self._http.get(self._graph + path)
        if not missing:
            answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self._http.request(method, self._graph + path, json=body)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json() if answer.content else {}
        return content
