"""``/oauth2PermissionGrants``: which applications may act for people, and for whom."""

from __future__ import annotations

from dataclasses import replace

from sandbox.directory.records import DelegatedGrant, consent_id
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.app_roles import graph_principal_id
from sandbox.graph.call import Call
from sandbox.graph.errors import GraphError, invalid_value, not_found, value_required
from sandbox.graph.operations import Operations
from sandbox.graph.service_principals import principal

operations = Operations()
_GRANT = "/oauth2PermissionGrants/{grant}"


def _value_of(grant: DelegatedGrant, name: str) -> Json:
    values: dict[str, Json] = {
        "clientId": grant.client_id,
        "consentType": "AllPrincipals" if grant.principal_id is None else "Principal",
        "id": grant.id,
        "principalId": grant.principal_id,
        "resourceId": grant.resource_id,
        "scope": grant.scope,
    }
    return values[name]


_PROPERTIES = ("clientId", "consentType", "id", "principalId", "resourceId", "scope")
GRANTS: odata.Shape[DelegatedGrant] = odata.Shape(
    entity_set="oauth2PermissionGrants",
    resource="OAuth2PermissionGrant",
    properties=frozenset(_PROPERTIES),
    default=_PROPERTIES,
    value_of=_value_of,
)


@operations.get("/oauth2PermissionGrants", permissions.READ_GRANTS)
def list_grants(call: Call) -> Answer:
    return odata.collection(call, GRANTS, call.tenant.delegated_grants.in_order())


@operations.get(_GRANT, permissions.READ_GRANTS)
def get_grant(call: Call) -> Answer:
    return odata.entity(call, GRANTS, _grant(call))


@operations.get("/servicePrincipals/{principal}/oauth2PermissionGrants", permissions.READ_GRANTS)
def list_grants_of_principal(call: Call) -> Answer:
    held = principal(call)
    rows = [grant for grant in call.tenant.delegated_grants.in_order() if grant.client_id == held.id]
    return odata.collection(call, GRANTS, rows)


@operations.post("/oauth2PermissionGrants", permissions.WRITE_GRANTS, lacks="resources other than Microsoft Graph")
def create_grant(call: Call) -> Answer:
    body = call.json_object()
    for name in ("clientId", "consentType", "resourceId", "scope"):
        if not isinstance(body.get(name), str):
            raise value_required(name, "OAuth2PermissionGrant")
    client, person = body["clientId"].lower(), body.get("principalId")
    if client not in call.tenant.service_principals:
        raise not_found(client)
    if body["resourceId"].lower() != graph_principal_id(call.tenant.id):
        raise not_found(body["resourceId"])
    if (body["consentType"] == "Principal") != isinstance(person, str):
        raise invalid_value("consentType", "OAuth2PermissionGrant")
    if isinstance(person, str) and person.lower() not in call.tenant.users:
        raise not_found(person)
    wanted = person.lower() if isinstance(person, str) else None
    if any((held.client_id, held.principal_id) == (client, wanted) for held in call.tenant.delegated_grants):
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
    grant = DelegatedGrant(
        id=consent_id(client, body["resourceId"].lower(), wanted),
        client_id=client,
        resource_id=body["resourceId"].lower(),
        scope=body["scope"],
        principal_id=wanted,
    )
    call.tenant.delegated_grants.put(grant)
    return odata.entity(call, GRANTS, grant, 201)


@operations.patch(_GRANT, permissions.WRITE_GRANTS)
def update_grant(call: Call) -> Answer:
    """Only the scope can be changed."""
    grant = _grant(call)
    scope = call.json_object().get("scope")
    if not isinstance(scope, str):
        raise value_required("scope", "OAuth2PermissionGrant")
    call.tenant.delegated_grants.put(replace(grant, scope=scope))
    return Answer(204)


@operations.delete(_GRANT, permissions.WRITE_GRANTS)
def delete_grant(call: Call) -> Answer:
    call.tenant.delegated_grants.remove(_grant(call).id)
    return Answer(204)


def _grant(call: Call) -> DelegatedGrant:
    grant = call.tenant.delegated_grants.get(call.args["grant"])
    if grant is None:
        raise not_found(call.args["grant"])
    return grant
