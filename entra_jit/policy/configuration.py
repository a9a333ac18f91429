"""What an MSP writes down: tenants, technicians, groups, role mappings. One file is the whole configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from entra_jit.policy.durations import DEFAULT, parse_duration
from entra_jit.policy.entitlement import ALL_TECHNICIANS, RoleMapping
from entra_jit.policy.names import DOMAIN_LENGTH
from entra_jit.policy.roles import find_role
from models.messages import AccessItem, AccessKind, Name, TenantId

Hours = Annotated[timedelta, BeforeValidator(lambda value: parse_duration(str(value)))]
"""Hours (4, 1.5), 90m, 1h30 or PT90M."""

RoleName = Annotated[str, BeforeValidator(lambda value: find_role(str(value)) and str(value))]
"""A built-in directory role by its name, or any role by its id."""

Domain = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}$", max_length=DOMAIN_LENGTH)
]
ProofKind = Literal["secret", "certificate", "federated"]
PurposeName = Literal["elevate", "revoke"]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]


class Entry(BaseModel):
    """The base of all entries: a field that is not known is a mistake, and said so."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SecretSource(Entry):
    """Where a secret is read from when the configuration is applied. The configuration itself never holds one."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("set exactly one of env, file")
        return self


class Application(Entry):
    """One of our applications in the customer's tenant, and how it proves itself: exactly one of the three."""

    client_id: UUID
    secret: SecretSource | None = None
    certificate: SecretSource | None = None
    """Private key and certificate, PEM, in one file."""
    federated_token_file: Path | None = None
    """A file that always holds a current token of a workload identity; read at each use."""

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if sum(proof is not None for proof in (self.secret, self.certificate, self.federated_token_file)) != 1:
            raise ValueError("set exactly one of secret, certificate, federated_token_file")
        return self

    @property
    def kind(self) -> ProofKind:
        """Which of the three it is."""
        if self.secret is not None:
            return "secret"
        return "certificate" if self.certificate is not None else "federated"


class SecurityGroupEntry(Entry):
    """A security group of a customer's tenant by its object id there, and the name that mappings and receipts use."""

    name: Label
    id: UUID


class TenantEntry(Entry):
    """A customer's tenant."""

    name: Name
    id: UUID
    display_name: Label | None = None
    account_domain: Domain
    """Where the technicians' accounts are made; verified and managed, best the ``onmicrosoft.com`` domain."""
    account_prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,20}$")] = "msp-"
    hours: Hours = DEFAULT
    max_hours: Hours = timedelta(hours=8)
    credential: Literal["auto", "temporary_access_pass", "password"] = "auto"
    """``auto``: a Temporary Access Pass where the tenant's policy allows it, else a password."""
    elevate: Application
    revoke: Application | None = None
    """What closes; None: the same application as opens."""
    security_groups: tuple[SecurityGroupEntry, ...] = ()
    """Those that role mappings may give. Two tenants may have the same name for theirs; the ids are their own."""

    @model_validator(mode="after")
    def _each_security_group_once(self) -> Self:
        _expect_no_twins("security group", self.security_groups)
        return self

    @model_validator(mode="after")
    def _default_within_limit(self) -> Self:
        if self.hours > self.max_hours:
            raise ValueError("hours exceeds max_hours")
        return self

    def applications(self) -> Iterator[tuple[PurposeName, Application]]:
        """The application of each purpose."""
        yield "elevate", self.elevate
        yield "revoke", self.revoke or self.elevate

    def security_group(self, name: str) -> AccessItem | None:
        """The security group that the tenant's entry calls so."""
        found = next((group for group in self.security_groups if group.name == name), None)
        return AccessItem(kind=AccessKind.GROUP, id=str(found.id), name=found.name) if found else None


class TechnicianEntry(Entry):
    """One of the MSP's people. ``id`` is their object id in the MSP's own directory."""

    name: Name
    id: UUID
    display_name: Label | None = None
    attributes: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")], Label] = Field(
        default_factory=dict
    )


