"""The terms of a tenant as a form sends them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar, TypeVar, get_args
from uuid import UUID

from pydantic import BaseModel

from entra_jit.app import App
from entra_jit.configuration_file.values import read_emergency_accounts, read_rotation
from entra_jit.operations.list_domains import TenantDomain, list_domains
from entra_jit.policy.configuration import (
    CanaryChoice,
    CredentialChoice,
    EmergencyCount,
    ProofKind,
    SecurityGroupEntry,
    TenantDefaults,
    TenantEntry,
)
from entra_jit.policy.configuration_edits import SetTenant
from entra_jit.policy.durations import parse_duration
from entra_jit.policy.emergency import LONGEST_ROTATION, SHORTEST_ROTATION
from entra_jit.web.changes import by_lines
from entra_jit.web.visitors import Visitor
from models.errors import BadInputError, EntraJitError

_Value = TypeVar("_Value")

CREDENTIALS: dict[CredentialChoice, str] = {
    "auto": "Automatic: a Temporary Access Pass where the tenant allows it, else a password",
    "temporary_access_pass": "Temporary Access Pass",
    "password": "Password",
}
CANARIES: dict[CanaryChoice, str] = {"never": "Only when asked", "weekly": "Every week"}
PROOFS: dict[ProofKind, str] = {
    "certificate": "Certificate: private key and certificate, PEM",
    "secret": "Client secret",
    "federated": "Federated credential: a token file that workers read",
}


class Limits(BaseModel):
    """What a tenant may have of its own, or by default, as it was typed."""

    emergency_counts: ClassVar[tuple[int, ...]] = get_args(EmergencyCount)
    rotation_days: ClassVar[tuple[int, int]] = (SHORTEST_ROTATION.days, LONGEST_ROTATION.days)

    account_prefix: str = ""
    hours: str = ""
    max_hours: str = ""
    credential: str = "auto"
    canary: str = "never"
    emergency_accounts: str = ""
    """Empty, like the prefix and the days: as it is."""
    emergency_rotation_days: str = ""

    def limits(self) -> dict[str, object]:
        """The same, read. What makes no sense is judged by the reader. Raises ``BadInputError``."""
        if self.credential not in get_args(CredentialChoice) or self.canary not in get_args(CanaryChoice):
            raise BadInputError("There is no such choice.")
        return {
            "account_prefix": self.account_prefix.strip() or None,
            "hours": parse_duration(self.hours),
            "max_hours": parse_duration(self.max_hours),
            "credential": self.credential,
            "canary": self.canary,
            "emergency_accounts": _given(self.emergency_accounts, read_emergency_accounts),
            "emergency_rotation": _given(self.emergency_rotation_days, read_rotation),
        }


class Terms(Limits):
    """What the form of a tenant sends."""

    name: str = ""
    display_name: str = ""
    account_domain: str = ""
    security_groups: str = ""
    tags: str = ""

    def edit(self, tenant_id: UUID) -> SetTenant:
        """The change that it asks for. Names and domains are judged by the reader. Raises ``BadInputError``."""
        name = self.name.strip()
        return SetTenant.model_validate(
            {
                **self.limits(),
                "id": tenant_id,
                "name": name,
                "display_name": self.display_name.strip() or name,
                "account_domain": self.account_domain.strip().lower(),
                "security_groups": _read_groups(self.security_groups),
                "tags": by_lines(self.tags),
            }
        )


def _given(text: str, read: Callable[[str], _Value]) -> _Value | None:
    return read(text.strip()) if text.strip() else None


def _read_groups(text: str) -> tuple[SecurityGroupEntry, ...]:
    """One ``name: object id`` a line; a name may have colons."""
    found: list[SecurityGroupEntry] = []
    for line in by_lines(text):
        name, _, object_id = (part.strip() for part in line.rpartition(":"))
        try:
            found.append(SecurityGroupEntry(name, UUID(object_id)))
        except ValueError:
            raise BadInputError("security groups: one a line, its name, a colon, and its object id") from None
    return tuple(found)


def suggested_terms(display_name: str, domain: str, defaults: TenantDefaults) -> Terms:
    """What the form of a new customer is filled in with."""
    slug = re.sub(r"[^a-z0-9]+", "-", (display_name or domain.partition(".")[0]).lower()).strip("-")[:63]
    return Terms(
        name=slug,
        display_name=f"Entra ID - {display_name}" if display_name else "",
        account_domain=domain,
        **limits_of(defaults),
    )


def terms_of(entry: TenantEntry) -> Terms:
    """What the form of a tenant is filled in with."""
    return Terms(
        name=entry.name,
        display_name=entry.display_name,
        account_domain=entry.account_domain,
        security_groups="\n".join(f"{one.name}: {one.id}" for one in entry.security_groups),
        tags="\n".join(entry.tags),
        **limits_of(entry),
    )


def limits_of(terms: TenantDefaults | TenantEntry) -> dict[str, str]:
    """What the fields of ``Limits`` are filled in with."""
    return {
        "account_prefix": terms.account_prefix,
        "hours": typed_duration(terms.hours.total_seconds()),
        "max_hours": typed_duration(terms.max_hours.total_seconds()),
        "credential": terms.credential,
        "canary": terms.canary,
        "emergency_accounts": str(terms.emergency_accounts),
        "emergency_rotation_days": str(terms.emergency_rotation.days),
    }


def typed_duration(seconds: float) -> str:
    """A duration as people would type it: ``4h``, ``90m``."""
    minutes, below = divmod(seconds, 60)
    if below:
        return f"{seconds:.6f}s"
    return f"{minutes / 60:g}h" if minutes % 60 == 0 else f"{minutes:g}m"


async def domains_of(visitor: Visitor, app: App, tenant_id: UUID) -> tuple[tuple[TenantDomain, ...], str | None]:
    """The tenant's own list, or why it cannot be read: then the domain is typed."""
    try:
        return await list_domains(visitor.actor, app, str(tenant_id)), None
    except EntraJitError as error:
        return (), str(error)
