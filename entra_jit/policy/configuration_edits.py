"""One change of the configuration, as a page makes it: it says what shall be so, and nothing about all the rest.

So two people who change different things lose nothing: each change is made anew to what is in force by then. What a
change refers to is judged where the whole is written and read again, by the reader of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from entra_jit.policy.configuration import (
    Application,
    CanaryChoice,
    Configuration,
    CredentialChoice,
    EmergencyCount,
    GroupEntry,
    ProofKind,
    RoleMappingEntry,
    SecretSource,
    SecurityGroupEntry,
    TechnicianEntry,
    TenantDefaults,
    TenantEntry,
)
from entra_jit.policy.durations import format_duration
from entra_jit.policy.entitlement import AttributeRule
from models.errors import BadInputError
from models.message import Message


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Identified(Protocol):
    @property
    def id(self) -> UUID: ...


_Entry = TypeVar("_Entry")

_STORED = SecretSource(stored=True)


class SetTenant(Message):
    """A tenant has these terms. One that is not configured yet is added, and opened by the MSP's own applications."""

    kind: Literal["set tenant"] = "set tenant"
    id: UUID
    name: str
    display_name: str
    account_domain: str
    hours: timedelta
    max_hours: timedelta
    credential: CredentialChoice
    canary: CanaryChoice
    tags: tuple[str, ...] = ()
    account_prefix: str | None = None
    """None: as it is, or the default of a new tenant; the same of what follows."""
    security_groups: tuple[SecurityGroupEntry, ...] | None = None
    emergency_accounts: EmergencyCount | None = None
    emergency_rotation: timedelta | None = None

    @property
    def said(self) -> str:
        """What it does, for people."""
        return (
            f"{self.name}: shown as {self.display_name}, accounts in {self.account_domain}, "
            f"{format_duration(self.hours)} by default and {format_duration(self.max_hours)} at most"
            f"{_emergency(self.emergency_accounts)}."
        )

    def made_to(self, configuration: Configuration) -> Configuration:
        """The configuration with it. Mappings follow a new name."""
        terms = {name: value for name, value in self if name != "kind" and value is not None}
        before = tenant_of(configuration, self.id)
        if before is None:
            none_yet = {"elevate": None, "revoke": None, "security_groups": ()}
            added = TenantEntry(**(_by_field(configuration.defaults) | none_yet | terms))
            return replace(configuration, tenants=(*configuration.tenants, added))
        mappings = tuple(
            replace(one, tenant=self.name) if one.tenant == before.name else one for one in configuration.role_mappings
        )
        tenants = _with(configuration.tenants, replace(before, **terms), _by_id)
        return replace(configuration, tenants=tenants, role_mappings=mappings)


class SetDefaults(Message):
    """New tenants have these terms, and (``follow``) those that have the defaults of today follow, term by term."""

    kind: Literal["set defaults"] = "set defaults"
    account_prefix: str | None = None
    """None: as it is; the same of what concerns emergency accounts."""
    hours: timedelta
    max_hours: timedelta
    credential: CredentialChoice
    canary: CanaryChoice
    emergency_accounts: EmergencyCount | None = None
    emergency_rotation: timedelta | None = None
    follow: bool

    @property
    def said(self) -> str:
        """What it does, for people."""
        return (
            f"Defaults: {format_duration(self.hours)}, {format_duration(self.max_hours)} at most"
            f"{_emergency(self.emergency_accounts)}; "
            f"tenants that have today's {'follow' if self.follow else 'keep them'}."
        )

    def made_to(self, configuration: Configuration) -> Configuration:
        """The configuration with them. What tenants have otherwise stays."""
        before = configuration.defaults
        after = replace(
            before, **{name: value for name, value in self if name not in {"kind", "follow"} and value is not None}
        )
        changed = {name: value for name, value in _by_field(after).items() if value != getattr(before, name)}
        tenants = configuration.tenants
        if self.follow:
            tenants = tuple(replace(one, **_with_default(one, before, changed)) for one in tenants)
        return replace(configuration, defaults=after, tenants=tenants)


class RemoveTenant(Message):
    """A tenant is no longer configured, and neither is what groups had there."""

    kind: Literal["remove tenant"] = "remove tenant"
    id: UUID
    name: str

    @property
    def said(self) -> str:
        """What it does, for people."""
        return f"{self.name} leaves the configuration."

    def made_to(self, configuration: Configuration) -> Configuration:
        """The configuration without it."""
        before = tenant_of(configuration, self.id)
        name = before.name if before else self.name
        return replace(
            configuration,
            tenants=tuple(one for one in configuration.tenants if one.id != self.id),
            role_mappings=tuple(one for one in configuration.role_mappings if one.tenant != name),
        )


