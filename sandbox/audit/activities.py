"""From rows that changed to activities in the log: the log cannot say what did not happen, nor miss what did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from sandbox.audit import user_activities
from sandbox.audit.activity import Activity, Author, Modified, Target
from sandbox.directory.directory import Change
from sandbox.directory.records import AdministrativeUnit, ConditionalAccessPolicy, DelegatedGrant, Schedule
from sandbox.directory.roles import built_in_roles
from sandbox.directory.rows import (
    TENANT_SCOPE,
    Application,
    Group,
    Organization,
    RoleAssignment,
    ServicePrincipal,
    User,
)
from sandbox.directory.tenant import Tenant
from sandbox.graph.applications import application_object_id

_SECRETS_CHANGED = "Update application \N{EN DASH} Certificates and secrets management "
"""Byte for byte as in Microsoft's log: 57 characters, an en dash, and a space at the end."""

_Describe = Callable[[Change, list[Change], Tenant, Author], Iterator[Activity]]


def activities(changes: list[Change], tenant: Tenant, author: Author) -> Iterator[Activity]:
    """What these changes of one tenant, made together, are called."""
    for change in changes:
        if (describe := _DESCRIBE.get(change.table)) is not None:
            yield from describe(change, changes, tenant, author)


def object_target(tenant: Tenant, object_id: str, *modified: Modified) -> Target:
    """Any object as the log names it, by what it is now."""
    if user := tenant.users.get(object_id) or tenant.deleted_users.get(object_id):
        return user_activities.user_target(user, *modified)
    if group := tenant.groups.get(object_id):
        return Target(group.id, group.display_name, "Group", None, modified)
    if principal := tenant.service_principals.get(object_id):
        return Target(principal.id, principal.display_name, "ServicePrincipal", None, modified)
    return Target(object_id, None, "Other", None, modified)


def _user(change: Change, changes: list[Change], _tenant: Tenant, author: Author) -> Iterator[Activity]:
    before, after = cast("User | None", change.before), cast("User | None", change.row)
    moved = any(other.table == "deletedUser" and other.row_id == change.row_id for other in changes)
    if before is None and after is not None:
        yield user_activities.restored(after) if moved else user_activities.added(after)
    elif after is None and before is not None:
        yield user_activities.deleted(before)
    elif before is not None and after is not None:
        yield from user_activities.changed(before, after, author)


def _deleted_user(change: Change, changes: list[Change], _tenant: Tenant, _author: Author) -> Iterator[Activity]:
    moved = any(other.table == "user" and other.row_id == change.row_id for other in changes)
    if change.row is None and change.before is not None and not moved:
        yield user_activities.purged(cast("User", change.before))


def _group(change: Change, _changes: list[Change], tenant: Tenant, _author: Author) -> Iterator[Activity]:
    before, after = cast("Group | None", change.before), cast("Group | None", change.row)
    group = after or before
    if group is None:
        return
    target = Target(group.id, group.display_name, "Group")
    if before is None:
        yield Activity("Add group", "GroupManagement", "Add", (target,))
    elif after is None:
        yield Activity("Delete group", "GroupManagement", "Delete", (target,))
    elif (before.display_name, before.description) != (after.display_name, after.description):
        yield Activity("Update group", "GroupManagement", "Update", (target,))
    yield from _references(tenant, "group", "GroupManagement", before, after)
    old_owners, new_owners = _owners(before), _owners(after)
    for owner in sorted(new_owners - old_owners):
        yield Activity("Add owner to group", "GroupManagement", "Assign", (object_target(tenant, owner), target))
    for owner in sorted(old_owners - new_owners):
        yield Activity("Remove owner from group", "GroupManagement", "Unassign", (object_target(tenant, owner), target))


def _owners(group: Group | None) -> frozenset[str]:
    return group.owners if group is not None else frozenset()


def _references(
    tenant: Tenant,
    what: str,
    category: str,
    before: Group | AdministrativeUnit | None,
    after: Group | AdministrativeUnit | None,
) -> Iterator[Activity]:
    old, new = before.members if before else frozenset(), after.members if after else frozenset()
    holder = after or before
    if holder is None or after is None:
        return
    names = f"{_compact(what)}.ObjectID", f"{_compact(what)}.DisplayName"
    for member in sorted(new - old):
        modified = Modified(names[0], None, holder.id), Modified(names[1], None, holder.display_name)
        target = object_target(tenant, member, *modified)
        yield Activity(f"Add member to {what}", category, "Assign", (target, _holder(what, holder)))
    for member in sorted(old - new):
        modified = Modified(names[0], holder.id, None), Modified(names[1], holder.display_name, None)
        target = object_target(tenant, member, *modified)
        yield Activity(f"Remove member from {what}", category, "Unassign", (target, _holder(what, holder)))


def _compact(what: str) -> str:
    return "".join(word.capitalize() for word in what.split())