class GroupEntry(Entry):
    """A set of technicians: listed, or by an attribute's value, or both."""

    name: Name
    members: tuple[Name, ...] = ()
    attribute: str | None = None
    value: str | None = None

    @model_validator(mode="after")
    def _attribute_with_value(self) -> Self:
        if (self.attribute is None) != (self.value is None):
            raise ValueError("set both attribute and value, or neither")
        if self.name == ALL_TECHNICIANS:
            raise ValueError(f"{ALL_TECHNICIANS} is built in and contains every technician")
        return self


class RoleMappingEntry(Entry):
    """What a group of technicians has in one tenant, or in every tenant where none is named."""

    group: Name
    tenant: Name | None = None
    roles: Annotated[tuple[RoleName, ...], Field(min_length=1)] = ()
    security_groups: Annotated[tuple[Label, ...], Field(min_length=1)] = ()
    """Names from the ``security_groups`` of the tenant, or of each tenant."""

    @model_validator(mode="after")
    def _gives_something(self) -> Self:
        if not (self.roles or self.security_groups):
            raise ValueError("list roles, security_groups or both")
        return self


class Configuration(Entry):
    """The whole configuration of a deployment."""

    tenants: tuple[TenantEntry, ...] = ()
    technicians: tuple[TechnicianEntry, ...] = ()
    groups: tuple[GroupEntry, ...] = ()
    role_mappings: tuple[RoleMappingEntry, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for kind, entries in (
            ("tenant", self.tenants),
            ("technician", self.technicians),
            ("group", self.groups),
        ):
            _expect_no_twins(kind, entries)
        technicians = {entry.name for entry in self.technicians}
        groups = {entry.name for entry in self.groups} | {ALL_TECHNICIANS}
        tenants = {entry.name for entry in self.tenants}
        for group in self.groups:
            if unknown := sorted(set(group.members) - technicians):
                raise ValueError(f"the group {group.name!r} lists {unknown[0]!r}, who is not a technician in this file")
        for mapping in self.role_mappings:
            if mapping.group not in groups:
                raise ValueError(f"a role mapping names the group {mapping.group!r}, which is not in this file")
            if mapping.tenant is not None and mapping.tenant not in tenants:
                raise ValueError(f"a role mapping names the tenant {mapping.tenant!r}, which is not in this file")
            for tenant in self._tenants_of(mapping):
                for name in mapping.security_groups:
                    if tenant.security_group(name) is None:
                        raise ValueError(
                            f"a role mapping names the security group {name!r}, which {tenant.name} does not list"
                        )
        return self

    def mappings(self) -> tuple[RoleMapping, ...]:
        """Every item of every role mapping, each once: roles as they are written, security groups tenant by tenant."""
        found: dict[RoleMapping, None] = {}
        for mapping in self.role_mappings:
            tenants = self._tenants_of(mapping)
            tenant_id = TenantId(str(tenants[0].id)) if mapping.tenant else None
            found |= {RoleMapping(mapping.group, tenant_id, find_role(name)): None for name in mapping.roles}
            found |= {
                RoleMapping(mapping.group, TenantId(str(tenant.id)), item): None
                for tenant in tenants
                for name in mapping.security_groups
                if (item := tenant.security_group(name))
            }
        return tuple(found)

    def _tenants_of(self, mapping: RoleMappingEntry) -> tuple[TenantEntry, ...]:
        return tuple(tenant for tenant in self.tenants if mapping.tenant in (None, tenant.name))


def _expect_no_twins(kind: str, entries: Iterable[Entry]) -> None:
    """Raises ``ValueError`` where two entries share a name or an id."""
    for key in ("name", "id"):
        values = [getattr(entry, key) for entry in entries if hasattr(entry, key)]
        if twice := sorted({str(value) for value in values if values.count(value) > 1}):
            raise ValueError(f"two {kind}s have the {key} {twice[0]!r}")
