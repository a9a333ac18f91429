"""Both the tenant and the technician are in the configuration."""

from __future__ import annotations

from entra_jit.policy.facts import Facts, TechnicianTerms, TenantTerms


def refuse(facts: Facts) -> str | None:
    """Refuses a request of or for those whom the configuration does not have."""
    if facts.tenant is None or not facts.tenant.active:
        return f"There is no tenant {facts.request.tenant!r} connected to this deployment."
    if facts.technician is None or not facts.technician.active:
        return f"There is no technician {facts.request.technician!r} in this deployment."
    return None


def departed(tenant: TenantTerms, technician: TechnicianTerms) -> str | None:
    """Whom the configuration no longer has, in a sentence; None: it has both. What they hold is to be closed."""
    gone = [party.name for party in (technician, tenant) if not party.active]
    return f"{' and '.join(gone)} {'are' if len(gone) > 1 else 'is'} no longer in the configuration." if gone else None
