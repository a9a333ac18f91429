"""``/servicePrincipals``: an application as this tenant has it, and the app permissions granted to it here."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from uuid import UUID, uuid5

from sandbox.clock import seconds, ticks
from sandbox.directory.rows import ServicePrincipal
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import not_found
from sandbox.graph.operations import Operations

operations = Operations()
MICROSOFT_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
_APP_ROLES = Path(__file__).parent.parent / "data" / "app_roles.json"
_DEFAULT: tuple[str, ...] = (
    "id",
    "deletedDateTime",
    "accountEnabled",
    "appDisplayName",
    "appId",
    "createdDateTime",
    "displayName",
    "servicePrincipalType",
    "servicePrincipalNames",
    "signInAudience",
)


def _value_of(principal: ServicePrincipal, name: str) -> Json:
    values: dict[str, Json] = {
        "id": principal.id,
        "accountEnabled": principal.enabled,
        "appDisplayName": principal.display_name,
        "appId": principal.app_id,
        "createdDateTime": seconds(principal.created),
        "displayName": principal.display_name,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [principal.app_id],
        "signInAudience": "AzureADMultipleOrgs",
    }
    return values.get(name)


SERVICE_PRINCIPALS: odata.Shape[ServicePrincipal] = odata.Shape(
    entity_set="servicePrincipals",
    resource="ServicePrincipal",
    properties=frozenset(_DEFAULT),
    default=_DEFAULT,
    value_of=_value_of,
    filterable=frozenset({"id", "appId", "displayName", "accountEnabled"}),
    directory_class="ServicePrincipal",
)


@cache
def app_role_ids() -> dict[str, str]:
    """App role ids of Microsoft Graph by permission name; a made-up but stable one where Microsoft's is not known."""
    known: dict[str, str | None] = json.loads(_APP_ROLES.read_text(encoding="utf-8"))
    return {name: role or _made_up(name) for name, role in known.items()}


def _made_up(permission: str) -> str:
    return str(uuid5(UUID(MICROSOFT_GRAPH_APP_ID), permission))


@operations.get("/servicePrincipals", permissions.READ_APPLICATIONS)
def list_service_principals(call: Call) -> Answer:
    return odata.collection(call, SERVICE_PRINCIPALS, call.tenant.service_principals.in_order())


@operations.get("/servicePrincipals/{principal}", permissions.READ_APPLICATIONS)
def get_service_principal(call: Call) -> Answer:
    return odata.entity(call, SERVICE_PRINCIPALS, _principal(call))


@operations.get("/servicePrincipals/{principal}/appRoleAssignments", permissions.READ_APPLICATIONS)
def list_app_role_assignments(call: Call) -> Answer:
    principal = _principal(call)
    graph_id = str(uuid5(UUID(call.tenant.id), MICROSOFT_GRAPH_APP_ID))
    value = []
    for permission in sorted(principal.permissions):
        role = app_role_ids().get(permission) or _made_up(permission)
        packed = UUID(principal.id).bytes_le + uuid5(UUID(principal.id), permission).bytes_le
        value.append(
            {
                "id": base64.urlsafe_b64encode(packed).decode().rstrip("="),
                "deletedDateTime": None,
                "appRoleId": role,
                "createdDateTime": ticks(principal.created),
                "principalDisplayName": principal.display_name,
                "principalId": principal.id,
                "principalType": "ServicePrincipal",
                "resourceDisplayName": "Microsoft Graph",
                "resourceId": graph_id,
            }
        )
    return Answer(200, {"@odata.context": f"{call.context_base}appRoleAssignments", "value": value})


def _principal(call: Call) -> ServicePrincipal:
    key = call.args["principal"].lower()
    if key.startswith("appid="):
        found = call.tenant.service_principals.one("app", key.removeprefix("appid=").strip("'"))
    else:
        found = call.tenant.service_principals.get(key)
    if found is None:
        raise not_found(call.args["principal"])
    return found
