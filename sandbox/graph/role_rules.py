"""Who can be given a directory role and from whom one can be taken: the same for all three interfaces to roles."""

from __future__ import annotations

from sandbox.directory.roles import GLOBAL_ADMINISTRATOR, RoleDefinition, built_in_roles
from sandbox.directory.rows import TENANT_SCOPE, RoleAssignment
from sandbox.graph.call import Call, is_guid
from sandbox.graph.directory_objects import exists
from sandbox.graph.errors import bad_request, not_found
from sandbox.graph.protection import UNIT_ROLES


def require_assignable(call: Call, role_id: str, principal_id: str, scope: str = TENANT_SCOPE) -> RoleDefinition:
    """The role. Raises 404 for a role, principal or scope that is not there, 400 for what does not go together."""
    role = built_in_roles().get(role_id)
    if role is None:
        raise not_found(role_id)
    if not role.assignable:
        raise bad_request(f"The role definition '{role_id}' cannot be assigned.")
    _require_principal(call, principal_id)
    _require_scope(call, scope, role_id)
    return role


def require_removable(call: Call, held: RoleAssignment) -> None:
    """An account cannot take its own role, and the last Global Administrator keeps theirs."""
    if held.principal_id == call.actor.id:
        name = built_in_roles()[held.role_id].name
        raise bad_request(f"Removing self from {name} built-in role is not allowed.")
    if is_last_global_administrator(call, held):
        raise bad_request("The last Global Administrator of a directory cannot be removed.")


def is_last_global_administrator(call: Call, held: RoleAssignment) -> bool:
    """Whether the tenant would be without a Global Administrator if this assignment were gone."""
    if held.role_id != GLOBAL_ADMINISTRATOR or held.scope != TENANT_SCOPE:
        return False
    # Who holds it for a time only cannot be the one who stays.
    before = call.tenant.holders_of(GLOBAL_ADMINISTRATOR, lasting=True)
    return bool(before) and not call.tenant.holders_of(GLOBAL_ADMINISTRATOR, without=held.id, lasting=True)


def _require_principal(call: Call, principal_id: str) -> None:
    group = call.tenant.groups.get(principal_id)
    if group is not None and not group.is_assignable_to_role:
        raise bad_request("The group is not assignable to a role: isAssignableToRole is not set.")
    if group is None and not exists(call.tenant, principal_id):
        raise not_found(principal_id)


def _require_scope(call: Call, scope: str, role_id: str) -> None:
    if scope == TENANT_SCOPE:
        return
    target = scope.rpartition("/")[2].lower()
    if scope.lower().startswith("/administrativeunits/"):
        if target not in call.tenant.administrative_units:
            raise not_found(target)
        if role_id not in UNIT_ROLES:
            raise bad_request("The role definition cannot be assigned at the scope of an administrative unit.")
    elif not is_guid(target) or not exists(call.tenant, target):
        raise not_found(target)
