"""The tenant itself, as it introduces itself."""

from __future__ import annotations

from entra_jit.graph import operations
from entra_jit.graph.answers import Resource
from entra_jit.graph.calls import Calls
from models.messages import TenantId


class Organization(Resource):
    """Who the tenant says it is. ``id`` must be the tenant that one meant to connect."""

    id: TenantId
    display_name: str | None = None


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
