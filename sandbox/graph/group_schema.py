"""The properties of a group: what is shown of it and what may be searched."""

from __future__ import annotations

from sandbox.clock import seconds
from sandbox.directory.rows import Group
from sandbox.exchange import Json
from sandbox.graph import odata

_PROPERTIES: tuple[str, ...] = (
    "id",
    "deletedDateTime",
    "classification",
    "createdDateTime",
    "description",
    "displayName",
    "expirationDateTime",
    "groupTypes",
    "isAssignableToRole",
    "mail",
    "mailEnabled",
    "mailNickname",
    "membershipRule",
    "membershipRuleProcessingState",
    "onPremisesLastSyncDateTime",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "preferredDataLocation",
    "proxyAddresses",
    "renewedDateTime",
    "resourceBehaviorOptions",
    "resourceProvisioningOptions",
    "securityEnabled",
    "securityIdentifier",
    "theme",
    "visibility",
    "onPremisesProvisioningErrors",
)
_EMPTY_LISTS = frozenset(
    {
        "groupTypes",
        "proxyAddresses",
        "resourceBehaviorOptions",
        "resourceProvisioningOptions",
        "onPremisesProvisioningErrors",
    }
)


_VISIBILITY = {(True, False): "Private", (False, True): "Public", (True, True): "Private"}


def _value_of(group: Group, name: str) -> Json:
    created = seconds(group.created)
    known: dict[str, Json] = {
        "id": group.id,
        "createdDateTime": created,
        "renewedDateTime": created,
        "description": group.description,
        "displayName": group.display_name,
        "isAssignableToRole": group.is_assignable_to_role or None,
        "groupTypes": ["DynamicMembership"] * group.is_dynamic + ["Unified"] * group.is_unified,
        "mail": group.mail,
        "proxyAddresses": [f"SMTP:{group.mail}"] if group.mail else [],
        "mailEnabled": group.mail_enabled,
        "mailNickname": group.alias,
        "onPremisesSyncEnabled": group.is_synced or None,
        "securityEnabled": group.security_enabled,
        "visibility": group.visibility or _VISIBILITY.get((group.is_assignable_to_role, group.is_unified)),
    }
    return known.get(name, [] if name in _EMPTY_LISTS else None)


GROUPS: odata.Shape[Group] = odata.Shape(
    entity_set="groups",
    resource="Group",
    properties=frozenset(_PROPERTIES),
    default=_PROPERTIES,
    value_of=_value_of,
    directory_class="Group",
)
