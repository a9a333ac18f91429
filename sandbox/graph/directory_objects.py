"""Objects of any kind: references to them in bodies, and collections in which kinds are mixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Json
from sandbox.graph import odata
from sandbox.graph.call import Call
from sandbox.graph.errors import bad_request, not_found, value_required
from sandbox.graph.expand import relationship
from sandbox.graph.group_schema import GROUPS
from sandbox.graph.service_principals import SERVICE_PRINCIPALS, principal_by_id
from sandbox.graph.user_schema import OF_OTHER_SERVICES, PROPERTIES
from sandbox.graph.users import USERS

_EVERYTHING = [name for name in PROPERTIES if name not in OF_OTHER_SERVICES]
_CASTS = {
    "graph.user": "#microsoft.graph.user",
    "graph.group": "#microsoft.graph.group",
    "graph.serviceprincipal": "#microsoft.graph.servicePrincipal",
}
_SETS = {"graph.user": "users", "graph.group": "groups", "graph.serviceprincipal": "servicePrincipals"}


def shown(
    tenant: Tenant, object_id: str, names: Sequence[str] | None = None, *, everything: bool = False
) -> dict[str, Json] | None:
    """Any object with its type, in its default projection, with these properties or all; None if there is no such."""
    if user := tenant.users.get(object_id):
        return {"@odata.type": "#microsoft.graph.user"} | USERS.project(user, _EVERYTHING if everything else names)
    if group := tenant.groups.get(object_id):
        return {"@odata.type": "#microsoft.graph.group"} | GROUPS.project(group, names)
    if principal := principal_by_id(tenant, object_id):
        return {"@odata.type": "#microsoft.graph.servicePrincipal"} | SERVICE_PRINCIPALS.project(principal, names)
    return None


def exists(tenant: Tenant, object_id: str) -> bool:
    """Whether a user, group or service principal has this id."""
    return any(object_id in table for table in (tenant.users, tenant.groups, tenant.service_principals))


def referenced(call: Call, resource: str = "DirectoryObject") -> str:
    """The id of the live object that the body's ``@odata.id`` points at. Raises 400 without one, 404 for a stranger."""
    address = call.json_object().get("@odata.id")
    if not isinstance(address, str) or not address.strip("/ "):
        raise value_required("@odata.id", resource)
    object_id = address.rstrip("/").rpartition("/")[2].lower()
    if not exists(call.tenant, object_id):
        raise not_found(object_id)
    return object_id


def bound(body: dict[str, Json], collection: str) -> list[str]:
    """The ids in ``members@odata.bind`` and its like; empty if it is not there."""
    addresses = body.get(f"{collection}@odata.bind", [])
    if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
        raise bad_request(f"Invalid value specified for property '{collection}@odata.bind'.")
    return [address.rstrip("/").rpartition("/")[2].lower() for address in addresses]


def all_shown(tenant: Tenant, ids: Iterable[str], names: Sequence[str] | None) -> list[dict[str, Json]]:
    """Objects by id, in its order, as ``shown``; those that are not there are left out."""
    return [item for one in sorted(ids) if (item := shown(tenant, one, names)) is not None]


def related_objects(resource: str, name: str, ids: Callable[[Call, Any], Iterable[str]]) -> None:
    """Let a relationship to objects be expanded; ``ids`` are those of the objects that belong to a row."""

    @relationship(resource, name)
    def read(call: Call, row: object, names: Sequence[str] | None) -> list[dict[str, Json]]:
        return all_shown(call.tenant, ids(call, row), names)


def objects(call: Call, ids: Iterable[str], cast: str | None = None) -> Answer:
    """Objects by id as a collection; of one kind only under a cast, and then without the kind at each item."""
    value = all_shown(call.tenant, ids, odata.selected_and_id(call))
    entity_set = "directoryObjects"
    if cast is not None:
        kind = _CASTS[cast]
        entity_set = _SETS[cast]
        value = [{key: held for key, held in item.items() if key != "@odata.type"} for item in value
                 if item["@odata.type"] == kind]  # fmt: skip
    return odata.related(call, entity_set, value)
