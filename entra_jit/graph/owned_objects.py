"""What stays with an account although it is disabled and holds no role: what it owns, and what may act in its name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid
from entra_jit.graph.answers import Listing, Resource, null_as
from entra_jit.graph.calls import Calls
from models.messages import ObjectId


class OwnedObject(Resource):
    """An application, a service principal or a group. Its owner can add a secret or a member to it."""

    id: ObjectId
    type: Annotated[str | None, Field(alias="@odata.type")] = None
    display_name: str | None = None
    """None also where our app may not read objects of this kind."""

    @property
    def kind(self) -> str:
        """``application``, ``servicePrincipal``, ``group``, …"""
        return (self.type or "object").removeprefix("#microsoft.graph.")


class Consent(Resource):
    """An application that may act in the account's name."""

    id: str
    client: Annotated[ObjectId, Field(alias="clientId")]
    """The application's service principal."""
    scope: Annotated[str, null_as("")] = ""
    """Its delegated permissions, separated by blanks."""


class OwnedObjects:
    """What accounts of one tenant own and have consented to."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def owned(self, user: ObjectId) -> Listing[OwnedObject]:
        """What the account is an owner of."""
        return await self._calls.listing(operations.READ_OWNED, f"/users/{guid(user)}/ownedObjects", OwnedObject)

    async def consents(self, user: ObjectId) -> Listing[Consent]:
        """What the account has consented to for itself. What holds for everybody is not among it."""
        path = f"/users/{guid(user)}/oauth2PermissionGrants"
        return await self._calls.listing(operations.READ_CONSENTS, path, Consent)
