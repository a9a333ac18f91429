"""``/users/{id}/ownedObjects`` and ``oauth2PermissionGrants``: what stays with a person whatever roles are taken."""

from __future__ import annotations

from sandbox.exchange import Answer
from sandbox.graph import odata, permissions
from sandbox.graph.applications import APPLICATIONS, application_object_id
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import shown
from sandbox.graph.operations import Operations
from sandbox.graph.permission_grants import GRANTS
from sandbox.graph.users import live_user

operations = Operations()


@operations.get("/users/{user}/ownedObjects", permissions.READ_USERS, lacks=odata.RELATED_LACKS)
def list_owned_objects(call: Call) -> Answer:
    """Groups, service principals, and the registrations that live in this tenant."""
    user, names = live_user(call), odata.selected(call)
    ids = [group.id for group in call.tenant.groups.find("owner", user.id)]
    ids += [principal.id for principal in call.tenant.service_principals if user.id in principal.owners]
    value = [item for one in sorted(ids) if (item := shown(call.tenant, one, names)) is not None]
    value += [
        {"@odata.type": "#microsoft.graph.application"} | APPLICATIONS.project(row, names)
        for row in sorted(call.applications, key=application_object_id)
        if row.home_tenant == call.tenant.id and user.id in row.owners
    ]
    return odata.related(call, "directoryObjects", value)


@operations.get("/users/{user}/oauth2PermissionGrants", permissions.READ_GRANTS)
def list_grants_of_user(call: Call) -> Answer:
    """Which applications may act for this person alone; what holds for everybody is not listed here."""
    user = live_user(call)
    rows = [grant for grant in call.tenant.delegated_grants.in_order() if grant.principal_id == user.id]
    return odata.collection(call, GRANTS, rows)
