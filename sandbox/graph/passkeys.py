"""``/users/{id}/authentication/fido2Methods``: registering a passkey for an account, by an application."""

from __future__ import annotations

from dataclasses import replace

from sandbox import passkeys
from sandbox.clock import seconds
from sandbox.directory.rows import SignInMethod, User
from sandbox.exchange import Answer, Json
from sandbox.graph import permissions
from sandbox.graph.authentication_methods import method_entity
from sandbox.graph.call import Call
from sandbox.graph.errors import methods_denied, methods_refused
from sandbox.graph.operations import Operations
from sandbox.graph.protection import require_unrestricted
from sandbox.graph.users import live_user

operations = Operations(lambda _: methods_denied())
_METHODS = "/users/{user}/authentication/fido2Methods"
_LONGEST_NAME = 30
_ALGORITHMS = (-7, -257)


@operations.get(f"{_METHODS}/creationOptions", permissions.WRITE_PASSKEYS)
def creation_options(call: Call) -> Answer:
    """What a client needs to make a passkey for this account; the challenge lasts for five minutes."""
    user = _registering(call)
    now = call.exchange.at
    options: dict[str, Json] = {
        "challenge": passkeys.new_challenge(_purpose(call, user), now),
        "timeout": 0,
        "attestation": "direct",
        "rp": {"id": passkeys.rp_id(call.exchange.origin), "name": "Microsoft"},
        "user": {
            "id": passkeys.text(passkeys.user_handle(call.tenant, user)),
            "displayName": user.display_name,
            "name": user.user_principal_name,
        },
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in _ALGORITHMS],
        "excludeCredentials": [
            {"id": held.id, "type": "public-key", "transports": []} for held in user.methods if held.public_key
        ],
        "authenticatorSelection": {
            "authenticatorAttachment": "cross-platform",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "extensions": {
            "hmacCreateSecret": True,
            "enforceCredentialProtectionPolicy": True,
            "credentialProtectionPolicy": "userVerificationOptional",
        },
    }
    ends = seconds(now + passkeys.CHALLENGE_LIFETIME)
    head = {"@odata.context": f"{call.context_base}microsoft.graph.webauthnCredentialCreationOptions"}
    return Answer(200, head | {"challengeTimeoutDateTime": ends, "publicKey": options})


@operations.post(_METHODS, permissions.WRITE_PASSKEYS, lacks="verification of attestation statements")
def register(call: Call) -> Answer:
    """Register what a client made with such options. The words of the refusals are the sandbox's own."""
    user = _registering(call)
    body = call.json_object()
    name, credential = body.get("displayName"), body.get("publicKeyCredential")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        raise methods_refused(f"displayName is required and has at most {_LONGEST_NAME} characters.")
    if not isinstance(credential, dict):
        raise methods_refused("publicKeyCredential is required.")
    try:
        made = passkeys.read_registration(_purpose(call, user), credential, call.exchange.origin, call.exchange.at)
    except passkeys.PasskeyError as error:
        raise methods_refused(f"The passkey is not accepted: {error}.") from None
    if any(held.id == made.id for one in call.tenant.users for held in one.methods):
        raise methods_refused("The passkey is registered already.")
    if not passkeys.may_register(call.tenant, user, made):
        raise methods_refused("The passkey is not of a kind that the tenant's policy allows.")
    method = SignInMethod(
        id=made.id,
        kind="fido2",
        public_key=made.public_key,
        properties={
            "displayName": name,
            "createdDateTime": seconds(call.exchange.at),
            "aaGuid": made.aaguid,
            "model": "",
            "attestationCertificates": [],
            "attestationLevel": "attested" if made.is_attested else "notAttested",
            "passkeyType": "synced" if made.is_synced else "deviceBound",
        },
    )
    call.tenant.users.put(replace(user, methods=(*user.methods, method)))
    return method_entity(call, user, method, 201)


def _registering(call: Call) -> User:
    """The account, if the policy lets it have a passkey. An application needs self-service setup on (a known issue)."""
    user = live_user(call)
    require_unrestricted(call, user.id)
    by_policy = call.tenant.organization.passkeys.get("isSelfServiceRegistrationAllowed", True)
    if not by_policy or not passkeys.profiles_of(call.tenant, user):
        raise methods_refused(
            "Converged UserCredentialPolicy does not allow creating or updating this authentication method. "
            "AuthMethodType [Fido]."
        )
    return user


def _purpose(call: Call, user: User) -> str:
    return f"register {call.tenant.id} {user.id}"