class Registration(Message):
    """An application that is registered in the customer's tenant. Its secret is entered where it is saved."""

    client_id: UUID
    proof: ProofKind
    token_file: str | None = None
    """Where workers find the token of a federated credential."""

    def application(self) -> Application:
        """As the configuration has it. Raises ``BadInputError``."""
        if (self.proof == "federated") != bool(self.token_file):
            raise BadInputError("The path of the token file: required for a federated credential, and for no other.")
        return Application(
            self.client_id,
            secret=_STORED if self.proof == "secret" else None,
            certificate=_STORED if self.proof == "certificate" else None,
            federated_token_file=Path(self.token_file) if self.token_file else None,
        )


class SetRegistration(Message):
    """A tenant is opened and closed by applications of its own, or (None) by the MSP's."""

    kind: Literal["set registration"] = "set registration"
    id: UUID
    name: str
    elevate: Registration | None = None
    revoke: Registration | None = None
    """None: the same as ``elevate``."""

    @property
    def said(self) -> str:
        """What it does, for people."""
        if self.elevate is None:
            return f"{self.name} is opened and closed by your own applications."
        closes = f"closed by {self.revoke.client_id}" if self.revoke else "closed by it"
        return f"{self.name} is opened by its own application {self.elevate.client_id}, and {closes}."

    def made_to(self, configuration: Configuration) -> Configuration:
        """The configuration with it. Raises ``BadInputError`` where the tenant is not configured."""
        before = tenant_of(configuration, self.id)
        if before is None:
            raise BadInputError(f"{self.name} is not in the configuration any more.")
        elevate = self.elevate.application() if self.elevate else None
        revoke = self.revoke.application() if self.revoke else elevate
        tenants = _with(configuration.tenants, replace(before, elevate=elevate, revoke=revoke), _by_id)
        return replace(configuration, tenants=tenants)

    def client_ids(self) -> tuple[str, ...]:
        """The applications whose secret has to be entered, each once."""
        ones = [one for one in (self.elevate, self.revoke) if one and one.proof != "federated"]
        return tuple(dict.fromkeys(str(one.client_id) for one in ones))


class SetAccess(Message):
    """What a group has in one tenant, or (``tenant`` None) in every tenant: this and no more. Nothing: no mapping."""

    kind: Literal["set access"] = "set access"
    group: str
    tenant: str | None = None
    roles: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What it does, for people."""
        given = ", ".join((*self.roles, *self.security_groups)) or "nothing"
        return f"{self.group} has in {self.tenant or 'every tenant'}: {given}."

    def made_to(self, configuration: Configuration) -> Configuration:
        """The configuration with it, in the place of the first mapping of the two."""
        mapping = RoleMappingEntry(self.group, self.tenant, self.roles, self.security_groups)
        given = (mapping,) if self.roles or self.security_groups else ()
        found = [one for one in configuration.role_mappings if (one.group, one.tenant) == (self.group, self.tenant)]
        if not found:
            return replace(configuration, role_mappings=(*configuration.role_mappings, *given))
        mappings = (given if one is found[0] else (one,) for one in configuration.role_mappings)
        left = tuple(one for ones in mappings for one in ones if one is mapping or one not in found)
        return replace(configuration, role_mappings=left)


class SetTechnician(Message):
    """A person is a technician with these attributes. Their name in the configuration never changes."""

    kind: Literal["set technician"] = "set technician"
    id: UUID
    name: str
    display_name: str
    attributes: dict[str, str] = Field(default_factory=dict)

    @property
    def said(self) -> str:
        """What it does, for people."""
        attributes = ", ".join(f"{key} = {value}" for key, value in self.attributes.items())
        return f"{self.name} ({self.display_name}) is a technician{f' with {attributes}' if attributes else ''}."

    def made_to(self, configuration: Configuration) -> Configuration:
        """The configuration with it."""
        before = next((one for one in configuration.technicians if one.id == self.id), None)
        name = before.name if before else self.name
        entry = TechnicianEntry(name, self.id, self.display_name, dict(self.attributes))
        return replace(configuration, technicians=_with(configuration.technicians, entry, _by_id))


class RemoveTechnician(Message):
    """A person is no technician any more, and in no group's list."""

    kind: Literal["remove technician"] = "remove technician"
    id: UUID
    name: str

    @property
    def said(self) -> str:
        """What it does, for people."""
        return f"{self.name} is no technician any more."

    def made_to(self, configuration: Configuration) -> Configuration:
        """The configuration without them."""
        gone = {one.name for one in configuration.technicians if one.id == self.id}
        return replace(
            configuration,
            technicians=tuple(one for one in configuration.technicians if one.id != self.id),
            groups=tuple(
                replace(group, members=tuple(member for member in group.members if member not in gone))
                for group in configuration.groups
            ),
        )


