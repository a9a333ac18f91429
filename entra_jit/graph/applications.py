"""Applications as the tenant has them, to recognise our own in its audit log."""

from __future__ import annotations

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid
from entra_jit.graph.answers import Resource
from entra_jit.graph.calls import Calls
from entra_jit.graph.errors import NotYetVisibleError
from models.messages import ObjectId


class ApplicationObject(Resource):
    """A service principal, or a registration that lives in the tenant."""

    id: ObjectId
    app_id: str
    display_name: str | None = None


class Applications:
    """The applications of one tenant, by client id."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def principal(self, client_id: str) -> ApplicationObject | None:
        """The application's service principal here."""
        return await self._find("servicePrincipals", client_id)

    async def registration(self, client_id: str) -> ApplicationObject | None:
        """The registration itself; None where it lives in another tenant."""
        return await self._find("applications", client_id)

    async def _find(self, collection: str, client_id: str) -> ApplicationObject | None:
        path = f"/{collection}(appId='{guid(client_id)}')"
        try:
            answer = await self._calls.get(operations.READ_APPLICATION, path, {"$select": "id,appId,displayName"})
        except NotYetVisibleError as error:
            if error.status == 404:
                return None
            raise
        return answer.read(ApplicationObject)
