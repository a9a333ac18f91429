"""The terms of a tenant as a form sends them."""

from __future__ import annotations

import re
from typing import get_args
from uuid import UUID

from pydantic import BaseModel

from entra_jit.app import App
from entra_jit.operations.list_domains import TenantDomain, list_domains
from entra_jit.policy.configuration import CanaryChoice, CredentialChoice, TenantDefaults, TenantEntry
from entra_jit.policy.configuration_edits import SetTenant
from entra_jit.policy.durations import parse_duration
from entra_jit.web.changes import by_lines
from entra_jit.web.visitors import Visitor
from models.errors import BadInputError, EntraJitError

CREDENTIALS: dict[CredentialChoice, str] = {
    "auto": "Automatic: a Temporary Access Pass where the tenant allows it, else a password",
    "temporary_access_pass": "Temporary Access Pass",
    "password": "Password",
}
CANARIES: dict[CanaryChoice, str] = {"never": "Only when asked", "weekly": "Every week"}


class Terms(BaseModel):
    """What the form sends, as it was typed."""

    name: str = ""
    display_name: str = ""
    account_domain: str = ""
    hours: str = ""
    max_hours: str = ""
    credential: str = "auto"
    canary: str = "never"
    tags: str = ""

    def edit(self, tenant_id: UUID) -> SetTenant:
        """The change that it asks for. Names and domains are judged by the reader. Raises ``BadInputError``."""
        if self.credential not in get_args(CredentialChoice) or self.canary not in get_args(CanaryChoice):
            raise BadInputError("There is no such choice.")
        name = self.name.strip()
        return SetTenant.model_validate(
            {
                "id": tenant_id,
                "name": name,
                "display_name": self.display_name.strip() or name,
                "account_domain": self.account_domain.strip().lower(),
                "hours": parse_duration(self.hours),
                "max_hours": parse_duration(self.max_hours),
                "credential": self.credential,
                "canary": self.canary,
                "tags": by_lines(self.tags),
            }
        )


def suggested_terms(display_name: str, domain: str, defaults: TenantDefaults) -> Terms:
    """What the form of a new customer is filled in with."""
    slug = re.sub(r"[^a-z0-9]+", "-", (display_name or domain.partition(".")[0]).lower()).strip("-")[:63]
    return Terms(
        name=slug,
        display_name=f"Entra ID - {display_name}" if display_name else "",
        account_domain=domain,
        hours=typed_duration(defaults.hours.total_seconds()),
        max_hours=typed_duration(defaults.max_hours.total_seconds()),
        credential=defaults.credential,
        canary=defaults.canary,
    )


def terms_of(entry: TenantEntry) -> Terms:
    """What the form of a tenant is filled in with."""
    return Terms(
        name=entry.name,
        display_name=entry.display_name,
        account_domain=entry.account_domain,
        hours=typed_duration(entry.hours.total_seconds()),
        max_hours=typed_duration(entry.max_hours.total_seconds()),
        credential=entry.credential,
        canary=entry.canary,
        tags="\n".join(entry.tags),
    )


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
