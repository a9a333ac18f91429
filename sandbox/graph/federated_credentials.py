"""``/applications/{id}/federatedIdentityCredentials``: whose tokens an application may show in place of a secret."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from sandbox.directory.rows import Application, FederatedCredential
from sandbox.exchange import Answer, Json
from sandbox.graph import permissions
from sandbox.graph.applications import application, application_object_id
from sandbox.graph.call import Call
from sandbox.graph.errors import GraphError, not_found, value_required
from sandbox.graph.operations import Operations

operations = Operations()
_CREDENTIALS = "/applications/{application}/federatedIdentityCredentials"
_CREDENTIAL = f"{_CREDENTIALS}/{{credential}}"
_MOST = 20
_KEYS_ARE_TOLD = "issuers' published keys: those that another credential or the control interface told"


@operations.get(_CREDENTIALS, permissions.READ_APPLICATIONS)
def list_credentials(call: Call) -> Answer:
    held = application(call)
    value = [_shown(held, one) for one in held.federated_credentials]
    return Answer(200, {"@odata.context": _context(call, held), "value": value})


@operations.get(_CREDENTIAL, permissions.READ_APPLICATIONS)
def get_credential(call: Call) -> Answer:
    held = application(call)
    return Answer(200, {"@odata.context": f"{_context(call, held)}/$entity"} | _shown(held, _named(call, held)))


@operations.post(_CREDENTIALS, permissions.WRITE_APPLICATIONS, lacks=_KEYS_ARE_TOLD)
def create_credential(call: Call) -> Answer:
    held = application(call)
    body = call.json_object()
    for name in ("name", "issuer", "subject"):
        if not isinstance(body.get(name), str):
            raise value_required(name, "FederatedIdentityCredential")
    made = _changed(call, FederatedCredential(name=body["name"], issuer="", subject=""), body)
    if any(one.name == made.name for one in held.federated_credentials):
        # As pasted in Azure/azure-dev#1482.
        message = f"FederatedIdentityCredential with name {made.name} already exists."
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", message)
    if len(held.federated_credentials) >= _MOST:
        raise _refused(f"An application has at most {_MOST} federated identity credentials.")
    _expect_unique(held, made)
    call.applications.put(replace(held, federated_credentials=(*held.federated_credentials, made)))
    return Answer(201, {"@odata.context": f"{_context(call, held)}/$entity"} | _shown(held, made))


@operations.patch(_CREDENTIAL, permissions.WRITE_APPLICATIONS, lacks=_KEYS_ARE_TOLD)
def update_credential(call: Call) -> Answer:
    """Change issuer, subject, audiences or description; the name stays."""
    held = application(call)
    before = _named(call, held)
    after = _changed(call, before, call.json_object())
    others = replace(held, federated_credentials=tuple(one for one in held.federated_credentials if one != before))
    _expect_unique(others, after)
    changed = tuple(after if one == before else one for one in held.federated_credentials)
    call.applications.put(replace(held, federated_credentials=changed))
    return Answer(204)


@operations.delete(_CREDENTIAL, permissions.WRITE_APPLICATIONS)
def delete_credential(call: Call) -> Answer:
    held = application(call)
    gone = _named(call, held)
    kept = tuple(one for one in held.federated_credentials if one != gone)
    call.applications.put(replace(held, federated_credentials=kept))
    return Answer(204)


def _changed(call: Call, credential: FederatedCredential, body: dict[str, Json]) -> FederatedCredential:
    issuer = body.get("issuer", credential.issuer)
    audiences = body.get("audiences", [credential.audience])
    if not isinstance(audiences, list) or len(audiences) != 1 or not isinstance(audiences[0], str):
        raise _refused("Audiences must have exactly one value.")
    return replace(
        credential,
        issuer=issuer,
        subject=body.get("subject", credential.subject),
        description=body.get("description", credential.description),
        audience=audiences[0],
        # The sandbox calls no issuer: it takes the keys that it was told of this one, wherever that was.
        public_keys=_keys_of(call, issuer) or credential.public_keys,
    )


def _keys_of(call: Call, issuer: str) -> tuple[str, ...]:
    known = (one for row in call.applications for one in row.federated_credentials if one.issuer == issuer)
    return next((one.public_keys for one in known if one.public_keys), ())


def _expect_unique(held: Application, wanted: FederatedCredential) -> None:
    """As pasted in Azure/azure-workload-identity#434."""
    if any((one.issuer, one.subject) == (wanted.issuer, wanted.subject) for one in held.federated_credentials):
        raise _refused(
            "The combination of issuer and subject must be unique for the application. "
            f"Issuer {wanted.issuer} and Subject: {wanted.subject} already exist. "
            f"paramName: FederatedIdentityCredential.Subject, paramValue: {wanted.subject}, "
            "objectType: Microsoft.Online.DirectoryServices.Application"
        )


def _refused(message: str) -> GraphError:
    return GraphError(400, "InvalidFederatedIdentityCredentialValue", message)


def _named(call: Call, held: Application) -> FederatedCredential:
    """By id, or by name, which Graph takes as well."""
    wanted = call.args["credential"].strip("'")
    for one in held.federated_credentials:
        if wanted in {one.name, _id(held, one)}:
            return one
    raise not_found(wanted)


def _id(held: Application, credential: FederatedCredential) -> str:
    return str(uuid5(UUID(held.home_tenant), f"{held.id}:{credential.name}"))


def _context(call: Call, held: Application) -> str:
    return f"{call.context_base}applications('{application_object_id(held)}')/federatedIdentityCredentials"


def _shown(held: Application, credential: FederatedCredential) -> dict[str, Json]:
    return {
        "id": _id(held, credential),
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject,
        "description": credential.description,
        "audiences": [credential.audience],
    }
