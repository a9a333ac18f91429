"""The properties of a user: which exist, what they hold, which come unasked, which may be written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.clock import seconds
from sandbox.directory.rows import User
from sandbox.exchange import Json
from sandbox.graph.errors import GraphError, bad_request, invalid_value

Kind = Literal["text", "flag", "time", "texts", "objects", "attributes", "password", "security"]

DEFAULT_PROJECTION = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
EXTENSION_ATTRIBUTES = tuple(f"extensionAttribute{number}" for number in range(1, 16))

SENSITIVE = frozenset(
    {
        "accountEnabled",
        "businessPhones",
        "mobilePhone",
        "onPremisesImmutableId",
        "otherMails",
        "passwordProfile",
        "userPrincipalName",
    }
)
"""Properties whose change is a sensitive action (facts 3.1)."""

SYNCED_USERS_KEEP = frozenset(
    {"accountEnabled", "passwordProfile", "usageLocation", "passwordPolicies", "customSecurityAttributes"}
)
"""What may be written on an account that is mastered on premises; everything else is refused."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property: what it holds, how long it may be, whether clients write it."""

    kind: Kind
    longest: int = 1024
    writable: bool = True


_READ_ONLY = Property("text", writable=False)
_TIME_READ_ONLY = Property("time", writable=False)
_OBJECTS = Property("objects", writable=False)

PROPERTIES: dict[str, Property] = {
    "id": _READ_ONLY,
    "accountEnabled": Property("flag"),
    "ageGroup": Property("text"),
    "assignedLicenses": _OBJECTS,
    "assignedPlans": _OBJECTS,
    "businessPhones": Property("texts"),
    "city": Property("text", 128),
    "companyName": Property("text", 64),
    "consentProvidedForMinor": Property("text"),
    "country": Property("text", 128),
    "createdDateTime": _TIME_READ_ONLY,
    "customSecurityAttributes": Property("security"),
    "creationType": _READ_ONLY,
    "deletedDateTime": _TIME_READ_ONLY,
    "department": Property("text", 64),
    "displayName": Property("text", 256),
    "employeeHireDate": Property("time"),
    "employeeId": Property("text", 16),
    "employeeLeaveDateTime": Property("time"),
    "employeeType": Property("text"),
    "externalUserState": _READ_ONLY,
    "externalUserStateChangeDateTime": _TIME_READ_ONLY,
    "faxNumber": Property("text"),
    "givenName": Property("text", 64),
    "identities": Property("objects"),
    "imAddresses": Property("texts", writable=False),
    "isManagementRestricted": Property("flag", writable=False),
    "isResourceAccount": Property("flag", writable=False),
    "jobTitle": Property("text", 128),
    "lastPasswordChangeDateTime": _TIME_READ_ONLY,
    "legalAgeGroupClassification": _READ_ONLY,
    "licenseAssignmentStates": _OBJECTS,
    "mail": Property("text"),
    "mailNickname": Property("text", 64),
    "mobilePhone": Property("text", 64),
    "officeLocation": Property("text", 128),
    "onPremisesDistinguishedName": _READ_ONLY,
    "onPremisesDomainName": _READ_ONLY,
    "onPremisesExtensionAttributes": Property("attributes"),
    "onPremisesImmutableId": Property("text"),
    "onPremisesLastSyncDateTime": _TIME_READ_ONLY,
    "onPremisesProvisioningErrors": _OBJECTS,
    "onPremisesSamAccountName": _READ_ONLY,
    "onPremisesSecurityIdentifier": _READ_ONLY,
    "onPremisesSyncEnabled": Property("flag", writable=False),
    "onPremisesUserPrincipalName": _READ_ONLY,
    "otherMails": Property("texts", 250),
    "passwordPolicies": Property("text"),
    "passwordProfile": Property("password"),
    "postalCode": Property("text", 40),
    "preferredDataLocation": Property("text"),
    "preferredLanguage": Property("text"),
    "provisionedPlans": _OBJECTS,
    "proxyAddresses": Property("texts", writable=False),
    "securityIdentifier": _READ_ONLY,
    "serviceProvisioningErrors": _OBJECTS,
    "signInActivity": _OBJECTS,
    "showInAddressList": Property("flag"),
    "signInSessionsValidFromDateTime": _TIME_READ_ONLY,
    "state": Property("text", 128),
    "streetAddress": Property("text", 1024),
    "surname": Property("text", 64),
    "usageLocation": Property("text", 2),
    "userPrincipalName": Property("text", 113),
    "userType": Property("text"),
}

OF_OTHER_SERVICES = frozenset(
    {"customSecurityAttributes", "isManagementRestricted", "passwordProfile", "signInActivity"}
)
"""What is shown only where one user is asked for it."""


def extension_attributes(user: User) -> dict[str, Json]:
    """All fifteen, null where unset."""
    held = user.properties.get("onPremisesExtensionAttributes")
    return {name: held.get(name) if isinstance(held, dict) else None for name in EXTENSION_ATTRIBUTES}


