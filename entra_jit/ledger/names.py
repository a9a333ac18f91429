"""The tenant or technician that is meant by a name, as people type it.

A name that does not exist is refused wherever one is taken: a list of nothing would say that all is well.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import configuration
from entra_jit.policy.facts import TechnicianTerms
from models.errors import NotFoundError, quoted
from models.messages import TenantId
from models.plain_text import plain
from models.tables import Tenant


async def find_tenant(session: AsyncSession, typed: str) -> Tenant:
    """The tenant by its name, in any case and with any space around it, or by its id; a removed one, too.

    Raises ``NotFoundError``, which names those that are spelt alike.
    """
    if found := await configuration.tenant_by_name(session, _as_configured(typed)):
        return found
    with suppress(ValueError):
        if found := await configuration.tenant_by_id(session, TenantId(str(UUID(typed)))):
            return found
    raise _unknown("tenant", typed, (tenant.name for tenant in await configuration.all_tenants(session)))


async def find_technician(session: AsyncSession, typed: str) -> TechnicianTerms:
    """The technician, found like a tenant. Raises ``NotFoundError``."""
    if found := await configuration.technician_terms(session, _as_configured(typed)):
        return found
    raise _unknown("technician", typed, await configuration.technician_names(session))


def _as_configured(typed: str) -> str:
    return plain(typed).lower()


def _unknown(kind: str, typed: str, names: Iterable[str]) -> NotFoundError:
    alike = get_close_matches(_as_configured(typed), sorted(set(names)))
    advice = f"Did you mean {' or '.join(alike)}?" if alike else ""
    return NotFoundError(f"There is no {kind} {quoted(typed)}.", advice=advice)
