"""``/subscribedSkus``, and what a tenant's licences allow: some of Entra is not served to tenants that do not pay."""

from __future__ import annotations

from uuid import UUID, uuid5

from sandbox.directory.rows import User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import not_found
from sandbox.graph.operations import Operations

operations = Operations()

P1 = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
P2 = "eec0eb4f-6444-4f95-aba0-50c24d67f998"
_PLANS = {P1: "AAD_PREMIUM", P2: "AAD_PREMIUM_P2"}
_UNITS = 25


def has_premium(tenant: Tenant) -> bool:
    """Whether the tenant has Entra ID P1 (or P2, which contains it)."""
    return bool({P1, P2} & set(tenant.organization.service_plans))


def has_privileged_identity_management(tenant: Tenant) -> bool:
    """Whether the tenant has Entra ID P2."""
    return P2 in tenant.organization.service_plans


@operations.get("/subscribedSkus", permissions.READ_LICENCES, lacks="one SKU for each service plan; no real products")
def list_skus(call: Call) -> Answer:
    body: dict[str, Json] = {"@odata.context": odata.context(call, "subscribedSkus", entity=False)}
    return Answer(200, body | {"value": [odata.chosen(call, sku) for sku in skus(call.tenant)]})


@operations.get("/subscribedSkus/{sku}", permissions.READ_LICENCES)
def get_sku(call: Call) -> Answer:
    sku = next((one for one in skus(call.tenant) if one["id"] == call.args["sku"].lower()), None)
    if sku is None:
        raise not_found(call.args["sku"])
    body: dict[str, Json] = {"@odata.context": odata.context(call, "subscribedSkus", entity=True)}
    return Answer(200, body | odata.chosen(call, sku))


def licences_of(user: User) -> list[dict[str, Json]]:
    """The licences that were given to an account."""
    held = user.properties.get("assignedLicenses")
    return held if isinstance(held, list) else []  # type: ignore[return-value]  # written here and nowhere else


def skus(tenant: Tenant) -> list[dict[str, Json]]:
    """What the tenant has subscribed to."""
    return [_sku(tenant, plan) for plan in tenant.organization.service_plans]


def _sku(tenant: Tenant, plan: str) -> dict[str, Json]:
    sku = str(uuid5(UUID(plan), "sku"))
    name = _PLANS.get(plan, "UNKNOWN")
    return {
        "accountName": tenant.organization.slug,
        "accountId": str(uuid5(UUID(tenant.id), "account")),
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": sum(sku in {one["skuId"] for one in licences_of(user)} for user in tenant.users),
        "id": f"{tenant.id}_{sku}",
        "skuId": sku,
        "skuPartNumber": name,
        "subscriptionIds": [str(uuid5(UUID(tenant.id), sku))],
        "prepaidUnits": {"enabled": _UNITS, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [
            {
                "servicePlanId": plan,
                "servicePlanName": name,
                "provisioningStatus": "Success",
                "appliesTo": "User",
            }
        ],
    }
