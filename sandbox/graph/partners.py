"""``/tenantRelationships/delegatedAdminCustomers``: the customers that gave this tenant administration over theirs."""

from __future__ import annotations

from sandbox.directory.records import DelegatedAdminCustomer
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import not_found
from sandbox.graph.operations import Operations

operations = Operations()
_CUSTOMERS = "/tenantRelationships/delegatedAdminCustomers"


def _value_of(customer: DelegatedAdminCustomer, name: str) -> Json:
    values: dict[str, Json] = {
        "id": customer.id,
        "tenantId": customer.id,
        "displayName": customer.display_name,
    }
    return values[name]


CUSTOMERS: odata.Shape[DelegatedAdminCustomer] = odata.Shape(
    entity_set="tenantRelationships/delegatedAdminCustomers",
    resource="DelegatedAdminCustomer",
    properties=frozenset({"id", "tenantId", "displayName"}),
    default=("id", "tenantId", "displayName"),
    value_of=_value_of,
)


@operations.get(_CUSTOMERS, permissions.READ_CUSTOMERS, lacks="relationships, requests and role assignments (GDAP)")
def list_customers(call: Call) -> Answer:
    return odata.collection(call, CUSTOMERS, call.tenant.customers.in_order(), page=300)


@operations.get(f"{_CUSTOMERS}/{{customer}}", permissions.READ_CUSTOMERS)
def get_customer(call: Call) -> Answer:
    customer = call.tenant.customers.get(call.args["customer"].lower())
    if customer is None:
        raise not_found(call.args["customer"])
    return odata.entity(call, CUSTOMERS, customer)
