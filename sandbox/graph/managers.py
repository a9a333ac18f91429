"""``/users/{id}/manager`` and ``directReports``: who manages whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sandbox.directory.rows import User
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import all_shown, referenced, shown
from sandbox.graph.errors import bad_request, not_found, synced_object
from sandbox.graph.expand import relationship
from sandbox.graph.operations import Operations
from sandbox.graph.users import USERS, live_user

operations = Operations()
_MANAGER = "/users/{user}/manager"


@operations.get(_MANAGER, permissions.READ_USERS)
def get_manager(call: Call) -> Answer:
    """Raises 404 also for a user without one (aspnet-snippets-sample#6)."""
    manager = _manager_of(call, live_user(call))
    if manager is None:
        raise not_found("manager")
    answer = odata.entity(call, USERS, manager)
    context = odata.context(call, "directoryObjects", entity=True)
    answer.body = answer.body | {"@odata.context": context, "@odata.type": "#microsoft.graph.user"}
    return answer


@operations.put(f"{_MANAGER}/$ref", permissions.UPDATE_USERS)
def set_manager(call: Call) -> Answer:
    user, manager = live_user(call), referenced(call, "User")
    if user.is_synced:
        raise synced_object()
    if manager not in call.tenant.users:
        raise bad_request("The manager has to be a user.")
    call.tenant.users.put(replace(user, manager=manager))
    return Answer(204)


@operations.delete(f"{_MANAGER}/$ref", permissions.UPDATE_USERS)
def remove_manager(call: Call) -> Answer:
    user = live_user(call)
    if _manager_of(call, user) is None:
        raise not_found("manager")
    call.tenant.users.put(replace(user, manager=None))
    return Answer(204)


@operations.get("/users/{user}/directReports", permissions.READ_USERS)
def list_direct_reports(call: Call) -> Answer:
    reports = direct_reports(call, live_user(call), odata.selected_and_id(call))
    return odata.related(call, "directoryObjects", reports)


@relationship("User", "directReports")
def direct_reports(call: Call, user: User, names: Sequence[str] | None) -> list[dict[str, Json]]:
    """Whom the user manages."""
    return all_shown(call.tenant, (one.id for one in call.tenant.users if one.manager == user.id), names)


@relationship("User", "manager")
def manager(call: Call, user: User, names: Sequence[str] | None) -> dict[str, Json] | None:
    """Who manages the user."""
    return shown(call.tenant, user.manager, names) if user.manager else None


def _manager_of(call: Call, user: User) -> User | None:
    return call.tenant.users.get(user.manager) if user.manager else None
