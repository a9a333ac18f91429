"""The properties of an administrative unit."""

from __future__ import annotations

from sandbox.directory.records import AdministrativeUnit
from sandbox.exchange import Json
from sandbox.graph import odata

_DEFAULT = ("id", "deletedDateTime", "displayName", "description", "visibility")
_OTHER = ("isMemberManagementRestricted", "membershipRule", "membershipType", "membershipRuleProcessingState")


def _value_of(unit: AdministrativeUnit, name: str) -> Json:
    values: dict[str, Json] = {
        "id": unit.id,
        "displayName": unit.display_name,
        "description": unit.description,
        "visibility": unit.visibility,
        "isMemberManagementRestricted": unit.is_restricted,
    }
    return values.get(name)


ADMINISTRATIVE_UNITS: odata.Shape[AdministrativeUnit] = odata.Shape(
    entity_set="administrativeUnits",
    resource="AdministrativeUnit",
    properties=frozenset(_DEFAULT + _OTHER),
    default=_DEFAULT + _OTHER,
    value_of=_value_of,
    directory_class="AdministrativeUnit",
)