def _holder(what: str, holder: Group | AdministrativeUnit) -> Target:
    return Target(holder.id, holder.display_name, _compact(what))


def _role_assignment(change: Change, changes: list[Change], tenant: Tenant, author: Author) -> Iterator[Activity]:
    held = cast("RoleAssignment", change.row or change.before)
    name = built_in_roles()[held.role_id].name
    role = Target(held.role_id, name, "Role")
    shown = [("Role.ObjectID", held.role_id), ("Role.DisplayName", name), ("Role.TemplateId", held.role_id)]
    if held.scope != TENANT_SCOPE:
        shown.append(("Role.DirectoryScope", held.scope))
    given = change.row is not None
    if given and change.before is not None:
        return
    modified = tuple(Modified(key, None if given else value, value if given else None) for key, value in shown)
    targets = (object_target(tenant, held.principal_id, *modified), role)
    schedule = next((other for other in changes if other.table == "schedule" and _is_of(other, held)), None)
    if schedule is None:
        activity = "Add member to role" if given else "Remove member from role"
        yield Activity(activity, "RoleManagement", "Assign" if given else "Unassign", targets)
        return
    timebound = cast("Schedule", schedule.row or schedule.before).expiration.ends is not None
    if given:
        activity = f"Add member to role in PIM completed ({'timebound' if timebound else 'permanent'})"
    elif author.source == "time":
        activity = "Remove member from role (PIM activation expired)"
    else:
        activity = "Remove member from role in PIM completed"
    yield Activity(activity, "RoleManagement", "Assign" if given else "Unassign", targets, "PIM")


def _is_of(change: Change, held: RoleAssignment) -> bool:
    schedule = cast("Schedule", change.row or change.before)
    mine = (schedule.principal_id, schedule.role_id, schedule.scope) == (held.principal_id, held.role_id, held.scope)
    return mine and schedule.kind == "assignment"


def _schedule(change: Change, _changes: list[Change], tenant: Tenant, _author: Author) -> Iterator[Activity]:
    schedule = cast("Schedule", change.row or change.before)
    if schedule.kind != "eligibility" or (change.row is not None and change.before is not None):
        return
    given = change.row is not None
    name = built_in_roles()[schedule.role_id].name
    targets = (object_target(tenant, schedule.principal_id), Target(schedule.role_id, name, "Role"))
    timebound = "timebound" if schedule.expiration.ends else "permanent"
    activity = (
        f"Add eligible member to role in PIM completed ({timebound})"
        if given
        else f"Remove eligible member from role in PIM completed ({timebound})"
    )
    yield Activity(activity, "RoleManagement", "Assign" if given else "Unassign", targets, "PIM")


def _service_principal(change: Change, _changes: list[Change], tenant: Tenant, author: Author) -> Iterator[Activity]:
    before, after = cast("ServicePrincipal | None", change.before), cast("ServicePrincipal | None", change.row)
    principal = after or before
    if principal is None:
        return
    category, target = "ApplicationManagement", Target(principal.id, principal.display_name, "ServicePrincipal")
    if after is None:
        yield Activity("Remove service principal", category, "Delete", (target,))
        return
    if before is None:
        yield Activity("Add service principal", category, "Add", (target,))
    held = before.permissions if before else frozenset[str]()
    for permission in sorted(after.permissions - held):
        modified = Modified("AppRole.Value", None, permission)
        granted = Target(after.id, after.display_name, "ServicePrincipal", None, (modified,))
        yield Activity("Add app role assignment to service principal", category, "Assign", (granted,))
    for permission in sorted(held - after.permissions):
        modified = Modified("AppRole.Value", permission, None)
        taken = Target(after.id, after.display_name, "ServicePrincipal", None, (modified,))
        yield Activity("Remove app role assignment from service principal", category, "Unassign", (taken,))
    if author.source == "signIn" and after.permissions - held:
        modified = Modified("ConsentContext.IsAdminConsent", None, "True")
        consented = Target(after.id, after.display_name, "ServicePrincipal", None, (modified,))
        yield Activity("Consent to application", category, "Assign", (consented,))
    if before is not None and before.secrets != after.secrets:
        name = "Add service principal credentials"
        gone = len(after.secrets) < len(before.secrets)
        yield Activity("Remove service principal credentials" if gone else name, category, "Update", (target,))
    if before is not None:
        yield from _owner_changes(tenant, "service principal", before.owners, after.owners, target)
    if before is not None and before.enabled != after.enabled:
        modified = Modified("AccountEnabled", [before.enabled], [after.enabled])
        changed = Target(after.id, after.display_name, "ServicePrincipal", None, (modified,))
        yield Activity("Update service principal", category, "Update", (changed,))


