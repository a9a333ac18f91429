"""Policies that a tenant has once: security defaults, and what the credentials of applications may be. Read only."""

from __future__ import annotations

from sandbox.exchange import Answer, Json
from sandbox.graph import permissions
from sandbox.graph.call import Call
from sandbox.graph.operations import Operations

operations = Operations()

_NO_RESTRICTIONS: dict[str, Json] = {"passwordCredentials": [], "keyCredentials": []}


@operations.get("/policies/identitySecurityDefaultsEnforcementPolicy", permissions.READ_POLICIES)
def get_security_defaults(call: Call) -> Answer:
    return Answer(
        200,
        {
            "@odata.context": f"{call.context_base}policies/identitySecurityDefaultsEnforcementPolicy/$entity",
            "id": "00000000-0000-0000-0000-000000000005",
            "displayName": "Security Defaults",
            "description": "Basic demands on every sign-in.",
            "isEnabled": call.tenant.organization.security_defaults,
        },
    )


@operations.get("/policies/defaultAppManagementPolicy", permissions.READ_POLICIES)
def get_app_management(call: Call) -> Answer:
    restrictions = call.tenant.organization.app_restrictions
    return Answer(
        200,
        {
            "@odata.context": f"{call.context_base}policies/defaultAppManagementPolicy/$entity",
            "id": "00000000-0000-0000-0000-000000000000",
            "displayName": "Default app management tenant policy",
            "description": "Default tenant policy that enforces app management restrictions on applications.",
            "isEnabled": bool(restrictions),
            "applicationRestrictions": _NO_RESTRICTIONS | restrictions,
            "servicePrincipalRestrictions": _NO_RESTRICTIONS,
        },
    )
