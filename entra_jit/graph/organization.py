"""The tenant itself, as it introduces itself."""

from __future__ import annotations

from typing import Annotated

from entra_jit.graph import operations
from entra_jit.graph.answers import Description, Resource, null_as
from entra_jit.graph.calls import Calls
from models.messages import TenantId


class VerifiedDomain(Description):
    """A domain whose owner the tenant has proven to be."""

    name: str
    type: str | None = None
    """``Managed``, or ``Federated``: another identity provider signs its accounts in."""
    is_initial: bool = False
    """The ``onmicrosoft.com`` domain that the tenant was made with. It cannot be federated."""


class Organization(Resource):
    """Who the tenant says it is. ``id`` must be the tenant that one meant to connect."""

    id: TenantId
    display_name: str | None = None
    verified_domains: Annotated[tuple[VerifiedDomain, ...], null_as([])] = ()

    @property
    def initial_domain(self) -> str | None:
        """Where accounts can live that must sign in whatever becomes of the tenant's other domains."""
        return next((domain.name.lower() for domain in self.verified_domains if domain.is_initial), None)

    @property
    def federated_domains(self) -> frozenset[str]:
        """In lower case."""
        return frozenset(domain.name.lower() for domain in self.verified_domains if domain.type == "Federated")


class OrganizationReader:
    """Reads the organization of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(self) -> Organization:
        """The organization; a tenant has exactly one."""
        answer = await self._calls.get(operations.READ_ORGANIZATION, "/organization")
        found = answer.read_each(Organization)
        if len(found) != 1:
            answer.raise_malformed(f"the tenant claims to be {len(found)} organizations")
        return found[0]
