"""Domains of a tenant: whether accounts can live there and sign in to Microsoft itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from entra_jit.graph import addresses, operations
from entra_jit.graph.answers import Resource, null_as
from entra_jit.graph.calls import Calls
from entra_jit.graph.errors import NotYetVisibleError


class Domain(Resource):
    """A domain of the tenant. It can be federated at any time, so it is read before each grant."""

    name: Annotated[str, Field(alias="id")]
    is_verified: bool
    authentication_type: str
    """``Managed``: Microsoft checks passwords. ``Federated``: another identity provider does."""

    is_initial: Annotated[bool, null_as(value=False)] = False
    """The ``onmicrosoft.com`` domain that the tenant began with, which nothing takes away."""

    @property
    def is_managed(self) -> bool:
        """Passwords and passes that we set are worth something here."""
        return self.authentication_type == "Managed"


class Domains:
    """The domains of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def all(self) -> tuple[Domain, ...]:
        """Every domain, in Microsoft's order. The collection comes at once, whatever its length.

        https://learn.microsoft.com/graph/api/domain-list
        """
        answer = await self._calls.get(operations.LIST_DOMAINS, "/domains")
        return answer.read_each(Domain)

    async def find(self, name: str) -> Domain | None:
        """The domain of exactly this name; None: the tenant has none."""
        try:
            answer = await self._calls.get(operations.READ_DOMAIN, f"/domains/{addresses.domain(name)}")
        except NotYetVisibleError as error:
            if error.status == 404:
                return None
            raise
        return answer.read(Domain)
