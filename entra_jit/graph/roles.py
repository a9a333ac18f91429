"""Directory roles: what there is, who holds it, giving and taking it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Annotated
from uuid import UUID

from pydantic import Field

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid, literal, opaque
from entra_jit.graph.answers import Description, Listing, Resource, null_as
from entra_jit.graph.calls import Calls
from entra_jit.graph.errors import PermanentError
from models.messages import DirectoryCall, ObjectId, RoleId

_DEFINITIONS = "/roleManagement/directory/roleDefinitions"
_ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
_ELIGIBILITIES = "/roleManagement/directory/roleEligibilitySchedules"
_ELIGIBILITY_REQUESTS = "/roleManagement/directory/roleEligibilityScheduleRequests"


class RoleDefinition(Resource):
    """A directory role of the tenant. Built-in ones have the same id everywhere."""

    template_id: RoleId
    display_name: str | None = None
    description: str | None = None


class RoleAssignment(Resource):
    """One role held by one principal at one scope. It has no end; we remove it ourselves."""

    id: str
    role: Annotated[RoleId, Field(alias="roleDefinitionId")]
    principal: Annotated[ObjectId, Field(alias="principalId")]
    scope: Annotated[str | None, Field(alias="directoryScopeId")] = None
    """``/`` is the whole tenant."""


class Eligibility(Resource):
    """One role that a principal may activate by itself, now or from some time on (Privileged Identity Management)."""

    id: str
    role: Annotated[RoleId, Field(alias="roleDefinitionId")]
    principal: Annotated[ObjectId, Field(alias="principalId")]
    scope: Annotated[str, Field(alias="directoryScopeId"), null_as("/")] = "/"


class Principal(Description):
    """Who holds a role: an account, a group or an app."""

    type: Annotated[str | None, Field(alias="@odata.type")] = None
    display_name: str | None = None
    account_enabled: bool | None = None
    """None: not an account, or Graph did not say, which it need not here. Ask ``users.get`` then."""


class RoleHolder(RoleAssignment):
    """An assignment together with what is known of its principal."""

    holder: Annotated[Principal | None, Field(alias="principal")] = None


def assignment_id(role: RoleId, principal: ObjectId) -> str:
    """The id that Microsoft gives to this role held by this principal over the whole tenant.

    It is computed from the two GUIDs, so an assignment can be removed even if the answer to its creation was lost.
    """
    both = UUID(role).bytes_le + UUID(principal).bytes_le
    return urlsafe_b64encode(both).decode().rstrip("=") + "-1"


class Roles:
    """The directory roles of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def definitions(self) -> Listing[RoleDefinition]:
        """Every role of the tenant, built-in and custom."""
        return await self._calls.listing(operations.READ_ROLES, _DEFINITIONS, RoleDefinition)

    async def assignments_of(self, principal: ObjectId) -> Listing[RoleAssignment]:
        """What the principal holds directly, at any scope. May lag behind writes by some 15 seconds."""
        query = {"$filter": f"principalId eq {literal(guid(principal))}"}
        return await self._calls.listing(operations.READ_ROLES, _ASSIGNMENTS, RoleAssignment, query)

    async def holders(self, role: RoleId) -> Listing[RoleHolder]:
        """Who holds the role directly, at any scope. Members of a group that holds it are not listed."""
        query = {"$filter": f"roleDefinitionId eq {literal(guid(role))}", "$expand": "principal"}
        return await self._calls.listing(operations.READ_ROLES, _ASSIGNMENTS, RoleHolder, query)

    async def assign(self, role: RoleId, *, to: ObjectId, scope: str = "/") -> RoleAssignment:
        """Give a role. Not idempotent: ``ConflictError`` where it is held, ``NotYetVisibleError`` for a new principal.

        After a removal the same assignment may be ``ConflictError`` for some 15 seconds without being there.
        """
        body = {
            "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
            "roleDefinitionId": guid(role),
            "principalId": guid(to),
            "directoryScopeId": scope,
        }
        return (await self._calls.post(operations.ASSIGN_ROLE, _ASSIGNMENTS, body)).read(RoleAssignment)

    async def eligibilities_of(self, principal: ObjectId) -> Listing[Eligibility] | None:
        """What the principal may activate by itself. None: without Entra ID P2 a tenant has no such thing."""
        query = {"$filter": f"principalId eq {literal(guid(principal))}"}
        try:
            return await self._calls.listing(operations.READ_ELIGIBILITY, _ELIGIBILITIES, Eligibility, query)
        except PermanentError as error:
            if error.code == "AadPremiumLicenseRequired":
                return None
            raise

    async def remove_eligibility(self, eligibility: Eligibility) -> DirectoryCall:
        """Take the offer back. The answer proves nothing: look afterwards. One that is gone may be refused, or not."""
        body = {
            "action": "adminRemove",
            "principalId": eligibility.principal,
            "roleDefinitionId": eligibility.role,
            "directoryScopeId": eligibility.scope,
            "justification": "The account is closed: nothing may be activated with it.",
        }
        return (await self._calls.post(operations.REMOVE_ELIGIBILITY, _ELIGIBILITY_REQUESTS, body)).evidence

    async def unassign(self, assignment: str) -> DirectoryCall:
        """Take a role away, by the assignment's id. ``ConflictError`` when it is not there, or too new to be seen."""
        return (await self._calls.delete(operations.UNASSIGN_ROLE, f"{_ASSIGNMENTS}/{opaque(assignment)}")).evidence
