"""``/servicePrincipals``: an application as this tenant has it, some of Microsoft's own included."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from sandbox.clock import seconds
from sandbox.directory.rows import ServicePrincipal
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Json
from sandbox.graph import app_credentials, odata, permissions
from sandbox.graph.app_roles import MICROSOFT_GRAPH_APP_ID, defined_roles, shown_app_roles
from sandbox.graph.call import Call
from sandbox.graph.errors import GraphError, bad_request, invalid_value, not_found, value_required
from sandbox.graph.microsofts_own import is_microsofts, own_principals
from sandbox.graph.operations import Operations

operations = Operations()
_PRINCIPAL = "/servicePrincipals/{principal}"
_DEFAULT: tuple[str, ...] = (
    "id",
    "deletedDateTime",
    "accountEnabled",
    "alternativeNames",
    "appDescription",
    "appDisplayName",
    "appId",
    "applicationTemplateId",
    "appOwnerOrganizationId",
    "appRoleAssignmentRequired",
    "appRoles",
    "createdDateTime",
    "description",
    "disabledByMicrosoftStatus",
    "displayName",
    "homepage",
    "info",
    "keyCredentials",
    "loginUrl",
    "logoutUrl",
    "notes",
    "notificationEmailAddresses",
    "oauth2PermissionScopes",
    "passwordCredentials",
    "preferredSingleSignOnMode",
    "replyUrls",
    "servicePrincipalNames",
    "servicePrincipalType",
    "signInAudience",
    "tags",
    "tokenEncryptionKeyId",
    "verifiedPublisher",
)
_EMPTY_LISTS = frozenset(
    {
        "alternativeNames",
        "keyCredentials",
        "notificationEmailAddresses",
        "oauth2PermissionScopes",
        "replyUrls",
        "tags",
    }
)


def _value_of(principal: ServicePrincipal, name: str) -> Json:
    values: dict[str, Json] = {
        "id": principal.id,
        "accountEnabled": principal.enabled,
        "appDisplayName": principal.display_name,
        "appId": principal.app_id,
        "appOwnerOrganizationId": principal.owner_tenant,
        "appRoleAssignmentRequired": False,
        "appRoles": _app_roles(principal),
        "createdDateTime": seconds(principal.created),
        "displayName": principal.display_name,
        "passwordCredentials": app_credentials.password_credentials(principal.secrets),
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [principal.app_id, f"api://{principal.app_id}"],
        "signInAudience": "AzureADMultipleOrgs",
    }
    return values.get(name, [] if name in _EMPTY_LISTS else None)


def _app_roles(principal: ServicePrincipal) -> list[dict[str, Json]]:
    return shown_app_roles() if principal.app_id == MICROSOFT_GRAPH_APP_ID else defined_roles(principal.app_roles)


SERVICE_PRINCIPALS: odata.Shape[ServicePrincipal] = odata.Shape(
    entity_set="servicePrincipals",
    resource="ServicePrincipal",
    properties=frozenset(_DEFAULT),
    default=_DEFAULT,
    value_of=_value_of,
    directory_class="ServicePrincipal",
)


def principal_by_id(tenant: Tenant, object_id: str) -> ServicePrincipal | None:
    """The service principal with this object id, Microsoft's own included; None if there is no such."""
    own = (principal for principal in own_principals(tenant) if principal.id == object_id)
    return tenant.service_principals.get(object_id) or next(own, None)


def principal(call: Call) -> ServicePrincipal:
    """The service principal that the path names, by object id or as ``appId=...``. Raises 404."""
    key = call.args["principal"].lower()
    if key.startswith("appid="):
        app_id = key.removeprefix("appid=").strip("'")
        own = (one for one in own_principals(call.tenant) if one.app_id == app_id)
        found = call.tenant.service_principals.one("app", app_id) or next(own, None)
    else:
        found = principal_by_id(call.tenant, key)
    if found is None:
        raise not_found(call.args["principal"])
    return found


