"""A configuration as a file: what ``read`` makes of it is the configuration again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from math import inf
from typing import Any

import yaml

from entra_jit.policy.configuration import (
    Application,
    Configuration,
    GroupEntry,
    RoleMappingEntry,
    SecretSource,
    TechnicianEntry,
    TenantDefaults,
    TenantEntry,
)
from entra_jit.policy.entitlement import AttributeRule, AttributeTest

Fields = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Two entries that say the same stay two: an anchor would tie them together."""
        return True


def write(configuration: Configuration) -> str:
    """The file, YAML. What stands at its default is left out; secrets are named, as they were in the file."""
    sections: dict[str, Fields | list[Fields]] = {
        "defaults": _terms(configuration.defaults, TenantDefaults()),
        "tenants": [_tenant(tenant, configuration.defaults) for tenant in configuration.tenants],
        "technicians": [_technician(technician) for technician in configuration.technicians],
        "groups": [_group(group) for group in configuration.groups],
        "role_mappings": [_role_mapping(mapping) for mapping in configuration.role_mappings],
    }
    return "\n".join(_section(name, entries) for name, entries in sections.items() if entries)


def _section(name: str, entries: Fields | list[Fields]) -> str:
    return yaml.dump({name: entries}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=inf)


def _terms(terms: TenantDefaults | TenantEntry, defaults: TenantDefaults) -> Fields:
    return _without_none(
        {
            "account_prefix": _unless(terms.account_prefix, defaults.account_prefix),
            "hours": _duration(_unless(terms.hours, defaults.hours)),
            "max_hours": _duration(_unless(terms.max_hours, defaults.max_hours)),
            "credential": _unless(terms.credential, defaults.credential),
            "canary": _unless(terms.canary, defaults.canary),
            "emergency_accounts": _unless(terms.emergency_accounts, defaults.emergency_accounts),
            "emergency_rotation_days": _days(_unless(terms.emergency_rotation, defaults.emergency_rotation)),
        }
    )


def _tenant(tenant: TenantEntry, defaults: TenantDefaults) -> Fields:
    return _without_none(
        {
            "name": tenant.name,
            "id": str(tenant.id),
            "display_name": _unless(tenant.display_name, tenant.name),
            "account_domain": tenant.account_domain,
            **_terms(tenant, defaults),
            "security_groups": _list({"name": group.name, "id": str(group.id)} for group in tenant.security_groups),
            "tags": list(tenant.tags) or None,
            "elevate": _application(tenant.elevate),
            "revoke": _application(_unless(tenant.revoke, tenant.elevate)),
        }
    )


def _application(application: Application | None) -> Fields | None:
    if application is None:
        return None
    token_file = application.federated_token_file
    return _without_none(
        {
            "client_id": str(application.client_id),
            "secret": _source(application.secret),
            "certificate": _source(application.certificate),
            "federated_token_file": str(token_file) if token_file else None,
        }
    )


def _source(source: SecretSource | None) -> Fields | None:
    if source is None:
        return None
    if source.stored:
        return {"stored": "yes"}
    return {"env": source.env} if source.env is not None else {"file": str(source.file)}


def _technician(technician: TechnicianEntry) -> Fields:
    return _without_none(
        {
            "name": technician.name,
            "id": str(technician.id),
            "display_name": _unless(technician.display_name, technician.name),
            "attributes": dict(technician.attributes) or None,
        }
    )


def _group(group: GroupEntry) -> Fields:
    return _without_none(
        {
            "name": group.name,
            "members": _list(group.members),
            "attributes": {rule.attribute: _rule(rule) for rule in group.rules} or None,
        }
    )


def _rule(rule: AttributeRule) -> str | Fields:
    if rule.test is AttributeTest.ONE_OF and len(rule.values) > 1:
        return {"one_of": list(rule.values)}
    [value] = rule.values
    return value if rule.test is AttributeTest.ONE_OF else {"prefix": value}


def _role_mapping(mapping: RoleMappingEntry) -> Fields:
    return _without_none(
        {
            "group": mapping.group,
            "tenant": mapping.tenant,
            "roles": _list(mapping.roles),
            "security_groups": _list(mapping.security_groups),
        }
    )


def _duration(duration: timedelta | None) -> int | str | None:
    if duration is None:
        return None
    hours, below_an_hour = divmod(duration, timedelta(hours=1))
    if not below_an_hour:
        return hours
    minutes, below_a_minute = divmod(duration, timedelta(minutes=1))
    return f"{duration.total_seconds():.6f}s" if below_a_minute else f"{minutes}m"


def _days(duration: timedelta | None) -> int | None:
    return None if duration is None else duration.days


def _unless(value: Any, default: Any) -> Any:
    return None if value == default else value


def _list(values: Iterable[Any]) -> list[Any] | None:
    return list(values) or None


def _without_none(fields: Fields) -> Fields:
    return {key: value for key, value in fields.items() if value is not None}
