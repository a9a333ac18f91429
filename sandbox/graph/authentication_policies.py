"""``/policies/authenticationMethodsPolicy``: which sign-in methods a tenant allows, and which passes may be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sandbox.clock import ticks
from sandbox.directory.rows import Organization, TemporaryAccessPassPolicy
from sandbox.exchange import Answer, Json
from sandbox.graph import permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import GraphError, methods_denied, not_found
from sandbox.graph.operations import Operations

operations = Operations(lambda _: methods_denied())

_POLICY = "/policies/authenticationMethodsPolicy"
_CONFIGURATION = f"{_POLICY}/authenticationMethodConfigurations/{{configuration}}"
_PASS = "TemporaryAccessPass"
_PASSKEY = "Fido2"
_MOST_PROFILES = 3
_TYPE = "microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration"
_METHODS = {
    _PASSKEY: ("fido2", True),
    "MicrosoftAuthenticator": ("microsoftAuthenticator", True),
    "Sms": ("sms", False),
    _PASS: ("temporaryAccessPass", False),
    "SoftwareOath": ("softwareOath", True),
    "Voice": ("voice", False),
    "Email": ("email", True),
    "X509Certificate": ("x509Certificate", False),
}
"""By id: the beginning of the type's name, and whether the method is on in a fresh tenant."""

_LIFETIMES = {
    "defaultLifetimeInMinutes": "default_lifetime",
    "defaultLength": "length",
    "minimumLifetimeInMinutes": "minimum_lifetime",
    "maximumLifetimeInMinutes": "maximum_lifetime",
}
_RANGES = {"length": (8, 48)}
_LIFETIME_RANGE = (10, 43_200)


@operations.get(_POLICY, permissions.READ_METHOD_POLICY, lacks="registration campaigns and migration state")
def get_policy(call: Call) -> Answer:
    return Answer(
        200,
        {
            "@odata.context": f"{call.context_base}authenticationMethodsPolicy",
            "id": "authenticationMethodsPolicy",
            "displayName": "Authentication Methods Policy",
            "description": "The sign-in methods that this tenant allows.",
            "lastModifiedDateTime": ticks(call.tenant.organization.created),
            "policyVersion": "1.5",
            "policyMigrationState": "migrationComplete",
            "authenticationMethodConfigurations@odata.context": (
                f"{call.context_base}policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
            ),
            "authenticationMethodConfigurations": [_configuration(call, name) for name in _METHODS],
        },
    )


@operations.get(f"{_POLICY}/authenticationMethodConfigurations", permissions.READ_METHOD_POLICY)
def list_configurations(call: Call) -> Answer:
    context = f"{call.context_base}authenticationMethodConfigurations"
    return Answer(200, {"@odata.context": context, "value": [_configuration(call, name) for name in _METHODS]})


@operations.get(_CONFIGURATION, permissions.READ_METHOD_POLICY)
def get_configuration(call: Call) -> Answer:
    head = {"@odata.context": f"{call.context_base}authenticationMethodConfigurations/$entity"}
    return Answer(200, head | _configuration(call, _named(call)))


@operations.patch(
    _CONFIGURATION, permissions.WRITE_METHOD_POLICY, lacks="targets and settings, but for passes and passkeys"
)
def update_configuration(call: Call) -> Answer:
    """Switch a method on or off; for passes and passkeys also what may be made, and by whom."""
    name = _named(call)
    body = {key: value for key, value in call.json_object().items() if not key.startswith("@odata.")}
    organization = call.tenant.organization
    change: Callable[[Organization, str, dict[str, Json]], Organization] = _switched
    if name == _PASS:
        change = _pass_policy_changed
    elif name == _PASSKEY:
        change = _passkey_policy_changed
    changed = change(organization, name, body)
    if changed != organization:
        call.tenant.organizations.put(changed)
    return Answer(204)


def _named(call: Call) -> str:
    wanted = call.args["configuration"].lower()
    name = next((name for name in _METHODS if name.lower() == wanted), None)
    if name is None:
        raise not_found(call.args["configuration"])
    return name


def _state(body: dict[str, Json]) -> bool | None:
    state = body.get("state")
    if state not in {None, "enabled", "disabled"}:
        raise _refused("The value of state is not valid.")
    return None if state is None else state == "enabled"


def _switched(organization: Organization, name: str, body: dict[str, Json]) -> Organization:
    enabled = _state(body)
    if unknown := body.keys() - {"id", "state"}:
        raise _refused(f"This sandbox does not change {min(unknown)} of this method.")
    if enabled is None:
        return organization
    return replace(organization, method_states=organization.method_states | {name: enabled})


