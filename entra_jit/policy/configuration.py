"""What an MSP writes down: tenants, technicians, groups, role mappings. One file is the whole configuration.

``entra_jit.configuration_file`` reads it; nothing here is checked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal
from uuid import UUID

from entra_jit.policy.durations import DEFAULT, LONGEST_BY_DEFAULT
from entra_jit.policy.emergency import ROTATION
from entra_jit.policy.entitlement import AttributeRule, Group, RoleMapping
from entra_jit.policy.roles import find_role
from models.messages import AccessItem, AccessKind, TechnicianId, TenantId

CredentialChoice = Literal["auto", "temporary_access_pass", "password"]
"""``auto``: a Temporary Access Pass where the tenant's policy allows it, else a password."""
CanaryChoice = Literal["never", "weekly"]
"""How often the doctor's canary is run in a tenant without being asked."""
EmergencyCount = Literal[0, 1, 2]
"""How many emergency accounts a tenant has."""
ProofKind = Literal["secret", "certificate", "federated"]
PurposeName = Literal["elevate", "revoke"]


@dataclass(frozen=True)
class SecretSource:
    """Where a secret is when the configuration is applied: one of the three. It never holds the secret."""

    env: str | None = None
    file: Path | None = None
    stored: bool = False
    """In the ledger already: the portal took it, and nothing else may ever have held it."""


@dataclass(frozen=True)
class Application:
    """One of our applications in the customer's tenant, and how it proves itself: exactly one of the three."""

    client_id: UUID
    secret: SecretSource | None
    certificate: SecretSource | None
    """Private key and certificate, PEM, in one file."""
    federated_token_file: Path | None
    """A file that always holds a current token of a workload identity; read at each use."""

    @property
    def kind(self) -> ProofKind:
        """Which of the three it is."""
        if self.secret is not None:
            return "secret"
        return "certificate" if self.certificate is not None else "federated"


@dataclass(frozen=True)
class SecurityGroupEntry:
    """A security group of a customer's tenant by its object id there, and the name that mappings and receipts use."""

    name: str
    id: UUID


@dataclass(frozen=True)
class TenantDefaults:
    """What each tenant has that says nothing else."""

    account_prefix: str = "msp-"
    hours: timedelta = DEFAULT
    max_hours: timedelta = LONGEST_BY_DEFAULT
    credential: CredentialChoice = "auto"
    canary: CanaryChoice = "never"
    emergency_accounts: EmergencyCount = 0
    emergency_rotation: timedelta = ROTATION


@dataclass(frozen=True)
class TenantEntry:
    """A customer's tenant."""

    name: str
    id: UUID
    display_name: str
    account_domain: str
    """Where the technicians' accounts are made; verified and managed, best the ``onmicrosoft.com`` domain."""
    account_prefix: str
    hours: timedelta
    max_hours: timedelta
    credential: CredentialChoice
    canary: CanaryChoice
    emergency_accounts: EmergencyCount
    emergency_rotation: timedelta
    """How old the credential of one of them becomes before another takes its place."""
    elevate: Application | None
    """What opens. None: the MSP's own application, which stands in the deployment's settings."""
    revoke: Application | None
    """What closes; it may be the same. None with ``elevate``, and only then."""
    security_groups: tuple[SecurityGroupEntry, ...]
    """Those that role mappings may give. Two tenants may have the same name for theirs; the ids are their own."""

    tags: tuple[str, ...] = ()
    """Words by which lists of customers are searched. They decide nothing."""

    def applications(self) -> Iterator[tuple[PurposeName, Application]]:
        """The application of each purpose, where the tenant has a registration of its own."""
        if self.elevate is not None and self.revoke is not None:
            yield "elevate", self.elevate
            yield "revoke", self.revoke

    def security_group(self, name: str) -> AccessItem | None:
        """The security group that the tenant's entry calls so."""
        found = next((group for group in self.security_groups if group.name == name), None)
        return AccessItem(kind=AccessKind.GROUP, id=str(found.id), name=found.name) if found else None


@dataclass(frozen=True)
class TechnicianEntry:
    """One of the MSP's people. ``id`` is their object id in the MSP's own directory."""

    name: str
    id: UUID
    display_name: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class GroupEntry:
    """A set of technicians: listed, or by rules about their attributes, or both."""

    name: str
    members: tuple[str, ...]
    rules: tuple[AttributeRule, ...]


@dataclass(frozen=True)
class RoleMappingEntry:
    """What a group of technicians has in one tenant, or in every tenant where none is named."""

    group: str
    tenant: str | None
    roles: tuple[str, ...]
    """Built-in directory roles by their names, or any roles by their ids."""
    security_groups: tuple[str, ...]
    """Names from the ``security_groups`` of the tenant, or of each tenant."""


@dataclass(frozen=True)
class Configuration:
    """The whole configuration of a deployment."""

    tenants: tuple[TenantEntry, ...]
    technicians: tuple[TechnicianEntry, ...]
    groups: tuple[GroupEntry, ...]
    role_mappings: tuple[RoleMappingEntry, ...]
    defaults: TenantDefaults = TenantDefaults()
    """As the file has them. Each tenant has its own values, which these are part of already."""

    def technician_groups(self) -> tuple[Group, ...]:
        """Every group with its listed members."""
        ids = {technician.name: TechnicianId(str(technician.id)) for technician in self.technicians}
        return tuple(
            Group(group.name, frozenset(ids[member] for member in group.members), group.rules) for group in self.groups
        )

    @cached_property
    def mappings(self) -> tuple[RoleMapping, ...]:
        """Every item of every role mapping, each once: roles as they are written, security groups tenant by tenant."""
        by_name = {tenant.name: tenant for tenant in self.tenants}
        found: dict[RoleMapping, None] = {}
        for mapping in self.role_mappings:
            tenant_id = TenantId(str(by_name[mapping.tenant].id)) if mapping.tenant else None
            found |= {RoleMapping(mapping.group, tenant_id, find_role(name)): None for name in mapping.roles}
            for tenant in (by_name[mapping.tenant],) if mapping.tenant else self.tenants:
                items = (tenant.security_group(name) for name in mapping.security_groups)
                found |= {RoleMapping(mapping.group, TenantId(str(tenant.id)), item): None for item in items if item}
        return tuple(found)
