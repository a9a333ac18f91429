"""``/users/{id}/ownedObjects`` and ``oauth2PermissionGrants``: what stays with a person whatever roles are taken."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.directory.rows import User
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.applications import APPLICATIONS, application_object_id
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import all_shown
from sandbox.graph.expand import relationship
from sandbox.graph.operations import Operations
from sandbox.graph.permission_grants import GRANTS
from sandbox.graph.users import live_user

operations = Operations()


@operations.get("/users/{user}/ownedObjects", permissions.READ_USERS)
def list_owned_objects(call: Call) -> Answer:
    """Groups, service principals, and the registrations that live in this tenant."""
    return odata.related(call, "directoryObjects", _owned(call, live_user(call), odata.selected_and_id(call)))


@relationship("User", "ownedObjects")
def _owned(call: Call, user: User, names: Sequence[str] | None) -> list[dict[str, Json]]:
    ids = [group.id for group in call.tenant.groups.find("owner", user.id)]
    ids += [principal.id for principal in call.tenant.service_principals if user.id in principal.owners]
    return all_shown(call.tenant, ids, names) + [
        {"@odata.type": "#microsoft.graph.application"} | APPLICATIONS.project(row, names)
        for row in sorted(call.applications, key=application_object_id)
        if row.home_tenant == call.tenant.id and user.id in row.owners
    ]


@operations.get("/users/{user}/oauth2PermissionGrants", permissions.READ_GRANTS)
def list_grants_of_user(call: Call) -> Answer:
    """Which applications may act for this person alone; what holds for everybody is not listed here."""
    user = live_user(call)
    rows = [grant for grant in call.tenant.delegated_grants.in_order() if grant.principal_id == user.id]
    return odata.collection(call, GRANTS, rows)
