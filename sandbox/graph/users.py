"""``/users``: accounts, by id or by user principal name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from sandbox.clock import seconds
from sandbox.directory.digest import Digest
from sandbox.directory.rows import User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import (
    bad_request,
    denied,
    domain_not_verified,
    invalid_value,
    mastered_elsewhere,
    name_taken,
    not_found,
    synced_object,
    value_required,
    weak_password,
)
from sandbox.graph.operations import Operations
from sandbox.graph.protection import (
    is_restricted,
    require_authority_over,
    require_authority_to_reset_password,
    require_authority_to_revoke,
    require_unrestricted,
)
from sandbox.graph.sign_in_activity import sign_in_activity
from sandbox.graph.user_schema import (
    DEFAULT_PROJECTION,
    EXTENSION_ATTRIBUTES,
    PROPERTIES,
    SENSITIVE,
    SYNCED_USERS_KEEP,
    checked,
    checked_mail_nickname,
    checked_user_principal_name,
    is_acceptable_password,
    merged_security_attributes,
    missing_password,
    searched_value_of,
    value_of,
)

operations = Operations()

USERS: odata.Shape[User] = odata.Shape(
    entity_set="users",
    resource="User",
    properties=frozenset(PROPERTIES),
    default=DEFAULT_PROJECTION,
    value_of=value_of,
    directory_class="User",
    searched=searched_value_of,
)
_REQUIRED = ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName")
_OF_OTHER_PERMISSIONS = frozenset(
    {"accountEnabled", "passwordProfile", "employeeLeaveDateTime", "customSecurityAttributes"}
)
_NEVER_NULL = frozenset({"accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"})


def live_user(call: Call) -> User:
    """The user that the path names. Raises 404, also for an id that is none: it is taken for a name."""
    user = call.tenant.user(call.args["user"])
    if user is None:
        raise not_found(call.args["user"])
    return user


@operations.get("/users", permissions.READ_USERS)
def list_users(call: Call) -> Answer:
    return odata.collection(call, USERS, _candidates(call))


_ONE_NAME = re.compile(r"\s*userPrincipalName\s+eq\s+'([^']+)'\s*", re.IGNORECASE)
_ONE_ATTRIBUTE = re.compile(
    r"\s*startsWith\(\s*onPremisesExtensionAttributes/(extensionAttribute\d+)\s*,\s*'(?:[^']|'')+'\s*\)\s*(?:and\b|$)"
    r"|\s*onPremisesExtensionAttributes/(extensionAttribute\d+)\s+eq\s+'(?:[^']|'')*'\s*(?:and\b|$)",
    re.IGNORECASE,
)


def _candidates(call: Call) -> Sequence[User]:
    """The users that a filter can select at all: a name has one holder at most, and few accounts are tagged."""
    text = call.query.get("$filter", "")
    if named := _ONE_NAME.fullmatch(text):
        holder = call.tenant.users.one("upn", named[1].lower())
        return [holder] if holder else []
    if (tagged := _ONE_ATTRIBUTE.match(text)) and " or " not in text.lower():
        wanted = (tagged[1] or tagged[2]).lower()
        holders = (call.tenant.users.find("attribute", name) for name in EXTENSION_ATTRIBUTES if name.lower() == wanted)
        return sorted(next(holders, []), key=lambda user: user.id)
    return call.tenant.users.in_order()


@operations.get("/users/$count", permissions.READ_USERS)
def count_users(call: Call) -> Answer:
    return odata.count(call, USERS, call.tenant.users)


@operations.get("/users/{user}", permissions.READ_USERS)
def get_user(call: Call) -> Answer:
    user = live_user(call)
    names = odata.selected(call) or ()
    if "customSecurityAttributes" in names and not call.actor.permissions & permissions.READ_SECURITY_ATTRIBUTES:
        raise denied()
    answer = odata.entity(call, USERS, user)
    if "signInActivity" in names:
        answer.body["signInActivity"] = sign_in_activity(call, user, call.args["user"])
    if "isManagementRestricted" in names:
        answer.body["isManagementRestricted"] = is_restricted(call.tenant, user.id) or None
    return answer


@operations.post("/users", permissions.CREATE_USERS, lacks="the list of banned passwords")
def create_user(call: Call) -> Answer:
    """Make an account. The answer has the default projection only, so not whether the account is enabled."""
    body = {name: value for name, value in call.json_object().items() if not name.startswith("@odata.")}
    values = {name: checked(name, value) for name, value in body.items()}
    upn = checked_user_principal_name(body.get("userPrincipalName", ""))
    federated = _domain_is_federated(call, upn)
    for name in _REQUIRED:
        if body.get(name) is None and not (federated and name == "passwordProfile"):
            raise value_required(name)
    checked_mail_nickname(body["mailNickname"])
    if federated and not body.get("onPremisesImmutableId"):
        raise value_required("onPremisesImmutableId")
    if call.tenant.user(upn):
        raise name_taken()
    initial = call.tenant.organization.initial_domain
    if any(group.mail_enabled and f"{group.alias}@{initial}" == upn.lower() for group in call.tenant.groups):
        raise name_taken("proxyAddresses")
    profile = values.pop("passwordProfile", None)
    password = _checked_password(profile, upn) if profile is not None else None
    user = new_user(call.tenant, values | {"createdDateTime": seconds(call.exchange.at)}, call)
    if password is not None:
        user = replace(user, password=Digest.of(password), must_change_password=_forced_change(profile))
    call.tenant.users.put(user)
    return odata.entity(call, USERS, user, 201)


def new_user(tenant: Tenant, properties: dict[str, Json], call: Call) -> User:
    """A user row with what the directory adds by itself; not yet in the table."""
    own = {
        "userType": "Member",
        "lastPasswordChangeDateTime": properties["createdDateTime"],
        "identities": [
            {
                "signInType": "userPrincipalName",
                "issuer": tenant.organization.initial_domain,
                "issuerAssignedId": properties["userPrincipalName"],
            }
        ],
    }
    return User(id=str(uuid4()), properties=own | properties, sessions_valid_from=call.exchange.at)


@operations.patch("/users/{user}", permissions.PATCH_USERS, lacks="properties that other workloads keep")
def update_user(call: Call) -> Answer:
    """Change an account. Repeating a change is no error."""
    values = read_changes(call)
    return write_changes(call, live_user(call), values)


def read_changes(call: Call, own: frozenset[str] = frozenset()) -> dict[str, Json]:
    """The changes in the body, permitted; ``own`` are those that need no permission. Raises 400 and 403."""
    body = {name: value for name, value in call.json_object().items() if not name.startswith("@odata.")}
    values = {name: checked(name, value) for name, value in body.items()}
    _require_permissions(call, values.keys() - own)
    return values


def write_changes(call: Call, user: User, values: dict[str, Json], own: frozenset[str] = frozenset()) -> Answer:
    """Change an account as far as it and its place in the directory allow."""
    require_unrestricted(call, user.id)
    if missing := next((name for name in values if values[name] is None and name in _NEVER_NULL), None):
        raise invalid_value(missing)
    if user.is_synced and values.keys() - SYNCED_USERS_KEEP:
        raise synced_object()
    if user.has_mailbox and "onPremisesExtensionAttributes" in values:
        raise mastered_elsewhere()
    if (values.keys() - own) & SENSITIVE:
        require_authority_over(call, user)
    changed = _renamed(call, user, values)
    changed = _with_password(call, changed, values.pop("passwordProfile", None))
    if attributes := values.pop("onPremisesExtensionAttributes", None):
        held = changed.properties.get("onPremisesExtensionAttributes")
        merged = (held if isinstance(held, dict) else {}) | attributes
        values["onPremisesExtensionAttributes"] = {
            name: value for name, value in merged.items() if value is not None and not name.startswith("@")
        }
    if sets := values.pop("customSecurityAttributes", None):
        held = changed.properties.get("customSecurityAttributes")
        values["customSecurityAttributes"] = merged_security_attributes(held, sets)
    changed = replace(changed, properties=changed.properties | values)
    if changed != user:
        call.tenant.users.put(changed)
    return Answer(204)


@operations.delete("/users/{user}", permissions.DELETE_USERS)
def delete_user(call: Call) -> Answer:
    """Delete softly: the account stays among the deleted items for thirty days and its name is free at once."""
    user = live_user(call)
    require_authority_over(call, user)
    if call.tenant.is_last_global_administrator(user.id):
        raise bad_request("The last Global Administrator of a directory cannot be removed.")
    call.tenant.soft_delete(user, call.exchange.at)
    return Answer(204)


@operations.post("/users/{user}/revokeSignInSessions", permissions.REVOKE_SESSIONS)
def revoke_sign_in_sessions(call: Call) -> Answer:
    """End all refresh tokens issued so far; access tokens live on until they expire."""
    user = live_user(call)
    require_authority_to_revoke(call, user)
    call.tenant.users.put(replace(user, sessions_valid_from=call.exchange.at))
    body = {"@odata.context": f"{call.context_base}Edm.Boolean", "value": True}
    return Answer(200, body, {"Location": call.exchange.origin})


def _domain_is_federated(call: Call, upn: str) -> bool:
    domain = call.tenant.organization.domain(upn.rpartition("@")[2])
    if domain is None or not domain.is_verified:
        raise domain_not_verified()
    return domain.authentication_type == "Federated"


def _require_permissions(call: Call, names: set[str]) -> None:
    needs = [
        (permissions.ENABLE_USERS, names & {"accountEnabled"}),
        (permissions.SET_PASSWORDS, names & {"passwordProfile"}),
        (permissions.WRITE_LIFE_CYCLE, names & {"employeeLeaveDateTime"}),
        (permissions.WRITE_SECURITY_ATTRIBUTES, names & {"customSecurityAttributes"}),
        (permissions.UPDATE_USERS, names - _OF_OTHER_PERMISSIONS),
    ]
    if any(touched and not call.actor.permissions & allowed for allowed, touched in needs):
        raise denied()


def _renamed(call: Call, user: User, values: dict[str, Json]) -> User:
    if "mailNickname" in values:
        checked_mail_nickname(values["mailNickname"])
    if (upn := values.get("userPrincipalName")) is None:
        return user
    checked_user_principal_name(upn)
    domain = call.tenant.organization.domain(upn.rpartition("@")[2])
    if domain is None or not domain.is_verified:
        raise bad_request("Property userPrincipalName is invalid.")
    holder = call.tenant.user(upn)
    if holder is not None and holder.id != user.id:
        raise name_taken()
    return replace(user, properties=user.properties | {"userPrincipalName": upn})


def _with_password(call: Call, user: User, profile: dict[str, Json] | None) -> User:
    if profile is None:
        return user
    require_authority_to_reset_password(call, user)
    domain = call.tenant.organization.domain(user.domain)
    if domain is not None and domain.authentication_type == "Federated":
        raise denied()
    if "password" not in profile:
        return replace(user, must_change_password=_forced_change(profile))
    return replace(
        user,
        password=Digest.of(_checked_password(profile, user.user_principal_name)),
        must_change_password=_forced_change(profile),
        sessions_valid_from=call.exchange.at,
        properties=user.properties | {"lastPasswordChangeDateTime": seconds(call.exchange.at)},
    )


def _checked_password(profile: dict[str, Json], upn: str) -> str:
    password = profile.get("password")
    if password is None:
        raise missing_password()
    if not isinstance(password, str) or not is_acceptable_password(password, upn):
        raise weak_password()
    return password


def _forced_change(profile: dict[str, Json]) -> bool:
    return (
        profile.get("forceChangePasswordNextSignIn") is True
        or profile.get("forceChangePasswordNextSignInWithMfa") is True
    )
