"""``/directory/deletedItems``: accounts that were deleted softly, until they are restored or purged."""

from __future__ import annotations

from dataclasses import replace

from sandbox.directory.rows import User
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import domain_not_verified, invalid_value, name_taken, not_found
from sandbox.graph.group_schema import GROUPS
from sandbox.graph.operations import Operations
from sandbox.graph.protection import require_authority_over
from sandbox.graph.user_schema import checked_user_principal_name
from sandbox.graph.users import USERS

operations = Operations()
_USER_TYPE = {"@odata.type": "#microsoft.graph.user"}


@operations.get("/directory/deletedItems/graph.user", permissions.READ_DELETED_USERS)
def list_deleted_users(call: Call) -> Answer:
    return odata.collection(call, USERS, call.tenant.deleted_users.in_order())


@operations.get("/directory/deletedItems/graph.user/$count", permissions.READ_DELETED_USERS)
def count_deleted_users(call: Call) -> Answer:
    return odata.count(call, USERS, call.tenant.deleted_users)


@operations.get(
    "/directory/deletedItems/graph.group",
    permissions.READ_MEMBERSHIPS,
    lacks="groups: those of this sandbox are deleted for good",
)
def list_deleted_groups(call: Call) -> Answer:
    return odata.collection(call, GROUPS, [])


@operations.get("/directory/deletedItems/{item}", permissions.READ_DELETED_USERS)
def get_deleted_item(call: Call) -> Answer:
    return _answer(call, _deleted(call))


@operations.post("/directory/deletedItems/{item}/restore", permissions.DELETE_USERS)
def restore(call: Call) -> Answer:
    """Bring the account back, with its groups and without its roles; under a new name if its own was taken."""
    body = call.json_object(optional=True)
    user = _deleted(call)
    require_authority_over(call, user)
    if (reconcile := body.get("autoReconcileProxyConflict")) is not None and not isinstance(reconcile, bool):
        raise invalid_value("autoReconcileProxyConflict")
    if new_name := body.get("newUserPrincipalName"):
        user = _renamed(call, user, new_name)
    if call.tenant.user(user.user_principal_name):
        raise name_taken()
    if reconcile:
        user = _without_conflicting_addresses(call, user)
    call.tenant.restore(user)
    return _answer(call, replace(user, deleted=None))


@operations.delete("/directory/deletedItems/{item}", frozenset({"User.DeleteRestore.All"}))
def purge(call: Call) -> Answer:
    user = _deleted(call)
    require_authority_over(call, user)
    call.tenant.deleted_users.remove(user.id)
    return Answer(204)


def _renamed(call: Call, user: User, name: Json) -> User:
    checked_user_principal_name(name)
    domain = call.tenant.organization.domain(name.rpartition("@")[2])
    if domain is None or not domain.is_verified:
        raise domain_not_verified()
    return replace(user, properties=user.properties | {"userPrincipalName": name})


def _without_conflicting_addresses(call: Call, user: User) -> User:
    """Drop the mail addresses that a live account has by now."""
    addresses = user.properties.get("proxyAddresses")
    if not isinstance(addresses, list):
        return user
    held = [other.properties.get("proxyAddresses") for other in call.tenant.users]
    taken = {str(address).lower() for one in held if isinstance(one, list) for address in one}
    kept = [address for address in addresses if str(address).lower() not in taken]
    return replace(user, properties=user.properties | {"proxyAddresses": kept})


def _deleted(call: Call) -> User:
    user = call.tenant.deleted_users.get(call.args["item"].lower())
    if user is None:
        raise not_found(call.args["item"])
    return user


def _answer(call: Call, user: User) -> Answer:
    body: dict[str, Json] = {"@odata.context": odata.context(call, "directoryObjects", entity=True)}
    return Answer(200, body | _USER_TYPE | USERS.project(user, odata.selected(call)))