class SetGroup(Message):
    """A group has these members: those listed, and those for whom all of the rules hold."""

    kind: Literal["set group"] = "set group"
    name: str
    members: tuple[str, ...] = ()
    rules: tuple[AttributeRule, ...] = ()

    @property
    def said(self) -> str:
        """What it does, for people."""
        rules = " and ".join(map(describe_rule, self.rules))
        ways = [f"the technicians {', '.join(self.members)}" if self.members else "", rules and f"all with {rules}"]
        return f"The group {self.name} has {' and '.join(filter(None, ways)) or 'no members'}."

    def made_to(self, configuration: Configuration) -> Configuration:
        """The configuration with it."""
        entry = GroupEntry(self.name, self.members, self.rules)
        return replace(configuration, groups=_with(configuration.groups, entry, _by_name))


class RemoveGroup(Message):
    """A group is gone, with what it had."""

    kind: Literal["remove group"] = "remove group"
    name: str

    @property
    def said(self) -> str:
        """What it does, for people."""
        return f"The group {self.name} is gone, and so is what it had."

    def made_to(self, configuration: Configuration) -> Configuration:
        """The configuration without it."""
        return replace(
            configuration,
            groups=tuple(one for one in configuration.groups if one.name != self.name),
            role_mappings=tuple(one for one in configuration.role_mappings if one.group != self.name),
        )


Edit = Annotated[
    SetTenant
    | SetDefaults
    | RemoveTenant
    | SetRegistration
    | SetAccess
    | SetTechnician
    | RemoveTechnician
    | SetGroup
    | RemoveGroup,
    Field(discriminator="kind"),
]
"""One change."""

_EDITS = TypeAdapter(tuple[Edit, ...])


def write_edits(edits: Sequence[Edit]) -> str:
    """As a page carries them, JSON."""
    return _EDITS.dump_json(tuple(edits)).decode()


def read_edits(text: str) -> tuple[Edit, ...]:
    """What ``write_edits`` wrote. Raises ``BadInputError``: a page can be tampered with."""
    try:
        found = _EDITS.validate_json(text)
    except ValidationError:
        found = ()
    if not found:
        raise BadInputError("This is no change of the configuration.", advice="Begin at its page again.")
    return found


def make_edits(configuration: Configuration, edits: Iterable[Edit]) -> Configuration:
    """The configuration with all of them, one after the other. Raises ``BadInputError``."""
    return reduce(lambda made, edit: edit.made_to(made), edits, configuration)


def secrets_needed(edits: Iterable[Edit]) -> tuple[str, ...]:
    """The client ids of applications whose secret has to be entered with them."""
    needed = (id for edit in edits if isinstance(edit, SetRegistration) for id in edit.client_ids())
    return tuple(dict.fromkeys(needed))


def tenant_of(configuration: Configuration, tenant_id: UUID) -> TenantEntry | None:
    """The tenant with this id; None: it is not configured."""
    return next((one for one in configuration.tenants if one.id == tenant_id), None)


def describe_rule(rule: AttributeRule) -> str:
    """``site = Basel or Bern``, ``team beginning with IT-``."""
    return f"{rule.attribute} {'=' if rule.test == 'one_of' else 'beginning with'} {' or '.join(rule.values)}"


def _emergency(number: EmergencyCount | None) -> str:
    """The only word of it about a tenant that is new: no change of it is listed."""
    return f", emergency accounts: {number}" if number else ""


def _by_field(defaults: TenantDefaults) -> dict[str, Any]:
    return {field.name: getattr(defaults, field.name) for field in fields(defaults)}


def _with_default(tenant: TenantEntry, before: TenantDefaults, changed: dict[str, Any]) -> dict[str, Any]:
    """The part of ``changed`` in which the tenant has what was the default before."""
    return {name: value for name, value in changed.items() if getattr(tenant, name) == getattr(before, name)}


def _by_id(entry: _Identified) -> object:
    return entry.id


def _by_name(entry: _Named) -> object:
    return entry.name


def _with(entries: tuple[_Entry, ...], entry: _Entry, key: Callable[[_Entry], object]) -> tuple[_Entry, ...]:
    """``entry`` in the place of the one with its key, or at the end."""
    if all(key(one) != key(entry) for one in entries):
        return (*entries, entry)
    return tuple(entry if key(one) == key(entry) else one for one in entries)
