"""``signInActivity`` of a user: when it last signed in, for tenants that pay and callers that may read the logs."""

from __future__ import annotations

from sandbox.directory.rows import User
from sandbox.exchange import Json
from sandbox.graph import permissions
from sandbox.graph.call import Call, is_guid
from sandbox.graph.errors import GraphError, denied
from sandbox.graph.licences import has_premium


def sign_in_activity(call: Call, user: User, key: str) -> Json:
    """The last sign-ins, null if there are none.

    Raises 400 if the user was asked for by name: the service that knows this finds by id only.
    """
    if not is_guid(key):
        raise GraphError(400, "400", "Get By Key only supports UserId and the key has to be a valid Guid")
    if not call.actor.permissions & permissions.READ_LOGS:
        raise denied()
    if not has_premium(call.tenant):
        raise GraphError(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        )
    mine = [row.content for row in call.tenant.sign_ins if row.content["userId"] == user.id]
    good = [one for one in mine if isinstance(status := one["status"], dict) and status["errorCode"] == 0]
    if not mine:
        return None
    last, successful = mine[-1], good[-1] if good else None
    return {
        "lastSignInDateTime": last["createdDateTime"],
        "lastSignInRequestId": last["id"],
        "lastNonInteractiveSignInDateTime": None,
        "lastNonInteractiveSignInRequestId": None,
        "lastSuccessfulSignInDateTime": successful["createdDateTime"] if successful else None,
        "lastSuccessfulSignInRequestId": successful["id"] if successful else None,
    }