def _pass_policy_changed(organization: Organization, _name: str, body: dict[str, Json]) -> Organization:
    policy = organization.temporary_access_pass
    if (enabled := _state(body)) is not None:
        policy = replace(policy, enabled=enabled)
    if "isUsableOnce" in body:
        if not isinstance(body["isUsableOnce"], bool):
            raise _refused("The value of isUsableOnce is not valid.")
        policy = replace(policy, one_time_only=body["isUsableOnce"])
    if "includeTargets" in body:
        policy = replace(policy, include_groups=_groups(body["includeTargets"]))
    if "excludeTargets" in body:
        policy = replace(policy, exclude_groups=_groups(body["excludeTargets"]))
    numbers = {_LIFETIMES[key]: value for key, value in body.items() if key in _LIFETIMES}
    for field, value in numbers.items():
        lowest, highest = _RANGES.get(field, _LIFETIME_RANGE)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise _refused(f"A value is out of its range of {lowest} to {highest}.")
    policy = replace(policy, **numbers)
    if not policy.minimum_lifetime <= policy.default_lifetime <= policy.maximum_lifetime:
        raise _refused("The default lifetime has to be between the minimum and the maximum.")
    return replace(organization, temporary_access_pass=policy)


_OF_PASSKEYS: dict[str, Json] = {
    "isSelfServiceRegistrationAllowed": True,
    "isAttestationEnforced": False,
    "keyRestrictions": {"isEnforced": False, "enforcementType": "block", "aaGuids": []},
    "passkeyProfiles": [],
    "defaultPasskeyProfile": None,
    "excludeTargets": [],
    "includeTargets": [
        {"targetType": "group", "id": "all_users", "isRegistrationRequired": False, "allowedPasskeyProfiles": []}
    ],
}
"""What a policy that was never changed says, by Graph's names."""


def _passkey_policy_changed(organization: Organization, name: str, body: dict[str, Json]) -> Organization:
    enabled = _state(body)
    settings = {key: value for key, value in body.items() if key not in {"id", "state"}}
    for key, value in settings.items():
        if key not in _OF_PASSKEYS:
            raise _refused(f"This sandbox does not change {key} of this method.")
        usual = _OF_PASSKEYS[key]
        if not isinstance(value, str | None if usual is None else type(usual)):
            raise _refused(f"The value of {key} is not valid.")
    _groups([*settings.get("includeTargets", []), *settings.get("excludeTargets", [])])
    profiles = settings.get("passkeyProfiles", [])
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in profiles):
        raise _refused("The value of passkeyProfiles is not valid.")
    if organization.passkeys.get("passkeyProfiles") and not settings.get("passkeyProfiles", True):
        raise _refused("A tenant that has passkey profiles keeps them.")
    if len(profiles) > _MOST_PROFILES:
        raise _refused(f"A tenant has at most {_MOST_PROFILES} passkey profiles.")
    states = organization.method_states | ({} if enabled is None else {name: enabled})
    return replace(organization, method_states=states, passkeys=organization.passkeys | settings)


def _groups(targets: Json) -> tuple[str, ...]:
    if not isinstance(targets, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id"), str) for one in targets
    ):
        raise _refused("The value of includeTargets is not valid.")
    return tuple(one["id"] for one in targets)


def _configuration(call: Call, name: str) -> dict[str, Json]:
    organization = call.tenant.organization
    if name == _PASS:
        return _pass_configuration(call, organization.temporary_access_pass)
    kind, usual = _METHODS[name]
    settings = _OF_PASSKEYS | organization.passkeys if name == _PASSKEY else {}
    return {
        "@odata.type": f"#microsoft.graph.{kind}AuthenticationMethodConfiguration",
        "id": name,
        "state": "enabled" if organization.method_states.get(name, usual) else "disabled",
        "excludeTargets": [],
        "includeTargets": [{"targetType": "group", "id": "all_users", "isRegistrationRequired": False}],
    } | settings


def _pass_configuration(call: Call, policy: TemporaryAccessPassPolicy) -> dict[str, Json]:
    configuration = f"policies/authenticationMethodsPolicy/authenticationMethodConfigurations('{_PASS}')"
    return {
        "@odata.type": f"#{_TYPE}",
        "id": _PASS,
        "state": "enabled" if policy.enabled else "disabled",
        "defaultLifetimeInMinutes": policy.default_lifetime,
        "defaultLength": policy.length,
        "minimumLifetimeInMinutes": policy.minimum_lifetime,
        "maximumLifetimeInMinutes": policy.maximum_lifetime,
        "isUsableOnce": policy.one_time_only,
        "excludeTargets": [{"targetType": "group", "id": group} for group in policy.exclude_groups],
        "includeTargets@odata.context": f"{call.context_base}{configuration}/{_TYPE}/includeTargets",
        "includeTargets": [
            {"targetType": "group", "id": group, "isRegistrationRequired": False} for group in policy.include_groups
        ],
    }


def _refused(message: str) -> GraphError:
    return GraphError(400, "badRequest", message)
