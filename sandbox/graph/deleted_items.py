"""``/directory/deletedItems``: accounts that were deleted softly, until they are restored or purged."""

from __future__ import annotations

from dataclasses import replace

from sandbox.directory.rows import User
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import name_taken, not_found
from sandbox.graph.operations import Operations
from sandbox.graph.protection import require_authority_over
from sandbox.graph.user_schema import checked_user_principal_name
from sandbox.graph.users import USERS

operations = Operations()
_USER_TYPE = {"@odata.type": "#microsoft.graph.user"}


@operations.get("/directory/deletedItems/graph.user", permissions.READ_DELETED_USERS)
def list_deleted_users(call: Call) -> Answer:
    return odata.collection(call, USERS, call.tenant.deleted_users.in_order())


@operations.get("/directory/deletedItems/{item}", permissions.READ_DELETED_USERS)
def get_deleted_item(call: Call) -> Answer:
    return _answer(call, _deleted(call))


@operations.post("/directory/deletedItems/{item}/restore", permissions.DELETE_USERS)
def restore(call: Call) -> Answer:
    """Bring the account back; under a new name if its own was taken meanwhile."""
    body = call.json_object(optional=True)
    user = _deleted(call)
    require_authority_over(call, user)
    if new_name := body.get("newUserPrincipalName"):
        checked_user_principal_name(new_name)
        user = replace(user, properties=user.properties | {"userPrincipalName": new_name})
    if call.tenant.user(user.user_principal_name):
        raise name_taken()
    call.tenant.restore(user)
    return _answer(call, replace(user, deleted=None))


@operations.delete("/directory/deletedItems/{item}", frozenset({"User.DeleteRestore.All"}))
def purge(call: Call) -> Answer:
    user = _deleted(call)
    require_authority_over(call, user)
    call.tenant.deleted_users.remove(user.id)
    return Answer(204)


def _deleted(call: Call) -> User:
    user = call.tenant.deleted_users.get(call.args["item"].lower())
    if user is None:
        raise not_found(call.args["item"])
    return user


def _answer(call: Call, user: User) -> Answer:
    body: dict[str, Json] = {"@odata.context": odata.context(call, "directoryObjects", entity=True)}
    return Answer(200, body | _USER_TYPE | USERS.project(user, odata.selected(call)))
