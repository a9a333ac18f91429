"""What a tenant has subscribed to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from entra_jit.graph import operations
from entra_jit.graph.answers import Description, Listing, Resource, null_as
from entra_jit.graph.calls import Calls

ENTRA_ID_P1 = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
ENTRA_ID_P2 = "eec0eb4f-6444-4f95-aba0-50c24d67f998"
"""Service plans: products contain them under many names."""


class ServicePlan(Description):
    """A service that is part of a product."""

    id: Annotated[str, Field(alias="servicePlanId")]
    status: Annotated[str | None, Field(alias="provisioningStatus")] = None


class Subscription(Resource):
    """A product that the tenant has."""

    product: Annotated[str | None, Field(alias="skuPartNumber")] = None
    status: Annotated[str | None, Field(alias="capabilityStatus")] = None
    """``Enabled`` and ``Warning`` work; ``Suspended``, ``Deleted`` and ``LockedOut`` do not."""
    service_plans: Annotated[tuple[ServicePlan, ...], null_as([])] = ()


class Licences:
    """The licences of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list(self) -> Listing[Subscription]:
        """Everything that the tenant has subscribed to."""
        return await self._calls.listing(operations.READ_LICENCES, "/subscribedSkus", Subscription)
