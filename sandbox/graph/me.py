"""``/me``: what a signed-in person sees of the own account."""

from __future__ import annotations

from sandbox.directory.rows import User
from sandbox.exchange import Answer
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import GraphError, denied, not_found
from sandbox.graph.operations import Operations
from sandbox.graph.users import USERS, read_changes, write_changes

operations = Operations()


_OWN = frozenset(
    {
        "businessPhones",
        "city",
        "country",
        "mobilePhone",
        "officeLocation",
        "postalCode",
        "preferredLanguage",
        "state",
        "streetAddress",
    }
)
"""What people may change of their own account without any role."""


@operations.get("/me", permissions.ANYONE)
def get_me(call: Call) -> Answer:
    return odata.entity(call, USERS, _me(call, frozenset({"User.Read", "User.ReadWrite"})))


@operations.patch("/me", permissions.ANYONE, lacks="properties that other workloads keep")
def update_me(call: Call) -> Answer:
    user = _me(call, frozenset({"User.ReadWrite"}))
    return write_changes(call, user, read_changes(call, own=_OWN), own=_OWN)


def _me(call: Call, allowed: frozenset[str]) -> User:
    if call.actor.kind != "user":
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    if not call.actor.permissions & allowed:
        raise denied()
    user = call.tenant.users.get(call.actor.id)
    if user is None:
        raise not_found(call.actor.id)
    return user