def shown_name(user: User) -> str:
    """The user principal name; a deleted account's has its id in front, as recorded by rknightion/graph2otel."""
    return (user.id.replace("-", "") if user.deleted else "") + user.user_principal_name


_COMPUTED: dict[str, Callable[[User], Json]] = {
    "id": lambda user: user.id,
    "deletedDateTime": lambda user: seconds(user.deleted) if user.deleted else None,
    "signInSessionsValidFromDateTime": lambda user: seconds(user.sessions_valid_from),
    "onPremisesExtensionAttributes": extension_attributes,
    "passwordProfile": lambda user: None,
    "userPrincipalName": shown_name,
}


def merged_security_attributes(held: Json, changes: dict[str, Json]) -> dict[str, Json]:
    """Attribute sets after a change: sets and attributes that are not named stay, null takes one away."""
    merged: dict[str, Json] = dict(held) if isinstance(held, dict) else {}
    for name, values in changes.items():
        before = merged.get(name) or {}
        after = {**before, **(values or {})} if values is not None else {}
        kept = {key: value for key, value in after.items() if value is not None and not key.startswith("@odata.type")}
        if kept:
            merged[name] = {"@odata.type": "#microsoft.graph.customSecurityAttributeValue"} | kept
        else:
            merged.pop(name, None)
    return merged


def value_of(user: User, name: str) -> Json:
    """What Graph shows of this property; a password never."""
    if name in _COMPUTED:
        return _COMPUTED[name](user)
    value = user.properties.get(name)
    return [] if value is None and PROPERTIES[name].kind in {"texts", "objects"} else value


def searched_value_of(user: User, name: str) -> Json:
    """What filters see of this property: as it is stored, since ten thousand accounts are looked at for one list."""
    if user.deleted and name == "userPrincipalName":
        return shown_name(user)
    return user.id if name == "id" else user.properties.get(name)


def checked(name: str, value: Json) -> Json:
    """The value, if it may be written to this property. Raises the service's 400 if not."""
    known = PROPERTIES.get(name)
    if known is None:
        raise bad_request(f"Property '{name}' does not exist as a declared property or extension property.")
    if not known.writable:
        raise bad_request(f"Property '{name}' is read-only and cannot be set.")
    if value is not None and not _FITS[known.kind](value, known.longest):
        raise invalid_value(name)
    return value


def _is_time(value: Json, _longest: int) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def _are_attributes(value: Json, longest: int) -> bool:
    return isinstance(value, dict) and all(
        name in EXTENSION_ATTRIBUTES and (held is None or (isinstance(held, str) and len(held) <= longest))
        for name, held in value.items()
        if not name.startswith("@odata.")
    )


_FITS: dict[Kind, Callable[[Json, int], bool]] = {
    "text": lambda value, longest: isinstance(value, str) and len(value) <= longest,
    "flag": lambda value, _: isinstance(value, bool),
    "time": _is_time,
    "texts": lambda value, longest: (
        isinstance(value, list) and all(isinstance(item, str) and len(item) <= longest for item in value)
    ),
    "objects": lambda value, _: isinstance(value, list),
    "attributes": _are_attributes,
    "password": lambda value, _: isinstance(value, dict),
    "security": lambda value, _: (
        isinstance(value, dict) and all(isinstance(one, dict) or one is None for one in value.values())
    ),
}

_UPN = re.compile(r"[A-Za-z0-9'._!#^~-]{1,64}@[A-Za-z0-9.-]{1,48}")
_NICKNAME_REFUSES = re.compile(r"[@\\\[\]\";:<>, ]|[^\x21-\x7e]")


def checked_user_principal_name(upn: Json) -> str:
    """The name, if its characters and lengths are allowed (facts 5.2)."""
    if not isinstance(upn, str) or not _UPN.fullmatch(upn) or ".@" in upn:
        raise bad_request("Property userPrincipalName is invalid.")
    return upn


def checked_mail_nickname(nickname: Json) -> str:
    """The mail alias, if its characters and length are allowed."""
    if not isinstance(nickname, str) or not 1 <= len(nickname) <= 64 or _NICKNAME_REFUSES.search(nickname):
        raise invalid_value("mailNickname")
    return nickname


_PASSWORD_CLASSES = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")


def is_acceptable_password(password: str, user_principal_name: str) -> bool:
    """Whether the default policy takes it: 8 to 256 ASCII characters, three of four classes, not the user's name.

    The list of banned passwords is not published and is not imitated.
    """
    local_part = user_principal_name.partition("@")[0].lower()
    return (
        8 <= len(password) <= 256
        and password.isascii()
        and password.isprintable()
        and sum(bool(re.search(pattern, password)) for pattern in _PASSWORD_CLASSES) >= 3
        and not (len(local_part) >= 3 and local_part in password.lower())
    )


def missing_password() -> GraphError:
    """A password profile without a password."""
    return bad_request("A value is required for property 'password' of resource 'User'.")
