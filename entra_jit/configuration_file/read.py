"""The file as a configuration: what each entry has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar, get_args
from uuid import UUID

from pydantic import SecretStr

from entra_jit.configuration_file.entry import Entry
from entra_jit.configuration_file.mistakes import Mistakes, Place
from entra_jit.configuration_file.names import Names
from entra_jit.configuration_file.tree import Fields, parse
from entra_jit.configuration_file.values import (
    one_of,
    read_attribute,
    read_domain,
    read_emergency_accounts,
    read_guid,
    read_label,
    read_name,
    read_path,
    read_prefix,
    read_role,
    read_rotation,
)
from entra_jit.policy.configuration import (
    Application,
    CanaryChoice,
    Configuration,
    CredentialChoice,
    GroupEntry,
    PurposeName,
    RoleMappingEntry,
    SecretSource,
    SecurityGroupEntry,
    TechnicianEntry,
    TenantDefaults,
    TenantEntry,
)
from entra_jit.policy.durations import format_duration, parse_duration
from entra_jit.policy.entitlement import ALL_TECHNICIANS, AttributeRule, AttributeTest
from models.errors import BadInputError

ProofOf = Callable[[Application], SecretStr | None]
"""Reads the credential of an application, and tries whether it can be used; None: it is in the ledger already. Raises
``BadInputError``."""

_CREDENTIALS: tuple[CredentialChoice, ...] = get_args(CredentialChoice)
_CANARIES: tuple[CanaryChoice, ...] = get_args(CanaryChoice)

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ConfigurationFile:
    """A file without mistakes."""

    configuration: Configuration
    proofs: Mapping[tuple[UUID, PurposeName], SecretStr]
    """The credential of each tenant and purpose, but of those that the ledger has already."""
    security_group_lines: Mapping[tuple[UUID, UUID], int]
    """Where the security groups of each tenant stand."""
    application_lines: Mapping[tuple[UUID, PurposeName], int]
    """Where the application of each tenant and purpose stands, by the same keys as ``proofs``."""


def read(content: bytes, source: str, proof_of: ProofOf, *, has_own: bool = False) -> ConfigurationFile:
    """The file, whole. Raises ``BadInputError`` with a line for each mistake: ``source``, line, place, what is allowed.

    Its secrets are read as well, so that one run tells all that is wrong. ``has_own``: the settings have applications
    of the MSP's own, for tenants without a registration.
    """
    mistakes = Mistakes(source)
    tree = parse(content, mistakes)
    if tree is None and mistakes:
        raise mistakes.refusal()
    if not isinstance(tree, Fields) or not tree.fields:
        mistakes.note(Place(tree.line if tree else 1), "no configuration; write tenants, technicians, role_mappings")
        raise mistakes.refusal()
    reading = _Reading(mistakes, proof_of, has_own=has_own)
    configuration = reading.configuration(Entry(mistakes, tree, Place(tree.line)))
    if mistakes:
        raise mistakes.refusal()
    return ConfigurationFile(configuration, reading.proofs, reading.security_group_lines, reading.application_lines)


class _Reading:
    """Reads one file. What is mistaken is noted and left out, and so are what it belongs to and the whole file."""

    def __init__(self, mistakes: Mistakes, proof_of: ProofOf, *, has_own: bool) -> None:
        self.proofs: dict[tuple[UUID, PurposeName], SecretStr] = {}
        self.security_group_lines: dict[tuple[UUID, UUID], int] = {}
        self.application_lines: dict[tuple[UUID, PurposeName], int] = {}
        self._names = Names(mistakes)
        self._defaults = TenantDefaults()
        self._has_own = has_own
        self._proof_of = proof_of

    def configuration(self, file: Entry) -> Configuration:
        self._defaults = self._read_defaults(file.entry("defaults"))
        configuration = Configuration(
            tenants=tuple(_each(file, "tenants", self._tenant)),
            technicians=tuple(_each(file, "technicians", self._technician)),
            groups=tuple(_each(file, "groups", self._group)),
            role_mappings=tuple(_each(file, "role_mappings", self._role_mapping)),
            defaults=self._defaults,
        )
        file.finish()
        self._names.agree()
        return configuration

    def _read_defaults(self, entry: Entry | None) -> TenantDefaults:
        if entry is None:
            return TenantDefaults()
        found = _terms(entry, TenantDefaults())
        entry.finish()
        return found

    def _tenant(self, entry: Entry) -> TenantEntry | None:
        name, tenant_id = entry.required("name", read_name), entry.required("id", read_guid)
        self._names.declare(entry, "tenant", name, tenant_id)
        domain = entry.required("account_domain", read_domain)
        elevate, revoke = entry.entry("elevate"), entry.entry("revoke")
        if revoke is not None or not self._has_own:
            entry.require("elevate")
        opens = self._application(elevate)
        closes = self._application(revoke) or opens
        groups = tuple(_each(entry, "security_groups", lambda group: self._security_group(group, name)))
        tags = tuple(entry.texts("tags", read_label))
        display_name = entry.optional("display_name", read_label)
        terms = _terms(entry, self._defaults)
        if name is not None:
            self._names.declare_security_groups(name, {group.name for _, group in groups})
        if name is None or tenant_id is None or domain is None or not entry.is_sound:
            return None
        if opens and opens[1]:
            self.proofs[tenant_id, "elevate"] = opens[1]
            self.application_lines[tenant_id, "elevate"] = entry.place("elevate").line
        if closes and closes[1]:
            self.proofs[tenant_id, "revoke"] = closes[1]
            self.application_lines[tenant_id, "revoke"] = entry.place("revoke" if revoke else "elevate").line
        self.security_group_lines |= {(tenant_id, group.id): line for line, group in groups}
        return TenantEntry(
            name=name,
            id=tenant_id,
            account_domain=domain.lower(),
            elevate=opens[0] if opens else None,
            revoke=closes[0] if closes else None,
            display_name=display_name or name,
            account_prefix=terms.account_prefix,
            hours=terms.hours,
            max_hours=terms.max_hours,
            credential=terms.credential,
            canary=terms.canary,
            emergency_accounts=terms.emergency_accounts,
            emergency_rotation=terms.emergency_rotation,
            security_groups=tuple(group for _, group in groups),
            tags=tuple(tag for _, tag in tags),
        )

    def _security_group(self, entry: Entry, tenant: str | None) -> tuple[int, SecurityGroupEntry] | None:
        name, group_id = entry.required("name", read_label), entry.required("id", read_guid)
        self._names.declare(entry, f"security group of {tenant}", name, group_id)
        if name is None or group_id is None:
            return None
        return entry.place().line, SecurityGroupEntry(name, group_id)

    def _application(self, entry: Entry | None) -> tuple[Application, SecretStr | None] | None:
        if entry is None:
            return None
        client_id = entry.required("client_id", read_guid)
        secret, certificate = _source(entry.entry("secret")), _source(entry.entry("certificate"))
        token_file = entry.optional("federated_token_file", read_path)
        entry.finish()
        if client_id is None or not entry.is_sound:
            return None
        if sum(proof is not None for proof in (secret, certificate, token_file)) != 1:
            entry.note("set exactly one of secret, certificate, federated_token_file")
            return None
        application = Application(client_id, secret, certificate, token_file)
        try:
            return application, self._proof_of(application)
        except BadInputError as error:
            entry.note(str(error))
            return None

    def _technician(self, entry: Entry) -> TechnicianEntry | None:
        name, technician_id = entry.required("name", read_name), entry.required("id", read_guid)
        self._names.declare(entry, "technician", name, technician_id)
        display_name = entry.optional("display_name", read_label)
        attributes = self._attributes(entry.entry("attributes"))
        if name is None or technician_id is None:
            return None
        return TechnicianEntry(name, technician_id, display_name or name, attributes)

    def _attributes(self, entry: Entry | None) -> dict[str, str]:
        if entry is None:
            return {}
        attributes: dict[str, str] = {}
        for key in entry.free_keys():
            try:
                value = entry.optional(read_attribute(key), read_label)
            except BadInputError as error:
                entry.note(str(error), key)
                continue
            if value is not None:
                attributes[key] = value
                self._names.declare_attribute(key, value)
        return attributes

    def _group(self, entry: Entry) -> GroupEntry | None:
        name = entry.required("name", read_name)
        self._names.declare(entry, "group", name)
        if name == ALL_TECHNICIANS:
            entry.note(f"{ALL_TECHNICIANS} is built in and contains every technician", "name")
        members = tuple(entry.texts("members", read_name))
        for place, member in members:
            self._names.refer("technician", place, member)
        by_attributes = entry.entry("attributes")
        rules = tuple(self._rules(by_attributes)) if by_attributes else ()
        return None if name is None else GroupEntry(name, tuple(member for _, member in members), rules)

    def _rules(self, entry: Entry) -> Iterator[AttributeRule]:
        """One for each attribute: a value, ``{one_of: [...]}`` or ``{prefix: ...}``."""
        for key in entry.free_keys():
            try:
                rule = _rule(entry, read_attribute(key))
            except BadInputError as error:
                entry.note(str(error), key)
                continue
            if rule is not None:
                self._names.refer_to_attribute(entry.place(key), rule)
                yield rule

    def _role_mapping(self, entry: Entry) -> RoleMappingEntry | None:
        group, tenant = entry.required("group", read_name), entry.optional("tenant", read_name)
        for kind, name in (("group", group), ("tenant", tenant)):
            if name is not None:
                self._names.refer(kind, entry.place(kind), name)
        roles = tuple(role for _, role in entry.texts("roles", read_role))
        security_groups = tuple(entry.texts("security_groups", read_label))
        for place, name in security_groups:
            self._names.refer_to_security_group(tenant, place, name)
        if not (roles or security_groups) and entry.is_sound:
            entry.note("list roles, security_groups or both")
        if group is None:
            return None
        return RoleMappingEntry(group, tenant, roles, tuple(name for _, name in security_groups))


def _each(file: Entry, key: str, read: Callable[[Entry], _Value | None]) -> Iterator[_Value]:
    for entry in file.entries(key):
        value = read(entry)
        entry.finish()
        if value is not None:
            yield value


def _terms(entry: Entry, defaults: TenantDefaults) -> TenantDefaults:
    """What the entry says, and ``defaults`` for what it does not."""
    prefix = entry.optional("account_prefix", read_prefix)
    hours = entry.optional("hours", parse_duration) or defaults.hours
    max_hours = entry.optional("max_hours", parse_duration) or defaults.max_hours
    if hours > max_hours and (hours, max_hours) != (defaults.hours, defaults.max_hours):
        entry.note(f"{format_duration(hours)} exceeds max_hours, which is {format_duration(max_hours)}", "hours")
    accounts = entry.optional("emergency_accounts", read_emergency_accounts)
    return TenantDefaults(
        account_prefix=defaults.account_prefix if prefix is None else prefix,
        hours=hours,
        max_hours=max_hours,
        credential=entry.optional("credential", one_of(_CREDENTIALS)) or defaults.credential,
        canary=entry.optional("canary", one_of(_CANARIES)) or defaults.canary,
        emergency_accounts=defaults.emergency_accounts if accounts is None else accounts,
        emergency_rotation=entry.optional("emergency_rotation_days", read_rotation) or defaults.emergency_rotation,
    )


def _rule(entry: Entry, attribute: str) -> AttributeRule | None:
    if not entry.is_mapping(attribute):
        value = entry.optional(attribute, read_label)
        return None if value is None else AttributeRule(attribute, AttributeTest.ONE_OF, (value,))
    test = entry.entry(attribute)
    if test is None:
        return None
    values = tuple(value for _, value in test.texts("one_of", read_label))
    prefix = test.optional("prefix", read_label)
    test.finish()
    if not test.is_sound:
        return None
    if bool(values) == (prefix is not None):
        test.note("set exactly one of one_of, prefix")
        return None
    if prefix is not None:
        return AttributeRule(attribute, AttributeTest.PREFIX, (prefix,))
    return AttributeRule(attribute, AttributeTest.ONE_OF, values)


def _source(entry: Entry | None) -> SecretSource | None:
    if entry is None:
        return None
    env, file = entry.optional("env", read_label), entry.optional("file", read_path)
    stored = entry.optional("stored", one_of(("yes",)))
    entry.finish()
    if [env, file, stored].count(None) != 2 and entry.is_sound:
        entry.note("set exactly one of env, file, stored")
    return SecretSource(env, file, stored=stored is not None)