def _owner_changes(
    tenant: Tenant, what: str, before: frozenset[str], after: frozenset[str], target: Target
) -> Iterator[Activity]:
    for owner in sorted(after - before):
        yield Activity(
            f"Add owner to {what}", "ApplicationManagement", "Assign", (object_target(tenant, owner), target)
        )
    for owner in sorted(before - after):
        targets = (object_target(tenant, owner), target)
        yield Activity(f"Remove owner from {what}", "ApplicationManagement", "Unassign", targets)


def _application(change: Change, _changes: list[Change], tenant: Tenant, _author: Author) -> Iterator[Activity]:
    before, after = cast("Application | None", change.before), cast("Application | None", change.row)
    application = after or before
    if application is None:
        return
    object_id = application_object_id(application)
    category, target = "ApplicationManagement", Target(object_id, application.display_name, "Application")
    if before is None:
        yield Activity("Add application", category, "Add", (target,))
    elif after is None:
        yield Activity("Delete application", category, "Delete", (target,))
    elif (before.secrets, before.certificates) != (after.secrets, after.certificates):
        name = _SECRETS_CHANGED
        yield Activity(name, category, "Update", (target,))
    elif before.owners != after.owners:
        yield from _owner_changes(tenant, "application", before.owners, after.owners, target)
    else:
        yield Activity("Update application", category, "Update", (target,))


def _methods_policy(organization: Organization) -> tuple[object, ...]:
    return organization.temporary_access_pass, organization.method_states, organization.passkeys


def _organization(change: Change, _changes: list[Change], _tenant: Tenant, _author: Author) -> Iterator[Activity]:
    before, after = cast("Organization | None", change.before), cast("Organization | None", change.row)
    if before is None or after is None:
        return
    if _methods_policy(before) != _methods_policy(after):
        target = Target(after.id, "Authentication Methods Policy", "Policy")
        name = "Authentication Methods Policy Update"
        yield Activity(name, "Policy", "Update", (target,), "Authentication Methods")
    for domain in after.domains:
        old = before.domain(domain.name)
        target = Target(None, domain.name, "Directory")
        if old is None:
            yield Activity("Add unverified domain", "DirectoryManagement", "Add", (target,))
        elif old.authentication_type != domain.authentication_type:
            kinds = Modified("LiveType", [old.authentication_type], [domain.authentication_type])
            converted = Target(None, domain.name, "Directory", None, (kinds,))
            yield Activity("Set domain authentication", "DirectoryManagement", "Update", (converted,))
        elif domain.is_verified and not old.is_verified:
            yield Activity("Verify domain", "DirectoryManagement", "Update", (target,))


def _administrative_unit(change: Change, _changes: list[Change], tenant: Tenant, _author: Author) -> Iterator[Activity]:
    before, after = cast("AdministrativeUnit | None", change.before), cast("AdministrativeUnit | None", change.row)
    unit = after or before
    if unit is None:
        return
    category, target = "AdministrativeUnit", Target(unit.id, unit.display_name, "AdministrativeUnit")
    if before is None:
        yield Activity("Add administrative unit", category, "Add", (target,))
    elif after is None:
        yield Activity("Delete administrative unit", category, "Delete", (target,))
    elif before.members == after.members:
        yield Activity("Update administrative unit", category, "Update", (target,))
    yield from _references(tenant, "administrative unit", category, before, after)


def _conditional_access(change: Change, _changes: list[Change], _tenant: Tenant, _author: Author) -> Iterator[Activity]:
    policy = cast("ConditionalAccessPolicy", change.row or change.before)
    target = Target(policy.id, str(policy.properties.get("displayName")), "Policy")
    service = "Conditional Access"
    if change.before is None:
        yield Activity("Add conditional access policy", "Policy", "Add", (target,), service)
    elif change.row is None:
        yield Activity("Delete conditional access policy", "Policy", "Delete", (target,), service)
    else:
        yield Activity("Update conditional access policy", "Policy", "Update", (target,), service)


def _delegated_grant(change: Change, _changes: list[Change], tenant: Tenant, _author: Author) -> Iterator[Activity]:
    grant = cast("DelegatedGrant", change.row or change.before)
    target = object_target(tenant, grant.client_id, Modified("DelegatedPermissionGrant.Scope", None, grant.scope))
    if change.row is None:
        yield Activity("Remove delegated permission grant", "ApplicationManagement", "Unassign", (target,))
    else:
        yield Activity("Add delegated permission grant", "ApplicationManagement", "Assign", (target,))


_DESCRIBE: dict[str, _Describe] = {
    "user": _user,
    "deletedUser": _deleted_user,
    "group": _group,
    "roleAssignment": _role_assignment,
    "schedule": _schedule,
    "servicePrincipal": _service_principal,
    "application": _application,
    "organization": _organization,
    "administrativeUnit": _administrative_unit,
    "conditionalAccessPolicy": _conditional_access,
    "delegatedGrant": _delegated_grant,
}
