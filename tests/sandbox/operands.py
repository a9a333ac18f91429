"""What each operation of Graph is called on: made through Microsoft's SDK, or found where the seed has it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from msgraph import GraphServiceClient

from tests.sandbox.bodies import BODIES, KIM, MICROSOFT_GRAPH, role_request
from tests.sandbox.sdk import asking
from tests.sandbox.seeded import REVOKE


@dataclass
class Directory:
    """Northwind's, by Microsoft's SDK and, for what only people could do, by the sandbox's control interface."""

    graph: GraphServiceClient
    control: httpx.Client
    operation: str = ""
    """The one that is being prepared."""

    async def builder(self, path: str) -> Any:
        """The SDK's request builder for a path, each ``{parameter}`` of it made or found on the way."""
        node: Any = self.graph
        walked = ""
        for segment in path.strip("/").split("/"):
            if segment.startswith("{"):
                (select,) = (name for name in dir(node) if name.startswith("by_"))
                node = getattr(node, select)(await self.subject(node, walked))
            else:
                node = getattr(node, _as_python(segment))
            walked += f"/{segment}"
        return node

    async def subject(self, collection: Any, path: str) -> str:
        """The id of a member of the collection: one made for the purpose where that can be, else the first listed."""
        if make := SUBJECTS.get(path):
            return await make(self, collection)
        if f"POST {path}/$ref" in BODIES:
            await collection.ref.post(await BODIES[f"POST {path}/$ref"](self))
            return KIM
        if body := BODIES.get(f"POST {path}"):
            return str((await collection.post(await body(self))).id)
        return await first(self, collection)

    async def made(self, path: str) -> str:
        """The id of one more member of this collection."""
        return await self.subject(await self.builder(path), path)

    async def principal(self, app: str = REVOKE) -> str:
        """The object id of an application's service principal."""
        return str((await self.graph.service_principals_with_app_id(app).get()).id)

    def tell(self, path: str, body: dict[str, object]) -> None:
        """Have the control interface do something."""
        answer = self.control.post(path, json=body)
        assert answer.is_success, answer.text


def _as_python(segment: str) -> str:
    plain = segment.removeprefix("$").replace(".", "_")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower()


async def first(_: Directory, collection: Any) -> str:
    """The id of the first that is listed."""
    return str((await collection.get()).value[0].id)


Make = Callable[[Directory, Any], Awaitable[str]]


def constant(value: str) -> Make:
    async def make(_: Directory, __: Any) -> str:
        return value

    return make


async def managed_user(here: Directory, collection: Any) -> str:
    user = str((await collection.post(await BODIES["POST /users"](here))).id)
    if here.operation.endswith(("/manager", "DELETE /users/{user}/manager/$ref")):
        reference = await BODIES["PUT /users/{user}/manager/$ref"](here)
        await here.graph.users.by_user_id(user).manager.ref.put(reference)
    return user


async def deleted_user(here: Directory, _: Any) -> str:
    user = await here.made("/users")
    await here.graph.users.by_user_id(user).delete()
    return user


async def policy_of_a_role(here: Directory, _: Any) -> str:
    wanted = asking(filter="scopeId eq '/' and scopeType eq 'DirectoryRole'")
    return str((await here.graph.policies.role_management_policy_assignments.get(wanted)).value[0].policy_id)


async def service_principal(here: Directory, _: Any) -> str:
    return await here.principal(MICROSOFT_GRAPH if "appRoleAssignedTo" in here.operation else REVOKE)


async def audited(here: Directory, collection: Any) -> str:
    await here.made("/users")
    return await first(here, collection)


async def signed_in(here: Directory, collection: Any) -> str:
    here.tell("/sign-in", {"username": "kim@northwindmsp.com", "password": "sandbox-only-Kim1"})
    return await first(here, collection)


async def customer(here: Directory, _: Any) -> str:
    body = {"id": str(uuid4()), "display_name": "A customer"}
    here.tell("/tenants/northwind", {"delegated_admin_customers": [body]})
    return body["id"]


def registered(kind: str) -> Make:
    """A sign-in method that only a person can register."""

    async def make(here: Directory, collection: Any) -> str:
        user = collection.path_parameters["user%2Did"]
        here.tell(f"/tenants/northwind/users/{user}/methods", {"kind": kind})
        return await first(here, collection)

    return make


def scheduled(kind: str) -> Make:
    """What comes of a request that begins at once."""

    async def make(here: Directory, collection: Any) -> str:
        requests = await here.builder(f"/roleManagement/directory/{kind}ScheduleRequests")
        await requests.post(await role_request(kind)(here))
        return await first(here, collection)

    return make


SUBJECTS: dict[str, Make] = {
    "/auditLogs/directoryAudits": audited,
    "/auditLogs/signIns": signed_in,
    "/directory/deletedItems": deleted_user,
    "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations": constant("temporaryAccessPass"),
    "/policies/roleManagementPolicies": policy_of_a_role,
    "/servicePrincipals": service_principal,
    "/tenantRelationships/delegatedAdminCustomers": customer,
    "/users": managed_user,
    **{
        f"/users/{{user}}/authentication/{kind}Methods": registered(kind)
        for kind in ("fido2", "microsoftAuthenticator", "platformCredential", "softwareOath", "windowsHelloForBusiness")
    },
    **{
        f"/roleManagement/directory/role{kind}{what}": scheduled(f"role{kind}")
        for kind in ("Assignment", "Eligibility")
        for what in ("Schedules", "ScheduleInstances")
    },
}
"""By the path of a collection: how a member of it comes to be, where it is not by a ``POST`` of the collection."""
