"""``/users/{id}/assignLicense`` and ``licenseDetails``: which of the tenant's licences an account uses."""

from __future__ import annotations

from dataclasses import replace

from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import bad_request, value_required
from sandbox.graph.licences import licences_of, skus
from sandbox.graph.operations import Operations
from sandbox.graph.users import USERS, live_user

operations = Operations()


@operations.post("/users/{user}/assignLicense", permissions.ASSIGN_LICENCES, lacks="what a licence provisions, later")
def assign_licence(call: Call) -> Answer:
    """Add and remove licences in one step. Both lists have to be there."""
    user, body = live_user(call), call.json_object()
    added, removed = (_list(body, name) for name in ("addLicenses", "removeLicenses"))
    known = {sku["skuId"]: sku for sku in skus(call.tenant)}
    held = {one["skuId"]: one for one in licences_of(user)}
    wanted = [str(one.get("skuId", "")).lower() if isinstance(one, dict) else "" for one in added]
    for sku_id in (*wanted, *(str(one).lower() for one in removed)):
        if sku_id not in known:
            raise bad_request(f"License {sku_id} does not correspond to a valid company License.")
    if wanted and not user.properties.get("usageLocation"):
        raise bad_request("License assignment cannot be done for user with invalid usage location.")
    for sku_id in wanted:
        sku = known[sku_id]
        if sku_id not in held and sku["consumedUnits"] >= sku["prepaidUnits"]["enabled"]:
            raise bad_request(f"Subscription with SKU {sku_id} does not have any available licenses.")
    for sku_id in (str(one).lower() for one in removed):
        if held.pop(sku_id, None) is None:
            raise bad_request("User does not have a corresponding license.")
    for one, sku_id in zip(added, wanted, strict=True):
        held[sku_id] = {"disabledPlans": one.get("disabledPlans") or [], "skuId": sku_id}
    changed = replace(user, properties=user.properties | {"assignedLicenses": list(held.values())})
    call.tenant.users.put(changed)
    return odata.entity(call, USERS, changed)


@operations.get("/users/{user}/licenseDetails", permissions.READ_USERS)
def list_licence_details(call: Call) -> Answer:
    user = live_user(call)
    held = {one["skuId"] for one in licences_of(user)}
    value = [
        {name: sku[name] for name in ("id", "skuId", "skuPartNumber", "servicePlans")}
        for sku in skus(call.tenant)
        if sku["skuId"] in held
    ]
    return Answer(200, {"@odata.context": f"{call.context_base}users('{user.id}')/licenseDetails", "value": value})


def _list(body: dict[str, Json], name: str) -> list[Json]:
    value = body.get(name)
    if not isinstance(value, list):
        raise value_required(name)
    return value
