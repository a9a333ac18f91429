"""Applications as the tenant has them, to recognise our own and Microsoft's in its audit log."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from pydantic import AwareDatetime, Field, JsonValue

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid
from entra_jit.graph.answers import Description, Resource, null_as
from entra_jit.graph.calls import Calls
from entra_jit.graph.errors import NotYetVisibleError
from models.messages import ObjectId

_MICROSOFTS_TENANTS = ("f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47")
"""Those in which Microsoft's own services are registered."""

_PRINCIPAL = "id,displayName,appOwnerOrganizationId,passwordCredentials,keyCredentials"


class ApplicationObject(Resource):
    """A service principal, or a registration that lives in the tenant."""

    id: ObjectId
    display_name: str | None = None
    owner_tenant: Annotated[str | None, Field(alias="appOwnerOrganizationId")] = None
    """Where it is registered; None where Microsoft does not say."""
    password_credentials: tuple[JsonValue, ...] | None = None
    key_credentials: tuple[JsonValue, ...] | None = None
    """Those of the service principal itself, added in this tenant; None where Microsoft does not say."""

    @property
    def is_microsofts(self) -> bool:
        """Whether it is a service of Microsoft's, in whose name no one in this tenant can act by a credential of it."""
        has_none_of_its_own = self.password_credentials == self.key_credentials == ()
        return self.owner_tenant in _MICROSOFTS_TENANTS and has_none_of_its_own


class ApplicationCredential(Description):
    """A secret or certificate of an application, without what proves anything."""

    ends_at: Annotated[AwareDatetime | None, Field(alias="endDateTime")] = None
    hint: str | None = None
    """How a secret begins; None for certificates."""


class ApplicationCredentials(Resource):
    """Everything that an application can prove itself with, federated credentials aside: those do not expire."""

    secrets: Annotated[tuple[ApplicationCredential, ...], Field(alias="passwordCredentials"), null_as([])] = ()
    certificates: Annotated[tuple[ApplicationCredential, ...], Field(alias="keyCredentials"), null_as([])] = ()


class Applications:
    """The applications of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def principal(self, client_id: str) -> ApplicationObject:
        """The application's service principal here. Raises ``NotYetVisibleError`` where there is none, or too new."""
        return await self._get(f"/servicePrincipals(appId='{guid(client_id)}')", _PRINCIPAL)

    async def by_principal(self, principal: ObjectId) -> ApplicationObject | None:
        """The application by its service principal's id; None: there is no such service principal."""
        return await _or_none(self._get(f"/servicePrincipals/{guid(principal)}", _PRINCIPAL))

    async def registration(self, client_id: str) -> ApplicationObject | None:
        """The registration itself; None where it lives in another tenant."""
        return await _or_none(self._get(f"/applications(appId='{guid(client_id)}')", "id,displayName"))

    async def credentials(self, client_id: str) -> ApplicationCredentials | None:
        """What the registration can be proven with; None where it lives in another tenant, which alone knows."""
        path = f"/applications(appId='{guid(client_id)}')"
        query = {"$select": "id,passwordCredentials,keyCredentials"}
        try:
            answer = await self._calls.get(operations.READ_APPLICATION, path, query)
        except NotYetVisibleError as error:
            if error.status == 404:
                return None
            raise
        return answer.read(ApplicationCredentials)

    async def _get(self, path: str, selected: str) -> ApplicationObject:
        answer = await self._calls.get(operations.READ_APPLICATION, path, {"$select": selected})
        return answer.read(ApplicationObject)


async def _or_none(found: Awaitable[ApplicationObject]) -> ApplicationObject | None:
    try:
        return await found
    except NotYetVisibleError as error:
        if error.status == 404:
            return None
        raise
