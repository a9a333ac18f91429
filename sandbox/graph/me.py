"""``/me``: what a signed-in person sees of the own account."""

from __future__ import annotations

from sandbox.exchange import Answer
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import GraphError, denied, not_found
from sandbox.graph.operations import Operations
from sandbox.graph.users import USERS

operations = Operations()


@operations.get("/me", permissions.ANYONE)
def get_me(call: Call) -> Answer:
    if call.actor.kind != "user":
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    if "User.Read" not in call.actor.permissions:
        raise denied()
    user = call.tenant.users.get(call.actor.id)
    if user is None:
        raise not_found(call.actor.id)
    return odata.entity(call, USERS, user)
