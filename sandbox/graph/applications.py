"""``/applications``: the registrations that live in this tenant, with the credentials that open all their tenants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid5

from sandbox.directory.rows import Application
from sandbox.exchange import Answer, Json
from sandbox.graph import app_credentials, odata, permissions
from sandbox.graph.app_roles import MICROSOFT_GRAPH_APP_ID, defined_roles, role_id_of
from sandbox.graph.call import Call
from sandbox.graph.errors import not_found
from sandbox.graph.operations import Operations

operations = Operations()
_APPLICATION = "/applications/{application}"


def application_object_id(application: Application) -> str:
    """The registration's object id, which is neither its client id nor a service principal's id."""
    return str(uuid5(UUID(application.home_tenant), f"application:{application.id}"))


def _required(row: Application) -> list[dict[str, Json]]:
    roles = [{"id": role_id_of(permission), "type": "Role"} for permission in sorted(row.required_permissions)]
    return [{"resourceAppId": MICROSOFT_GRAPH_APP_ID, "resourceAccess": roles}] if roles else []


_VALUES: dict[str, Callable[[Application], Json]] = {
    "id": application_object_id,
    "deletedDateTime": lambda _: None,
    "appId": lambda row: row.id,
    "applicationTemplateId": lambda _: None,
    "disabledByMicrosoftStatus": lambda _: None,
    "createdDateTime": lambda _: None,
    "displayName": lambda row: row.display_name,
    "description": lambda _: None,
    "groupMembershipClaims": lambda _: None,
    "identifierUris": lambda row: [f"api://{row.id}"],
    "isFallbackPublicClient": lambda row: bool(row.public_redirect_uris) or None,
    "notes": lambda _: None,
    "publisherDomain": lambda _: None,
    "signInAudience": lambda row: "AzureADMyOrg" if row.single_tenant else "AzureADMultipleOrgs",
    "tags": lambda _: [],
    "appRoles": lambda row: defined_roles(row.app_roles),
    "keyCredentials": lambda row: app_credentials.key_credentials(row.certificates),
    "passwordCredentials": lambda row: app_credentials.password_credentials(row.secrets),
    "requiredResourceAccess": _required,
    "publicClient": lambda row: {"redirectUris": list(row.public_redirect_uris)},
    "spa": lambda row: {"redirectUris": list(row.spa_redirect_uris)},
    "web": lambda row: {
        "homePageUrl": None,
        "logoutUrl": None,
        "redirectUris": list(row.redirect_uris),
        "implicitGrantSettings": {
            "enableAccessTokenIssuance": False,
            "enableIdTokenIssuance": row.issues_id_tokens,
        },
    },
}

APPLICATIONS: odata.Shape[Application] = odata.Shape(
    entity_set="applications",
    resource="Application",
    properties=frozenset(_VALUES),
    default=tuple(_VALUES),
    value_of=lambda row, name: _VALUES[name](row),
    directory_class="Application",
)


def application(call: Call) -> Application:
    """The registration that the path names, by object id or as ``appId=...``. Raises 404, for other tenants' too."""
    key = call.args["application"].lower()
    for row in _registered(call):
        if key.removeprefix("appid=").strip("'") == (
            row.id if key.startswith("appid=") else application_object_id(row)
        ):
            return row
    raise not_found(call.args["application"])


def _registered(call: Call) -> list[Application]:
    return [row for row in call.applications.in_order() if row.home_tenant == call.tenant.id]


@operations.get("/applications", permissions.READ_APPLICATIONS)
def list_applications(call: Call) -> Answer:
    return odata.collection(call, APPLICATIONS, _registered(call))


@operations.get(_APPLICATION, permissions.READ_APPLICATIONS)
def get_application(call: Call) -> Answer:
    return odata.entity(call, APPLICATIONS, application(call))


@operations.post(f"{_APPLICATION}/addPassword", permissions.WRITE_APPLICATIONS)
def add_password(call: Call) -> Answer:
    """Add a secret; its value is in this answer and nowhere after."""
    held = application(call)
    secret, value = app_credentials.new_password(call)
    call.applications.put(replace(held, secrets=(*held.secrets, secret)))
    return app_credentials.added(call, secret, value)


@operations.post(f"{_APPLICATION}/removePassword", permissions.WRITE_APPLICATIONS)
def remove_password(call: Call) -> Answer:
    held = application(call)
    call.applications.put(replace(held, secrets=app_credentials.without(call, held.secrets)))
    return Answer(204)