def own_principal(call: Call) -> ServicePrincipal:
    """As ``principal``, for changes: Microsoft's own cannot be changed."""
    found = principal(call)
    if is_microsofts(found.app_id):
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    return found


@operations.get("/servicePrincipals", permissions.READ_APPLICATIONS, lacks="most of Microsoft's own")
def list_service_principals(call: Call) -> Answer:
    rows = [*call.tenant.service_principals, *own_principals(call.tenant)]
    return odata.collection(call, SERVICE_PRINCIPALS, sorted(rows, key=lambda row: row.id))


@operations.get(_PRINCIPAL, permissions.READ_APPLICATIONS)
def get_service_principal(call: Call) -> Answer:
    return odata.entity(call, SERVICE_PRINCIPALS, principal(call))


@operations.post(
    "/servicePrincipals", permissions.WRITE_APPLICATIONS, lacks="applications that this sandbox does not have"
)
def create_service_principal(call: Call) -> Answer:
    """Bring an application into this tenant, with nothing granted to it."""
    app_id = call.json_object().get("appId")
    if not isinstance(app_id, str):
        raise value_required("appId", "ServicePrincipal")
    application = call.applications.get(app_id.lower())
    if application is None:
        raise bad_request(
            f"The appId '{app_id}' of the service principal does not reference a valid application object."
        )
    if call.tenant.service_principals.one("app", application.id):
        message = f"The service principal cannot be created, updated, or restored because the service principal name {application.id} is already in use."  # noqa: E501
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", message)
    made = ServicePrincipal(
        id=str(uuid4()),
        app_id=application.id,
        display_name=application.display_name,
        created=call.exchange.at,
        owner_tenant=application.home_tenant,
        app_roles=application.app_roles,
    )
    call.tenant.service_principals.put(made)
    return odata.entity(call, SERVICE_PRINCIPALS, made, 201)


@operations.patch(_PRINCIPAL, permissions.WRITE_APPLICATIONS, lacks="everything but accountEnabled")
def update_service_principal(call: Call) -> Answer:
    held = own_principal(call)
    body = {name: value for name, value in call.json_object().items() if name != "@odata.type"}
    if body.keys() - {"accountEnabled"}:
        raise bad_request("This sandbox changes accountEnabled of service principals only.")
    if not isinstance(body.get("accountEnabled"), bool):
        raise invalid_value("accountEnabled", "ServicePrincipal")
    call.tenant.service_principals.put(replace(held, enabled=body["accountEnabled"]))
    return Answer(204)


@operations.delete(_PRINCIPAL, permissions.WRITE_APPLICATIONS, lacks="soft deletion: it is gone at once")
def delete_service_principal(call: Call) -> Answer:
    """Take an application out of the tenant, with its consents and its roles."""
    held = own_principal(call)
    for assignment in call.tenant.role_assignments.find("principal", held.id):
        call.tenant.take_role(assignment.id)
    for grant in list(call.tenant.delegated_grants):
        if grant.client_id == held.id:
            call.tenant.delegated_grants.remove(grant.id)
    call.tenant.service_principals.remove(held.id)
    return Answer(204)


@operations.post(f"{_PRINCIPAL}/addPassword", permissions.WRITE_APPLICATIONS)
def add_password(call: Call) -> Answer:
    """Add a secret to the principal itself: the registration at home does not show it, and it opens this tenant."""
    held = own_principal(call)
    secret, value = app_credentials.new_password(call)
    call.tenant.service_principals.put(replace(held, secrets=(*held.secrets, secret)))
    return app_credentials.added(call, secret, value)


@operations.post(f"{_PRINCIPAL}/removePassword", permissions.WRITE_APPLICATIONS)
def remove_password(call: Call) -> Answer:
    held = own_principal(call)
    call.tenant.service_principals.put(replace(held, secrets=app_credentials.without(call, held.secrets)))
    return Answer(204)
